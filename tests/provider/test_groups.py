"""What only a group of people promises; what it shares with single resources is tested with those (`forms.py`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pulumi.runtime.rpc import UNKNOWN

from mixpanel_access.directory.progress import PROGRESS_SECONDS
from mixpanel_access.model import errors
from mixpanel_access.model.address import domain_of
from mixpanel_access.model.brakes import Limits
from mixpanel_access.model.groups import part_properties
from mixpanel_access.model.resources import (
    GRANT_TYPE,
    MEMBERS_TYPE,
    PROJECT_ACCESS,
    PROJECT_ACCESS_TYPE,
    TEAM_MEMBERS_TYPE,
)
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.declaring import ProgramDeclaration, digest
from mixpanel_access.provider.identities import GrantIdentity
from mixpanel_access.provider.many import at_once
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.members import MembersProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.run import Scope
from mixpanel_access.provider.session import RESOURCE, Session
from mixpanel_access.provider.states import ExportedResource
from mixpanel_access.provider.team_member import TeamMemberProvider
from mixpanel_access.provider.team_members import TeamMembersProvider
from mixpanel_access.server.changes import detailed
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_directory, make_session

ID = f"{ORGANIZATION}:members"
TEAM = 77
ANA, BAD, BO, CY = "ana@example.com", "bad@example.com", "bo@example.com", "cy@example.com"


class Strict(FakeApi):
    """Refuses an address, and more than ten invitations an hour to a domain."""

    hour: Counter[str]

    def invite(self, roles: Mapping[str, str]) -> None:
        if BAD in roles:
            self.sent.append(("refused", dict(roles)))
            raise errors.Invalid("cannot invite", why="the address is not accepted (400)")
        self._count(roles, dict(roles))
        super().invite(roles)

    def _count(self, emails: Iterable[str], body: object) -> None:
        counts = self.hour + Counter(map(domain_of, emails))
        if counts and max(counts.values()) > 10:
            self.sent.append(("limited", body))
            raise errors.RateLimited("cannot invite", why="429")
        self.hour = counts

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        new = [email for _, email in roles if email not in self.people]
        self._count(new, dict(roles))
        super().grant(roles)
        self.sent += [("invite", dict.fromkeys(new))] if new else []

    @property
    def invited(self) -> list[str]:
        """Each address to which an e-mail went, once for each."""
        return sorted(email for verb, body in self.sent if verb == "invite" for email in body)  # type: ignore[attr-defined]


@pytest.fixture
def api() -> Strict:
    """An organization with one owner."""
    api = Strict()
    api.hour = Counter()
    api.put(ANA, "owner")
    return api


def run(api: FakeApi, provider: AccessProvider | None = None, **more: Any) -> tuple[Any, Session, list[str]]:
    """A provider in a run of its own, of a program that has said all that it declares."""
    made = MembersProvider() if provider is None else provider
    made.handler.keeps = True
    states, declared = more.pop("states", None), more.pop("declared", ProgramDeclaration())
    session, said = make_session(api, **more)
    session.scope = Scope(declared=lambda: declared)
    if states is not None:
        session.states = states
    made.use(session)
    return made, session, said


def of(*people: str, **roles: str) -> dict[str, Any]:
    """The inputs of a `Members`."""
    each = {email: {"removal": "when_unused"} for email in people}
    named = {f"{name}@example.com": {"role": role, "removal": "when_unused"} for name, role in roles.items()}
    return {"people": {**each, **named}}


def state_with(outputs: Mapping[str, Any], *others: ExportedResource) -> FakeStates:
    """The states of a project whose only stack has a `Members` with these outputs."""
    states = FakeStates(production=[])
    states.others_of["production"] = [ExportedResource(MEMBERS_TYPE, "urn::members", ID, outputs), *others]
    return states


def failing(provider: Any, call: Any) -> tuple[str, dict[str, Any]]:
    """The words of a verb that fails, and what the state keeps."""
    with pytest.raises(errors.AccessError) as caught:
        call()
    kept = caught.value.kept or ("", {})
    return str(caught.value), dict(kept[1])


# Failures


def test_a_bad_address_stops_nobody_else_and_the_next_up_does_the_rest(api: Strict) -> None:
    """The error names the one with the reason, the state has the others, and they get no second e-mail."""
    words, kept = failing(run(api), lambda: run(api)[0].create(of(BO, BAD, CY)))
    assert words.startswith(f"cannot change the members: not for 1 of 3 people: {BAD}: the address is not accepted")
    assert kept["people"].keys() == kept["members"].keys() == {BO, CY}
    provider, _, _ = run(api)
    checked = provider.check(of(BO, BAD, CY), of(BO, BAD, CY))  # the engine has the inputs of the first try
    assert provider.diff(ID, kept, checked.inputs).changes
    assert failing(provider, lambda: provider.update(ID, kept, checked.inputs))[1] == kept
    assert api.invited == [BO, CY]
    outs = run(api)[0].update(ID, kept, of(BO, CY)).outs
    assert outs["members"].keys() == {BO, CY}
    assert not run(api)[0].diff(ID, outs, of(BO, CY)).changes


def test_a_group_of_which_nothing_was_done_is_not_kept(api: Strict) -> None:
    """As a single resource: it is created again."""
    assert failing(run(api), lambda: run(api)[0].create(of(BAD)))[1] == {}


def test_each_problem_of_a_check_names_the_person_and_the_input(api: Strict) -> None:
    """All of them at once, and none by the name of the property, whose value the engine would print in full."""
    inputs = {"people": {"bo": {}, BO: {"role": "emperor", "rank": 3}, CY: {"role": "owner"}, CY.upper(): 7}}
    failures = run(api)[0].check({}, {**inputs, "reasons": [{"people": ["di@example.com"]}]}).failures
    assert [one.property for one in failures] == ["", "", "", "", "reasons"]
    said = [one.reason for one in failures]
    assert said[0].startswith('people["bo"]: ')
    assert said[1].startswith(f'people["{BO}"].rank: this is not an input')
    assert said[2].startswith(f'people["{CY.upper()}"]: 7 is not a mapping')
    assert said[3] == f'people["{CY.upper()}"]: the address is there twice, first as {CY}'
    live = run(api)[0].check({}, {"people": {CY: {"role": "owner"}}}).failures
    assert live[0].reason.startswith(f"people[\"{CY}\"].role: 'owner' cannot be given to {CY}")


@pytest.mark.parametrize(
    "people",
    [UNKNOWN, {BO: UNKNOWN}, {BO: {"role": UNKNOWN}}, {BO: {"removal": UNKNOWN}}, {BO: {"ownership": UNKNOWN}}],
    ids=["everybody", "a person", "role", "removal", "ownership"],
)
def test_what_is_not_known_before_the_update_is_no_mistake(api: Strict, people: Any) -> None:
    """Whatever part of a group another resource gives: the preview shows a change, and the update judges it."""
    there: dict[str, Any] = run(api)[0].create(of(BO)).outs
    befores: list[dict[str, Any]] = [{}, there]
    for before in befores:
        checked = run(api)[0].check(of(BO) if before else {}, {"people": people})
        assert list(checked.failures) == []
        assert not before or run(api)[0].diff(ID, before, checked.inputs).changes


@pytest.mark.parametrize("reason", [{"ticket": "OPS-1"}, {"people": None}, {"people": BO}, {"people": [3]}])
def test_a_reason_says_whose_it_is(api: Strict, reason: dict[str, Any]) -> None:
    """Else nobody would have it, and the policies would not see it."""
    (failure,) = run(api)[0].check({}, {**of(BO), "reasons": [reason]}).failures
    assert (failure.property, failure.reason.endswith(" is not a list of addresses")) == ("reasons", True)


def test_without_our_own_server_a_group_is_refused_in_one_line(api: Strict) -> None:
    """The SDK's cannot keep what was done for some."""
    provider = MembersProvider()
    provider.use(make_session(api)[0])
    (failure,) = provider.check({}, of(BO)).failures
    assert failure.reason.startswith("Members needs the server of mixpanel-access")
    assert api.writes == []


# Once in a program


SINGLE: dict[str, tuple[type[AccessProvider], type[AccessProvider], dict[str, Any]]] = {
    "members": (MemberProvider, MembersProvider, {}),
    "a team": (TeamMemberProvider, TeamMembersProvider, {"team_id": TEAM}),
}


@pytest.mark.parametrize("first", ["single", "group"])
@pytest.mark.parametrize("kind", SINGLE)
def test_somebody_is_declared_alone_or_in_one_group(api: Strict, kind: str, first: str) -> None:
    """Both, and two groups, are refused at the preview, whichever comes first; the same group twice is one."""
    api.put(BO)
    api.put(CY)
    api.teams.put("Data", ANA)
    one, many, place = SINGLE[kind]
    session = run(api, many())[1]

    def checked(provider: AccessProvider, inputs: dict[str, Any]) -> list[str]:
        provider.handler.keeps = True
        provider.use(session)
        return [failure.reason for failure in provider.check({}, {**place, **inputs}).failures]

    people: Any = [BO, CY] if place else {BO: {}, CY: {}}
    group, alone = (many, {"people": people}), (one, {"email": BO})
    order = [alone, group] if first == "single" else [group, alone]
    assert checked(order[0][0](), order[0][1]) == []
    (words,) = checked(order[1][0](), order[1][1])
    assert "take one of the two" in words
    if first == "group":
        assert checked(many(), {"people": people}) == []
        (words,) = checked(many(), {"people": people[:1] if place else {BO: {}}})
        assert words.startswith(f'people["{BO}"]: the program declares them with another {many.HANDLER.__name__[:-7]}')
    assert api.writes == []


@pytest.mark.parametrize("kind", SINGLE)
def test_two_groups_of_the_same_people_are_refused(api: Strict, kind: str) -> None:
    """By the names that the engine has for them; one that is checked again is one."""
    api.put(BO)
    api.teams.put("Data", ANA)
    _, many, place = SINGLE[kind]
    session = run(api, many())[1]

    def checked(name: str) -> list[str]:
        provider = many()
        provider.handler.keeps = True
        provider.use(session)
        working = RESOURCE.set(name)
        found = provider.check({}, {**place, "people": [BO] if place else {BO: {}}})
        RESOURCE.reset(working)
        return [failure.reason for failure in found.failures]

    assert (checked("urn::one"), checked("urn::one")) == ([], [])
    (words,) = checked("urn::two")
    assert "take one of the two" in words


# From single resources to groups and back

IN_GROUPS: dict[str, tuple[Any, Any, dict[str, Any], dict[str, Any]]] = {
    "members": (MemberProvider, MembersProvider, {}, {"people": {BO: {}, CY: {}}}),
    "grants": (
        ProjectGrantProvider,
        ProjectAccessProvider,
        {"project_id": PRODUCTION, "role": "analyst"},
        {"project_id": PRODUCTION, "grants": {BO: "analyst", CY: "analyst"}, "exclusive": False},
    ),
    "memberships": (TeamMemberProvider, TeamMembersProvider, {"team_id": TEAM}, {"team_id": TEAM, "people": [BO, CY]}),
}


@pytest.mark.parametrize("case", IN_GROUPS)
def test_a_preview_says_that_people_only_move(api: Strict, case: str) -> None:
    """One line, where the engine shows what it creates and deletes; for people who come anew there is none."""
    single, group, own, together = IN_GROUPS[case]
    api.teams.put("Data", BO, CY)
    for email in (BO, CY, "di@example.com"):
        api.put(email)
    alone = [{**own, "email": email} for email in (BO, CY)]
    id_ = ":".join(map(str, (ORGANIZATION, *(own[name] for name in ("project_id", "team_id") if name in own))))
    group_id = id_ if own else f"{id_}:members"
    kinds = single().handler.kind, group().handler.kind
    of_each = [{"type": kinds[0].type, "id": f"{id_}:{one['email']}", "urn": "u::a", "outputs": one} for one in alone]
    of_all = [{"type": kinds[1].type, "id": group_id, "urn": "urn::the-group", "outputs": together}]
    words = "the move takes nothing away and invites nobody"

    def lines(state: list[dict[str, Any]], provider: Any, *inputs: dict[str, Any]) -> list[str]:
        provider, session, said = run(api, provider())
        session.scope = Scope(state=lambda: state, declared=ProgramDeclaration)
        for one in inputs:
            assert provider.check({}, dict(one)).failures == []
        return [line for line in said if words in line]

    assert lines(of_each, group, together) == [f"2 people move here from resources of their own: {words}"]
    assert lines(of_all, single, *alone) == [f"people move from the-group to resources of their own: {words}"]
    assert lines(of_each, single, *alone) == lines(of_all, group, together) == []
    assert lines(of_all, single, {**alone[0], "email": "di@example.com"}) == []
    assert lines([], group, together) == lines([], single, *alone) == []


# The hourly limit


def test_strangers_beyond_the_limit_wait_for_the_next_run(api: Strict) -> None:
    """The others go on, one line says how many and from when, and nobody gets two e-mails."""
    everybody = [f"p{n:02}@agency.example.org" for n in range(25)]
    api.put(BO)
    held: dict[str, Any] = {}
    for round_ in range(3):
        provider, session, said = run(api)
        checked = provider.check(of(BO, *everybody) if held else {}, of(BO, *everybody)).inputs
        if held:
            assert provider.diff(ID, held, checked).changes
            held = provider.update(ID, held, checked).outs
        else:
            held = provider.create(checked).outs
        there = min(10 * (round_ + 1), 25)
        assert held["people"].keys() == {BO, *everybody[:there]} or len(held["people"]) == there + 1
        waiting = [line for line in said if "wait for Mixpanel's hourly limit" in line]
        assert len(waiting) == (there < 25)
        for line in waiting:
            assert line.startswith(f"warning: 10 invitations sent, and {25 - there} to agency.example.org wait for")
            assert "Run `pulumi up` again from 2026-05-04 13:00 UTC" in line
        assert session.invitations.sent == there - 10 * round_
        api.hour.clear()  # an hour later
    assert api.invited == everybody
    assert not run(api)[0].diff(ID, held, of(BO, *everybody)).changes


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_grants_and_places_of_those_who_wait_are_left_to_a_later_run(api: Strict, exclusive: bool) -> None:
    """Nobody is invited by the grant instead, one line counts them, and the others get theirs: nothing fails."""
    everybody = [f"p{n:02}@agency.example.org" for n in range(12)]
    api.teams.put("Data", ANA)
    provider, session, said = run(api)
    provider.create(provider.check({}, of(*everybody)).inputs)
    team = joined(TeamMembersProvider(), session)
    words, outs = waiting_grants(api, session, said, everybody, exclusive=exclusive)
    assert "2 grants wait for Mixpanel's hourly limit on invitations" in words
    assert len(outs["grants"]) == 10
    places = team.create({"team_id": TEAM, "people": everybody}).outs or {}
    assert Counter(one["status"] for one in places["members"].values())["waiting"] >= 2
    assert len(api.invited) == len(set(api.invited)) == 10
    assert len([line for line in said if "join the team Data by the first `pulumi up` after accepting" in line]) == 1


@pytest.mark.parametrize("exclusive", [True, False])
def test_those_who_wait_are_not_in_the_state_of_a_project(api: Strict, exclusive: bool) -> None:
    """The next preview names them, an up an hour later gives them theirs, and nobody is mailed twice.

    Who leaves the program before is not missed.
    """
    everybody = [f"p{n:02}@agency.example.org" for n in range(25)]
    _, session, said = run(api)
    _, outs = waiting_grants(api, session, said, everybody, exclusive=exclusive)
    assert (len(outs["grants"]), outs.get("lost"), outs["undeclared"]) == (10, None, [])
    assert len(list(part_properties(PROJECT_ACCESS, outs))) == 10
    inputs = grants_of(*everybody, exclusive=exclusive)
    api.hour.clear()
    provider, _, _ = run(api, ProjectAccessProvider())
    difference = detailed(provider.handler.all_inputs, outs, inputs, ())
    assert len(difference) == 15
    assert all(path.startswith('grants["p') for path in difference)
    outs = provider.update(f"{ORGANIZATION}:{PRODUCTION}", outs, inputs).outs
    assert len(outs["grants"]) == 20
    provider, _, _ = run(api, ProjectAccessProvider())
    left = grants_of(*outs["grants"], exclusive=exclusive)
    assert not provider.diff(f"{ORGANIZATION}:{PRODUCTION}", outs, left).changes
    assert not provider.update(f"{ORGANIZATION}:{PRODUCTION}", outs, left).outs.get("lost")
    assert len(api.invited) == len(set(api.invited)) == 20


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_failure_for_others_does_not_hide_those_who_wait(api: Strict, exclusive: bool) -> None:
    """The line names who waits, the error only the others with one next step, and the state has neither."""
    everybody = [f"p{n:02}@agency.example.org" for n in range(12)]
    api.put(BO)
    api.deaf = {"remove_grants"}
    api.give(PRODUCTION, BO, "analyst")
    before = grants_of(BO, exclusive=exclusive)
    provider, _, said = run(api, ProjectAccessProvider())
    held = {**before, "undeclared": [], "beside": {}}
    news = grants_of(*everybody, exclusive=exclusive)
    words, kept = failing(provider, lambda: provider.update(f"{ORGANIZATION}:{PRODUCTION}", held, news))
    assert f"not for 1 of 11 people: {BO}: Mixpanel took the request and still shows the role analyst" in words
    assert (words.count("Run "), words.count("next `pulumi up`")) == (1, 0)
    assert [line for line in said if "2 grants wait" in line]
    assert len(kept["grants"]) == 11
    assert not kept.get("lost")


def joined(provider: AccessProvider, session: Session) -> Any:
    """A provider of another group of the same run."""
    provider.handler.keeps = True
    provider.use(session)
    return provider


def grants_of(*people: str, exclusive: bool) -> dict[str, Any]:
    """The inputs of a `ProjectAccess`."""
    shared = {} if exclusive else {"exclusive": False}
    return {"project_id": PRODUCTION, "grants": dict.fromkeys(people, "analyst"), **shared}


def waiting_grants(
    api: Strict, session: Session, said: list[str], people: list[str], *, exclusive: bool
) -> tuple[str, dict[str, Any]]:
    """The one line about the grants of those who wait, and the outputs of the project with everybody."""
    access = joined(ProjectAccessProvider(), session)
    inputs = grants_of(*people, exclusive=exclusive)
    outs = access.create(access.check({}, inputs).inputs).outs
    (line,) = [line for line in said if line.startswith(f"warning: project {PRODUCTION}: ")]
    assert line.endswith("Run `pulumi up` again from 2026-05-04 13:00 UTC.")
    assert held_by(api) == outs["grants"]
    return line, outs


def held_by(api: FakeApi) -> dict[str, str]:
    """The individual grants in the project."""
    return {one.email: one.role for one in api.rows if one.project == PRODUCTION}


def test_many_are_invited_in_as_few_requests_as_the_largest_batches_allow(api: Strict) -> None:
    """500 strangers of 500 domains are three requests; to adopt them is none."""
    everybody = [f"p@d{n}.example.com" for n in range(500)]
    provider, session, _ = run(api)
    lingers = Session(session.settings, make_directory(api, linger=0.1), print)
    lingers.scope = session.scope
    provider.use(lingers)
    outs = provider.create(of(*everybody)).outs
    assert len(outs["people"]) == 500
    assert api.calls["invite"] <= 4
    before = Counter(api.calls)
    run(api)[0].create(of(*everybody))
    assert Counter(api.calls) - before == Counter(list_users=1, me=1)


# People who leave


def given(*people: str) -> list[ExportedResource]:
    """What a stack's state gives to people: a single grant, a part of a `ProjectAccess`, and a place in a team."""
    grants = dict.fromkeys(people, "analyst")
    return [
        *(
            ExportedResource(GRANT_TYPE, f"urn::{one}", f"{ORGANIZATION}:8:{one}", {"email": one, "project_id": 8})
            for one in people
        ),
        ExportedResource(
            PROJECT_ACCESS_TYPE, "urn::access", f"{ORGANIZATION}:{PRODUCTION}",
            {"project_id": PRODUCTION, "grants": grants, "undeclared": []},
        ),
        ExportedResource(
            TEAM_MEMBERS_TYPE, "urn::team", f"{ORGANIZATION}:{TEAM}", {"team_id": TEAM, "people": list(people)}
        ),
    ]  # fmt: skip


def with_access(api: FakeApi, *people: str) -> None:
    """Have people hold all that."""
    api.projects_[8] = type(api.projects_[PRODUCTION])(8, "Eight")
    for email in people:
        for project in (8, PRODUCTION):
            api.give(project, email, "analyst")
    api.teams.put("Data", *people, projects={PRODUCTION: "analyst"})


LIMITS = Limits(removal_minimum=5)


def test_who_leaves_loses_first_what_the_stack_gives_and_then_goes(api: Strict) -> None:
    """The later updates of the grants find it done; nobody stays because of what goes with them."""
    held = run(api, limits=LIMITS)[0].create(of(BO, CY)).outs
    with_access(api, BO, CY)
    api.sent.clear()
    provider, _, said = run(api, limits=LIMITS, states=state_with(held, *given(BO, CY)))
    outs = provider.update(ID, held, of(CY)).outs
    assert outs["people"].keys() == outs["members"].keys() == {CY}
    assert api.people.keys() == {ANA, CY}
    assert api.writes[-1] == "remove"
    assert sorted(api.writes[:-1]) == ["remove_grants", "remove_grants", "remove_member"]
    assert {grant.email for grant in api.rows} == {CY}
    assert not [line for line in said if "stays" in line]


def test_what_the_program_still_declares_is_not_taken_from_who_leaves(api: Strict) -> None:
    """They stay for it, as the single member would, though the engine has not asked about it yet."""
    held = run(api, limits=LIMITS)[0].create(of(BO, CY)).outs
    with_access(api, BO, CY)
    api.sent.clear()
    declared = ProgramDeclaration(frozenset({digest(GrantIdentity(8, BO), ORGANIZATION)}))
    provider, _, said = run(api, limits=LIMITS, states=state_with(held, *given(BO, CY)), declared=declared)
    provider.update(ID, held, of(CY))
    assert BO in api.people
    assert {grant.project for grant in api.rows if grant.email == BO} == {8}
    assert any(line.startswith(f"{BO} stays in the organization (removal: when_unused)") for line in said)


@pytest.mark.parametrize("declared", [None, ProgramDeclaration(perhaps=frozenset({digest(("Member", BO))}))])
def test_nobody_goes_before_it_is_known_what_the_program_declares(
    api: Strict, declared: ProgramDeclaration | None
) -> None:
    """The state keeps them, and the others are brought to what is declared all the same."""
    held = run(api, limits=LIMITS)[0].create(of(BO, CY)).outs
    provider, _, _ = run(api, limits=LIMITS, states=state_with(held), declared=declared)
    words, kept = failing(provider, lambda: provider.update(ID, held, of(CY, "di@example.com")))
    assert "cannot tell whether the rest of the program declares it" in words or "not for 1 of 3" in words
    assert kept["people"].keys() == {BO, CY, "di@example.com"}
    assert BO in api.people


def test_a_brake_holds_all_who_leave_before_the_first_goes(api: Strict) -> None:
    """At the preview, and at `up`, where the others are brought to what is declared all the same."""
    people = [f"p{n}@d{n}.example.com" for n in range(6)]
    held = run(api)[0].create(of(*people)).outs
    with_access(api, *people)
    api.sent.clear()
    states = state_with(held, *given(*people))
    (failure,) = run(api, states=states)[0].check(of(*people), of(people[0])).failures
    assert "[removalShare]" in failure.reason
    provider, _, _ = run(api, states=states)
    words, kept = failing(provider, lambda: provider.update(ID, held, of(people[0], "di@example.com")))
    assert "[removalShare]" in words
    assert kept["people"].keys() == {*people, "di@example.com"}
    assert api.writes == ["invite"]


def test_somebody_who_could_not_leave_keeps_their_reasons(api: Strict) -> None:
    """The end that they had counts at the next run."""
    reasons = [{"people": [BO], "ends": "2026-05-03"}]
    held = run(api)[0].create({**of(BO, CY), "reasons": reasons}).outs
    api.faults["remove"] = [errors.Forbidden("cannot remove", why="403")]
    provider, _, _ = run(api, states=state_with(held))
    kept = failing(provider, lambda: provider.update(ID, held, of(CY)))[1]
    assert provider.handler.parts(kept)[BO]["ends"] == "2026-05-03"
    assert provider.handler.parts(kept)[CY].get("ends") is None
    assert run(api, states=state_with(kept))[0].update(ID, kept, of(CY)).outs["people"].keys() == {CY}


def test_a_run_that_only_takes_gives_nobody_anything(api: Strict) -> None:
    """Neither an invitation nor a higher role; who leaves goes, and who becomes less does."""
    held = run(api, limits=LIMITS)[0].create(of(BO, cy="admin", di="member")).outs
    provider, session, _ = run(api, limits=LIMITS, states=state_with(held))
    session.takes_only, api.sent[:] = True, []
    outs = provider.update(ID, held, of("new@example.com", cy="member", di="admin")).outs
    assert sorted(api.writes) == ["change_role", "remove"]
    assert api.people[CY].role == "member"
    assert outs["people"].keys() == {CY, "di@example.com"}
    assert outs["people"]["di@example.com"]["role"] == "member"


def test_a_destroy_removes_everybody_by_their_own_rule(api: Strict) -> None:
    """And what fails for one leaves nobody else."""
    inputs = of(BO, CY)
    inputs["people"][CY]["removal"] = "never"
    held = run(api, limits=LIMITS)[0].create(inputs).outs
    api.put(CY)  # accepted
    run(api, limits=LIMITS, states=state_with(held))[0].delete(ID, held)
    assert api.people.keys() == {ANA, CY}


# From single resources to a group, and back


def test_from_single_members_to_a_group_and_back_nothing_is_written(api: Strict) -> None:
    """The new resources take over what the state knows, and the old ones go without a request; a killed run is none."""
    api.put(CY, "admin")
    single = run(api, MemberProvider())[0]
    alone = {
        email: {"email": email, "role": role, "removal": "when_unused"}
        for email, role in ((BO, "member"), (CY, "admin"))
    }
    outs = {email: single.create(inputs).outs for email, inputs in alone.items()}
    api.sent.clear()
    both = of(bo="member", cy="admin")
    for _ in ("killed after the group was made", "done"):
        provider, session, said = run(api, states=FakeStates(production=list(outs.values())))
        grouped = provider.create(provider.check({}, both).inputs).outs
        old = MemberProvider()
        old.use(session)
        for email in outs:
            old.delete(f"{ORGANIZATION}:{email}", outs[email])
        assert len([line for line in said if "declared under another name too" in line]) == len(outs)
    history = ("origin", "adopted", "invited_at", "expires_at", "previous_role", "status", "user_id")
    for email, one in outs.items():
        assert {name: grouped["members"][email].get(name) for name in history} == {
            name: one.get(name) for name in history
        }
        assert "added" not in grouped["members"][email]  # the engine knows since when the single one is there
    back, session, said = run(api, MemberProvider(), states=state_with(grouped))
    again = {email: back.create(back.check({}, inputs).inputs).outs for email, inputs in alone.items()}
    assert again == outs
    group = MembersProvider()
    group.use(session)
    group.delete(ID, grouped)
    assert said[-1] == f"{BO}, {CY}: declared under another name too; nothing is taken away"
    assert api.writes == []


def test_somebody_may_move_from_the_group_to_a_member_of_their_own(api: Strict) -> None:
    """The update of the group comes first, and takes nothing from them."""
    held = run(api)[0].create(of(BO, CY)).outs
    api.sent.clear()
    declared = ProgramDeclaration(frozenset({digest(BO, ORGANIZATION)}))
    provider, _, said = run(api, states=state_with(held), declared=declared)
    assert provider.update(ID, held, of(CY)).outs["people"].keys() == {CY}
    assert f"{BO}: declared under another name too; nothing is taken away" in said
    assert api.writes == []


# What is read


def test_an_import_by_id_takes_everybody(api: Strict) -> None:
    """With the roles that they have; nothing changes then."""
    api.put(BO, "admin")
    api.put(CY, invited=True)
    result = run(api)[0].read(ID, {})
    assert {email: one.get("role") for email, one in result.inputs["people"].items()} == {
        ANA: "owner", BO: "admin", CY: "member",
    }  # fmt: skip
    assert not run(api)[0].diff(ID, result.outs, run(api)[0].check({}, result.inputs).inputs).changes
    assert {one["origin"] for one in result.outs["members"].values()} == {"imported"}


def test_a_refresh_shows_the_drift_of_each(api: Strict) -> None:
    """A role that was changed by hand, and somebody who is gone."""
    held = run(api)[0].create(of(**dict.fromkeys(("bo", "cy", "di", "ed"), "member"))).outs
    api.put(CY, "admin")
    del api.people[BO]
    result = run(api, states=state_with(held))[0].read(ID, held)
    assert result.outs["people"].keys() == {CY, "di@example.com", "ed@example.com"}
    assert result.inputs["people"][CY]["role"] == "admin"


def test_the_group_notes_since_when_it_has_somebody(api: Strict) -> None:
    """And keeps it in every verb."""
    held = run(api)[0].create(of(BO)).outs
    later = datetime(2026, 5, 9, tzinfo=UTC)
    held = run(api, now=later)[0].update(ID, held, of(BO, CY)).outs
    assert {email: one["added"] for email, one in held["members"].items()} == {
        BO: "2026-05-04T12:00:00Z", CY: "2026-05-09T00:00:00Z",
    }  # fmt: skip
    assert run(api)[0].read(ID, held).outs["members"] == held["members"]


# Many


def test_a_long_verb_says_how_far_it_is() -> None:
    """Every ten seconds, and not at the end."""
    seconds = iter([0.0, 1.0, PROGRESS_SECONDS, PROGRESS_SECONDS + 1, 99.0])
    said: list[str] = []
    done = list(at_once([1, 2, 3, 4], lambda one: one * one, said.append, lambda: next(seconds)))
    assert done == [(1, 1), (2, 4), (3, 9), (4, 16)]
    assert said == ["2 of 4 people done"]


def test_new_owners_come_before_owners_who_become_less(api: Strict) -> None:
    """Two owners can change places in one update."""
    api.own_role = "owner"
    api.put(BO)
    held = run(api)[0].create(of(ana="owner", bo="member")).outs
    outs = run(api)[0].update(ID, held, of(ana="member", bo="owner")).outs
    assert (api.people[ANA].role, api.people[BO].role) == ("member", "owner")
    assert outs["people"][BO]["role"] == "owner"
