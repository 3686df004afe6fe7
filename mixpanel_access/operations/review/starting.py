"""Begin a review, or bring it up to date: every role that the rosters give, in one packet a reviewer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mixpanel_access.directory.other_access import read_other_access
from mixpanel_access.files.lines import Say, append_lines, read_lines
from mixpanel_access.model import roles
from mixpanel_access.model.access import Grant, GrantType, Invitation, OtherAccess, source_in_words
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.declaration import grant_name
from mixpanel_access.model.declared_inputs import excepted
from mixpanel_access.model.effective_access import RosterEntry
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.overview import Overview, PersonOverview, keys_there
from mixpanel_access.operations.review.files import PacketFile, file_name, read_packets, write_packet
from mixpanel_access.operations.review.packet import (
    FILLED_IN,
    EvidenceLine,
    Item,
    ItemKey,
    Packet,
    ReviewEvent,
    Unmanaged,
    evidence_file,
    listed_line,
)
from mixpanel_access.operations.review.suggesting import ReviewRules, Role, advise
from mixpanel_access.operations.state import StateResource
from mixpanel_access.operations.who import grants_of
from mixpanel_access.rules.entry import Entry as RuleEntry
from mixpanel_access.rules.entry import Type

REVIEWERS: Final = ("approver", "manager", "sponsor")
"""Who can be asked: as the entry or its engagement names them."""


@dataclass(frozen=True)
class Listed:
    """An item, and its reviewer; None if it has none."""

    reviewer: str | None
    item: Item


def items(overview: Overview, by: str, other: Sequence[OtherAccess] = ()) -> list[Listed]:
    """Every role that a roster gives or gave.

    What has not begun is left out. What is over is there until its entry is taken out.
    """
    shows_logins = any(person.last_login for person in overview.directory.people().values())
    found: list[Listed] = []
    own_roles = _own_roles(overview)
    asked = {
        stack: ReviewRules.of(view.context(overview.today), view.policies) for stack, view in overview.stacks.items()
    }
    for someone in overview.people:
        for stack, own in someone.entries.items():
            view = overview.stacks[stack]
            for entry in own if view.roster else ():
                if view.roster is None or (entry.starts is not None and entry.starts > overview.today):
                    continue
                reviewer, unassigned = _reviewer(entry, view.roster, by)
                for project in [*([None] if has_organization_item(entry) else []), *entry.projects]:
                    seen = _Seen(overview, someone, stack, view.roster, entry, project, own_roles)
                    item = seen.item(asked[stack], shows_logins=shows_logins)
                    more = _other_access(other, someone, item, view.roster)
                    update = {"unassigned": unassigned, "other_access": more}
                    found.append(Listed(reviewer, item.model_copy(update=update)))
    return found


def _other_access(other: Sequence[OtherAccess], someone: PersonOverview, item: Item, roster: Roster) -> list[str]:
    """What of a person no stack manages, in an item's project or in none."""
    project = roster.projects[item.project].id if item.project else None
    return [str(one) for one in other if one.known and one.concerns(someone.key) and one.project in (None, project)]


def has_organization_item(entry: RosterEntry) -> bool:
    """Whether the organization role of an entry is looked at on its own: where it is above member, or all there is."""
    return entry.person.organization_role not in (None, roles.MEMBER) or not entry.projects


def role_in(roster: Roster, entry: RosterEntry, project: str | None) -> str | None:
    """The role that an entry gives in a project or (None) in the organization, as it stands there; None for nothing."""
    if project is not None:
        return roster.role_word(project, entry.projects[project]) if project in entry.projects else None
    return entry.person.organization_role or roles.MEMBER


def _reviewer(entry: RosterEntry, roster: Roster, by: str) -> tuple[str | None, str | None]:
    """Whom to ask, or why nobody can be: nobody reviews what they have themselves."""
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
    """One role of one entry, and where to look what is known of it."""

    overview: Overview
    someone: PersonOverview
    stack: str
    roster: Roster
    entry: RosterEntry
    project: str | None
    own_roles: Mapping[tuple[int, str], str]

    def item(self, asked: ReviewRules, *, shows_logins: bool) -> Item:
        entry, today, held = self.entry, self.overview.today, self._held
        ending_days = self.overview.stacks[self.stack].policies.ending_days
        role = self._role(shows_logins=shows_logins)
        advice = advise(role, asked)
        names = ("sow", "ticket", "justification", "approver", "sponsor")
        why: dict[str, Any] = {name: entry.metadata.get(name) for name in names}
        since, changed = (_day(held.created), _day(held.modified)) if held else (None, None)
        return Item(
            stack=self.stack,
            email=self.someone.email,
            name=entry.person.name,
            engagement=entry.engagement,
            starts=_text(entry.starts),
            project=self.project,
            project_name=self.roster.projects[self.project].name if self.project else None,
            role=role_in(self.roster, entry, self.project) or "",
            since=_text(since),
            changed=_text(changed) if changed != since else None,
            **why,
            ends=_text(entry.ends),
            state=_state(entry, today, ending_days),
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
        entry, held, person, invitation = self.entry, self._held, self.someone.person, self._invitation
        shown = {
            "email": self.someone.email,
            "kind": entry.person.kind,
            "starts": entry.metadata.get("starts"),
            "engagement_type": entry.metadata.get("engagement_type"),
            "status": invitation,
            "last_login": written(self._login) if self._login else None,
        }
        never = person is not None and invitation is Invitation.ACCEPTED and self._login is None and shows_logins
        return Role(
            self._as_declared(),
            RuleEntry(Type.MEMBER, self.someone.key, values=shown),
            engagement=entry.engagement,
            approver=entry.metadata.get("approver"),
            never=never,
            since=_day(held.created) if held else None,
        )

    def _as_declared(self) -> RuleEntry:
        """The resource that the entry declares."""
        entry, key = self.entry, self.someone.key
        values: dict[str, Any] = {
            "email": self.someone.email,
            **entry.metadata,
            "kind": entry.person.kind,
            **excepted(self.roster, key, self.project),
        }
        if self.project is None:
            return RuleEntry(Type.MEMBER, key, values=values | {"role": entry.person.organization_role or roles.MEMBER})
        project = self.roster.projects[self.project]
        grant = {"project_id": project.id, "role": entry.projects[self.project], "environment": project.environment}
        return RuleEntry(Type.GRANT, grant_name(project.id, key), values=values | grant)

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
        found = grants_of(self.overview, project, self.someone.key) if project else ()
        held = [Grant(one.project, one.email, one.role, one.grant_type, one.team) for one in found]
        words = self.own_roles
        return [f"{words.get((one.project, one.role), one.role)} through {source_in_words(one)}" for one in held]


def _state(entry: RosterEntry, today: date, ending_days: int) -> str:
    if entry.over(today):
        return "over"
    return "ends soon" if entry.ends is not None and entry.ends - today <= timedelta(days=ending_days) else "current"


def unmanaged(overview: Overview) -> list[Unmanaged]:
    """Individual grants in the rosters' projects that no roster gives, by project and address."""
    found = _unmanaged(overview, _own_roles(overview))
    return sorted(found, key=lambda one: (one.stack, one.project, one.email.casefold()))


def _own_roles(overview: Overview) -> dict[tuple[int, str], str]:
    """The rosters' own custom roles: project id and the role's id -> the word in the roster."""
    rosters = [view.roster for view in overview.stacks.values() if view.roster]
    keys = [keys_there(overview.directory, roster) for roster in rosters]
    return {item_key: roles.normalized(key) for one in keys for item_key, key in one.items()}


def _unmanaged(overview: Overview, own_roles: Mapping[tuple[int, str], str]) -> Iterator[Unmanaged]:
    for project, (key, stack) in overview.projects.items():
        for person, grants in overview.directory.grants(project).items():
            someone = overview.get(person)
            if someone and any(key in entry.projects for entry in someone.entries.get(stack, ())):
                continue
            held = someone is not None and (stack, project) in someone.grants
            note = f"no roster gives it: mixpanel-access drift --stack {stack}"
            if held:
                note = f"no roster gives it any more: pulumi up --stack {stack} takes it away"
            for grant in grants:
                if grant.grant_type is GrantType.INDIVIDUAL:
                    role = own_roles.get((project, grant.role), grant.role)
                    yield Unmanaged(stack=stack, email=grant.email, project=key, role=role, note=note)


def _day(text: str) -> date | None:
    return instant(text).date() if text else None


def _text(value: date | None) -> str | None:
    return value.isoformat() if value else None


@dataclass(frozen=True)
class Begun:
    """A review that was begun."""

    folder: Path
    packets: Sequence[PacketFile]
    other_access: Sequence[OtherAccess]

    @property
    def unassigned(self) -> list[Item]:
        """What has no reviewer."""
        return [item for one in self.packets if one.packet.reviewer is None for item in one.packet.items]

    @property
    def unmanaged(self) -> list[Unmanaged]:
        """What no roster gives."""
        return [row for one in self.packets for row in one.packet.unmanaged]


def begin(overview: Overview, by: str, folder: Path, say: Say | None = None) -> Begun:
    """Write one packet a reviewer; decisions that were made stay, in the packet in which they were made.

    What the packets have of stacks that are not in the overview stays.

    Raises:
        UsageError: a packet cannot be read or written.
    """
    before = read_packets(folder)
    file = evidence_file(folder)
    lines = read_lines(file, EvidenceLine, say)
    other = read_other_access(overview.directory, overview.projects.keys(), overview.now)
    unknown = [str(one) for one in other if not one.known]
    packets = packets_of(
        [one.packet for one in before],
        items(overview, by, other),
        unmanaged(overview),
        overview.stacks.keys(),
        Packet(review=folder.name, made=overview.today.isoformat(), unknown=unknown),
    )
    written = [PacketFile(write_packet(folder, packet), packet) for packet in packets]
    for old in before:
        if old.file not in {one.file for one in written}:
            for gone in (old.file, old.file.with_suffix(".md")):
                gone.unlink(missing_ok=True)
    known = {(line.item_key, line.role) for line in lines if line.event == ReviewEvent.LISTED}
    new = [
        listed_line(item, folder.name, packet.reviewer_of(item), overview.now)
        for packet in packets
        for item in packet.items
        if (item.item_key, item.role) not in known
    ]
    append_lines(file, new, lines)
    return Begun(folder, written, other)


def packets_of(
    before: Sequence[Packet],
    listed: Sequence[Listed],
    rows: Sequence[Unmanaged],
    stacks: Collection[str],
    empty: Packet,
) -> list[Packet]:
    """The packets of a review. Pure."""
    reviewers: dict[str, str | None] = {}
    content: dict[str, list[Item]] = {}
    filled: dict[ItemKey, Item] = {}
    made = min((packet.made for packet in before if packet.made), default=empty.made)

    def put(reviewer: str | None, item: Item) -> None:
        name = file_name(reviewer)
        reviewers.setdefault(name, reviewer)
        content.setdefault(name, []).append(item)

    for packet in before:
        for item in packet.items:
            if item.decision is not None or item.stack not in stacks:
                put(packet.reviewer, item)
            else:
                filled[item.item_key] = item
    kept = {item.item_key for own in content.values() for item in own}
    for one in listed:
        if one.item.item_key not in kept:
            old = filled.get(one.item.item_key)
            said = {name: getattr(old, name) for name in FILLED_IN} if old else {}
            put(one.reviewer, one.item.model_copy(update=said))
    told = [row for packet in before for row in packet.unmanaged if row.stack not in stacks] + list(rows)
    if told:
        reviewers.setdefault(file_name(None), None)
    packets = []
    for name, reviewer in sorted(reviewers.items()):
        own, more = sorted(content.get(name, []), key=_order), told if reviewer is None else ()
        update = {"made": made, "reviewer": reviewer, "items": own, "unmanaged": more}
        packets.append(empty.model_copy(update=update))
    return packets


def _order(item: Item) -> tuple[str, str, str, str]:
    return same_key(item.email), item.stack, item.engagement or "", item.project or ""
