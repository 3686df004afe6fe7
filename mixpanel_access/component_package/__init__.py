"""The package `mixpanel-access`: our components for programs in other languages than Python; see docs/design.md."""

from __future__ import annotations

from mixpanel_access.component_package.process import main

__all__ = ["main"]
