"""The brakes hold before the first write: at preview, at up without one, and on destroy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.emulator.server import demo_document
from mixpanel_access.engine import Engine
from tests.engine.conftest import Finished, Workspace, workspace_on

pytestmark = pytest.mark.engine

CREW = [
    {"email": f"p{n}@agency.example.org", "organizationRole": "member", "projects": {"shop": "analyst"}}
    for n in range(8)
]
"""With the demo organization's six, fourteen people: three may go at once."""


@pytest.fixture(scope="module")
def accepted(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Eight people who have accepted."""
    with workspace_on(demo_document(), engine, tmp_path_factory.mktemp("crew")) as workspace:
        workspace.roster(CREW)
        workspace.up()
        for person in CREW:
            workspace.emulator.control("POST", "invitations/accept", {"email": person["email"]})
        return Finished.of(workspace)


@pytest.fixture
def crew(accepted: Finished, engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """Eight people who have accepted, for one test."""
    with accepted.copy(engine, tmp_path) as workspace:
        yield workspace


def writes(workspace: Workspace) -> dict[str, int]:
    """The writes that have reached the server."""
    return {endpoint: count for endpoint, count in workspace.requests().items() if not endpoint.startswith("GET")}


def test_a_merge_that_drops_too_many_people_is_held_and_names_them(crew: Workspace) -> None:
    """Four of fourteen is one too many: preview and up say who, and nobody loses anything."""
    before = crew.dump()
    crew.roster(CREW[4:])
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        held = crew.run(*command, "--stack", "production", check=False)
        assert held.returncode != 0
        assert "may remove 3 of the 14 people" in held.stdout
        for person in CREW[:4]:
            assert str(person["email"]) in held.stdout
        assert "mixpanel:releaseBrakes removalShare" in held.stdout
        assert "Traceback" not in held.stdout
    assert writes(crew) == {}
    assert (crew.dump()["members"], crew.dump()["grants"]) == (before["members"], before["grants"])
    crew.roster(CREW[3:])
    crew.up()
    assert len(crew.members()) == 11


def test_a_destroy_of_too_many_is_held_before_the_first_write(crew: Workspace) -> None:
    """Destroy runs no program, and is held all the same; released by name, it goes through."""
    held = crew.run("destroy", "--yes", "--skip-preview", "--stack", "production", check=False)
    assert held.returncode != 0
    assert "would remove 8" in held.stdout
    assert "Traceback" not in held.stdout
    assert writes(crew) == {}
    assert len(crew.resources()) == 17
    advice = re.search(r"release it for one run: (.*?) \(or raise [^)]*\); (.*?); (.*?)\.\s", held.stdout)
    assert advice, held.stdout
    for command in advice.groups():
        run, *words = command.split()
        assert run == "pulumi"
        crew.run(*words, *(["--yes"] if "destroy" in words else []), "--stack", "production")
    assert len(crew.members()) == 6
    assert "releaseBrakes" not in crew.run("config", "--json", "--stack", "production").stdout


def test_what_was_released_for_one_up_holds_the_next_destroy(crew: Workspace) -> None:
    """A plain destroy runs with the configuration of the last up; what that one let go, it does not."""
    key = "mixpanel:releaseBrakes"
    crew.run("config", "set", key, "removalShare", "--stack", "production")
    crew.roster(CREW[:4])
    crew.up()
    assert len(crew.members()) == 10
    crew.run("config", "rm", key, "--stack", "production")
    crew.emulator.control("DELETE", "requests")
    held = crew.run("destroy", "--yes", "--skip-preview", "--stack", "production", check=False)
    assert held.returncode != 0
    assert "may remove 3 of the 10 people" in held.stdout
    crew.program("")
    held = crew.up(check=False)
    assert held.returncode != 0
    assert writes(crew) == {}


def test_a_limit_made_stricter_since_the_last_up_holds_a_plain_destroy(crew: Workspace) -> None:
    """The state knows the limit of the last up alone; the stack's file says that nobody goes."""
    crew.roster(CREW[:2])
    crew.run("config", "set", "mixpanel:releaseBrakes", "removalShare", "--stack", "production")
    crew.up()
    crew.run("config", "rm", "mixpanel:releaseBrakes", "--stack", "production")
    crew.run("config", "set", "mixpanel:removalPercent", "0", "--stack", "production")
    crew.run("config", "set", "mixpanel:removalMinimum", "1", "--stack", "production")
    crew.emulator.control("DELETE", "requests")
    held = crew.run("destroy", "--yes", "--skip-preview", "--stack", "production", check=False)
    assert held.returncode != 0
    assert "may remove 1 of the 8 people" in held.stdout
    assert writes(crew) == {}


def test_who_keeps_access_elsewhere_does_not_count(crew: Workspace) -> None:
    """People whom another stack still needs do not leave, so their removal here is no mass removal."""
    for person in CREW:
        grant = {"project": 2345678, "email": person["email"], "role": "consumer"}
        crew.emulator.control("POST", "grants", grant)
    done = crew.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert done.stdout.count("stays in the organization (removal: when_unused)") >= 8
    assert len(crew.members()) == 14


OWNERS: list[dict[str, Any]] = [
    {"email": email, "organizationRole": "owner", "removal": "always"}
    for email in ("ana@example.com", "omar@example.com")
]


@pytest.mark.python_engine
def test_the_last_owners_are_kept_together(workspace: Workspace) -> None:
    """Either of the two may go, and not both in one change, whether removed or demoted."""
    document = workspace.dump()
    document["service_accounts"][0]["role"] = "owner"
    workspace.emulator.control("POST", "seed", document)
    workspace.roster(OWNERS)
    workspace.up()
    workspace.emulator.control("DELETE", "requests")
    lower = [{**owner, "organizationRole": "member"} for owner in OWNERS]
    for people, command in (([], ["up", "--yes", "--skip-preview"]), (lower, ["preview"])):
        workspace.roster(people)
        held = workspace.run(*command, "--stack", "production", check=False)
        assert held.returncode != 0
        assert "the organization would be left without an owner" in held.stdout
        assert "ana@example.com, omar@example.com" in held.stdout
        assert writes(workspace) == {}
    workspace.roster([OWNERS[0], lower[1]])
    done = workspace.up()
    assert "the organization would be left with 1 owner" in done.stdout
    assert workspace.members()["omar@example.com"] == "member"


@pytest.mark.python_engine
def test_a_swap_of_the_only_owner_takes_two_runs(workspace: Workspace) -> None:
    """The preview says so before the first write, and the two runs work."""
    document = workspace.dump()
    document["service_accounts"][0]["role"] = "owner"
    document["members"] = [row for row in document["members"] if row["email"] != "omar@example.com"]
    workspace.emulator.control("POST", "seed", document)
    workspace.roster([{"email": "ana@example.com", "organizationRole": "owner"}])
    workspace.up()
    lee = {"email": "lee@example.com", "organizationRole": "owner"}
    swapped = [{"email": "ana@example.com", "organizationRole": "member"}, lee]
    workspace.roster(swapped)
    workspace.emulator.control("DELETE", "requests")
    held = workspace.run("up", "--yes", "--stack", "production", check=False)
    assert held.returncode != 0
    assert "It takes two runs" in held.stdout
    assert "releaseBrakes" not in held.stdout
    assert writes(workspace) == {}
    workspace.roster([{"email": "ana@example.com", "organizationRole": "owner"}, lee])
    workspace.up()
    workspace.roster(swapped)
    workspace.up()
    assert (workspace.members()["ana@example.com"], workspace.members()["lee@example.com"]) == ("member", "owner")


@pytest.mark.python_engine
def test_an_owner_is_not_removed_or_demoted_by_an_admin(workspace: Workspace) -> None:
    """The preview refuses what Mixpanel would, and names who can do it."""
    workspace.program(
        "from mixpanel_access.provider import Member, RemovalBrake\n"
        'RemovalBrake("b", people=[{"email": "omar@example.com", "removal": "always"}])\n'
    )
    workspace.up()
    for roster in ("people=[]", 'people=[{"email": "omar@example.com", "role": "member"}]'):
        workspace.program(f"from mixpanel_access.provider import Member, RemovalBrake\nRemovalBrake('b', {roster})\n")
        held = workspace.run("preview", "--stack", "production", check=False)
        assert held.returncode != 0
        assert "only an owner removes or demotes an owner" in held.stdout
        assert "omar@example.com" in held.stdout
