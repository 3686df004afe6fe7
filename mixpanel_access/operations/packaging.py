"""What the package brings along: its own files and its wheel; and folders that install from them with hashes."""

from __future__ import annotations

import hashlib
import json
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from mixpanel_access import __version__
from mixpanel_access.files.whole import create_files, reason
from mixpanel_access.model.errors import UsageError

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


LOCK: Final = "policies/requirements.txt"
"""The packages that this one requires, in one version each, with hashes; this one is not in it."""


def with_wheel(wheel: bytes) -> str:
    """The requirements of a folder that has the wheel in it, all with their hashes: the wheel's too."""
    return f"./{WHEEL} --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n{own_file(LOCK)}"


def read_wheel(file: Path | None) -> bytes:
    """The wheel of this version.

    Args:
        file: where; None for the one that this package was installed from.

    Raises:
        UsageError: there is none, it is another file, or it cannot be read.
    """
    step = "`make package` builds it in a clone, as dist/" + WHEEL
    file = file or installed_wheel()
    if file is None:
        raise UsageError(
            "cannot find the wheel of mixpanel-access",
            why="this one was not installed from a wheel that is still there",
            next_step=f"Name it with --wheel: {step}.",
        )
    if file.name != WHEEL:
        raise UsageError(
            "cannot take the wheel", whom=str(file), why=f"the wheel of this version is {WHEEL}", next_step=step
        )
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError("cannot read the wheel", whom=str(file), why=reason(error), next_step=step) from None


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
