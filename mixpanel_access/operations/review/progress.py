"""How far a review is, and what is open of it: in the packets, in the rosters, in the states and in Mixpanel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.files.lines import Say
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.review.decisions import ItemStatus, ReviewedItem, decisions_of
from mixpanel_access.operations.review.facts import RosterRoles
from mixpanel_access.operations.review.files import PacketFile, read_packets
from mixpanel_access.operations.review.listing import own_custom_roles
from mixpanel_access.operations.review.packet import Item, ItemKey, RoleListing
from mixpanel_access.operations.review.record import ReviewRecord, read_record
from mixpanel_access.operations.review.suggesting import is_lower
from mixpanel_access.rules.rule import Suggestion

_ENCRYPTED: Final = "a secret role"
"""A role that the state holds encrypted. Only Mixpanel shows whether it was lowered."""


@dataclass(frozen=True, kw_only=True)
class NewRole(RoleListing):
    """A role that a roster gives, and that the review does not list, or no longer as it is; `why` says why."""

    stack: str
    email: str
    engagement: str | None
    project: str | None
    role: str
    why: str


@dataclass(frozen=True)
class StillThere:
    """Access that an applied decision took out of the roster, and that is still there.

    Attributes:
        state: the access in the stack's state, or "".
        mixpanel: the access in Mixpanel, or "".
    """

    item: Item
    state: str
    mixpanel: str

    @property
    def next_step(self) -> str:
        """What takes it away."""
        stack = self.item.stack
        return f"`pulumi up --stack {stack}`" if self.state else f"`mixpanel-access drift --stack {stack}`"

    def __str__(self) -> str:
        there = [f"the state ({self.state})"] if self.state else []
        there += [f"Mixpanel ({self.mixpanel})"] if self.mixpanel else []
        words = f"{self.item.outcome} is applied, and the access is still in {' and in '.join(there)}"
        return f"{self.item}: {words}: {self.next_step}"


@dataclass(frozen=True)
class PacketProgress:
    """How far the items of one packet are."""

    packet_file: PacketFile
    items: Sequence[ReviewedItem]

    @property
    def undecided(self) -> list[ReviewedItem]:
        """The items without a decision."""
        return [one for one in self.items if one.item.decision is None]

    @property
    def waiting(self) -> list[ReviewedItem]:
        """The decisions that are not applied, also those that `review apply` leaves out or refuses."""
        return [one for one in self.items if one.item.decision is not None and one.status is not ItemStatus.APPLIED]

    @property
    def applied(self) -> list[ReviewedItem]:
        """The decisions that are applied."""
        return [one for one in self.items if one.status is ItemStatus.APPLIED]


@dataclass(frozen=True)
class ReviewProgress:
    """How far a review is.

    Attributes:
        new: the roles that the review does not list yet.
        still_there: the access that `pulumi up` must still take away.
        unknown: why nobody knows what is still there, or "".
    """

    packets: Sequence[PacketProgress]
    new: Sequence[NewRole]
    still_there: Sequence[StillThere] = ()
    unknown: str = ""

    @property
    def items(self) -> list[ReviewedItem]:
        """The items of all packets."""
        return [one for part in self.packets for one in part.items]

    def with_status(self, status: ItemStatus) -> list[ReviewedItem]:
        """The items with a status."""
        return [one for one in self.items if one.status is status]

    @property
    def refused(self) -> list[str]:
        """The stacks for which `review apply` applies nothing until somebody corrects the packets."""
        return sorted({one.item.stack for one in self.with_status(ItemStatus.WRONG)})

    @property
    def ready(self) -> Mapping[str, int]:
        """How many decisions `review apply` applies, by stack."""
        refused = self.refused
        return Counter(one.item.stack for one in self.with_status(ItemStatus.WAITING) if one.item.stack not in refused)

    @property
    def is_open(self) -> bool:
        """Whether anything is left to do, as far as we know."""
        undone = any(one.status is not ItemStatus.APPLIED for one in self.items)
        return undone or bool(self.new or self.still_there or self.unknown)


def progress_of(folder: Path, overview: Overview, stacks: Sequence[str], say: Say | None = None) -> ReviewProgress:
    """How far a review is, for all stacks of the overview unless some are named.

    Raises:
        UsageError: a packet or the evidence cannot be read.
    """
    rosters = {name: RosterRoles.of(name, view.roster) for name, view in overview.stacks.items() if view.roster}
    found = _progress(folder, rosters, stacks, overview.today, say)
    seen = _AccessNow(overview)
    applied = [one.item for one in found.with_status(ItemStatus.APPLIED)]
    return replace(found, still_there=[one for item in applied if (one := seen.still_there(item))])


def progress_by_files(
    folder: Path, roster_of: Callable[[str], Path], stacks: Sequence[str], today: date, why: str
) -> ReviewProgress:
    """How far a review is, by the packets, the evidence and the rosters alone; `why` says why not by the rest.

    Raises:
        UsageError: a packet, the evidence or a roster cannot be read.
    """
    named = stacks or sorted({item.stack for one in read_packets(folder) for item in one.packet.items})
    files = {stack: file for stack in named if (file := roster_of(stack)).is_file()}
    rosters = {stack: RosterRoles.of(stack, read_roster(file)) for stack, file in files.items()}
    return replace(_progress(folder, rosters, stacks, today), unknown=why)


def _progress(
    folder: Path, rosters: Mapping[str, RosterRoles], stacks: Sequence[str], today: date, say: Say | None = None
) -> ReviewProgress:
    record, packets = read_record(folder, say), read_packets(folder)
    found = [one for one in decisions_of(packets, record, rosters, today) if not stacks or one.item.stack in stacks]
    parts = [PacketProgress(packet, [one for one in found if one.packet_file is packet]) for packet in packets]
    held = {item.item_key: item for packet in packets for item in packet.packet.items}
    return ReviewProgress(parts, [new for own in rosters.values() for new in _new(own, record, held, today)])


def _new(own: RosterRoles, record: ReviewRecord, held: Mapping[ItemKey, Item], today: date) -> Iterator[NewRole]:
    """The roles of a roster that no packet lists, or that must be listed again."""
    for key in own.listed(today):
        item, facts, latest = held.get(key), own.facts(key), record.latest_key(key)
        if facts is None:
            continue
        if item is None or item.listing_key != latest:
            why = "no packet lists it"
        else:
            why = record.again(latest, facts) if item.decision is not None else ""
        if why:
            yield NewRole(
                stack=own.stack,
                email=own.entries[key.entry].person.email,
                engagement=key.entry.engagement,
                project=key.project,
                role=facts.values["role"],
                why=why,
            )


@dataclass(frozen=True)
class _AccessNow:
    """The access that states and Mixpanel have now."""

    overview: Overview

    @cached_property
    def _own_roles(self) -> Mapping[tuple[int, str], str]:
        return own_custom_roles(self.overview)

    def still_there(self, item: Item) -> StillThere | None:
        """What an applied decision took out of the roster and is still there, or None."""
        view, someone = self.overview.stacks.get(item.stack), self.overview.get(item.key)
        if item.decision == Suggestion.KEEP or view is None or view.roster is None:
            return None
        someone = someone or self.overview.anybody(item.email)
        find = self._organization if item.project is None else self._project
        state, mixpanel = find(item, view.roster, someone)
        return StillThere(item, state, mixpanel) if state or mixpanel else None

    def _project(self, item: Item, roster: Roster, someone: PersonOverview) -> tuple[str, str]:
        known = roster.projects.get(item.project or "")
        project = item.project_id or (known.id if known else 0)
        effective = someone.effective.get(item.stack)
        declared = effective.projects if effective else {}
        left = {item.lowered_to, _ENCRYPTED} if item.new_role else set()
        left |= {roster.role_word(key, one.role) for key, one in declared.items() if roster.projects[key].id == project}

        def word(role: str) -> str:
            own = self._own_roles.get((project, role), role)
            return roster.role_word(item.project, own) if known and item.project else own

        held = someone.grants.get((item.stack, project))
        state = [word(held.role) or _ENCRYPTED] if held else []
        directory, gone = self.overview.directory, someone.person is not None and someone.person.deactivated
        there = project in directory.projects() and not gone
        grants = directory.grants(project).get(item.key, ()) if there else ()
        mixpanel = [word(grant.role) for grant in grants if grant.grant_type is GrantType.INDIVIDUAL]
        return _but(left, state), _but(left, mixpanel)

    def _organization(self, item: Item, roster: Roster, someone: PersonOverview) -> tuple[str, str]:
        effective = someone.effective.get(item.stack)
        left = {item.lowered_to, (effective.organization_role if effective else None) or ""}
        held, person = someone.members.get(item.stack), someone.person
        state, mixpanel = [], []
        if held and (not effective or (held.role and held.role not in left)):
            state.append(held.role or roles.MEMBER)
        order = roles.ORGANIZATION_ROLES
        highest = min((role for role in left if role in order), key=order.index, default=roles.MEMBER)
        if person and not person.deactivated and person.role and is_lower(highest, person.role, in_project=False):
            mixpanel.append(person.role)
        if item.decision == Suggestion.REMOVE:
            there = {name for stack, name in someone.teams if stack == item.stack}
            places = {roster.teams[key].name for key in (effective.teams if effective else ())}
            state += [f"a membership in {name}" for name in sorted(there - places)]
            mixpanel += [f"a membership in {name}" for name in sorted(self._teams_with(item, roster) - places)]
        return ", ".join(state), ", ".join(mixpanel)

    def _teams_with(self, item: Item, roster: Roster) -> set[str]:
        """The teams of an item that still have the person in Mixpanel."""
        keys = {text.partition(":")[0] for text in item.teams}
        names = {team.name for key, team in roster.teams.items() if key in keys}
        try:
            there = self.overview.directory.teams.all().values() if names else ()
        except UNTOLD:
            return set()
        return {team.name for team in there if team.name in names and team.is_member(item.key)}


def _but(left: Container[str], found: Iterable[str]) -> str:
    return ", ".join(role for role in found if role not in left)
