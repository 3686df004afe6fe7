"""`Member` where Mixpanel shows an organization role that we do not know: it is kept, and access still ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mixpanel_access.model.access import Person
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.service_account import ServiceAccountProvider
from mixpanel_access.provider.team import TeamProvider
from tests.fakes import ORGANIZATION, FakeApi, provider_over

CY = "cy@example.com"
ID = f"{ORGANIZATION}:{CY}"


@dataclass
class Speaking(FakeApi):
    """An organization that shows roles in its own words."""

    shown: dict[str, str] = field(default_factory=dict)

    def list_users(self) -> list[Person]:
        return [replace(one, role=self.shown.get(one.role or "", one.role)) for one in super().list_users()]


def organization(**shown: str) -> Speaking:
    """One with two owners, in whose words a role is another."""
    api = Speaking(own_role="owner", shown=shown)
    for number in range(2):
        api.put(f"o{number}@example.com", "owner")
    return api


def inputs(role: str | None = "member", **changes: Any) -> dict[str, Any]:
    """What a program declares."""
    return {"email": CY, "removal": "when_unused", **({"role": role} if role else {}), **changes}


def made(api: FakeApi, said: list[str] | None = None) -> Any:
    """The provider in a new operation."""
    return provider_over(api, MemberProvider, said)


@pytest.mark.parametrize("accepted", [False, True], ids=["invited", "accepted"])
@pytest.mark.parametrize("role", ["member", "admin"])
def test_a_word_that_answers_our_own_write_is_no_failure_and_no_drift(role: str, accepted: bool) -> None:
    """The invitation is out: it is said that the role cannot be told, and the next runs change nothing."""
    api, said = organization(**{role: "standard"}), list[str]()
    outs = made(api, said).create(inputs(role)).outs
    assert (outs["role"], outs["organization_role"], api.writes) == (role, "standard", ["invite"])
    assert ["standard" in line and "does not know" in line for line in said] == [True]
    if accepted:
        api.people[CY] = replace(api.people[CY], invited=False, user_id=7)
    for _ in range(2):
        read = made(api).read(ID, outs)
        assert (read.inputs or inputs(role))["role"] == role
        assert made(api).diff(ID, read.outs, inputs(role)).changes is False
        assert made(api).check(inputs(role), inputs(role)).failures == []
        outs = made(api).update(ID, read.outs, inputs(role)).outs
    assert api.writes == ["invite"]


def test_an_unknown_word_that_was_not_there_before_is_drift() -> None:
    """Somebody has changed the role by hand; `member` takes it away, and nothing higher is given for it."""
    api = organization()
    outs = made(api).create(inputs()).outs
    api.people[CY] = replace(api.people[CY], role="superuser")
    read = made(api).read(ID, outs)
    assert (read.inputs["role"], made(api).diff(ID, read.outs, inputs()).changes) == ("superuser", True)
    assert made(api).check(read.inputs, inputs()).failures == []
    (failure,) = made(api).check(read.inputs, inputs("admin")).failures
    assert (failure.property, "'superuser'" in failure.reason) == ("role", True)
    assert made(api).update(ID, read.outs, inputs()).outs["role"] == "member"
    assert (api.people[CY].role, api.writes) == ("member", ["invite", "change_role"])


@pytest.mark.parametrize("role", ["member", "admin", "owner"])
def test_who_is_found_with_an_unknown_word_keeps_it(role: str) -> None:
    """It is never written over by adopting somebody, whatever is declared."""
    api, said = organization(), list[str]()
    api.put(CY, "superuser")
    assert made(api).check({}, inputs(role)).failures == []
    outs = made(api, said).create(inputs(role)).outs
    assert (outs["organization_role"], api.writes, api.people[CY].role) == ("superuser", [], "superuser")
    assert any("'superuser'" in line for line in said)
    read = made(api).read(ID, outs)
    assert made(api).diff(ID, read.outs, inputs(role)).changes is False


@pytest.mark.parametrize("role", ["member", "admin"])
def test_a_word_that_was_found_is_left_when_the_entry_ends(role: str) -> None:
    """The stack gave nothing, and takes nothing."""
    api = organization()
    api.put(CY, "superuser")
    outs = made(api).create(inputs(role)).outs
    made(api).delete(ID, outs)
    assert (api.people[CY].role, api.writes) == ("superuser", [])


DECLARED = {
    "less": ("admin", "member", True),
    "more": ("member", "admin", False),
    "nobody can tell": ("admin", "billing_admin", False),
}


@pytest.mark.parametrize(("before", "after", "passes"), DECLARED.values(), ids=DECLARED.keys())
def test_another_declaration_takes_an_unknown_word_away_and_gives_nothing_for_it(
    before: str, after: str, passes: bool
) -> None:
    """Only `member` is certain to be no more than it."""
    api = organization(**{before: "standard"})
    outs = made(api).create(inputs(before)).outs
    read = made(api).read(ID, outs)
    assert (made(api).check(inputs(before), inputs(after)).failures == []) is passes
    if passes:
        assert made(api).update(ID, read.outs, inputs(after)).outs["role"] == after
        assert api.people[CY].role == after


@pytest.mark.parametrize("role", ["member", "admin", None], ids=str)
@pytest.mark.parametrize("word", ["member", "admin"])
def test_an_end_does_not_wait_for_a_word(role: str | None, word: str) -> None:
    """Whoever the stack invited goes, whatever their role is called."""
    api = organization(**{word: "standard"})
    outs = made(api).create(inputs(role)).outs
    api.people[CY] = replace(api.people[CY], invited=False, user_id=7)
    made(api).delete(ID, outs)
    assert CY not in api.people


def test_a_role_that_ends_is_taken_back_whatever_it_is_called() -> None:
    """Somebody who was found stays, without what the stack gave them."""
    api = organization(admin="standard")
    api.put(CY, "member")
    outs = made(api).create(inputs("admin")).outs
    assert (outs["organization_role"], api.people[CY].role) == ("standard", "admin")
    made(api).delete(ID, outs)
    assert api.people[CY].role == "member"


def test_no_role_in_a_program_or_a_state_of_an_earlier_version_is_member() -> None:
    """An import may have kept Mixpanel's word."""
    api = organization()
    api.put(CY, "member")
    olds = {**inputs("no_role"), "organization_role": "no_role", "adopted": True, "status": "accepted"}
    checked = made(api).check(olds, inputs("No role"))
    assert (checked.failures, checked.inputs["role"]) == ([], "member")
    assert (made(api).update(ID, olds, inputs()).outs["role"], api.writes) == ("member", [])


LACKING = {
    "an invitation": (MemberProvider, inputs(), "add_user", "email"),
    "a higher role": (MemberProvider, inputs("admin", email="o9@example.com"), "edit_userroles", "role"),
    "a service account": (
        ServiceAccountProvider,
        {"username": "x", "role": "analyst"},
        "create_service_account",
        "username",
    ),
    "a team": (TeamProvider, {"name": "Data"}, "create_team", "name"),
}  # fmt: skip


@pytest.mark.parametrize("word", ["owner", "admin", "superuser"])
@pytest.mark.parametrize(("kind", "props", "permission", "field_"), LACKING.values(), ids=LACKING.keys())
def test_what_our_permissions_lack_is_refused_before_the_first_write(
    kind: Any, props: dict[str, Any], permission: str, field_: str, word: str
) -> None:
    """Whatever our role is called; with the permission it passes, and where none is listed, Mixpanel decides."""
    everything = {"add_user", "edit_userroles", "create_team", "create_service_account"}
    for own, failing in ((everything - {permission}, True), (everything, False)):
        api = organization()
        api.own_role, api.permissions_ = word, frozenset(own)
        api.put("o9@example.com", "member")
        failures = provider_over(api, kind).check({}, props).failures
        assert [(one.property, permission in one.reason) for one in failures] == ([(field_, True)] if failing else [])


@pytest.mark.parametrize("permissions", [set[str](), {"view_org_users"}, {"add_user"}], ids=str)
def test_taking_away_never_asks_for_a_permission(permissions: set[str]) -> None:
    """A list may lack a code of which we do not know."""
    api = organization()
    api.put(CY, "admin")
    api.permissions_ = frozenset(permissions)
    olds = {**inputs("admin"), "organization_role": "admin", "adopted": False, "status": "accepted"}
    assert made(api).check(olds, inputs()).failures == []
    made(api).update(ID, olds, inputs())
    made(api).delete(ID, {**olds, "role": "member"})
    assert api.writes == ["change_role", "remove"]
