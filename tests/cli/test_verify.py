"""`doctor --writes` before it knows a project: what is refused, each in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.typed import typed

WRITES = ("--writes", "you@example.com")
REFUSED = {
    "without a terminal": (
        (*WRITES, "--project", "1"),
        "there is no terminal to type the organization's id in. Add --yes-write-to ORGANIZATION_ID.",
    ),
    "without a project": (
        (*WRITES, "--yes-write-to", "7654321"),
        "--writes needs a project to give roles in. Add --project ID of one that is not production.",
    ),
    **{
        f"{option[0]} alone": (option, "its options need a throw-away address. Add --writes EMAIL.")
        for option in (("--teams",), ("--accounts",), ("--project", "1"), ("--yes-write-to", "1"), ("--to", "x.json"))
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_asked_for_must_be_whole(tmp_path: Path, name: str) -> None:
    """Before a project is looked for, an engine is started or anything is sent."""
    words, expected = REFUSED[name]
    came = typed("doctor", "--cwd", str(tmp_path), *words)
    assert (came.code, came.out, came.error) == (2, "", None)
    assert came.err == f"error: cannot try the writes: {expected}\n"


@pytest.mark.parametrize(
    "words", [WRITES, ("--teams",), ("--accounts",), ("--project", "1"), ("--yes-write-to", "1"), ("--to", "x.json")]
)
def test_nothing_is_tried_with_an_undo(tmp_path: Path, words: tuple[str, ...]) -> None:
    """So that nobody takes an undo for a run: one line says to do one after the other."""
    came = typed("doctor", "--cwd", str(tmp_path), "--undo", *words)
    assert (came.code, came.out, came.error) == (2, "", None)
    assert came.err.startswith(
        "error: cannot undo: --undo writes nothing new, and takes neither --writes nor --project"
    )


@pytest.mark.parametrize("words", [("--project", "0"), ("--yes-write-to", "org")])
def test_an_id_is_a_number(tmp_path: Path, words: tuple[str, str]) -> None:
    """Anything else is a wrong use."""
    assert typed("doctor", "--cwd", str(tmp_path), *WRITES, *words).code == 2
