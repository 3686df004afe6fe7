"""What figures were measured on."""

from __future__ import annotations

import os
import platform
from compileall import compile_dir
from datetime import UTC, datetime
from typing import Any

from demo.sandbox import ROOT
from mixpanel_access import __version__


def measured_on(**versions: str) -> dict[str, Any]:
    """The day, the machine, and the versions of what was measured and of what ran it."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
        "versions": {"mixpanel-access": __version__, **versions, "python": platform.python_version()},
    }


def compile_package() -> None:
    """Have the package's bytecode ready, as pip does: otherwise each command may take a second to make it."""
    compile_dir(ROOT / "mixpanel_access", quiet=1)
