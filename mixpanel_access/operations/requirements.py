"""What the package requires, with hashes: for a virtualenv that installs nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from mixpanel_access.files.whole import reason
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.packaged import WHEEL, installed_wheel, own_file

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
