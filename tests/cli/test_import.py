"""What `import` asks before it reads anything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from typer.testing import CliRunner

from mixpanel_access.cli.import_members import asked_baseline
from mixpanel_access.model.errors import UsageError

ROSTER = "environment: production\nengagements:\n  audit: {}\npeople: []\n"


def answers(tmp_path: Path, key: str | None, terms: dict[str, str], said: str, *, ask: bool = True) -> Any:
    """The baseline engagement after these answers, and what was printed."""
    file = tmp_path / "production.yaml"
    file.write_text(ROSTER)
    project = cast("Any", SimpleNamespace(roster=lambda _: file))
    found: list[Any] = []
    app = typer.Typer()
    app.command()(lambda: found.append(asked_baseline(project, "production", key, dict(terms), ask=ask)))
    done = CliRunner().invoke(app, [], input=said)
    if done.exception:
        raise done.exception
    return found[0], done.output


def test_a_new_engagement_is_asked_for_what_is_not_given(tmp_path: Path) -> None:
    """A day that cannot be is asked for again, with the reason; no answer leaves the field open."""
    typed = "\nana@example.com\n\nsoon\n2026-01-12\n2026-01-11\n\n"
    baseline, said = answers(tmp_path, "before-code", {"ticket": "OPS-1"}, typed)
    assert "it ends on 2026-01-11, before it starts on 2026-01-12" in said
    assert baseline.terms == {"ticket": "OPS-1", "approver": "ana@example.com", "starts": "2026-01-12"}
    assert "'soon' is not a date; write it as YYYY-MM-DD" in said
    assert "Ticket" not in said


@pytest.mark.parametrize(("key", "ask"), [("audit", True), ("before-code", False)])
def test_nothing_is_asked_where_nobody_must_say_it(tmp_path: Path, key: str, ask: bool) -> None:
    """Of an engagement that the roster has, and without a terminal."""
    baseline, said = answers(tmp_path, key, {}, "", ask=ask)
    assert (baseline.key, baseline.terms, said) == (key, {}, "")


def test_a_term_needs_its_engagement(tmp_path: Path) -> None:
    """A ticket for nothing is refused."""
    with pytest.raises(UsageError, match="cannot use --ticket: it belongs to an engagement"):
        answers(tmp_path, None, {"ticket": "OPS-1"}, "")
