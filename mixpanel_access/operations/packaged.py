"""What the package brings along of this project: its files, and the wheel that it was installed from."""

from __future__ import annotations

import json
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from mixpanel_access import __version__

TEMPLATES: Final = Path(__file__).parents[1] / "templates" / "project"
WHEEL: Final = f"mixpanel_access-{__version__}-py3-none-any.whl"
"""The name of the wheel of this version."""

_RECORD: Final = f"mixpanel_access-{__version__}.dist-info/RECORD"


def own_file(file: str) -> str:
    """A file of this project: where the package is installed, beside the templates; in a clone, at its root."""
    packaged = TEMPLATES / file
    return (packaged if packaged.is_file() else TEMPLATES.parents[2] / file).read_text("utf-8")


def installed_wheel() -> Path | None:
    """The wheel that this package was installed from, if it is still there and has the files that are installed."""
    try:
        package = distribution("mixpanel-access")
    except PackageNotFoundError:
        return None
    return wheel_of(package)


def wheel_of(package: Distribution) -> Path | None:
    """The wheel that an installed package comes from, by the note that its installer leaves (PEP 610)."""
    url = urlsplit(str(json.loads(package.read_text("direct_url.json") or "{}").get("url", "")))
    file = Path(unquote(url.path))
    if url.scheme != "file" or file.name != WHEEL or not file.is_file():
        return None
    try:
        with zipfile.ZipFile(file) as wheel:
            brought = wheel.read(_RECORD).decode().splitlines()
    except (zipfile.BadZipFile, KeyError, OSError):
        return None
    installed = (package.read_text("RECORD") or "").splitlines()
    return file if {line for line in brought if not line.startswith(_RECORD)} <= set(installed) else None
