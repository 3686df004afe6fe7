"""A full disk, or a kill in the middle of a write, leaves every file that is appended to or rewritten whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mixpanel_access.files import whole
from mixpanel_access.files.lines import append_lines, read_lines
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.tracker.lines import LogLine

LIMIT = 4096
"""Bytes that a file may have in the child: the write that goes beyond is cut there, as on a full disk."""
CHILD = """
import json, resource, signal, sys
from pathlib import Path
from mixpanel_access.files import onboarding, roster, whole
from mixpanel_access.files.lines import append_lines, read_lines
from mixpanel_access.model.errors import AccessError
from mixpanel_access.operations.review import applying
from mixpanel_access.operations.review.packet import ReviewLine
from mixpanel_access.operations.tracker.lines import LogLine

kind, folder, end = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
long = "x" * 6000
def line(kind, **more):
    return kind(**{**dict.fromkeys(kind.columns(), "x"), **more})
def tracker():
    file = folder / "tracker.jsonl"
    append_lines(file, [line(LogLine, event="granted", justification=long)], read_lines(file, LogLine))
def decided(): return line(ReviewLine, comment=long)
def evidence_lines():
    file = folder / "evidence.jsonl"
    append_lines(file, [decided()], read_lines(file, ReviewLine))
def ticks():
    before, _ = onboarding.read_ticks(folder / "ticks.json")
    onboarding.write_ticks(folder / "ticks.json", before, {"a@example.com": {"k": onboarding.Tick("2026-01-01", long)}})
def rosters(): roster.write_roster(folder / "s.yaml", roster.text_of(folder / "s.yaml"), "environment: " + long)
def review():
    file = folder / "s.yaml"
    change = applying.RosterChange("s", file, roster.text_of(file), "new: 1", [], [], [decided()])
    applying.carry_out(applying.ReviewPlan(folder, [change], 0, 0))
act = {"tracker": tracker, "evidence": evidence_lines, "ticks": ticks, "roster": rosters, "review": review}[kind]
resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL if end == "killed" else signal.SIG_IGN)
try:
    act()
except AccessError as error:
    print(error)
    sys.exit(3)
""".replace("LIMIT, LIMIT", f"{LIMIT}, {LIMIT}")
FIRST = LogLine(
    date="2026-01-01T00:00:00Z",
    admin="",
    event="granted",
    email="bo@example.com",
    stack="s",
    project=1,
    role="analyst",
)
FILES = {"tracker.jsonl": "", "evidence.jsonl": "", "ticks.json": "{}\n", "s.yaml": "environment: production\n"}


@pytest.mark.parametrize("end", ["full", "killed"])
@pytest.mark.parametrize("kind", ["tracker", "evidence", "ticks", "roster", "review"])
def test_a_write_that_is_cut_leaves_every_file_as_it_was(tmp_path: Path, kind: str, end: str) -> None:
    """Every file has whole lines or none of them; a full disk is one line of ours, and leaves nothing beside them."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "tracker.jsonl").write_text(f"{json.dumps(FIRST.row())}\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, kind, str(tmp_path), end], capture_output=True, text=True, check=False, timeout=60
    )
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert after == before
    if end == "full":
        assert (done.returncode, done.stderr) == (3, "")
        assert "File too large. Correct that and run again; nothing was changed" in done.stdout
        assert {path.name for path in tmp_path.iterdir()} == set(before)
    else:
        assert done.returncode < 0


CUTS = {"in a word": -5, "in a character": -2, "after one byte": 1}


@pytest.mark.parametrize("at", CUTS.values(), ids=CUTS.keys())
def test_a_log_whose_last_line_was_cut_is_read_and_said(tmp_path: Path, at: int) -> None:
    """The lines before it count, and the next line takes its place."""
    file = tmp_path / "tracker.jsonl"
    text = json.dumps(FIRST.row(), ensure_ascii=False).removesuffix("}") + "é"
    cut = text.encode()[:at] if at > 0 else text.encode()[: at + 1]
    file.write_bytes(f"{json.dumps(FIRST.row())}\n".encode() + cut)
    said: list[str] = []
    lines = read_lines(file, LogLine, said.append)
    assert lines == [FIRST]
    assert said[0].startswith(f"{file}: the last line was cut off after {len(cut)} bytes, and is left out")
    append_lines(file, [FIRST], lines)
    assert read_lines(file, LogLine, said.append) == [FIRST, FIRST]
    assert len(said) == 1


def test_a_line_that_was_cut_in_the_middle_of_a_log_is_no_cut(tmp_path: Path) -> None:
    """Somebody touched the file."""
    file = tmp_path / "tracker.jsonl"
    file.write_text(f'{{"date": \n{json.dumps(FIRST.row())}\n')
    with pytest.raises(UsageError, match="line 1 is none of its lines"):
        read_lines(file, LogLine)


def test_several_files_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    """Where one was changed meanwhile or cannot be written, the others stay, and a new one is not there."""
    first, second, new = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    folder = tmp_path / "d"
    first.write_text("1")
    second.write_text("2")

    def changes(last: Path, before: bytes | None) -> list[whole.FileChange]:
        return [
            whole.FileChange(first, b"1", b"one", "the first"),
            whole.FileChange(new, None, b"three", "the third"),
            whole.FileChange(last, before, b"two", "the second"),
        ]

    with pytest.raises(UsageError, match=r"cannot write the second for .*: it was changed while this ran"):
        whole.write_all(changes(second, b"other"))
    with pytest.raises(UsageError, match=r"cannot write the first for .*: it was changed while this ran"):
        whole.write_all(changes(first, b"1"))
    folder.mkdir()
    with pytest.raises(UsageError, match=r"cannot (read|write) the second for .*: Is a directory"):
        whole.write_all(changes(folder, None))
    assert (first.read_text(), second.read_text(), new.exists()) == ("1", "2", False)
    whole.write_all(changes(second, b"2"))
    assert [path.read_text() for path in (first, second, new)] == ["one", "two", "three"]
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "c", "d"}


@pytest.mark.parametrize(("before", "mode"), [(None, 0o600), (0o644, 0o644), (0o640, 0o640)])
def test_a_new_log_is_for_its_owner_alone(before: int | None, mode: int, tmp_path: Path) -> None:
    """Whatever the umask; a file that is there keeps the permissions that somebody gave it."""
    file = tmp_path / "tracker.jsonl"
    if before is not None:
        file.touch()
        file.chmod(before)
    umask = os.umask(0)
    try:
        append_lines(file, [FIRST], [])
    finally:
        os.umask(umask)
    assert file.stat().st_mode & 0o777 == mode
