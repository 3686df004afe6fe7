"""Opening a project, and asking about its stacks."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from mixpanel_access.engine.process import run_child
from mixpanel_access.model.errors import ConfigurationError, UsageError
from mixpanel_access.operations import project
from tests.fakes import NOW, FakeApi
from tests.operations.overviews import overview


def test_nobody_waits_for_an_engine_where_there_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To find or make one takes from a moment to minutes; the wrong folder is told at once."""
    monkeypatch.setattr(project, "ensure_engine", lambda _: pytest.fail("an engine was looked for"))
    with pytest.raises(UsageError, match="cannot find the project"):
        project.open_project(tmp_path, print)


class Configured:
    """An engine that has one stack with a configuration."""

    environ: Mapping[str, str] = {}

    def __init__(self, config: Mapping[str, str]) -> None:
        self.answers = {"stack": [{"name": "production"}], "config": {key: {"value": v} for key, v in config.items()}}

    def run(self, *args: str) -> SimpleNamespace:
        """Answer."""
        return SimpleNamespace(stdout=json.dumps(self.answers[args[0]]))


def test_a_now_that_is_left_in_the_configuration_is_said_once() -> None:
    """At every run: by it, ended access would stay for ever. Nothing is said where there is none."""
    said: list[str] = []
    for now in ("2026-05-04", " "):
        found = project.PulumiProject(Configured({"mixpanel:now": now, "mixpanel:region": "eu"}), said.append)  # type: ignore[arg-type]
        assert [found.config("production")["region"] for _ in range(2)] == ["eu", "eu"]
    (words,) = said
    assert words.startswith(
        "warning: mixpanel:now of the stack production is 2026-05-04: access begins and ends by that"
    )
    assert "`pulumi config rm mixpanel:now --stack production`, then `pulumi up --stack production`" in words


def test_the_company_domains_are_read_as_pulumi_has_them() -> None:
    """A list comes as JSON; what is no domain is refused by name."""
    found = overview(FakeApi(), company='["@Example.com."]')
    assert found.stacks["production"].company_domains == {"example.com"}
    broken = overview(FakeApi(), company="a@example.com").stacks["production"]
    with pytest.raises(ConfigurationError, match=r"mixpanel:companyDomains cannot be used, 'a@example\.com' is not"):
        broken.context(NOW.date())


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
