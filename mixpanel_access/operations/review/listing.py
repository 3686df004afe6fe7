"""The roles that a review lists: every role that the rosters give, with what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Grant, GrantType, Invitation, OtherAccess, source_in_words
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.declaration import grant_name
from mixpanel_access.model.declared_inputs import excepted
from mixpanel_access.model.effective_access import RosterEntry
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.review.facts import is_listed_on, reviewed_parts, roster_values
from mixpanel_access.operations.review.packet import Item, Unmanaged
from mixpanel_access.operations.review.suggesting import ReviewRules, Role, advise
from mixpanel_access.operations.roles_there import keys_there
from mixpanel_access.operations.state import StateResource
from mixpanel_access.operations.who import grants_of
from mixpanel_access.rules.entry import Entry as RuleEntry
from mixpanel_access.rules.entry import Type

REVIEWERS: Final = ("approver", "manager", "sponsor")
"""Who can review an entry: the people that it or its engagement names."""


@dataclass(frozen=True)
class Listed:
    """An item, and its reviewer; None if it has none."""

    reviewer: str | None
    item: Item


def listed_roles(overview: Overview, by: str, other: Sequence[OtherAccess] = ()) -> list[Listed]:
    """Every role that a roster gives or gave.

    An entry that has not started yet is left out. An entry that has ended is listed until somebody deletes it.
    """
    shows_logins = any(person.last_login for person in overview.directory.people().values())
    found: list[Listed] = []
    own_roles = own_custom_roles(overview)
    asked = {
        stack: ReviewRules.of(view.context(overview.today), view.policies) for stack, view in overview.stacks.items()
    }
    for someone in overview.people:
        for stack, own in someone.entries.items():
            roster = overview.stacks[stack].roster
            for entry in own:
                if roster is None or not is_listed_on(entry, overview.today):
                    continue
                reviewer, unassigned = _reviewer(entry, roster, by)
                for project in reviewed_parts(entry):
                    seen = _Seen(
                        overview=overview,
                        someone=someone,
                        stack=stack,
                        roster=roster,
                        entry=entry,
                        project=project,
                        own_roles=own_roles,
                    )
                    item = seen.item(asked[stack], shows_logins=shows_logins)
                    more = _other_access(other, someone, item, roster)
                    update = {"unassigned": unassigned, "other_access": more}
                    found.append(Listed(reviewer, item.model_copy(update=update)))
    return found


def _other_access(other: Sequence[OtherAccess], someone: PersonOverview, item: Item, roster: Roster) -> list[str]:
    """What of a person no stack manages, in an item's project or in none."""
    project = roster.projects[item.project].id if item.project else None
    return [str(one) for one in other if one.known and one.concerns(someone.key) and one.project in (None, project)]


def _reviewer(entry: RosterEntry, roster: Roster, by: str) -> tuple[str | None, str | None]:
    """Who reviews an entry, or why nobody does: people do not review their own access."""
    engagement = roster.engagements.get(entry.engagement or "")
    named = (engagement.manager if engagement else None) if by == "manager" else entry.metadata.get(by)
    if not named:
        return None, f"the roster names no {by}"
    if problem_with(named):
        return None, f"the {by}, {named!r}, is not an e-mail address"
    if same_key(named) == entry.person.key:
        return None, f"the {by} would review their own access"
    return named, None


@dataclass(frozen=True)
class _Seen:
    """One role of one entry, with the sources of what is known of it."""

    overview: Overview
    someone: PersonOverview
    stack: str
    roster: Roster
    entry: RosterEntry
    project: str | None
    own_roles: Mapping[tuple[int, str], str]

    def item(self, asked: ReviewRules, *, shows_logins: bool) -> Item:
        entry, held = self.entry, self._held
        role = self._role(shows_logins=shows_logins)
        advice = advise(role, asked)
        since, changed = (_day(held.begun), _day(held.changed)) if held else (None, None)
        return Item(
            stack=self.stack,
            email=entry.person.email,
            name=entry.person.name,
            engagement=entry.engagement,
            starts=_text(entry.starts),
            project=self.project,
            project_name=self.roster.projects[self.project].name if self.project else None,
            since=_text(since),
            changed=_text(changed) if changed != since else None,
            **roster_values(self.roster, entry, self.project),
            state=asked.state_on(entry.ends),
            last_active=self._last_active(never=role.never),
            reviewed=entry.person.reviewed,
            custom_roles=[*self.roster.own_roles(self.project).values()] if self.project else (),
            sources=self._sources(),
            suggestion=advice.suggestion.value,
            suggested_role=advice.role,
            reason=advice.reason,
        )

    @property
    def _held(self) -> StateResource | None:
        """What the stack's state has of it."""
        if self.project is None:
            return self.someone.members.get(self.stack)
        return self.someone.grants.get((self.stack, self.roster.projects[self.project].id))

    def _role(self, *, shows_logins: bool) -> Role:
        """The role as the rules see it: what the entry declares of it, and what Mixpanel shows of the person."""
        entry, held, invitation = self.entry, self._held, self._invitation
        key, person = entry.person.key, {"email": entry.person.email, "kind": entry.person.kind}
        declared: dict[str, Any] = {
            **person,
            **entry.metadata,
            **excepted(self.roster, key, self.project),
            "role": entry.person.organization_role or roles.MEMBER,
        }
        rule_entry = RuleEntry(Type.MEMBER, key, values=declared)
        if self.project is not None:
            project = self.roster.projects[self.project]
            declared |= {
                "project_id": project.id,
                "role": entry.projects[self.project],
                "environment": project.environment,
            }
            rule_entry = RuleEntry(Type.GRANT, grant_name(project.id, key), values=declared)
        shown = {
            **person,
            **{name: entry.metadata.get(name) for name in ("starts", "engagement_type")},
            "status": invitation,
            "last_login": written(self._login) if self._login else None,
        }
        return Role(
            rule_entry,
            RuleEntry(Type.MEMBER, key, values=shown),
            engagement=entry.engagement,
            approver=entry.metadata.get("approver"),
            never=invitation is Invitation.ACCEPTED and self._login is None and shows_logins,
            since=_day(held.begun) if held else None,
        )

    @property
    def _invitation(self) -> Invitation | None:
        return self.someone.invitation(self.overview.now)

    @property
    def _login(self) -> datetime | None:
        return self.overview.logins.last.get(self.someone.key)

    def _last_active(self, *, never: bool) -> str:
        if self._login is not None:
            return self._login.date().isoformat()
        if self._invitation is None:
            return "not in the organization"
        if self._invitation is not Invitation.ACCEPTED:
            return "invited"
        return "never" if never else "unknown"

    def _sources(self) -> list[str]:
        """Every grant through which they have a role in the project, or their role in the organization."""
        role = self.someone.person.role if self.someone.person else None
        if self.project is None:
            return [f"organization {role}"] if role else []
        project = self.overview.directory.projects().get(self.roster.projects[self.project].id)
        found = grants_of(self.overview, project, self.someone.key, self.someone.person) if project else ()
        held = [Grant(one.project, one.email, one.role, one.grant_type, one.team) for one in found]
        words = self.own_roles
        return [f"{words.get((one.project, one.role), one.role)} through {source_in_words(one)}" for one in held]


def unmanaged(overview: Overview) -> list[Unmanaged]:
    """Individual grants in the rosters' projects that no roster gives, by project and address."""
    found, own_roles = [], own_custom_roles(overview)
    for project, (key, stack) in overview.projects.items():
        for person, grants in overview.directory.grants(project).items():
            someone = overview.get(person)
            if someone and any(key in entry.projects for entry in someone.entries.get(stack, ())):
                continue
            note = f"no roster gives it; run `mixpanel-access drift --stack {stack}`"
            if someone and (stack, project) in someone.grants:
                note = f"the roster does not give it any more; `pulumi up --stack {stack}` takes it away"
            found += [
                Unmanaged(
                    stack=stack,
                    email=grant.email,
                    project=key,
                    role=own_roles.get((project, grant.role), grant.role),
                    note=note,
                )
                for grant in grants
                if grant.grant_type is GrantType.INDIVIDUAL
            ]
    return sorted(found, key=lambda one: (one.stack, one.project, one.email.casefold()))


def own_custom_roles(overview: Overview) -> dict[tuple[int, str], str]:
    """The rosters' own custom roles: project id and the role's id -> the word in the roster."""
    rosters = [view.roster for view in overview.stacks.values() if view.roster]
    keys = [keys_there(overview.directory, roster) for roster in rosters]
    return {item_key: roles.normalized(key) for one in keys for item_key, key in one.items()}


def _day(text: str) -> date | None:
    return instant(text).date() if text else None


def _text(value: date | None) -> str | None:
    return value.isoformat() if value else None
