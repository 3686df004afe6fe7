"""Many grants of one project at once: few requests, and each person's own answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.grants import Holding, RemoveGrants
from mixpanel_access.directory.invitations import Invitations
from mixpanel_access.directory.people import PER_HOUR
from mixpanel_access.directory.writer import ATTEMPTS, REFUSALS_BORNE
from mixpanel_access.directory.writes import AT_ONCE
from mixpanel_access.model import errors
from tests.fakes import NOW, PRODUCTION, WAREHOUSE, FakeApi, make_directory


class PickyApi(FakeApi):
    """Refuses whole grant requests as it is told.

    Attributes:
        bad: who is refused, with everybody in the same request.
        mails: invitations that are still sent in this hour.
    """

    bad: frozenset[str] = frozenset()
    mails: int = 1_000_000

    def grant(self, roles) -> None:  # type: ignore[no-untyped-def]
        if {email for _, email in roles} & self.bad:
            self.sent.append(("refused", dict(roles)))
            raise errors.Invalid("cannot grant", why="Mixpanel answered 400")
        new = [email for _, email in roles if email not in self.people]
        if len(new) > self.mails:
            self.sent.append(("limited", dict(roles)))
            error = errors.RateLimited("cannot grant", why="Mixpanel answered 429 (too many invitations)")
            error.retry_after = 3600.0
            raise error
        self.mails -= len(new)
        super().grant(roles)


def people(number: int) -> list[str]:
    """So many addresses."""
    return [f"p{n:04}@example.com" for n in range(number)]


@pytest.fixture
def api() -> PickyApi:
    """An organization of a thousand members without grants."""
    api = PickyApi()
    for email in people(1000):
        api.put(email)
    return api


def give(directory: Directory, number: int) -> dict[str, errors.AccessError]:
    """Make so many people analysts."""
    return directory.grant_many(PRODUCTION, dict.fromkeys(people(number), "analyst"))


@pytest.mark.parametrize(
    ("number", "requests"), [(0, 0), (1, 1), (AT_ONCE, 1), (AT_ONCE + 1, 2), (1000, 1000 // AT_ONCE)]
)
def test_a_thousand_grants_are_a_few_requests(api: PickyApi, number: int, requests: int) -> None:
    """At the boundary of a batch; read back once, by whoever sent it."""
    directory = make_directory(api)
    assert give(directory, number) == {}
    assert api.writes == ["grant"] * requests
    assert len(directory.grants(PRODUCTION)) == number
    assert api.calls["granted_users"] == 1


def test_what_the_plan_refuses_is_not_sent_again(api: PickyApi) -> None:
    """Not by halves either; everybody has its error, and nobody counts as served."""
    api.faults["grant"] = [errors.PlanRefusal("cannot grant", why="Mixpanel answered 402")]
    failures = give(make_directory(api), AT_ONCE + 1)
    assert sorted(failures) == people(AT_ONCE + 1)
    assert {type(error) for error in failures.values()} == {errors.PlanRefusal}
    assert (api.calls["grant"], api.rows) == (1, [])


@pytest.mark.parametrize("where", [0, AT_ONCE - 1, AT_ONCE, 555, 999])
def test_one_who_is_refused_takes_nobody_along(api: PickyApi, where: int) -> None:
    """Found by halves, and told alone."""
    bad = people(1000)[where]
    api.bad = frozenset({bad})
    failures = give(make_directory(api), 1000)
    assert list(failures) == [bad]
    assert len(api.rows) == 999
    assert api.calls["grant"] + api.writes.count("refused") < 1000 // AT_ONCE + 20


@pytest.mark.parametrize("bad", [2, 1000])
def test_refusals_of_everybody_stop_soon(api: PickyApi, bad: int) -> None:
    """So many refusals and not one request more; whoever was not tried is told too."""
    api.bad = frozenset(people(bad))
    failures = give(make_directory(api), 1000)
    assert failures.keys() >= api.bad
    assert api.writes.count("refused") <= REFUSALS_BORNE
    assert failures.keys() | {grant.email for grant in api.rows} == set(people(1000))


@pytest.mark.parametrize(
    "error", [errors.Unreachable("no answer"), errors.Unauthorized("401"), errors.RateLimited("429")], ids=repr
)
def test_what_is_nobodys_fault_stops_the_batch(api: PickyApi, error: errors.AccessError) -> None:
    """No halves are tried; a part that is done stays done."""
    directory = make_directory(api)
    api.faults["grant"] = [error] * ATTEMPTS
    failures = give(directory, 1000)
    assert failures.keys() == set(people(1000))
    assert api.calls["grant"] <= ATTEMPTS


def test_an_answer_that_is_lost_is_read_back(api: PickyApi) -> None:
    """What has arrived is not sent again."""
    api.faults["grant"] = [errors.Unreachable("no answer")]
    api.applied = True
    assert give(make_directory(api), 1000) == {}
    assert api.calls["grant"] == 1000 // AT_ONCE


def granted(api: PickyApi, number: int) -> Directory:
    """So many analysts, in a directory that has read them."""
    for email in people(number):
        api.give(PRODUCTION, email, "analyst")
    directory = make_directory(api)
    directory.grants(PRODUCTION)
    return directory


def test_where_nothing_can_be_read_back_nothing_is_sent_again(api: PickyApi) -> None:
    """In halves neither: an invitation may go out with a grant."""
    directory = make_directory(api)
    directory.people()
    api.applied = True
    api.faults["grant"] = [errors.ServerFault("cannot grant", why="Mixpanel answered 502")]
    api.faults["granted_users"] = [errors.Forbidden("cannot read the grants")] * 9
    failures = give(directory, AT_ONCE + 1)
    assert {str(error)[:12] for error in failures.values()} == {"cannot grant"}
    assert len(failures) == AT_ONCE + 1
    assert api.writes == ["grant"]


def test_grants_are_taken_away_one_request_each(api: PickyApi) -> None:
    """The verb takes one person; nothing is read in between, and nobody leaves the organization."""
    directory = granted(api, 50)
    assert directory.remove_grants(PRODUCTION, people(30)) == {}
    assert sorted(body[0] for _, body in api.sent) == people(30)  # type: ignore[index]
    assert set(api.writes) == {"remove_grants"}
    assert {grant.email for grant in api.rows} == set(people(50)[30:])
    assert len(api.people) == 1000
    assert api.calls["granted_users"] == 1


def test_who_has_no_grant_any_more_is_no_failure(api: PickyApi) -> None:
    """A 404 for somebody whose grant is gone is what was wanted."""
    directory = granted(api, 2)
    api.rows = []
    api.faults["remove_grants"] = [errors.NotFound("404")]
    assert directory.remove_grants(PRODUCTION, people(2)) == {}


def test_a_verb_that_is_missing_is_told_with_what_to_do(api: PickyApi) -> None:
    """By hand; the person is never removed instead."""
    directory = granted(api, 1)
    api.faults["remove_grants"] = [errors.NotFound("404")]
    failures = directory.remove_grants(PRODUCTION, people(1))
    assert "Project Settings > Users & Teams" in failures["p0000@example.com"].next_step
    assert set(api.writes) == {"remove_grants"}


def test_what_may_not_be_sent_is_not_tried_for_everybody(api: PickyApi) -> None:
    """An undocumented write that is not switched on is asked about a few times, not a thousand."""
    directory = granted(api, 500)
    api.faults["remove_grants"] = [errors.Refused("not switched on")] * 500
    failures = directory.remove_grants(PRODUCTION, people(500))
    assert failures.keys() == set(people(500))
    assert api.calls["remove_grants"] <= 6


def invitations(api: PickyApi, wait: float = 0.0) -> tuple[Invitations, list[float]]:
    """The invitations of an operation that lets time pass by itself; an hour brings new ones."""
    slept: list[float] = []

    def now() -> datetime:
        return NOW + timedelta(seconds=sum(slept))

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        api.mails = 100

    return Invitations(make_directory(api), wait, now, lambda _: None, sleep), slept


NEW = [f"new{n:02}@example.org" for n in range(25)]


def test_new_people_are_invited_by_the_hourly_limits_worth(api: PickyApi) -> None:
    """As many in one request as one hour takes."""
    sender, _ = invitations(api)
    assert sender.grant(PRODUCTION, dict.fromkeys(NEW, "analyst")) == ({}, {})
    assert [len(body) for _, body in api.sent] == [PER_HOUR, PER_HOUR, 5]  # type: ignore[arg-type]
    assert all(email in api.people for email in NEW)


@pytest.mark.parametrize("left", [0, 1, 9, 10, 13, 25])
def test_the_limit_stops_the_rest_and_lets_nothing_go_to_waste(api: PickyApi, left: int) -> None:
    """Exactly as many as Mixpanel sends are invited; the others are told from when to run again, without a request."""
    api.mails = left
    sender, _ = invitations(api)
    failures, _ = sender.grant(PRODUCTION, dict.fromkeys(NEW, "analyst"))
    assert len(failures) == len(NEW) - left
    assert {email for email in NEW if email in api.people} == set(NEW) - failures.keys()
    assert all(isinstance(error, errors.RateLimited) for error in failures.values())
    assert all("Run again from 2026-05-04 13:00 UTC" in error.next_step for error in failures.values())
    assert api.writes.count("limited") <= 2


def test_other_domains_go_on(api: PickyApi) -> None:
    """The limit is a domain's own."""
    api.faults["grant"] = [errors.RateLimited("cannot grant", why="too many invitations")] * ATTEMPTS
    sender, _ = invitations(api)
    roles = {"a@one.example.org": "analyst", "b@two.example.org": "analyst"}
    failures, _ = sender.grant(PRODUCTION, roles)
    assert list(failures) == ["a@one.example.org"]
    assert "b@two.example.org" in api.people


def test_a_run_may_wait_for_the_limit(api: PickyApi) -> None:
    """Where there is time for it."""
    api.mails = 10
    sender, slept = invitations(api, wait=7200)
    assert sender.grant(PRODUCTION, dict.fromkeys(NEW, "analyst")) == ({}, {})
    assert slept == [3600.0]


class Refusing(FakeApi):
    """Refuses to take a grant away in one of two projects, and then in both of one request."""

    def remove_grants(self, email: str, projects: Iterable[int]) -> None:
        if email == "p0001@example.com" and WAREHOUSE in (ids := tuple(projects)):
            self.sent.append(("refused", (email, ids)))
            raise errors.Forbidden("cannot take the grant away", why="Mixpanel answered 403")
        super().remove_grants(email, projects)


def test_what_several_projects_take_from_a_person_is_one_request() -> None:
    """Where Mixpanel refuses it, each project's grant is asked for alone: the other one goes."""
    api = Refusing()
    for email in people(3):
        api.put(email)
        for project in (PRODUCTION, WAREHOUSE):
            api.give(project, email, "analyst")
    directory = make_directory(api)
    items = [Holding(project, email) for project in (PRODUCTION, WAREHOUSE) for email in people(3)]
    failures = directory.writer.send_all(RemoveGrants(directory), items)
    assert list(failures) == [Holding(WAREHOUSE, "p0001@example.com")]
    assert [(row.project, row.email) for row in api.rows] == [(WAREHOUSE, "p0001@example.com")]
    sent: list[tuple[str, Any]] = api.sent
    asked = sorted((verb, body[0], sorted(body[1])) for verb, body in sent)
    assert asked == [
        ("refused", "p0001@example.com", [PRODUCTION, WAREHOUSE]),
        ("refused", "p0001@example.com", [WAREHOUSE]),
        ("remove_grants", "p0000@example.com", [PRODUCTION, WAREHOUSE]),
        ("remove_grants", "p0001@example.com", [PRODUCTION]),
        ("remove_grants", "p0002@example.com", [PRODUCTION, WAREHOUSE]),
    ]
