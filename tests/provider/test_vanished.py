"""A refresh that misses more people than one operation may remove drops nobody from the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mixpanel_access.model.brakes import Limits
from mixpanel_access.model.errors import Refused
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.run import Run
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.team_member import TeamMemberProvider
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_directory, make_session

PEOPLE = [f"m{n}@example.com" for n in range(6)]
KINDS: dict[str, tuple[type[AccessProvider], str, dict[str, Any]]] = {
    "a member": (MemberProvider, "{o}:{e}", {"removal": "when_unused"}),
    "a grant": (ProjectGrantProvider, "{o}:1234567:{e}", {"project_id": PRODUCTION, "role": "analyst"}),
    "a membership in a team": (TeamMemberProvider, "{o}:77:{e}", {"team_id": 77}),
    "all grants of a project": (ProjectAccessProvider, "{o}:1234567", {"project_id": PRODUCTION}),
}


def organization(missing: int) -> FakeApi:
    """Six people of the stack and four others, without the first so many of the six."""
    api = FakeApi()
    for n in range(4):
        api.put(f"o{n}@example.com")
    for email in PEOPLE[missing:]:
        api.put(email)
        api.give(PRODUCTION, email, "analyst")
    api.teams.put("Data", *PEOPLE[missing:])
    return api


def outputs(email: str, kind: str) -> dict[str, Any]:
    """What the state holds of a resource."""
    who: dict[str, Any] = {"grants": dict.fromkeys(PEOPLE, "analyst")} if "all" in kind else {"email": email}
    return {**KINDS[kind][2], **who}


def refresh(provider: AccessProvider, kind: str, emails: list[str]) -> tuple[list[str], list[str]]:
    """Read the resources: which of them are gone, and what was refused."""
    gone, refused = [], []
    for email in emails:
        props = outputs(email, kind)
        try:
            if not provider.read(KINDS[kind][1].format(o=ORGANIZATION, e=email), props).id:
                gone.append(email)
        except Refused as error:
            refused.append(str(error))
    return gone, refused


def provider_for(api: FakeApi, kind: str, states: FakeStates | None, **settings: Any) -> AccessProvider:
    """A provider of a kind, in a session of its own."""
    provider = KINDS[kind][0]()
    session, _ = make_session(api, **settings)
    if states is not None:
        session.states = states
    provider.use(session)
    return provider


def states(stack: str | None = "production", staging: Sequence[dict[str, Any]] = ()) -> FakeStates:
    """The stack's six people."""
    return FakeStates(stack, production=[outputs(email, "a member") for email in PEOPLE], staging=staging)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("known", ["stack", "by what it holds"])
def test_too_many_missing_people_are_not_believed(kind: str, known: str) -> None:
    """Not one resource that is about them is dropped, in whatever order they come; one line says the way out."""
    provider = provider_for(organization(4), kind, states("production" if known == "stack" else None))
    gone, refused = refresh(provider, kind, PEOPLE)
    assert gone == []
    (words,) = refused
    for part in ("4 people of this stack's state are missing", "removalShare", "pulumi refresh --run-program", "m0@"):
        assert part in words
    assert "nobody was dropped" in words


@pytest.mark.parametrize("kind", ["a member", "a grant"])
def test_a_few_missing_people_are_dropped(kind: str) -> None:
    """Three may leave at once, as three may be removed."""
    gone, refused = refresh(provider_for(organization(3), kind, states()), kind, PEOPLE)
    assert (gone, refused) == (PEOPLE[:3], [])


def test_the_share_is_of_the_organization_with_those_who_are_missing() -> None:
    """Ten percent of a hundred is ten."""
    api = organization(4)
    for n in range(40):
        api.put(f"more{n}@example.com")
    assert refresh(provider_for(api, "a member", states()), "a member", PEOPLE)[0] == PEOPLE[:4]


@pytest.mark.parametrize(
    ("limits", "dropped"),
    [
        (Limits(released=frozenset({"removalShare"})), 4),
        (Limits(removal_percent=50), 4),
        (Limits(removal_minimum=4), 4),
        (Limits(released=frozenset({"grantShare"})), 0),
    ],
)
def test_the_removal_brake_decides(limits: Limits, dropped: int) -> None:
    """Released or widened, the refresh believes the list."""
    provider = provider_for(organization(4), "a member", states(), limits=limits)
    assert refresh(provider, "a member", PEOPLE)[0] == PEOPLE[:dropped]


def test_a_release_that_only_the_state_remembers_does_not_count() -> None:
    """A plain refresh runs with the configuration of the last `up`."""

    class Stale(Run):
        def fresh(self) -> bool:
            return False

    api = organization(4)
    settings = make_session(api, limits=Limits(released=frozenset({"removalShare"})))[0].settings
    session = Session(settings, make_directory(api), run=Stale())
    session.states = states(None)
    provider = MemberProvider()
    provider.use(session)
    assert refresh(provider, "a member", PEOPLE)[0] == []


def test_unreadable_states_never_drop_more_than_the_brake_allows() -> None:
    """Nobody knows then how many there are: the first three go, and the fourth stops it."""
    provider = provider_for(organization(6), "a member", FakeStates(None, why="no pulumi"))
    gone, refused = refresh(provider, "a member", PEOPLE)
    assert gone == PEOPLE[:3]
    assert len(refused) == 1


def test_another_stacks_missing_people_hold_nobody_up() -> None:
    """A stack that nobody has refreshed for a year is not this one."""
    old = [outputs(f"x{n}@example.com", "a member") for n in range(20)]
    provider = provider_for(organization(1), "a member", states(None, staging=old))
    assert refresh(provider, "a member", PEOPLE) == (PEOPLE[:1], [])


def test_the_states_are_read_only_if_somebody_is_missing() -> None:
    """A refresh of people who are all there asks the engine nothing."""
    held = states()
    assert refresh(provider_for(organization(0), "a member", held), "a member", PEOPLE) == ([], [])
    assert held.readings == 0


ONE_PERSON = ["a member", "a grant", "a membership in a team"]


def delete(provider: AccessProvider, kind: str, emails: list[str], **more: Any) -> list[str]:
    """Delete the resources; what was refused."""
    refused = []
    for email in emails:
        try:
            provider.delete(KINDS[kind][1].format(o=ORGANIZATION, e=email), {**outputs(email, kind), **more})
        except Refused as error:
            refused.append(str(error))
    return refused


def without(missing: int) -> FakeApi:
    """An organization whose list of people lacks so many of the stack, whom its project and team still list."""
    api = organization(0)
    for email in PEOPLE[:missing]:
        del api.people[email]
    return api


@pytest.mark.parametrize("missing", [1, 4, 6])
def test_a_grant_goes_whatever_the_list_of_people_says(missing: int) -> None:
    """The project's own list tells of whom there is a grant."""
    api = without(missing)
    assert delete(provider_for(api, "a grant", states()), "a grant", PEOPLE[:missing]) == []
    assert {grant.key for grant in api.rows} == set(PEOPLE[missing:])


@pytest.mark.parametrize("missing", [1, 4])
def test_a_place_goes_whatever_the_list_of_people_says(missing: int) -> None:
    """The team's own list tells who is in it."""
    api = without(missing)
    assert (
        delete(provider_for(api, "a membership in a team", states()), "a membership in a team", PEOPLE[:missing]) == []
    )
    assert api.teams.teams[77].members == frozenset(PEOPLE[missing:])


@pytest.mark.parametrize("grant_goes_first", [True, False])
def test_a_member_whom_a_project_lists_has_not_left(grant_goes_first: bool) -> None:
    """One missing person is believed to have left unless a project lists them, or did when their grant was deleted."""
    api = without(1)
    member = provider_for(api, "a member", states())
    if grant_goes_first:
        grant = ProjectGrantProvider()
        grant.use(member.session)
        assert delete(grant, "a grant", PEOPLE[:1]) == []
    (words,) = delete(member, "a member", PEOPLE[:1])
    assert "a project or a team lists them" in words


@pytest.mark.parametrize("kind", ONE_PERSON)
@pytest.mark.parametrize(("missing", "held"), [(1, 0), (3, 0), (4, 4), (6, 6)])
def test_a_deletion_believes_as_many_missing_people_as_may_be_removed(kind: str, missing: int, held: int) -> None:
    """Nobody lists them. If more are missing, each stays in the state, and each says why."""
    refused = delete(provider_for(organization(missing), kind, states()), kind, PEOPLE[:missing])
    assert len(refused) == held
    assert all("people of this stack's state are missing" in words and "removalShare" in words for words in refused)


@pytest.mark.parametrize(
    ("more", "limits"),
    [
        ({}, Limits(released=frozenset({"removalShare"}))),
        ({"ends": "2026-05-03"}, Limits()),
        ({"status": "pending"}, Limits()),
    ],
    ids=["released", "ended as planned", "only invited"],
)
def test_those_who_may_well_be_gone_go(more: dict[str, Any], limits: Limits) -> None:
    """The brake is released; another stack has removed who ended on the same day; an invitation was cancelled."""
    held = FakeStates("production", production=[{**outputs(email, "a member"), **more} for email in PEOPLE])
    provider = provider_for(organization(4), "a member", held, limits=limits)
    assert delete(provider, "a member", PEOPLE[:4], **more) == []


def test_whom_the_run_itself_removes_is_not_missing() -> None:
    """A destroy removes everybody, and what is deleted after a person is gone with them."""
    api = organization(0)
    provider = provider_for(api, "a member", states(), limits=Limits(released=frozenset({"removalShare"})))
    assert delete(provider, "a member", PEOPLE, removal="always") == []
    grants = ProjectGrantProvider()
    grants.use(provider.session)
    provider.session.brakes._limits = Limits()
    assert delete(grants, "a grant", PEOPLE) == []
