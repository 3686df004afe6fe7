"""`CollaboratorAccess` in programs of one's own, by the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parent.parent.parent
ROBIN = "robin@agency.example.org"
DI = "di@agency.example.org"


def documented() -> str:
    """The program of the page on resources, which refers to a stack of another project."""
    page = (ROOT / "docs" / "resources.md").read_text().partition("## CollaboratorAccess")[2]
    return page.partition("```python\n")[2].partition("```")[0]


def test_the_documented_program_gives_and_takes_away(workspace: Workspace) -> None:
    """Ids by a stack reference, people by configuration: given, unchanged, ended by the clock, destroyed in order."""
    workspace.add("elsewhere")
    other = f'import pulumi\npulumi.export("projects", {{"shop": {PRODUCTION}, "web": {WAREHOUSE}}})\n'
    workspace.program(other)
    workspace.run("up", "--yes", "--skip-preview", "--stack", "elsewhere")
    program = documented()
    assert "organization/analytics/production" in program
    workspace.program(program.replace("organization/analytics/production", "organization/mixpanel-access/elsewhere"))
    config = ["config", "set", "--stack", "production"]
    workspace.run(*config, "--path", "people:reviewers[0]", ROBIN)
    workspace.run(*config, "--path", "people:reviewers[1]", DI)
    workspace.run(*config, "mixpanel:now", "2026-05-04T12:00:00Z")
    workspace.up()
    for email in (ROBIN, DI):
        assert workspace.grants(email) == {PRODUCTION: "analyst", WAREHOUSE: "consumer"}
    workspace.unchanged()
    assert '"pending"' in workspace.run("stack", "output", "waiting", "--json", "--stack", "production").stdout
    workspace.run(*config, "mixpanel:now", "2026-07-01T00:00:00Z")
    workspace.up()
    assert not {ROBIN, DI} & workspace.members().keys()
    workspace.run(*config, "mixpanel:now", "2026-06-30T23:59:00Z")
    workspace.up()
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert not {ROBIN, DI} & workspace.members().keys()


OWN = f"""
from mixpanel_access.component import CollaboratorAccess, CollaboratorAccessArgs, Engagement, ProjectArgs

CollaboratorAccess(
    "robin",
    CollaboratorAccessArgs(
        email="{ROBIN}",
        engagement_name="review",
        engagement=Engagement(type="audit", ticket="OPS-1"),
        projects={{"shop": ProjectArgs({PRODUCTION})}},
    ),
)
"""


def made(workspace: Workspace) -> dict[str, str]:
    """When the engine made each member and grant that it has."""
    resources = workspace.resources()
    return {f"{one['type']} {one['id']}": one["created"] for one in resources if "Brake" not in one["type"]}


@pytest.mark.python_engine
def test_who_moves_between_roster_and_program_keeps_their_resources(workspace: Workspace) -> None:
    """There and back, nothing of theirs is made, changed or taken away, and no request is written."""
    roster = (workspace.stacks / "__main__.py").read_text()
    person = {"email": ROBIN, "engagement": "review", "projects": {"shop": None}}
    workspace.roster([person], engagements={"review": {"type": "audit", "ticket": "OPS-1"}})
    workspace.up()
    assert workspace.grants(ROBIN) == {PRODUCTION: "consumer"}
    before = made(workspace)
    assert len(before) == 2
    for program in (OWN, roster):
        workspace.program(program)
        workspace.emulator.control("DELETE", "requests")
        workspace.up()
        assert not any(verb for verb in workspace.requests() if not verb.startswith("GET "))
        assert made(workspace) == before
    workspace.unchanged()


@pytest.mark.python_engine
def test_bad_arguments_stop_the_preview_in_one_line(workspace: Workspace) -> None:
    """For whom and why; no traceback."""
    workspace.program(OWN.replace('type="audit"', 'type="audits"'))
    failed = workspace.run("preview", "--stack", "production", check=False)
    said = failed.stdout + failed.stderr
    assert failed.returncode != 0
    assert f"cannot declare access for {ROBIN}: 'audits' is not an engagement type (did you mean 'audit'?)" in said
    assert "Traceback" not in said


@pytest.mark.python_engine
def test_overlapping_engagements_are_told_and_the_highest_role_counts(workspace: Workspace) -> None:
    """In the preview, which changes nothing once it is so; when the higher ends, the role falls in place."""
    people = [
        {"email": ROBIN, "engagement": "review", "projects": {"shop": None}},
        {"email": ROBIN, "engagement": "build", "projects": {"shop": "admin"}},
    ]
    engagements = {"review": {"type": "audit"}, "build": {"type": "implementation", "ends": "2026-06-30"}}
    workspace.roster(people, engagements=engagements)
    workspace.run("config", "set", "mixpanel:now", "2026-06-30T23:00:00Z", "--stack", "production")
    told = workspace.run("preview", "--stack", "production").stdout
    assert f"{ROBIN}: admin in shop by the engagement build counts, as the highest; there is also consumer by" in told
    workspace.up()
    assert workspace.grants(ROBIN) == {PRODUCTION: "admin"}
    soon = workspace.command("revoke", "--stack", "production", "--within", "1")
    assert (soon.returncode, "admin -> consumer in shop" in soon.stdout) == (1, True)
    workspace.run("config", "set", "mixpanel:now", "2026-07-01T00:00:00Z", "--stack", "production")
    workspace.up()
    assert workspace.grants(ROBIN) == {PRODUCTION: "consumer"}
    assert workspace.mails(ROBIN) == 1


TWO_ENGAGEMENTS = """
from mixpanel_access.component import CollaboratorAccess, CollaboratorAccessArgs, Engagement, ProjectArgs
from mixpanel_access.provider import RemovalBrake
import pulumi

def engaged(name, ends, key, project):
    return CollaboratorAccess(name, CollaboratorAccessArgs(
        email="kim@agency.example.org", engagement_name=name,
        engagement=Engagement(ticket="OPS-1", ends=ends), projects={key: ProjectArgs(project, "analyst")}))

both = [engaged("short", "2026-06-30", "shop", 1234567), engaged("long", "2026-07-31", "web", 1234568)]
RemovalBrake("brake", people=[person for one in both for person in one.declared],
             opts=pulumi.ResourceOptions(depends_on=both))
"""


@pytest.mark.python_engine
def test_two_engagements_of_one_person_end_one_after_the_other(workspace: Workspace) -> None:
    """The member goes from the first component to the second without a change, and leaves with the last."""
    kim = "kim@agency.example.org"
    workspace.program(TWO_ENGAGEMENTS)
    for day, grants in (("2026-06-30", {1234567, 1234568}), ("2026-07-01", {1234568}), ("2026-08-01", set())):
        workspace.run("config", "set", "mixpanel:now", f"{day}T12:00:00Z", "--stack", "production")
        workspace.up()
        assert set(workspace.grants(kim)) == grants
        assert (kim in workspace.members()) is bool(grants)
    assert workspace.mails(kim) == 1
