"""A local Mixpanel, written from docs/contract.md and without our client.

README.md in this folder says what it does where the contract leaves something open.
"""

from __future__ import annotations

from typing import Any

__all__ = ["EmulatorOptions", "EmulatorServer", "run"]


def __getattr__(name: str) -> Any:
    """Import the server only when it is used: a command line that shows its help does not need it."""
    if name in __all__:
        from mixpanel_access.emulator import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
