"""Lists that are late: what was before a write is shown for some reads, or seconds, and never comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mixpanel_access import emulator
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.faults import LISTS
from mixpanel_access.emulator.server import EmulatorServer
from tests.emulator.conftest import ORG, Client, P, organization
from tests.in_process import emulating

BO, CY = "bo@agency.example.org", "cy@agency.example.org"
USERS = f"/organizations/{ORG}/users/"
GRANTED = f"/api/app/projects/{P}/granted-users"


def listed(client: Client, path: str = USERS) -> set[str]:
    """The addresses outside the organization's own domain in a list."""
    return {row["email"] for row in client.get(path).json()["results"]} & {BO, CY}


def late(client: Client, **fault: Any) -> None:
    """Have lists be late from now on."""
    client.control("POST", "faults", [{"kind": "stale", **fault}])


def test_a_write_shows_after_so_many_reads_of_each_list(client: Client) -> None:
    """Each list counts for itself; another write is as late, and shows after the first."""
    late(client, count=2)
    client.invite(BO)
    assert [listed(client), listed(client)] == [set(), set()]
    client.invite(CY)
    assert [listed(client), listed(client), listed(client)] == [{BO}, {BO}, {BO, CY}]
    assert [listed(client, f"{USERS}?x=1") for _ in range(3)] == [set(), set(), {BO, CY}]


def test_a_write_shows_after_so_many_seconds_of_the_clock(client: Client) -> None:
    """However often it is read; a clock that is set back hides nothing."""
    late(client, path_prefix=USERS, seconds=30)
    client.invite(BO)
    assert [listed(client) for _ in range(3)] == [set()] * 3
    client.control("POST", "clock", {"advance_seconds": 31})
    assert listed(client) == {BO}


def test_a_prefix_makes_one_list_late(client: Client) -> None:
    """The others show at once what was written."""
    late(client, path_prefix=GRANTED, count=9)
    client.invite(BO)
    assert listed(client) == {BO}


def test_only_what_is_written_while_the_fault_is_there_is_late(client: Client) -> None:
    """Not what was before it, not what is refused, and nothing once the faults are deleted."""
    client.invite(BO)
    late(client, count=9)
    assert listed(client) == {BO}
    assert client.post(f"/organizations/{ORG}/add-users/", json={"users": [{"email": "x", "role": "?"}]}).is_error
    client.invite(CY)
    assert listed(client) == {BO}
    client.control("DELETE", "faults")
    assert listed(client) == {BO, CY}
    late(client, count=9)
    assert listed(client) == {BO, CY}


def test_a_seed_is_seen_at_once(client: Client) -> None:
    """Nothing of the organization before it is shown."""
    late(client, count=9)
    client.invite(BO)
    client.control("POST", "seed", organization())
    assert client.role_of("ana@example.com") == "owner"
    assert {row["email"] for row in client.get(USERS).json()["results"]} >= {"ana@example.com"}


def test_a_removal_is_late_too(client: Client) -> None:
    """Whoever was removed is still listed."""
    client.invite(BO)
    late(client, count=1)
    assert client.post(f"/organizations/{ORG}/delete-users/", json={"emails": [BO]}).status_code == 200
    assert [listed(client), listed(client)] == [{BO}, set()]


@pytest.mark.parametrize("name", LISTS)
def test_a_dialect_names_the_lists_that_are_late(name: str) -> None:
    """One list is late by so many reads, in pages too; the others are not."""
    with emulating(organization(), dialect=Dialect(stale_reads={name: 1}, page_size=2)) as server:
        client = Client(server, auth=("owner-bot", "s:ecret"))
        client.invite(BO)

        def people() -> set[str]:
            first = client.get(USERS).json()
            rows, cursor = first["results"], first["pagination"]["next_cursor"]
            while cursor:
                page = client.get(USERS, params={"cursor": cursor}).json()
                rows, cursor = rows + page["results"], page["pagination"]["next_cursor"]
            return {row["email"] for row in rows} & {BO}

        assert [people(), people()] == ([set(), {BO}] if name == "users" else [{BO}, {BO}])
        client.close()


def test_a_dialect_that_names_no_list_is_refused() -> None:
    """In one line, with the lists that there are."""
    with pytest.raises(ValueError, match=r"stale_reads: unknown list people; the lists are users, granted-users"):
        EmulatorServer(organization(), dialect=Dialect(stale_reads={"people": 1}))


def test_what_is_remembered_is_bounded(client: Client) -> None:
    """After many writes, a list that nobody has read shows all but the last of them."""
    late(client, count=1)
    for number in range(60):
        client.invite(f"p{number}@agency{number}.example.org")
    shown = {row["email"] for row in client.get(USERS).json()["results"]}
    assert ("p9@agency9.example.org" in shown, "p10@agency10.example.org" in shown) == (True, False)


def test_the_notes_name_every_list() -> None:
    """So that a dialect can be written from them."""
    notes = Path(emulator.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert [name for name in LISTS if f"`{name}`" not in notes] == []
