"""A review leaves the organization two owners, by all that it suggests and has decided together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.emulator.server import EmulatorServer, demo_document
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import same_key
from mixpanel_access.operations.review.owners import followed, losing, owners_without, with_two_owners
from mixpanel_access.operations.review.packet import Item, Packet
from tests.operations.machines import Machine
from tests.operations.overviews import BO, person
from tests.operations.reviews import ANA, CY, Review

NAMES = [f"{name}@example.com" for name in "abcde"]
TAKES = ("lower", "remove")

people_st = st.fixed_dictionaries(
    {
        name: st.builds(
            Person,
            email=st.just(name),
            role=st.sampled_from(["owner", "owner", "owner", "admin", "member", None, "superuser"]),
            invited=st.sampled_from([False, False, False, True]),
            deactivated=st.sampled_from([False, False, False, True]),
        )
        for name in NAMES
    }
)


@st.composite
def packets(draw: st.DrawFn) -> list[Packet]:
    """Two packets with roles of everybody, in the organization, in projects, or in both."""
    words, decisions = (
        st.sampled_from(["keep", "check", "lower", "remove", "remove"]),
        st.sampled_from(["keep", "remove"]),
    )
    parts = st.sampled_from([(None,), (None, "shop"), ("shop", "warehouse"), ("shop",)])
    items = [
        Item(
            stack="production", email=name.upper(), project=project, role="owner", state="current", last_active="",
            suggestion=draw(words), suggested_role="member", reason="so", decision=draw(st.none() | decisions),
        )
        for name in NAMES
        for project in draw(parts)
    ]  # fmt: skip
    at = draw(st.integers(0, len(items)))
    return [
        Packet(review="q", made=None, reviewer=ANA, items=items[:at]),
        Packet(review="q", made=None, items=items[at:]),
    ]


def taken(items: list[Item], name: str) -> bool:
    """Whether somebody's organization role goes if everything is followed: by itself, or with all that they have."""
    own = [(item.project, item.decision or item.suggestion) for item in items if same_key(item.email) == name]
    return any(project is None and word in TAKES for project, word in own) or {word for _, word in own} == {"remove"}


@given(people_st, packets())
def test_suggestions_never_leave_an_organization_without_two_owners(
    people: dict[str, Person], before: list[Packet]
) -> None:
    """Of whatever kind they are, with what is decided. Who may be an owner is one who goes, and none who stays."""
    after = with_two_owners(before, people, same_key)
    was = [item for packet in before for item in packet.items]
    now = [item for packet in after for item in packet.items]
    able = {name: one for name, one in people.items() if not (one.invited or one.deactivated)}
    certain = [name for name, one in able.items() if one.role == "owner" and not taken(now, name)]
    may_be = [name for name, one in able.items() if one.role not in ("admin", "member", "billing_admin")]
    going = [name for name in may_be if taken(now, name)]
    undecided = {same_key(item.email) for item in now if item.decision is None and item.suggestion in TAKES}
    by_decisions = [
        name for name in going if taken([one for one in now if one.decision], name) or name not in undecided
    ]
    assert len(certain) >= 2 or going == by_decisions
    changed = [(old, new) for old, new in zip(was, now, strict=True) if old != new]
    assert all(old.decision is None and old.suggestion in TAKES for old, _ in changed)
    assert {new.suggestion for _, new in changed} <= {"check"}
    left = owners_without(people, losing(was, followed).keys())
    assert bool(changed) <= (not left.enough)
    assert all(str(left) in new.reason for _, new in changed)


OWNERS: dict[str, tuple[list[str], str, list[str]]] = {
    "two others": (["o1", "o2"], "owner", ["remove", "remove"]),
    "one other": (["o1"], "owner", ["check", "check"]),
    "none": ([], "owner", ["check", "check"]),
    "one other, and one invited": (["o1", "invited"], "owner", ["check", "check"]),
    "one other, whose role is not shown": (["o1"], "", ["check", "check"]),
    "two others, whose roles are in other words": (["o1", "o2"], "superuser", ["check", "check"]),
}


@pytest.mark.parametrize(("others", "shown", "suggested"), OWNERS.values(), ids=OWNERS.keys())
@pytest.mark.parametrize("entry", ["projects: {}", "projects: { shop: analyst, warehouse: consumer }"])
@pytest.mark.parametrize("declared", ["owner", "member"])
def test_an_owner_goes_with_the_role_and_with_the_last_project(
    tmp_path: Path, others: list[str], shown: str, suggested: list[str], entry: str, declared: str
) -> None:
    """Whatever role the roster declares; who checks sees why."""
    ended = [
        person(email, f"approver: {ANA}, ends: 2026-05-03, {entry}").replace(": member", f": {declared}")
        for email in (BO, CY)
    ]
    made = Review(tmp_path, *ended)
    for name in (BO, CY):
        made.api.put(name, role="owner")
    for name in others:
        made.api.put(f"{name}@example.com", role=shown or None, invited=name.startswith("invited"))
    made.begin()
    words = dict.fromkeys(
        (item.email, item.suggestion) for item in made.items() if item.project is None or declared != "owner"
    )
    assert [suggestion for _, suggestion in words] == suggested
    assert all("then the organization would have" in item.reason for item in made.items() if item.suggestion == "check")


APPLY = ("review", "apply", "--stack", "production", "--now", "2026-05-04")
LEFT: dict[str, tuple[list[str], str, int, str]] = {
    "two others": (["o1", "o2"], "", 0, ""),
    "one other": (["o1"], "", 0, "warning: the organization would have 1 owner, without bo@example.com, cy@"),
    "none": (
        [],
        "",
        1,
        "error: cannot apply the decisions: the organization would have 0 owners, without bo@example.com",
    ),
    "nobody knows": (["o1", "o2"], "wrong", 0, "warning: whether two owners remain is unknown, since Mixpanel cannot"),
}


@pytest.mark.parametrize(("others", "secret", "code", "words"), LEFT.values(), ids=LEFT.keys())
def test_decisions_are_not_applied_if_no_owner_would_remain(
    tmp_path: Path, others: list[str], secret: str, code: int, words: str
) -> None:
    """With one left, and where nobody knows, it is a warning; nothing is written where it is refused."""
    machine = Machine(tmp_path)
    ended = [person(email, f"approver: {ANA}, projects: {{}}").replace(": member", ": owner") for email in (BO, CY)]
    made = Review(machine.project, *ended)
    for name in (BO, CY):
        made.api.put(name, role="owner")
    made.begin()
    for name in (BO, CY):
        made.decide(name, "lower=member")
    document: dict[str, Any] = demo_document()
    owners = [BO, CY, *(f"{name}@example.com" for name in others)]
    document["members"] = [
        {"email": one, "name": one, "role": "owner", "id": id_} for id_, one in enumerate(owners, 900)
    ]
    with EmulatorServer({**document, "grants": [], "teams": []}) as running, stamina.set_testing(True, attempts=1):
        machine.online(running.url, {"serviceAccountSecret": secret} if secret else {})
        before = made.file.read_text()
        shown = machine.run(*APPLY)
        assert (shown.code, made.file.read_text()) == (1, before)
        assert words.partition(": ")[2].removeprefix("cannot apply the decisions: ") in shown.err
        as_json = json.loads(machine.run(*APPLY, "--json").out)
        assert [f"warning: {line}" for line in as_json["warnings"]] == shown.err.splitlines()
        came = machine.run(*APPLY, "--yes")
    assert came.code == code
    assert words in came.err
    assert bool(words) is bool(came.err)
    assert (made.file.read_text() == before) is bool(code)
