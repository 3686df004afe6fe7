"""What figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

from mixpanel_access import __version__


def measured_on(**versions: str) -> dict[str, Any]:
    """The day, the machine, and the versions of what was measured and of what ran it."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
        "versions": {"mixpanel-access": __version__, **versions, "python": platform.python_version()},
    }
