"""Who comes into a stack as a member of one of the roster's teams, and why others do not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.model.effective_access import RosterEntry, Span, days_of, entries
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.teams import TeamInfo, same_name

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


@dataclass(frozen=True)
class ExistingTeam:
    """A team of the roster, as the organization has it.

    Attributes:
        key: its key in the roster.
        inside: the keys of the addresses of its people, as far as Mixpanel shows them.
        fed: whether an identity provider says who is in it, and not we.
        elsewhere: who is in it by another roster: the key of the address -> that roster's file.
        days: the days on which the roster has it.
    """

    key: str
    team: TeamInfo
    inside: frozenset[str]
    fed: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    days: Span = field(default_factory=Span)


@dataclass(frozen=True)
class TeamMemberships:
    """What the import does with one person's memberships in the roster's teams.

    Attributes:
        taken: the keys of the teams whose place is taken.
        ours: the names of the teams whose place is declared here, taken or not: access through them is no stray.
        left_out: in words, the places that are not taken.
    """

    taken: Sequence[str]
    ours: Sequence[str]
    left_out: Sequence[str]

    def give(self, grant: Grant) -> bool:
        """Whether a grant comes through a team whose place is declared here."""
        name = grant.team
        return grant.grant_type is GrantType.TEAM and name is not None and any(same_name(name, o) for o in self.ours)


def read_teams(directory: Directory, roster: Roster, others: Mapping[str, Roster], today: date) -> list[ExistingTeam]:
    """The roster's teams that the organization has; without teams in the roster, nothing is asked.

    Raises:
        MixpanelError: the teams cannot be read.
    """
    teams = directory.teams
    there = {key: teams.by_name(team.name) for key, team in roster.teams.items()}
    return [
        ExistingTeam(
            key,
            team,
            frozenset(person for person in directory.people() if teams.is_member(team, person)),
            teams.fed_by_others(team),
            dict(_elsewhere(team, others, today)),
            days_of(roster.teams[key]),
        )
        for key, team in there.items()
        if team
    ]


def _elsewhere(team: TeamInfo, others: Mapping[str, Roster], today: date) -> Iterator[tuple[str, str]]:
    for file, other in others.items():
        keys = {key for key, one in other.teams.items() if same_name(one.name, team.name)}
        for person, own in entries(other).items() if keys else ():
            if any(key in keys and not place.over(today) for entry in own for key, place in entry.memberships.items()):
                yield person, file


def team_memberships(
    person: str,
    declared: Sequence[RosterEntry],
    teams: Sequence[ExistingTeam],
    held: Collection[tuple[int, str]],
    today: date,
) -> TeamMemberships:
    """Decide on one person's places.

    Args:
        person: the key of the address.
        declared: the roster's entries for the person.
        teams: the roster's teams.
        held: the places in the state, by team id and the key of the address; they are not taken again.
        today: the day, UTC.
    """
    given = {key for entry in declared for key, place in entry.memberships.items() if place.current(today)}
    taken: list[str] = []
    ours: list[str] = []
    left_out: list[str] = []
    for one in teams:
        if person not in one.inside:
            continue
        if not one.days.current(today):
            span = f"from {one.days.starts or 'the beginning'} to {one.days.ends or 'no end'}"
            left_out.append(f"the membership in the team {one.team.name}, which the roster has {span}")
            continue
        if one.key in given:
            ours.append(one.team.name)
        elif one.fed:
            left_out.append(f"the membership in the team {one.team.name}, which an identity provider feeds")
        elif file := one.elsewhere.get(person):
            left_out.append(f"the membership in the team {one.team.name}, which {file} gives")
        elif (one.team.id, person) not in held:
            taken.append(one.key)
            ours.append(one.team.name)
    return TeamMemberships(taken, ours, left_out)
