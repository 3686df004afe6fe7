"""Who leaves under another address, and whom a brake holds: told by the command, before the engine runs."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from mixpanel_access.cli import offboard as cli
from mixpanel_access.model import resources as kinds
from mixpanel_access.model.access import Person
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.rights import Identity
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations import offboarding
from mixpanel_access.operations import project as opening
from mixpanel_access.operations.offboarding import person_in_stacks, read_stacks
from mixpanel_access.operations.revoking import run as revoking
from mixpanel_access.operations.revoking.run import take_out
from mixpanel_access.operations.state import State, changed_addresses, state_of
from tests.fakes import PRODUCTION, FakeApi, make_directory, make_session
from tests.operations.test_removals import declared, rows, text_of

if TYPE_CHECKING:
    from mixpanel_access.operations.project import PulumiProject

OLD, NEW, OTHER = "bo@example.com", "bo.new@example.com", "cy@example.com"
SHOP: dict[str, Any] = {"projects": {"shop": {"id": PRODUCTION, "environment": "production"}}, "teams": {}}
KNOWN = {"user_id": 77, "origin": "found", "adopted": True}


@dataclass
class Organization(FakeApi):
    """An organization that tells as whom we are there."""

    own: str = "bot"

    def read(self) -> Identity:
        return replace(super().read(), email=self.own)


@dataclass
class Stack:
    """A project with one stack: its roster, its state, and no engine."""

    folder: Path
    resources: list[dict[str, Any]]
    settings_: Settings

    @property
    def stacks(self) -> list[str]:
        return ["production"]

    def settings(self, _: str) -> Settings:
        return self.settings_

    def roster(self, _: str) -> Path:
        return self.folder / "production.yaml"

    def export(self, _: str) -> dict[str, Any]:
        return {"deployment": {"resources": self.resources}}

    def state(self, stack: str, organization: int) -> State:
        return state_of(self.export(stack), organization)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the stack, with somebody in the state by one address and in the roster by another."""

    def make(api: FakeApi, in_state: str, in_roster: str | None, **entry: Any) -> PulumiProject:
        here = {"projects": {"shop": "analyst"}, **entry}
        people = [{"email": email, **here} for email in (in_roster,) if email]
        (tmp_path / "production.yaml").write_text(text_of([*people, {"email": OTHER}], **SHOP))
        before = rows(declared([{"email": in_state, **here}, {"email": OTHER}], **SHOP))
        urn = before[0].parent
        resources: list[dict[str, Any]] = [{"urn": urn, "type": kinds.COMPONENT_TYPE}]
        for row in before:
            known = KNOWN if (row.type, row.name) == (kinds.MEMBER_TYPE, in_state) else {}
            outputs = {**row.outputs, **known}
            place = {"urn": row.urn, "type": row.type, "id": row.id, "parent": row.parent}
            resources.append({**place, "inputs": dict(row.inputs), "outputs": outputs})
        session, _ = make_session(api)
        for module in (offboarding, revoking):
            monkeypatch.setattr(module, "connected", lambda *_: nullcontext(make_directory(api)))
        return cast("PulumiProject", Stack(tmp_path, resources, session.settings))

    return make


def organization(address: str, role: str = "member", owner: str | None = "ana@example.com") -> Organization:
    """Bo by one address, and an owner."""
    api = Organization(own_role="owner")
    api.people[address] = Person(address, role, invited=False, user_id=77)
    api.put(OTHER)
    if owner:
        api.put(owner, "owner")
    api.give(PRODUCTION, address, "analyst")
    return api


@pytest.mark.parametrize("asked", [OLD, NEW])
@pytest.mark.parametrize("in_roster", [OLD, NEW, None])
def test_a_person_is_found_by_the_address_from_before_and_after_a_change(
    asked: str, in_roster: str | None, stack: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever address is said, and whichever the roster has: the entry goes, and what the state has is taken."""
    project = stack(organization(NEW), OLD, in_roster)
    (holding,) = person_in_stacks(read_stacks(project), asked)
    assert (holding.member, holding.grants, holding.keys) == (True, {PRODUCTION: "analyst"}, [OLD])
    assert holding.after is not None
    assert [one["email"] for one in json.loads(holding.after)["people"]] == [OTHER]
    monkeypatch.setattr(opening, "open_project", lambda *_: project)
    assert cli.offboard(asked) == 1
    said = capsys.readouterr().out
    assert f"{asked} is in the organization: analyst in project {PRODUCTION}" in said
    assert ("in its state, as bo@example.com: the member" in said) == (asked == NEW)


def test_whoever_has_the_old_address_now_is_somebody_else(stack: Any) -> None:
    """An address that was given away: the id says whose the entries are; by the address alone nobody can."""
    api = organization(NEW)
    api.people[OLD] = Person(OLD, "member", invited=False, user_id=78)
    seen = read_stacks(stack(api, OLD, OLD))
    assert [holding.keys for holding in person_in_stacks(seen, NEW)] == [[OLD]]
    with pytest.raises(UsageError, match=f"somebody who is now {NEW}, and somebody else has it.* give {NEW}"):
        person_in_stacks(seen, OLD)


CHANGED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "by the id": ({"user_id": 77}, {OLD: NEW}),
    "by what a refresh has found": ({"current_email": "Bo.New@example.com"}, {OLD: NEW}),
    "another id": ({"user_id": 78}, {}),
    "no id": ({}, {}),
    "an id that is a secret": ({"user_id": "[secret]"}, {}),
    "somebody who has left": ({"user_id": 79, "current_email": "gone@example.com"}, {}),
}


@pytest.mark.parametrize(("member", "expected"), CHANGED.values(), ids=CHANGED.keys())
def test_an_address_has_changed_if_mixpanel_says_so(member: dict[str, Any], expected: dict[str, str]) -> None:
    """A state's id of somebody who has another address, or nobody."""
    assert changed_addresses({OLD: member}, organization(NEW).people) == expected


@pytest.mark.parametrize("now", [OLD, NEW], ids=["the address of the state", "a new address"])
@pytest.mark.parametrize("brake", ["lastOwner", "ownIdentity"])
def test_a_brake_holds_a_leaver_who_was_found_before_the_engine_runs(brake: str, now: str, stack: Any) -> None:
    """Somebody who leaves goes though they were found there, so the command itself asks the brakes, and says why."""
    last = brake == "lastOwner"
    api = organization(now, "owner" if last else "member", owner=None if last else "ana@example.com")
    if not last:
        api.own = now
    project = stack(api, OLD, None, **({"organizationRole": "owner"} if last else {}))
    held = take_out(project, "production", OLD, print).held
    assert {one.taking.type for one in held} == {kinds.MEMBER_TYPE, kinds.GRANT_TYPE}
    assert all(one.reason.endswith(f"[{brake}]") for one in held)
    assert api.writes == []
