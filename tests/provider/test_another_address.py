"""Somebody's address changes in the product: the person is still the same, by Mixpanel's id of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.leaving import removal_plan
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.team_member import TeamMemberProvider
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_session

OLD, NEW, USER, TEAM = "cy@example.com", "cy.new@example.com", 502, 77
MEMBER = {"email": OLD, "role": "member", "removal": "when_unused"}
GRANT = {"project_id": PRODUCTION, "email": OLD, "role": "analyst"}
WHOLE = {"project_id": PRODUCTION, "grants": {OLD: "analyst", "bo@example.com": "analyst"}}
PLACE = {"team_id": TEAM, "email": OLD}
HELD = {**MEMBER, "organization_role": "member", "status": "accepted", "user_id": USER, "adopted": False,
        "origin": "invited", "previous_role": "member"}  # fmt: skip
RENAMED = f"{OLD}: the person is now {NEW}: change email: {OLD} in the roster"


@pytest.fixture
def api() -> FakeApi:
    """An organization in which one person has a new address, with what the old one had."""
    api = FakeApi()
    api.put("ana@example.com", "owner")
    api.put("bo@example.com")
    api.put(NEW)
    api.people[NEW] = replace(api.people[NEW], user_id=USER)
    for email in (NEW, "bo@example.com"):
        api.give(PRODUCTION, email, "analyst")
    api.teams.put("Data", NEW)
    return api


class Run:
    """One run of the engine over a stack that knows the old address.

    Args:
        api: the organization.
        stack: the stack that the engine says it works on; None in a plain destroy or refresh.
    """

    def __init__(self, api: FakeApi, stack: str | None = "production") -> None:
        self.session, self.said = make_session(api)
        self.session.states = self.states = FakeStates(own=stack, production=[HELD])

    def of(self, kind: type[AccessProvider]) -> AccessProvider:
        """A provider in the run."""
        return use(kind, self.session)


def use(kind: type[AccessProvider], session: Session) -> AccessProvider:
    """A provider in a session."""
    provider = kind()
    provider.use(session)
    return provider


def member_id(email: str) -> str:
    """The id of a `Member`."""
    return f"{ORGANIZATION}:{email}"


GRANT_ID = f"{ORGANIZATION}:{PRODUCTION}:{OLD}"
WHOLE_ID = f"{ORGANIZATION}:{PRODUCTION}"
PLACE_ID = f"{ORGANIZATION}:{TEAM}:{OLD}"


def test_a_refresh_shows_it_as_a_rename_with_the_line_to_change(api: FakeApi) -> None:
    """The declared address stays in the state, so that the next run neither replaces nor invites anybody."""
    run = Run(api)
    member = run.of(MemberProvider)
    seen = member.read(member_id(OLD), HELD).outs or {}
    assert (seen["email"], seen["current_email"], seen["status"], seen["user_id"]) == (OLD, NEW, "accepted", USER)
    assert [line for line in run.said if line.startswith(RENAMED)] == run.said
    later = Run(api)
    assert later.of(MemberProvider).check(seen, MEMBER).failures == []
    difference = later.of(MemberProvider).diff(member_id(OLD), seen, MEMBER)
    assert (difference.changes, difference.replaces) == (False, [])
    assert [line for line in later.said if line.startswith(RENAMED)] == later.said
    assert api.writes == []


@pytest.mark.parametrize("stack", ["production", None])
@pytest.mark.parametrize(
    ("kind", "id_", "held"),
    [
        (ProjectGrantProvider, GRANT_ID, GRANT),
        (ProjectAccessProvider, WHOLE_ID, {**WHOLE, "undeclared": [], "beside": {}}),
        (TeamMemberProvider, PLACE_ID, {**PLACE, "status": "member"}),
    ],
)
def test_what_they_hold_is_not_gone_at_a_refresh(
    api: FakeApi, stack: str | None, kind: type[AccessProvider], id_: str, held: dict[str, Any]
) -> None:
    """A grant or a place of which the state knows no id: the person's `Member` has it, whichever stack that is."""
    result = Run(api, stack).of(kind).read(id_, held)
    assert result.id == id_
    assert {key: (result.outs or {}).get(key) for key in held} == held


def end(run: Run, *resources: tuple[type[AccessProvider], str, dict[str, Any]]) -> None:
    """Delete resources, in the engine's order."""
    for kind, id_, held in resources:
        run.of(kind).delete(id_, held)


@pytest.mark.parametrize("stack", ["production", None])
@pytest.mark.parametrize("place", [True, False])
def test_an_end_reaches_the_person(api: FakeApi, stack: str | None, place: bool) -> None:
    """Grant, place and membership go from the new address when the old one's entry ends, at an up and a destroy."""
    if not place:
        api.teams.teams.clear()
    end(
        Run(api, stack),
        (ProjectGrantProvider, GRANT_ID, GRANT),
        (TeamMemberProvider, PLACE_ID, PLACE),
        (MemberProvider, member_id(OLD), HELD),
    )
    assert NEW not in api.people
    assert [grant.email for grant in api.rows] == ["bo@example.com"]
    assert not any(NEW in (team.members or ()) for team in api.teams.teams.values())
    assert ("remove_grants", (NEW, (PRODUCTION,))) in api.sent


@pytest.mark.parametrize("checked", [True, False])
def test_an_end_in_a_project_declared_as_a_whole_reaches_the_person(api: FakeApi, checked: bool) -> None:
    """The grant goes from the new address, and nobody else's changes."""
    run = Run(api)
    whole = run.of(ProjectAccessProvider)
    left = {**WHOLE, "grants": {"bo@example.com": "analyst"}}
    if checked:
        assert whole.check(WHOLE, left).failures == []
    outs = whole.update(WHOLE_ID, WHOLE, left).outs or {}
    assert outs["grants"] == left["grants"]
    assert api.sent == [("remove_grants", (NEW, (PRODUCTION,)))]


def test_a_project_declared_as_a_whole_is_destroyed_with_their_grant(api: FakeApi) -> None:
    """The state knows the old address."""
    end(Run(api, None), (ProjectAccessProvider, WHOLE_ID, {**WHOLE, "undeclared": [], "beside": {}}))
    assert api.rows == []


def test_more_access_reaches_the_person_and_nobody_is_invited(api: FakeApi) -> None:
    """The roster still has the old address, and gives more: another role, another project, a place."""
    run = Run(api)
    member = run.of(MemberProvider)
    assert member.check(HELD, {**MEMBER, "role": "admin"}).failures == []
    assert member.diff(member_id(OLD), HELD, {**MEMBER, "role": "admin"}).replaces == []
    member.update(member_id(OLD), HELD, {**MEMBER, "role": "admin"})
    run.of(ProjectGrantProvider).create({**GRANT, "role": "admin"})
    api.teams.put("Data")
    run.session.directory.teams.forget()
    run.of(TeamMemberProvider).create(PLACE)
    assert (api.people[NEW].role, OLD in api.people) == ("admin", False)
    assert [(grant.email, grant.role) for grant in api.rows if grant.role == "admin"] == [(NEW, "admin")]
    assert NEW in (api.teams.teams[TEAM].members or ())
    assert not {"invite", "resend"} & set(api.writes)


@pytest.mark.parametrize("refreshed", [True, False])
def test_the_new_address_is_declared_afterwards(api: FakeApi, refreshed: bool) -> None:
    """The same person is adopted: nothing is sent, and the state still says that this stack invited them."""
    run = Run(api)
    held = dict(HELD)
    if refreshed:
        held = run.of(MemberProvider).read(member_id(OLD), HELD).outs or {}
        run = Run(api)
        run.states.members["production"] = [held]
    known: dict[str, dict[str, Any]] = {"member": MEMBER, "grant": GRANT, "place": PLACE}
    new = {key: {**inputs, "email": NEW} for key, inputs in known.items()}
    assert run.of(MemberProvider).check({}, new["member"]).failures == []
    assert run.of(ProjectGrantProvider).check({}, new["grant"]).failures == []
    assert run.of(TeamMemberProvider).check({}, new["place"]).failures == []
    outs = run.of(MemberProvider).create(new["member"]).outs or {}
    run.of(ProjectGrantProvider).create(new["grant"])
    run.of(TeamMemberProvider).create(new["place"])
    assert (outs["email"], outs["origin"], outs["adopted"], outs.get("current_email")) == (NEW, "invited", False, None)
    end(run, (TeamMemberProvider, PLACE_ID, PLACE), (ProjectGrantProvider, GRANT_ID, GRANT),
        (MemberProvider, member_id(OLD), held))  # fmt: skip
    assert api.writes == []
    end(Run(api), (MemberProvider, member_id(NEW), outs))
    assert NEW in api.people  # the grant is still there, and somebody else's for all that this run knows
    after = Run(api)
    end(after, (ProjectGrantProvider, f"{ORGANIZATION}:{PRODUCTION}:{NEW}", new["grant"]),
        (TeamMemberProvider, f"{ORGANIZATION}:{TEAM}:{NEW}", new["place"]),
        (MemberProvider, member_id(NEW), outs))  # fmt: skip
    assert NEW not in api.people


def test_a_whole_projects_new_address_is_no_change(api: FakeApi) -> None:
    """The grant is neither given again nor taken away."""
    run = Run(api)
    whole = run.of(ProjectAccessProvider)
    news = {**WHOLE, "grants": {NEW: "analyst", "bo@example.com": "analyst"}}
    assert whole.check(WHOLE, news).failures == []
    assert (whole.update(WHOLE_ID, WHOLE, news).outs or {})["grants"] == news["grants"]
    assert api.writes == []


@pytest.mark.parametrize("invited", [True, False])
def test_somebody_else_may_get_the_old_address(api: FakeApi, invited: bool) -> None:
    """The id in the state decides: an end reaches the person, and the stranger loses nothing, invited or accepted."""
    api.put(OLD, invited=invited)
    api.give(PRODUCTION, OLD, "admin")
    api.teams.put("Data", NEW, OLD)
    seen = Run(api).of(MemberProvider).read(member_id(OLD), HELD).outs or {}
    assert (seen["user_id"], seen.get("current_email")) == (USER, NEW)
    end(
        Run(api),
        (ProjectGrantProvider, GRANT_ID, GRANT),
        (TeamMemberProvider, PLACE_ID, PLACE),
        (MemberProvider, member_id(OLD), seen),
    )
    assert (OLD in api.people, NEW in api.people) == (True, False)
    assert {grant.email: grant.role for grant in api.rows} == {"bo@example.com": "analyst", OLD: "admin"}
    assert api.teams.teams[TEAM].members == frozenset({OLD})


def test_after_the_person_is_removed_the_stranger_is_still_a_stranger(api: FakeApi) -> None:
    """What is deleted later in the same run finds nobody, and not whoever has the old address."""
    api.put(OLD)
    api.give(PRODUCTION, OLD, "admin")
    end(
        Run(api),
        (MemberProvider, member_id(OLD), {**HELD, "removal": "always"}),
        (ProjectGrantProvider, GRANT_ID, GRANT),
        (TeamMemberProvider, PLACE_ID, PLACE),
    )
    assert (OLD in api.people, NEW in api.people) == (True, False)
    assert [grant.email for grant in api.rows if grant.role == "admin"] == [OLD]


def test_who_has_left_is_gone(api: FakeApi) -> None:
    """No address has the id: the person is not in the organization, and nothing is sent."""
    api.people.pop(NEW)
    run = Run(api)
    assert run.of(MemberProvider).read(member_id(OLD), HELD).id == ""
    end(run, (ProjectGrantProvider, GRANT_ID, GRANT), (MemberProvider, member_id(OLD), HELD))
    assert api.writes == []


@pytest.mark.parametrize("theirs", [OLD, NEW])
@pytest.mark.parametrize("ours", [OLD, NEW])
def test_another_stack_may_have_the_other_address(api: FakeApi, ours: str, theirs: str) -> None:
    """One roster has followed the change, and the other has not: the person stays while either declares them."""
    api.rows.clear()
    api.teams.teams.clear()
    for declared in (True, False):
        run = Run(api)
        held = {**HELD, "email": ours}
        run.states.members = {"production": [held], "staging": [{**HELD, "email": theirs}]}
        run.states.rosters = {"staging": frozenset({theirs} if declared else ())}
        end(run, (MemberProvider, member_id(ours), held))
        assert (NEW in api.people) is declared


def test_another_stack_may_have_somebody_else_by_the_old_address(api: FakeApi) -> None:
    """Mixpanel's id decides, so the stranger keeps nobody in the organization."""
    api.put(OLD)
    api.rows.clear()
    api.teams.teams.clear()
    run = Run(api)
    run.states.members["staging"] = [{**HELD, "user_id": USER + 1}]
    run.states.rosters = {"staging": frozenset({OLD})}
    end(run, (MemberProvider, member_id(OLD), HELD))
    assert (OLD in api.people, NEW in api.people) == (True, False)


@pytest.mark.parametrize("first", [OLD, NEW])
@pytest.mark.parametrize("kind", [MemberProvider, ProjectGrantProvider, TeamMemberProvider])
def test_both_addresses_of_one_person_are_refused(api: FakeApi, kind: type[AccessProvider], first: str) -> None:
    """Each `pulumi up` would overwrite what the other entry gives, and whoever has the old address got nothing."""
    run = Run(api)
    known: dict[type[AccessProvider], dict[str, Any]] = {
        MemberProvider: MEMBER, ProjectGrantProvider: GRANT, TeamMemberProvider: PLACE
    }  # fmt: skip
    run.session.identify(OLD, USER)
    second = NEW if first == OLD else OLD
    assert run.of(kind).check({}, {**known[kind], "email": first}).failures == []
    failures = run.of(kind).check({}, {**known[kind], "email": second}).failures
    assert f"{OLD} is {NEW} in Mixpanel by now, and the program declares {NEW} too" in failures[0].reason


@pytest.mark.parametrize("takes_only", [True, False])
def test_the_stranger_keeps_nobody_in_a_project_declared_as_a_whole(api: FakeApi, takes_only: bool) -> None:
    """The grant of the person goes, whoever has the old address; that one has nothing there."""
    api.put(OLD)
    run = Run(api)
    run.session.takes_only = takes_only
    whole, left = run.of(ProjectAccessProvider), {**WHOLE, "grants": {"bo@example.com": "analyst"}}
    assert whole.check(WHOLE, left).failures == []
    whole.update(WHOLE_ID, WHOLE, left)
    assert [grant.email for grant in api.rows] == ["bo@example.com"]


def test_the_brake_judges_the_person_and_not_the_stranger(api: FakeApi) -> None:
    """Nothing has asked for the person before it."""
    api.put(OLD)
    api.give(PRODUCTION + 1, OLD, "analyst")
    api.rows[:] = [row for row in api.rows if row.email != NEW]
    api.teams.teams.clear()
    run = Run(api)
    gone: list[DeclaredPerson] = [{"email": OLD, "removal": "when_unused"}]
    assert removal_plan(run.session, gone).removals == {NEW}
    run.session.declared.add(NEW)
    assert removal_plan(run.session, gone).removals == set()


WITHOUT_ID = {**{key: value for key, value in HELD.items() if key != "user_id"}, "status": "pending"}
KNOWN = [
    pytest.param([HELD], [], id="own"),
    pytest.param([WITHOUT_ID], [HELD], id="other, and own without the id"),
    pytest.param([], [HELD], id="other alone"),
    pytest.param([HELD], [WITHOUT_ID], id="own, and other without the id"),
]
"""The members in the own state and in another stack's, of which one knows Mixpanel's id."""
UNKNOWN = [
    pytest.param([], [], id="nobody has a member"),
    pytest.param([WITHOUT_ID], [WITHOUT_ID], id="nobody has the id"),
]
DECLARED: list[tuple[type[AccessProvider], dict[str, Any]]] = [
    (MemberProvider, {**MEMBER, "role": "admin"}),
    (ProjectGrantProvider, {**GRANT, "role": "admin"}),
    (ProjectAccessProvider, {**WHOLE, "grants": {OLD: "admin", "bo@example.com": "analyst"}}),
    (TeamMemberProvider, {**PLACE, "team_id": TEAM + 1}),
]
"""What a program may declare of the old address; each gives more than the person has."""


def run_of(api: FakeApi, own: list[dict[str, Any]], other: list[dict[str, Any]]) -> Run:
    """A run over the states of two stacks."""
    run = Run(api)
    run.states.members = {"production": [*own], "staging": [*other]}
    return run


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("address", [OLD, NEW])
@pytest.mark.parametrize(("kind", "inputs"), DECLARED)
@pytest.mark.parametrize(("own", "other"), KNOWN)
def test_what_is_new_reaches_the_person_whichever_stack_knows_them(
    api: FakeApi,
    own: list[dict[str, Any]],
    other: list[dict[str, Any]],
    kind: type[AccessProvider],
    inputs: dict[str, Any],
    address: str,
    checked: bool,
) -> None:
    """The resource is new, or a refresh has dropped it: nobody is invited, and the present address gets it."""
    api.teams.put("More", id_=TEAM + 1)
    news = {key: address if value == OLD else value for key, value in inputs.items()}
    if grants := inputs.get("grants"):
        news["grants"] = {address if email == OLD else email: role for email, role in grants.items()}
    run = run_of(api, own, other)
    if checked:
        assert run.of(kind).check({}, news).failures == []
    outs = run.of(kind).create(news).outs or {}
    assert OLD not in api.people
    assert not {"invite", "resend"} & set(api.writes)
    held = {
        MemberProvider: api.people[NEW].role == "admin" and outs.get("user_id") == USER,
        TeamMemberProvider: NEW in (api.teams.teams[TEAM + 1].members or ()),
    }
    assert held.get(kind, (NEW, "admin") in [(grant.email, grant.role) for grant in api.rows])


@pytest.mark.parametrize("kind", [MemberProvider, ProjectAccessProvider])
@pytest.mark.parametrize(("own", "other"), KNOWN)
def test_a_refresh_keeps_the_person_whichever_stack_knows_them(
    api: FakeApi, own: list[dict[str, Any]], other: list[dict[str, Any]], kind: type[AccessProvider]
) -> None:
    """The member and the grant stay in the state by the old address, and the run after it invites nobody."""
    run = run_of(api, own, other)
    held = (own or [WITHOUT_ID])[0] if kind is MemberProvider else {**WHOLE, "undeclared": [], "beside": {}}
    id_ = member_id(OLD) if kind is MemberProvider else WHOLE_ID
    inputs = MEMBER if kind is MemberProvider else WHOLE
    seen = run.of(kind).read(id_, held).outs or {}
    assert {key: seen.get(key) for key in inputs} == inputs
    if kind is MemberProvider:
        assert (seen["user_id"], seen["current_email"]) == (USER, NEW)
    later = run_of(api, own, other)
    assert later.of(kind).check(seen, inputs).failures == []
    assert not later.of(kind).diff(id_, seen, inputs).changes
    assert api.writes == []


@pytest.mark.parametrize(("own", "other"), KNOWN)
def test_a_grant_that_is_added_to_a_project_declared_as_a_whole_reaches_the_person(
    api: FakeApi, own: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    """The state of the project knows nothing of the person."""
    api.rows[:] = [row for row in api.rows if row.email != NEW]
    held = {**WHOLE, "grants": {"bo@example.com": "analyst"}}
    run = run_of(api, own, other)
    run.of(ProjectAccessProvider).update(WHOLE_ID, held, WHOLE)
    assert {grant.email: grant.role for grant in api.rows} == {NEW: "analyst", "bo@example.com": "analyst"}
    assert OLD not in api.people


def test_a_preview_names_the_line_to_change_of_somebody_who_is_new_to_the_stack(api: FakeApi) -> None:
    """No refresh of this stack has seen the change."""
    run = run_of(api, [], [HELD])
    assert run.of(MemberProvider).check({}, MEMBER).failures == []
    assert [line for line in run.said if line.startswith(RENAMED)] == run.said != []


@pytest.mark.parametrize("first", [OLD, NEW])
def test_both_addresses_are_refused_where_another_stack_alone_knows_the_person(api: FakeApi, first: str) -> None:
    """This stack has neither."""
    run = run_of(api, [], [HELD])
    second = NEW if first == OLD else OLD
    assert run.of(MemberProvider).check({}, {**MEMBER, "email": first}).failures == []
    failures = run.of(MemberProvider).check({}, {**MEMBER, "email": second}).failures
    assert f"{OLD} is {NEW} in Mixpanel by now" in failures[0].reason


@pytest.mark.parametrize(("own", "other"), UNKNOWN)
def test_an_address_of_which_no_state_has_an_id_is_invited(
    api: FakeApi, own: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    """Nobody can know that it was somebody's."""
    run = run_of(api, own, other)
    run.of(MemberProvider).create(MEMBER)
    assert api.people[OLD].invited


def test_who_has_left_is_invited_again_though_another_stack_has_the_id(api: FakeApi) -> None:
    """No address has the id."""
    api.people.pop(NEW)
    run_of(api, [], [HELD]).of(MemberProvider).create(MEMBER)
    assert api.people[OLD].invited


def test_a_stranger_who_has_the_address_is_who_a_new_entry_means(api: FakeApi) -> None:
    """Another stack knows the person who had it before."""
    api.put(OLD)
    run = run_of(api, [], [HELD])
    assert run.of(ProjectGrantProvider).check({}, {**GRANT, "role": "admin"}).failures == []
    run.of(ProjectGrantProvider).create({**GRANT, "role": "admin"})
    assert {grant.email: grant.role for grant in api.rows}[OLD] == "admin"


def test_the_states_are_read_once_for_all_who_are_new_and_not_for_who_is_there(api: FakeApi) -> None:
    """Whoever is in the organization by the declared address needs no id, and Mixpanel is asked no more."""
    run = run_of(api, [], [HELD])
    grants = run.of(ProjectGrantProvider)
    there = {**GRANT, "email": "bo@example.com"}
    assert grants.check({}, there).failures == []
    grants.create(there)
    assert run.states.readings == 0
    members, listed = run.of(MemberProvider), api.calls["list_users"]
    for number in range(3):
        assert members.check({}, {**MEMBER, "email": f"new{number}@example.com"}).failures == []
    assert (run.states.readings, api.calls["list_users"]) == (1, listed)


def test_an_end_after_a_long_wait_for_invitations_goes_by_what_the_stacks_have_then(api: FakeApi) -> None:
    """An invitation reads the states early in the run, and another stack may have got somebody since."""
    api.rows.clear()
    api.teams.teams.clear()
    run = run_of(api, [HELD], [])
    run.of(MemberProvider).create({**MEMBER, "email": "new@example.com"})
    run.states.members["staging"] = [{**HELD, "adopted": True, "origin": "shared"}]
    run.states.now += 31
    end(run, (MemberProvider, member_id(OLD), HELD))
    assert NEW in api.people
