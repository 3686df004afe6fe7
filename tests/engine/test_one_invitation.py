"""One invitation, one person: two stacks at once, an answer that names nobody, and a new address, on the engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.conftest import PRODUCTION, Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


CY, NEW = "cy@agency.example.org", "cy.new@agency.example.org"
ENTRY = {"email": CY, "projects": {"shop": "analyst"}}


def change_address(workspace: Workspace) -> None:
    """Have the person get the new address in the product."""
    document = workspace.dump()
    for part in ("members", "grants"):
        document[part] = [{**row, "email": NEW} if row["email"] == CY else row for row in document[part]]
    workspace.emulator.control("POST", "seed", document)


def test_two_stacks_at_once_send_one_invitation(workspace: Workspace) -> None:
    """Each reads who is there right before it invites, and the two take turns."""
    stacks = ("production", "staging")
    workspace.add("staging")
    for stack in stacks:
        workspace.roster([ENTRY], stack)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda stack: workspace.up(stack, check=False), stacks))
    assert [one.returncode for one in done] == [0, 0]
    assert workspace.mails(CY) == 1
    assert len(workspace.grants(CY)) == 2


def test_an_answer_that_names_nobody_empties_no_state(workspace: Workspace) -> None:
    """One such answer in a destroy stops it: whoever is still there is still in the state."""
    workspace.roster([ENTRY])
    workspace.up()
    before = len(workspace.resources())
    fault = {"method": "GET", "path_prefix": "/organizations/7654321/users/", "kind": "status", "status": 200,
             "body": '{"status":"ok","results":[]}', "content_type": "application/json", "count": 1}  # fmt: skip
    workspace.emulator.control("POST", "faults", [fault])
    stopped = workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production", check=False)
    assert stopped.returncode
    assert "it lists nobody, and an organization always has somebody" in stopped.stdout + stopped.stderr
    assert len(workspace.resources()) == before
    assert CY in workspace.members()


def test_an_end_reaches_the_person_under_a_new_address(workspace: Workspace) -> None:
    """The address changes in the product: a refresh says so, nobody is invited, and the end takes everything away."""
    workspace.roster([ENTRY])
    workspace.up()
    workspace.emulator.control("POST", "invitations/accept", {"email": CY})
    workspace.up("production", "--refresh")
    change_address(workspace)
    mails = workspace.mails(CY)
    again = workspace.up("production", "--refresh")
    assert f"{CY}: the person is now {NEW}: change email: {CY} in the roster" in again.stdout
    assert (workspace.outputs(CY)["current_email"], workspace.mails(CY)) == (NEW, mails)
    workspace.unchanged()
    workspace.roster([])
    workspace.up()
    assert not {CY, NEW} & workspace.members().keys()
    assert (workspace.grants(CY), workspace.grants(NEW)) == ({}, {})
    assert PRODUCTION in {row["id"] for row in workspace.dump()["projects"]}


def test_a_stack_that_is_new_to_the_person_does_not_invite_the_old_address(workspace: Workspace) -> None:
    """The other stack alone has Mixpanel's id of them."""
    workspace.add("staging")
    workspace.roster([ENTRY], "staging")
    workspace.up("staging")
    workspace.emulator.control("POST", "invitations/accept", {"email": CY})
    workspace.up("staging", "--refresh")
    change_address(workspace)
    mails = workspace.mails(CY)
    workspace.roster([ENTRY])
    done = workspace.up("production", "--refresh")
    assert f"{CY}: the person is now {NEW}: change email: {CY} in the roster" in done.stdout
    assert (CY in workspace.members(), workspace.mails(CY)) == (False, mails)
    assert workspace.outputs(CY)["current_email"] == NEW
    workspace.unchanged()
