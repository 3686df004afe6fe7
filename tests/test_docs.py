"""The pages tell what is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench import page as bench_page
from bench import reliability
from bench.reliability_lives_page import scripted as scripted_section
from bench.reliability_page import FAULT_KINDS, page
from mixpanel_access.cli.app import app
from mixpanel_access.files.onboarding import PLACES, AutomaticCheck, TaskCondition, read_checklists
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.engagements import METADATA_FIELDS
from mixpanel_access.model.roster.json_schema import json_schema
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Common
from mixpanel_access.operations.diagnosing import KnownFailure
from mixpanel_access.operations.report.risk import FACTORS, LEVELS, RiskLevel
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.organization_security import OrganizationSecurityProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.service_account import ServiceAccountProvider
from mixpanel_access.provider.service_account_grant import ServiceAccountGrantProvider
from mixpanel_access.provider.team import TeamProvider
from mixpanel_access.provider.team_grant import TeamGrantProvider
from mixpanel_access.provider.team_member import TeamMemberProvider

ROOT = Path(__file__).parents[1]


def test_every_input_has_a_row() -> None:
    """The resources page has each input and metadata field."""
    page = (ROOT / "docs" / "resources.md").read_text()
    providers = (
        MemberProvider,
        ProjectGrantProvider,
        ProjectAccessProvider,
        ServiceAccountProvider,
        ServiceAccountGrantProvider,
        CustomRoleProvider,
        OrganizationSecurityProvider,
        TeamProvider,
        TeamGrantProvider,
        TeamMemberProvider,
    )
    for field in (*(name for provider in providers for name in provider.HANDLER.INPUTS), *METADATA_FIELDS):
        assert f"`{field}`" in page


def test_the_points_of_the_report_are_on_its_page() -> None:
    """Every fact with its points, and the edges of the levels."""
    page = (ROOT / "docs" / "operators.md").read_text()
    rows = [f"| {factor.points} | {factor.rule} |" for factor in FACTORS]
    assert "\n".join(rows) in page
    assert f"from {LEVELS[RiskLevel.HIGH]} on high, from {LEVELS[RiskLevel.MEDIUM]} on medium" in page


def test_the_schema_is_made_of_the_roster() -> None:
    """`make reference` was run after the last change; every field is described, and has a row on its page."""
    schema = json_schema()
    assert json.loads((ROOT / "docs" / "roster.schema.json").read_text()) == schema
    assert json.loads((ROOT / "docs" / "common.schema.json").read_text()) == json_schema(Common)
    page = (ROOT / "docs" / "roster.md").read_text()
    for part in (schema, *schema["$defs"].values()):
        for name, field in part["properties"].items():
            assert f"| `{name}` | {' '.join(field['description'].split())}" in page


def test_an_editor_shows_titles_in_words_and_descriptions_on_one_line() -> None:
    """Of every field, whose title has the words of its name; a day has the form of a date."""
    schema = json_schema()
    for part in (schema, *schema["$defs"].values()):
        for name, field in part["properties"].items():
            assert field["title"].replace(" ", "").lower() == name.lower()
            assert "\n" not in field["description"]
            assert (field.get("format") == "date") == (name in ("starts", "ends", "expires", "reviewed"))


ROSTERS = [
    file
    for pattern in ("stacks/*.yaml", "examples/*/*.yaml")
    for file in sorted(ROOT.glob(pattern))
    if re.search("^environment:", file.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize("file", ROSTERS, ids=lambda file: "/".join(file.parts[-2:]))
def test_an_editor_finds_the_schema_of_each_roster(file: Path) -> None:
    """By its first line."""
    line = file.read_text().partition("\n")[0]
    found = file.parent / line.removeprefix("# yaml-language-server: $schema=")
    assert found.resolve() == ROOT / "docs" / "roster.schema.json"


def test_the_roster_on_its_page_is_one() -> None:
    """It reads, and so do the committed ones, which name the schema in their first line."""
    page = (ROOT / "docs" / "roster.md").read_text()
    text = page.partition("```yaml\n")[2].partition("```")[0]
    assert parse(text, RosterSource("r")).people
    for name in ("production", "staging"):
        assert read_roster(ROOT / "stacks" / f"{name}.yaml").people
    files = [file.read_text() for file in (ROOT / "stacks").glob("[!P]*.yaml")]
    assert len(files) == 3
    for shown in (text, *files):
        schema = shown.splitlines()[0].partition("$schema=")[2]
        assert (ROOT / "stacks" / schema).is_file()


def test_the_checklist_on_its_page_is_one(tmp_path: Path) -> None:
    """It reads, and the page names every check, condition and place."""
    page = (ROOT / "docs" / "operators.md").read_text()
    text = page.partition("which replaces")[2].partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "onboarding.yaml").write_text(text)
    assert set(read_checklists(tmp_path)) == {"everybody", "analyst"}
    for word in (*AutomaticCheck, *TaskCondition, *(f"{{{place}}}" for place in PLACES)):
        assert f"`{word}`" in page
    for failure in KnownFailure:
        assert f"\n| {failure} | " in page


def test_the_commands_are_made_of_the_command_line(tmp_path: Path) -> None:
    """`make reference` was run after the last change."""
    made = tmp_path / "commands.md"
    command = [sys.executable, "-m", "typer", "mixpanel_access.cli.app", "utils", "docs", "--name", "mixpanel-access"]
    subprocess.run([*command, "--output", made], cwd=ROOT, check=True, capture_output=True, timeout=60)
    assert (ROOT / "docs" / "commands.md").read_text() == made.read_text()


def test_the_page_of_figures_is_made_of_the_results() -> None:
    """By `make bench`."""
    assert bench_page.PAGE.read_text() == bench_page.page(json.loads(bench_page.RESULTS.read_text()))


def test_the_reliability_page_is_made_of_the_figures() -> None:
    """By `make reliability`, of a run in which every kind of fault struck and nothing was lost, double or failed."""
    figures = json.loads(reliability.RESULTS.read_text())
    assert reliability.PAGE.read_text() == page(figures)
    assert {kind for kinds in figures["faults"].values() for kind in kinds} == set(FAULT_KINDS)
    assert set(figures["inputs"]) == {"rosters", "wire answers", "SCIM answers", "command lines"}
    assert min(*figures["inputs"].values(), figures["lives"]["lives"], figures["kills"]["kills"]) > 0
    for part, names in (
        ("tests", ("failures", "errors")),
        ("kills", ("lost", "double")),
        ("parallel", ("lost", "faults")),
    ):
        assert [figures[part][name] for name in names] == [0, 0]


def test_a_report_and_the_counts_are_the_figures() -> None:
    """Of all processes of a run; what was counted and came to nothing is left out."""
    counts = Counter(
        {"faults of GET: delay": 2, "faults of GET: drop after": 0, "inputs of rosters": 3, "lives": 4, "kills": 1}
    )
    report = '<testsuites><testsuite tests="7" failures="0" errors="0" skipped="1" time="61.5"/></testsuites>'
    found = reliability.figures_of(counts, report)
    assert found == {
        "tests": {"tests": 7, "failures": 0, "errors": 0, "skipped": 1, "seconds": 62},
        "faults": {"GET": {"delay": 2}},
        "lives": {"lives": 4, "steps": 0, "lives_together": 0, "steps_together": 0},
        "inputs": {"rosters": 3},
        "kills": {"kills": 1, "lost": 0, "double": 0},
    }


def test_a_life_that_failed_and_a_run_that_was_stopped_are_on_the_page() -> None:
    """With seed, day and what disagrees; no life is left out in silence."""
    figures = ("lives", "days", "checked", "events", "runs", "comparisons", "seconds")
    shape: dict[str, Any] = dict.fromkeys(figures, 7)
    failed = [{"seed": 1003, "day": 12, "kinds": ["status, waiting"]}]
    shape |= {"drawn": {"teams": 1234}, "disagreements": {"status, waiting": 1}, "failed": failed}
    shown = scripted_section({"date": "2026-11-30", "wanted": {"8 days busy": 9}, "shapes": {"8 days busy": shape}})
    assert "| 8 days busy | 1003 | 12 | status, waiting |" in shown
    assert "| drawn: teams | 1,234 |" in shown
    assert "The run ended after 7 of 9 lives with 8 days busy" in shown
    assert scripted_section({}) == ""


@pytest.mark.parametrize("name", ["security.md", "reliability.md"])
def test_the_tests_that_a_page_names_are_there(name: str) -> None:
    """By their files."""
    named = set(re.findall(r"tests/[\w/]+(?:\.py)?", (ROOT / "docs" / name).read_text()))
    assert len(named) >= 4
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_schema_command_prints_it() -> None:
    """For those who have only the package."""
    assert json.loads(CliRunner().invoke(app, ["schema"]).output) == json_schema()
    assert json.loads(CliRunner().invoke(app, ["schema", "--common"]).output) == json_schema(Common)
