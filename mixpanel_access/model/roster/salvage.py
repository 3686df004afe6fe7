"""Reads a roster without the entries that have problems, so that they do not affect the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.problems import Path
from mixpanel_access.model.roster.reading import RosterSource, parse, parse_document, paths_in_common, slips_of_access
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.roster.yaml_text import load

_NAMED: Final = ("projects", "teams", "customRoles", "engagements", "serviceAccounts", "standardRoles")
"""The sections of parts with keys; an entry that refers to a part that is left out has a problem of its own."""
_LISTED: Final = ("people", "exceptions")
_NO_ACCESS: Final = ("organization", "security", "grouped")
"""The sections that give no access."""


@dataclass(frozen=True)
class Unread:
    """What the unreadable parts of a roster can be about, and what keeps its access because of that.

    Attributes:
        people: the keys of the people whose entries cannot be read.
        anybody: whether an unreadable entry does not say whose it is.
        teams: keys and names of teams.
        accounts: names of service accounts.
        roles: whether a standard role cannot be read, so that no role is known.
    """

    people: AbstractSet[str] = frozenset()
    anybody: bool = False
    teams: AbstractSet[str] = frozenset()
    accounts: AbstractSet[str] = frozenset()
    roles: bool = False


NOTHING: Final = Unread()
"""The whole roster can be read."""


@dataclass(frozen=True)
class Salvaged:
    """A roster without the parts that have problems.

    Attributes:
        roster: the rest.
        unread: what the unreadable parts can be about.
        problem: which parts cannot be read, why, and who keeps their access because of that; "" for none.
    """

    roster: Roster
    unread: Unread = NOTHING
    problem: str = ""


def salvage(text: str, source: RosterSource) -> Salvaged:
    """Read a roster without the entries that have problems, and without those that refer to such an entry.

    A value that YAML reads differently from how it looks is a problem if access depends on it.

    Raises:
        RosterError: it is not YAML, or it has a problem that does not belong to one entry.
    """
    try:
        return Salvaged(parse(text, source))
    except RosterError as error:
        problem = error
    try:
        document = load(text)
    except ValueError:
        raise problem from None
    parts = _Parts(document)
    if not parts.include(source):
        raise problem
    # A slip has a usable form, but not the meaning that the author wanted.
    if (slips := slips_of_access(text)) and not parts.leave_out(slips):
        raise problem
    while True:  # each turn takes a part out, or ends
        try:
            roster, paths = parse_document(document, parts.source(source.name))
        except RosterError:  # in what it includes
            raise problem from None
        if roster is not None and not paths:
            return Salvaged(
                roster, parts.unread(), "; ".join([problem.why.rstrip("."), *dict.fromkeys(parts.kept), "fix it"])
            )
        if not parts.leave_out(paths):
            raise problem


@dataclass
class _Parts:
    """The parts of a document, and what the parts that were left out are about."""

    document: Any
    included: dict[str, Any] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    anybody: bool = False
    teams: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    roles: bool = False
    kept: list[str] = field(default_factory=list)

    def unread(self) -> Unread:
        return Unread(frozenset(self.people), self.anybody, frozenset(self.teams), frozenset(self.accounts), self.roles)

    def include(self, source: RosterSource) -> bool:
        """Read the included files without their bad parts; False if one cannot be read at all."""
        names = self.document.get("include") if isinstance(self.document, dict) else None
        for name in [names] if isinstance(names, str) else names or ():
            try:
                text = source.include(str(name))
                document = load(text)
            except (RosterError, ValueError):
                return False
            alone = _Parts(document)
            if (slips := slips_of_access(text)) and not alone.leave_out(slips):
                return False
            if (paths := paths_in_common(document)) and not alone.leave_out(paths):
                return False
            if paths_in_common(document):
                return False
            self.included[str(name)] = document
            self.people |= alone.people
            self.anybody |= alone.anybody
            self.teams |= alone.teams
            self.accounts |= alone.accounts
            self.roles |= alone.roles
            self.kept += alone.kept
        return True

    def source(self, name: str) -> RosterSource:
        """The source with the included files as they are now."""
        return RosterSource(name, lambda included: json.dumps(self.included[included], default=str))

    def leave_out(self, paths: Sequence[Path]) -> bool:
        """Leave out the parts with these problems; False if one of the problems is not in such a part."""
        wanted = dict.fromkeys(path[:2] if path[:1] and path[0] not in _NO_ACCESS else path[:1] for path in paths)
        # From the end of a list, so that the positions before it stay what they are.
        order = sorted(wanted, key=lambda path: path[1] if len(path) > 1 and isinstance(path[1], int) else -1)
        return bool(wanted) and all(map(self._leave_out, reversed(order)))

    def _leave_out(self, part: Path) -> bool:
        return any(self._leave_out_of(document, part) for document in (self.document, *self.included.values()))

    def _leave_out_of(self, document: Any, part: Path) -> bool:
        if not isinstance(document, dict) or not part or part[0] not in document:
            return False
        section = document[part[0]]
        if part[0] in _NO_ACCESS:
            del document[part[0]]
            self.kept.append(f"the section {part[0]} cannot be read")
            return True
        if len(part) < 2 or part[0] not in (*_NAMED, *_LISTED):  # a section and what is in it
            return False
        try:
            gone = section[part[1]]
            del section[part[1]]
        except (KeyError, IndexError, TypeError):
            return False
        self._note(str(part[0]), part[1], gone)
        return True

    def _note(self, section: str, name: str | int, gone: Any) -> None:
        """Note what a part that is left out is about."""
        fields = gone if isinstance(gone, dict) else {}
        if section == "people":
            email = fields.get("email")
            if isinstance(email, str) and problem_with(email) is None:
                self.people.add(same_key(email))
                self.kept.append(
                    f"the entry of {email.strip()} cannot be read, so {email.strip()} keeps what the state has"
                )
            else:
                self.anybody = True
                self.kept.append(
                    "an entry does not say whose it is, so everybody keeps what the state has until its end"
                )
            return
        what = "an exception" if section == "exceptions" else f"{name} in {section}"
        self.kept.append(f"{what} cannot be read, so what depends on it stays as the state has it")
        if section == "teams":
            self.teams |= {str(name), same_key(str(fields.get("name", name)))}
        elif section == "serviceAccounts":
            self.accounts.add(str(name))
        elif section == "standardRoles":
            self.roles = True
