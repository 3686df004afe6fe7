"""Fixtures of the engine's set-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from .engine_fakes import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A place to look for an engine in."""
    return World(tmp_path / "a world")
