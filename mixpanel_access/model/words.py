"""Words for people to read."""

from __future__ import annotations

from typing import Final

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
