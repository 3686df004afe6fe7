"""The directory: few requests, true reads, careful writes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.directory.people import Invite, Inviting, PersonRole
from mixpanel_access.model import errors
from mixpanel_access.model.access import GrantType
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi, make_directory


@pytest.fixture
def api() -> FakeApi:
    """An organization of an owner and an analyst of one project."""
    api = FakeApi()
    api.put("ana@example.com", "owner")
    api.put("Bo@Example.com")
    api.give(PRODUCTION, "bo@example.com", "analyst")
    return api


def test_a_thousand_reads_cost_one_request_a_part(api: FakeApi) -> None:
    """Requests grow with projects, not with people."""
    directory = make_directory(api)
    for _ in range(500):
        for project in (PRODUCTION, WAREHOUSE):
            directory.access(project, "bo@example.com")
            directory.projects()
            directory.own_role()
    assert api.calls == {"me": 1, "list_users": 1, "list_projects": 1, "granted_users": 2}


def test_an_organization_that_is_not_ours_is_told_with_those_that_are(api: FakeApi) -> None:
    """A wrong organization id says which ones the account knows."""
    directory = make_directory(api)
    directory.organization = 1
    with pytest.raises(errors.Forbidden, match=r"its organizations: 7654321"):
        directory.own_role()


@pytest.mark.parametrize("spelling", ["bo@example.com", "BO@EXAMPLE.COM", " bo@example.com "])
def test_an_address_is_found_in_any_spelling(api: FakeApi, spelling: str) -> None:
    """Case and blanks do not make another person."""
    person = make_directory(api).person(spelling)
    assert person is not None
    assert person.email == "Bo@Example.com"


def test_what_is_read_after_a_write_is_what_the_server_says(api: FakeApi) -> None:
    """A write drops what it touches, so the next read is a fresh one."""
    directory = make_directory(api)
    directory.access(PRODUCTION, "bo@example.com")
    directory.grant(PRODUCTION, "bo@example.com", "admin")
    assert directory.access(PRODUCTION, "bo@example.com").individual == "admin"
    directory.change_role("bo@example.com", "admin")
    assert directory.person("bo@example.com").role == "admin"  # type: ignore[union-attr]
    directory.remove("bo@example.com")
    assert directory.person("bo@example.com") is None
    assert directory.access(PRODUCTION, "bo@example.com").individual is None


def test_grants_of_several_threads_and_projects_go_out_as_one_request(api: FakeApi) -> None:
    """Four workers, two projects, one write."""
    directory = make_directory(api, linger=30)
    orders = [(PRODUCTION, "cy@example.com"), (WAREHOUSE, "cy@example.com"), (PRODUCTION, "di@example.com")]
    orders.append((WAREHOUSE, "di@example.com"))
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(directory.grant, *order, "consumer") for order in orders]:
            future.result(10)
    assert api.calls["grant"] == 1
    assert {(grant.project, grant.email) for grant in api.rows} >= set(orders)


def test_one_refused_item_does_not_take_its_neighbours_along(api: FakeApi) -> None:
    """A batch that is refused of four goes out one by one, and each person has their own answer."""
    invite, calls = api.invite, list[int]()

    def refuse(roles: Mapping[str, str]) -> None:
        calls.append(len(roles))
        if "p2@example.com" in roles:
            raise errors.Invalid("cannot invite the bad one")
        invite(roles)

    api.invite = refuse  # type: ignore[method-assign]
    directory = make_directory(api, linger=30)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(directory.invite, f"p{n}@example.com", "member") for n in range(4)]
        outcomes = [future.exception(10) for future in futures]
    assert [type(outcome) for outcome in outcomes if outcome] == [errors.Invalid]
    assert calls == [4, 1, 1, 1, 1]
    assert len(api.people) == 5


def four_analysts(api: FakeApi) -> list[str]:
    """The addresses of four people who have a grant each."""
    people = [f"p{n}@example.com" for n in range(4)]
    for email in people:
        api.put(email)
        api.give(PRODUCTION, email, "analyst")
    return people


def test_grants_that_are_taken_away_together_are_read_back_once(api: FakeApi) -> None:
    """The verb takes one person's; the list of the project is read once for all four."""
    people = four_analysts(api)
    directory = make_directory(api, linger=600)

    def take(email: str) -> str | None:
        directory.remove_grant(PRODUCTION, email)
        return directory.access(PRODUCTION, email).individual

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(take, people)) == [None] * 4
    assert api.calls["remove_grants"] == 4
    assert api.calls["granted_users"] == 1


def test_of_grants_that_are_taken_away_together_each_has_its_own_answer(api: FakeApi) -> None:
    """One that is refused keeps its grant and its error; the others go."""
    people = four_analysts(api)
    api.faults["remove_grants"] = [errors.Forbidden("cannot take away")]
    directory = make_directory(api, linger=600)
    with ThreadPoolExecutor(4) as pool:
        done = {email: pool.submit(directory.remove_grant, PRODUCTION, email) for email in people}
        refused = [email for email, future in done.items() if isinstance(future.exception(60), errors.Forbidden)]
    assert len(refused) == 1
    assert [grant.email for grant in api.rows if grant.email in people] == refused


LOST = [errors.Unreachable, errors.ServerFault]


@pytest.mark.parametrize("kind", LOST)
def test_nobody_is_invited_twice_when_the_answer_is_lost(api: FakeApi, kind: type[errors.MixpanelError]) -> None:
    """The write was applied and its answer lost: one e-mail is enough."""
    api.applied, api.faults["invite"] = True, [kind("cannot invite")]
    make_directory(api).invite("cy@example.com", "member")
    assert api.calls["invite"] == 1


@pytest.mark.parametrize("sure", ["the list is never late", "nothing was sent", "the limit"])
def test_an_invitation_that_surely_did_not_go_out_goes_out(api: FakeApi, sure: str) -> None:
    """The write was lost before it was applied: it is sent again."""
    error = errors.RateLimited("cannot invite") if sure == "the limit" else errors.Unreachable("cannot invite")
    error.unsent = sure == "nothing was sent"
    api.faults["invite"] = [error]
    directory = make_directory(api, read_back_seconds=0 if sure == "the list is never late" else 10)
    directory.invite("cy@example.com", "member")
    assert api.calls["invite"] == 2
    assert "cy@example.com" in api.people


@pytest.mark.parametrize("kind", LOST)
def test_an_invitation_that_may_have_gone_out_is_not_sent_again(api: FakeApi, kind: type[errors.MixpanelError]) -> None:
    """The list may show it late: it is told, and held for some time."""
    api.faults["invite"] = [kind("cannot invite")]
    directory = make_directory(api)
    with pytest.raises(kind, match=r"may have been done all the same.*does not show it yet\. Run again") as told:
        directory.invite("cy@example.com", "member")
    assert told.value.unsettled
    with pytest.raises(errors.NotApplied, match=r"an invitation went out at .*Run again from"):
        directory.invite("cy@example.com", "member")
    assert api.calls["invite"] == 1


@pytest.mark.parametrize("kind", LOST)
def test_an_expired_invitation_is_never_sent_twice_on_a_guess(api: FakeApi, kind: type[errors.MixpanelError]) -> None:
    """Nothing shows whether a second invitation went out, so a lost answer is told, not repeated."""
    api.put("cy@example.com", invited=True)
    api.applied, api.faults["invite"] = True, [kind("cannot invite")]
    with pytest.raises(kind, match="may or may not have gone out"):
        make_directory(api).invite_again("cy@example.com", "member")
    assert api.calls["invite"] == 1
    api.put("di@example.com", invited=True)
    api.faults["resend"] = [kind("cannot send the invitation again")]
    with pytest.raises(kind, match="may or may not have gone out"):
        make_directory(api).resend("di@example.com")
    assert api.calls["resend"] == 1


@pytest.mark.parametrize("applied", [True, False], ids=["answer lost", "request lost"])
@pytest.mark.parametrize("verb", ["change_role", "remove_grants", "remove", "grant"])
def test_every_write_settles(api: FakeApi, verb: str, applied: bool) -> None:
    """Whatever is lost on the way, the write is applied once and the directory knows."""
    api.applied, api.faults[verb] = applied, [errors.Unreachable("cannot")]
    directory = make_directory(api)
    {
        "change_role": lambda: directory.change_role("bo@example.com", "admin"),
        "remove_grants": lambda: directory.remove_grant(PRODUCTION, "bo@example.com"),
        "remove": lambda: directory.remove("bo@example.com"),
        "grant": lambda: directory.grant(WAREHOUSE, "bo@example.com", "admin"),
    }[verb]()
    assert api.calls[verb] == (1 if applied else 2)


def test_a_missing_verb_to_take_a_grant_away_never_removes_the_person(api: FakeApi) -> None:
    """Where the call does not exist, it is told what to do by hand, and nothing else is tried."""
    api.faults["remove_grants"] = [errors.NotFound("cannot take away")]
    with pytest.raises(errors.NotFound, match=r"Project Settings.*The person was not removed"):
        make_directory(api).remove_grant(PRODUCTION, "bo@example.com")
    assert api.writes == ["remove_grants"]


def test_a_grant_that_is_gone_already_is_no_error(api: FakeApi) -> None:
    """404 with the grant gone is what was wanted."""
    api.rows.clear()
    api.faults["remove_grants"] = [errors.NotFound("cannot take away")]
    make_directory(api).remove_grant(PRODUCTION, "bo@example.com")


def test_only_404_means_that_a_project_is_gone(api: FakeApi) -> None:
    """A call that is missing, a refusal, and a limit of the plan say nothing of the project (contract, section 1)."""
    missing, plan = errors.NotFound("cannot read", why="405"), errors.PlanRefusal("cannot read", why="402")
    missing.status, plan.status = 405, 402
    for error in (missing, plan, errors.Forbidden("cannot read", why="403")):
        api.faults["granted_users"] = [error]
        with pytest.raises(type(error)):
            make_directory(api).project_is_gone(99)
    assert make_directory(api).project_is_gone(99)


def test_roles_add_up_and_every_way_is_named(api: FakeApi) -> None:
    """The effective role is the highest of all ways; an owner of the organization owns every project."""
    api.give(PRODUCTION, "bo@example.com", "admin", GrantType.TEAM)
    directory = make_directory(api)
    bo = directory.access(PRODUCTION, "bo@example.com")
    assert (bo.individual, bo.effective) == ("analyst", "admin")
    assert bo.grant_types == (GrantType.TEAM, GrantType.INDIVIDUAL)
    ana = directory.access(WAREHOUSE, "ana@example.com")
    assert (ana.individual, ana.effective, ana.grant_types) == (None, "owner", (GrantType.ORGANIZATION_ROLE,))
    assert {project: len(grants) for project, grants in directory.reached_projects("bo@example.com").items()} == {
        PRODUCTION: 2
    }


@pytest.mark.parametrize(("hidden", "shows"), [(True, False), (False, True)])
def test_whether_invited_people_are_listed_is_seen_not_assumed(api: FakeApi, hidden: bool, shows: bool) -> None:
    """One listed invitation proves that the list has them."""
    api.put("cy@example.com", invited=True)
    api.give(PRODUCTION, "cy@example.com", "consumer")
    api.hides_invited_grants = hidden
    assert make_directory(api).shows_invited(PRODUCTION) is shows


@pytest.mark.parametrize("asked", [PRODUCTION, WAREHOUSE])
def test_one_project_that_lists_somebody_invited_is_enough(api: FakeApi, asked: int) -> None:
    """Whichever project a run reads first."""
    api.put("cy@example.com", invited=True)
    api.give(WAREHOUSE, "cy@example.com", "consumer")
    assert make_directory(api).hides_grant(asked, "cy@example.com") is False


def test_another_project_that_cannot_be_read_proves_nothing(api: FakeApi) -> None:
    """An invited person's grant stays unknown, and the project is asked for once."""
    api.put("cy@example.com", invited=True)
    api.give(WAREHOUSE, "cy@example.com", "consumer")
    api.unreadable.add(WAREHOUSE)
    directory = make_directory(api)
    assert [directory.hides_grant(PRODUCTION, "cy@example.com") for _ in range(3)] == [True] * 3
    assert api.calls["granted_users"] == 2


@pytest.mark.parametrize("projects", [(PRODUCTION, WAREHOUSE), (WAREHOUSE, PRODUCTION)])
def test_a_command_that_only_looks_learns_from_every_project(api: FakeApi, projects: tuple[int, ...]) -> None:
    """In whatever order it reads them; where none lists anybody who is invited, all of them may hide grants."""
    api.put("cy@example.com", invited=True)
    assert make_directory(api).blind(projects) == {*projects}
    api.give(WAREHOUSE, "cy@example.com", "consumer")
    assert make_directory(api).blind(projects) == frozenset()


@pytest.mark.parametrize("seconds", [0, 10])
def test_after_a_batch_that_arrived_in_part_nobody_gets_a_second_e_mail(seconds: float) -> None:
    """Only the rest is invited again, and that only where the list cannot be late."""
    api = FakeApi()
    seen: list[list[str]] = []

    def invite(roles: Mapping[str, str]) -> None:
        seen.append(sorted(roles))
        api.put("a@example.com", invited=True)
        if len(seen) == 1:
            raise errors.ServerFault("502")
        for email in roles:
            api.put(email, invited=True)

    api.invite = invite  # type: ignore[method-assign]
    directory = make_directory(api, read_back_seconds=seconds)
    items = [PersonRole(email, "member") for email in ("a@example.com", "b@example.com")]
    outcome = directory.writer.send_all(Invite(directory, Inviting(directory, directory.unseen)), items)
    assert seen == [["a@example.com", "b@example.com"], ["b@example.com"]][: 1 if seconds else 2]
    assert isinstance(outcome.get(items[1]), errors.ServerFault) is bool(seconds)


def test_who_has_arrived_meanwhile_costs_no_request() -> None:
    """An empty list of invitations is not sent."""
    api = FakeApi()
    api.put("a@example.com", invited=True)
    make_directory(api).invite("a@example.com", "member")
    assert api.sent == []
