"""Thousands of people: everything is read and worked out once, however many there are. Counted, not timed."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.engine import Completed, Engine, Pulumi
from mixpanel_access.files.roster import read_other_rosters, read_roster
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.effective_access import effective_by_key, entries, once_a_roster
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.roster.yaml_text import load_once
from mixpanel_access.operations import overview as overviews
from mixpanel_access.operations.overview import load_overview
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.report.build import make_report
from mixpanel_access.operations.status import statuses
from tests.fakes import PRODUCTION, FakeApi, make_directory
from tests.operations.overviews import overview, person

TODAY = date(2026, 5, 4)
ACCOUNT = {"MIXPANEL_SERVICE_ACCOUNT": "bot", "MIXPANEL_SERVICE_ACCOUNT_SECRET": "s"}


def crowd(people: int) -> FakeApi:
    """An organization of so many people, each with a grant."""
    api = FakeApi()
    for number in range(people):
        api.put(f"p{number}@example.com")
        api.give(PRODUCTION, f"p{number}@example.com", "analyst")
    return api


@pytest.mark.parametrize("people", [2, 40])
def test_requests_do_not_grow_with_people(people: int) -> None:
    """A status and a report read each list once."""
    api = crowd(people)
    looked = overview(api, *(person(f"p{number}@example.com") for number in range(people)))
    assert len(statuses(looked)) == people
    assert len(make_report(looked).people) == people
    assert {api.calls[name] for name in ("list_users", "list_projects", "list_teams")} == {1}
    assert api.calls["granted_users"] == len(api.projects_)


def roster() -> Roster:
    """A roster of one person."""
    return parse("environment: x\npeople: [{ email: bo@example.com }]", RosterSource("r"))


def test_what_a_roster_gives_is_worked_out_once_a_roster_and_day() -> None:
    """And not for another roster or another day; it goes with the roster."""
    asked: Counter[object] = Counter()

    @once_a_roster
    def answer(roster: Roster, *args: object) -> int:
        asked[len(roster.people), *args] += 1
        return len(asked)

    one, other = roster(), roster()
    answers = [answer(one, TODAY), answer(one, TODAY), answer(one, date(2026, 5, 5)), answer(other, TODAY)]
    assert answers == [1, 1, 2, 2]
    assert list(asked.values()) == [2, 1]  # the same question, once for each of the two rosters
    assert entries(one) is entries(one)
    assert effective_by_key(one, TODAY) is effective_by_key(one, TODAY)
    assert declaration(one, TODAY) is declaration(one, TODAY)
    assert declaration(one, TODAY) is not declaration(other, TODAY)


def test_a_roster_is_read_once_for_itself_and_its_neighbours(tmp_path: Path) -> None:
    """The slow part is YAML."""
    files = [tmp_path / f"{name}.yaml" for name in ("one", "two")]
    for number, file in enumerate(files):
        file.write_text(f"environment: x\nprojects: {{ shop: {{ id: {number + 1}, environment: x }} }}\npeople: []\n")
    load_once.cache_clear()
    for file in files:
        read_roster(file)
        read_other_rosters(file)
    assert load_once.cache_info().misses == len(files)


@dataclass(frozen=True)
class Counting(Pulumi):
    """An engine with two stacks, which counts what it is asked."""

    runs: list[str] = field(default_factory=list)

    def run(self, *args: str, **_: Any) -> Completed:
        self.runs.append(" ".join(word for word in args if not word.startswith("--")))
        config = {"mixpanel:organizationId": {"value": "7654321"}, "mixpanel:environment": {"value": "production"}}
        row = {
            "urn": "urn:pulumi:production::p::pulumi-python:dynamic/mixpanel:Member::bo@example.com",
            "type": "pulumi-python:dynamic/mixpanel:Member",
            "id": "7654321:bo@example.com",
            "inputs": {"__provider": "gASV" * 1000, "email": "bo@example.com"},
            "outputs": {"__provider": "gASV" * 1000, "email": "bo@example.com"},
        }
        answers: dict[str, Any] = {
            "ls": [{"name": "production"}, {"name": "staging"}],
            "config": config,
            "export": {"deployment": {"resources": [row]}},
        }
        name = args[0] if args[0] in answers else args[1]
        return Completed(args, 0, json.dumps(answers[name]), "")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PulumiProject:
    """A project on such an engine."""
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\nmain: stacks/\n")
    (tmp_path / "stacks").mkdir()
    monkeypatch.setattr(overviews, "connected", lambda _, **__: nullcontext(make_directory(FakeApi())))
    return PulumiProject(Counting(Engine(tmp_path, "3.259.0", "path"), tmp_path, ACCOUNT))


def test_the_engine_is_asked_twice_about_a_stack_that_is_named(project: PulumiProject) -> None:
    """Its configuration and its state; the other stacks only where something depends on them."""
    runs = project.pulumi.runs  # type: ignore[attr-defined]
    with load_overview(project, ["production"], None, lambda _: None) as found:
        assert sorted(runs) == ["config production", "stack export production"]
        assert list(found.people) != []
        _ = found.others
        assert sorted(runs)[2:] == ["stack export staging", "stack ls"]


def test_an_exported_state_is_kept_without_its_pickled_providers(project: PulumiProject) -> None:
    """They are most of its text, and nobody reads them."""
    assert "gASV" not in json.dumps(project.export("production"))
    assert [*project.state("production", 7654321).members] == ["bo@example.com"]
