"""What is looked up in answers as they came: rows, role words, statuses, and paths without ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote

from mixpanel_access.api.answers import OrganizationRow
from mixpanel_access.api.observed import Exchange
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.operations.verifying.walk import CallResult, WalkEvidence

Row = Mapping[str, Any]
NO_KEY: Final = object()
"""The role of a row that has none."""
_PLACES: Final = {
    "organizations": "{o}",
    "projects": "{p}",
    "users": "{email}",
    "teams": "{t}",
    "service-accounts": "{id}",
}
"""What follows these words in a path, in braces as the contract and the emulator write it."""


def template(path: str) -> str:
    """A path without ids and addresses."""
    parts = path.split("/")
    for number, (word, part) in enumerate(pairwise(parts), 1):
        if word in _PLACES and (part.isdigit() or "@" in unquote(part)):
            parts[number] = _PLACES[word]
    return "/".join(parts)


def calls(evidence: WalkEvidence) -> Iterator[CallResult]:
    """Every call whose answer was kept."""
    yield from evidence.reads.values()
    for done in evidence.done.values():
        yield done.sent
        if done.back:
            yield done.back


def exchanges(evidence: WalkEvidence) -> Iterator[Exchange]:
    """Every request with its answer."""
    for seen in calls(evidence):
        yield from seen.exchanges


def status_of(seen: CallResult | None) -> int | None:
    """The last status; None where no answer came."""
    return seen.exchanges[-1].status if seen and seen.exchanges else None


def status_in_words(seen: CallResult) -> str:
    """The last status, and what the client makes of a success that is none."""
    status = status_of(seen)
    if status is None:
        return "no answer"
    return f"status {status}" + (f", {type(seen.error).__name__}" if seen.error and status < 400 else "")


def results_of(seen: CallResult) -> Any:
    """The `results` of the last answer, or the answer where it has none."""
    answer = seen.exchanges[-1].answer if seen.exchanges else None
    return answer.get("results", answer) if isinstance(answer, dict) else answer


def rows(seen: CallResult | None, is_meant: Callable[[Row, str], bool]) -> Iterator[Row]:
    """The objects anywhere in the answers that are meant; each is judged with the key under which it is."""

    def within(part: Any, key: str) -> Iterator[Row]:
        if isinstance(part, dict):
            if is_meant(part, key):
                yield part
            for name, inner in part.items():
                yield from within(inner, name)
        elif isinstance(part, list):
            for inner in part:
                yield from within(inner, "")

    for exchange in seen.exchanges if seen else ():
        yield from within(exchange.answer, "")


def row_of(seen: CallResult | None, email: str) -> Row | None:
    """The row of an address, which it has or is listed under."""
    return next(rows(seen, lambda row, key: same_key(str(row.get("email", key))) == same_key(email)), None)


def row_named(seen: CallResult | None, name: str) -> Row | None:
    """The row of a team, or of a service account, whose login name begins with the name."""
    return next(
        rows(seen, lambda row, _: row.get("name") == name or str(row.get("username")).startswith(f"{name}.")), None
    )


def role_of(row: Row) -> Any:
    """The organization role as it is written."""
    return next((row[name] for name in OrganizationRow.ROLE_NAMES if name in row), NO_KEY)


def word_of(role: Any) -> str | None:
    """The role's word, be it written as a word or an object; None where there is none."""
    name = role.get("name") or role.get("id") if isinstance(role, dict) else role
    return roles.normalized(name) if isinstance(name, str) else None


def role_in_words(role: Any) -> str:
    """How a role is written; a word that is not known is not shown, since it may be a name."""
    if role is NO_KEY:
        return "no key for the role"
    if isinstance(role, dict):
        return "an object"
    if not isinstance(role, str) or not role:
        return "null" if role is None else "no word"
    known = roles.is_no_role(role) or roles.normalized(role) in (*roles.ORGANIZATION_ROLES, *roles.PROJECT_ROLES)
    return f"`{role}`" if known else "an unknown word"
