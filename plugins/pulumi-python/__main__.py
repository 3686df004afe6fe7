"""Serves this project's resources to the Pulumi engine, with the package that its program imports."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

SETTINGS = {"Pulumi.yaml", "Pulumi.yml", "Pulumi.json"}


def nearest(folder, names):
    """The nearest folder from this one upwards that has a file of one of these names; None for none."""
    return next((one for one in (folder, *folder.parents) if any((one / name).is_file() for name in names)), None)


def virtualenv_of(root):
    """The virtualenv of the program, as the engine finds it by the options of Pulumi.yaml; None for none."""
    option, toolchain = (os.environ.get(f"PULUMI_RUNTIME_{name}") for name in ("VIRTUALENV", "TOOLCHAIN"))
    if option:
        return root / option
    if toolchain == "uv":
        project = nearest(root, ["uv.lock"]) or nearest(root, ["pyproject.toml"]) or root
        return project / os.environ.get("UV_PROJECT_ENVIRONMENT", ".venv")
    if toolchain == "poetry":
        command = ["poetry", "env", "info", "--path"]  # from PATH, as the engine does
        try:
            path = subprocess.check_output(command, cwd=root, text=True).strip()  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"cannot find the virtualenv of this project: {error}. Run `poetry install` in {root}.")
        return Path(path)
    return None


here = Path(__file__).absolute().parent  # which may be a link to a folder of several projects
root = nearest(Path.cwd(), SETTINGS) or nearest(here, SETTINGS) or here.parents[1]
tried = os.environ.pop("MIXPANEL_ACCESS_VIRTUALENV", "")  # a broken one may start another Python than its own
virtualenv = None if tried else virtualenv_of(root)
if virtualenv is not None and Path(sys.prefix).resolve() != virtualenv.resolve():
    python = virtualenv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        sys.exit(
            f"cannot serve the resources of this project: its virtualenv {virtualenv}, by the runtime options in "
            f"Pulumi.yaml, has no Python. Make it, or run `pulumi install`; if it is elsewhere, set `virtualenv`."
        )
    try:
        variables = {**os.environ, "MIXPANEL_ACCESS_VIRTUALENV": str(virtualenv)}
        os.execve(python, [str(python), "-u", str(here), *sys.argv[1:]], variables)
    except OSError as error:
        sys.exit(f"cannot start the Python of this project's virtualenv: {error}. Make the virtualenv again.")
try:
    main = import_module(f"mixpanel_access.{os.environ.get('MIXPANEL_ACCESS_SERVES', 'server')}").main
except ImportError as error:
    sys.exit(
        f"{sys.executable} cannot serve the resources of this project: {error}. Activate the project's virtualenv "
        f"(`. .venv/bin/activate`), or set `virtualenv` in Pulumi.yaml to it, which holds for Python programs only; if "
        f"it is active, install the project's mixpanel-access into it."
    )
main()
