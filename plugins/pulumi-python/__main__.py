"""Serves this project's resources to the Pulumi engine, with the package that its program imports."""

import os
import sys
from importlib import import_module
from pathlib import Path

options = {name: os.environ.get(f"PULUMI_RUNTIME_{name}") for name in ("VIRTUALENV", "TOOLCHAIN")}  # of Pulumi.yaml
virtualenv = options["VIRTUALENV"] or (".venv" if options["TOOLCHAIN"] == "uv" else "")
folder = Path(__file__).resolve().parents[2] / virtualenv
python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
tried = os.environ.pop("MIXPANEL_ACCESS_VIRTUALENV", "")  # a broken one may start another Python than its own
if virtualenv and not tried and python.exists() and Path(sys.prefix).resolve() != folder.resolve():
    command = [str(python), "-u", str(Path(__file__).parent), *sys.argv[1:]]
    try:
        os.execve(python, command, {**os.environ, "MIXPANEL_ACCESS_VIRTUALENV": str(folder)})
    except OSError as error:
        sys.exit(f"cannot start the Python of this project's virtualenv: {error}. Make the virtualenv again.")
try:
    main = import_module(f"mixpanel_access.{os.environ.get('MIXPANEL_ACCESS_SERVES', 'server')}").main
except ImportError as error:
    gone = f" ({folder} has no Python)" if virtualenv and not python.exists() else ""
    sys.exit(
        f"{sys.executable} cannot serve the resources of this project: {error}{gone}. Activate the project's "
        f"virtualenv, or set `virtualenv` in Pulumi.yaml to it; if it is active, install the project's "
        f"mixpanel-access into it."
    )
main()
