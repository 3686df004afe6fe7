"""`ProjectAccess` on the real engine: all of one project's grants, drift and brake, beside single grants."""

from __future__ import annotations

from typing import Any

import pytest

from demo.sandbox import ROOT
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = pytest.mark.engine

PROGRAM = """
from mixpanel_access.provider import ProjectAccess, ProjectGrant

for project, grants in {wholes}.items():
    ProjectAccess(f"project-{{project}}", project_id=project, grants=grants, environment="production", ticket="OPS-1")
for project, email, role in {singles}:
    ProjectGrant(f"{{project}}:{{email}}", project_id=project, email=email, role=role, environment="production")
"""
TEAM = {f"p{n}@example.com": "analyst" for n in range(6)}


def declare(
    workspace: Workspace, wholes: dict[int, dict[str, str]], singles: list[tuple[int, str, str]] | None = None
) -> None:
    """The program of some projects as a whole, and some single grants."""
    workspace.program(PROGRAM.format(wholes=wholes, singles=singles or []))


def seed(workspace: Workspace, emails: list[str], grants: dict[str, str]) -> None:
    """Have people in the organization, and their grants in the project."""
    document = workspace.dump()
    document["members"] += [{"email": email, "role": "member"} for email in emails]
    document["grants"] = [row for row in document["grants"] if row["project"] not in (PRODUCTION, WAREHOUSE)]
    document["grants"] += [{"project": PRODUCTION, "email": email, "role": role} for email, role in grants.items()]
    workspace.emulator.control("POST", "seed", document)


def add_by_hand(workspace: Workspace, email: str, role: str) -> None:
    """What somebody does in the product."""
    document = workspace.dump()
    document["grants"].append({"project": PRODUCTION, "email": email, "role": role})
    workspace.emulator.control("POST", "seed", document)


def held(workspace: Workspace, project: int = PRODUCTION) -> dict[str, str]:
    """The project's individual grants."""
    return {row["email"]: row["role"] for row in workspace.dump()["grants"] if row["project"] == project}


def test_a_project_lives_as_a_whole(workspace: Workspace) -> None:
    """Made, unchanged, drifted, mended, braked, and taken away; nobody leaves the organization."""
    seed(workspace, [*TEAM, "hand@example.com"], {"p0@example.com": "analyst", "p1@example.com": "admin"})
    people = workspace.members().keys()
    declare(workspace, {PRODUCTION: TEAM})
    workspace.up()
    assert held(workspace) == TEAM
    workspace.unchanged()
    assert len(workspace.resources()) == 1

    add_by_hand(workspace, "hand@example.com", "admin")
    drift = workspace.run("refresh", "--yes", "--diff", "--stack", "production").stdout
    assert "hand@example.com" in drift
    said = workspace.run("preview", "--stack", "production").stdout  # with --diff the engine leaves messages out
    assert "1 grant to be taken away, with one request each: hand@example.com" in said
    workspace.up()
    assert held(workspace) == TEAM

    declare(workspace, {PRODUCTION: {"p0@example.com": "analyst"}})
    refused = workspace.run("preview", "--stack", "production", check=False)
    assert refused.returncode != 0
    assert "one operation may take 3 of the 6 individual grants" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr
    assert held(workspace) == TEAM
    destroyed = workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production", check=False)
    assert destroyed.returncode != 0
    assert held(workspace) == TEAM
    workspace.run("config", "set", "mixpanel:releaseBrakes", "grantShare", "--stack", "production")
    workspace.up()
    assert held(workspace) == {"p0@example.com": "analyst"}
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert held(workspace) == {}
    assert workspace.members().keys() == people


@pytest.mark.python_engine
def test_a_project_moves_between_the_two_ways(workspace: Workspace) -> None:
    """There and back, nobody loses access for a moment."""
    seed(workspace, list(TEAM), {})
    singles = [(PRODUCTION, email, role) for email, role in TEAM.items()]
    declare(workspace, {}, singles)
    workspace.up()

    def moved() -> dict[str, Any]:
        workspace.emulator.control("DELETE", "requests")
        workspace.up()
        assert held(workspace) == TEAM
        return {name: n for name, n in workspace.requests().items() if not name.startswith("GET ")}

    declare(workspace, {PRODUCTION: TEAM})
    assert moved() == {}
    assert len(workspace.resources()) == 1
    declare(workspace, {}, singles)
    assert moved() == {}
    assert len(workspace.resources()) == len(TEAM)


@pytest.mark.python_engine
def test_a_first_up_over_people_who_are_there_is_braked(workspace: Workspace) -> None:
    """A program that names nobody does not empty a project that it has never seen."""
    seed(workspace, list(TEAM), TEAM)
    declare(workspace, {PRODUCTION: {}})
    refused = workspace.up(check=False)
    assert refused.returncode != 0
    assert "mixpanel:releaseBrakes grantShare" in refused.stdout
    assert held(workspace) == TEAM


@pytest.mark.python_engine
def test_a_roster_alone_says_who_has_a_project(workspace: Workspace) -> None:
    """From single grants by one word in the roster, judged by the policies, offboarded from, and back."""
    seed(workspace, [*TEAM, "hand@example.com"], {})
    config = str(ROOT / "policies" / "config" / "production.json")
    pack = ("--policy-pack", str(ROOT / "policies"), "--policy-pack-config", config)
    why = {
        "ticket": "OPS-1", "approver": "ana@example.com", "justification": "Works in it", "engagement": "shop",
    }  # fmt: skip
    people = [{"email": email, "projects": {"shop": role}, **why} for email, role in TEAM.items()]
    engagements = {"shop": {"sow": "SOW-1", "starts": "2026-01-01", "ends": "2027-12-31"}}

    def roster(authoritative: bool, who: list[dict[str, Any]]) -> None:
        workspace.roster(who, engagements=engagements, organizationRoles=False, authoritative=authoritative)

    roster(False, people)
    workspace.up()
    assert len(workspace.resources()) == 2 * len(TEAM) + 1
    roster(True, people)
    workspace.up()
    assert held(workspace) == TEAM
    assert len(workspace.resources()) == len(TEAM) + 3  # two projects and the brake
    assert "OPS-1" in str(workspace.outputs(f"project-access/{PRODUCTION}")["reasons"])

    roster(True, [*people[:-1], {"email": "p5@example.com", "projects": {"shop": "analyst"}}])
    judged = workspace.run("preview", *pack, "--stack", "production", check=False)
    assert judged.returncode != 0
    assert f"p5@example.com as analyst in project {PRODUCTION}: access to production needs" in judged.stdout
    roster(True, people)

    add_by_hand(workspace, "hand@example.com", "admin")
    drift = workspace.command("drift", "--stack", "production")
    assert "hand@example.com" in drift.stdout
    workspace.run("refresh", "--yes", "--skip-preview", "--stack", "production")
    assert "hand@example.com" in workspace.command("drift", "--stack", "production").stdout
    released = workspace.command("release", "--stack", "production", "--email", "p0@example.com")
    assert released.returncode == 2
    assert "the roster says all grants in project" in released.stdout + released.stderr
    workspace.up()
    gone = workspace.command("offboard", "p5@example.com", "--yes")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert held(workspace) == {email: role for email, role in TEAM.items() if email != "p5@example.com"}
    roster(False, people[:-1])
    workspace.up()
    assert len(workspace.resources()) == 2 * (len(TEAM) - 1) + 1
    assert len(held(workspace)) == len(TEAM) - 1


@pytest.mark.python_engine
def test_import_takes_a_whole_project(workspace: Workspace) -> None:
    """One resource for all of its grants; who comes later comes into it; and never beside single ones."""
    seed(workspace, [*TEAM, "late@example.com"], TEAM)
    workspace.roster([], organizationRoles=False, authoritative=True)
    first = workspace.command("import", "--stack", "production")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "6 individual grants into stack production; its preview shows no change." in first.stdout
    assert workspace.outputs(f"project-access/{PRODUCTION}")["grants"] == TEAM

    add_by_hand(workspace, "late@example.com", "consumer")
    second = workspace.command("import", "--stack", "production")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "1 individual grant into stack production; its preview shows no change." in second.stdout
    assert workspace.outputs(f"project-access/{PRODUCTION}")["grants"] == {**TEAM, "late@example.com": "consumer"}

    roster = workspace.stacks / "production.yaml"
    roster.write_text(roster.read_text().replace('"authoritative": true', '"authoritative": false'))
    assert "false" in roster.read_text()
    mixed = workspace.command("import", "--stack", "production")
    assert mixed.returncode == 2
    assert "Run `pulumi up` first" in mixed.stdout + mixed.stderr


@pytest.mark.python_engine
def test_the_example_of_the_page_runs(workspace: Workspace) -> None:
    """What it declares is so, and somebody new is invited once."""
    seed(workspace, [], {})
    page = (ROOT / "docs" / "resources.md").read_text().partition("## ProjectAccess")[2]
    workspace.program(page.partition("```python\n")[2].partition("```")[0])
    workspace.up()
    assert held(workspace, WAREHOUSE) == {"ana@example.com": "admin", "robin@agency.example.org": "analyst"}
    assert workspace.mails("robin@agency.example.org") == 1
