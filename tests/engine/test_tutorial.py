"""The tutorial, done as its page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.blocks import Command
from scripts.tutorial import Typed, follow


@pytest.mark.engine
def test_the_tutorial_is_true(tmp_path: Path) -> None:
    """Every command of the page, in its order, ends with 0 and prints what the page shows."""
    count = 0
    for typed in follow(tmp_path, {}):
        assert typed.code == 0, typed
        assert typed.is_as_shown, "\n".join([typed.command.text, *typed.printed])
        count += 1
    assert count > 30


@pytest.mark.parametrize(
    ("shown", "printed", "agrees"),
    [
        pytest.param(["a", "b"], ["a", "", "@ at it....", "b  "], True, id="all"),
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
