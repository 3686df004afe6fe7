"""Teams as plain values, as the organization's list of teams has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mixpanel_access.model.address import same_key
from mixpanel_access.model.ownership import ALWAYS, WHEN_UNUSED

NO_ROLE: Final = ""
"""The organization role of a team that gives none; None means that Mixpanel does not show it."""


@dataclass(frozen=True)
class TeamInfo:
    """One team of the organization.

    Attributes:
        id: Mixpanel's id of it.
        name: its name, which is unique.
        projects: project id -> the role that the team gives there.
        members: the keys of its members' addresses; None is unknown, not "nobody".
        organization_role: the organization role that it gives, or `NO_ROLE`; None is unknown.
        scim_managed: whether an identity provider manages its members.
    """

    id: int
    name: str
    projects: Mapping[int, str]
    members: frozenset[str] | None = None
    organization_role: str | None = None
    scim_managed: bool = False

    def is_member(self, email: str) -> bool | None:
        """Whether a person is in it, if the list shows that."""
        return None if self.members is None else same_key(email) in self.members


@dataclass(frozen=True)
class ScimGroup:
    """A team in SCIM, with SCIM's ids of the team and its members."""

    id: str
    members: frozenset[str]


def same_name(name: str, other: str) -> bool:
    """Whether two names are the same team's: Mixpanel ignores case in them."""
    return same_key(name) == same_key(other)


def problem_with_team_name(name: object) -> str | None:
    """Why this cannot be the name of a team, in words, or None if it can."""
    if not isinstance(name, str) or not name.strip():
        return f"{name!r} cannot be the name of a team, which is text"
    return "there are blanks around the name" if name != name.strip() else None


def why_it_stays(removal: str, team: TeamInfo, *, adopted: bool, fed: bool) -> list[str]:
    """Why a team stays after its declaration has ended; nothing if it is deleted.

    Args:
        removal: one of `REMOVALS`; `when_unused` keeps a team that existed before, or that somebody else uses.
        team: the team, without everything that was declared of it.
        adopted: whether it existed before it was declared.
        fed: whether an identity provider manages its members.
    """
    if fed:
        return ["an identity provider feeds it"]
    if removal != WHEN_UNUSED:
        return [] if removal == ALWAYS else ["it is declared to stay"]
    reasons = {
        "it was there before it was declared": adopted,
        "Mixpanel does not show who is in it": team.members is None,
        f"there are {len(team.members or ())} in it who are not declared here": bool(team.members),
        f"it has {len(team.projects)} roles in projects that are not declared here": bool(team.projects),
    }
    return [reason for reason, so in reasons.items() if so]


def why_accounts_keep_it(accounts: Sequence[int] | None) -> list[str]:
    """Why a team that nobody else uses stays because of its service accounts; None for unknown ones."""
    if accounts is None:
        return ["Mixpanel does not show which service accounts are in it"]
    return [f"there are {len(accounts)} service accounts in it"] if accounts else []


def what_it_gives(team: TeamInfo) -> str:
    """The access that a team gives, in words: "analyst in project 7, consumer in project 8"."""
    held = [f"{role} in project {project}" for project, role in sorted(team.projects.items())]
    if team.organization_role:
        held.insert(0, f"the organization role {team.organization_role}")
    return ", ".join(held) or "no access"
