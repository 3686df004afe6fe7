"""The preview says of people who are no longer declared who leaves, who stays and why, and the brakes know it too."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model.errors import Refused
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session, organization_of

ID = f"{ORGANIZATION}:removal-brake"


def brake_for(api: FakeApi, states: FakeStates) -> tuple[RemovalBrakeProvider, list[str]]:
    """A brake in a session of its own, and what it says."""
    session, said = make_session(api)
    session.states = states
    provider = RemovalBrakeProvider()
    provider.use(session)
    return provider, said


def people(*emails: str, **more: Any) -> dict[str, Any]:
    """People as a stack declares them."""
    return {"people": [{"email": email, "projects": [PRODUCTION], **more} for email in emails]}


OUTCOMES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "invited": ({"origin": "invited"}, {}, "leave the organization, as a stack of this project brought them"),
    "imported": ({"origin": "imported"}, {}, "leave the organization, as a stack of this project brought them"),
    "found": ({"origin": "found"}, {}, "stay in the organization as plain members"),
    "found, removal always": ({"origin": "found"}, {"removal": "always"}, "leave the organization, though they were"),
    "found, said to be ours": ({"origin": "found"}, {"ownership": "ours"}, "leave the organization, as a stack"),
    "of 0.1.0": ({"adopted": True}, {}, "leave the organization, unless `mixpanel-access ownership --found` says"),
    "removal never": ({"origin": "invited"}, {"removal": "never"}, "stay in the organization, because of what else"),
}


@pytest.mark.parametrize(("held", "declared", "words"), OUTCOMES.values(), ids=OUTCOMES.keys())
def test_the_preview_says_what_becomes_of_whom(held: dict[str, Any], declared: dict[str, Any], words: str) -> None:
    """One line for all of whom the same becomes, with every address; and `up` then does that."""
    emails = ["m0@example.com", "m1@example.com"]
    api = organization_of(*emails)
    states = FakeStates(production=[{"email": email, "removal": "when_unused", **held} for email in emails])
    provider, said = brake_for(api, states)
    assert provider.check(people(*emails, **declared), people()).failures == []
    (line,) = said
    assert words in line
    assert "m0@example.com, m1@example.com" in line
    api.rows.clear()  # the grants go before the members
    member = MemberProvider()
    member.use(provider.session)
    member.delete(f"{ORGANIZATION}:m0@example.com", {**states.members["production"][0], **declared})
    assert ("m0@example.com" not in api.people) is ("leave the organization" in words)


def test_the_brakes_count_nobody_who_stays() -> None:
    """Eight people who were found are no removals, on an up and on a destroy of a stack that nobody names."""
    emails = [f"m{n}@example.com" for n in range(8)]
    found = [{"email": email, "origin": "found"} for email in emails]
    for origin, held in (("found", False), ("shared", True)):
        states = FakeStates(production=[{**one, "origin": origin} for one in found])
        provider, _ = brake_for(organization_of(*emails), states)
        assert bool(provider.check(people(*emails), people()).failures) is held
        try:
            provider.delete(ID, people(*emails))
        except Refused:
            assert held
        else:
            assert not held


@pytest.mark.parametrize("how", ["entries end", "lines deleted", "destroy"])
def test_owners_whom_the_stack_made_are_judged_together_when_it_takes_that_back(how: str) -> None:
    """Each alone would leave one owner; together they leave none."""
    api = organization_of()
    owners = people("o0@example.com", "o1@example.com", role="owner", removal="never")
    states = FakeStates(production=[{**one, "origin": "found"} for one in owners["people"]])
    provider, said = brake_for(api, states)
    if how == "destroy":
        with pytest.raises(Refused, match="without an owner"):
            provider.delete(ID, owners)
        return
    after = people() if how == "entries end" else people("o0@example.com", "o1@example.com", removal="never")
    (failure,) = provider.check(owners, after).failures
    assert "without an owner" in failure.reason
    if how == "entries end":
        assert "o0@example.com (becomes member again), o1@example.com (becomes member again)" in said[0]


def test_states_are_read_only_for_people_who_go() -> None:
    """A preview in which nobody goes asks the engine nothing."""
    states = FakeStates(production=[])
    provider, said = brake_for(organization_of("m0@example.com"), states)
    provider.check(people("m0@example.com"), people("m0@example.com", projects=[WAREHOUSE]))
    assert (states.readings, said) == (0, [])


def test_whoever_is_undetermined_since_0_1_0_is_listed_once() -> None:
    """With what their end will do and the command that settles it; nobody who is settled, invited or found.

    Nor anybody who leaves always or never: for them it does not matter.
    """
    held = [
        {"email": "bo@example.com", "adopted": True},
        {"email": "cy@example.com", "adopted": True},
        {"email": "di@example.com", "adopted": False},
        {"email": "ed@example.com", "adopted": True, "origin": "found"},
        {"email": "fay@example.com", "adopted": True, "ownership": "ours"},
        {"email": "gus@example.com", "adopted": True, "removal": "always"},
        {"email": "hal@example.com", "adopted": True, "removal": "never"},
    ]
    session, said = make_session(organization_of())
    session.states = FakeStates(production=held)
    provider = MemberProvider()
    provider.use(session)
    for one in held:
        news = {"email": one["email"], "removal": one.get("removal", "when_unused")}
        news |= {"ownership": one["ownership"]} if "ownership" in one else {}
        provider.diff(f"{ORGANIZATION}:{one['email']}", {**news, **one, "status": "accepted"}, news)
    (line,) = said
    assert line.endswith(": bo@example.com, cy@example.com")
    assert "`mixpanel-access ownership` settles it" in line
    assert "leave the organization when their entry ends" in line
