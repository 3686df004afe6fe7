"""Random lives of two stacks on one organization, of 25 steps each: no invariant of `books` is ever broken."""

from __future__ import annotations

import random
from typing import Final

import pytest

from tests.faults.conftest import World
from tests.faults.lives import steps_of, trouble_with
from tests.faults.sampling import MANY
from tests.tally import count

PARTS: Final = 6
"""Tests that share the lives, so that cores do."""
LIVES: Final = 500 if MANY else 4
"""Lives of each part: 3,000 or 24 in all."""


@pytest.mark.parametrize("part", range(PARTS))
def test_two_stacks_live_together(world: World, part: int) -> None:
    """Whatever happens to two stacks, people get and keep what is theirs, lose what is not, and hear of it once.

    The same lives at each change, so that a change is what breaks one; others each time that many are asked for.
    """
    first = random.SystemRandom().randrange(1_000_000_000) if MANY else part * LIVES
    print(f"the lives of the seeds {first} to {first + LIVES - 1}")  # noqa: T201  # shown where it fails
    for seed in range(first, first + LIVES):
        trouble = trouble_with(world, steps_of(seed))
        assert trouble is None, f"{trouble}\nLive it again: python -m tests.faults.lives {seed}"
        count("lives together")
