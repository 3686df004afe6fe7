"""docs/mistakes.md, of the table and of what the commands say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mixpanel_access.operations.tables import markdown
from scripts.build_site import ROOT
from tests.mistakes.table import SECTIONS, Mistake

PAGE: Final = ROOT / "docs" / "mistakes.md"
_INTRODUCTION: Final = """\
# Frequent mistakes

This page lists the message that each frequent mistake gets. Search it for the message that you got; the first column
says what is wrong. A message is one line: what failed, for whom or in which line of a file, why, and what to do next.
[Troubleshooting](troubleshooting.md) has the problems that need a longer answer.

Exit code 1 means that something was found or the engine stopped, 2 that the command, the configuration or a roster is
wrong, and 3 that Mixpanel or the network failed. A test makes each of these mistakes and compares the message.
"""
_HEAD: Final = ("mistake", "command", "exit code", "message")


def page(messages: Mapping[Mistake, str]) -> str:
    """The page, of the message of each mistake."""
    parts = [_INTRODUCTION]
    for title, mistakes in SECTIONS.items():
        rows = [(one.what, _command(one), one.code, messages[one]) for one in mistakes]
        parts.append(f"## {title}\n\n{markdown(_HEAD, rows)}\n")
    return "\n".join(parts)


def _command(mistake: Mistake) -> str:
    """The command's name: its arguments are those of the mistake."""
    words = mistake.command.split()
    return f"`{' '.join(words[:2])}`" if words[0] == "pulumi" else f"`{words[1]}`"
