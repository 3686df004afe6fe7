"""A group ten times as large takes about ten times as long: nothing is compared each with each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from mixpanel_access.model.access import Grant, GrantType, Person
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.model.resources import MEMBER_TYPE, PROJECT_ACCESS_TYPE
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.states import ExportedResource, StackStates, States
from mixpanel_access.server.changes import detailed
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_session

FEW, MANY = 300, 3000
AT_MOST = 40
"""Ten times as many may take so many times as long on a busy machine; each with each would be a hundred."""
ID = f"{ORGANIZATION}:{PRODUCTION}"


def group(people: int, role: str = "analyst") -> dict[str, Any]:
    """A group of so many people, each with a reason of their own."""
    emails = [f"p{number:05}@example.com" for number in range(people)]
    reasons = [{"people": [email], "ticket": f"{role}-{number}"} for number, email in enumerate(emails)]
    return {"project_id": PRODUCTION, "grants": dict.fromkeys(emails, role), "exclusive": False, "reasons": reasons}


def world(people: int) -> ProjectAccessProvider:
    """A provider in an organization in which all of them have the grant, and another stack gives it too."""
    held = group(people)
    api = FakeApi()
    api.people = {email: Person(email, "member", False, user_id=number) for number, email in enumerate(held["grants"])}
    api.rows = [Grant(PRODUCTION, email, "analyst", GrantType.INDIVIDUAL) for email in held["grants"]]
    session, _ = make_session(api, limits=Limits(released=frozenset(Brake)))
    theirs = [
        ExportedResource(MEMBER_TYPE, f"urn::{email}", f"{ORGANIZATION}:{email}", {"email": email, "user_id": number})
        for number, email in enumerate(held["grants"])
    ]
    theirs.append(ExportedResource(PROJECT_ACCESS_TYPE, "urn::group", ID, held))
    states = StackStates({"production": (), "staging": tuple(theirs)})
    session.states = States(lambda: states, lambda: "production")
    provider = ProjectAccessProvider()
    provider.handler.keeps = True
    provider.use(session)
    return provider


def drop_all(provider: ProjectAccessProvider, people: int) -> None:
    """The preview of a group that lets everybody go, whom another stack has too."""
    assert provider.check(group(people), {**group(0), "reasons": None}).failures == []


def take_none(provider: ProjectAccessProvider, people: int) -> None:
    """The end of a group of which another stack has everybody."""
    provider.delete(ID, group(people))


def refresh(provider: ProjectAccessProvider, people: int) -> None:
    """A refresh in which nothing has changed."""
    assert provider.read(ID, group(people)).id


def share(provider: ProjectAccessProvider, people: int) -> None:
    """A refresh of one person among others whom another stack has."""
    provider.read(ID, {**group(1), "reasons": None})


def compare(provider: ProjectAccessProvider, people: int) -> None:
    """What differs, if each role and each reason does."""
    olds, news = group(people), group(people, "admin")
    assert provider.diff(ID, olds, news).changes
    assert len(detailed(provider.handler.all_inputs, olds, news, ())) == 2 * people


@pytest.mark.parametrize("work", [drop_all, take_none, refresh, share, compare])
def test_ten_times_as_many_people_take_ten_times_as_long(work: Callable[[ProjectAccessProvider, int], None]) -> None:
    """By the time of the processor, the better of two."""

    def seconds(people: int) -> float:
        provider = world(people)
        begun = time.process_time()
        work(provider, people)
        return time.process_time() - begun

    few, many = (min(seconds(people) for _ in range(2)) for people in (FEW, MANY))
    assert many < AT_MOST * max(few, 0.002)
