"""The server of this package's resources for the engine, in place of the SDK's: see docs/design.md."""

from __future__ import annotations

from mixpanel_access.server.process import main

__all__ = ["main"]
