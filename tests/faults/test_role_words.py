"""Organization roles in every word that Mixpanel may use for them, against an emulator that speaks so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.faults.conftest import World
from tests.faults.mini_engine import MiniEngine, Program

BO = "bo@example.com"
NAME = ("member", BO)
WORDS = ("word", "no role", "capitalized", "object")
OWNERS = ("owner", "admin")


@pytest.fixture(params=product(WORDS, OWNERS), ids=" and ".join)
def speaking(world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """An emulator that shows roles in these words."""
    role, owner = request.param
    world.control("POST", "dialect", {"organization_role": role, "owner_word": owner})
    yield world
    world.control("POST", "dialect", {})


def declared(role: str | None) -> Program:
    """One member, and the role that is declared."""
    return {NAME: {"email": BO, "removal": "always", **({"role": role} if role else {})}}


def writes(world: World) -> int:
    """How many writes there were so far."""
    counts: dict[str, int] = world.control("GET", "requests")["by_endpoint"]
    return sum(number for endpoint, number in counts.items() if not endpoint.startswith("GET "))


def again(world: World, engine: MiniEngine, program: Program) -> None:
    """A refresh and two more runs change nothing and send nothing."""
    sent = writes(world)
    for _ in range(2):
        assert engine.refresh(), engine.failures
        held = engine.state[NAME]
        assert held.inputs.get("role") == program[NAME].get("role")
        assert engine.up(program), engine.failures
    assert writes(world) == sent


@pytest.mark.parametrize("role", ["member", None], ids=str)
def test_an_invitation_and_every_change_is_done_once(speaking: World, role: str | None) -> None:
    """The first run does not fail once the invitation is out, and what is written is never drift."""
    engine = MiniEngine(speaking.session)
    assert engine.up(declared(role)), engine.failures
    assert speaking.mails(BO) == 1
    again(speaking, engine, declared(role))
    speaking.control("POST", "invitations/accept", {"email": BO})
    again(speaking, engine, declared(role))
    for other in ("admin", "member"):
        assert engine.up(declared(other)), engine.failures
        assert speaking.members()[BO]["role"] == other
        again(speaking, engine, declared(other))
    assert (engine.up({}), BO in speaking.members(), speaking.mails(BO)) == (True, False, 1)


def test_a_role_that_is_changed_by_hand_is_drift(speaking: World) -> None:
    """And is put back."""
    engine = MiniEngine(speaking.session)
    assert engine.up(declared("member"))
    speaking.by_hand(f"users/{BO}/update/", {"role": "admin"})
    assert engine.refresh()
    assert engine.state[NAME].inputs["role"] == "admin"
    assert engine.up(declared("member"))
    assert speaking.members()[BO]["role"] == "member"


def test_an_owner_is_made_only_where_owners_can_be_seen(speaking: World) -> None:
    """Else nothing is written: no invitation goes out of which nobody could tell what it gives."""
    engine, sent = MiniEngine(speaking.session), writes(speaking)
    seen = speaking.control("GET", "dialect")["owner_word"] == "owner"
    assert engine.up(declared("owner")) is seen
    if seen:
        again(speaking, engine, declared("owner"))
    else:
        assert (writes(speaking), BO in speaking.members()) == (sent, False)
        assert "Mixpanel calls nobody in this organization an owner" in str(engine.failures[0])


def test_an_admin_whose_access_has_ended_goes(speaking: World) -> None:
    """Whatever owners are called: there are others with the highest role."""
    engine = MiniEngine(speaking.session)
    assert engine.up(declared("admin"))
    speaking.control("POST", "invitations/accept", {"email": BO})
    assert engine.up({}), engine.failures
    assert BO not in speaking.members()


def test_the_last_owner_stays(speaking: World) -> None:
    """Whatever owners are called; the one before goes only as far as Mixpanel lets them."""
    engine = MiniEngine(speaking.session)
    program: Program = {
        ("member", email): {"email": email, "role": "member", "removal": "always"}
        for email in ("owner0@example.com", "owner1@example.com")
    }
    assert engine.up(program) is False
    owners = [row["email"] for row in speaking.members().values() if row["role"] == "owner"]
    assert len(owners) == 1
    assert "lastOwner" in " ".join(map(str, engine.failures))


def test_me_lists_what_each_role_may_do(world: World) -> None:
    """An owner more than an admin, where the dialect says so; an account without a role lists nothing."""
    shown: dict[tuple[str, bool], set[str]] = {}
    for role, listed in product(("owner", "admin", "member"), (True, False)):
        accounts: list[dict[str, Any]] = [{"username": "bot", "secret": "s3cret", "role": role}]
        world.control("POST", "seed", {"organization": {"id": 1, "name": "X"}, "service_accounts": accounts})
        world.control("POST", "dialect", {"me_permissions": listed})
        me = world.client.get("/api/app/me", auth=("bot", "s3cret")).json()["results"]["organizations"]["1"]
        shown[role, listed] = set(me["permissions"])
    world.control("POST", "dialect", {})
    assert shown["owner", True] - shown["admin", True] == {"delete_org", "transfer_project", "delete_project"}
    assert {"add_user", "delete_members", "edit_userroles", "view_audit_logs"} <= shown["admin", True]
    assert {key for key, codes in shown.items() if codes} == {("owner", True), ("admin", True)}
