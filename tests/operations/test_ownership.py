"""Settling whose people are of whom a state of version 0.1.0 does not say it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mixpanel_access.files.roster import source_of
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.reading import parse
from mixpanel_access.operations.ownership import StackOwnership, plan_ownership, read_ownership, write_ownership
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.state import State
from tests.operations.held import held_member, state_of_resources

ROSTER = """\
environment: production
projects: {shop: {id: 1, environment: production}}
engagements: {a: {ends: 2026-01-31}, b: {starts: 2026-02-01}}
people:
  - email: Bo@Example.com # the owner
    projects: {shop: analyst}
  - {email: cy@agency.example.org, engagement: a, projects: {shop: consumer}}
  - email: cy@agency.example.org
    engagement: b
    projects: {shop: consumer}
  - {email: di@agency.example.org, projects: {shop: consumer}}
  - {email: new@agency.example.org, projects: {shop: consumer}}
"""
UNDETERMINED = ("bo@example.com", "cy@agency.example.org", "di@agency.example.org", "program@agency.example.org")


def seen(folder: Path, stack: str = "production", text: str | None = ROSTER) -> StackOwnership:
    """A stack whose roster has four of five people."""
    file = folder / f"{stack}.yaml"
    if text is not None:
        file.write_text(text)
    listed = {person.key for person in parse(text, source_of(file)).people} if text else set()
    return StackOwnership(stack, file, text, dict(zip(UNDETERMINED, UNDETERMINED, strict=True)), frozenset(listed))


def said(text: str, folder: Path) -> dict[str, list[str | None]]:
    """What a roster says of whose people are."""
    found: dict[str, list[str | None]] = {}
    for person in parse(text, source_of(folder / "production.yaml")).people:
        found.setdefault(person.key, []).append(person.ownership)
    return found


CASES: dict[str, tuple[list[str], list[str], dict[str, list[str | None]]]] = {
    "one": (["BO@example.com"], [], {"bo@example.com": ["ours"]}),
    "all entries of a person": ([], ["cy@agency.example.org"], {"cy@agency.example.org": ["found", "found"]}),
    "a pattern is for those who are undetermined": (
        ["*@agency.example.org"], ["bo@example.com"],
        {"bo@example.com": ["found"], "cy@agency.example.org": ["ours", "ours"], "di@agency.example.org": ["ours"]},
    ),
    "an address is for anybody": ([], ["new@agency.example.org"], {"new@agency.example.org": ["found"]}),
}  # fmt: skip


@pytest.mark.parametrize(("ours", "found", "want"), CASES.values(), ids=CASES.keys())
def test_it_stands_in_every_entry_of_a_person_and_nothing_else_changes(
    tmp_path: Path, ours: list[str], found: list[str], want: dict[str, list[str | None]]
) -> None:
    """Comments, order and quotes stay; a second time, nothing is left to write."""
    (change,) = plan_ownership([seen(tmp_path)], ours, found)
    after = said(change.after, tmp_path)
    assert {key: words for key, words in after.items() if any(words)} == want
    lines = change.after.splitlines()
    assert "  - email: Bo@Example.com # the owner" in lines
    write_ownership([change])
    assert (tmp_path / "production.yaml").read_text() == change.after
    assert plan_ownership([seen(tmp_path, text=change.after)], ours, found) == []


def test_every_stack_whose_roster_has_somebody_is_written(tmp_path: Path) -> None:
    """One that has no roster, or not the person, is left alone."""
    other = ROSTER.replace("di@agency", "eve@agency")
    stacks = [seen(tmp_path), seen(tmp_path, "staging", other), seen(tmp_path, "program", None)]
    assert [one.stack for one in plan_ownership(stacks, ["bo@example.com"], [])] == ["production", "staging"]
    assert [one.stack for one in plan_ownership(stacks, ["di@agency.example.org"], [])] == ["production"]


@pytest.mark.parametrize(
    ("ours", "found", "words"),
    [
        (["bob@example.com"], [], "no roster of these stacks has bob@example.com"),
        (["program@agency.example.org"], [], "In a program of your own"),
        (["*@nowhere.example"], [], r"no roster of these stacks has \*@nowhere\.example"),
        (["new@*"], [], r"new@\* stands only for .*, and the origin of new@agency\.example\.org is known"),
        (["*@agency.example.org"], ["cy@agency.example.org"], "--ours and --found both name them"),
    ],
)
def test_what_cannot_be_settled_is_refused_and_nothing_is_written(
    tmp_path: Path, ours: list[str], found: list[str], words: str
) -> None:
    """An address that nobody has, and a person who is both."""
    with pytest.raises(UsageError, match=words):
        plan_ownership([seen(tmp_path)], ours, found)
    assert (tmp_path / "production.yaml").read_text() == ROSTER


class States:
    """A project of one stack, whose state has three people of version 0.1.0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def settings(self, stack: str) -> Any:  # there is one
        return SimpleNamespace(organization_id=7)

    def roster(self, stack: str) -> Path:
        return self.folder / f"{stack}.yaml"

    def state(self, stack: str, organization: int) -> State:  # there is one
        removals = {"bo@example.com": "when_unused", "cy@example.com": "always", "di@example.com": "never"}
        members = {
            key: held_member(key, None, outputs={"adopted": True, "removal": how}) for key, how in removals.items()
        }
        return state_of_resources(
            {**members, "ed@example.com": held_member("ed@example.com", None, outputs={"adopted": True})}, {}
        )


def test_only_those_are_listed_for_whom_it_matters(tmp_path: Path) -> None:
    """Who always leaves, or never, does so whether they were found or not."""
    (one,) = read_ownership(cast("PulumiProject", States(tmp_path)), ["production"])
    assert sorted(one.undetermined) == ["bo@example.com", "ed@example.com"]
