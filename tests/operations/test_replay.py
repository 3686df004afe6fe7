"""The replay of the access log: who had what at every instant, by its lines alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mixpanel_access.operations.tracker.lines import LogEvent, LogLine
from mixpanel_access.operations.tracker.replay import replay

E = LogEvent


def line(second: int, event: LogEvent, role: str = "analyst", stack: str = "production", **more: Any) -> LogLine:
    """What happened to somebody's grant in project 7, so many seconds after noon."""
    values = {"email": "bo@example.com", "project": 7, "admin": "ana@example.com", **more}
    date = f"2026-05-04T12:00:{second:02d}Z"
    return LogLine(date=date, event=event.value, stack=stack, role=role, **values)


def member(second: int, event: LogEvent, stack: str = "production", **more: Any) -> LogLine:
    """What happened to their membership."""
    return line(second, event, "member", stack, project=None, **more)


def second_of(at: datetime | None) -> int | None:
    """Seconds after noon."""
    return None if at is None else at.second


def spans(lines: list[LogLine]) -> list[tuple[int | None, int | None, str, str]]:
    """Each time of the access in project 7: begin and end in seconds after noon, the role and the stacks."""
    found = [one for one in replay(lines).intervals if one.access.project == 7]
    return [
        (second_of(one.begins), second_of(one.ends), one.role, ",".join(sorted(one.stacks)))
        for one in sorted(found, key=lambda one: (one.begins is not None, one.begins))
    ]


NEW = "bo.new@example.com"


def moved(second: int, **more: Any) -> LogLine:
    """Bo has another address."""
    return member(
        second, E.READDRESSED, "", **{"email": NEW, "email_before": "bo@example.com", "organization": 2, **more}
    )


P, S = "production", "staging"
LIVES: dict[str, tuple[list[LogLine], list[tuple[int | None, int | None, str, str]]]] = {
    "given and taken": ([line(1, E.GRANTED), line(5, E.REVOKED)], [(1, 5, "analyst", P)]),
    "given by hand": ([line(1, E.GRANTED, stack="")], [(1, None, "analyst", "")]),
    "changed": (
        [line(1, E.GRANTED), line(3, E.CHANGED, "admin")], [(1, 3, "analyst", P), (3, None, "admin", P)],
    ),
    "put back": (
        [line(1, E.GRANTED), line(3, E.CHANGED, "admin"), line(4, E.RESTORED)],
        [(1, 3, "analyst", P), (3, 4, "admin", P), (4, None, "analyst", P)],
    ),
    "given again": (
        [line(1, E.GRANTED), line(3, E.REVOKED), line(4, E.RESTORED)],
        [(1, 3, "analyst", P), (4, None, "analyst", P)],
    ),
    "let go": ([line(1, E.GRANTED), line(3, E.RELEASED)], [(1, 3, "analyst", P), (3, None, "analyst", "")]),
    "taken over, and there before": ([line(3, E.IMPORTED)], [(None, 3, "analyst", ""), (3, None, "analyst", P)]),
    "changed, and there before, by the event": (
        [line(3, E.CHANGED, "admin", role_before="analyst")], [(None, 3, "analyst", ""), (3, None, "admin", P)],
    ),
    "another address, before and after which it is theirs": (
        [line(1, E.GRANTED), moved(3), line(5, E.REVOKED, email=NEW)], [(1, 5, "analyst", P)],
    ),
    "an address that is somebody else's later": (
        [line(1, E.GRANTED), moved(3), line(5, E.GRANTED), line(7, E.REVOKED), line(9, E.REVOKED, email=NEW)],
        [(1, 9, "analyst", P), (5, 7, "analyst", P)],
    ),
    "another address in another organization": (
        [line(1, E.GRANTED, organization=1), moved(3), line(5, E.REVOKED, organization=1)], [(1, 5, "analyst", P)],
    ),
    "two people who swap addresses": (
        [line(1, E.GRANTED), line(2, E.GRANTED, "admin", email=NEW),
         moved(4), moved(4, email="bo@example.com", email_before=NEW),
         line(5, E.REVOKED), line(7, E.REVOKED, "admin", email=NEW)],
        [(1, 7, "analyst", P), (2, 5, "admin", P)],
    ),
    "found": ([line(3, E.FOUND, stack="")], [(None, None, "analyst", "")]),
    "found, and taken over": (
        [line(1, E.FOUND, stack=""), line(3, E.IMPORTED)], [(None, 3, "analyst", ""), (3, None, "analyst", P)],
    ),
    "found, and given before that": (
        [line(1, E.GRANTED, stack=""), line(3, E.FOUND, stack="")], [(1, None, "analyst", "")],
    ),
    "found by a later update": (
        [line(1, E.FOUND, stack="", project=8), line(3, E.FOUND, stack="")], [(3, None, "analyst", "")],
    ),
    "taken over after the organization was read": (
        [line(1, E.FOUND, stack="", project=8), replace(line(3, E.IMPORTED), date="2026-05-04T12:01:03Z")],
        [(3, None, "analyst", P)],
    ),
    "taken over before the organization was read, by the engine's clock": (
        [line(1, E.FOUND, stack="", project=8), line(50, E.IMPORTED)],
        [(None, 50, "analyst", ""), (50, None, "analyst", P)],
    ),
    "changed by an event after the organization was read, which did not show it": (
        [line(1, E.FOUND, stack="", project=8), line(3, E.CHANGED, "admin", stack="", role_before="analyst")],
        [(None, 3, "analyst", ""), (3, None, "admin", "")],
    ),
    "found after the log was pruned of all that was found": (
        [line(1, E.PRUNED, stack="", email="", project=None, organization=1),
         line(3, E.FOUND, stack="", organization=1)], [(3, None, "analyst", "")],
    ),
    "found after the log of an earlier version was pruned": (
        [line(1, E.PRUNED, stack="", email="", project=None), line(3, E.FOUND, stack="", organization=1)],
        [(None, None, "analyst", "")],
    ),
    "found in another organization before": (
        [line(1, E.FOUND, stack="", project=8, organization=2), line(3, E.FOUND, stack="", organization=1)],
        [(None, None, "analyst", "")],
    ),
    "found with a role, which no line named": (
        [line(1, E.ACCEPTED, ""), line(3, E.FOUND, stack="")],
        [(None, 1, "", ""), (1, 3, "", P), (3, None, "analyst", P)],
    ),
    "changed, and there before": ([line(3, E.CHANGED)], [(None, 3, "", ""), (3, None, "analyst", P)]),
    "taken away, and there before": ([line(3, E.REVOKED, stack="")], [(None, 3, "analyst", "")]),
    "let go, and there before": ([line(3, E.RELEASED)], [(None, None, "analyst", "")]),
    "taken away twice": ([line(1, E.GRANTED), line(3, E.REVOKED), line(4, E.REVOKED)], [(1, 3, "analyst", P)]),
    "two stacks, and one lets it go as it is removed from it": (
        [line(1, E.GRANTED), line(2, E.IMPORTED, stack=S), line(3, E.REVOKED)],
        [(1, 2, "analyst", P), (2, 3, "analyst", f"{P},{S}"), (3, None, "analyst", S)],
    ),
    "two stacks, and gone for both": (
        [line(1, E.GRANTED), line(2, E.IMPORTED, stack=S), line(3, E.REVOKED), line(3, E.REVOKED, stack=S)],
        [(1, 2, "analyst", P), (2, 3, "analyst", f"{P},{S}")],
    ),
    "taken from all by hand, and from the stack as it found out": (
        [line(1, E.GRANTED), line(3, E.REVOKED, stack=""), line(5, E.REVOKED)], [(1, 3, "analyst", P)],
    ),
    "gone with the person": (
        [member(1, E.GRANTED), line(1, E.GRANTED), member(4, E.REVOKED, "")], [(1, 4, "analyst", P)],
    ),
    "gone with the person of another organization": (
        [line(1, E.GRANTED, organization=1), member(4, E.REVOKED, "", organization=2)], [(1, None, "analyst", P)],
    ),
    "not gone with what a stack no longer has": (
        [member(1, E.GRANTED), line(1, E.GRANTED), member(4, E.REVOKED)], [(1, None, "analyst", P)],
    ),
    "within a second": ([line(1, E.GRANTED), line(1, E.REVOKED), line(1, E.GRANTED, "admin")], [(1, None, "admin", P)]),
    "added late": ([line(5, E.REVOKED), line(1, E.GRANTED)], [(1, 5, "analyst", P)]),
    "a renamed stack": (
        [line(1, E.GRANTED), LogLine(
            date="2026-05-04T12:00:03Z", admin="", event="renamed", email="", stack="prod", project=None, role="",
            renamed_from=P,
        ), line(5, E.REVOKED, stack="prod")],
        [(1, 5, "analyst", "prod")],
    ),
    "another spelling of the address": (
        [line(1, E.GRANTED), line(2, E.REVOKED, email="Bo@Example.com")], [(1, 2, "analyst", P)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), LIVES.values(), ids=LIVES.keys())
def test_a_log_says_who_had_what_and_for_which_stack(
    lines: list[LogLine], expected: list[tuple[int | None, int | None, str, str]]
) -> None:
    """Each event counts as the table in `replay.py` says."""
    assert spans(lines) == expected


def test_an_instant_counts_from_its_own_second() -> None:
    """A line of that second has happened; access from before the log began is there at every earlier instant."""
    lines = [line(2, E.GRANTED), line(4, E.REVOKED), line(9, E.REVOKED, stack="", project=8)]
    at = [datetime(2026, 5, 4, 12, 0, second, tzinfo=UTC) for second in (1, 2, 3, 4, 9)]
    assert [sorted(access.project or 0 for access in replay(lines).at(one)) for one in at] == [
        [8], [7, 8], [7, 8], [8], [],
    ]  # fmt: skip
