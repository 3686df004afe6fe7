"""`mixpanel-access roster`: what a roster gives to whom, without the engine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mixpanel_access.cli import main
from mixpanel_access.cli.app import app
from mixpanel_access.model.errors import RosterError, UsageError
from mixpanel_access.model.roster.reading import RosterSource, parse

STACKS = Path(__file__).parents[2] / "stacks"


def test_it_shows_who_has_what_on_a_day() -> None:
    """With the standard roles filled in, and how many have it on other days only."""
    shown = CliRunner().invoke(app, ["roster", str(STACKS / "staging.yaml"), "--now", "2026-05-04"])
    assert shown.exit_code == 0
    lines = [" ".join(line.split()) for line in shown.output.splitlines()]
    assert lines[1] == "robin@agency.example.org shop admin, sandbox admin tracking-plan 2026-10-11"
    assert lines[2] == "1 person of staging.yaml has access on 2026-05-04."
    late = CliRunner().invoke(app, ["roster", str(STACKS / "staging.yaml"), "--now", "2031-01-01"])
    assert late.output == "0 people of staging.yaml have access on 2031-01-01. 1 more only on other days.\n"


def test_overlapping_engagements_are_told(tmp_path: Path) -> None:
    """As a preview tells them."""
    file = tmp_path / "r.yaml"
    person = "{ email: bo@example.com, engagement: %s, projects: { shop: %s } }"
    file.write_text(
        "environment: x\nprojects: { shop: { id: 1, environment: x } }\nengagements: { a: {}, b: {} }\n"
        f"people: [{person % ('a', 'admin')}, {person % ('b', 'analyst')}]\n"
    )
    shown = CliRunner().invoke(app, ["roster", str(file)])
    counts = "admin in shop by the engagement a counts, as the highest; there is also analyst by the engagement b"
    assert counts in shown.output


ROWS = {
    "the entry of the organization role ends first": (
        ["engagement: a, organizationRole: admin, ends: 2026-06-30", "engagement: b, projects: { shop: admin }"],
        ["admin a 2026-06-30", "shop admin b"],
    ),
    "each entry gives a project": (
        ["engagement: a, projects: { shop: admin }, ends: 2026-06-30", "engagement: b, projects: { web: consumer }"],
        ["web consumer b", "shop admin a 2026-06-30"],
    ),
    "the lower role ends later": (
        ["engagement: a, projects: { shop: admin }, ends: 2026-06-30", "engagement: b, projects: { shop: analyst }"],
        ["b", "shop admin a 2026-06-30"],
    ),
    "a membership in a team ends before the entry": (
        ["engagement: a, projects: { shop: admin }, teams: [pilot], ends: 2026-12-31"],
        ["shop admin a 2026-12-31", "team pilot a 2026-07-31"],
    ),
    "one entry, one row": (
        ["engagement: a, organizationRole: member, projects: { shop: admin, web: admin }, teams: [data]"],
        ["member shop admin, web admin, team data a"],
    ),
    "an entry that has ended": (
        ["engagement: a, projects: { shop: admin }, ends: 2026-05-03", "engagement: b, projects: { web: admin }"],
        ["web admin b"],
    ),
}


@pytest.mark.parametrize(("entries", "expected"), ROWS.values(), ids=ROWS.keys())
def test_a_role_stands_with_the_engagement_and_the_end_of_its_entry(
    tmp_path: Path, entries: list[str], expected: list[str]
) -> None:
    """And never with those of another entry of the person."""
    people = "".join(f"  - {{ email: bo@example.com, {entry} }}\n" for entry in entries)
    file = tmp_path / "r.yaml"
    file.write_text(
        "environment: x\norganizationRoles: true\nengagements: { a: {}, b: {} }\n"
        "projects: { shop: { id: 1, environment: x }, web: { id: 2, environment: x } }\n"
        f"teams: {{ pilot: {{ name: Pilot, ends: 2026-07-31 }}, data: {{ name: Data }} }}\npeople:\n{people}"
    )
    shown = CliRunner().invoke(app, ["roster", str(file), "--now", "2026-05-04"])
    lines = [" ".join(line.split()) for line in shown.output.splitlines()]
    assert [line.removeprefix("bo@example.com ") for line in lines if line.startswith("bo@example.com ")][
        : len(expected)
    ] == expected


def test_its_json_is_a_roster_without_files_beside_it() -> None:
    """It reads as what the files together say."""
    for name in ("production", "staging"):
        shown = CliRunner().invoke(app, ["roster", str(STACKS / f"{name}.yaml"), "--json"])
        document = json.loads(shown.output)
        assert {"organization", "engagements", "people"} <= document.keys()
        assert parse(shown.output, RosterSource("r")).document() == document


def test_a_bad_roster_is_an_error() -> None:
    """The command line's main function prints it in one line."""
    failed = CliRunner().invoke(app, ["roster", "nowhere.yaml"])
    assert isinstance(failed.exception, RosterError)
    assert "cannot read the roster for nowhere.yaml: No such file" in str(failed.exception)


def test_teams_are_shown_with_their_roles_and_people(tmp_path: Path) -> None:
    """A role that is not named is the standard one."""
    file = tmp_path / "r.yaml"
    file.write_text(
        "environment: x\nprojects: { shop: { id: 1, environment: x }, web: { id: 2, environment: x } }\n"
        "teams: { data: { name: Data, standard: audit, projects: { shop: , web: admin } } }\n"
        "people: [{ email: bo@example.com, teams: [data] }]\n"
    )
    shown = CliRunner().invoke(app, ["roster", str(file)])
    lines = [" ".join(line.split()) for line in shown.output.splitlines()]
    assert lines[1:3] == ["bo@example.com team data", "Data (team data) shop standard, web admin audit"]


def test_a_name_that_no_file_can_have_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What the system refuses, and nobody foresaw, is told as any error is; a traceback is for debugging."""
    words = ["mixpanel-access", "status", "--cwd", "x" * 300]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        error = capsys.readouterr().err
        assert error.startswith("error: cannot go on for ")
        assert "File name too long" in error
        assert error.count("\n") == 1
        patch.setenv("MIXPANEL_ACCESS_DEBUG", "1")
        with pytest.raises(OSError, match="File name too long"):
            main()


def test_what_another_roster_has_too_is_told(tmp_path: Path) -> None:
    """A project is an error, with both places; organization roles are a warning, and the roster is shown."""
    text = "environment: x\norganizationRoles: true\nprojects: { shop: { id: 1, environment: x } }\n"
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(text)
    failed = CliRunner().invoke(app, ["roster", str(tmp_path / "a.yaml")])
    assert "a.yaml:3 (project shop) has the id 1, and so has b.yaml:3 (project shop)" in str(failed.exception)
    (tmp_path / "b.yaml").write_text(text.replace("id: 1", "id: 2"))
    shown = CliRunner().invoke(app, ["roster", str(tmp_path / "a.yaml")])
    assert shown.exit_code == 0
    assert "warning: a.yaml:2 has organizationRoles: true, and so has b.yaml:2" in shown.output


def test_several_are_checked_each_with_a_line(tmp_path: Path) -> None:
    """A folder means its rosters: no configuration of a stack, and no file that rosters include."""
    shown = CliRunner().invoke(app, ["roster", str(STACKS), "--now", "2026-05-04"])
    assert (shown.exit_code, [line.partition(" of ")[2].partition(" ")[0] for line in shown.output.splitlines()]) == (
        0,
        [str(STACKS / "production.yaml"), str(STACKS / "staging.yaml")],
    )
    for name, text in (("good.yaml", "environment: x\n"), ("one-line.yaml", "{people: [], environment: x}\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / "common.yaml").write_text("projects: {}\n")
    assert CliRunner().invoke(app, ["roster", str(tmp_path)]).output.count("0 people of") == 2


def test_of_several_each_mistake_is_shown(tmp_path: Path) -> None:
    """The others are checked all the same, and the exit code is that of one roster with a mistake."""
    (tmp_path / "a.yaml").write_text("environment: [\n")
    (tmp_path / "b.yaml").write_text("environment: x\npeopel: []\n")
    (tmp_path / "c.yaml").write_text("environment: x\n")
    shown = CliRunner().invoke(app, ["roster", *(str(tmp_path / name) for name in ("a.yaml", "b.yaml", "c.yaml"))])
    assert shown.exit_code == 2
    assert shown.stdout.startswith(f"0 people of {tmp_path / 'c.yaml'} have access")
    assert ("a.yaml:" in shown.stderr, "peopel" in shown.stderr) == (True, True)


def test_a_folder_without_rosters_is_an_error(tmp_path: Path) -> None:
    """A hook with a wrong path must not pass."""
    with pytest.raises(UsageError, match="no file in it is a roster"):
        CliRunner().invoke(app, ["roster", str(tmp_path)], catch_exceptions=False)
    with pytest.raises(UsageError, match="--json is for one"):
        CliRunner().invoke(app, ["roster", str(STACKS), "--json"], catch_exceptions=False)
