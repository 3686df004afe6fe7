"""What another stack gives too is not taken away: a project or a team moves from one roster to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.resources import (
    CUSTOM_ROLE_TYPE,
    GRANT_TYPE,
    PROJECT_ACCESS_TYPE,
    TEAM_GRANT_TYPE,
    TEAM_MEMBER_TYPE,
)
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.states import ExportedResource
from mixpanel_access.provider.team_grant import TeamGrantProvider
from mixpanel_access.provider.team_member import TeamMemberProvider
from tests.fake_roles import role_id
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_session

CY, TEAM = "cy@example.com", 77
NOTHING = Declaration({}, {}, (), {}, {}, ())
TEAMS: Mapping[str, Mapping[str, Any]] = {"data": {"name": "Data"}}
ROLE = {"project_id": PRODUCTION, "name": "Support", "permissions": ["share"], "role_id": role_id(1)}

Kind = tuple[type[AccessProvider], str, str, dict[str, Any], Declaration]
KINDS: dict[str, Kind] = {
    "a grant": (
        ProjectGrantProvider, GRANT_TYPE, f"{ORGANIZATION}:{PRODUCTION}:{CY}",
        {"project_id": PRODUCTION, "email": CY, "role": "analyst"},
        Declaration({CY: {}}, {(PRODUCTION, CY): {}}, (), {}, {}, ()),
    ),
    "a project's grants": (
        ProjectAccessProvider, PROJECT_ACCESS_TYPE, f"{ORGANIZATION}:{PRODUCTION}",
        {"project_id": PRODUCTION, "grants": {CY: "analyst"}},
        Declaration({CY: {}}, {(PRODUCTION, CY): {}}, (), {}, {}, ()),
    ),
    "a membership in a team": (
        TeamMemberProvider, TEAM_MEMBER_TYPE, f"{ORGANIZATION}:{TEAM}:{CY}", {"team_id": TEAM, "email": CY},
        Declaration({CY: {}}, {}, (), {}, {}, (), teams=TEAMS, team_members={("data", CY): {}}),
    ),
    "a team's role": (
        TeamGrantProvider, TEAM_GRANT_TYPE, f"{ORGANIZATION}:{PRODUCTION}:{TEAM}",
        {"team_id": TEAM, "project_id": PRODUCTION, "role": "consumer"},
        Declaration({}, {}, (), {}, {}, (), teams=TEAMS, team_grants={(PRODUCTION, "data"): {}}),
    ),
    "a custom role": (
        CustomRoleProvider, CUSTOM_ROLE_TYPE, f"{ORGANIZATION}:{PRODUCTION}:{role_id(1)}", ROLE,
        Declaration({}, {}, (), {}, {}, (), custom_roles={"support": ROLE}),
    ),
}  # fmt: skip
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@pytest.fixture
def api() -> FakeApi:
    """An organization in which all of that is there."""
    api = FakeApi(own_role="owner")
    api.put("ana@example.com", "owner")
    api.put(CY)
    api.give(PRODUCTION, CY, "analyst")
    api.teams.put("Data", CY, projects={PRODUCTION: "consumer"})
    api.custom_roles.put(PRODUCTION, "Support", "share")
    return api


def run(
    api: FakeApi, kind: Kind, *, own: str | None = "production", roster: Declaration | None = None, **more: Any
) -> tuple[AccessProvider, FakeStates, list[str]]:
    """A run of the stack production, which no longer declares what staging has too."""
    made, type_, id_, props, given = kind
    session, said = make_session(api)
    states = session.states = FakeStates(own=own, production=[], staging=[])
    states.others_of = {
        "production": [ExportedResource(type_, "urn::production", id_, props)],
        "staging": [ExportedResource(type_, "urn::staging", id_, {**props, **more})],
    }
    declared = given if roster is None else roster
    states.rosters, states.given = {"staging": frozenset(declared.members)}, {"staging": declared}
    provider = made()
    provider.use(session)
    return provider, states, said


@kinds
def test_what_another_stack_gives_is_not_taken_away(api: FakeApi, kind: Kind) -> None:
    """Its run came first and has adopted it; the removal says whose it is."""
    provider, _, said = run(api, kind)
    provider.delete(kind[2], kind[3])
    assert api.writes == []
    assert [line for line in said if "the stack staging gives it too" in line]


@kinds
def test_it_goes_if_the_other_stack_no_longer_gives_it_either(api: FakeApi, kind: Kind) -> None:
    """The state of the other stack still has it, and its roster does not: both end in one night."""
    provider, _, _ = run(api, kind, roster=NOTHING)
    provider.delete(kind[2], kind[3])
    assert api.writes != []


@kinds
def test_without_a_roster_the_last_day_in_the_other_state_counts(api: FakeApi, kind: Kind) -> None:
    """A program of one's own has no roster that could be asked."""
    provider, states, _ = run(api, kind)
    states.rosters = {}
    provider.delete(kind[2], kind[3])
    assert api.writes == []
    if kind[0] is CustomRoleProvider:
        return  # which has no end
    provider, states, _ = run(api, kind, ends="2020-01-31")
    states.rosters = {}
    provider.delete(kind[2], kind[3])
    assert api.writes != []


@kinds
def test_offboarding_takes_it_from_each_stack(api: FakeApi, kind: Kind) -> None:
    """Everything of the person ends: no stack leaves it to the other one."""
    provider, _, _ = run(api, kind)
    provider.session.leaving = CY
    provider.delete(kind[2], kind[3])
    assert api.writes != []


@kinds
def test_it_goes_if_nobody_says_which_stack_this_is(api: FakeApi, kind: Kind) -> None:
    """Else the stack would leave it to itself."""
    provider, states, _ = run(api, kind, own=None)
    states.others_of["production"] = []
    states.others_of["staging"] = [ExportedResource(kind[1], "urn::x", kind[2], {**kind[3], "notes": "another"})]
    provider.delete(kind[2], {**kind[3], "notes": "mine"})
    assert api.writes != []


def test_a_run_that_only_takes_leaves_it_too(api: FakeApi) -> None:
    """`mixpanel-access revoke` lets a person out of a project that is declared as a whole."""
    kind = KINDS["a project's grants"]
    provider, _, said = run(api, kind)
    provider.session.takes_only = True
    provider.check(kind[3], {**kind[3], "grants": {}})
    provider.update(kind[2], kind[3], {**kind[3], "grants": {}})
    assert api.writes == []
    assert [line for line in said if "the stack staging gives it too" in line]
