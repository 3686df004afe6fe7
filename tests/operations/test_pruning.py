"""Old lines of the access log go, and from the day on it says as before who had what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mixpanel_access.cli.app import app
from mixpanel_access.files.lines import append_lines, read_lines
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.tracker.lines import OF_THE_LOG, Access, LogEvent, LogLine
from mixpanel_access.operations.tracker.pruning import Pruned, prune
from mixpanel_access.operations.tracker.replay import Replay, replay

NOW = datetime(2026, 11, 1, tzinfo=UTC)
BEFORE = date(2026, 5, 1)
ROLES = ("analyst", "admin", "consumer")


def line(on: str, event: LogEvent, name: str, role: str = "analyst", stack: str = "production") -> LogLine:
    """What happened to somebody in one project."""
    return LogLine(
        date=f"{on}T12:00:00Z",
        admin="ana@example.com",
        event=event.value,
        email=f"{name}@example.com",
        stack=stack,
        project=7,
        role=role,
    )


def moved(on: str, before: str, now: str) -> LogLine:
    """Somebody has another address."""
    one = replace(line(on, LogEvent.READDRESSED, now, role="", stack=""), project=None, organization=1)
    return replace(one, email_before=f"{before}@example.com", user_id=5)


LIFE = [
    line("2026-01-10", LogEvent.GRANTED, "gone"),
    line("2026-01-10", LogEvent.GRANTED, "stays"),
    line("2026-01-11", LogEvent.ACCEPTED, "gone", stack=""),
    line("2026-02-01", LogEvent.CHANGED, "stays", "admin"),
    line("2026-03-01", LogEvent.REVOKED, "gone"),
    line("2026-06-01", LogEvent.REVOKED, "stays", "admin"),
]


def written(folder: Path, lines: Sequence[LogLine]) -> Path:
    """A log with these lines."""
    file = folder / "tracker.jsonl"
    append_lines(file, lines, [])
    return file


def pruned(file: Path, *, before: date = BEFORE, act: bool = True) -> Pruned:
    """The log without what had ended before the day."""
    return prune(file, before, NOW, print, act=act)


def held(log: Replay, at: datetime) -> dict[Access, tuple[str, dict[str, tuple[str, ...]]]]:
    """Who has what at an instant, for which stacks and why."""
    return {
        access: (one.role, {stack: its.reasons for stack, its in one.stacks.items()})
        for access, one in log.at(at).items()
    }


def possible(lines: Sequence[LogLine]) -> list[LogLine]:
    """The lines that can follow one another: once access has gone, the next line about it gives it again."""
    log, found = Replay(lines), []
    for one in lines:
        access = log.access_of(one)
        gives = one.event in (LogEvent.GRANTED, LogEvent.RESTORED, LogEvent.READDRESSED)
        if gives or access not in log.last or access in log.held:
            log.step(one)
            found.append(one)
    return found


def test_who_had_left_is_in_the_log_no_more(tmp_path: Path) -> None:
    """Neither as granted nor as accepted; the file holds no trace of the address."""
    file = written(tmp_path, LIFE)
    found = pruned(file)
    assert found.people == ["gone@example.com"]
    assert "gone@" not in file.read_text()
    lines = read_lines(file, LogLine)
    assert [(one.event, one.role) for one in lines] == [("pruned", ""), ("changed", "admin"), ("revoked", "admin")]
    assert lines[0].justification == "4 lines from before this day were removed"


@pytest.mark.parametrize("left", [False, True])
def test_an_earlier_address_goes_with_the_lines_that_name_it(left: bool, tmp_path: Path) -> None:
    """While the access continues, its line needs it."""
    lines = [line("2026-01-10", LogEvent.GRANTED, "bo"), moved("2026-02-01", "bo", "al")]
    lines += [line("2026-03-01", LogEvent.REVOKED, "al")] if left else []
    file = written(tmp_path, [replace(one, organization=1) for one in lines])
    assert (pruned(file).people, "bo@" in file.read_text()) == (
        (["al@example.com", "bo@example.com"], False) if left else ([], True)
    )


def test_mixpanels_id_of_somebody_who_stays_is_kept(tmp_path: Path) -> None:
    """Though the acceptance of the invitation, which has it, need not be."""
    given = replace(line("2026-01-10", LogEvent.GRANTED, "bo", "member"), project=None, organization=1)
    accepted = replace(given, date="2026-01-11T12:00:00Z", event="accepted", user_id=5)
    gone = [line("2026-01-09", event, "cy") for event in (LogEvent.GRANTED, LogEvent.REVOKED)]
    file = written(tmp_path, [*gone, given, accepted])
    assert len(pruned(file).lines) == 2
    assert [*replay(read_lines(file, LogLine)).user_ids.values()] == [5]


def test_without_consent_nothing_is_written(tmp_path: Path) -> None:
    """It is only said what would go."""
    file = written(tmp_path, LIFE)
    before = file.read_bytes()
    assert len(pruned(file, act=False).lines) == 4
    assert file.read_bytes() == before


def test_a_second_time_there_is_nothing_left_to_do(tmp_path: Path) -> None:
    """The note of the first time stays, and a later day takes it with the lines."""
    file = written(tmp_path, LIFE)
    pruned(file)
    before = file.read_bytes()
    assert pruned(file).lines == []
    assert file.read_bytes() == before
    later = pruned(file, before=date(2026, 7, 1))
    assert later.people == ["stays@example.com"]
    assert [one.event for one in read_lines(file, LogLine)] == ["pruned"]


@pytest.mark.parametrize(("days", "refused"), [(90, False), (89, True)])
def test_what_the_audit_log_still_tells_of_stays(days: int, refused: bool, tmp_path: Path) -> None:
    """The next update would add it again."""
    file = written(tmp_path, LIFE)
    before = NOW.date() - timedelta(days=days)
    if refused:
        with pytest.raises(UsageError, match="the next update would add it again"):
            pruned(file, before=before)
    else:
        pruned(file, before=before)


EVENTS = st.tuples(
    st.integers(0, 300),
    st.sampled_from([event for event in LogEvent if event not in OF_THE_LOG or event == LogEvent.READDRESSED]),
    st.sampled_from("abc"), st.sampled_from(ROLES), st.sampled_from(["production", "staging", ""]),
    st.sampled_from([7, None]),
)  # fmt: skip
Happened = tuple[int, LogEvent, str, str, str, int | None]


@given(st.lists(EVENTS, max_size=30), st.integers(-5, 210))
def test_from_the_day_on_the_log_says_the_same(events: list[Happened], day: int) -> None:
    """Whatever had happened before: at every instant from then on, the same people have the same, and why."""
    begin = date(2026, 1, 1)
    lines = possible(
        [
            moved(str(begin + timedelta(days=on)), name, f"{name}2")
            if event == LogEvent.READDRESSED
            else replace(
                line(str(begin + timedelta(days=on)), event, name, role, "" if event == LogEvent.FOUND else stack),
                project=project,
                ticket=f"T-{on}",
                organization=1,
            )
            for on, event, name, role, stack, project in sorted(events, key=lambda one: one[0])
        ]
    )
    before = begin + timedelta(days=day)
    with TemporaryDirectory() as folder:
        file = written(Path(folder), lines)
        if not lines:
            return
        found = pruned(file, before=before)
        after = read_lines(file, LogLine)
    whole, rest = replay(lines), replay(after)
    for on in sorted({day, *(event[0] for event in events if event[0] > day)}):
        at = datetime(2026, 1, 1, 23, tzinfo=UTC) + timedelta(days=on)
        assert held(rest, at) == held(whole, at)
    assert not {email for one in after for email in (one.email, one.email_before)} & set(found.people)
    assert rest.user_ids.items() >= {(one, whole.user_ids[one]) for one in rest.held if one in whole.user_ids}


def test_the_command_says_what_went(tmp_path: Path) -> None:
    """How many lines, and whose."""
    file = written(tmp_path, LIFE)
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    words = ["tracker", "prune", "--before", str(BEFORE), "--now", NOW.isoformat(), "--cwd", str(tmp_path)]
    shown = CliRunner().invoke(app, words)
    assert "4 lines" in shown.output
    assert "would be removed; it keeps 3 lines." in shown.output
    done = CliRunner().invoke(app, [*words, "--yes"])
    assert (done.exit_code, shown.exit_code) == (0, 0)
    assert "The log no longer names: gone@example.com" in done.output
    assert read_lines(file, LogLine)[0].event == "pruned"
