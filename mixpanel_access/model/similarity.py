"""Words for messages: the correct form of a misspelled word, and numbers with their nouns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from mixpanel_access.model.address import same_key

_CLOSE_ENOUGH: Final = 70
"""The similarity (of 100) from which we suggest a word."""
_SLIPS: Final = 2
"""The most typing errors between two words that look alike; short words allow fewer."""
_LETTERS: Final = 3
"""The letters of a name for each typing error."""
_SHARED: Final = frozenset(
    {
        "admin", "billing", "contact", "finance", "hello", "help", "info", "it", "mail", "office", "sales", "support",
        "team",
    }
)  # fmt: skip
"""Names of mailboxes that every company has: in two domains, they are two mailboxes."""


def slips_between(one: str, other: str, most: int) -> int:
    """The typing errors (a letter too many, too few, wrong, or two exchanged) between two words, up to `most` + 1."""
    from rapidfuzz.distance import DamerauLevenshtein  # a library that few commands need, and slow to come

    return DamerauLevenshtein.distance(one, other, score_cutoff=most)


def same_but_for_slips(one: str, other: str, letters: int) -> bool:
    """Whether two words differ by no more typing errors than a name of this length allows."""
    slips = min(_SLIPS, letters // _LETTERS)
    return slips_between(one, other, slips) <= slips


def alike(address: str, other: str) -> bool:
    """Whether two addresses (or their keys) are the same, or one may be a misspelling of the other."""
    names = address.rpartition("@")[0], other.rpartition("@")[0]
    if names[0] == names[1] and names[0] in _SHARED and address != other:
        return False
    return same_but_for_slips(address, other, max(map(len, names)))


def same_name(address: str, other: str) -> bool:
    """Whether the part before the "@" is the same name, of a person with addresses at two companies."""
    name = address.rpartition("@")[0]
    return name == other.rpartition("@")[0] and name not in _SHARED


def similar_addresses(email: str, others: Iterable[str]) -> list[str]:
    """The addresses, or their keys, that may be the same person's: misspelled, or the same name at another domain."""
    own = same_key(email)
    keys = {other: same_key(other) for other in others}
    return sorted(one for one, key in keys.items() if key != own and (alike(key, own) or same_name(key, own)))


def similar(word: str, known: Sequence[str] | Mapping[str, Any]) -> str | None:
    """The known word that is most similar, or None if none is similar enough."""
    from rapidfuzz import fuzz, process

    match = process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
    return match[0] if match else None


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """` (did you mean 'analyst'?)` if a known word is similar, or ""."""
    meant = similar(word, known)
    return "" if meant is None else f" (did you mean {meant!r}?)"


def meant_address(address: str, known: Iterable[str]) -> str:
    """` (did you mean 'robin@example.org'?)` if a known address is similar, or "".

    Two addresses in one domain have most letters in common, so `did_you_mean` would suggest a stranger.
    """
    key = same_key(address)
    near = [other for other in known if alike(key, other)]
    return f" (did you mean {min(near, key=lambda other: slips_between(key, other, _SLIPS))!r}?)" if near else ""


def with_article(noun: str) -> str:
    """A noun with "a" or "an"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def unknown(word: str, what: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`'analist' is not a project role (did you mean 'analyst'?); there are ...`."""
    there = "there is only" if len(known) == 1 else "there are"
    return f"{word!r} is not {with_article(what)}{did_you_mean(word, known)}; {there} {', '.join(known) or 'none'}"


_PLACEHOLDERS: Final = frozenset(
    {"fixme", "later", "na", "nil", "none", "null", "pending", "placeholder", "tba", "tbc", "tbd", "test", "todo",
     "unknown", "xx", "xxx"}
)  # fmt: skip
"""Words that people write instead of a reason, without punctuation and blanks."""


@lru_cache(maxsize=1 << 14)
def is_empty(text: str) -> bool:
    """Whether a text has neither a letter nor a digit, or is only a word such as "tbd" or "n/a"."""
    signs = "".join(sign for sign in text.casefold() if sign.isalnum())
    return not signs or signs in _PLACEHOLDERS


def in_words(names: Iterable[str]) -> str:
    """Some names as a part of a sentence: `production`, `production and staging`, `a, b and c`."""
    *others, last = [*names] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def counted(number: int, thing: str, things: str = "") -> str:
    """`1 member`, `2 members`; `2 people` with another word for the plural."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def in_days(days: int) -> str:
    """`in 3 days`, `today`, `1 day ago`."""
    if days == 0:
        return "today"
    return f"in {counted(days, 'day')}" if days > 0 else f"{counted(-days, 'day')} ago"
