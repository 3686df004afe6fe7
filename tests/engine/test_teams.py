"""Teams on the real engine: made or adopted, renamed and changed in place, joined and left; who is in by SCIM stays."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from demo.sandbox import ROOT
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
from mixpanel_access.provider import Member, Team, TeamGrant, TeamMember

team = Team("data", name="{name}", ticket="OPS-1", removal="{removal}")
for project, role in {grants}.items():
    TeamGrant(f"data-{{project}}", team_id=team.team_id, project_id=project, role=role, environment="production")
for email in {people}:
    member = Member(email, email=email)
    TeamMember(f"data:{{email}}", team_id=team.team_id, email=email, opts=pulumi.ResourceOptions(depends_on=[member]))
"""
BO, DEE = "bo@example.com", "dee@example.com"


def declare(
    workspace: Workspace, name: str, grants: dict[int, str], *people: str, removal: str = "when_unused"
) -> None:
    """The program of one team."""
    workspace.program(PROGRAM.format(name=name, grants=grants, people=list(people), removal=removal))


def teams(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The teams that the emulator has, by name."""
    return {row["name"]: row for row in workspace.dump()["teams"]}


def roles(row: dict[str, Any]) -> dict[int, str]:
    """What a team has."""
    return {held["id"]: held["role"] for held in row["projects"]}


def test_a_team_lives(workspace: Workspace) -> None:
    """Made with people who are only invited; everything changes in place, and nothing changes twice."""
    declare(workspace, "Analysts", {PRODUCTION: "analyst"}, BO, DEE)
    workspace.up()
    made = teams(workspace)["Analysts"]
    assert (roles(made), sorted(made["members"])) == ({PRODUCTION: "analyst"}, [BO, DEE])
    workspace.unchanged()
    assert workspace.outputs("data") == {
        "name": "Analysts", "removal": "when_unused", "ticket": "OPS-1", "team_id": made["id"], "adopted": False,
        "scim_managed": False, "team_projects": {str(PRODUCTION): "analyst"},
    }  # fmt: skip
    assert workspace.outputs(f"data:{BO}")["status"] == "member"

    workspace.emulator.control("DELETE", "requests")
    declare(workspace, "Reviewers", {PRODUCTION: "consumer", WAREHOUSE: "analyst"}, DEE)
    workspace.up()
    after = teams(workspace)["Reviewers"]
    assert (after["id"], after["members"]) == (made["id"], [DEE])
    assert roles(after) == {PRODUCTION: "consumer", WAREHOUSE: "analyst"}
    assert "POST /organizations/{o}/delete-teams/" not in workspace.requests()
    assert BO not in workspace.members()  # the stack's own invitation, and nothing else holds them

    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert "Reviewers" not in teams(workspace)
    assert DEE not in workspace.members()


@pytest.mark.python_engine
def test_a_team_that_is_there_is_adopted_and_let_go(workspace: Workspace) -> None:
    """With its people and roles, none of which are this stack's, and the engine's output says both."""
    document = workspace.dump()
    (ana, *_) = (row["email"] for row in document["members"])
    theirs = {"id": 500, "name": "Data", "members": [ana], "projects": [{"id": WAREHOUSE, "role": "consumer"}]}
    workspace.emulator.control("POST", "seed", document | {"teams": [theirs]})
    declare(workspace, "Data", {PRODUCTION: "analyst"}, DEE)
    adopted = workspace.up()
    assert "the team Data is there already and is adopted" in adopted.stdout
    (there,) = teams(workspace).values()
    assert (there["id"], sorted(there["members"])) == (500, sorted([ana, DEE]))

    destroyed = workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert "the team Data stays (removal: when_unused): it was there before it was declared" in destroyed.stdout
    (left,) = teams(workspace).values()
    assert (left["members"], roles(left)) == ([ana], {WAREHOUSE: "consumer"})


def example(page: str, section: str, language: str) -> str:
    """The example of one section of the documentation."""
    text = (ROOT / "docs" / page).read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


@pytest.mark.python_engine
def test_the_example_of_a_program_is_true(workspace: Workspace) -> None:
    """It gives what it says."""
    workspace.program(example("resources.md", "Team", "python"))
    workspace.up()
    made = teams(workspace)["Reviewers"]
    assert (roles(made), made["members"]) == ({PRODUCTION: "analyst"}, ["robin@agency.example.org"])


@pytest.mark.python_engine
def test_the_example_of_a_roster_is_true(workspace: Workspace) -> None:
    """Standard roles as a team, for the days of the entry; the same again after an import."""
    shown = YAML(typ="safe").load(example("roster.md", "A team", "yaml"))
    robin = shown["people"][0]["email"]
    review = {"type": "analytics_review", "ticket": "OPS-1", "starts": "2026-05-01", "ends": "2026-05-31"}
    plan = {"teams": shown["teams"], "engagements": {"funnel-review": review}}
    workspace.run("config", "set", "mixpanel:now", "2026-05-31T12:00:00Z", "--stack", "production")
    workspace.roster(shown["people"], **plan)
    workspace.up()
    made = teams(workspace)["Reviewers"]
    assert (roles(made), made["members"]) == ({PRODUCTION: "analyst", WAREHOUSE: "consumer"}, [robin])
    who = workspace.command("who", robin, "--stack", "production").stdout
    assert "team Reviewers" in who
    assert "OPS-1" in who

    logged = json.loads(workspace.command("tracker", "update", "--json").stdout)
    ours = (one for one in logged if one["team"] and one["stack"])
    in_teams = {(one["event"], one["email"], one["project"], one["role"], one["team"]) for one in ours}
    assert in_teams == {
        ("granted", robin, None, "", "Reviewers"),
        ("granted", "", PRODUCTION, "analyst", "Reviewers"),
        ("granted", "", WAREHOUSE, "consumer", "Reviewers"),
    }

    workspace.emulator.control("POST", "invitations/accept", {"email": robin})
    workspace.run("state", "delete", "--all", "--yes", "--stack", "production")
    taken = workspace.command("import", "--stack", "production", "--email", robin)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert ", 1 team into stack production; its preview shows no change." in taken.stdout
    assert workspace.outputs("team/reviewers")["team_id"] == made["id"]
    assert workspace.outputs(f"team/reviewers:{robin}")["status"] == "member"

    workspace.run("config", "set", "mixpanel:now", "2026-06-01T12:00:00Z", "--stack", "production")
    due = workspace.command("revoke", "--stack", "production", "--within", "0").stdout
    assert f"the access of {robin} in stack production (funnel-review) ended on 2026-05-31" in due
    assert "the team reviewers" in due
    workspace.up()
    assert teams(workspace)["Reviewers"]["members"] == []
    logged = json.loads(workspace.command("tracker", "update", "--json").stdout)
    (gone,) = (one for one in logged if one["team"] and one["stack"])
    assert (gone["event"], gone["email"], gone["team"]) == ("revoked", robin, "Reviewers")
    assert robin not in workspace.members()
    workspace.roster([])
    workspace.up()
    assert "Reviewers" in teams(workspace)  # it was there before it was imported


@pytest.mark.python_engine
def test_names_that_change_hands_take_no_access_along(workspace: Workspace) -> None:
    """A new team, declared first, gets the name that another gives up, and two swap theirs: in two runs at most.

    Roles and people stay with the roster's key, and nothing is refused; tests/provider/test_renames.py has every order.
    """
    workspace.run(
        "config", "set", "mixpanel:allowUndocumented", "addTeamMembers,removeTeamMembers", "--stack", "production"
    )

    def team(name: str, role: str) -> dict[str, Any]:
        return {"name": name, "projects": {"shop": role}}

    people = [{"email": BO, "teams": ["a"]}, {"email": DEE, "teams": ["b"]}]
    first = {"a": team("Growth", "analyst"), "b": team("Retention", "consumer"), "c": team("Loyalty", "admin")}
    workspace.roster(people, teams=first)
    workspace.up()
    ids = {name: row["id"] for name, row in teams(workspace).items()}

    newcomer = {"email": "cy@agency.example.org", "teams": ["new"]}
    swapped = {
        "new": team("Loyalty", "consumer"), "a": team("Retention", "analyst"), "b": team("Growth", "consumer"),
        "c": team("Fans", "admin"),
    }  # fmt: skip
    workspace.roster([*people, newcomer], teams=swapped)
    shown = workspace.up().stdout
    assert "run `pulumi up` again" in shown
    workspace.up()
    now = teams(workspace)
    assert {name: (roles(now[name]), now[name]["members"]) for name in ("Retention", "Growth", "Fans", "Loyalty")} == {
        "Retention": ({PRODUCTION: "analyst"}, [BO]),
        "Growth": ({PRODUCTION: "consumer"}, [DEE]),
        "Fans": ({PRODUCTION: "admin"}, []),
        "Loyalty": ({PRODUCTION: "consumer"}, [newcomer["email"]]),
    }
    assert (now["Retention"]["id"], now["Growth"]["id"], now["Fans"]["id"]) == tuple(
        ids[name] for name in ("Growth", "Retention", "Loyalty")
    )
