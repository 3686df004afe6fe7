"""Opening a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations import project


def test_nobody_waits_for_an_engine_where_there_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To find or make one takes from a moment to minutes; the wrong folder is told at once."""
    monkeypatch.setattr(project, "ensure_engine", lambda _: pytest.fail("an engine was looked for"))
    with pytest.raises(UsageError, match="cannot find the project"):
        project.open_project(tmp_path, print)
