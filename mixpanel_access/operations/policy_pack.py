"""The policy pack as a folder of its own, which runs beside any project and can be published for an organization."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mixpanel_access.operations.packaged import WHEEL, own_file
from mixpanel_access.operations.requirements import read_wheel, with_wheel
from mixpanel_access.operations.scaffolding import create_files

_COPIED: Final = ("__main__.py", "config/production.json", "config/staging.json")
_RUNTIME: Final = "runtime: python\n"
_OWN_RUNTIME: Final = "runtime:\n  name: python\n  options:\n    toolchain: pip\n    virtualenv: venv\n"
"""A virtualenv in the folder itself, which `pulumi install` makes of its requirements."""


def write_pack(folder: Path, wheel: Path) -> list[str]:
    """Write the pack with the package's wheel and hashed requirements, over no file that is there.

    Returns:
        The files, relative to the folder.

    Raises:
        UsageError: the wheel is not that of this version, or a file is there already or cannot be written.
    """
    content = read_wheel(wheel)
    files: dict[str, str | bytes] = {
        "PulumiPolicy.yaml": own_file("policies/PulumiPolicy.yaml").replace(_RUNTIME, _OWN_RUNTIME),
        **{name: own_file(f"policies/{name}") for name in _COPIED},
        "requirements.txt": with_wheel(content),
        WHEEL: content,
    }
    create_files(folder, files, "policy pack")
    return list(files)
