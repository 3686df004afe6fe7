"""The replay of the access log: who had which access at every instant, and whether the log agrees with the states.

The lines count in the order of their dates, and lines of the same second in the order of the file.

| event | the access afterwards | the stack afterwards |
| --- | --- | --- |
| `granted`, `restored` | is there, with the line's role | has it |
| `changed` | is there, with the line's role | has it, with the line's reasons |
| `imported` | is there; if it is the first line of the access, it was there before the log began | has it |
| `accepted` | is there, as before | as before |
| `released` | stays | does not have it |
| `revoked` | is gone, unless another stack still has it by the log | does not have it |
| `renamed` | as before | has its access under its new name |
| `pruned` | as before | as before |
| `found` | is there, with the line's role; for the first line of the access, see below | as before |
| `readdressed` | as before: it is the person's, by the address that they have now | as before |

A `revoked` line without a stack ends the access for all stacks. If it is about a membership of the organization, it
ends all access of the person there. If the first line of an access is `changed`, `revoked`, `accepted`, `imported` or
`released`, the access was there before the log began: nobody knows since when. The same holds if the update that first
read the whole organization `found` it. What is `found` or `imported` later was not there then: it counts from its line
on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from mixpanel_access.model.dates import written
from mixpanel_access.operations.state import State
from mixpanel_access.operations.tracker.lines import (
    ENDS,
    GIVES,
    OF_THE_LOG,
    SEEN,
    Access,
    LogEvent,
    LogKey,
    LogLine,
    ordered,
    state_lines,
)
from mixpanel_access.operations.tracker.names import Names
from mixpanel_access.operations.tracker.runs import SKEW


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A time in which an access did not change.

    Attributes:
        access: the access.
        email: the person's present address; "" for a team's role.
        team: the team's name, or "".
        role: the role; "" for a membership in a team, and where the log does not say.
        begins: the first instant; None if the access was there before the log began.
        ends: the first instant after it; None if it lasts.
        organization: the organization's id; None if the log does not say.
        stacks: each stack that has the access, by its present name -> the last line that says so, with its reasons.
    """

    access: Access
    email: str
    team: str
    role: str
    begins: datetime | None
    ends: datetime | None = None
    organization: int | None = None
    stacks: Mapping[str, LogLine] = field(default_factory=dict)

    def covers(self, at: datetime) -> bool:
        """Whether an instant is in it."""
        return (self.begins is None or self.begins <= at) and (self.ends is None or at < self.ends)


class AccessChange(NamedTuple):
    """What a line makes of some access: what it was just before, and what it is afterwards; None if it is not there."""

    access: Access
    before: Interval | None
    after: Interval | None


def replay(lines: Iterable[LogLine], organizations: Mapping[str, int] | None = None) -> Replay:
    """Replay all lines of a log; for the arguments, see `Replay`."""
    found = [*lines]
    replayed = Replay(found, organizations)
    for line in ordered(found):
        replayed.step(line)
    return replayed


class Replay(Names):
    """What a log adds up to, line by line.

    Args:
        lines: the log, for the names of its stacks and people; no line has been stepped.
        organizations: as in `Names`.

    Attributes:
        held: the access that is there now.
        last: the last line about each access.
        since: when a line gave each access that was not there before; None if a line only saw that it was there.
        user_ids: Mixpanel's id of each person, by their membership in an organization.
        ids: the same, by the organization and the key of the present address; it is known also by a changed address.
    """

    def __init__(self, lines: Sequence[LogLine], organizations: Mapping[str, int] | None = None) -> None:
        super().__init__(lines, organizations)
        self._past: list[Interval] = []
        self.held: dict[Access, Interval] = {}
        self.last: dict[Access, LogLine] = {}
        self.since: dict[Access, datetime | None] = {}
        self.user_ids: dict[Access, int] = {}
        self.ids: dict[tuple[int | None, str], int] = {}
        self._by_id: dict[tuple[int | None, int], str] = {}
        self._of_stacks: dict[LogKey, list[LogLine]] = {}
        self._roles: dict[LogKey, set[str]] = {}
        self._related: dict[str | int, set[Access]] = {}
        self._found: dict[int | None, datetime] = {}

    @property
    def intervals(self) -> list[Interval]:
        """The times in which each access did not change; those that have ended come first."""
        return [*self._past, *self.held.values()]

    def at(self, at: datetime) -> dict[Access, Interval]:
        """Who had what at an instant; lines of that very second count."""
        return {one.access: one for one in self.intervals if one.covers(at)}

    def person_with(self, organization: int | None, user_id: int | None) -> str:
        """The key of the present address of a person by Mixpanel's id; "" if no line has the id."""
        return "" if user_id is None else self._by_id.get((organization, user_id), "")

    def of_stack(self, stack: str, access: Access) -> Sequence[LogLine]:
        """The lines since a stack got an access, or the one that took it from the stack; none if it never had it."""
        return self._of_stacks.get(LogKey(stack, access), ())

    def roles_of(self, stack: str, access: Access) -> set[str]:
        """The roles that a stack has or had by an access."""
        return self._roles.get(LogKey(stack, access), set())

    def ended_with(self, access: Access, organization: int | None) -> list[Interval]:
        """The other access that ends with a membership in an organization, or with a team."""
        if access.project is not None or (access.person and access.team is not None):
            return []
        related = self._related.get(access.person or access.team or "", set()) - {access}
        others = [self.held[one] for one in sorted(related, key=str) if one in self.held]
        return [one for one in others if organization is None or one.organization in (None, organization)]

    def whole_since(self, organization: int) -> datetime | None:
        """When an update first wrote who else has access in an organization; None if none has."""
        return self._found.get(organization)

    def out_since(self, membership: Access) -> datetime | None:
        """When a membership of the organization ended; None if it is there, or no line is about it."""
        return self.last[membership].at if membership in self.last.keys() - self.held.keys() else None

    def step(self, line: LogLine) -> Sequence[AccessChange]:
        """Add one line, which is no older than the line before it.

        Returns:
            What becomes of its access, and of what ends with it.
        """
        if line.event == LogEvent.PRUNED and line.organization is not None:
            self._found.setdefault(line.organization, line.at)
        access, at = self.access_of(line), line.at
        if line.user_id is not None:
            self.user_ids[access] = line.user_id
            self._by_id[access.organization, line.user_id] = access.person
            self.ids[access.organization, access.person] = line.user_id
        if line.event in OF_THE_LOG:
            return ()
        self._roles.setdefault(LogKey(self.stack_of(line), access), set()).add(line.role)
        if line.event == LogEvent.FOUND:
            self._found.setdefault(self.organization_of(line), at)
        before = self.held.get(access) or (None if access in self.last else self._earlier(line, access, at))
        others: list[Interval] = []
        if line.event == LogEvent.REVOKED:
            others = [] if line.stack else self.ended_with(access, self.organization_of(line))
            self._revoke(line, before, at)
            for other in others:
                self._end(other, line, at)
                self.last[other.access] = line
        elif line.event == LogEvent.RELEASED:
            if before:
                self._let_go(before, line, at)
        else:
            if access not in self.held:
                self.since[access] = None if before or line.event in SEEN else at
            self._give(line, before or self._new(line, access, at), at)
        self.last[access] = line
        ended = (AccessChange(other.access, other, None) for other in others)
        return [AccessChange(access, before, self.held.get(access)), *ended]

    def _new(self, line: LogLine, access: Access, begins: datetime | None) -> Interval:
        organization = self.organization_of(line)
        return Interval(
            access=access,
            email=self.email_of(line),
            team=line.team,
            role=line.role,
            begins=begins,
            organization=organization,
        )

    def _earlier(self, line: LogLine, access: Access, at: datetime) -> Interval | None:
        """Access that was there before the log began, by the first line about it."""
        if line.event in (LogEvent.GRANTED, LogEvent.RESTORED):
            return None
        since = at - self._found.get(self.organization_of(line), at)
        if line.event in SEEN and since > (SKEW if line.event == LogEvent.IMPORTED else timedelta()):
            return None
        found = self._new(line, access, None)
        return replace(found, role=line.role_before) if line.event == LogEvent.CHANGED else found

    def _give(self, line: LogLine, before: Interval, at: datetime) -> None:
        stack, stacks = self.stack_of(line), before.stacks
        if stack and (line.event != LogEvent.ACCEPTED or before.access not in self.last):
            known = self._of_stacks.setdefault(LogKey(stack, before.access), [])
            known[:] = [*(known if stack in stacks else ()), line]
            stacks = {**stacks, stack: line}
        role = before.role if line.event == LogEvent.ACCEPTED else line.role or before.role
        self._put(before, replace(before, role=role, stacks=stacks, team=line.team or before.team), at)

    def _revoke(self, line: LogLine, before: Interval | None, at: datetime) -> None:
        stack = self.stack_of(line)
        if before and stack and before.stacks.keys() - {stack}:
            self._let_go(before, line, at)
        elif before:
            self._end(before, line, at)

    def _put(self, before: Interval, now: Interval, at: datetime) -> None:
        """Go on with the access as it is now; the time until then is a time of its own if it was different."""
        if before.begins != at and (before.role, before.stacks) != (now.role, now.stacks):
            self._past.append(replace(before, ends=at))
            now = replace(now, begins=at)
        self.held[now.access] = now
        for part in {now.access.person, now.access.team} - {"", None}:
            self._related.setdefault(part or "", set()).add(now.access)

    def _let_go(self, before: Interval, line: LogLine, at: datetime) -> None:
        stack = self.stack_of(line)
        self._of_stacks[LogKey(stack, before.access)] = [line]
        self._put(before, replace(before, stacks={n: one for n, one in before.stacks.items() if n != stack}), at)

    def _end(self, there: Interval, line: LogLine, at: datetime) -> None:
        for stack in {*there.stacks, self.stack_of(line)} - {""}:
            self._of_stacks[LogKey(stack, there.access)] = [line]
        self.held.pop(there.access, None)
        if there.begins != at:
            self._past.append(replace(there, ends=at))


class StateDifference(NamedTuple):
    """Where a stack's state differs from what a log adds up to, in words.

    Attributes:
        text: the words.
        by_hand: whether the log says why: somebody changed it by hand, and the state has it so until a refresh.
    """

    text: str
    by_hand: bool = False


def differences(log: Replay, states: Mapping[str, State]) -> Iterator[StateDifference]:
    """Where states differ from what a log, replayed to its end, adds up to; a stack without a state is not compared."""
    for stack, state in states.items():
        yield from _differences(stack, state, log)


def contradictions(lines: Sequence[LogLine]) -> Iterator[str]:
    """Lines that do not follow from the lines before them; a pruned log may begin with a change."""
    pruned = any(line.event == LogEvent.PRUNED for line in lines)
    names, numbers = Names(lines), {id(line): number for number, line in enumerate(lines, 1)}
    given: dict[LogKey, bool] = {}
    by_event: set[LogKey] = set()
    known: dict[LogLine, int] = {}
    for line in ordered(lines):
        stack, number = names.stack_of(line), numbers[id(line)]
        first = known.setdefault(line, number)
        key = LogKey(stack, names.access_of(line))
        before = given.get(key, False)
        is_given = line.event in (LogEvent.GRANTED, LogEvent.IMPORTED)
        if first != number and before == (line.event not in ENDS):
            yield f"line {number} repeats line {first}; run `mixpanel-access tracker merge`"
        elif not stack or line.event in (*OF_THE_LOG, LogEvent.ACCEPTED):
            continue
        elif key in by_event and not line.audit_id and line.event != LogEvent.RELEASED:
            pass  # an earlier version noted it later than it happened
        elif before and is_given:
            yield f"line {number} grants {_access(line)}, which the log shows as granted already"
        elif not before and line.event not in GIVES and not (pruned and key not in given):
            what = _VERBS.get(LogEvent(line.event), "changes")
            yield f"line {number} {what} {_access(line)}, which no line before it grants"
        given[key] = line.event not in ENDS
        by_event |= {key} if line.audit_id else set()


_VERBS: Final = {LogEvent.REVOKED: "revokes", LogEvent.RELEASED: "releases"}


def _differences(stack: str, state: State, replayed: Replay) -> Iterator[StateDifference]:
    """What a state has and the log does not show, and the other way around."""
    given = {access: one for access, one in replayed.held.items() if stack in one.stacks}
    organization = replayed.organization_of_stack(stack)
    ids = {key: one.outputs.get("user_id") for key, one in state.members.items()}

    def in_log(access: Access) -> Access:
        """The access by the present address of the person, if the state has an earlier one."""
        if known := replayed.person_with(organization, ids.get(access.person)):
            return access._replace(person=known)
        now = access._replace(person=replayed.moved(access.person, organization))
        return access if now in own or replayed.of_stack(stack, access) else now

    own = {one.line.access: one.line for one in state_lines(stack, state, organization)}
    moved = {now: line for access, line in own.items() if (now := in_log(access)) != access}
    held = moved | {access: line for access, line in own.items() if in_log(access) == access}
    # The log keeps a membership that an identity provider has taken over until the next update.
    taken_over = {in_log(Access(None, None, person, team)) for team, person in state.team_members}
    for access, one in given.items():
        if access not in held and access not in taken_over:
            yield StateDifference(f"the log shows {_access(one.stacks[stack])}, and the stack's state does not")
    for access, line in held.items():
        if access not in given:
            if gone := [one.date for one in replayed.of_stack(stack, access) if one.event == LogEvent.REVOKED]:
                text = f"the stack's state still has {_access(line)}, which was taken away by hand on {gone[-1]}"
                yield StateDifference(text, by_hand=True)
            elif (since := replayed.out_since(Access(organization, None, access.person, None))) is not None:
                text = f"the stack's state has {_access(line)}, and the person has no access since {written(since)}"
                yield StateDifference(text, by_hand=True)
            else:
                yield StateDifference(f"the stack's state has {_access(line)}, and the log does not show it")
            continue
        roles = {"", given[access].role, *replayed.roles_of(stack, access)}
        if given[access].stacks[stack].reasons != line.reasons or line.role not in roles:
            shown = _access(given[access].stacks[stack])
            yield StateDifference(f"the log shows {shown}, and the stack's state has {line.what} or other reasons")
        elif line.role not in ("", given[access].role):
            text = f"the stack's state still has {_access(line)}, which was changed by hand to {given[access].role}"
            yield StateDifference(text, by_hand=True)


def _access(line: LogLine) -> str:
    return f"{line.label} ({line.what}, stack {line.stack})"
