"""What a custom role may be called and hold, and what of it is the server's own."""

from __future__ import annotations

import pytest

from mixpanel_access.model.roles import as_set, base_of, problem_with_permissions, problem_with_role_name

NAMES: dict[str, tuple[object, str]] = {
    "nothing": (None, "cannot be the name"),
    "blank": (" ", "cannot be the name"),
    "a number": (7, "cannot be the name"),
    "a default role": ("Owner", "every project has"),
    "another": ("consumer ", "every project has"),
    "a role's id": ("5b0c0c3e-0000-4000-8000-000000000001", "every project has"),
}


@pytest.mark.parametrize(("name", "words"), NAMES.values(), ids=NAMES.keys())
def test_a_name_that_cannot_be_one(name: object, words: str) -> None:
    """In words; any other text is a name."""
    assert words in (problem_with_role_name(name) or "")
    assert problem_with_role_name("Support") is None
    assert problem_with_role_name("Owners") is None


PERMISSIONS: dict[str, tuple[object, str | None]] = {
    "none": ([], None),
    "some": (["a", "b", "a"], None),
    "a text": ("a", "not a list"),
    "a mapping": ({"a": True}, "not a list"),
    "a number among them": (["a", 7], "7 is not a permission"),
    "a blank one": (["a", " "], "' ' is not a permission"),
}


@pytest.mark.parametrize(("permissions", "words"), PERMISSIONS.values(), ids=PERMISSIONS.keys())
def test_permissions_are_a_list_of_codes(permissions: object, words: str | None) -> None:
    """Which there are, only Mixpanel knows."""
    problem = problem_with_permissions(permissions)
    assert problem is None if words is None else words in (problem or "")


def test_equal_sets_are_written_alike() -> None:
    """In one order, each once."""
    assert as_set(["b", "a", " b "]) == as_set(("a", "b")) == ["a", "b"]


BASES: dict[str, tuple[set[str] | None, set[str] | None, set[str]]] = {
    "as it was added": ({"v"}, None, {"v"}),
    "added, and one by hand": ({"v"}, {"x", "v"}, {"v"}),
    "nothing was added": (set(), None, set()),
    "not known, by the catalogue": (None, {"x", "a"}, {"v"}),
    "not known, and no catalogue": (None, None, set()),
    "it is no longer there": ({"v", "w"}, None, {"v"}),
}


@pytest.mark.parametrize(("added", "catalogue", "base"), BASES.values(), ids=BASES.keys())
def test_what_is_the_servers_own(added: set[str] | None, catalogue: set[str] | None, base: set[str]) -> None:
    """What it added when it was asked; else what nobody can switch. Never what is declared."""
    assert base_of({"a", "v", "x"}, {"a"}, added, catalogue) == base
    assert base_of({"a", "v", "x"}, {"a", "v", "x"}, added, catalogue) == frozenset()
