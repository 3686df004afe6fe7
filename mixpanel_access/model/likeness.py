"""What was probably meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rapidfuzz import fuzz, process

_CLOSE_ENOUGH: Final = 70
"""Likeness, of 100, from which a word is offered as what was meant."""


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`, did you mean 'analyst'?` where a known word is like the given one, else nothing."""
    match = process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
    return f" (did you mean {match[0]!r}?)" if match else ""


def unknown(word: str, kind: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """`'analist' is no project role (did you mean 'analyst'?); there are ...`."""
    return f"{word!r} is no {kind}{did_you_mean(word, known)}; there are {', '.join(known) or 'none'}"
