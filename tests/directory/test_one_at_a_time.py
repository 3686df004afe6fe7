"""The lock between processes that read who is there and invite: best effort, and never in anybody's way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mixpanel_access.directory.one_at_a_time import one_at_a_time

HOST, ORGANIZATION = "https://mixpanel.com", 7654321


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def inside_together(first: tuple[str, int], second: tuple[str, int], longest: float) -> bool:
    """Whether two can be inside at the same time."""
    came = threading.Event()

    def enter() -> None:
        with one_at_a_time(*second, longest):
            came.set()

    other = threading.Thread(target=enter)
    with one_at_a_time(*first, longest):
        other.start()
        together = came.wait(1.0 if longest < 1 or first != second else 0.2)
    other.join(10)
    assert came.is_set()
    return together


@pytest.mark.parametrize(
    ("second", "together"),
    [((HOST, ORGANIZATION), False), ((HOST, 1), True), (("https://eu.mixpanel.com", ORGANIZATION), True)],
)
def test_two_of_one_organization_take_turns(second: tuple[str, int], together: bool) -> None:
    """And nobody waits for those of another one; when the first is done, the second comes in."""
    assert inside_together((HOST, ORGANIZATION), second, 60) is together


def test_nobody_waits_for_ever() -> None:
    """Whoever has waited long enough goes on beside the other one."""
    assert inside_together((HOST, ORGANIZATION), (HOST, ORGANIZATION), 0.1)


def test_a_folder_that_cannot_be_made_holds_nobody_up(cache: Path) -> None:
    """A file is in its place."""
    for name in (".cache", "mixpanel-access", "Library"):
        (cache / name).write_text("")
    with one_at_a_time(HOST, ORGANIZATION):
        pass


def test_an_error_inside_comes_out_and_frees_the_lock() -> None:
    """It is nobody's business here."""
    with pytest.raises(ValueError, match="inside"), one_at_a_time(HOST, ORGANIZATION):
        raise ValueError("inside")
    with one_at_a_time(HOST, ORGANIZATION, 0.0):
        pass
