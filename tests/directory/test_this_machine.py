"""The lock between processes that read who is there and invite: best effort, and never in anybody's way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mixpanel_access.directory.this_machine import Sendings, one_at_a_time

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


NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SENT = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)


def test_another_process_sees_what_was_just_sent(cache: Path) -> None:
    """Within the hour, for the same organization and address; no address is written down."""
    mine = Sendings(HOST, ORGANIZATION, lambda: NOW)
    mine.note("cy@example.com", SENT)
    mine.note("di@example.com", SENT + timedelta(days=1))

    def other(host: str, organization: int, after: timedelta, key: str = "cy@example.com") -> datetime | None:
        return Sendings(host, organization, lambda: NOW + after).last(key)

    assert other(HOST, ORGANIZATION, timedelta(minutes=59)) == SENT
    assert other(HOST, ORGANIZATION, timedelta(), "di@example.com") == SENT + timedelta(days=1)
    assert other(HOST, ORGANIZATION, timedelta(minutes=61)) is None
    assert other(HOST, ORGANIZATION, timedelta(minutes=-1)) is None
    assert other(HOST, ORGANIZATION, timedelta(), "bo@example.com") is None
    assert other(HOST, 1, timedelta()) is None
    assert other("https://eu.mixpanel.com", ORGANIZATION, timedelta()) is None
    assert not any(b"example.com" in file.read_bytes() for file in cache.rglob("*.sent"))


def test_notes_that_cannot_be_used_are_none(cache: Path) -> None:
    """A damaged or missing file blocks no invitation. The next note replaces it."""
    sendings = Sendings(HOST, ORGANIZATION, lambda: NOW)
    assert sendings.last("cy@example.com") is None
    sendings.note("cy@example.com", SENT)
    (file,) = cache.rglob("*.sent")
    file.write_text("what is this\n")
    assert sendings.last("cy@example.com") is None
    sendings.note("cy@example.com", SENT)
    assert sendings.last("cy@example.com") == SENT


@pytest.mark.parametrize("host", ["", HOST])
def test_notes_that_no_file_has_count_for_the_hour_too(host: str, cache: Path) -> None:
    """Those that a process keeps for itself, and those that could not be written."""
    for name in (".cache", "mixpanel-access", "Library"):
        (cache / name).write_text("")
    passed = [timedelta()]
    sendings = Sendings(host, ORGANIZATION, lambda: NOW + passed[0])
    sendings.note("cy@example.com", SENT)
    passed[0] = timedelta(minutes=59)
    assert sendings.last("cy@example.com") == SENT
    passed[0] = timedelta(minutes=61)
    assert sendings.last("cy@example.com") is None


def test_notes_that_cannot_be_written_are_kept_for_this_process(cache: Path) -> None:
    """A file is in the folder's place."""
    for name in (".cache", "mixpanel-access", "Library"):
        (cache / name).write_text("")
    sendings = Sendings(HOST, ORGANIZATION, lambda: NOW)
    sendings.note("cy@example.com", SENT)
    assert sendings.last("cy@example.com") == SENT
    sendings.replace({}, ["cy@example.com"])
    assert sendings.last("cy@example.com") is None


def test_a_note_is_there_while_others_are_written(cache: Path) -> None:
    """Readers take no lock: a file that is half written would say that nobody is being invited."""
    sendings = Sendings(HOST, ORGANIZATION, lambda: NOW)
    sendings.note("cy@example.com", SENT)
    others = {f"p{number}@example.com": SENT for number in range(300)}

    def write() -> None:
        for _ in range(30):
            sendings.replace(others)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        seen = {sendings.last("cy@example.com")}
        while not writing.done():
            seen.add(sendings.last("cy@example.com"))
    assert seen == {SENT}
    assert [file.suffix for file in cache.rglob("*.sent*") if file.is_file() and "lock" not in file.name] == [".sent"]
