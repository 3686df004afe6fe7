"""What was probably meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import DamerauLevenshtein

_CLOSE_ENOUGH: Final = 70
"""Likeness, of 100, from which a word is offered as what was meant."""
_SLIPS: Final = 2
"""Slips of the pen between two addresses up to which they look much the same."""


def alike(address: str, other: str) -> bool:
    """Whether two addresses (or their keys) may be taken for one another, or are the same."""
    return DamerauLevenshtein.distance(address, other, score_cutoff=_SLIPS) <= _SLIPS


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`, did you mean 'analyst'?` where a known word is like the given one, else nothing."""
    match = process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
    return f" (did you mean {match[0]!r}?)" if match else ""


def unknown(word: str, kind: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`'analist' is no project role (did you mean 'analyst'?); there are ...`."""
    return f"{word!r} is no {kind}{did_you_mean(word, known)}; there are {', '.join(known) or 'none'}"
