"""Opening a project, and asking about its stacks."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Event

import pytest

from mixpanel_access.engine.process import run_child
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations import project


def test_nobody_waits_for_an_engine_where_there_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To find or make one takes from a moment to minutes; the wrong folder is told at once."""
    monkeypatch.setattr(project, "ensure_engine", lambda _: pytest.fail("an engine was looked for"))
    with pytest.raises(UsageError, match="cannot find the project"):
        project.open_project(tmp_path, print)


@pytest.mark.parametrize("kind", [UsageError, KeyboardInterrupt])
def test_who_asks_about_several_stacks_does_not_wait_for_the_rest_in_vain(kind: type[BaseException]) -> None:
    """A failure, or Ctrl-C, while the engine hangs over another stack: that run is stopped."""
    started = Event()

    def ask(stack: str) -> int:
        if stack == "first":
            assert started.wait(20)
            raise kind("no")
        started.set()
        return run_child(["sleep", "60"], env=os.environ, timeout=60).returncode

    begun = time.monotonic()
    with pytest.raises(kind):
        project.of_each(["first", "second"], ask)
    assert time.monotonic() - begun < 30
