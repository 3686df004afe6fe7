"""How commands print what they have checked, and the verdict on it: in lines of at most 100 columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import typer

from mixpanel_access.cli.output import print_paragraph, width_of

if TYPE_CHECKING:
    from mixpanel_access.model.verdict import Verdict

MOST_COLUMNS: Final = 100
_NARROW: Final = 60
"""Fewer columns than this leave no room for a margin as wide as a finding."""


def print_findings(title: str, rows: Iterable[tuple[str, str]]) -> None:
    """Print findings, each with its text, below a title; a file gets the same lines as a wide terminal."""
    found = list(rows)
    margin = max((len(finding) for finding, _ in found), default=0) + 4
    rest = " " * (margin if (width_of(MOST_COLUMNS) or 0) >= _NARROW else 4)
    print_paragraph(f"{title}:", most=MOST_COLUMNS)
    for finding, text in found:
        print_paragraph(text, f"  {finding}".ljust(margin), rest, MOST_COLUMNS)
    typer.echo()


def print_verdict(verdict: Verdict) -> None:
    """Print what is most likely wrong, and what to do."""
    for sentence in verdict.sentences:
        print_paragraph(sentence, most=MOST_COLUMNS)
