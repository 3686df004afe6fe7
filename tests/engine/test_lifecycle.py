"""Members and grants through the real engine, from the first up to destroy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Engine
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Finished, Workspace, workspace_on

pytestmark = pytest.mark.engine

CY, ROBIN = "cy@agency.example.org", "robin@agency.example.org"
BOTH = {"email": CY, "organizationRole": "member", "projects": {"shop": "analyst", "warehouse": "consumer"}}
ONE = {**BOTH, "projects": {"shop": "analyst"}}


Given = Callable[[str], Finished]


@pytest.fixture(scope="module")
def given(engine: Engine, python_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Given:
    """A stack that gives one person one grant, one that gives them two, and both as they are shipped, once up.

    The first is for what our providers say of a change, on the engine in Python; the others are on the real one.
    """

    @cache
    def made(name: str) -> Finished:
        run_by = python_engine if name == "one" else engine
        with workspace_on(demo_document(), run_by, tmp_path_factory.mktemp(name)) as workspace:
            if name != "shipped":
                workspace.roster([{"one": ONE, "both": BOTH}[name]])
            workspace.up()
            if name == "shipped":
                workspace.add("staging")
                workspace.up("staging")
            return Finished.of(workspace)

    return made


@pytest.fixture
def one(given: Given, python_engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """A stack that has given one person one grant."""
    with given("one").copy(python_engine, tmp_path) as workspace:
        yield workspace


@pytest.fixture
def both(given: Given, engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """A stack that has given one person two grants."""
    with given("both").copy(engine, tmp_path) as workspace:
        yield workspace


@pytest.fixture
def shipped(given: Given, engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """Both stacks of the repository, once they are up."""
    with given("shipped").copy(engine, tmp_path) as workspace:
        yield workspace


def test_the_rosters_of_the_repository_are_brought_about(shipped: Workspace) -> None:
    """Both stacks, as they are shipped: up, and then no change."""
    for stack in ("production", "staging"):
        shipped.unchanged(stack)
    assert shipped.members()[ROBIN] == "member"
    assert len(shipped.grants(ROBIN)) == 4
    assert shipped.mails(ROBIN) == 1


def test_revoking_one_of_two_grants_leaves_the_person_with_the_other(both: Workspace) -> None:
    """The error that this project exists to avoid: a grant's removal never removes the person."""
    both.emulator.control("POST", "invitations/accept", {"email": CY})
    assert both.grants(CY) == {PRODUCTION: "analyst", WAREHOUSE: "consumer"}
    both.emulator.control("DELETE", "requests")
    both.roster([ONE])
    both.up()
    assert both.members()[CY] == "member"
    assert both.grants(CY) == {PRODUCTION: "analyst"}
    assert "POST /organizations/{o}/delete-users/" not in both.requests()


def test_a_role_changed_on_the_server_shows_and_is_repaired(one: Workspace) -> None:
    """`preview --refresh` shows the drift of a project role and of an organization role; up repairs both."""
    one.emulator.control("POST", "grants", {"project": PRODUCTION, "email": CY, "role": "admin"})
    one.emulator.control("POST", "members", {"email": CY, "role": "admin"})
    shown = one.run("preview", "--refresh", "--diff", "--stack", "production").stdout
    assert re.search(r'~ role\s*: "admin" => "analyst"', shown)
    assert re.search(r'~ role\s*: "admin" => "member"', shown)
    assert one.grants(CY) == {PRODUCTION: "admin"}
    one.up("production", "--refresh")
    assert one.grants(CY) == {PRODUCTION: "analyst"}
    assert one.members()[CY] == "member"
    one.unchanged()


def test_what_was_taken_away_by_hand_comes_back(both: Workspace) -> None:
    """A grant and a person removed in the product are drift, and the next up brings them back."""
    both.emulator.control("DELETE", f"members/{CY}")
    both.up("production", "--refresh")
    assert both.grants(CY) == {PRODUCTION: "analyst", WAREHOUSE: "consumer"}
    assert both.mails(CY) == 2


def test_an_expired_invitation_is_sent_again_by_the_next_up_and_a_pending_one_is_not(one: Workspace) -> None:
    """Pending is no drift, expired is: refresh shows it, preview plans it, up sends it, once."""
    begun = one.outputs(CY)
    assert (begun["status"], begun["adopted"]) == ("pending", False)
    _days_later(one, begun["invited_at"], 6)
    one.run("refresh", "--yes", "--skip-preview", "--run-program", "--stack", "production")
    one.unchanged()
    assert (one.mails(CY), one.outputs(CY)["status"]) == (1, "pending")
    _days_later(one, begun["invited_at"], 8)
    one.run("refresh", "--yes", "--skip-preview", "--run-program", "--stack", "production")
    assert one.outputs(CY)["status"] == "expired"
    assert "1 to update" in one.run("preview", "--stack", "production").stdout
    one.up()
    one.unchanged()
    assert (one.mails(CY), one.outputs(CY)["status"]) == (2, "pending")


def test_two_stacks_send_an_expired_invitation_again_once(shipped: Workspace) -> None:
    """Both declare the person; the stack that owns organization roles sends it, and the other plans nothing."""
    invited = shipped.outputs(ROBIN)["invited_at"]
    for stack in ("staging", "production"):
        _days_later(shipped, invited, 8, stack)
        shipped.up(stack, "--refresh")
    assert shipped.mails(ROBIN) == 2
    assert shipped.outputs(ROBIN)["status"] == "pending"
    shipped.run("preview", "--expect-no-changes", "--stack", "staging")


def test_a_change_of_metadata_sends_no_request(one: Workspace) -> None:
    """Tickets and approvers are in the state and nowhere else; for an end, the brake reads, and nothing is written."""
    one.emulator.control("DELETE", "requests")
    why = {**ONE, "ticket": "OPS-1", "approver": "ana@example.com"}
    one.roster([why])
    assert "2 updated" in one.up().stdout
    assert one.requests() == {}
    one.roster([{**why, "ends": "2030-01-31"}])
    assert "3 updated" in one.up().stdout
    assert all(endpoint.startswith("GET ") for endpoint in one.requests())
    assert one.outputs(CY)["ticket"] == "OPS-1"
    assert one.outputs(f"{PRODUCTION}:{CY}")["ends"] == "2030-01-31"


def test_unknown_values_at_preview_are_fine(workspace: Workspace) -> None:
    """A program may make an address or a role from another resource's output."""
    workspace.program(
        "import pulumi\n"
        "from mixpanel_access.provider import Member, ProjectGrant\n"
        f"first = Member('first', email='{CY}', role='member')\n"
        "second = Member('second', email=first.status.apply(lambda s: f'{s}@agency.example.org'))\n"
        f"ProjectGrant('grant', project_id={PRODUCTION}, email=second.email, "
        "role=first.adopted.apply(lambda a: 'consumer'))\n"
    )
    assert "+ 4 to create" in workspace.run("preview", "--stack", "production").stdout
    workspace.up()
    assert workspace.grants("pending@agency.example.org") == {PRODUCTION: "consumer"}


def test_destroy_takes_away_what_was_given_and_nobody_else(workspace: Workspace) -> None:
    """Grants go before the member; who was there before stays as they were."""
    before = workspace.dump()
    workspace.roster([BOTH])
    workspace.up()
    workspace.emulator.control("POST", "invitations/accept", {"email": CY})
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    after = workspace.dump()
    assert (after["members"], after["grants"]) == (before["members"], before["grants"])
    assert workspace.resources() == []


@pytest.mark.python_engine
def test_two_spellings_are_one_person(workspace: Workspace) -> None:
    """The organization has the address in another case: nobody is invited, and nothing drifts."""
    workspace.roster([{"email": "Lee@Example.com", "organizationRole": "member", "projects": {"shop": "analyst"}}])
    workspace.up()
    assert workspace.mails("lee@example.com") == 0
    assert workspace.outputs("lee@example.com")["adopted"] is True
    workspace.unchanged()


def _days_later(workspace: Workspace, instant: str, days: int, stack: str = "production") -> None:
    """Have it be some days after an instant, for both sides."""
    now = (datetime.fromisoformat(instant) + timedelta(days=days)).isoformat()
    workspace.emulator.control("POST", "clock", {"now": now})
    workspace.run("config", "set", "mixpanel:now", now, "--stack", stack)


RENAMED = """
import pulumi
from mixpanel_access.provider import Member, ProjectGrant
member = Member("{name}", email="robin@agency.example.org", role="member")
ProjectGrant("{name}-shop", project_id=1234567, email=member.email, role="analyst", environment="production",
             opts=pulumi.ResourceOptions(depends_on=[member]))
"""


def test_a_rename_in_the_program_takes_nothing_away(workspace: Workspace) -> None:
    """The engine creates under the new name and then deletes the old one: the access stays, and it is said."""
    workspace.program(RENAMED.format(name="robin"))
    workspace.up()
    workspace.emulator.control("POST", "invitations/accept", {"email": ROBIN})
    workspace.program(RENAMED.format(name="contractor"))
    done = workspace.up()
    assert "2 deleted" in done.stdout
    assert "declared under another name too; nothing is taken away" in done.stdout
    assert workspace.members()[ROBIN] == "member"
    assert workspace.grants(ROBIN) == {PRODUCTION: "analyst"}
