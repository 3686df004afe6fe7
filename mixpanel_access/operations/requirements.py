"""What the package requires, with hashes: for a virtualenv that installs nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from mixpanel_access import __version__
from mixpanel_access.files.whole import reason
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.scaffolding import own_file

LOCK: Final = "policies/requirements.txt"
"""The packages that this one requires, in one version each, with hashes; this one is not in it."""
WHEEL: Final = f"mixpanel_access-{__version__}-py3-none-any.whl"
"""The name of the wheel of this version."""


def with_wheel(wheel: bytes) -> str:
    """The requirements of a folder that has the wheel in it, all with their hashes: the wheel's too."""
    return f"./{WHEEL} --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n{own_file(LOCK)}"


def read_wheel(file: Path) -> bytes:
    """The wheel of this version.

    Raises:
        UsageError: it is another file, or cannot be read.
    """
    step = "`make package` builds it in a clone, as dist/" + WHEEL
    if file.name != WHEEL:
        raise UsageError(
            "cannot take the wheel", whom=str(file), why=f"the wheel of this version is {WHEEL}", next_step=step
        )
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError("cannot read the wheel", whom=str(file), why=reason(error), next_step=step) from None
