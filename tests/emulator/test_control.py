"""The control surface: seed and dump, clock, faults, the request log, changes behind our back."""

from __future__ import annotations

import subprocess
import sys
from pkgutil import iter_modules
from typing import Any

import pytest

from mixpanel_access import emulator
from tests.emulator.conftest import ORG, Client, P, organization

LEE = "lee@example.com"


def test_a_dump_seeds_the_same_organization(client: Client) -> None:
    """Seeding what was dumped changes nothing but the time that has passed."""
    client.invite("bo@example.net", projects=[{"id": P, "role": "consumer"}])
    first = client.control("GET", "dump")
    second = client.control("POST", "seed", first)
    assert {**first, "now": 0} == {**second, "now": 0}


BAD_SEEDS = {
    "unknown field": ({"colour": "blue"}, "colour"),
    "unknown role": ({"members": [{"email": "a@example.com", "role": "boss"}]}, "members.0.role"),
    "no address": ({"members": [{"email": "a"}]}, "members.0.email"),
    "twice": (
        {"members": [{"email": "a@example.com"}, {"email": "A@example.com"}], "grants": [], "teams": []},
        "twice",
    ),
    "grant to nobody": ({"grants": [{"project": P, "email": "x@example.com", "role": "analyst"}]}, "x@example.com"),
    "grant in no project": ({"grants": [{"project": 1, "email": LEE, "role": "analyst"}]}, "not among the projects"),
    "grant of no role": ({"grants": [{"project": P, "email": LEE, "role": "x"}]}, "grants.0.role"),
    "team of nobody": ({"teams": [{"id": 1, "name": "T", "members": ["x@example.com"]}]}, "x@example.com"),
    "team in no project": ({"teams": [{"id": 1, "name": "T", "projects": [{"id": 1, "role": "admin"}]}]}, "1 is not"),
}


@pytest.mark.parametrize(("change", "words"), BAD_SEEDS.values(), ids=BAD_SEEDS.keys())
def test_a_bad_seed_is_refused_and_changes_nothing(client: Client, change: dict[str, Any], words: str) -> None:
    """422 says where."""
    before = client.control("GET", "dump")
    answer = client.post("/_emulator/seed", json=organization(**change))
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert {**client.control("GET", "dump"), "now": 0} == {**before, "now": 0}


def test_a_person_with_another_address_is_the_same_person(client: Client) -> None:
    """The user id and all access stay, and nobody who joins later gets the user id of somebody who has left."""
    new = "lee.new@example.com"
    client.control("POST", "members", {"email": "last@example.com", "role": "member"})
    before = client.control("GET", "dump")
    ids = {one["email"]: one["id"] for one in before["members"]}
    client.control("DELETE", "members/last@example.com")
    client.control("POST", "addresses", {"email": LEE, "address": new})
    client.control("POST", "members", {"email": "first@example.com", "role": "member"})
    after = client.control("GET", "dump")
    then = {one["email"]: one["id"] for one in after["members"]}
    assert (then[new], "Lee@Example.com" in then) == (ids["Lee@Example.com"], False)
    assert then["first@example.com"] > max(ids.values())
    for part in ("grants", "teams"):
        assert str(before[part]).replace("Lee@Example.com", new) == str(after[part])
    for email, address, status in ((LEE, new, 404), (new, "FIRST@example.com", 409), (new, "x", 422)):
        body = {"email": email, "address": address}
        assert client.post("/_emulator/addresses", json=body).status_code == status


def test_the_clock(client: Client) -> None:
    """It is set, advanced, and runs on."""
    assert client.control("POST", "clock", {"now": "2030-01-01T00:00:00Z"})["now"].startswith("2030-01-01T00:00:0")
    assert client.control("POST", "clock", {"advance_seconds": 86400})["now"].startswith("2030-01-02T00:00:0")
    assert client.control("GET", "clock")["now"].startswith("2030-01-02T00:00:0")
    for bad in ({}, {"now": "2030-01-01T00:00:00Z", "advance_seconds": 1}, {"now": "soon"}):
        assert client.post("/_emulator/clock", json=bad).status_code == 422


USERS = f"/organizations/{ORG}/users/"


def test_a_status_fault(client: Client) -> None:
    """So many requests of that method and path get it, with Retry-After and body as they are given."""
    fault = {"method": "GET", "path_prefix": USERS, "count": 2, "kind": "status", "status": 429, "retry_after": 7}
    client.control("POST", "faults", [fault, {**fault, "status": 502, "body": "<html>", "count": 1}])
    assert client.get("/api/app/me").status_code == 200
    answers = [client.get(USERS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 502, 200]
    assert (answers[0].headers["retry-after"], answers[0].json()["status"]) == ("7", "error")
    assert answers[2].headers["content-type"].startswith("text/html")


def test_faults_can_be_looked_at_and_cleared(client: Client) -> None:
    """GET shows what is left, DELETE forgets it; an incomplete one is refused."""
    client.control("POST", "faults", [{"kind": "drop_before", "count": 3}])
    assert client.control("GET", "faults")[0]["count"] == 3
    client.control("DELETE", "faults")
    assert client.get(USERS).status_code == 200
    for bad in ({"kind": "status"}, {"kind": "delay"}, {"kind": "drop_before", "count": 0}, {"kind": "x"}):
        assert client.post("/_emulator/faults", json=[bad]).status_code == 422


def test_changes_behind_our_back(client: Client) -> None:
    """Roles, grants and people change without any rule."""
    client.control("POST", "members", {"email": LEE, "role": "owner"})
    client.control("POST", "grants", {"project": P, "email": LEE, "role": "owner"})
    assert (client.role_of(LEE), client.grants_of(LEE)) == ("owner", {P: "owner"})
    client.control("POST", "grants", {"project": P, "email": LEE, "role": None})
    assert client.grants_of(LEE) == {}
    client.control("DELETE", f"members/{LEE}")
    assert client.role_of(LEE) is None
    client.control("POST", "members", {"email": "new@example.com", "role": "member"})
    assert client.role_of("new@example.com") == "member"
    for method, path, body in (
        ("DELETE", f"members/{LEE}", None),
        ("POST", "grants", {"project": P, "email": LEE, "role": "admin"}),
        ("POST", "grants", {"project": 1, "email": "ana@example.com", "role": "admin"}),
        ("POST", "invitations/accept", {"email": LEE}),
        ("GET", "nothing", None),
    ):
        assert client.request(method, f"/_emulator/{path}", json=body).status_code == 404
    assert client.post("/_emulator/clock", content=b"{").status_code == 422


def test_the_emulator_knows_nothing_of_the_client() -> None:
    """Of the project, all its modules import themselves and the model; and no HTTP client, no Pulumi, no Typer."""
    modules = [module.name for module in iter_modules(emulator.__path__, "mixpanel_access.emulator.")]
    assert "mixpanel_access.emulator.server" in modules
    script = f"import sys, {', '.join(modules)}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    loaded = [name.split(".") for name in done.stdout.split()]
    assert {name[1] for name in loaded if name[0] == "mixpanel_access" and len(name) > 1} == {"emulator", "model"}
    assert not {name[0] for name in loaded} & {"httpx", "pulumi", "pulumi_policy", "stamina", "typer"}


def test_somebody_who_is_back_by_another_address_keeps_the_id_alone(client: Client) -> None:
    """Who is invited by the address that they left with is somebody else, and does not get their id."""
    client.control("DELETE", f"members/{LEE}")
    client.invite(LEE)
    client.control("POST", "invitations/accept", {"email": LEE})
    client.control("POST", "addresses", {"email": LEE, "address": "lee.new@example.com"})
    client.invite(LEE)
    client.control("POST", "invitations/accept", {"email": LEE})
    ids = {one["email"]: one["id"] for one in client.control("GET", "dump")["members"]}
    assert ids[LEE] != ids["lee.new@example.com"]
