"""What one up was allowed to remove is not a permission for a later destroy, on the mini engine."""

from __future__ import annotations

from datetime import date

import pytest

from mixpanel_access.model.brakes import Brake, Limits
from tests.faults.conftest import World
from tests.faults.mini_engine import MiniEngine
from tests.faults.rosters import Stack

TODAY = date(2026, 5, 4)
RAISED = {
    "released": Limits(released=frozenset({Brake.REMOVAL_SHARE})),
    "percent": Limits(removal_percent=100),
    "minimum": Limits(removal_minimum=20),
}


@pytest.mark.parametrize("raised", RAISED.values(), ids=RAISED.keys())
def test_a_limit_raised_for_one_up_holds_the_next_destroy(world: World, raised: Limits) -> None:
    """The engine remembers the configuration of the last up, and a destroy without a program runs with it."""
    stack = Stack("production", MiniEngine(world.session, Limits()))
    stack.people = {f"p{n}@agency.example.org": {"projects": {"shop": "consumer"}} for n in range(8)}
    assert stack.engine.up(stack.program(TODAY)), stack.engine.failures
    kept = dict(list(stack.people.items())[:4])
    stack.people = kept
    assert not stack.engine.up(stack.program(TODAY))
    stack.engine.limits = raised
    assert stack.engine.up(stack.program(TODAY)), stack.engine.failures
    assert kept.keys() == {email for email in world.members() if email.startswith("p")}

    stack.engine.limits = Limits()
    assert not stack.engine.destroy()
    assert "one operation may remove 3 of the 9 people" in str(stack.engine.failures[0])
    assert kept.keys() == {email for email in world.members() if email.startswith("p")}
