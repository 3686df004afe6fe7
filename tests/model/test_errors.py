"""One tree of errors, each a line with what to do next."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from mixpanel_access.model import errors
from mixpanel_access.model.errors import AccessError


def tree(root: type[AccessError]) -> list[type[AccessError]]:
    """The class and all below it."""
    return [root, *(kind for below in root.__subclasses__() for kind in tree(below))]


ALL = tree(AccessError)


def test_the_drawing_shows_the_tree() -> None:
    """The module's docstring names every error and no other."""
    drawn = re.findall(r"^\s*[│├└─ ]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    assert [name for name in drawn if hasattr(errors, name)] == [kind.__name__ for kind in ALL]


@pytest.mark.parametrize("ending", ["", ".", "\n", " .\n", "...", ".\n\n"])
def test_the_words_of_other_programs_end_with_one_full_stop(ending: str) -> None:
    """Their lines and stops are not shown before our own."""
    assert str(AccessError("cannot x", why=f"it is so{ending}", next_step="Do that.")) == "cannot x: it is so. Do that."


@pytest.mark.parametrize("kind", ALL)
def test_each_has_an_exit_code_of_its_family(kind: type[AccessError]) -> None:
    """1 findings, 2 usage, 3 Mixpanel or network."""
    expected = 2 if issubclass(kind, errors.UsageError) else 1 if kind is errors.Refused else 3
    assert kind.exit_code == expected


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_each_survives_a_copy(kind: type[AccessError], again: object) -> None:
    """With its text and its fields."""
    error = kind("cannot invite", subject="bo@example.com", why="because\nof  this.", next_step="Do that.")
    error.__dict__["status"] = 403
    copied = again(error)  # type: ignore[operator]
    assert (type(copied), str(copied), copied.status) == (kind, str(error), 403)
    assert str(error) == "cannot invite for bo@example.com: because of this. Do that."


def test_what_is_not_told_leaves_no_trace() -> None:
    """No stray colon, no empty name."""
    assert str(AccessError("cannot invite")) == "cannot invite"
    assert str(AccessError("cannot invite", next_step="Wait.")) == "cannot invite. Wait."
