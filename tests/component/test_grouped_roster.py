"""`RosterAccess` of a roster with `grouped: true`, by Pulumi's own mocks."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mixpanel_access.component import RosterAccess
from mixpanel_access.model.declaration import Kept, declaration, kept_text
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.settings import KEPT_VARIABLE
from tests.component.mocks import registered
from tests.model.test_grouped_rosters import ROSTER, TODAY

OWN_SERVER = "name: x\nplugins: { providers: [{ name: pulumi-python, path: plugins/pulumi-python }] }\n"
REASON = {"approver": "ana@example.com", "ends": "2027-01-01", "reason": "Is so", "rule": "r"}
OF_BO = {"exceptions": [{**REASON, "email": "bo@example.com"}], "kind": "contractor", "ticket": "OPS-1"}
OF_CY = {"exceptions": [{**REASON, "email": "cy@example.com", "project": 1}], "ends": "2026-06-30"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's folder, in a project that names our server."""
    (tmp_path / "Pulumi.yaml").write_text(OWN_SERVER)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "production.yaml").write_text(ROSTER)
    return tmp_path


def declare(folder: Path, then: Any = lambda _: None) -> dict[str, dict[str, Any]]:
    """What the roster registers; `then` is called with the component."""

    def program() -> Any:
        access = RosterAccess("roster", folder / "production.yaml", today=TODAY)
        then(access)
        return pulumi.Output.from_input(None)

    return registered(program)


def test_a_grouped_roster_registers_groups(folder: Path) -> None:
    """With everybody's inputs and reasons; a project shares its other grants unless it is authoritative."""
    found = declare(folder)
    names = {"Members members", "ProjectAccess project-access/1", "ProjectAccess project-access/2"}
    names |= {"TeamMembers team-members/data", "ProjectGrant 3:bo@example.com"}
    names |= {"Team team/data", "Team team/nobody", "TeamGrant 1:team/data", "RemovalBrake removal-brake"}
    assert set(found) == names | {"RosterAccess roster"}
    assert found["ProjectAccess project-access/1"] == {
        "project_id": 1,
        "grants": {"Bo@example.com": "analyst", "cy@example.com": "admin"},
        "exclusive": False,
        "environment": "production",
        "reasons": [{"people": ["cy@example.com"], **OF_CY}, {"people": ["Bo@example.com"], **OF_BO}],
    }
    assert "exclusive" not in found["ProjectAccess project-access/2"]
    assert found["TeamMembers team-members/data"]["people"] == ["Bo@example.com", "cy@example.com", "di@example.com"]
    people = found["RemovalBrake removal-brake"]["people"]
    assert [(one["email"], one["projects"]) for one in people] == [
        ("Bo@example.com", [1, 2, 3]), ("cy@example.com", [1]), ("di@example.com", []),
    ]  # fmt: skip


def test_its_resources_are_at_hand(folder: Path) -> None:
    """The groups, by what they are about; and the numbers of people and grants are those of a single roster."""

    def look(access: RosterAccess) -> None:
        assert (access.members, access.team_members, set(access.grants)) == ({}, {}, {(3, "bo@example.com")})
        assert access.grouped_members is not None
        assert (set(access.project_access), set(access.grouped_teams)) == ({1, 2}, {"data"})
        assert access.counts == {"people": 3, "grants": 4}

    declare(folder, look)
    (folder / "production.yaml").write_text(ROSTER.replace("grouped: true\n", ""))

    def look_again(access: RosterAccess) -> None:
        assert (access.grouped_members, access.grouped_teams) == (None, {})
        assert access.counts == {"people": 3, "grants": 4}

    declare(folder, look_again)


def test_what_a_run_of_revoke_keeps_is_declared_in_groups(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same resources as the roster's, from the document."""
    found = declare(folder)
    kept = Kept("stack", "production.yaml", declaration(parse(ROSTER, RosterSource("production.yaml")), TODAY))
    (folder / "kept.json").write_text(kept_text(kept))
    monkeypatch.setenv(KEPT_VARIABLE, str(folder / "kept.json"))
    (folder / "production.yaml").write_text("environment: production\n")
    assert declare(folder) == found


@pytest.mark.parametrize("project", ["name: x\n", "name: x\nplugins: {}\n"])
def test_a_project_with_the_sdks_server_is_refused_in_one_line(folder: Path, project: str) -> None:
    """Before anything is registered; without `grouped` it is taken."""
    (folder / "Pulumi.yaml").write_text(project)
    with pytest.raises(pulumi.RunError) as refused:
        declare(folder)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{folder / 'Pulumi.yaml'} does not name the server of the resources, which production.yaml")
    (folder / "production.yaml").write_text(ROSTER.replace("grouped: true\n", ""))
    assert "Member bo@example.com" in declare(folder)


def test_one_bad_address_is_refused_with_its_line(folder: Path) -> None:
    """As in any roster, since the roster's own check comes first."""
    for bad in ("di.example.com", "DI@@example.com"):
        (folder / "production.yaml").write_text(ROSTER.replace("di@example.com", bad))
        with pytest.raises(pulumi.RunError, match=r"production\.yaml:22: .*is not an e-mail address"):
            declare(folder)


def test_the_day_counts(folder: Path) -> None:
    """Who has not begun or has ended is in no group."""

    def program() -> Any:
        RosterAccess("roster", folder / "production.yaml", today=date(2026, 7, 1))

    people = registered(program)["Members members"]["people"]
    assert set(people) == {"Bo@example.com", "di@example.com"}
