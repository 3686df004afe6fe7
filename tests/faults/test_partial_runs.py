"""Parts of a stack by the mini engine; tests/engine/test_targets.py shows the same on the real one."""

from __future__ import annotations

from datetime import date

import pytest

from mixpanel_access.model.brakes import Limits
from tests.faults.conftest import World
from tests.faults.mini_engine import MiniEngine
from tests.faults.rosters import Stack

CREW = [f"p{n}@agency.example.org" for n in range(6)]
TODAY = date(2026, 5, 4)


@pytest.mark.parametrize("go_on", [False, True], ids=["stopping", "--continue-on-error"])
def test_too_many_are_held_before_a_grant_goes(world: World, go_on: bool) -> None:
    """By a destroy of some and by an up without them, though a partial destroy has taken the brake along."""
    stack = Stack("production", MiniEngine(world.session, Limits()))
    stack.people = {email: {"projects": {"shop": "analyst"}} for email in CREW}
    assert stack.engine.up(stack.program(TODAY)), stack.engine.failures
    assert stack.engine.destroy(targets={("member", CREW[0])}), stack.engine.failures
    assert "brake" not in {kind for kind, _ in stack.engine.state}
    before = world.dump()["grants"]

    four = {("member", email) for email in CREW[1:5]}
    assert not stack.engine.destroy(targets=four, continue_on_error=go_on)
    assert any("would remove 4" in str(failure) for failure in stack.engine.failures)
    stack.people = {CREW[5]: stack.people[CREW[5]]}
    assert not stack.engine.up(stack.program(TODAY), continue_on_error=go_on)
    assert any("would remove 4" in str(failure) for failure in stack.engine.failures)
    assert world.dump()["grants"] == before
    assert set(CREW[1:]) <= world.members().keys()
