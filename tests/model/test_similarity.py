"""What was probably meant: addresses differ where two people of one domain do not."""

from __future__ import annotations

import pytest

from mixpanel_access.model.similarity import in_words, meant_address

THERE = ["kim@example.com", "noor@example.com", "robin@agency.example.org"]


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("robn@agency.example.org", "robin@agency.example.org"),
        ("kim@exampel.com", "kim@example.com"),
        ("kin@example.com", "kim@example.com"),
        ("nobody@example.com", None),
        ("sue@example.com", None),
        ("support@example.org", None),
    ],
)
def test_an_address_is_like_one_of_the_same_name_only(address: str, meant: str | None) -> None:
    """A slip of the pen finds whom it meant; somebody else of the same domain is nobody's slip."""
    assert meant_address(address, THERE) == (f" (did you mean {meant!r}?)" if meant else "")


def test_the_nearest_is_meant() -> None:
    """Of two that are alike, the one with fewer slips."""
    assert meant_address("robinn@example.com", ["rubin@example.com", "robin@example.com"]) == (
        " (did you mean 'robin@example.com'?)"
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [([], ""), (["production"], "production"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_a_part_of_a_sentence(names: list[str], words: str) -> None:
    """With "and" before the last one."""
    assert in_words(names) == words
