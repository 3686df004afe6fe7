"""What the stacks and people of an access log are called now, and the organization of each line."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

from mixpanel_access.model.address import same_key
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.tracker.lines import Access, LogEvent, LogLine, ordered

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
"""Before every line."""
_SECOND: Final = timedelta(seconds=1)
Name = TypeVar("Name", bound=Hashable)
Person = tuple[int | None, str]
"""An organization, and the key of an address in it."""


class _Changes(Generic[Name]):
    """How names changed: when, from what and to what, the oldest first. Those of one instant happen at once.

    Attributes:
        until: the names that something had earlier -> until when.
    """

    def __init__(self, changes: Iterable[tuple[datetime, Name, Name]]) -> None:
        self._of = grouped((old, (at, new)) for at, old, new in changes)
        self.until = {name: its[-1][0] for name, its in self._of.items()}

    def now(self, name: Name, at: datetime) -> Name:
        """The present name of what had a name at an instant."""
        for changed, new in self._of.get(name, ()):
            if at <= changed:
                return self.now(new, changed + _SECOND)
        return name


class Names:
    """What the stacks and people of a log are called now.

    Args:
        lines: the log.
        organizations: the organizations of some stacks, for a log of an earlier version, which names none.
    """

    def __init__(self, lines: Sequence[LogLine], organizations: Mapping[str, int] | None = None) -> None:
        renamed = ordered(line for line in lines if line.event == LogEvent.RENAMED)
        self._stacks = _Changes((line.at, line.renamed_from, line.stack) for line in renamed)
        named: dict[str, int] = {**(organizations or {})}
        named |= {self.stack_of(line): line.organization for line in lines if line.organization is not None}
        self._organizations = {stack: organization for stack, organization in named.items() if stack}
        known = set(named.values())
        self._only = known.pop() if len(known) == 1 else None
        self._moved = moved = ordered(line for line in lines if line.event == LogEvent.READDRESSED)
        self._people: _Changes[Person] = _Changes(
            (line.at, (line.organization, same_key(line.email_before)), (line.organization, same_key(line.email)))
            for line in moved
        )
        self._written = {(line.organization, same_key(line.email)): line.email for line in moved}

    def stack_of(self, line: LogLine) -> str:
        """The stack of a line by its present name."""
        return self._stacks.now(line.stack, line.at) if line.stack in self._stacks.until else line.stack

    def organization_of(self, line: LogLine) -> int | None:
        """The organization of a line; in a line of an earlier version, that of its stack or the log's only one."""
        return line.organization or self.organization_of_stack(self.stack_of(line))

    def organization_of_stack(self, stack: str) -> int | None:
        """The organization of a stack by its present name; the log's only one if no line names it."""
        return self._organizations.get(stack, self._only)

    def access_of(self, line: LogLine) -> Access:
        """What a line is about, by the address that the person has now."""
        access, organization = line.access, self.organization_of(line)
        a_membership = access.project is None and access.team is None
        # Until then, a new address may be that of somebody else.
        at = line.at + _SECOND if line.event == LogEvent.READDRESSED else line.at
        person = self.person(access.person, organization, at)
        return access._replace(organization=organization if a_membership else None, person=person)

    def person(self, key: str, organization: int | None, at: datetime = LONG_AGO) -> str:
        """The key of the present address of whoever had an address at an instant."""
        return self._people.now((organization, key), at)[1]

    def earlier_addresses(self, organization: int) -> Mapping[str, datetime]:
        """The keys of the addresses in an organization that people had earlier, and until when."""
        return {key: at for (of, key), at in self._people.until.items() if of == organization}

    def address_at(self, person: str, organization: int, at: datetime) -> str:
        """The address that somebody had at an instant by the log; `person`: the key of the present one."""
        key, email, before = person, self.written(person, organization) or person, None
        for line in reversed(self._moved):
            its = (line.organization, same_key(line.email)) == (organization, key)
            if its and line.at >= at and (before is None or line.at < before):
                email, before = line.email_before, line.at
                key = same_key(email)
        return email

    def moved(self, key: str, organization: int | None) -> str:
        """The key of the present address of whoever last had another one before; the same if nobody had."""
        until = self._people.until.get((organization, key))
        return key if until is None else self.person(key, organization, until)

    def email_of(self, line: LogLine) -> str:
        """The present address of the person of a line."""
        return self.written(self.access_of(line).person, self.organization_of(line)) or line.email

    def written(self, key: str, organization: int | None) -> str:
        """A new address as the log writes it; "" for an address that is nobody's new one."""
        return self._written.get((organization, key), "")
