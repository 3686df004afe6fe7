"""Lives of two stacks on one organization: each day, every command says what the script of the life says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.sampling import MANY
from tests.lives.life import Life

pytestmark = pytest.mark.slow

UNSEEN = 10
"""The seed of a life that goes otherwise than its script: somebody was removed by hand and invited again by the other
stack. As long as no project lists anybody who is invited, `up --refresh` does not know whether a grant is gone.
"""
SEEDS = range(int(os.environ.get("SCRIPTED_LIVES", "20")))
DAYS = 60 if MANY else 10


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.xfail(strict=True)] * (seed == UNSEEN)) for seed in SEEDS]
)
def test_every_command_says_what_is_true(seed: int, tmp_path: Path) -> None:
    """After each event the organization is as the script says; each day, all commands agree with it and each other."""
    Life(seed, tmp_path).live(DAYS)
