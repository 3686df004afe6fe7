"""Teams as plain values: what the organization's list of teams says, without its wire shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mixpanel_access.model.address import same_key
from mixpanel_access.model.ownership import ALWAYS, WHEN_UNUSED

NO_ROLE: Final = ""
"""A team's organization role where it has none; None stands for "not told"."""


@dataclass(frozen=True)
class TeamInfo:
    """One team of the organization.

    Attributes:
        id: Mixpanel's id of it.
        name: its name, which no other team has.
        projects: project id -> the role that everybody in the team has there.
        members: the keys of the addresses of who is in it; None where the list does not tell, which is not "nobody".
        organization_role: what everybody in it is in the organization, set in the product; `NO_ROLE` for nothing, None
            where the list does not tell.
        scim_managed: whether an identity provider says who is in it.
    """

    id: int
    name: str
    projects: Mapping[int, str]
    members: frozenset[str] | None = None
    organization_role: str | None = None
    scim_managed: bool = False

    def is_member(self, email: str) -> bool | None:
        """Whether somebody is in it; None where the list does not tell."""
        return None if self.members is None else same_key(email) in self.members


@dataclass(frozen=True)
class ScimGroup:
    """A team as SCIM knows it: its id of it, and its ids of who is in it."""

    id: str
    members: frozenset[str]


def same_name(name: str, other: str) -> bool:
    """Whether two names are one team's: Mixpanel keeps them unique without regard to case."""
    return same_key(name) == same_key(other)


def problem_with_team_name(name: object) -> str | None:
    """Why this can be no team's name, in words, or None when it can."""
    if not isinstance(name, str) or not name.strip():
        return f"{name!r} cannot be the name of a team, which is text"
    return "there are blanks around the name" if name != name.strip() else None


def why_it_stays(removal: str, team: TeamInfo, *, adopted: bool, fed: bool) -> list[str]:
    """Why a team that is no longer declared is not deleted; nothing where it may be.

    Args:
        removal: one of `REMOVALS`; `when_unused` keeps one that was there before, and one that is somebody else's too.
        team: the team once everything that was declared of it is gone.
        adopted: whether it was there before it was declared.
        fed: whether an identity provider says who is in it, and not we.
    """
    if fed:
        return ["an identity provider feeds it"]
    if removal != WHEN_UNUSED:
        return [] if removal == ALWAYS else ["it is declared to stay"]
    reasons = {
        "it was there before it was declared": adopted,
        "Mixpanel does not tell who is in it": team.members is None,
        f"there are {len(team.members or ())} in it who are not declared here": bool(team.members),
        f"it has {len(team.projects)} roles in projects that are not declared here": bool(team.projects),
    }
    return [reason for reason, so in reasons.items() if so]


def why_accounts_keep_it(accounts: Sequence[int] | None) -> list[str]:
    """Why a team that nobody else has is not deleted for the service accounts in it; None where they are not told."""
    if accounts is None:
        return ["Mixpanel does not tell which service accounts are in it"]
    return [f"there are {len(accounts)} service accounts in it"] if accounts else []


def what_it_gives(team: TeamInfo) -> str:
    """What everybody in a team has through it: "analyst in project 7, consumer in project 8"."""
    held = [f"{role} in project {project}" for project, role in sorted(team.projects.items())]
    if team.organization_role:
        held.insert(0, f"the organization role {team.organization_role}")
    return ", ".join(held) or "no access"
