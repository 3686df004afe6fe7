"""Custom roles: made, changed, and taken from those who had them (contract, section 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.conftest import CUSTOM, ORG, Client, Frozen, P, Q, organization
from tests.emulator.test_audit import LOG, events, told

ROOT = f"/api/app/projects/{P}/custom-roles"
LEE = "lee@example.com"


def create(client: Client, name: str = "Export", project: int = P, **more: Any) -> dict[str, Any]:
    """A new custom role, as the answer shows it."""
    body = {"name": name, "description": "read and export", **more}
    answer = client.post(f"/api/app/projects/{project}/custom-roles", json=body)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()["results"]
    return created


def test_making_and_changing(client: Client, clock: Frozen) -> None:
    """The server adds the base and has its own order; a change leaves the making as it was."""
    created = create(client, permissions=["view_audit_log", "export_reports_csv"])
    assert created == {
        "role_id": created["role_id"],
        "name": "Export",
        "description": "read and export",
        "permissions": ["view_project", "export_reports_csv", "view_audit_log"],
        "project_id": P,
        "is_default": False,
        "created": "2026-05-04T12:00:00Z",
        "modified": "2026-05-04T12:00:00Z",
        "created_by_user_id": 9001,
    }
    clock.advance(60)
    one = f"{ROOT}/{created['role_id']}"
    body = {"name": "EXPORT", "description": "", "permissions": ["view_project"]}
    changed = client.put(one, json=body).json()["results"]
    assert changed == {**created, **body, "modified": "2026-05-04T12:01:00Z"}
    assert client.get(one).json()["results"] == changed
    assert client.get(ROOT).json()["results"][-1] == changed
    assert [name for name, _ in told(client)] == ["custom_role.created", "custom_role.updated"]
    assert {event["project_id"] for event in events(client)} == {str(P)}
    assert client.grant(LEE, created["role_id"]).status_code == 200


def test_the_catalogue(client: Client) -> None:
    """28 switches in six groups, each a permission."""
    groups = client.get(f"{ROOT}/switch-config").json()["results"]["groups"]
    codes = [code for group in groups for code in group["permissions"]]
    assert (len(groups), len(codes), len(set(codes))) == (6, 28, 28)
    assert set(create(client, permissions=codes)["permissions"]) == {*codes, "view_project"}


def test_a_copy(client: Client) -> None:
    """Takes the permissions of the other role, unless it has its own; another project's role is unknown."""
    first = create(client, permissions=["export_cohorts"])["role_id"]
    assert create(client, "Copy", copied_from_role_id=first)["permissions"] == ["view_project", "export_cohorts"]
    own = create(client, "Own", copied_from_role_id=first, permissions=[])
    assert own["permissions"] == ["view_project"]
    body = {"name": "Copy", "description": "", "copied_from_role_id": first}
    assert client.post(f"/api/app/projects/{Q}/custom-roles", json=body).status_code == 404


def test_five_of_a_project(client: Client) -> None:
    """The sixth is refused there, not elsewhere; a deleted one makes room."""
    for number in range(4):
        create(client, f"Role {number}")
    assert client.post(ROOT, json={"name": "Sixth", "description": ""}).status_code == 400
    create(client, "Role 0", project=Q)
    assert client.delete(f"{ROOT}/{CUSTOM}").status_code == 200
    create(client, "Sixth")


@pytest.mark.parametrize("name", ["Support", "SUPPORT", "owner", "Consumer", " "])
def test_names_are_unique(client: Client, name: str) -> None:
    """Whatever their case, the default roles' too; a role keeps its own name."""
    assert client.post(ROOT, json={"name": name, "description": ""}).status_code == 400
    made = create(client)["role_id"]
    body = {"description": "", "permissions": []}
    assert client.put(f"{ROOT}/{made}", json={"name": name, **body}).status_code == 400
    assert client.put(f"{ROOT}/{made}", json={"name": "Export", **body}).status_code == 200


def test_deleting_makes_its_holders_consumers(client: Client) -> None:
    """People, teams, service accounts, all users; the same id in another project is another role."""
    held = [{"id": P, "role": CUSTOM}, {"id": Q, "role": CUSTOM}]
    roles = [{"role_id": CUSTOM, "name": "Support"}]
    client.control(
        "POST",
        "seed",
        organization(
            projects=[
                {"id": P, "name": "Shop", "all_users": CUSTOM, "custom_roles": roles},
                {"id": Q, "name": "Warehouse", "custom_roles": roles},
            ],
            grants=[{"project": project, "email": LEE, "role": CUSTOM} for project in (P, Q)],
            teams=[{"id": 77, "name": "Data", "projects": held}],
            service_accounts=[
                {"username": "admin-bot", "secret": "s:ecret"},
                {"username": "bot", "secret": "s", "projects": held},
            ],
        ),
    )
    deleted = client.delete(f"{ROOT}/{CUSTOM}").json()["results"]
    assert deleted == {"deleted_role_id": CUSTOM, "deleted_role_name": "Support", "migrated_grants_count": 4}
    after = [{"id": P, "role": "consumer"}, {"id": Q, "role": CUSTOM}]
    dump = client.control("GET", "dump")
    assert client.grants_of(LEE) == {P: "consumer", Q: CUSTOM}
    assert dump["teams"][0]["projects"] == dump["service_accounts"][1]["projects"] == after
    assert [project["all_users"] for project in dump["projects"]] == ["consumer", None]
    assert client.get(f"{ROOT}/{CUSTOM}").status_code == 404
    assert events(client)[-1]["entity"]["payload"]["migrated_grants_count"] == 4
    assert client.grant(LEE, CUSTOM).status_code == 400


@pytest.mark.parametrize("plan", ["free", "growth"])
def test_they_are_for_enterprise(owner: Client, plan: str) -> None:
    """403 for every verb on a lesser plan."""
    owner.control("POST", "seed", organization(organization={"id": ORG, "name": "Example", "plan": plan}))
    body = {"name": "Export", "description": "", "permissions": []}
    answers = [owner.get(f"{ROOT}{path}") for path in ("", "/switch-config", f"/{CUSTOM}")]
    answers += [owner.post(ROOT, json=body), owner.put(f"{ROOT}/{CUSTOM}", json=body), owner.delete(f"{ROOT}/{CUSTOM}")]
    assert [answer.status_code for answer in answers] == [403] * 6


def test_a_projects_admin_makes_them(connect: Callable[..., Client]) -> None:
    """Without an organization role, in that project only."""
    body = {"service_account_ids": [987657], "projects": [{"id": P, "role": "admin"}]}
    connect("owner").post(f"/api/app/organizations/{ORG}/service-accounts/add-to-project", json=body)
    create(connect("member"))
    assert connect("member").get(f"/api/app/projects/{Q}/custom-roles").status_code == 403


def test_a_role_may_read_the_audit_log_of_its_project(owner: Client, connect: Callable[..., Client]) -> None:
    """With that permission, and no other log."""
    for permissions, status in (([], 403), (["view_audit_log"], 200)):
        role = create(owner, f"Auditor {status}", permissions=permissions)["role_id"]
        body = {"service_account_ids": [987657], "projects": [{"id": P, "role": role}]}
        owner.post(f"/api/app/organizations/{ORG}/service-accounts/add-to-project", json=body)
        assert connect("member").post(f"/api/app/projects/{P}/audit-logs", json={}).status_code == status
    assert connect("member").post(f"/api/app/projects/{Q}/audit-logs", json={}).status_code == 403
    assert connect("member").post(LOG, json={}).status_code == 403


@pytest.mark.parametrize("compat", [True, False])
def test_leniencies_for_the_official_provider(served: Any, compat: bool) -> None:
    """A change without permissions keeps them, a stray field is ignored."""
    _, client = served(provider_compat=compat)
    made = create(client, permissions=["export_cohorts"])
    body = {"name": "Export", "description": "new"}
    answers = [
        client.put(f"{ROOT}/{made['role_id']}", json=body),
        client.put(f"{ROOT}/{made['role_id']}", json={**body, "permissions": [], "copied_from_role_id": None}),
    ]
    assert [answer.status_code for answer in answers] == [200 if compat else 422] * 2
    if compat:
        assert [answer.json()["results"]["permissions"] for answer in answers] == [
            made["permissions"],
            ["view_project"],
        ]
