"""Mixpanel's own Terraform provider creates, reads, changes, imports and deletes every access resource."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import ORGANIZATION, PROJECT, World

BO = "bo@example.com"
Actions = tuple[list[str], list[str]]


def _replaced(*fields: str) -> Actions:
    return (["delete", "create"], list(fields))


UPDATED: Actions = (["update"], [])


def _accounts(document: dict[str, Any]) -> Any:
    rows = [row for row in document["service_accounts"] if row["username"].startswith("report-bot.")]
    return [(row["role"], row["projects"]) for row in rows]


def _roles(document: dict[str, Any]) -> Any:
    return [
        (role["name"], role["description"], sorted(role["permissions"]))
        for project in document["projects"]
        for role in project["custom_roles"]
    ]


def _projects(document: dict[str, Any]) -> Any:
    return [row["name"] for row in document["projects"] if row["name"].startswith("Blog")]


def _teams(document: dict[str, Any]) -> Any:
    return [row["name"] for row in document["teams"] if row["name"] != "Data"]


def _grants(document: dict[str, Any]) -> Any:
    return [(row["project"], row["role"]) for row in document["grants"] if row["email"] == BO]


@dataclass(frozen=True)
class Case:
    """One resource's life, as the organization shows it.

    Args:
        file: its configuration, and the test's name.
        variables: what is changed in it.
        actions: what the plan of that change may say, and which fields force a replacement.
        seen: what is looked at in the organization.
        made: how it looks then, after the creation.
        changed: after the change.
        gone: after the deletion.
        standing: what a plan says without a change, if not nothing, in source later than the release.
    """

    file: str
    variables: dict[str, str]
    actions: tuple[Actions, ...]
    seen: Callable[[dict[str, Any]], Any]
    made: Any
    changed: Any
    gone: Any
    standing: tuple[Actions, ...] = ()

    @property
    def address(self) -> str:
        return f"mixpanel_{re.sub('_(nested|copied)$', '', self.file)}.this"


def _settings(file: str, key: str, variables: dict[str, str], made: Any, changed: Any) -> Case:
    """To destroy settings sends nothing."""
    return Case(file, variables, (UPDATED,), lambda document: document["security"][key], made, changed, changed)


HELD = [{"id": PROJECT, "role": "consumer"}]
PERMISSIONS = ["export_reports_csv", "view_project"]
CASES = [
    Case(
        "service_account",
        {"account_role": "admin"},
        (_replaced("role"), _replaced("role", "username")),
        _accounts,
        [("member", HELD)],
        [("admin", HELD)],
        [],
        (_replaced("username"),),  # the name that was read back has the server's suffix
    ),
    Case(
        "custom_role",
        {"description": "read"},
        (UPDATED,),
        _roles,
        [("Support", "read and export", PERMISSIONS)],
        [("Support", "read", PERMISSIONS)],
        [],
    ),
    Case(
        "custom_role_copied",
        {"description": "copied"},
        (UPDATED,),
        _roles,
        [("Export", "export", PERMISSIONS), ("Support", "as Export", PERMISSIONS)],
        [("Export", "export", PERMISSIONS), ("Support", "copied", PERMISSIONS)],
        [],
    ),
    Case(
        "project",
        {"name": "Blog (production)"},
        (_replaced("name"), UPDATED),  # the release replaces it, later source renames it
        _projects,
        ["Blog (staging)"],
        ["Blog (production)"],
        [],
    ),
    Case("team", {"word": "teamNames"}, (UPDATED,), _teams, ["Editors"], ["Editors"], []),
    *(
        Case(
            file, {"role": "admin"}, (_replaced("payload"),), _grants, [(PROJECT, "analyst")], [(PROJECT, "admin")], []
        )
        for file in ("user_project_role", "user_project_role_nested")
    ),
    _settings(
        "twofactor_settings",
        "twofactor",
        {"required": "false"},
        {"twofactor_auth_required": True},
        {"twofactor_auth_required": False},
    ),
    _settings("org_session_settings", "session", {"minutes": "60"}, {"timeout_minutes": 30}, {"timeout_minutes": 60}),
    _settings(
        "org_request_access_settings", "request_access", {"enabled": "false"}, {"enabled": True}, {"enabled": False}
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_every_access_resource_lives_its_whole_life(world: World, case: Case) -> None:
    """Create, a plan without a change, a change, a plan without a change again, delete."""
    world.configure(case.file)
    world.terraform.apply()
    assert case.seen(world.dump()) == case.made
    quiet = [{}, *({case.address: standing} for standing in case.standing)]
    assert world.terraform.changes() in quiet
    assert world.terraform.changes(**case.variables)[case.address] in case.actions
    world.terraform.apply(**case.variables)
    assert case.seen(world.dump()) == case.changed
    assert world.terraform.changes(**case.variables) in quiet
    world.terraform.destroy(**case.variables)
    assert case.seen(world.dump()) == case.gone


def test_the_custom_roles_of_a_project_are_listed(world: World) -> None:
    """The data source finds the role that was made beside it."""
    world.configure("custom_role")
    world.terraform.apply()
    role_id = world.terraform.values("mixpanel_custom_role.this")["role_id"]
    assert world.terraform.values("data.mixpanel_custom_roles.all")["import_ids"] == [f"{PROJECT}:{role_id}"]


@pytest.mark.parametrize(
    "file", ["custom_role", "project", "twofactor_settings", "org_session_settings", "org_request_access_settings"]
)
def test_what_there_is_is_imported_and_then_planned_without_a_change(world: World, file: str) -> None:
    """By the ids of the contract, on the provider's own creation."""
    address = f"mixpanel_{file}.this"
    world.configure(file)
    world.terraform.apply()
    made = world.terraform.values(address)
    id_ = {
        "custom_role": f"{PROJECT}:{made.get('role_id')}",
        "project": f"{ORGANIZATION}:{made.get('id')}",
    }.get(file, str(ORGANIZATION))
    world.terraform.run("state", "rm", address)
    world.terraform.run("import", address, id_)
    assert world.terraform.values(address) == made
    assert world.terraform.changes() == {}


def test_a_service_account_is_imported_by_its_whole_name_alone(world: World) -> None:
    """With the suffix that the server adds the plan is clean; by the short name it would kill the live account."""
    address = "mixpanel_service_account.this"
    world.configure("service_account_imported")
    world.terraform.apply()
    made = world.terraform.values(address)
    assert made["token"]
    world.terraform.run("state", "rm", address)
    (account,) = [row for row in world.dump()["service_accounts"] if row["username"].startswith("report-bot.")]
    whole = {"username": account["username"]}
    options = [f"-var={key}={value}" for key, value in whole.items()]
    world.terraform.run("import", *options, address, f"{ORGANIZATION}:{made['id']}")
    assert world.terraform.values(address)["token"] is None
    assert world.terraform.changes(**whole) == {}
    actions, forced = world.terraform.changes()[address]
    assert (actions, "username" in forced) == (["delete", "create"], True)


@pytest.mark.parametrize(("file", "key"), [("team", "Editors"), ("user_project_role", BO)])
def test_teams_and_grants_cannot_be_imported(world: World, file: str, key: str) -> None:
    """The provider keeps only the id, and then looks for an empty key."""
    world.configure(file)
    world.terraform.apply()
    world.terraform.run("state", "rm", f"mixpanel_{file}.this")
    done = world.terraform.run("import", f"mixpanel_{file}.this", f"{ORGANIZATION}:{key}", check=False)
    assert done.returncode == 1
    assert "Cannot import non-existent remote object" in done.stderr


def test_a_removed_grant_takes_the_person_out_of_the_organization(world: World) -> None:
    """What this project exists to avoid: somebody else's grant, and the membership, go with it."""
    world.configure("user_project_role_nested")
    world.terraform.apply()
    world.by_hand(BO, 2345678, "consumer")
    world.emulator.control("POST", "invitations/accept", {"email": BO})
    assert world.roles_of(BO) == {PROJECT: "analyst", 2345678: "consumer"}
    world.terraform.apply(role="admin")  # a change of the role alone
    assert world.roles_of(BO) == {PROJECT: "admin"}, "the other grant is lost"
    (member,) = [row for row in world.dump()["members"] if row["email"] == BO]
    assert member["invited_at"] is not None, "who was a member is an invited person again"
    world.terraform.destroy()
    assert world.roles_of(BO) is None


@pytest.mark.parametrize("role", ["owner", None])
def test_a_role_that_was_changed_or_taken_away_is_not_seen(world: World, role: str | None) -> None:
    """The provider looks for the address in the list of people, and for nothing else."""
    world.configure("user_project_role_nested")
    world.terraform.apply()
    world.by_hand(BO, PROJECT, role)
    assert world.roles_of(BO) == ({PROJECT: role} if role else {})
    assert world.terraform.changes() == {}
