"""How far a review is, and what is open of it: in the packets, in the rosters, in the states and in Mixpanel."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.files.lines import Say
from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.review.checking import DecisionCheck, lowered_organization_roles
from mixpanel_access.operations.review.deciding import WrongDecision, wrong_decisions
from mixpanel_access.operations.review.facts import RosterRoles
from mixpanel_access.operations.review.files import PacketFile, read_packets
from mixpanel_access.operations.review.listing import own_custom_roles
from mixpanel_access.operations.review.packet import ORGANIZATION, Item, ItemKey, Packet
from mixpanel_access.operations.review.record import ReviewRecord, read_record
from mixpanel_access.operations.review.suggesting import is_lower
from mixpanel_access.operations.stack_view import PersonOverview
from mixpanel_access.rules.rule import Suggestion

_ENCRYPTED: Final = "a secret role"
"""A role that the state holds encrypted. Only Mixpanel shows whether it was lowered."""


@dataclass(frozen=True)
class ItemProblem:
    """An item that is not as it was listed, or that cannot be applied as it stands in its packet.

    Attributes:
        in_packet: whether somebody must correct the packet.
    """

    item: Item
    why: str
    in_packet: bool = False


@dataclass(frozen=True)
class NewRole:
    """A role that a roster gives, and that the review does not list, or no longer as it is.

    Attributes:
        role: the role that the roster gives.
        why: why it is new.
    """

    key: ItemKey
    email: str
    role: str
    why: str

    def __str__(self) -> str:
        return f"{self.email} as {self.role} in {self.key.project or ORGANIZATION}, stack {self.key.entry.stack}"


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
        return f"pulumi up --stack {stack}" if self.state else f"mixpanel-access drift --stack {stack}"

    def __str__(self) -> str:
        there = [f"the state ({self.state})"] if self.state else []
        there += [f"Mixpanel ({self.mixpanel})"] if self.mixpanel else []
        words = f"{self.item.outcome} is applied, and the access is still in {' and in '.join(there)}"
        return f"{self.item}: {words}: {self.next_step}"


@dataclass(frozen=True)
class PacketProgress:
    """How far one packet is.

    Attributes:
        waiting: the decisions that are not applied.
        applied: the decisions that are applied.
        problems: what is undecided and has changed, and the decisions that do not hold or are none.
    """

    file: Path
    packet: Packet
    undecided: Sequence[Item]
    waiting: Sequence[Item]
    applied: Sequence[Item]
    problems: Sequence[ItemProblem]

    @property
    def ready(self) -> int:
        """How many decisions `review apply` applies."""
        held = {id(problem.item) for problem in self.problems}
        return sum(id(item) not in held for item in self.waiting)


@dataclass(frozen=True)
class ReviewProgress:
    """How far a review is.

    Attributes:
        new: the roles that the review does not list yet.
        still_there: the access that `pulumi up` must still take away.
    """

    packets: Sequence[PacketProgress]
    new: Sequence[NewRole]
    still_there: Sequence[StillThere]

    @property
    def undecided(self) -> int:
        """How many roles are undecided."""
        return sum(len(one.undecided) for one in self.packets)

    @property
    def waiting(self) -> int:
        """How many decisions are not applied."""
        return sum(len(one.waiting) for one in self.packets)

    @property
    def stale(self) -> int:
        """How many of them do not hold any more."""
        found = (problem for one in self.packets for problem in one.problems)
        return sum(problem.item.decision is not None and not problem.in_packet for problem in found)

    @property
    def wrong(self) -> int:
        """How many items somebody must correct in the packets."""
        return sum(problem.in_packet for one in self.packets for problem in one.problems)

    @property
    def is_open(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.undecided or self.waiting or self.wrong or self.new or self.still_there)


def progress_of(folder: Path, overview: Overview, stacks: Sequence[str], say: Say | None = None) -> ReviewProgress:
    """How far a review is, for all stacks where none is named.

    Args:
        folder: the review's folder.
        overview: these stacks, with their rosters and states, and the organization.
        stacks: the stacks that are named.
        say: shows a line.

    Raises:
        UsageError: a packet or the evidence cannot be read.
    """
    record = read_record(folder, say)
    packets = read_packets(folder)
    held = [item for one in packets for item in one.packet.items]
    rosters = {name: RosterRoles.of(name, view.roster) for name, view in overview.stacks.items() if view.roster}
    lowered = lowered_organization_roles(held)
    checks = {
        stack: DecisionCheck(rosters.get(stack), record, lowered, overview.today)
        for stack in {item.stack for item in held}
    }
    wrong = {(one.one.file, one.at): one for one in wrong_decisions(packets, record, overview.today)}
    found = [_progress(one, record, checks, wrong, stacks) for one in packets]
    seen = _AccessNow(overview)
    still = [one for part in found for item in part.applied if (one := seen.still_there(item))]
    new = [one for own in rosters.values() for one in _new(own, record, held, overview)]
    return ReviewProgress(found, new, still)


def _progress(
    one: PacketFile,
    record: ReviewRecord,
    checks: Mapping[str, DecisionCheck],
    wrong: Mapping[tuple[Path, int], WrongDecision],
    stacks: Sequence[str],
) -> PacketProgress:
    found: dict[str, list[Item]] = {"undecided": [], "waiting": [], "applied": []}
    problems: list[ItemProblem] = []
    for at, item in enumerate(one.packet.items):
        if stacks and item.stack not in stacks:
            continue
        applied = "applied" if record.is_applied(one.packet, item) else "waiting"
        part = applied if item.decision else "undecided"
        found[part].append(item)
        check = checks[item.stack]
        if refused := wrong.get((one.file, at)):
            problems.append(ItemProblem(item, refused.words, in_packet=True))
        elif part != "applied" and (why := check.problem(item) if item.decision else check.changed(item)):
            problems.append(ItemProblem(item, why))
    return PacketProgress(file=one.file, packet=one.packet, problems=problems, **found)


def _new(own: RosterRoles, record: ReviewRecord, held: Sequence[Item], overview: Overview) -> Iterator[NewRole]:
    """The roles of a roster that no packet lists, or that must be listed again."""
    there = {item.item_key: item for item in held}
    for key in own.listed(overview.today):
        facts = own.facts(key) or {}
        item = there.get(key)
        if item is None or item.listing_key != record.latest_key(key):
            why = "no packet lists it"
        else:
            why = record.again(key, facts) if item.decision is not None else ""
        if why:
            yield NewRole(key, own.entries[key.entry].person.email, facts.get("role", ""), why)


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
        left = {roles.normalized(item.new_role), _ENCRYPTED} if item.new_role else set()
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
        left = {roles.normalized(item.new_role or ""), (effective.organization_role if effective else None) or ""}
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
            state += [f"a place in {name}" for name in sorted(there - places)]
            mixpanel += [f"a place in {name}" for name in sorted(self._teams_with(item, roster) - places)]
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
