"""The tutorial, done as its page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.blocks import Command
from scripts.make_pictures import FOLDER, PICTURES, picture_of, text_in
from scripts.tutorial import Typed, follow, said
from tests.engine.conftest import QuickEngine

FORKED = "BASH_FUNC_mixpanel-access%%"
"""The variable from which bash reads what stands for the command."""
COMMAND = """() {{
  case $1 in
    emulator) exec "$(type -P mixpanel-access)" "$@" ;;
    *) "{python}" -u -m mixpanel_access "$@" ;;
  esac
}}"""
"""The emulator runs in the background, and is a process that the page's `kill` ends."""


@pytest.mark.engine
def test_the_tutorial_is_true(engine: QuickEngine, tmp_path: Path) -> None:
    """Every command of the page, in its order, ends with 0 and prints what the page and its pictures show.

    Programs and our command line are forked, as in the other tests; an interrupted demo (test_demo.py) starts the real
    Python, and tests/cli/test_startup.py the real command line.
    """
    count, pictures = 0, set(PICTURES.values())
    for typed in follow(tmp_path, {**engine.thrift, FORKED: COMMAND.format(python=engine.python)}):
        assert typed.code == 0, typed
        assert typed.is_as_shown, "\n".join([typed.command.text, *typed.printed])
        count += 1
        if (overview := picture_of(typed)) in pictures:
            pictures.remove(overview)
            drawn = text_in((FOLDER / f"{overview}.svg").read_text())
            assert words(drawn) == words("\n".join([f"$ {typed.command.text}", *said(typed.printed)]))
    assert (count > 30, pictures) == (True, set())


def words(text: str) -> list[str]:
    """Sorted, since the engine works at several resources at once; it shows an exception at the first that has it."""
    return sorted(re.sub(r"(exceptions-in-force\s+)\([^)]*\)", r"\1", text).split())


@pytest.mark.parametrize(
    ("shown", "printed", "agrees"),
    [
        pytest.param(["a", "b"], ["a", "", "@ at it....", "b  "], True, id="all"),
        pytest.param([" + a", "b"], ["@ at it.... + a", "@ at it....\x1b[0m", "b"], True, id="behind-the-dots"),
        pytest.param([], ["a"], True, id="nothing-shown"),
        pytest.param(["a"], [], False, id="nothing-printed"),
        pytest.param(["a", "…", "d"], ["a", "b", "c", "d"], True, id="lines-left-out"),
        pytest.param(["a", "…", "d"], ["a", "d"], True, id="no-line-left-out"),
        pytest.param(["…"], ["a"], True, id="all-left-out"),
        pytest.param(["a"], ["a", "b"], False, id="more-printed"),
        pytest.param(["a", "…", "c", "…"], ["a", "b"], False, id="line-not-printed"),
        pytest.param(["b", "a"], ["a", "b"], False, id="another-order"),
        pytest.param(["done (…)"], ["done (1.5 s)"], True, id="text-left-out"),
        pytest.param(["done (…) now"], ["done (1.5 s)"], False, id="text-not-printed"),
        pytest.param(["a.c"], ["abc"], False, id="no-pattern"),
    ],
)
def test_what_a_page_shows_is_compared(shown: list[str], printed: list[str], agrees: bool) -> None:
    """Line by line, but for blank ones, what the engine says to pass the time, and what is left out."""
    assert Typed(Command("true", tuple(shown)), tuple(printed), 0).is_as_shown == agrees
