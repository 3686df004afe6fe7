"""A normal organization of 40 people passes the configurations that ship, but for what is truly wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import declaration
from mixpanel_access.operations.policy_check import Violation, read_policy_config, violations
from mixpanel_access.rules.catalogue import EXCEPTABLE
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.rule import Level

TODAY: Final = date(2026, 5, 4)
FOLDER: Final = Path(__file__).parent / "an_organization"
CONFIGS: Final = Path(__file__).parents[2] / "policies" / "config"
COMPANY: Final = frozenset({"example.com", "example.net"})
APPROVERS: Final = frozenset(f"{name}@example.com" for name in ("ana", "omar", "ivy", "mara", "pavel"))
TRUE: Final[Mapping[str, frozenset[tuple[str, str]]]] = {
    "production": frozenset(
        {
            ("no-shared-mailbox", "data@agency.example.org"),
            ("no-consumer-mail", "kai.berg@gmail.com"),
            ("service-account-expires", ""),
        }
    ),
    "staging": frozenset({("no-shared-mailbox", "data@agency.example.org")}),
}
"""What is truly wrong, by stack: the rule and whom it concerns."""


def found(stack: str, approvers: frozenset[str] = APPROVERS, **changes: object) -> Iterator[Violation]:
    """What the rules find in a stack, with the configuration of its name."""
    roster = read_roster(FOLDER / f"{stack}.yaml").model_copy(update=changes)
    around = Context(TODAY, stack, COMPANY, rules=EXCEPTABLE, approvers=approvers)
    return violations(declaration(roster, TODAY), around, read_policy_config(CONFIGS / f"{stack}.json"))


def test_it_has_forty_people() -> None:
    """In both rosters together."""
    people = {same_key(one.email) for stack in TRUE for one in read_roster(FOLDER / f"{stack}.yaml").people}
    assert len(people) == 40


@pytest.mark.parametrize("approvers", [APPROVERS, frozenset()], ids=["approvers", "any approver"])
@pytest.mark.parametrize("authoritative", [False, True], ids=["grants", "whole projects"])
@pytest.mark.parametrize("stack", TRUE)
def test_only_what_is_truly_wrong_stops_it(stack: str, authoritative: bool, approvers: frozenset[str]) -> None:
    """One mandatory finding each, three at the most, whatever resources the grants are, and whoever may approve."""
    mandatory = [one for one in found(stack, approvers, authoritative=authoritative) if one.level is Level.MANDATORY]
    assert Counter((one.rule.id, one.email) for one in mandatory) == Counter(TRUE[stack]), [
        f"{one.rule.id}: {one.text}" for one in mandatory
    ]
    assert len(mandatory) <= 3


@pytest.mark.parametrize("stack", TRUE)
def test_a_review_that_is_due_is_one_line_a_person(stack: str) -> None:
    """However many grants and places they have."""
    due = [one for one in found(stack) if one.rule.id == "review-due"]
    assert [one.email for one in due].count("arjun@example.com") == 1
    assert max(Counter(one.email for one in due).values()) == 1
