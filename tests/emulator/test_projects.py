"""Projects: made, renamed, deleted (contract, section 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.conftest import ORG, Client, P, Q, unchanged
from tests.emulator.test_audit import told

LEE = "lee@example.com"


def listed(client: Client) -> dict[int, str]:
    """The projects' names by id."""
    rows = client.get(f"/organizations/{ORG}/projects/").json()["results"]
    return {row["id"]: row["name"] for row in rows}


def test_making(client: Client) -> None:
    """An array of rows as in the list; two may have one name; an id is never given out again; no event tells."""
    rows = client.users("create-projects/", {"projectNames": ["Shop", "New"]}).json()["results"]
    assert [(row["id"], row["name"]) for row in rows] == [(Q + 1, "Shop"), (Q + 2, "New")]
    assert rows == client.get(f"/organizations/{ORG}/projects/").json()["results"][-2:]
    assert client.grant(LEE, "analyst", Q + 2).status_code == 200
    assert [name for name, _ in told(client)] == ["project.user_added"]


def test_deleting_is_for_owners(client: Client, owner: Client) -> None:
    """With everything that was granted in it; the id is not given out again."""
    assert client.users("delete-projects/", {"projectIds": [P]}).status_code == 403
    owner.users("create-projects/", {"projectNames": ["Last"]})
    assert owner.users("delete-projects/", {"projectIds": [P, Q + 1, P]}).json() == {"status": "ok", "results": {}}
    assert listed(owner) == {Q: "Warehouse"}
    assert owner.grants_of(LEE) == {}
    dump = owner.control("GET", "dump")
    assert (dump["teams"][0]["projects"], dump["service_accounts"][-1]["projects"]) == ([], [])
    assert owner.get(f"/api/app/projects/{P}/granted-users").status_code == 404
    made = owner.users("create-projects/", {"projectNames": ["Next"]}).json()["results"]
    assert made[0]["id"] == Q + 2
    assert told(owner) == []


@pytest.mark.parametrize("compat", [True, False])
def test_the_official_provider_deletes_leniently(served: Any, compat: bool) -> None:
    """An admin's account may, too."""
    _, client = served(provider_compat=compat)
    assert client.users("delete-projects/", {"projectIds": [P]}).status_code == (200 if compat else 403)


@pytest.mark.parametrize(("cluster", "domain"), [(1, "mixpanel.com"), (5, "eu.mixpanel.com")])
def test_making_in_a_region(client: Client, cluster: int, domain: str) -> None:
    """The metadata and `me` tell where a project's calls go."""
    body = {"project_name": "Shop EU", "cluster_id": cluster, "timezone_id": 7}
    row = client.post(f"/api/app/organizations/{ORG}/create-project", json=body).json()["results"]
    assert (row["name"], row["timezone_name"]) == ("Shop EU", "Europe/Berlin")
    metadata = client.get(f"/settings/project/{row['id']}/metadata").json()["results"]
    assert metadata == {
        "id": row["id"],
        "name": "Shop EU",
        "timezone_name": "Europe/Berlin",
        "api_key": row["api_key"],
        "token": row["token"],
        "domain": domain,
    }
    assert client.get("/api/app/me").json()["results"]["projects"][str(row["id"])]["domain"] == domain


def update(client: Client, form: bytes) -> Any:
    """What the form route answers; always 200, and no envelope."""
    answer = client.post(f"/projects/update/{P}/", content=form)
    assert answer.status_code == 200
    return answer.json()


def test_renaming_and_time_zone(client: Client) -> None:
    """One at a time."""
    assert update(client, b"name=Shop+EU+%C3%BC") == {"updated": True}
    assert update(client, b"timezone_name=Europe%2FBerlin") == {"updated": True}
    assert listed(client)[P] == "Shop EU ü"
    assert client.control("GET", "dump")["projects"][0]["timezone_name"] == "Europe/Berlin"


FORMS = {
    "nothing": b"",
    "JSON": b'{"name": "x"}',
    "two": b"name=x&timezone_name=UTC",
    "twice": b"name=x&name=y",
    "unknown": b"colour=blue",
    "no name": b"name=+",
    "no time zone": b"timezone_name=here",
    "no UTF-8": b"\xff=x",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_an_odd_form_is_refused_with_200(client: Client, form: bytes) -> None:
    """An error in words, and nothing is changed."""
    before = client.control("GET", "dump")
    assert set(update(client, form)) == {"error"}
    assert unchanged(before, client.control("GET", "dump"))


def test_an_admin_of_the_project_renames_it(connect: Callable[..., Client]) -> None:
    """And sees its keys; another account does neither."""
    member, owner = connect("member"), connect("owner")

    def answers() -> list[int]:
        renamed = member.post(f"/projects/update/{P}/", content=b"name=Mine")
        return [renamed.status_code, member.get(f"/settings/project/{P}/metadata").status_code]

    assert answers() == [403, 403]
    body = {"service_account_ids": [987657], "projects": [{"id": P, "role": "admin"}]}
    owner.post(f"/api/app/organizations/{ORG}/service-accounts/add-to-project", json=body)
    assert answers() == [200, 200]
