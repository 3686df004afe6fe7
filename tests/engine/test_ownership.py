"""Whose a person is, on the real engine: another name, several stacks, and a list that lacks many people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Engine
from tests.engine.conftest import PRODUCTION, Finished, Workspace, workspace_on

pytestmark = pytest.mark.engine

CY = "cy@agency.example.org"
GRANT = {"email": CY, "projects": {"shop": "analyst"}}
CREW = [{"email": f"p{n}@agency.example.org", "projects": {"shop": "consumer"}} for n in range(5)]


def history(workspace: Workspace, name: str = CY) -> dict[str, Any]:
    """What only the state can tell of a person."""
    found = workspace.outputs(name)
    return {key: found.get(key) for key in ("origin", "adopted", "invited_at", "expires_at")}


def urn_of(workspace: Workspace, name: str) -> str:
    """A member's name in the engine."""
    return next(
        str(one["urn"]) for one in workspace.resources() if one["urn"].endswith(f"dynamic/mixpanel:Member::{name}")
    )


@pytest.mark.python_engine
def test_another_name_keeps_whose_a_person_is_and_when_they_were_invited(workspace: Workspace) -> None:
    """--replace, a move to another component and a plain name: then the expired invitation is sent again."""
    workspace.run("config", "set", "mixpanel:now", "2026-06-01T12:00:00Z", "--stack", "production")
    workspace.emulator.control("POST", "clock", {"now": "2026-06-01T12:00:00Z"})
    workspace.roster([GRANT])
    workspace.up()
    before = history(workspace)
    assert before["origin"] == "invited"
    workspace.up("production", "--replace", urn_of(workspace, CY))
    assert history(workspace) == before
    workspace.program(
        "from mixpanel_access.component import CollaboratorAccess, CollaboratorAccessArgs, Engagement, ProjectArgs\n"
        f"CollaboratorAccess('cy', CollaboratorAccessArgs(email='{CY}', engagement_name='e', engagement="
        f"Engagement(type='audit'), projects={{'shop': ProjectArgs({PRODUCTION}, role='analyst')}}))\n"
    )
    workspace.up()
    assert history(workspace) == before
    workspace.program(
        "import pulumi\nfrom mixpanel_access.provider import Member, ProjectGrant\n"
        f"cy = Member('somebody', email='{CY}')\n"
        f"ProjectGrant('shop', project_id={PRODUCTION}, email='{CY}', role='analyst',"
        " opts=pulumi.ResourceOptions(depends_on=[cy]))\n"
    )
    workspace.up()
    assert history(workspace, "somebody") == before
    assert workspace.mails(CY) == 1
    workspace.run("config", "set", "mixpanel:now", "2026-06-12T12:00:00Z", "--stack", "production")
    workspace.emulator.control("POST", "clock", {"now": "2026-06-12T12:00:00Z"})
    workspace.up()
    assert workspace.mails(CY) == 2
    workspace.program("")
    workspace.up()
    assert CY not in workspace.members()


@pytest.fixture(scope="module")
def shared(python_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Two stacks that give access to somebody whom the first invited, and to somebody who was there."""
    with workspace_on(demo_document(), python_engine, tmp_path_factory.mktemp("shared")) as workspace:
        workspace.add("staging")
        lee = {"email": "lee@example.com", "projects": {"shop": "consumer"}}
        for stack in ("production", "staging"):
            workspace.roster([GRANT, lee], stack)
            workspace.up(stack)
        workspace.emulator.control("POST", "invitations/accept", {"email": CY})
        return Finished.of(workspace)


@pytest.mark.parametrize("first", ["production", "staging"])
def test_the_last_stack_to_end_takes_out_whom_the_first_invited(
    shared: Finished, python_engine: Engine, tmp_path: Path, first: str
) -> None:
    """Whichever ends first; somebody who was there before stays as they were."""
    with shared.copy(python_engine, tmp_path) as workspace:
        _end_one_after_the_other(workspace, first)


def _end_one_after_the_other(workspace: Workspace, first: str) -> None:
    last = "staging" if first == "production" else "production"
    workspace.roster([], first)
    workspace.up(first)
    assert CY in workspace.members()
    workspace.roster([], last)
    done = workspace.up(last).stdout
    assert CY not in workspace.members()
    assert "lee@example.com" in workspace.members()
    assert "they were in the organization before this stack declared them" in done


@pytest.mark.python_engine
def test_offboard_ends_whom_the_stack_found_too(workspace: Workspace) -> None:
    """Everything of a person is everything, in every stack; an end of their entries alone leaves them."""
    workspace.emulator.control("POST", "members", {"email": CY, "role": "member"})
    workspace.add("staging")
    for stack in ("production", "staging"):
        workspace.roster([GRANT], stack)
        workspace.up(stack)
        assert workspace.resources(stack)[0]["outputs"]["origin"] == "found"
    done = workspace.command("offboard", CY, "--yes")
    assert (done.returncode, CY in workspace.members()) == (0, False), done.stdout + done.stderr


@pytest.mark.python_engine
def test_a_refresh_that_misses_many_people_drops_nobody(workspace: Workspace) -> None:
    """Nor does `up --refresh`; an `up` goes on, and a refresh with the program and the brake released drops them."""
    workspace.roster(CREW)
    workspace.up()
    before = len(workspace.resources())
    for person in CREW[:4]:
        workspace.emulator.control("DELETE", f"members/{str(person['email']).replace('@', '%40')}")
    for command in (("refresh",), ("up", "--refresh")):
        done = workspace.run(*command, "--yes", "--skip-preview", "--stack", "production", check=False)
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert said.partition("Diagnostics:")[2].count("4 people of this stack's state are missing") == 1
        assert len(workspace.resources()) == before
    assert all(workspace.mails(str(person["email"])) == 1 for person in CREW)
    workspace.up()
    release = "pulumi config set mixpanel:releaseBrakes removalShare; pulumi refresh --run-program; pulumi config rm"
    assert release in said
    workspace.run("config", "set", "mixpanel:releaseBrakes", "removalShare", "--stack", "production")
    workspace.run("refresh", "--yes", "--skip-preview", "--run-program", "--stack", "production")
    left = [one["urn"] for one in workspace.resources() if one["type"].endswith(":Member")]
    assert [urn.rpartition("::")[2] for urn in left] == ["p4@agency.example.org"]
