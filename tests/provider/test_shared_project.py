"""`ProjectAccess` with `exclusive=False`: the declared people are managed, and who was added by hand is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest

from mixpanel_access.directory.people import Closed
from mixpanel_access.model import errors
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.brakes import Brake, Limits, PlannedChanges
from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.resources import GRANT_TYPE, PROJECT_ACCESS_TYPE
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.states import ExportedResource
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_session

ID = f"{ORGANIZATION}:{PRODUCTION}"
ANA, BO, CY, DI = (f"{name}@example.com" for name in ("ana", "bo", "cy", "di"))
BO_CY = {BO: "analyst", CY: "consumer"}
REFUSED = "new@example.org"
RELEASED = Limits(released=frozenset(Brake))


class Refusing(FakeApi):
    """Refuses one address."""

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        if any(email == REFUSED for _, email in roles):
            raise errors.Invalid("cannot grant", why="Mixpanel answered 400 (the address is not accepted)")
        super().grant(roles)


@pytest.fixture
def api() -> FakeApi:
    """An organization with an owner and three members; one of them has a grant that nobody declares."""
    api = Refusing()
    api.put(ANA, "owner")
    for email in (BO, CY, DI):
        api.put(email)
    api.give(PRODUCTION, DI, "admin")
    return api


def group_in(session: Session) -> ProjectAccessProvider:
    """A provider of groups in a session, on our own server."""
    provider = ProjectAccessProvider()
    provider.handler.keeps = True
    provider.use(session)
    return provider


def group(api: FakeApi, said: list[str] | None = None, **settings: Any) -> ProjectAccessProvider:
    """A provider of groups in a session of its own."""
    session, _ = make_session(api, **settings)
    if said is not None:
        session.say = said.append
    return group_in(session)


def single_in(session: Session) -> ProjectGrantProvider:
    """A provider of single grants in a session."""
    provider = ProjectGrantProvider()
    provider.use(session)
    return provider


def shared(grants: dict[str, Any] = BO_CY, **changes: Any) -> dict[str, Any]:
    """The inputs of a group that shares its project."""
    return {"project_id": PRODUCTION, "grants": grants, "exclusive": False, **changes}


def one(email: str, role: str) -> dict[str, Any]:
    """The inputs of a single grant."""
    return {"project_id": PRODUCTION, "email": email, "role": role}


def held(api: FakeApi) -> dict[str, str]:
    """The individual grants that the fake has, but for the one that was given by hand."""
    return {row.email: row.role for row in api.rows if row.grant_type is GrantType.INDIVIDUAL and row.email != DI}


@pytest.fixture(autouse=True)
def _left_alone(api: FakeApi) -> Iterable[None]:
    """No test makes a request about the undeclared person."""
    yield
    assert DI not in str(api.sent)


def created(api: FakeApi, grants: dict[str, Any] = BO_CY, **changes: Any) -> dict[str, Any]:
    """The state after a create."""
    return dict(group(api).create(shared(grants, **changes)).outs or {})


def refreshed(api: FakeApi, outputs: dict[str, Any], said: list[str] | None = None) -> dict[str, Any]:
    """The state after a refresh."""
    return dict(group(api, said).read(ID, outputs).outs or {})


def test_who_was_added_by_hand_is_reported_and_no_change(api: FakeApi) -> None:
    """The output names them, one line at up and at refresh says so, and they are not drift of the grants."""
    words = f"project {PRODUCTION}: 1 grant that no stack declares is left alone: {DI}"
    said: list[str] = []
    outs = dict(group(api, said).create(shared()).outs or {})
    assert (outs["grants"], outs["undeclared"]) == (BO_CY, [DI])
    assert refreshed(api, outs, said) == outs
    assert said == [words, words]
    assert not group(api).diff(ID, outs, shared()).changes
    group(api, limits=RELEASED).delete(ID, outs)
    assert held(api) == {}


@pytest.mark.parametrize("role", ["consumer", "admin"], ids=["as given", "changed by hand"])
def test_who_is_no_longer_declared_loses_the_grant(api: FakeApi, role: str) -> None:
    """Whatever role they have by now, as with a single grant."""
    outs = created(api)
    api.give(PRODUCTION, CY, role)
    outs = dict(group(api).update(ID, outs, shared({BO: "analyst"})).outs or {})
    assert held(api) == outs["grants"] == {BO: "analyst"}


def test_what_was_changed_by_hand_is_put_back(api: FakeApi) -> None:
    """A grant that was taken away is given again, and a role that was raised is the declared one again."""
    outs = created(api)
    api.rows = [row for row in api.rows if row.email != CY]
    api.give(PRODUCTION, BO, "admin")
    outs = refreshed(api, outs)
    assert (outs["grants"], outs["lost"]) == ({BO: "admin"}, [CY])
    assert group(api).diff(ID, outs, shared()).changes
    outs = dict(group(api).update(ID, outs, shared()).outs or {})
    assert held(api) == outs["grants"] == BO_CY
    assert "lost" not in outs


BY_HAND = {"taken away": None, "lowered": "consumer", "raised": "admin"}


@pytest.mark.parametrize("role", BY_HAND.values(), ids=BY_HAND.keys())
@pytest.mark.parametrize("edit", [{}, {CY: "consumer", ANA: "analyst"}, {CY: "admin"}], ids=["less", "more", "other"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_change_for_others_leaves_alone_what_was_changed_by_hand(
    api: FakeApi, role: str | None, edit: dict[str, str], fails: bool
) -> None:
    """No preview has named the person; a refresh does, and the `up` after it gives the declared role again."""
    outs = created(api)
    api.rows = [row for row in api.rows if row.email != BO]
    if role is not None:
        api.give(PRODUCTION, BO, role)
    there, news = {} if role is None else {BO: role}, shared({BO: "analyst", **edit})
    if fails:
        provider, new = group(api), REFUSED
        with pytest.raises(errors.Invalid, match=f"not for 1 of .*{new}") as failed:
            provider.update(ID, outs, {**news, "grants": {**news["grants"], new: "analyst"}})
        assert failed.value.kept is not None
        outs = dict(failed.value.kept[1])
    else:
        outs = dict(group(api).update(ID, outs, news).outs or {})
        assert not group(api).diff(ID, outs, news).changes
    assert held(api) == {**there, **edit}
    assert (outs["grants"], BO in outs.get("lost", ())) == ({BO: "analyst", **edit}, False)
    outs = refreshed(api, outs)
    assert outs["grants"] == {**there, **edit}
    assert group(api).diff(ID, outs, news).changes
    group(api).update(ID, outs, news)
    assert held(api) == {BO: "analyst", **edit}


def test_the_preview_says_who_loses_a_grant_and_the_brake_holds_too_many(api: FakeApi) -> None:
    """A group is one resource of a preview: an empty list in it must not take hundreds of grants away unseen."""
    people = {f"s{number}@example.com": "consumer" for number in range(5)}
    for email in people:
        api.put(email)
    outs = created(api, people)
    said: list[str] = []
    few = dict(list(people.items())[2:])
    assert group(api, said).check(shared(people), shared(few)).failures == []
    assert said == [
        f"project {PRODUCTION}: 2 grants to be taken away, with one request each: s0@example.com, s1@example.com"
    ]
    (failure,) = group(api).check(shared(people), shared({})).failures
    assert "[grantShare]" in failure.reason
    with pytest.raises(errors.Refused, match="grantShare"):
        group(api).update(ID, outs, shared({}))


@pytest.mark.parametrize(("value", "left"), [(True, None), (False, False), (None, None)])
def test_the_default_is_not_in_the_state(api: FakeApi, value: bool | None, left: bool | None) -> None:
    """A resource that alone has its project has the state of earlier versions."""
    assert (
        group(api).check({}, {**shared({BO: "analyst", DI: "admin"}), "exclusive": value}).inputs.get("exclusive")
        is left
    )


@pytest.mark.parametrize(("keeps", "value", "words"), [(False, False, "server"), (True, "no", "not true or false")])
def test_where_it_cannot_be_shared(api: FakeApi, keeps: bool, value: Any, words: str) -> None:
    """The SDK's server forgets what a failed update has done; one line says which server keeps it."""
    provider = group(api)
    provider.handler.keeps = keeps
    (failure,) = provider.check({}, shared(exclusive=value)).failures
    assert failure.property == "exclusive"
    assert words in failure.reason


# With single grants in one program


@pytest.mark.parametrize("group_first", [True, False])
@pytest.mark.parametrize(("email", "refused"), [(BO, True), ("BO@Example.com", True), (ANA, False)])
def test_one_person_is_declared_in_one_way(api: FakeApi, email: str, refused: bool, group_first: bool) -> None:
    """Whichever is checked later is told; people who are in one of the two only are fine."""
    session, _ = make_session(api)
    checks: list[tuple[AccessProvider, dict[str, Any]]]
    checks = [(group_in(session), shared()), (single_in(session), one(email, "analyst"))]
    order = checks if group_first else checks[::-1]
    first, second = ([failure.reason for failure in made.check({}, news).failures] for made, news in order)
    assert first == []
    assert ["with a ProjectGrant and with a ProjectAccess" in reason for reason in second] == [True] * refused


def test_two_addresses_of_one_person_are_refused(api: FakeApi) -> None:
    """Somebody's address has changed in the product: each of the two would undo the other."""
    session, _ = make_session(api)
    session.directory.remember("old@example.com", api.people[BO].user_id or 0)
    (failure,) = group_in(session).check({}, shared({BO: "analyst", "old@example.com": "admin"})).failures
    assert "are one person in Mixpanel by now" in failure.reason


def test_moving_from_single_grants_and_back_writes_nothing(api: FakeApi) -> None:
    """Each adopts what is there, and the other goes without taking anything away; also one person alone."""
    for email, role in BO_CY.items():
        api.give(PRODUCTION, email, role)
    session, _ = make_session(api)
    assert group_in(session).check({}, shared()).failures == []
    outs = dict(group_in(session).create(shared()).outs or {})
    for email, role in BO_CY.items():
        single_in(session).delete(f"{ID}:{email}", one(email, role))
    session, _ = make_session(api)  # back, one after the other
    assert single_in(session).check({}, one(CY, "consumer")).failures == []
    single_in(session).create(one(CY, "consumer"))
    less = shared({BO: "analyst"})
    assert group_in(session).check(shared(), dict(less)).failures == []
    outs = dict(group_in(session).update(ID, outs, less).outs or {})
    assert outs["undeclared"] == [DI]
    session, _ = make_session(api)
    single_in(session).check({}, one(BO, "analyst"))
    single_in(session).create(one(BO, "analyst"))
    group_in(session).delete(ID, outs)
    assert (held(api), api.writes) == (BO_CY, [])


class Overlapping(FakeApi):
    """Runs another operation while a grant is taken away."""

    meanwhile: Thread | None = None

    def remove_grants(self, email: str, projects: Iterable[int]) -> None:
        if self.meanwhile is not None:
            self.meanwhile.start()
            self.meanwhile.join(0.2)
        super().remove_grants(email, projects)


def test_a_single_grant_that_comes_while_its_group_lets_it_go_is_there_in_the_end() -> None:
    """The engine may update the group before it asks about the single grant."""
    api = Overlapping()
    api.put(ANA, "owner")
    for email in BO_CY:
        api.put(email)
    outs = created(api)
    session, _ = make_session(api)

    def come() -> None:
        assert single_in(session).check({}, one(CY, "consumer")).failures == []
        single_in(session).create(one(CY, "consumer"))

    api.meanwhile = Thread(target=come)
    group_in(session).update(ID, outs, shared({BO: "analyst"}))
    api.meanwhile.join()
    assert held(api) == BO_CY


def test_a_renamed_group_takes_away_whom_it_no_longer_declares(api: FakeApi) -> None:
    """The new name adopts the others, and the old one goes with the person who was left out."""
    outs = created(api)
    session, _ = make_session(api)
    less = shared({BO: "analyst"})
    group_in(session).check({}, dict(less))
    group_in(session).create(less)
    group_in(session).delete(ID, outs)
    assert held(api) == {BO: "analyst"}


# From and to a project of its own


def test_a_project_that_is_shared_from_now_on_keeps_who_was_added_by_hand(api: FakeApi) -> None:
    """They stood in the state of the exclusive resource; whom it declared and the new inputs do not, goes."""
    for email, role in BO_CY.items():
        api.give(PRODUCTION, email, role)
    alone = {"project_id": PRODUCTION, "grants": {**BO_CY, DI: "admin"}, "undeclared": [DI], "beside": {}}
    less = shared({BO: "analyst"})
    assert group(api).diff(ID, alone, less).changes
    outs = dict(group(api).update(ID, alone, less).outs or {})
    assert (outs["grants"], outs["exclusive"], outs["undeclared"]) == ({BO: "analyst"}, False, [DI])
    assert held(api) == {BO: "analyst"}


def test_a_project_that_is_shared_no_longer_takes_away_who_was_added_by_hand() -> None:
    """The preview names them."""
    api = FakeApi()
    for email in (ANA, BO, CY):
        api.put(email, "owner" if email == ANA else "member")
    api.give(PRODUCTION, ANA, "analyst")
    outs = created(api)
    alone = {"project_id": PRODUCTION, "grants": BO_CY}
    said: list[str] = []
    assert group(api, said).check(outs, dict(alone)).failures == []
    assert any(f"1 grant to be taken away, with one request each: {ANA}" in line for line in said)
    outs = dict(group(api).update(ID, outs, alone).outs or {})
    assert (held(api), outs["undeclared"], "exclusive" in outs) == (BO_CY, [], False)


def test_what_was_imported_and_is_shared_then_takes_nothing_away(api: FakeApi) -> None:
    """An import reads everybody, and does not know whom the program declares."""
    for email, role in BO_CY.items():
        api.give(PRODUCTION, email, role)
    outs = refreshed(api, dict(group(api).read(ID, {}).outs or {}))
    outs = dict(group(api).update(ID, outs, shared({BO: "analyst"})).outs or {})
    assert (outs["grants"], outs["undeclared"], api.writes) == ({BO: "analyst"}, [CY, DI], [])
    outs = dict(group(api).update(ID, outs, shared()).outs or {})
    group(api).update(ID, outs, shared({BO: "analyst"}))
    assert held(api) == {BO: "analyst"}


# Other stacks


def states_of(session: Session, **resources: ExportedResource) -> None:
    """Have the other stacks hold these, by their rosters too."""
    states = session.states = FakeStates(own="production", production=[])
    states.members |= {stack: [] for stack in resources}
    states.others_of = {stack: [resource] for stack, resource in resources.items()}
    states.rosters = {stack: frozenset({CY, DI}) for stack in resources}
    given = Declaration({CY: {}, DI: {}}, {(PRODUCTION, CY): {}, (PRODUCTION, DI): {}}, (), {}, {}, ())
    states.given = dict.fromkeys(resources, given)


OTHER_STACKS = {
    "by itself": ExportedResource(GRANT_TYPE, "urn::x", f"{ID}:{CY}", one(CY, "consumer")),
    "in a group": ExportedResource(PROJECT_ACCESS_TYPE, "urn::x", ID, shared({CY: "consumer", DI: "admin"})),
}


@pytest.mark.parametrize("theirs", OTHER_STACKS.values(), ids=OTHER_STACKS.keys())
def test_what_another_stack_gives_is_not_taken_away_and_not_undeclared(api: FakeApi, theirs: ExportedResource) -> None:
    """Two stacks may each have some of the people of one project."""
    outs = created(api)
    session, said = make_session(api)
    states_of(session, staging=theirs)
    outs = dict(group_in(session).update(ID, outs, shared({BO: "analyst"})).outs or {})
    assert held(api) == BO_CY
    assert any(f"{CY} in project {PRODUCTION}: nothing is taken away" in line for line in said)
    assert outs["undeclared"] == ([] if theirs.type == PROJECT_ACCESS_TYPE else [DI])


def test_a_stack_that_alone_has_a_project_warns_of_what_another_one_gives() -> None:
    """The preview says whose grants go that another stack gives, before they go back and forth."""
    api = FakeApi()
    for email in (ANA, BO, CY):
        api.put(email, "owner" if email == ANA else "member")
    api.give(PRODUCTION, CY, "consumer")
    session, said = make_session(api)
    states_of(session, staging=OTHER_STACKS["by itself"])
    group_in(session).check({}, {"project_id": PRODUCTION, "grants": {BO: "analyst"}})
    (line,) = [line for line in said if line.startswith("warning: ")]
    assert f"the stack staging gives the grants of {CY}" in line
    assert "exclusive=False" in line


# For each person, whatever comes of the others


@pytest.mark.parametrize("bad", [errors.Invalid("cannot grant", why="Mixpanel answered 400"), errors.Forbidden("no")])
def test_one_who_is_refused_holds_nobody_else_up_and_the_state_keeps_what_was_done(
    api: FakeApi, bad: errors.AccessError
) -> None:
    """The error names the one; the next run does the rest, and nothing twice."""
    outs = created(api, {CY: "consumer"})
    api.put("eve@example.com")
    more = shared({BO: "analyst", ANA: "consumer", "eve@example.com": "analyst"})
    api.faults["grant"] = [bad, bad]  # of all together, and of the first alone
    with pytest.raises(type(bad), match="not for 1 of 4 people") as caught:
        group(api).update(ID, outs, more)
    assert len(held(api)) == 2
    id_, left = caught.value.kept or ("", {})
    assert (id_, left["exclusive"], left["grants"]) == (ID, False, held(api))
    api.sent.clear()
    outs = dict(group(api).update(ID, dict(left), more).outs or {})
    assert held(api) == outs["grants"] == more["grants"]
    assert api.writes == ["grant"]


def test_who_loses_a_grant_loses_it_before_anybody_is_invited(api: FakeApi) -> None:
    """A removal never waits for Mixpanel's limit."""
    outs = created(api)
    api.sent.clear()
    group(api).update(ID, outs, shared({BO: "analyst", "nia@example.org": "analyst"}))
    assert api.writes == ["remove_grants", "grant"]


def test_who_waits_for_the_limit_as_a_member_is_left_alone(api: FakeApi) -> None:
    """The program's `Members` invites them, and says so: the others get their grants, and one short line says when.

    The state does not have them.
    """
    strangers = {f"s{number}@example.org": "analyst" for number in range(9)}
    session, said = make_session(api)
    session.declare(strangers)
    limit = errors.RateLimited("cannot invite", why="too many invitations")
    limit.retry_after = 3600.0
    session.directory.closed["example.org"] = Closed(limit)
    declared = shared({**BO_CY, **strangers})
    assert group_in(session).check({}, dict(declared)).failures == []
    assert not [line for line in said if "invited with the grant" in line]
    outs = group_in(session).create(declared).outs or {}
    (line,) = [line for line in said if "9 grants wait for Mixpanel's hourly limit on invitations" in line]
    assert line.endswith("and 4 others). Run `pulumi up` again from 2026-05-04 13:00 UTC.")
    assert (held(api), api.writes) == (BO_CY, ["grant"])
    assert (outs["grants"], outs.get("lost")) == (BO_CY, None)


def test_whose_removal_was_held_keeps_the_grant(api: FakeApi) -> None:
    """With --continue-on-error the engine goes on after the brake: nobody in its plan loses a part."""
    outs = created(api)
    session, _ = make_session(api)
    everybody = frozenset(api.people)
    with pytest.raises(errors.Refused):
        session.brakes.hold("cannot go on", PlannedChanges(everybody))
    with pytest.raises(errors.Refused, match="not for 2 of 2 people"):
        group_in(session).delete(ID, outs)
    assert held(api) == BO_CY


def test_people_who_are_missing_everywhere_are_not_forgotten(api: FakeApi) -> None:
    """A list that lacks too many people at once is more likely wrong: what they were given stays in the state."""
    people = {f"s{number}@example.com": "consumer" for number in range(5)}
    for email in people:
        api.put(email)
    outs = created(api, {**people, **BO_CY})
    for email in people:
        del api.people[email]
    api.rows = [row for row in api.rows if row.email not in people]
    session, _ = make_session(api, limits=replace(RELEASED, released=frozenset({Brake.GRANT_SHARE})))
    with pytest.raises(errors.Refused, match="cannot change who has project") as caught:
        group_in(session).update(ID, outs, shared({ANA: "consumer"}))
    assert held(api) == {ANA: "consumer"}
    left = dict((caught.value.kept or ("", {}))[1])
    assert set(left["lost"]) >= set(list(people)[4:])
    with pytest.raises(errors.Refused):
        group(api, limits=replace(RELEASED, released=frozenset({Brake.GRANT_SHARE}))).update(
            ID, left, shared({ANA: "consumer"})
        )
