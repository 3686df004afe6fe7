"""Groups in the directory: one request a team for several people, and one bad person or team spoils nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.model import errors
from mixpanel_access.model.access import SingleSignOn
from mixpanel_access.model.teams import ScimGroup
from tests.fake_scim import with_scim
from tests.fakes import FakeApi, make_directory

DATA, OPS = 77, 78


@pytest.fixture
def api() -> FakeApi:
    """Four people of a claimed domain, two teams, and a token."""
    api = with_scim(FakeApi(security=SingleSignOn(domains=frozenset({"example.com"}))))
    for n in range(4):
        api.put(f"p{n}@example.com")
    api.teams.put("Data")
    api.teams.put("Ops", "p3@example.com", id_=OPS)
    return api


def test_several_threads_make_one_request_a_team(api: FakeApi) -> None:
    """Who joins and who leaves goes together."""
    directory = make_directory(api, linger=5)
    with ThreadPoolExecutor(4) as pool:
        for n in range(3):
            pool.submit(directory.teams.add_member, DATA if n else OPS, f"p{n}@example.com")
        pool.submit(directory.teams.remove_member, OPS, "p3@example.com")
    assert sorted(str(body) for _, body in api.sent) == [
        "('Data', ('501', '502'), ())", "('Ops', ('500',), ('503',))",
    ]  # fmt: skip


def test_one_bad_person_does_not_take_the_others_along(api: FakeApi) -> None:
    """Who can be put into the team is; who is not known to SCIM is told."""
    directory = make_directory(api, linger=5)
    with ThreadPoolExecutor(4) as pool:
        emails = ["p0@example.com", "nobody@example.com", "p1@example.com", "none@example.com"]
        done = [pool.submit(directory.teams.add_member, DATA, email) for email in emails]
    assert [type(one.exception()) for one in done] == [type(None), errors.NotFound, type(None), errors.NotFound]
    assert "SCIM does not know the person" in str(done[1].exception())
    assert api.teams.teams[DATA].members == frozenset({"p0@example.com", "p1@example.com"})


def test_one_bad_team_does_not_take_the_others_along(api: FakeApi) -> None:
    """An outage at one team's request, and a team that is no more, are those teams' own."""
    directory = make_directory(api, linger=5)
    api.faults["scim_group_change"] = [errors.Unauthorized("cannot", why="401")]
    with ThreadPoolExecutor(4) as pool:
        places = [(DATA, "p0@example.com"), (9, "p1@example.com"), (OPS, "p2@example.com"), (9, "p2@example.com")]
        done = {place: pool.submit(directory.teams.add_member, *place) for place in places}
    failed = {place for place, one in done.items() if one.exception()}
    assert {(9, "p1@example.com"), (9, "p2@example.com")} < failed
    assert len(failed) == 3  # whichever team was first


def test_what_scim_does_not_know_is_no_absence(api: FakeApi) -> None:
    """Without a group, and of somebody who has not joined, nobody tells who is in a team whose people are hidden."""
    api.put("new@example.com", invited=True)
    api.teams.hides_members = True
    teams = make_directory(api).teams
    told = {
        email: teams.is_member(teams.all()[OPS], email)
        for email in ("p3@example.com", "p0@example.com", "new@example.com")
    }
    assert list(told.values()) == [True, False, None]
    assert api.scim
    api.scim.shows_all_teams = False
    teams = make_directory(api).teams
    assert [teams.is_member(teams.all()[OPS], email) for email in told] == [None] * 3


def test_whom_the_list_shows_and_the_group_lacks_is_taken_out(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group is not believed against the list."""
    assert api.scim
    monkeypatch.setattr(api.scim, "find_group", lambda _: ScimGroup(str(OPS), frozenset()))
    make_directory(api).teams.remove_member(OPS, "p3@example.com")
    assert (api.writes, api.teams.teams[OPS].members) == (["remove_member"], frozenset())


def test_a_group_that_is_gone_at_the_write_is_told(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody was taken out: that is an error, and the next run takes the other way."""
    assert api.scim
    groups = [api.scim.find_group("Ops"), None]
    monkeypatch.setattr(api.scim, "find_group", lambda _: groups.pop(0))
    with pytest.raises(errors.NotFound, match="SCIM shows the team as a group no longer") as raised:
        make_directory(api).teams.remove_member(OPS, "p3@example.com")
    assert raised.value.subject == "p3@example.com"
    assert (api.writes, api.teams.teams[OPS].members) == ([], frozenset({"p3@example.com"}))


def test_what_comes_through_a_team_is_read_afresh(api: FakeApi) -> None:
    """And so is the list of teams."""
    api.teams.put("Data", projects={1234567: "analyst"})
    directory = make_directory(api)
    assert directory.access(1234567, "p0@example.com").grants == ()
    directory.teams.add_member(DATA, "p0@example.com")
    assert [grant.team for grant in directory.access(1234567, "p0@example.com").grants] == ["Data"]
    directory.teams.remove_member(DATA, "p0@example.com")
    assert directory.access(1234567, "p0@example.com").grants == ()
