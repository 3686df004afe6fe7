"""Words for messages: what a misspelt word probably meant, and numbers with their noun."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mixpanel_access.model.address import same_key

_CLOSE_ENOUGH: Final = 70
"""Likeness, of 100, from which a word is offered as what was meant."""
_SLIPS: Final = 2
"""Slips of the pen between two words up to which they look much the same; fewer where the name is short."""
_LETTERS: Final = 3
"""Letters of a name that one slip takes."""
_SHARED: Final = frozenset(
    {
        "admin", "billing", "contact", "finance", "hello", "help", "info", "it", "mail", "office", "sales", "support",
        "team",
    }
)  # fmt: skip
"""Names that every company has, so that two of them are two."""


def slips_between(one: str, other: str, most: int) -> int:
    """The slips of the pen (a letter too many, too few, wrong, or two exchanged) from one word to another.

    More than `most` of them are not counted: then it is `most` and one.
    """
    from rapidfuzz.distance import DamerauLevenshtein  # a library that few commands need, and slow to come

    return DamerauLevenshtein.distance(one, other, score_cutoff=most)


def same_but_for_slips(one: str, other: str, letters: int) -> bool:
    """Whether two words are no more slips of the pen apart than a name of so many letters bears."""
    slips = min(_SLIPS, letters // _LETTERS)
    return slips_between(one, other, slips) <= slips


def alike(address: str, other: str) -> bool:
    """Whether two addresses (or their keys) may be taken for one another, or are the same."""
    names = address.rpartition("@")[0], other.rpartition("@")[0]
    if names[0] == names[1] and names[0] in _SHARED and address != other:
        return False
    return same_but_for_slips(address, other, max(map(len, names)))


def same_name(address: str, other: str) -> bool:
    """Whether what stands before the "@" is the same person's name: one with an address at two companies."""
    name = address.rpartition("@")[0]
    return name == other.rpartition("@")[0] and name not in _SHARED


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`, did you mean 'analyst'?` where a known word is like the given one, else nothing."""
    from rapidfuzz import fuzz, process

    match = process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
    return f" (did you mean {match[0]!r}?)" if match else ""


def meant_address(address: str, known: Iterable[str]) -> str:
    """` (did you mean 'robin@example.org'?)` where a known address may be taken for the given one, else nothing.

    Of two addresses in one domain most letters are the same, so `did_you_mean` would name a stranger.

    Args:
        address: as it was given.
        known: addresses, by which they are compared.
    """
    key = same_key(address)
    near = [other for other in known if alike(key, other)]
    return f" (did you mean {min(near, key=lambda other: slips_between(key, other, _SLIPS))!r}?)" if near else ""


def with_article(noun: str) -> str:
    """A noun behind "a" or "an"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def unknown(word: str, kind: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`'analist' is not a project role (did you mean 'analyst'?); there are ...`."""
    return f"{word!r} is not {with_article(kind)}{did_you_mean(word, known)}; there are {', '.join(known) or 'none'}"


_PLACEHOLDERS: Final = frozenset(
    {"fixme", "later", "na", "nil", "none", "null", "pending", "placeholder", "tba", "tbc", "tbd", "test", "todo",
     "unknown", "xx", "xxx"}
)  # fmt: skip
"""Words that people write where they have nothing to say, without signs and blanks."""


def is_empty(text: str) -> bool:
    """Whether a text says nothing: no letter and no digit, or nothing but a word such as "tbd" or "n/a"."""
    signs = "".join(sign for sign in text.casefold() if sign.isalnum())
    return not signs or signs in _PLACEHOLDERS


def counted(number: int, thing: str, things: str = "") -> str:
    """`1 member`, `2 members`; `2 people` where the plural is another word."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"
