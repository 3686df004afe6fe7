"""Custom roles and security settings on the real engine: made, held, changed, let go; nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest

from demo.sandbox import ROOT
from mixpanel_access.files.roster import read_roster
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
from mixpanel_access.provider import CustomRole, Member, OrganizationSecurity, ProjectGrant

OrganizationSecurity("security", two_factor_required={two_factor}, request_access={{"mode": "ask"}})
lee = Member("lee", email="lee@example.com")
role = {role}
support = role and CustomRole(
    "support", project_id={project}, name="Support", permissions=role, environment="production"
)
ProjectGrant(
    "lee-shop", project_id={project}, email="lee@example.com", role=support.role_id if support else "analyst",
    environment="production", opts=pulumi.ResourceOptions(depends_on=[lee]),
)
"""


def declare(workspace: Workspace, role: list[str] | None, *, two_factor: bool | None = True) -> None:
    """The program of one role, held by one person, and of the security settings."""
    workspace.program(PROGRAM.format(role=role, two_factor=two_factor, project=PRODUCTION))


def roles(workspace: Workspace, id_: int = PRODUCTION) -> list[dict[str, Any]]:
    """The custom roles of a project."""
    (project,) = (one for one in workspace.dump()["projects"] if one["id"] == id_)
    found: list[dict[str, Any]] = project["custom_roles"]
    return found


def test_a_role_lives_with_who_holds_it(workspace: Workspace) -> None:
    """Made before the grant that takes its id, changed in place, let go after it; nothing changes twice.

    No preview and no update asks for what is only shown.
    """
    declare(workspace, ["export_reports_csv", "create_reports"])
    previewed = workspace.run("preview", "--stack", "production")  # the role's id is unknown
    assert "5 to create" in previewed.stdout
    first = workspace.up()
    assert "Mixpanel adds view_project" in first.stdout
    assert not [one for one in workspace.requests() if "discoverability" in one or "audit-logs" in one]
    (held,) = roles(workspace)
    assert held["permissions"] == ["view_project", "create_reports", "export_reports_csv"]
    assert workspace.grants("lee@example.com") == {PRODUCTION: held["role_id"]}
    workspace.unchanged()
    security = workspace.dump()["security"]
    assert (security["twofactor"], security["request_access"]) == ({"twofactor_auth_required": True}, {"mode": "ask"})

    declare(workspace, ["create_reports"])
    workspace.up()
    (changed,) = roles(workspace)
    assert (changed["role_id"], changed["permissions"]) == (held["role_id"], ["view_project", "create_reports"])
    assert workspace.grants("lee@example.com") == {PRODUCTION: held["role_id"]}

    declare(workspace, None, two_factor=None)
    workspace.up()
    assert roles(workspace) == []
    assert workspace.grants("lee@example.com") == {PRODUCTION: "analyst"}
    assert workspace.dump()["security"]["twofactor"] == {"twofactor_auth_required": True}
    gone = workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert "stay as they are; they are only no longer declared" in gone.stdout
    assert workspace.dump()["security"]["twofactor"] == {"twofactor_auth_required": True}


SUPPORT = {"name": "Support", "project": "shop", "permissions": ["export_reports_csv"], "description": "Answers"}
LEE = {"email": "lee@example.com", "organizationRole": "member", "projects": {"shop": "support"}}
LOADER = {"name": "Loader", "project": "warehouse", "permissions": ["create_reports"]}
DESK = {"name": "Desk", "projects": {"shop": "support", "warehouse": "loader"}}
PROJECTS = {
    "shop": {"id": PRODUCTION, "environment": "production"},
    "warehouse": {"id": WAREHOUSE, "environment": "production", "authoritative": True},
}


@pytest.mark.python_engine
def test_a_roster_makes_roles_and_settings(workspace: Workspace) -> None:
    """A person gets the role by its key; the role stays while the stack gives it to somebody by its id."""
    security = {"twoFactorRequired": True, "requestAccess": {"mode": "ask"}}
    workspace.roster([LEE], customRoles={"support": SUPPORT}, security=security)
    workspace.up()
    workspace.unchanged()
    (held,) = roles(workspace)
    assert workspace.grants("lee@example.com") == {PRODUCTION: held["role_id"]}
    assert workspace.dump()["security"]["twofactor"] == {"twofactor_auth_required": True}
    status = workspace.command("status", "lee@example.com", "--json")
    assert f'"declared": "{held["role_id"]}"' in status.stdout, status.stdout + status.stderr

    workspace.run("state", "delete", "--all", "--yes", "--stack", "production")
    taken = workspace.command("import", "--stack", "production", "--email", "lee@example.com")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert "1 custom role, the security settings into stack production; its preview shows no change." in taken.stdout
    assert roles(workspace) == [held]

    workspace.roster([{**LEE, "projects": {"shop": held["role_id"]}}])
    refused = workspace.up(check=False)
    assert refused.returncode != 0
    assert "this stack still declares access for lee@example.com, who would become consumer" in refused.stdout
    assert roles(workspace) == [held]
    workspace.roster([{**LEE, "projects": {"shop": "analyst"}}])
    workspace.up()
    assert roles(workspace) == []
    assert workspace.grants("lee@example.com") == {PRODUCTION: "analyst"}


@pytest.mark.python_engine
def test_a_project_as_a_whole_and_a_team_have_a_role_by_its_key(workspace: Workspace) -> None:
    """Each is made once the role is, and let go before it; the same again after an import."""
    people = [{**LEE, "projects": {"shop": "analyst", "warehouse": "loader"}, "teams": ["desk"]}]
    made = {"support": SUPPORT, "loader": LOADER}
    workspace.roster(people, projects=PROJECTS, customRoles=made, teams={"desk": DESK})
    pack = ("--policy-pack", str(ROOT / "policies"))
    previewed = workspace.run("preview", *pack, "--stack", "production", check=False)  # no role has an id yet
    assert f"lee@example.com as custom:loader in project {WAREHOUSE}: analyst and above need" in previewed.stdout
    workspace.up()
    (support,), (loader,) = roles(workspace), roles(workspace, WAREHOUSE)
    (team,) = (one for one in workspace.dump()["teams"] if one["name"] == "Desk")
    assert workspace.grants("lee@example.com") == {PRODUCTION: "analyst", WAREHOUSE: loader["role_id"]}
    assert {one["id"]: one["role"] for one in team["projects"]} == {
        PRODUCTION: support["role_id"], WAREHOUSE: loader["role_id"],
    }  # fmt: skip
    workspace.unchanged()

    workspace.run("state", "delete", "--all", "--yes", "--stack", "production")
    workspace.roster([], projects=PROJECTS, customRoles=made, teams={"desk": DESK})
    taken = workspace.command("import", "--stack", "production", "--email", "lee@example.com")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert "2 individual grants, 1 team, 2 custom roles into stack production" in taken.stdout
    assert "its preview shows no change" in taken.stdout
    (entry,) = read_roster(workspace.stacks / "production.yaml").people
    assert (entry.projects, entry.teams) == ({"shop": "analyst", "warehouse": "loader"}, ["desk"])

    desk = {"name": "Desk", "projects": {"shop": "consumer"}}
    people = [{**LEE, "projects": {"warehouse": "analyst"}}]
    workspace.roster(people, projects=PROJECTS, teams={"desk": desk})
    workspace.up()
    assert roles(workspace) == roles(workspace, WAREHOUSE) == []
    assert workspace.grants("lee@example.com") == {WAREHOUSE: "analyst"}
    (team,) = (one for one in workspace.dump()["teams"] if one["name"] == "Desk")
    assert team["projects"] == [{"id": PRODUCTION, "role": "consumer"}]


@pytest.mark.python_engine
def test_the_examples_on_the_page_run(workspace: Workspace) -> None:
    """As they stand there, in one program, once made they do not change."""
    sections = ("CustomRole", "OrganizationSecurity")
    pages = [(ROOT / "docs" / "resources.md").read_text().partition(f"## {section}\n")[2] for section in sections]
    workspace.program("\n".join(page.partition("```python\n")[2].partition("```")[0] for page in pages))
    workspace.up()
    workspace.unchanged()
    assert {resource["type"].rpartition(":")[2] for resource in workspace.resources()} >= {*sections}
