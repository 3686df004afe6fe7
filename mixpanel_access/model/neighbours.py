"""What the rosters beside a roster give to its people and teams: facts for the policies, which see one stack alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.roster.schema import Roster

NEIGHBOURS: Final = "neighbours"
"""The name of these facts among those of a roster as a whole."""
CLAIMED_TWICE: Final = "claimed_twice"
"""The name of what the roster and another one of the project have both, in words."""
CONTACTS_BESIDE: Final = "contacts_beside"
"""The name of the contacts of its service accounts who are in a roster beside its own."""
_JUDGED: Final = ("email", "project_id", "role", "environment", "engagement", "engagement_type", "kind", "exceptions")
"""What rules look at; nothing else about another stack's people comes into the state."""


@dataclass(frozen=True)
class Neighbour:
    """One roster beside another, of the same organization.

    Attributes:
        file: its file name.
        roster: what the file says.
        declared: what it declares today.
    """

    file: str
    roster: Roster
    declared: Declaration


def neighbour_facts(
    own: Declaration, environments: Mapping[int, str], others: Sequence[Neighbour], unread: Sequence[str]
) -> dict[str, Any]:
    """What policies have to know of the rosters beside one, as plain data.

    Args:
        own: what the roster itself declares.
        environments: the environments of its projects, by project id.
        others: the rosters beside it.
        unread: in words, those that cannot be read.

    Returns:
        `environments`: project id, as a text -> environment. `reach`: for each file and engagement ("" for none), its
        environment and those of this roster's people who have something there. `teams`: the roles and the people that
        another roster gives to a team of this one. `kinds`: what it says that this roster's people are to the company.
        `unread`, as given.
    """
    known = dict(environments)
    for other in others:
        known |= {project.id: project.environment for project in other.roster.projects.values()}
    facts = {
        "environments": {str(project): environment for project, environment in sorted(known.items())},
        "reach": [found for other in others for found in _reach(other, own.members)],
        "kinds": [found for other in others for found in _kinds(other, own.members)],
        "teams": [found for other in others for found in _shared_teams(own, other)],
        "unread": list(unread),
    }
    return {name: fact for name, fact in facts.items() if fact}


def _reach(other: Neighbour, members: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Which of some people have something in the other roster's projects, by engagement."""
    here, declared = set(members), other.declared
    giving = {team for _, team in declared.team_grants}
    places = [
        *((key, inputs) for (_, key), inputs in declared.grants.items()),
        *((key, inputs) for (team, key), inputs in declared.team_members.items() if team in giving),
    ]
    people: dict[str, set[str]] = {}
    for key, inputs in places:
        if key in here:
            people.setdefault(str(inputs.get("engagement") or ""), set()).add(key)
    for engagement, keys in people.items():
        where = {"file": other.file, "environment": other.roster.environment}
        yield {**where, "engagement": engagement, "people": sorted(keys)}


def _kinds(other: Neighbour, members: Iterable[str]) -> Iterator[dict[str, Any]]:
    for key in members:
        if kind := other.declared.members.get(key, {}).get("kind"):
            yield {"file": other.file, "email": key, "kind": kind}


def _shared_teams(own: Declaration, other: Neighbour) -> Iterator[dict[str, Any]]:
    names = {same_key(str(team["name"])) for team in own.teams.values()}
    shared = {
        key: str(team["name"]) for key, team in other.declared.teams.items() if same_key(str(team["name"])) in names
    }
    for (_, team), inputs in other.declared.team_grants.items():
        if team in shared:
            yield _fact(kinds.TEAM_GRANT_TYPE, shared[team], other.file, inputs)
    for (team, _), inputs in other.declared.team_members.items():
        if team in shared:
            place = {**inputs, "environment": other.roster.environment}
            yield _fact(kinds.TEAM_MEMBER_TYPE, shared[team], other.file, place)


def _fact(type_: str, team: str, file: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    judged = {name: inputs[name] for name in _JUDGED if inputs.get(name) is not None}
    return {"type": type_, "team": team, "file": file, **judged}
