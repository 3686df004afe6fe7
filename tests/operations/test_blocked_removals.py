"""What must wait of what has ended, for a brake or a protected resource; and what must not wait for it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from mixpanel_access.model import resources as kinds
from mixpanel_access.operations.revoking.blocked import RemovalDecision, decide_removals
from mixpanel_access.operations.revoking.removals import RosterToday, removals
from mixpanel_access.operations.revoking.rows import StateRow, singles
from mixpanel_access.provider.states import ExportedResource
from tests.fake_states import FakeStates
from tests.fakes import PRODUCTION, FakeApi, make_session
from tests.grouped import FORMS, Form
from tests.operations.test_removals import DAY, NEXT, declared, rows

PROJECTS = {"projects": {"shop": {"id": PRODUCTION, "environment": "production"}}, "teams": {}}
WHOLE = {"projects": {"shop": {**PROJECTS["projects"]["shop"], "authoritative": True}}, "teams": {}}


def crew(number: int, name: str, **more: Any) -> list[dict[str, Any]]:
    """So many people with one grant."""
    return [{"email": f"{name}{n}@example.com", "projects": {"shop": "analyst"}, **more} for n in range(number)]


def organization(people: list[dict[str, Any]], **settings: Any) -> FakeApi:
    """An owner, and these people with what they have."""
    api = FakeApi(own_role="owner", **settings)
    api.put("ana@example.com", "owner")
    for person in people:
        api.put(person["email"], person.get("organizationRole", "member"))
        for role in person.get("projects", {}).values():
            api.give(PRODUCTION, person["email"], role)
    return api


def decided(
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    api: FakeApi,
    state: list[StateRow] | None = None,
    more: dict[str, Any] = PROJECTS,
    form: Form = list,
) -> RemovalDecision:
    """What goes and what is held, the day after the state was written."""
    found = form(rows(declared(before, DAY, **more))) if state is None else state
    given = RosterToday(declared(after, NEXT, **more), NEXT)
    return decide_removals(removals(found, given), found, make_session(api)[0], "production")


def who(found: Any) -> set[str]:
    """The first letters of the addresses."""
    return {one.email[:1] for one in found}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("more", [PROJECTS, WHOLE], ids=["single grants", "an authoritative project"])
def test_what_another_stack_gives_too_is_not_said_to_be_taken(more: dict[str, Any], form: Form) -> None:
    """The project has moved to staging's roster, whose run came first; six are no mass removal then."""
    before = crew(6, "moved")
    found, session = form(rows(declared(before, DAY, **more))), make_session(organization(before))[0]
    states = session.states = FakeStates(
        production=[], staging=[row.outputs for row in singles(found) if row.type == kinds.MEMBER_TYPE]
    )
    states.others_of = {
        "staging": [
            ExportedResource(row.type, row.urn, row.id, row.outputs)
            for row in found
            if row.type not in (kinds.MEMBER_TYPE, kinds.MEMBERS_TYPE)
        ]
    }
    states.rosters = {"staging": frozenset(person["email"] for person in before)}
    states.given = {"staging": declared(before, NEXT, **more)}
    decision = decide_removals(
        removals(found, RosterToday(declared([], NEXT, **more), NEXT)), found, session, "production"
    )
    assert decision.held == []
    grants = [one for one in decision.goes if one.type == kinds.GRANT_TYPE]
    assert {one.stays for one in grants} == {"stays, as the stack staging gives it too"}
    assert {one.stays for one in decision.goes if one.type == kinds.MEMBER_TYPE} == {"stays as a plain member"}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("more", [PROJECTS, WHOLE], ids=["single grants", "an authoritative project"])
def test_a_mass_edit_is_held_and_planned_endings_go(more: dict[str, Any], form: Form) -> None:
    """Twelve whose end has passed go; of six who are deleted by an edit nobody does, and each has the reason."""
    before = [*crew(12, "planned", ends="2026-06-30"), *crew(6, "edited")]
    decision = decided(before, before[:12], organization(before), more=more, form=form)
    assert who(decision.goes) == {"p"}
    assert len({one.email for one in decision.goes}) == 12
    assert {one.taking.email for one in decision.held} == {person["email"] for person in before[12:]}
    assert all("[removalShare]" in one.reason or "[grantShare]" in one.reason for one in decision.held)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_small_edit_goes_beside_planned_endings(form: Form) -> None:
    """Three may go by an edit, however many go as planned."""
    before = [*crew(12, "planned", ends="2026-06-30"), *crew(3, "edited")]
    decision = decided(before, before[:12], organization(before), form=form)
    assert (who(decision.goes), decision.held) == ({"p", "e"}, [])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("ends", ["2026-06-30", None])
def test_the_last_owner_stays_and_the_other_goes(ends: str | None, form: Form) -> None:
    """Two owners end at once: one of them is held, and nobody else."""
    owners = [
        {"email": f"o{n}@example.com", "organizationRole": "owner", **({"ends": ends} if ends else {})}
        for n in range(2)
    ]
    before = [*owners, *crew(2, "planned", ends="2026-06-30")]
    api = organization(before)
    api.people.pop("ana@example.com")
    decision = decided(before, [], api, form=form)
    (held,) = {one.taking.email for one in decision.held}
    assert held in {"o0@example.com", "o1@example.com"}
    assert all("[lastOwner]" in one.reason for one in decision.held)
    assert len({one.email for one in decision.goes}) == 3


@pytest.mark.parametrize(("stays", "held"), [("admin", 0), ("member", 1), ("superuser", 1)])
def test_an_ended_admin_goes_where_nobody_is_called_owner(stays: str, held: int) -> None:
    """But for the last one, who may be an owner; the reason says how to release that."""
    before = [{"email": f"x{n}@example.com", "organizationRole": "admin", "ends": "2026-06-30"} for n in range(2)]
    api = organization(before)
    api.own_role = "admin"
    api.people.pop("ana@example.com")
    api.put("kim@example.com", stays)
    decision = decided(before, [], api)
    assert (len({one.taking.email for one in decision.held}), len({one.email for one in decision.goes})) == (
        held,
        2 - held,
    )
    assert all("set releaseBrakes: lastOwner [lastOwner]" in one.reason for one in decision.held)


def test_a_protected_neighbour_stops_nobody() -> None:
    """Its own resource stays, and what that depends on; the grant of a protected member goes."""
    before = crew(3, "planned", ends="2026-06-30")
    state = rows(declared(before, DAY, **PROJECTS))
    state = [
        replace(row, protected=True)
        if (row.type, row.name) == (kinds.MEMBER_TYPE, "planned0@example.com")
        or (row.type == kinds.GRANT_TYPE and "planned1" in row.name)
        else row
        for row in state
    ]
    decision = decided(before, [], organization(before), state)
    held = {(one.taking.type, one.taking.email) for one in decision.held}
    assert held == {
        (kinds.MEMBER_TYPE, "planned0@example.com"),
        (kinds.GRANT_TYPE, "planned1@example.com"),
        (kinds.MEMBER_TYPE, "planned1@example.com"),
    }
    for one in decision.held:
        if one.reason.startswith("it is protected"):
            command = one.reason.partition("run: ")[2]
            assert shlex.split(command) == ["pulumi", "state", "unprotect", one.taking.urn, "--stack", "production"]
        else:
            assert one.reason == "what stays depends on it: analyst in shop of planned1@example.com"
    assert {(one.type, one.email) for one in decision.goes} == {
        (kinds.GRANT_TYPE, "planned0@example.com"),
        (kinds.GRANT_TYPE, "planned2@example.com"),
        (kinds.MEMBER_TYPE, "planned2@example.com"),
    }


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_nobody_is_lowered_into_what_they_have_lost(form: Form) -> None:
    """Somebody who was removed by hand is not invited for a lower role, and a lost grant is not given again."""
    before: list[dict[str, Any]] = [
        {"email": "gone@example.com", "organizationRole": "admin"},
        {"email": "lost@example.com", "projects": {"shop": "admin"}},
        {"email": "stays@example.com", "projects": {"shop": "admin"}},
    ]
    after: list[dict[str, Any]] = [
        {"email": "gone@example.com", "organizationRole": "member"},
        {"email": "lost@example.com", "projects": {"shop": "analyst"}},
        {"email": "stays@example.com", "projects": {"shop": "analyst"}},
    ]
    api = organization(before)
    api.people.pop("gone@example.com")
    api.rows = [grant for grant in api.rows if not grant.email.startswith("lost")]
    decision = decided(before, after, api, form=form)
    assert [one.email for one in decision.goes] == ["stays@example.com"]
    assert api.writes == []


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_somebody_who_stays_by_another_stack_is_no_removal(form: Form) -> None:
    """Six people whose entries are deleted, and who hold something that is not this stack's: all of it goes."""
    before = crew(6, "edited")
    api = organization(before)
    for person in before:
        api.give(next(one for one in api.projects_ if one != PRODUCTION), person["email"], "consumer")
    assert decided(before, [], api, form=form).held == []


STAYS: dict[str, tuple[dict[str, Any], str, str]] = {
    "somebody found": ({"ownership": "found"}, "member", "stays as a plain member"),
    "an admin who was found": ({"ownership": "found"}, "admin", "stays as organization admin"),
    "somebody who never leaves": ({"removal": "never"}, "member", "stays as a plain member"),
    "somebody whom the stack invited": ({"ownership": "ours"}, "member", ""),
    "somebody who always leaves": ({"ownership": "found", "removal": "always"}, "member", ""),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("entry", "role", "stays"), STAYS.values(), ids=STAYS.keys())
def test_somebody_who_stays_in_the_organization_is_said_to_stay(
    entry: dict[str, Any], role: str, stays: str, form: Form
) -> None:
    """Only the place in the organization is meant: their grant is taken away in any case."""
    before: list[dict[str, Any]] = [{"email": "lee@example.com", "projects": {"shop": "analyst"}, **entry}]
    api = organization(before)
    api.put("lee@example.com", role)
    decision = decided(before, [], api, form=form)
    assert {one.type: one.stays for one in decision.goes} == {kinds.MEMBER_TYPE: stays, kinds.GRANT_TYPE: ""}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("ends", ["2026-06-30", None], ids=["ended", "by an edit"])
def test_a_project_that_cannot_be_read_holds_a_place_and_no_grant(ends: str | None, form: Form) -> None:
    """Whether somebody leaves may depend on another stack's project: the place waits for it, and what is ours goes."""
    entry = {"ends": ends} if ends else {}
    always = {"email": "always@example.com", "removal": "always", "projects": {"shop": "analyst"}, **entry}
    before = [*crew(2, "planned", **entry), always]
    api = organization(before)
    other = next(one for one in api.projects_ if one != PRODUCTION)
    api.unreadable = {other}
    decision = decided(before, [], api, form=form)
    assert {(one.type, one.email) for one in decision.goes} == {
        *((kinds.GRANT_TYPE, person["email"]) for person in before),
        (kinds.MEMBER_TYPE, "always@example.com"),
    }
    assert {(one.taking.type, one.taking.email[:1]) for one in decision.held} == {(kinds.MEMBER_TYPE, "p")}
    assert all(f"project {other}" in one.reason for one in decision.held)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_project_of_our_own_that_cannot_be_read_holds_its_grants_alone(form: Form) -> None:
    """Lowered roles and the grants of an authoritative project wait for it; who goes elsewhere does not."""
    before: list[dict[str, Any]] = [
        {"email": "lower@example.com", "projects": {"shop": "admin"}},
        {"email": "gone@example.com", "removal": "always"},
    ]
    after: list[dict[str, Any]] = [{"email": "lower@example.com", "projects": {"shop": "analyst"}}]
    for more in (PROJECTS, WHOLE):
        api = organization(before)
        api.unreadable = {PRODUCTION}
        decision = decided(before, after, api, more=more, form=form)
        assert [one.email for one in decision.goes] == ["gone@example.com"]
        assert [one.taking.email for one in decision.held] == ["lower@example.com"]
        assert f"project {PRODUCTION}" in decision.held[0].reason
