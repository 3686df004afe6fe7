"""Find the code blocks of the pages, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from scripts.build_site import ROOT, linked

PROMPT: Final = "$ "
LEFT_OUT: Final = "…"
"""Marks output that the page leaves out."""
_OPERATORS: Final = frozenset({"&", "&&", "||", ";", "|", "(", ")", "{", "}"})
_REDIRECTIONS: Final = frozenset({">", ">>", "<", "<<<"})


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        page: its page.
        line: the line of its fence, from 1.
        language: the language that the fence names, or "".
        text: its content.
    """

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command after a prompt, its lines joined, and the output that the page shows."""

    text: str
    shown: tuple[str, ...] = ()


def pages() -> list[Path]:
    """The pages of the site."""
    return [path for path in linked(ROOT) if path.suffix == ".md"]


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """The code blocks of a page, including those in lists and indented ones."""
    return tuple(
        Block(page, token.map[0] + 1 if token.map else 0, token.info.strip(), token.content)
        for token in MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))
        if token.type in {"fence", "code_block"}
    )


@cache
def inline(page: Path) -> tuple[str, ...]:
    """The texts between backticks in a page."""
    found = MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))
    return tuple(part.content for token in found for part in token.children or () if part.type == "code_inline")


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block, each with the output that the page shows."""
    typed, shown = "", list[str]()
    for line in block.text.replace("\\\n", " ").splitlines():
        if line.startswith(PROMPT):
            if typed:
                yield Command(typed, tuple(shown))
            typed, shown = line.removeprefix(PROMPT), []
        elif typed:
            shown.append(line)
        else:
            raise ValueError(f"{block}: {line!r} is before the first prompt")
    if typed:
        yield Command(typed, tuple(shown))


def simple(text: str) -> Iterator[list[str]]:
    """The simple commands of a line as words, including those joined by `&&`, in pipes, and in `$(...)`."""
    for within in re.findall(r"\$\(([^)]+)\)", text):
        yield from simple(within)
    lexer = shlex.shlex(text, posix=True, punctuation_chars="&|;<>(){}")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _OPERATORS:
            words.append(word)
        elif words:
            yield _command(words)
            words = []


def _command(words: Sequence[str]) -> list[str]:
    """A command without its redirections and without the variables that are set for it alone."""
    kept: list[str] = []
    skip = False
    for word in words:
        if not skip and word not in _REDIRECTIONS and (kept or not re.match(r"[A-Z_]+=", word)):
            kept.append(word)
        skip = word in _REDIRECTIONS
    return kept
