"""States that version 0.1.0 left behind, each with its rosters and its organization: kept in `states_0_1_0`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from mixpanel_access.engine import Engine
from tests.engine.conftest import PROJECT, STAGING, Workspace, workspace_on

STATES = Path(__file__).with_name("states_0_1_0")


EXPLAINED: Final = {
    ("update", "removal-brake"): "it keeps the last day of each person, so that planned endings are told from accidents"
}
"""What the first preview of every stack shows."""


@dataclass(frozen=True)
class Kept:
    """What is kept of one project.

    Attributes:
        stacks: its stacks, in the order in which they end.
        stay: whom they declare and who is in the organization after the last one has ended, with the organization role
            and what they have in projects that are not declared.
        explained: operation and resource of each change that the first preview of a stack shows -> why it does. What a
            later version changes on purpose is written here and in the changelog; in Mixpanel it changes nothing.
    """

    stacks: tuple[str, ...]
    stay: Mapping[str, tuple[str, Mapping[int, str]]]
    explained: Mapping[tuple[str, str], str] = field(default_factory=lambda: EXPLAINED)


KEPT = {
    "single_grants": Kept(
        ("production", "staging"), {"lee@example.com": ("member", {}), "noor@example.com": ("member", {})}
    ),
    "project_and_teams": Kept(("production",), {"noor@example.com": ("member", {STAGING: "consumer"})}),
    # Who came by SCIM is deactivated, and stays as a row.
    "accounts_and_scim": Kept(
        ("production",), dict.fromkeys(("lee@example.com", "di@example.com", "bo@example.com"), ("member", {}))
    ),
}


def changes(workspace: Workspace, stack: str) -> set[tuple[str, str]]:
    """What a preview would do: operation and resource."""
    steps = json.loads(workspace.run("preview", "--json", "--stack", stack).stdout)["steps"]
    return {(step["op"], step["urn"].rpartition("::")[2]) for step in steps if step["op"] != "same"}


def take_up(workspace: Workspace, folder: Path, stacks: tuple[str, ...]) -> None:
    """Have the rosters, the configuration and the states of a folder, each state in its file of the backend."""
    states = workspace.folder / f"state/.pulumi/stacks/{PROJECT}"
    shutil.rmtree(states)
    states.mkdir()
    for file in folder.glob("*.yaml"):
        shutil.copy(file, workspace.stacks)
    for stack in stacks:
        state = json.loads((folder / f"{stack}.state.json").read_text())
        checkpoint = {"stack": f"organization/{PROJECT}/{stack}", "latest": state["deployment"]}
        (states / f"{stack}.json").write_text(json.dumps({"version": state["version"], "checkpoint": checkpoint}))


def access(document: Mapping[str, Any]) -> dict[str, Any]:
    """Who may what in an organization, and what has been written to whom, without when anybody came by."""
    accounts = [
        {key: value for key, value in row.items() if key != "last_used"} for row in document["service_accounts"]
    ]
    return {**{key: value for key, value in document.items() if key != "now"}, "service_accounts": accounts}


@pytest.mark.engine
@pytest.mark.parametrize("name", KEPT)
def test_a_state_of_0_1_0_is_taken_up_as_it_is(name: str, engine: Engine, tmp_path: Path) -> None:
    """It loads, its preview shows no change but the explained ones, `up` does those, and `destroy` ends all of it."""
    kept, folder = KEPT[name], STATES / name
    before = json.loads((folder / "organization.json").read_text())
    with workspace_on(before, engine, tmp_path) as workspace:
        take_up(workspace, folder, kept.stacks)
        declared = {resource["outputs"]["email"] for stack in kept.stacks for resource in members(workspace, stack)}
        for stack in kept.stacks:
            assert changes(workspace, stack) == kept.explained.keys()
            workspace.up(stack)
        assert access(workspace.dump()) == access(before)
        for stack in kept.stacks:
            workspace.run("config", "set", "mixpanel:releaseBrakes", "removalShare,grantShare", "--stack", stack)
            workspace.run("destroy", "--yes", "--skip-preview", "--run-program", "--stack", stack)
            assert workspace.resources(stack) == []
        after = workspace.dump()
        roles = workspace.members()
        assert {email: (roles[email], workspace.grants(email)) for email in kept.stay} == kept.stay
    others = {row["email"] for row in before["members"]} - {email.lower() for email in declared} - declared
    assert {row["email"] for row in after["members"]} == others | kept.stay.keys()
    assert [team["name"] for team in after["teams"]] == ["Data"]
    assert [row["username"].partition(".")[0] for row in after["service_accounts"]] == ["deploy-bot"]
    assert not any(project["custom_roles"] for project in after["projects"])


def members(workspace: Workspace, stack: str) -> list[dict[str, Any]]:
    """The members in a state."""
    return [resource for resource in workspace.resources(stack) if resource["type"].endswith(":Member")]


@pytest.mark.parametrize("file", sorted(STATES.rglob("*.*")), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_is_kept_tells_nothing_of_a_machine(file: Path) -> None:
    """Every path of a program in it is one of nobody's machine, and there is no other."""
    text = file.read_text()
    homes = set(re.findall(r"project:///(?:\.\./)+([^#\"]*?/)", text))
    assert homes <= {"home/", "usr/"}
    assert set(re.findall(r"(?:^|[\"/])home/([^/\"]+)", text)) <= {"you"}
    assert re.findall(r"\"(?:/|file:)[^\"]*\"", text) == []


@pytest.mark.engine
def test_whose_people_are_is_settled_by_a_command(python_engine: Engine, tmp_path: Path) -> None:
    """The preview lists who is undetermined; `ownership` writes it into the rosters, and the end of an entry obeys."""
    folder = STATES / "single_grants"
    with workspace_on(json.loads((folder / "organization.json").read_text()), python_engine, tmp_path) as workspace:
        take_up(workspace, folder, ("production", "staging"))
        undetermined = sorted(
            str(one["outputs"]["email"])
            for one in members(workspace, "production")
            if one["outputs"]["adopted"] and one["outputs"]["removal"] == "when_unused"  # else it changes nothing
        )
        assert undetermined
        said = workspace.run("preview", "--stack", "production").stdout
        assert "Until `mixpanel-access ownership` settles it" in said
        assert f": {', '.join(undetermined)}" in said
        listed = workspace.command("ownership", "--json")
        production = next(one for one in json.loads(listed.stdout)["stacks"] if one["stack"] == "production")
        assert (listed.returncode, production["undetermined"]) == (1, undetermined)
        shown = workspace.command("ownership", "--found", "*", "--stack", "production")
        assert (shown.returncode, "ownership: found" in shown.stdout) == (1, True)
        assert "ownership" not in (workspace.stacks / "production.yaml").read_text()
        for stack in ("production", "staging"):
            settled = workspace.command("ownership", "--found", "*", "--yes", "--stack", stack)
            assert settled.returncode == 0, settled.stderr
        assert (
            workspace.command("ownership").stdout
            == "Nothing to settle: the states record for everybody whether they were found in the organization.\n"
        )
        before = access(workspace.dump())
        for stack in ("production", "staging"):
            workspace.up(stack)
        assert "settles it" not in workspace.run("preview", "--expect-no-changes", "--stack", "production").stdout
        assert access(workspace.dump()) == before
        for stack in ("production", "staging"):
            workspace.run("config", "set", "mixpanel:releaseBrakes", "removalShare", "--stack", stack)
            workspace.run("destroy", "--yes", "--skip-preview", "--run-program", "--stack", stack)
        assert set(undetermined) <= workspace.members().keys()
