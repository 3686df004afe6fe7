"""Words for people to read."""

from __future__ import annotations


def counted(number: int, thing: str, things: str = "") -> str:
    """`1 member`, `2 members`; `2 people` where the plural is another word."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"
