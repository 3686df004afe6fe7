"""Serves this project's resources to the Pulumi engine, with the package that its program imports."""

import os
import sys
from pathlib import Path

options = {name: os.environ.get(f"PULUMI_RUNTIME_{name}") for name in ("VIRTUALENV", "TOOLCHAIN")}  # of Pulumi.yaml
virtualenv = options["VIRTUALENV"] or (".venv" if options["TOOLCHAIN"] == "uv" else "")
folder = Path(__file__).resolve().parents[2] / virtualenv
python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
if virtualenv and python.exists() and Path(sys.prefix).resolve() != folder.resolve():
    os.execv(python, [str(python), "-u", str(Path(__file__).parent), *sys.argv[1:]])
try:
    from mixpanel_access.server import main
except ImportError as error:
    sys.exit(
        f"{sys.executable} cannot serve the resources of this project: {error}. Install the project's mixpanel-access "
        f"into that Python, or set `virtualenv` in Pulumi.yaml to one that has it."
    )
main()
