"""Writing a roster: whole or not at all, and never over somebody else's change."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixpanel_access.files.roster import text_of, write_roster
from mixpanel_access.model.errors import UsageError


def test_a_roster_is_written_whole(tmp_path: Path) -> None:
    """New, or over the old one with its permissions; line ends stay as they are, and nothing else is left there."""
    file = tmp_path / "production.yaml"
    write_roster(file, None, "a: 1\r\n")
    assert file.read_bytes() == b"a: 1\r\n"
    file.chmod(0o640)
    write_roster(file, text_of(file), "é: 2\r\n")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == ("é: 2\r\n".encode(), 0o640)
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it points at is written."""
    target, link = tmp_path / "real.yaml", tmp_path / "production.yaml"
    target.write_text("old")
    link.symlink_to(target)
    write_roster(link, "old", "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


@pytest.mark.parametrize("meanwhile", ["changed", None])
def test_a_change_of_somebody_else_is_not_lost(tmp_path: Path, meanwhile: str | None) -> None:
    """The roster was changed or removed since it was read: nothing is written."""
    file = tmp_path / "production.yaml"
    if meanwhile is not None:
        file.write_text(meanwhile)
    with pytest.raises(UsageError, match="it was changed while this ran"):
        write_roster(file, "as it was", "new")
    assert text_of(file) == meanwhile


def test_what_cannot_be_written_or_read(tmp_path: Path) -> None:
    """One error of ours, and nothing left behind."""
    with pytest.raises(UsageError, match=r"cannot write the roster for .*: No such file or directory"):
        write_roster(tmp_path / "no" / "production.yaml", None, "new")
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    for file in (tmp_path / "bad.yaml", tmp_path):
        with pytest.raises(UsageError, match="cannot read the roster"):
            text_of(file)
    assert [file.name for file in tmp_path.iterdir()] == ["bad.yaml"]


def test_half_a_character_is_not_written(tmp_path: Path) -> None:
    """The roster stays as it was, and the error shows where."""
    file = tmp_path / "production.yaml"
    file.write_text("old")
    with pytest.raises(UsageError, match=r"UTF-8 cannot hold the end of name: caf\\udce9\. Nothing was written"):
        write_roster(file, "old", "a: 1\nname: caf\udce9\n")
    assert [(path, path.read_text()) for path in tmp_path.iterdir()] == [(file, "old")]
