"""A local Mixpanel: its own reading of the contract, with nothing of our client in it.

What it decides where the contract is silent stands in README.md beside this file.
"""

from __future__ import annotations

from typing import Any

__all__ = ["EmulatorServer", "run"]


def __getattr__(name: str) -> Any:
    """Import the server when it is asked for: a command line that only shows its help needs none of it."""
    if name in __all__:
        from mixpanel_access.emulator import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
