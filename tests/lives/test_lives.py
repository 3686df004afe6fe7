"""Lives of two stacks on one organization: each day, every command says what the script of the life says.

What a life tells nothing of is a call that fails: that is for the lives of `tests/faults`, which have no commands.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.sampling import MANY
from tests.lives.life import Life

pytestmark = pytest.mark.slow

SEEDS = range(int(os.environ.get("SCRIPTED_LIVES", "20")))
DAYS = 60
BUSY = None if MANY else 6


@pytest.mark.parametrize("seed", SEEDS)
def test_every_command_says_what_is_true(seed: int, tmp_path: Path) -> None:
    """After each event the organization is as the script says; each day, all commands agree with it and each other."""
    Life(seed, tmp_path).live(DAYS, BUSY)
