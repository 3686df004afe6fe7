"""Why `status` says that somebody needs action: the reasons in its sentences, as `Truth.troubled` has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

Reason = tuple[str, ...]
"""What is wrong, and of what: `overdue`, the stack and the part; or the difference, the project and the team."""
MEMBERSHIP, ROLE = "membership", "role"
_UNDONE = re.compile(
    r"(?P<what>.+?) in stack (?P<stack>\w+)( \(\S+\))? "
    r"((?P<overdue>ended on \S+ and is not yet (taken away|lowered))"
    r"|(?P<removed>is no longer in the roster and not yet taken away|is lower in the roster and not yet lowered)"
    r"|(?P<late>is in the roster and not yet given(; .+)?))"
)
_OTHERS = {
    "expired": r"the invitation expired on .+",
    "pending for long": r"the invitation is pending for .+",
    "expires soon": r"the invitation expires in .+",
    "deactivated": r"is deactivated, .+",
    "missing member": r"is declared, and not in the organization",
    "changed member": r"is organization \w+, and \w+ is declared",
    "changed address": r"now has the address \S+",
    "missing grant": r"has no grant in (?P<project>\S+), and .+ is declared",
    "missing team member": r"has no membership in the team (?P<team>.+), and it is declared",
    "missing team": r"the team (?P<team>.+) is declared, and not in the organization",
    "changed team": r"the team (?P<team>.+) is now called .+",
    "missing team grant": r"the team (?P<team>.+) has no role in (?P<project>\S+), and .+ is declared",
    "changed team grant": r"the team (?P<team>.+) has \S+ in (?P<project>\S+), and .+ is declared",
    "changed grant": r"is \S+ in (?P<project>\S+), and .+ is declared",
    "unmanaged member": r"is in the organization, and no stack has them",
    "unmanaged team member": r"has a membership in the team (?P<team>.+), which no roster gives",
    "unmanaged team grant": r"the team (?P<team>.+) has \S+ in (?P<project>\S+), which no roster gives",
    "unmanaged grant": r"has \S+ in (?P<project>\S+), which no roster gives",
}


def reasons_in(texts: Iterable[str]) -> set[Reason]:
    """The reasons in the sentences of somebody's steps; a sentence that nobody knows is one itself."""
    return in_short({reason for text in texts for reason in _reasons(text)})


def in_short(reasons: Iterable[Reason]) -> set[Reason]:
    """Leave out the parts of a membership, which `status` sums up."""
    found = set(reasons)
    return {one for one in found if len(one) < 3 or one[2] == MEMBERSHIP or (*one[:2], MEMBERSHIP) not in found}


def _reasons(text: str) -> Iterator[Reason]:
    if found := _UNDONE.fullmatch(text):
        kind = next(kind for kind in ("overdue", "removed", "late") if found[kind])
        yield from ((kind, found["stack"], part) for part in _parts(found["what"]))
        return
    for kind, pattern in _OTHERS.items():
        if found := re.fullmatch(pattern, text):
            named: dict[str, Any] = found.groupdict()
            yield kind, f"{named.get('project') or ''} {named.get('team') or ''}"
            return
    yield (text,)


def _parts(what: str) -> Iterator[str]:
    """What changes: `the access (admin in shop, the team data)`, `the membership in the team data`, `the team data`."""
    if found := re.fullmatch(r"the team (\S+)( \(.+\))?", what):
        yield f"team {found[1]}"
        return
    found = re.fullmatch(r"the access \((.+)\)", what)
    for part in re.split(r", | and ", found[1] if found else what):
        match part.split():
            case ["the", "team", key] | ["the", "membership", "in", "the", "team", key]:
                yield f"team {key}"
            case ["organization", *_]:
                yield ROLE
            case [*_, "in", key]:
                yield key
            case _:
                yield MEMBERSHIP
