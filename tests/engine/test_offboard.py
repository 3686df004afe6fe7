"""`mixpanel-access offboard`: a person leaves, in every stack, and nobody else is touched."""

from __future__ import annotations

import json

import pytest

from tests.emulator.conftest import unchanged
from tests.engine.conftest import PRODUCTION, STAGING, WAREHOUSE, Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


ROBIN = "robin@agency.example.org"
LEE = "lee@example.com"


def test_a_person_leaves_every_stack(real_workspace: Workspace) -> None:
    """Shown first, then done: rosters, states, Mixpanel; what is left through a team is told."""
    real_workspace.add("staging")
    real_workspace.up("production")
    real_workspace.up("staging")
    before, rosters = real_workspace.dump(), {path: path.read_text() for path in real_workspace.stacks.glob("*.yaml")}

    shown = real_workspace.command("offboard", ROBIN.upper())
    assert (shown.returncode, shown.stderr) == (1, "")
    assert "stack production has in its state: the member, analyst in project 1234567" in shown.stdout
    assert "-  - email: robin@agency.example.org\n" in shown.stdout
    assert "Nothing was changed." in shown.stdout
    assert {path: path.read_text() for path in rosters} == rosters
    assert unchanged(before, real_workspace.dump())

    done = real_workspace.command("offboard", ROBIN, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{ROBIN} is not in the organization.\n")
    assert ROBIN not in real_workspace.members()
    assert set(real_workspace.members()) == {row["email"] for row in before["members"]} - {ROBIN}
    assert not any(ROBIN in json.dumps(real_workspace.resources(stack)) for stack in ("production", "staging"))
    assert not any(ROBIN in path.read_text() for path in rosters)
    again = real_workspace.command("offboard", ROBIN, "--yes", "--json")
    assert (again.returncode, json.loads(again.stdout)["stacks"]) == (0, [])


def test_a_mistyped_address_is_told(workspace: Workspace) -> None:
    """It ends with 0 like anybody who is gone; who was meant has all they had."""
    shown = workspace.command("offboard", "robbin@agency.example.org", "--yes")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"No stack has robbin@agency.example.org (did you mean '{ROBIN}'?).\n" in shown.stdout
    stranger = workspace.command("offboard", "sue@agency.example.org")
    assert stranger.stdout.startswith("No stack has sue@agency.example.org.\n")


def test_what_is_left_is_told(workspace: Workspace) -> None:
    """A team, and a grant, that no stack has: the person stays, and it ends with 1; a stack's own team is left."""
    ops = {"ops": {"name": "Ops", "projects": {"shop": "consumer"}}}
    workspace.roster([{"email": LEE, "projects": {"shop": "analyst"}, "teams": ["ops"]}], teams=ops)
    workspace.up("production")
    workspace.emulator.control("POST", "grants", {"project": STAGING, "email": LEE, "role": "consumer"})
    done = workspace.command("offboard", LEE, "--yes")
    assert done.returncode == 1, done.stderr
    assert "the member, analyst in project 1234567 and a membership in the team Ops" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        f"{LEE} is still in the organization: analyst in project 1234568 through the team Data; "
        f"consumer in project {STAGING} through an individual grant"
    )
    assert PRODUCTION not in workspace.grants(LEE)
    document = json.loads(workspace.command("offboard", LEE, "--json").stdout)
    assert {(one["project"], one["grantType"]) for one in document["remains"]} == {
        (1234568, "team"),
        (STAGING, "individual"),
    }


def test_an_edit_of_somebody_else_waits(workspace: Workspace) -> None:
    """The person goes, and nobody else is touched; it says what waits for `pulumi up`."""
    people = [{"email": LEE, "projects": {"shop": "analyst"}}, {"email": "noor@example.com", "projects": {}}]
    workspace.roster(people)
    workspace.up("production")
    before = workspace.dump()
    workspace.roster([people[0], {**people[1], "projects": {"shop": "consumer"}}])
    done = workspace.command("offboard", LEE, "--yes", "--json")
    document = json.loads(done.stdout)
    assert document["waiting"] == {"production": ["create 1234567:noor@example.com", "update removal-brake"]}
    assert PRODUCTION not in workspace.grants(LEE)
    assert workspace.grants("noor@example.com") == {
        row["project"]: row["role"] for row in before["grants"] if row["email"] == "noor@example.com"
    }
    workspace.up("production")
    assert workspace.grants("noor@example.com")[PRODUCTION] == "consumer"


def test_in_an_authoritative_project_only_that_persons_grant_goes(workspace: Workspace) -> None:
    """Nobody's who was added by hand, and no role that waits in the roster; who was found there leaves as well."""
    shop = {"id": PRODUCTION, "environment": "production", "authoritative": True}
    found, other, by_hand = "dana@example.org", "noor@example.com", LEE
    workspace.emulator.control("POST", "members", {"email": found, "role": "member"})
    for email in (LEE, other):
        workspace.emulator.control("POST", "grants", {"project": PRODUCTION, "email": email, "role": None})
    people = [{"email": found, "projects": {"shop": "analyst"}}, {"email": other, "projects": {"shop": "analyst"}}]
    workspace.run("config", "set", "mixpanel:releaseBrakes", "grantShare", "--stack", "production")
    workspace.roster(people, projects={"shop": shop})
    workspace.up("production")
    workspace.run("config", "rm", "mixpanel:releaseBrakes", "--stack", "production")
    assert workspace.outputs(found)["origin"] == "found"
    workspace.emulator.control("POST", "grants", {"project": PRODUCTION, "email": by_hand, "role": "consumer"})
    workspace.roster([people[0], {**people[1], "projects": {"shop": "admin"}}], projects={"shop": shop})

    done = workspace.command("offboard", found, "--yes")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"{found} is not in the organization."), done.stderr
    assert "Stack production was left with what waits for `pulumi up`: update project-access/1234567" in done.stdout
    assert found not in workspace.members()
    assert workspace.grants(other)[PRODUCTION] == "analyst"
    assert workspace.grants(by_hand)[PRODUCTION] == "consumer"


def test_what_a_program_declares_beside_the_roster_is_said(workspace: Workspace) -> None:
    """It can only be taken out of the program; what the program no longer declares goes."""
    grant = f"""
from mixpanel_access.provider import Member, ProjectGrant
m = Member("lee", email="{LEE}")
ProjectGrant("g", project_id={PRODUCTION}, email="{LEE}", role="analyst", environment="production",
             opts=pulumi.ResourceOptions(depends_on=[m]))
"""
    roster = (workspace.stacks / "__main__.py").read_text()
    workspace.roster([{"email": "noor@example.com", "projects": {}}])
    workspace.program(roster + grant)
    workspace.up("production")
    refused = workspace.command("offboard", LEE, "--yes")
    assert (refused.returncode, workspace.grants(LEE).get(PRODUCTION)) == (1, "analyst")
    assert "the program declares it outside of the roster: take it out there" in refused.stderr
    workspace.program(roster)
    workspace.command("offboard", LEE, "--yes")
    assert PRODUCTION not in workspace.grants(LEE)
    assert [one["urn"].rpartition("::")[2] for one in workspace.resources()] == ["noor@example.com", "removal-brake"]


def test_the_last_grants_of_an_authoritative_project_go_beside_an_owner_who_is_held(workspace: Workspace) -> None:
    """By `revoke` and by `offboard`; an owner, whom an admin cannot remove, is held with the reason; the rest goes."""
    web = {"id": WAREHOUSE, "environment": "production", "authoritative": True}
    projects = {"shop": {"id": PRODUCTION, "environment": "production"}, "web": web}
    ended = {"ends": "2026-06-30", "removal": "always"}
    people = [
        {"email": "boss@example.org", "projects": {"shop": "admin"}, **ended},
        {"email": ROBIN, "projects": {"web": "analyst"}, **ended},
        {"email": "cy@example.org", "projects": {"shop": "analyst"}, **ended},
    ]
    workspace.emulator.control("POST", "members", {"email": "boss@example.org", "role": "owner"})
    grants = [row["email"] for row in workspace.dump()["grants"] if row["project"] == WAREHOUSE]
    for email in grants:
        workspace.emulator.control("POST", "grants", {"project": WAREHOUSE, "email": email, "role": None})
    workspace.run("config", "set", "mixpanel:now", "2026-06-30T12:00:00Z", "--stack", "production")
    workspace.roster(people, projects=projects)
    workspace.up()
    workspace.run("config", "set", "mixpanel:now", "2026-07-01T02:00:00Z", "--stack", "production")
    done = workspace.command("revoke", "--yes", "--json")
    (one,) = json.loads(done.stdout)["stacks"]
    assert (done.returncode, {row["email"] for row in one["held"]}) == (1, {"boss@example.org"}), done.stdout
    assert all("aboveOwnRole" in row["reason"] for row in one["held"])
    assert one["problems"] == []
    assert workspace.members().keys() & {"boss@example.org", "cy@example.org", ROBIN} == {"boss@example.org"}
    assert workspace.outputs(f"project-access/{WAREHOUSE}")["grants"] == {}

    workspace.roster([people[0], {"email": ROBIN, "projects": {"web": "analyst"}}], projects=projects)
    workspace.run("up", "--yes", "--skip-preview", "--continue-on-error", "--stack", "production", check=False)
    assert workspace.grants(ROBIN) == {WAREHOUSE: "analyst"}
    gone = workspace.command("offboard", ROBIN, "--yes")
    assert (gone.returncode, ROBIN in workspace.members()) == (0, False), gone.stdout + gone.stderr
