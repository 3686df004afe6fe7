"""Serves this project's components to programs in other languages, started as the server in `pulumi-python` is."""

import os
import runpy
from pathlib import Path

os.environ["MIXPANEL_ACCESS_SERVES"] = "component_package"
runpy.run_path(str(Path(__file__).resolve().parents[1] / "pulumi-python"), run_name="__main__")
