"""What a successful answer says (contract, section 1): its envelope, the pages of a list, and the shapes of rows.

Whoever is on no page is taken for absent, so a list that contradicts itself counts as unread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from mixpanel_access.api.redaction import Redactor
from mixpanel_access.model import errors, roles
from mixpanel_access.model.dates import instant

Json = Any
"""A JSON value; the family's shapes check it."""


@dataclass(frozen=True)
class Page:
    """A successful answer.

    Attributes:
        results: its `results`, or all of it where it has no envelope.
        cursor: the cursor of the page that follows; None on the last page.
        counts: how many rows it says that there are: each count's word and value.
        ends: whether it says that no page follows; a missing cursor does not say so.
        told: whether it says anything. `{}` does not, and is not an empty list.
    """

    results: Json
    cursor: str | None = None
    counts: tuple[tuple[str, Json], ...] = ()
    ends: bool = False
    told: bool = True


def page_of(content: bytes, what: str, redact: Redactor) -> Page:
    """An answer with a good HTTP status, checked in the contract's order, with what it says of its pages.

    First `status`, then a bare `error`, then `results.updated`, then `results.success`. An answer without an envelope
    is its own `results`.

    Raises:
        NotApplied: the answer says that the call failed.
        Unintelligible: the answer is not a JSON object or array.
    """
    try:
        answer = _loaded(content)
    except (ValueError, RecursionError):  # RecursionError: it is nested more deeply than any answer is
        raise errors.Unintelligible(
            f"cannot {what}",
            why=f"the answer is not JSON ({redact.words_of(content, '')})",
            next_step="Check mixpanel:apiUrl: a proxy or another service may answer there.",
        ) from None
    if not isinstance(answer, dict):
        return Page(answer)
    if not answer:
        return Page(answer, told=False)
    if answer.get("status") not in (None, "ok") or answer.get("error"):
        raise _not_applied(what, redact(str(answer.get("error") or answer.get("status"))))
    results = answer.get("results", answer)
    if isinstance(results, dict):
        if results.get("updated") is False:
            raise _not_applied(what, redact(str(results.get("fail_reason") or "it says that nothing was updated")))
        if results.get("success") is False:
            raise _not_applied(what, redact(str(results.get("error") or "it says that the call had no success")))
    cursor = _cursor(answer) or _cursor(results)
    if cursor is None and (more := _more(answer) or _more(results)):
        raise errors.Unintelligible(
            f"cannot {what}",
            why=f"the answer is one of several pages ({more}), and does not say how to ask for the next one",
            next_step="Run with MIXPANEL_ACCESS_DEBUG=1 and report it; nothing was changed on the strength of it.",
        )
    ends = cursor is None and any("next_cursor" in _pagination(part) for part in (answer, results))
    return Page(results, cursor, (*_counts(answer), *_counts(results)), ends)


COUNTS: Final = ("total", "count", "totalResults", "total_results", "total_count")
"""Words by which an answer may say how many rows there are; `count` may speak of its own page."""
_MORE: Final = ("has_more", "has_next", "has_next_page", "more", "next", "next_page", "next_url")
"""Words by which an answer may say that it is not all; nobody documents them."""


def _more(part: Json) -> str | None:
    """What says that there are more pages, as "has_more: True"; None where nothing does."""
    words = _pagination(part)
    return next((f"{word}: {words[word]}" for word in _MORE if words.get(word)), None)


def _counts(part: Json) -> tuple[tuple[str, Json], ...]:
    """What a part of an answer says of the number of rows; null is as if it were not there."""
    within = (part, _pagination(part)) if isinstance(part, dict) else ()
    return tuple((word, words[word]) for words in within for word in COUNTS if words.get(word) is not None)


def _pagination(part: Json) -> dict[str, Json]:
    pagination = part.get("pagination") if isinstance(part, dict) else None
    return pagination if isinstance(pagination, dict) else {}


def _cursor(part: Json) -> str | None:
    """The cursor of the page that follows; a number is one as well."""
    cursor = _pagination(part).get("next_cursor")
    if isinstance(cursor, int) and not isinstance(cursor, bool):
        return str(cursor)
    return cursor if isinstance(cursor, str) and cursor else None


def _loaded(content: bytes) -> Json:
    """The JSON of an answer; half a character, which no file and no terminal takes, is shown as a question mark."""
    answer = json.loads(content)
    if b"\\ud" in content.lower():
        answer = json.loads(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))
    return answer


def _not_applied(what: str, words: str) -> errors.NotApplied:
    return errors.NotApplied(
        f"cannot {what}",
        why=f"Mixpanel answered without applying it ({words})",
        next_step="Check the values against what Mixpanel says, then run again.",
    )


_IDS: Final = ("id", "role_id", "email")
"""What a row is known by; the first that it has."""
_MAIN: Final = ("users", "projects", "teams")
"""Where an answer has its rows, as a list or as a map by id or address; an answer may have further lists."""

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


def _role(value: object) -> str | None:
    """A role word from a string or from an object with `name` and `id` (contract, section 2); None for no role."""
    if isinstance(value, dict):
        custom = value.get("is_custom_role") and isinstance(value.get("id"), str)
        value = value["id"] if custom else value.get("name") or value.get("id")
    if value is None or roles.is_no_role(str(value)):
        return None
    return roles.normalized(str(value))


def _is_told(value: object) -> bool:
    """Whether a value can mean "no role"; an object with neither name nor id means nothing."""
    return not isinstance(value, dict) or bool({"name", "id"} & value.keys())


def _instant(value: object) -> datetime | None:
    try:
        return instant(value) if isinstance(value, str) and value else None
    except ValueError:
        return None  # an unreadable time is unknown, which is how an absent one is taken


RoleWord = Annotated[str | None, BeforeValidator(_role)]
"""A role, as a string or an object; None for no role."""
OrganizationRoleWord = Annotated[str | None, BeforeValidator(lambda value: roles.organization_role(_role(value)))]
"""An organization role; no role is `member`. Only a row without the field leaves it unknown."""
Instant = Annotated[datetime | None, BeforeValidator(_instant)]
"""An instant; one that cannot be read is unknown."""


class Wire(BaseModel):
    """Any shape: what is more than expected is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class OrganizationRow(Wire):
    """A row with an organization role, under any of its names; if one of them is empty, another may have it."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("role", "org_role", "organization_role")

    role: OrganizationRoleWord = None

    @model_validator(mode="before")
    @classmethod
    def _role_by_any_name(cls, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        told = [row[name] for name in cls.ROLE_NAMES if name in row and _is_told(row[name])]
        rest = {name: value for name, value in row.items() if name != "role"}
        return {**rest, "role": next((role for role in told if _role(role)), told[0])} if told else rest


def rows(results: Any, what: str) -> Iterator[Any]:
    """The rows of an array, or of a map keyed by e-mail address or id."""
    if isinstance(results, list):
        for row in results:
            yield {"email": row} if isinstance(row, str) else row
    elif isinstance(results, dict):
        for key, row in results.items():
            if isinstance(row, dict):
                yield {"email": key, **row} if "@" in key else row
            elif (row is None or isinstance(row, str)) and "@" in key:
                yield {"email": key, "role": row}
            else:
                raise unintelligible(what, f"{key!r} holds {type(row).__name__}")
    else:
        raise unintelligible(what, f"{type(results).__name__} where rows were expected")


Row = TypeVar("Row", bound=Wire)


def checked(model: type[Row], row: Any, what: str) -> Row:
    """The row in its shape.

    Raises:
        Unintelligible: it has another.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the row"
        raise unintelligible(what, f"{field}: {first['msg']}") from None


def unintelligible(what: str, why: str) -> errors.Unintelligible:
    """An answer that cannot be read."""
    return errors.Unintelligible(
        f"cannot {what}",
        why=f"the answer has an unknown shape ({why})",
        next_step="Run with MIXPANEL_ACCESS_DEBUG=1 and report it; nothing was changed on the strength of it.",
    )
