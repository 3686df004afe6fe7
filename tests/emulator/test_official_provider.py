"""The requests that Mixpanel's own Terraform provider sends, as they were recorded (contract, section 12).

tests/terraform runs the provider itself, where it can be had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from .conftest import ORG, P

BO = "bo@example.com"
OF_ORG = f"/organizations/{ORG}"
ACCOUNTS, ROLES = f"/api/app{OF_ORG}/service-accounts", f"/api/app/projects/{P}/custom-roles"
FLAT = {"projects": [P], "role": "analyst", "users": [BO]}
NESTED = {"projects": [{"id": P, "users": [{"email": BO, "role": "analyst"}]}]}


def _anywhere(key: str, value: Any) -> bool:
    """Whether a string occurs anywhere as the provider looks for it: as a key or a value, whole, in its case."""
    if isinstance(value, dict):
        return key in value or any(_anywhere(key, inner) for inner in value.values())
    if isinstance(value, list):
        return any(_anywhere(key, inner) for inner in value)
    return isinstance(value, str) and value == key


def _of(name: str, rows: list[dict[str, Any]]) -> Any:
    """The number of the row of exactly that name, the largest first."""
    return max(row["id"] for row in rows if row["name"] == name)


@dataclass(frozen=True)
class Cycle:
    """One resource's requests; `{key}` is what the creation told.

    Args:
        create: method, path and body.
        key: what is kept of the reply to it.
        read: the path.
        there: whether a reply to that shows the resource.
        changes: the requests that change it.
        delete: method, path and body.
    """

    create: tuple[str, str, Any]
    key: Callable[[Any], Any]
    read: str
    there: Callable[[Any, Any], bool]
    delete: tuple[str, str, Any]
    changes: list[tuple[str, str, Any]] = field(default_factory=list)


CYCLES = {
    "service_account": Cycle(
        ("POST", ACCOUNTS, {"projects": [{"id": P, "role": "consumer"}], "role": "analyst", "username": "report-bot"}),
        lambda made: made["id"],
        f"{ACCOUNTS}/{{key}}",
        lambda results, key: results["id"] == key and "token" not in results,
        ("DELETE", f"{ACCOUNTS}/{{key}}", None),
    ),
    "custom_role": Cycle(
        ("POST", ROLES, {"description": "export", "name": "Export", "permissions": ["export_reports_csv"]}),
        lambda made: made["role_id"],
        f"{ROLES}/{{key}}",
        lambda results, key: results["role_id"] == key and "export_reports_csv" in results["permissions"],
        ("DELETE", f"{ROLES}/{{key}}", None),
        [("PUT", f"{ROLES}/{{key}}", {"copied_from_role_id": "5b0c", "description": "copied", "name": "Export"})],
    ),
    "project": Cycle(
        ("POST", f"{OF_ORG}/create-projects/", {"projectNames": ["Blog (staging)"]}),
        lambda made: _of("Blog (staging)", made),
        f"{OF_ORG}/projects/",
        lambda results, key: key in [row["id"] for row in results],
        ("POST", f"{OF_ORG}/delete-projects/", {"projectIds": ["{key}"]}),
        [("POST", "/projects/update/{key}/", "name=Blog+%28production%29")],
    ),
    "team": Cycle(
        ("POST", f"{OF_ORG}/add-teams/", {"teams": ["Editors"]}),
        lambda made: "Editors",
        f"{OF_ORG}/teams",
        lambda results, key: _anywhere(key, results),
        ("POST", f"{OF_ORG}/delete-teams/", {"teamNames": ["Editors"]}),
        [("POST", f"{OF_ORG}/teams/{{key}}/update/", {"teamNames": ["Editors"]})],
    ),
    **{
        f"user_project_role, {form}": Cycle(
            ("POST", f"{OF_ORG}/add-users-to-projects/", payload),
            lambda made: BO,
            f"{OF_ORG}/users/",
            lambda results, key: _anywhere(key, results),
            ("POST", f"{OF_ORG}/delete-users/", payload),
        )
        for form, payload in {"flat": FLAT, "nested": NESTED}.items()
    },
}


def _filled(body: Any, key: Any) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, key) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, key) for value in body]
    return key if body == "{key}" else body


def _sent(client: httpx.Client, request: tuple[str, str, Any], key: Any = None) -> httpx.Response:
    method, path, body = request
    headers = {"Accept": "application/json"}
    if isinstance(body, str):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return client.request(method, path.format(key=key), content=body, headers=headers)
    return client.request(method, path.format(key=key), json=_filled(body, key), headers=headers)


@pytest.mark.parametrize("cycle", CYCLES.values(), ids=CYCLES)
def test_the_replies_are_what_the_provider_goes_by(served: Any, cycle: Cycle) -> None:
    """Made, read, changed and gone, each by the one thing that the provider looks for."""
    _, client = served(provider_compat=True)
    made = _sent(client, cycle.create)
    assert made.is_success, made.text
    key = cycle.key(made.json()["results"])
    for request in (None, *cycle.changes):
        if request is not None:
            changed = _sent(client, request, key)
            assert changed.is_success, changed.text
            assert "error" not in changed.json()
        assert cycle.there(_sent(client, ("GET", cycle.read, None), key).json()["results"], key)
    assert _sent(client, cycle.delete, key).is_success
    gone = _sent(client, ("GET", cycle.read, None), key)
    assert gone.status_code == 404 or not cycle.there(gone.json()["results"], key)


@pytest.mark.parametrize("path", ["twofactor", "org-session-settings", "org-request-access-settings"])
def test_settings_are_read_back_as_they_were_sent(served: Any, path: str) -> None:
    """The provider compares the whole object, and sends nothing to delete it."""
    _, client = served(provider_compat=True)
    for settings in ({"twofactor_auth_required": True}, {"twofactor_auth_required": False}):
        assert _sent(client, ("POST", f"{OF_ORG}/{path}/update", settings)).is_success
        assert _sent(client, ("GET", f"{OF_ORG}/{path}", None)).json()["results"] == settings


def test_what_later_source_posts_to_unknown_paths_is_not_found(served: Any) -> None:
    """`mixpanel_service_account_project` is not emulated: no documentation knows its paths."""
    _, client = served(provider_compat=True)
    for path in ("add-to-project/", "remove-from-project/"):
        assert _sent(client, ("POST", f"{OF_ORG}/{path}", {})).status_code == 404
    assert _sent(client, ("GET", f"{OF_ORG}/service-accounts", None)).status_code == 404
