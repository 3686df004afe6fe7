"""What a shell hands over: bytes that are not UTF-8 are refused before a command begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.invocations import INVOCATIONS
from tests.cli.typed import typed

LATIN = os.fsdecode("caf\u00e9".encode("latin-1"))


@pytest.mark.parametrize("name", INVOCATIONS)
def test_bytes_that_are_not_utf_8_are_refused_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By every command, wherever they stand, with nothing written."""
    monkeypatch.chdir(tmp_path)
    done = typed(*name.split(), *INVOCATIONS[name], f"--comment={LATIN}")
    assert (done.code, done.error, done.out) == (2, None, "")
    assert done.err == (
        "error: cannot read an argument for --comment=caf\\udce9: it has bytes that are not UTF-8. Write it in UTF-8.\n"
    )
    assert not list(tmp_path.iterdir())


def test_other_letters_are_none_of_them() -> None:
    """Accents, other scripts and signs go through."""
    assert "not UTF-8" not in typed("policy", "explain", "caf\u00e9 \u5496 \U0001f600").err


@pytest.mark.parametrize(("option", "choice"), [("--backend", "azblob"), ("--ci", "gitlab")])
def test_a_wrong_choice_is_answered_with_the_choices(option: str, choice: str, tmp_path: Path) -> None:
    """In the words of the command, and not of the library that checks it."""
    done = typed("new", str(tmp_path / "access"), option, "azure")
    assert done.code == 2
    (line,) = (line for line in done.err.splitlines() if line.startswith("Error: "))
    assert line.startswith(f"Error: Invalid value for '{option}': 'azure' is not one of ")
    assert repr(choice) in line
    assert not list(tmp_path.iterdir())
