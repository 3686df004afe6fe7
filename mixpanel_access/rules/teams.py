"""What a membership in a team gives, from this stack, another roster, or somebody in Mixpanel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.neighbours import NEIGHBOURS
from mixpanel_access.rules.entry import UNKNOWN, Entry, NotJudged, NotThereYet, Type
from mixpanel_access.rules.facts import Context, Reference, Stack

_OWN: Final = ("role", "project_id", "environment")


class Neighbours:
    """What the other rosters give, by the component's facts (`mixpanel_access.model.neighbours`)."""

    def __init__(self, stack: Stack) -> None:
        facts = stack.roster.get(NEIGHBOURS)
        found: Mapping[str, Any] = facts if isinstance(facts, Mapping) else {}
        self.hidden = facts is UNKNOWN
        self.environments: Mapping[str, str] = found.get("environments") or {}
        self.reach: Sequence[Mapping[str, Any]] = found.get("reach") or ()
        self.kinds: Sequence[Mapping[str, Any]] = found.get("kinds") or ()
        self.teams = [Entry(one["type"], f"the team {one['team']}", values=one) for one in found.get("teams") or ()]
        self._unread: Sequence[str] = found.get("unread") or ()

    def unread(self) -> Iterator[NotJudged]:
        """The rosters that may give more, but cannot be read."""
        if self.hidden:
            yield NotJudged("what the other rosters in the folder give is not known before the update")
        for words in self._unread:
            yield NotJudged(words, None, "Correct that file, or move it out of the folder if it is no stack's roster.")


@dataclass(frozen=True)
class Through:
    """One role of a person through a team, as if it were granted to them.

    Attributes:
        membership: the person's place in the team.
        gets: what they get: a grant, or a member with the organization role.
        certain: whether it is the same team; None if that is not known before the update.
        source: the source of the role or the place, in words, if that is not this stack.
    """

    membership: Entry
    gets: Entry
    certain: bool | None = True
    source: str = ""

    def __str__(self) -> str:
        return f"{self.gets}, through a team{f' ({self.source})' if self.source else ''}"

    def must_be_certain(self) -> None:
        """Raise NotJudged if the role may belong to another team."""
        if not self.certain:
            raise NotJudged(
                f"{self.membership} may get {self.gets}, but a team_id is not known before the update", self.membership
            )


class TeamRoles:
    """The teams of a stack, with everything that is known of their roles."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.neighbours = Neighbours(stack)
        self._given = grouped((stack.reference(grant, "team_id"), grant) for grant in stack.of(Type.TEAM_GRANT))
        self._teams = list(stack.of(Type.TEAM))
        self._unseen: dict[str, None] = {}

    @cached_property
    def _environments(self) -> dict[str, str]:
        """The environment of each project, by its id."""
        found = {**self.neighbours.environments}
        for entry in self._stack.entries:
            project, environment = entry.values.get("project_id"), entry.values.get("environment")
            if isinstance(project, int) and isinstance(environment, str) and environment.strip():
                found.setdefault(str(project), environment.strip())
        return found

    def roles(self, membership: Entry) -> Iterator[Through]:
        """The roles through a membership in a team of this stack."""
        reference = self._stack.reference(membership, "team_id")
        declared: set[str] = set()
        for team, grants in self._given.items():
            same = reference.same(team)
            if same is not False:
                yield from (_as_grant(membership, grant, same) for grant in grants)
            if same:
                declared |= {str(grant.values.get("project_id")) for grant in grants}
        made = self._made(reference)
        yield from self._beside(membership, made)
        yield from self._shown(membership, made, declared)

    def memberships_elsewhere(self) -> Iterator[Through]:
        """The roles of this stack's teams for members from another roster."""
        if not self.neighbours.teams:
            return
        for reference, grants in self._given.items():
            made = self._made(reference)
            for membership in self.neighbours.teams:
                if membership.type == Type.TEAM_MEMBER and (same := _same_name(made, membership)) is not False:
                    source = f"{membership.values['file']} puts them there"
                    yield from (replace(_as_grant(membership, grant, same), source=source) for grant in grants)

    def not_judged(self) -> Iterator[NotJudged]:
        """What is not known of the other rosters, for a stack with teams; at the end, as `must_be_shown`."""
        if self._given or any(self._stack.of(Type.TEAM_MEMBER)):
            yield from self.neighbours.unread()
        self.must_be_shown()

    def must_be_shown(self) -> None:
        """Raise NotThereYet if Mixpanel has not shown yet what one of the judged teams gives."""
        if self._unseen:
            raise NotThereYet(f"what else Mixpanel gives to {', '.join(self._unseen)} is known after a refresh")

    def _made(self, reference: Reference) -> Entry | None:
        """The team's own resource in this stack."""
        for team in self._teams:
            id_ = team.values.get("team_id")
            if (team.urn and team.urn == reference.urn) or (id_ not in (None, UNKNOWN) and str(id_) == reference.id):
                return team
        return None

    def _beside(self, membership: Entry, made: Entry | None) -> Iterator[Through]:
        for grant in self.neighbours.teams:
            if grant.type == Type.TEAM_GRANT and (same := _same_name(made, grant)) is not False:
                yield replace(_as_grant(membership, grant, same), source=f"{grant.values['file']} gives it")

    def _shown(self, membership: Entry, made: Entry | None, declared: set[str]) -> Iterator[Through]:
        """The roles that Mixpanel shows, without those that this stack declares."""
        told = next(
            (one for one in (membership, made) if one and isinstance(one.values.get("team_projects"), Mapping)), None
        )
        if told is None:
            self._unseen.setdefault(made.name if made else str(membership))
            return
        source = "Mixpanel shows it"
        if role := told.values.get("organization_role"):
            gets = replace(membership, type=Type.MEMBER, values={**membership.values, "role": role})
            yield Through(membership, gets, source=source)
        for project, role in told.values["team_projects"].items():
            if str(project) not in declared:
                id_ = int(project) if str(project).isdecimal() else project
                environment = self._environments.get(str(project), PRODUCTION)  # an unknown one may be production
                values = {"role": role, "project_id": id_, "environment": environment}
                gets = replace(membership, type=Type.GRANT, values={**membership.values, **values})
                yield Through(membership, self._stack.with_custom_roles(gets), source=source)


def reaches_production(through: Through, context: Context) -> bool:
    """Whether it gives access to production; a managing role of the organization counts in all projects."""
    if through.gets.type == Type.MEMBER:
        return through.gets.role in (roles.OWNER, roles.ADMIN)
    return context.is_production(through.gets)


def _as_grant(membership: Entry, grant: Entry, same: bool | None) -> Through:
    own = {name: grant.values.get(name) for name in _OWN}
    sources = {**membership.sources, **{name: grant.sources.get(name, ()) for name in own}}
    values = {**membership.values, **own}
    gets = replace(membership, type=Type.GRANT, values=values, sources=sources, custom_roles=grant.custom_roles)
    return Through(membership, gets, same)


def _same_name(made: Entry | None, other: Entry) -> bool | None:
    """Whether a team of this stack and one of another roster are the same; None if its name is not known."""
    name = made.values.get("name") if made else UNKNOWN
    return None if name is UNKNOWN else same_key(str(name)) == same_key(str(other.values.get("team")))
