"""Whether the pages of a list are all of it: no row comes twice, and there are as many as the answers say.

Whoever is on no page is taken for absent, so a list that contradicts itself counts as unread (contract, section 1).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from mixpanel_access.api.envelope import COUNTS, Json, Page
from mixpanel_access.api.shapes import unintelligible

_IDS: Final = ("id", "role_id", "email")
"""What a row is known by; the first that it has."""
_MAIN: Final = ("users", "projects", "teams")
"""Where an answer has its rows, as a list or as a map by id or address; further lists may stand beside them."""

_Row = tuple[str | None, Any]
"""A row, with its key where the rows are a map."""


def must_be_whole(pages: Sequence[Page], what: str, *, unique: bool) -> None:
    """Refuse a list whose pages repeat rows, or have another number of rows than they say.

    Args:
        pages: all of them.
        what: what is being done, as a clause that follows "cannot".
        unique: whether the list has one row for each id; elsewhere only a page before may not have the same row.

    Raises:
        Unintelligible: it is not the whole list.
    """
    divided = [_parts(page.results) for page in pages]
    seen: dict[str, set[str]] = {}
    for number, parts in enumerate(divided, 1):
        for name, rows in parts.items():
            marks = [_id(*row) if unique else json.dumps(row) for row in rows]
            if not seen.setdefault(name, set()).isdisjoint(marks) or (unique and len(set(marks)) < len(marks)):
                raise unintelligible(what, f"page {number} repeats a row of the list")
            seen[name].update(marks)
    whole = _sizes([row for parts in divided for row in parts.get(name, [])] for name in seen)
    for page, parts in zip(pages, divided, strict=True):
        for word, told in page.counts:
            possible = whole | _sizes(parts.values()) if word == "count" else whole
            if isinstance(told, bool) or str(told) not in map(str, possible):
                number_told = told if isinstance(told, int) else "something else than the number"
                raise unintelligible(what, f"the answer has {max(whole)} rows, and {word} says {number_told}")


def _sizes(parts: Iterable[Sequence[_Row]]) -> set[int]:
    """How many rows there may be said to be: of the main list or of all, with rows of one id as one or as many."""
    rows, ids = [], []
    for part in parts:
        rows.append(len(part))
        ids.append(len({_id(*row) for row in part}))
    return {sum(rows), sum(ids), *rows[:1], *ids[:1]}


def _parts(results: Json) -> dict[str, list[_Row]]:
    """The lists of rows of an answer by name, the main one first."""
    if isinstance(results, list):
        return {"": [(None, row) for row in results]}
    if not isinstance(results, dict):
        return {}
    found = {
        name: value
        for name, value in sorted(results.items(), key=lambda item: item[0] not in _MAIN)
        if isinstance(value, list) or (name in _MAIN and isinstance(value, dict))
    }
    if not found:
        found = {"": {key: row for key, row in results.items() if key not in ("pagination", *COUNTS)}}
    return {
        name: list(rows.items()) if isinstance(rows, dict) else [(None, row) for row in rows]
        for name, rows in found.items()
    }


def _id(key: str | None, row: Any) -> str:
    """What a row is known by; all of it where it has neither an id nor a key."""
    if isinstance(row, dict):
        for name in _IDS:
            if row.get(name):
                return f"{name} {row[name]}"
    return json.dumps(row) if key is None else f"key {key}"
