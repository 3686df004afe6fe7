"""`make measures`: what it counts, and that it can measure this clone."""

from __future__ import annotations

import re

import pytest

from scripts.measures import Module, circles, code_lines, main, module, parameters, short_docstrings

SOURCE = '''"""A module."""

def first(one, *, two=2):  # a comment
    """It does
    two things.
    """

    # nothing
    return (
        one,
    )


class Second:
    """Some words that say what it is."""

    name: str
    """Its name."""

    def third(self, one):
        return one
'''


@pytest.fixture
def measured() -> Module:
    """The source above."""
    return module("source.py", SOURCE)


def test_lines_of_code_have_no_docstrings_comments_and_blank_lines(measured: Module) -> None:
    """A docstring under a name counts as one, too."""
    assert len(measured.code) == 8
    assert [code_lines(measured, function) for function in measured.functions()] == [4, 2]


def test_parameters_are_those_that_a_caller_gives(measured: Module) -> None:
    """Keyword-only ones count, `self` does not."""
    assert [parameters(function) for function in measured.functions()] == [2, 1]


def test_short_docstrings_are_found_by_their_words(measured: Module) -> None:
    """Three words or fewer say nothing that the name does not."""
    assert list(short_docstrings(measured)) == ["source.py:1 A module."]


def test_circles_are_found() -> None:
    """A module that two others of a circle import is not in it."""
    assert circles({"a": {"b", "d"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [["a", "b", "c"]]


def test_this_clone_can_be_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has a figure in each row, and `--list` has the frames of a real `create`."""
    monkeypatch.setattr("sys.argv", ["measures", "--list"])
    main()
    table, *lists = capsys.readouterr().out.split("\n\n")
    rows = [row.split(" | ") for row in table.splitlines()[2:]]
    assert len(rows) >= 15
    assert all(re.match(r"\d", value) for _, value in rows)
    assert re.search(r"\w+\.create$", lists[-1].splitlines()[1])
