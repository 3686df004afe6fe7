"""What git knows of a file: the commit that last changed it, its text in an earlier commit; else why it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mixpanel_access.files.git import commit_at, file_in_git, text_in_git
from tests.repositories import Repository, appended

FIRST, SECOND, THIRD = (f"2026-05-0{day}T12:00:00Z" for day in (1, 2, 3))
ROSTER = "stacks/production.yaml"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository whose roster has changed on the second day, and whose other files on the third."""
    repository = Repository.made(tmp_path / "access", {ROSTER: "a\n", "reviews/2026-Q2/evidence.jsonl": "1\n"})
    repository.git("commit", "-q", "--amend", "--no-edit", at=FIRST)
    appended(ROSTER, "b\n")(repository.folder)
    repository.commit(SECOND)
    (repository.folder / "other").write_text("")
    repository.commit(THIRD)
    return repository


def test_the_commit_that_last_changed_a_file(repository: Repository) -> None:
    """With its time; up to an earlier commit, the one before."""
    first, second, third = repository.git("log", "--reverse", "--format=%H").split()
    found = file_in_git(repository.folder / ROSTER)
    assert (found.commit, found.committed, found.changed, found.note) == (
        second, datetime(2026, 5, 2, 12, tzinfo=UTC), False, "",
    )  # fmt: skip
    assert file_in_git(repository.folder / ROSTER, first).commit == first
    assert file_in_git(repository.folder / "reviews" / "2026-Q2").commit == first
    assert file_in_git(repository.folder).commit == third


@pytest.mark.parametrize("path", [ROSTER, "stacks"])
def test_changes_that_are_not_committed_show(repository: Repository, path: str) -> None:
    """Of a file, and in a folder."""
    appended(ROSTER, "c\n")(repository.folder)
    assert file_in_git(repository.folder / path).changed is True


def _new(repository: Repository) -> Path:
    (repository.folder / "new").write_text("")
    return repository.folder / "new"


def _outside(repository: Repository) -> Path:
    file = repository.folder.parent / "log"
    file.write_text("")
    return file


def _without_commits(repository: Repository) -> Path:
    repository.git("init", "-q", "../empty")
    file = repository.folder.parent / "empty" / "log"
    file.write_text("")
    return file


def _shallow(repository: Repository) -> Path:
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.folder}", "../clone")
    return repository.folder.parent / "clone" / ROSTER


UNKNOWN: dict[str, tuple[Callable[[Repository], Path], str]] = {
    "not committed": (_new, "git does not have it: it is not committed"),
    "in no repository": (_outside, "git does not know it: not a git repository"),
    "in a repository without commits": (_without_commits, "git does not have it: it is not committed"),
    "in a shallow clone": (_shallow, "the clone is shallow: git does not know which commit last changed it"),
}


@pytest.mark.parametrize(("path", "note"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_commit_that_git_does_not_know_is_not_named(
    repository: Repository, path: Callable[[Repository], Path], note: str
) -> None:
    """The note says why."""
    found = file_in_git(path(repository))
    assert (found.commit, found.committed) == ("", None)
    assert found.note.startswith(note)


def test_without_git_the_note_says_so(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing fails."""
    monkeypatch.setenv("PATH", "")
    found = file_in_git(repository.folder / ROSTER)
    assert (found.commit, found.changed) == ("", None)
    assert found.note.startswith("git cannot be run: ")
    assert commit_at(repository.folder, datetime(2026, 5, 2, tzinfo=UTC)) == ""
    assert text_in_git(repository.folder / ROSTER, "HEAD") is None


def test_what_the_branch_had_at_an_instant(repository: Repository) -> None:
    """By the dates of its own commits: a merged branch counts from the merge on."""
    first, second, third = repository.git("log", "--reverse", "--format=%H").split()
    repository.git("checkout", "-q", "-b", "branch", second)
    appended(ROSTER, "branch\n")(repository.folder)
    repository.commit(SECOND)
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge", "branch", at="2026-05-05T12:00:00Z")
    merged = repository.git("rev-parse", "HEAD")

    def at(day: int, hour: int = 23) -> str:
        return commit_at(repository.folder, datetime(2026, 5, day, hour, tzinfo=UTC))

    assert [at(1, 11), at(1, 12), at(1), at(2), at(4), at(5)] == ["", first, first, second, third, merged]
    file = repository.folder / ROSTER
    assert [text_in_git(file, commit) for commit in (first, third, merged)] == ["a\n", "a\nb\n", "a\nb\nbranch\n"]
    assert text_in_git(file.parent / ".." / ROSTER, first) == "a\n"
    assert text_in_git(file.parent / "none.yaml", first) is None
