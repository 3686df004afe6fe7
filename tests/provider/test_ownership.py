"""Whose a person is: who was brought leaves with the last stack, who was found stays, and a role is given back."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from mixpanel_access.model.access import GrantType
from mixpanel_access.model.errors import Refused
from mixpanel_access.provider.leaving import removal_plan
from mixpanel_access.provider.member import MemberProvider
from tests.fake_states import FakeStates
from tests.fakes import NOW, ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session

CY = "cy@example.com"
ID = f"{ORGANIZATION}:{CY}"
MEMBER: dict[str, Any] = {"email": CY, "removal": "when_unused"}


@pytest.fixture
def api() -> FakeApi:
    """An organization with two owners."""
    api = FakeApi(own_role="owner")
    api.put("ana@example.com", "owner")
    api.put("omar@example.com", "owner")
    return api


def provider_for(api: FakeApi, states: FakeStates | None = None, **settings: Any) -> tuple[MemberProvider, list[str]]:
    """A provider in a session of its own over the fakes, and what it says."""
    session, said = make_session(api, **settings)
    if states is not None:
        session.states = states
    provider = MemberProvider()
    provider.use(session)
    return provider, said


def outputs(**more: Any) -> dict[str, Any]:
    """What a state holds of the person."""
    return {**MEMBER, "organization_role": "member", "status": "accepted", **more}


LEGACY = outputs(adopted=True)
ORIGINS: dict[str, tuple[bool, dict[str, list[dict[str, Any]]], frozenset[str], str | None]] = {
    # invited still?, what the other stacks hold, whom staging's roster declares, the origin
    "nobody else knows them": (False, {}, frozenset(), "found"),
    "invited by hand": (True, {"staging": []}, frozenset(), "found"),
    "another stack invited them": (
        False, {"staging": [outputs(adopted=False, origin="invited")]}, frozenset(), "shared",
    ),
    "another stack invited them with 0.1.0": (False, {"staging": [outputs(adopted=False)]}, frozenset(), "shared"),
    "another stack imported them": (
        False, {"staging": [outputs(adopted=True, origin="imported")]}, frozenset(), "shared",
    ),
    "a third stack shares them": (False, {"demo": [outputs(adopted=True, origin="shared")]}, frozenset(), "shared"),
    "another stack found them": (False, {"staging": [outputs(adopted=True, origin="found")]}, frozenset(), "found"),
    "one found them, one invited them again": (
        False,
        {"staging": [outputs(adopted=True, origin="found")], "demo": [outputs(adopted=False, origin="invited")]},
        frozenset(),
        "shared",
    ),
    "found, and said to be ours": (
        False, {"staging": [outputs(adopted=True, origin="found", ownership="ours")]}, frozenset(), "shared",
    ),
    "invited, and said to be found": (
        False, {"staging": [outputs(adopted=False, origin="invited", ownership="found")]}, frozenset(), "found",
    ),
    "0.1.0 does not say": (False, {"staging": [LEGACY]}, frozenset(), None),
    "another stack's run is inviting them": (True, {"staging": []}, frozenset({CY}), "shared"),
    "another stack will declare them": (False, {"staging": []}, frozenset({CY}), "found"),
}  # fmt: skip


@pytest.mark.parametrize(("invited", "others", "declared", "origin"), ORIGINS.values(), ids=ORIGINS.keys())
def test_somebody_who_is_there_is_found_unless_another_stack_brought_them(
    api: FakeApi, invited: bool, others: dict[str, Any], declared: frozenset[str], origin: str | None
) -> None:
    """Decided once, when the stack first declares them; nobody is invited for it."""
    api.put(CY, invited=invited)
    states = FakeStates(production=[], **others)
    states.rosters["staging"] = declared
    provider, said = provider_for(api, states)
    outs = provider.create(dict(MEMBER)).outs or {}
    assert (outs.get("origin"), outs["adopted"]) == (origin, True)
    assert (api.writes, said) == ([], [])
    assert (provider.read(ID, outs).outs or {}).get("origin") == origin


def test_the_states_are_read_once_for_all_people_who_are_new_to_the_stack(api: FakeApi) -> None:
    """An invitation and a hundred people who are there cost one reading."""
    states = FakeStates(production=[], staging=[])
    provider, _ = provider_for(api, states)
    for n in range(100):
        api.put(f"m{n}@example.com")
    assert (provider.create(dict(MEMBER)).outs or {})["origin"] == "invited"
    assert states.readings == 1
    for n in range(100):
        provider.create({**MEMBER, "email": f"m{n}@example.com"})
    assert states.readings == 1


def test_a_waiting_person_is_not_called_found_from_an_old_reading(api: FakeApi) -> None:
    """Another stack's run may have invited them since."""
    states = FakeStates(production=[], staging=[])
    provider, _ = provider_for(api, states)
    api.put(CY, invited=True)
    provider.create({**MEMBER, "email": "ana@example.com"})
    states.members["staging"].append(outputs(adopted=False, origin="invited"))
    states.now += 60
    assert (provider.create(dict(MEMBER)).outs or {})["origin"] == "shared"


@pytest.mark.parametrize("known", [[], [outputs(adopted=True, origin="found")], [LEGACY]])
def test_unreadable_states_mean_found_and_it_is_said_once(api: FakeApi, known: list[dict[str, Any]]) -> None:
    """The conservative answer, with the field that corrects it."""
    states = FakeStates(None, why="`pulumi stack ls` cannot be run", staging=known)
    provider, said = provider_for(api, states)
    for email in (CY, "di@example.com"):
        api.put(email)
    for email in (CY, "di@example.com"):
        assert (provider.create({**MEMBER, "email": email}).outs or {})["origin"] == "found"
    (line,) = said
    assert CY in line
    assert "`pulumi stack ls` cannot be run" in line
    assert "ownership: ours" in line


def test_what_one_readable_state_says_needs_no_other(api: FakeApi) -> None:
    """A stack that invited them settles it, whatever the unreadable ones hold."""
    api.put(CY)
    states = FakeStates(why="stack demo: no passphrase", staging=[outputs(adopted=False, origin="invited")])
    provider, said = provider_for(api, states)
    assert ((provider.create(dict(MEMBER)).outs or {})["origin"], said) == ("shared", [])


HISTORY = {
    "origin": "invited",
    "adopted": False,
    "previous_role": "billing_admin",
}


@pytest.mark.parametrize("first", ["created", "deleted"])
@pytest.mark.parametrize(
    "before",
    [HISTORY, {"origin": "imported", "adopted": True}, {"origin": "found", "adopted": True}, {"adopted": True}],
    ids=["invited", "imported", "found", "0.1.0"],
)
def test_another_name_takes_over_whose_a_person_is(api: FakeApi, first: str, before: dict[str, Any]) -> None:
    """Whether the engine creates the new resource first, or deletes the old one first."""
    api.put(CY)
    old = outputs(**before)
    states = FakeStates(production=[old], staging=[outputs(adopted=True, origin="found")])
    provider, _ = provider_for(api, states)
    assert provider.check({}, dict(MEMBER)).failures == []
    if first == "deleted":
        provider.delete(ID, old)
        states.members["production"] = []
    outs = provider.create(dict(MEMBER)).outs or {}
    assert {key: outs.get(key) for key in HISTORY} == {key: before.get(key) for key in HISTORY}
    assert api.writes == []


def test_an_expired_invitation_is_sent_again_under_another_name(api: FakeApi) -> None:
    """The new resource knows when the old one sent it."""
    api.put(CY, invited=True)
    old = outputs(adopted=False, origin="invited", status="pending", invited_at="2026-04-01T00:00:00Z",
                  expires_at="2026-04-08T00:00:00Z")  # fmt: skip
    provider, _ = provider_for(api, FakeStates(production=[old]))
    outs = provider.create(dict(MEMBER)).outs or {}
    assert (outs["status"], outs["invited_at"], api.writes) == ("pending", "2026-05-04T12:00:00Z", ["invite"])


def test_whom_we_invite_again_is_ours(api: FakeApi) -> None:
    """Somebody found who left and is invited by this stack is invited, and had no role before."""
    provider, _ = provider_for(api)
    old = outputs(adopted=True, origin="found", role="member", previous_role="admin")
    outs = provider.update(ID, old, {**MEMBER, "role": "admin"}).outs or {}
    assert (outs["origin"], outs["adopted"], outs.get("previous_role")) == ("invited", False, None)


ENDS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    # outputs, what else is so, whether they leave
    "invited": ({"origin": "invited", "adopted": False}, {}, True),
    "imported": ({"origin": "imported", "adopted": True}, {}, True),
    "shared": ({"origin": "shared", "adopted": True}, {}, True),
    "found": ({"origin": "found", "adopted": True}, {}, False),
    "found, removal always": ({"origin": "found", "adopted": True, "removal": "always"}, {}, True),
    "found, said to be ours": ({"origin": "found", "adopted": True, "ownership": "ours"}, {}, True),
    "invited, said to be found": ({"origin": "invited", "adopted": False, "ownership": "found"}, {}, False),
    "invited by 0.1.0": ({"adopted": False}, {}, True),
    "0.1.0 does not say": ({"adopted": True}, {}, True),
    "0.1.0 does not say, settled": ({"adopted": True, "ownership": "found"}, {}, False),
    "invited, and another stack gives them something": ({"origin": "invited"}, {"grant": True}, False),
    "invited, removal never": ({"origin": "invited", "removal": "never"}, {}, False),
    "shared, and another roster declares them without a grant": ({"origin": "shared"}, {"roster": True}, False),
    "shared, and another stack's state alone has them": ({"origin": "shared"}, {"state": True}, True),
}


@pytest.mark.parametrize(("held", "more", "gone"), ENDS.values(), ids=ENDS.keys())
def test_whom_a_stack_brought_leaves_with_the_last_entry_and_whom_it_found_stays(
    api: FakeApi, held: dict[str, Any], more: dict[str, Any], gone: bool
) -> None:
    """Also where the stacks end in the same night: another one's state alone keeps nobody."""
    api.put(CY)
    if more.get("grant"):
        api.give(WAREHOUSE, CY, "consumer")
    states = FakeStates(production=[outputs(**held)], staging=[LEGACY] if {"roster", "state"} & more.keys() else [])
    states.rosters["staging"] = frozenset({CY} if more.get("roster") else ())
    provider, said = provider_for(api, states)
    provider.delete(ID, outputs(**held))
    assert (CY not in api.people) is gone
    assert bool(said) is not gone
    if held.get("origin") == "found" and not gone:
        assert "they were in the organization before" in said[0]
    assert any("declared by the stack staging too" in line for line in said) is bool(more.get("roster"))


BELIEVED: dict[str, tuple[dict[str, Any], str, bool, str]] = {
    # what the other stack's state has besides, whether all states can be read, whether they stay, the role after it
    "no end": ({}, "", True, "member"),
    "it ends today": ({"ends": f"{NOW:%Y-%m-%d}"}, "", True, "member"),
    "it ended yesterday": ({"ends": f"{NOW - timedelta(days=1):%Y-%m-%d}"}, "", False, "member"),
    "no end, with the role": ({"role": "admin"}, "", True, "admin"),
    "ended, and a state cannot be read": ({"ends": "2026-01-01"}, "stack demo: locked", True, "member"),
}  # fmt: skip


@pytest.mark.parametrize(("more", "why", "stays", "role"), BELIEVED.values(), ids=BELIEVED.keys())
@pytest.mark.parametrize("waits", [False, True], ids=["member", "invited"])
def test_a_state_whose_roster_cannot_be_asked_is_believed_until_its_end(
    api: FakeApi, more: dict[str, Any], why: str, stays: bool, role: str, waits: bool
) -> None:
    """Unknown is not absent: also of an invited person, whose grants Mixpanel hides. Our role ends in any case."""
    api.put(CY, "admin", invited=waits)
    api.hides_invited_grants = True
    state = outputs(origin="invited", adopted=False, role="admin")
    states = FakeStates(why=why, production=[state], staging=[outputs(adopted=True, origin="shared", **more)])
    provider, said = provider_for(api, states)
    plan = removal_plan(provider.session, [{"email": CY, "removal": "when_unused", "role": "admin"}])
    assert (CY in plan.removals) is not stays
    provider.delete(ID, state)
    assert (CY in api.people) is stays
    if stays:
        assert api.people[CY].role == role
        assert len(said) == 1
        assert (f"can be read ({why})" in said[0]) is bool(why)


def test_nobody_leaves_while_states_cannot_be_read(api: FakeApi) -> None:
    """A stack that cannot be read may hold them; it is said why. Who is to go always goes."""
    for removal, stays in (("when_unused", True), ("always", False)):
        api.put(CY)
        state = outputs(origin="invited", adopted=False, removal=removal)
        provider, said = provider_for(api, FakeStates(why="stack demo: locked", production=[state]))
        provider.delete(ID, state)
        assert (CY in api.people) is stays
        assert [line for line in said if "cannot be told" in line or "can be read (stack demo: locked)" in line] == said
        assert bool(said) is stays


def test_a_stack_that_nobody_names_is_told_by_what_it_holds(api: FakeApi) -> None:
    """Plain destroy: a person's own state is not another stack that declares them."""
    api.put(CY)
    own = outputs(origin="invited", adopted=False)
    states = FakeStates(None, production=[own], staging=[])
    states.rosters["production"] = frozenset({CY})
    provider_for(api, states)[0].delete(ID, own)
    assert CY not in api.people


def test_two_stacks_that_end_at_once_leave_nobody(api: FakeApi) -> None:
    """The grants are read again before anybody stays: the other stack may have taken its own away meanwhile."""
    api.put(CY)
    api.give(WAREHOUSE, CY, "consumer")  # the other stack's
    provider, said = provider_for(api)
    assert provider.session.directory.access(WAREHOUSE, CY).individual == "consumer"
    api.rows.clear()
    provider.delete(ID, outputs(origin="invited", adopted=False))
    assert (CY not in api.people, said) == (True, [])


ROLES: dict[str, tuple[str, dict[str, Any], str]] = {
    # the role that they have, outputs, the role that they are left with
    "had none": ("admin", {"role": "admin"}, "member"),
    "were member": ("admin", {"role": "admin", "previous_role": "member"}, "member"),
    "were billing admin": ("owner", {"role": "owner", "previous_role": "billing_admin"}, "billing_admin"),
    "billing admin, were member": ("billing_admin", {"role": "billing_admin"}, "member"),
    "were the same before": ("admin", {"role": "admin", "previous_role": "admin"}, "admin"),
    "never raised": ("member", {"role": "member", "previous_role": "admin"}, "member"),
    "lowered by hand": ("member", {"role": "admin", "previous_role": "billing_admin"}, "member"),
    "raised by hand": ("owner", {"role": "admin"}, "member"),
    "imported": ("admin", {"role": "admin", "origin": "imported"}, "member"),
    "of 0.1.0": ("admin", {"role": "admin", "origin": None}, "member"),
    "not declared here": ("admin", {}, "admin"),
    "a word that we do not know": ("auditor", {"role": "auditor", "previous_role": "auditor"}, "auditor"),
}  # fmt: skip


@pytest.mark.parametrize(("has", "held", "left"), ROLES.values(), ids=ROLES.keys())
@pytest.mark.parametrize("how", ["entry ends", "line deleted", "line deleted, another name", "removal never", "found"])
def test_a_role_that_the_stack_gave_ends_with_it(
    api: FakeApi, has: str, held: dict[str, Any], left: str, how: str
) -> None:
    """However the person stays, they are lowered to what they had before, and nobody is raised."""
    api.put(CY, has)
    api.give(WAREHOUSE, CY, "consumer")
    state = outputs(adopted=True, origin="shared", organization_role=has)
    state |= {"removal": "never"} if how == "removal never" else {"origin": "found"} if how == "found" else {}
    state = {key: value for key, value in (state | held).items() if value is not None}
    provider, said = provider_for(api)
    if how == "line deleted":
        news = dict(MEMBER)
        changes = provider.diff(ID, state, news).changes
        assert changes is ("role" in held)
        assert any(f"becomes {left} again" in line for line in said) is (left != has)
        outs = provider.update(ID, state, news).outs or {}
        assert (outs["organization_role"], outs.get("role"), outs.get("previous_role")) == (left, None, None)
    elif how == "line deleted, another name":
        provider.session.states = FakeStates(production=[state])
        outs = provider.create(dict(MEMBER)).outs or {}
        assert (outs["organization_role"], outs.get("role"), outs.get("previous_role")) == (left, None, None)
    else:
        provider.delete(ID, state)
        assert any(f"becomes {left} again" in line for line in said) is (left != has)
    assert api.people[CY].role == left
    assert api.calls["change_role"] == (left != has)


@pytest.mark.parametrize("how", ["entry ends", "line deleted"])
def test_the_last_owner_stays_owner(api: FakeApi, how: str) -> None:
    """The brakes hold what is given back too, and the state keeps it."""
    api.people.pop("ana@example.com")
    api.put("omar@example.com", "owner")
    state = outputs(email="omar@example.com", role="owner", removal="never", adopted=True, origin="found")
    provider, _ = provider_for(api)
    id_, news = ID.replace(CY, "omar@example.com"), {**MEMBER, "email": "omar@example.com"}
    end = partial(provider.update, id_, state, news) if how == "line deleted" else partial(provider.delete, id_, state)
    with pytest.raises(Refused, match="without an owner"):
        end()
    assert api.people["omar@example.com"].role == "owner"


BEFORE: dict[str, tuple[str, list[dict[str, Any]], str | None]] = {
    # the role that they have when this stack gives them one, what another stack holds, the role before
    "by hand": ("billing_admin", [], "billing_admin"),
    "a plain member": ("member", [], "member"),
    "another stack gave it": ("admin", [outputs(role="admin", origin="invited", previous_role="member")], "member"),
    "another stack gave it to a billing admin": (
        "admin", [outputs(role="admin", origin="found", previous_role="billing_admin")], "billing_admin",
    ),
    "another stack gives another": ("owner", [outputs(role="admin", origin="found")], "owner"),
}  # fmt: skip


@pytest.mark.parametrize(("has", "other", "before"), BEFORE.values(), ids=BEFORE.keys())
@pytest.mark.parametrize("later", [False, True], ids=["at first", "later"])
def test_the_role_before_is_what_no_stack_gave(
    api: FakeApi, has: str, other: list[dict[str, Any]], before: str | None, later: bool
) -> None:
    """Kept when the role is first declared, and not changed by another declared role after it."""
    api.put(CY, has)
    provider, _ = provider_for(api, FakeStates(production=[], staging=other))
    declared = {**MEMBER, "role": "admin"}
    if later:
        outs = provider.update(ID, outputs(adopted=True, origin="found", organization_role=has), declared).outs or {}
    else:
        outs = provider.create(declared).outs or {}
    assert outs["previous_role"] == before
    again = provider.update(ID, outs, {**MEMBER, "role": "owner"}).outs or {}
    assert (again["role"], again["previous_role"]) == ("owner", before)


def test_nobody_is_lowered_below_what_another_roster_declares(api: FakeApi) -> None:
    """The organization roles move from one roster to another; its state and its roster must both say so."""
    for declares, left in ((True, "admin"), (False, "member")):
        api.put(CY, "admin")
        states = FakeStates(production=[], staging=[outputs(role="admin", origin="shared")])
        states.rosters["staging"] = frozenset({CY} if declares else ())
        provider, _ = provider_for(api, states)
        provider.update(ID, outputs(role="admin", origin="invited", adopted=False), dict(MEMBER))
        assert api.people[CY].role == left


@pytest.mark.parametrize("grant", [GrantType.TEAM, GrantType.ALL_USERS])
def test_an_imported_person_leaves_as_if_invited(api: FakeApi, grant: GrantType) -> None:
    """What all users have keeps nobody; a team does."""
    api.put(CY)
    api.give(PRODUCTION, CY, "consumer", grant)
    provider_for(api)[0].delete(ID, outputs(origin="imported", adopted=True))
    assert (CY in api.people) is (grant is GrantType.TEAM)


@pytest.mark.parametrize("word", ["mine", "", 3])
def test_a_wrong_ownership_is_refused(api: FakeApi, word: object) -> None:
    """There are two choices; left out, the state decides."""
    (failure,) = provider_for(api)[0].check({}, {**MEMBER, "ownership": word}).failures
    assert (failure.property, "ours, found" in failure.reason) == ("ownership", True)


def test_settling_the_ownership_sends_no_request(api: FakeApi) -> None:
    """It is the state's alone."""
    provider, _ = provider_for(api)
    news = {**MEMBER, "ownership": "found"}
    assert provider.diff(ID, LEGACY, news).changes
    assert (provider.update(ID, LEGACY, news).outs or {})["ownership"] == "found"
    assert not api.calls


def test_now_is_the_day_of_the_others_rosters() -> None:
    """The clock that counts is the operation's."""
    days: list[object] = []
    states = FakeStates(production=[], staging=[outputs(origin="invited")])
    states._declared_in = lambda stack, day: days.append((stack, day))
    api = FakeApi(own_role="owner")
    api.put(CY)
    provider_for(api, states)[0].delete(ID, outputs(origin="shared"))
    assert days == [("staging", NOW.date())]


@pytest.mark.parametrize(
    ("invited", "begun", "origin"), [(True, True, "invited"), (True, False, "found"), (False, True, "found")]
)
def test_an_invitation_of_a_killed_run_is_ours(api: FakeApi, invited: bool, begun: bool, origin: str) -> None:
    """The next run finds the person waiting; else they would stay in the organization when their entry ends."""
    api.put(CY, invited=invited)
    states = FakeStates(production=[])
    states.begun = [MEMBER] if begun else []
    provider, _ = provider_for(api, states)
    assert provider.check({}, MEMBER).failures == []
    outs = provider.create(MEMBER).outs or {}
    assert (outs["origin"], outs["adopted"]) == (origin, origin == "found")
