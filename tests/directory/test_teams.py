"""Teams in the directory: one list, careful writes, and nothing taken for absence that is only not told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.directory.directory import Directory
from mixpanel_access.model import errors
from mixpanel_access.model.teams import TeamInfo
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi, make_directory

TEAM = 77


@pytest.fixture
def api() -> FakeApi:
    """A team of one person with a role in one project, and somebody else."""
    api = FakeApi()
    for email in ("ana@example.com", "bo@example.com"):
        api.put(email)
    api.teams.put("Data", "ana@example.com", projects={PRODUCTION: "analyst"})
    return api


def team(directory: Directory) -> TeamInfo:
    """The one team."""
    found = directory.teams.get(TEAM)
    assert found is not None
    return found


def test_all_teams_cost_one_request(api: FakeApi) -> None:
    """By id or by name, in any spelling, as often as one likes."""
    directory = make_directory(api)
    for _ in range(100):
        assert directory.teams.by_name("DATA") is team(directory)
        assert directory.teams.by_name("Data EU") is None
    assert (api.calls["list_teams"], team(directory).is_member("ANA@example.com")) == (1, True)


def test_a_name_that_is_there_is_found_and_not_made(api: FakeApi) -> None:
    """A new one is found by its name: the answer has no id."""
    directory = make_directory(api)
    assert directory.teams.create("data") == (team(directory), False)
    made, new = directory.teams.create("Ops")
    assert (made.name, new, api.writes) == ("Ops", True, ["create_team"])


def test_one_that_another_has_made_meanwhile_is_not_ours(api: FakeApi) -> None:
    """Mixpanel says so with a success."""
    directory = make_directory(api)
    assert directory.teams.by_name("Ops") is None
    api.teams.put("Ops", id_=9)
    made, new = directory.teams.create("Ops")
    assert (made.id, new) == (9, False)


@pytest.mark.parametrize("deaf", [False, True])
def test_a_lost_answer_makes_no_second_team(api: FakeApi, deaf: bool) -> None:
    """What was made before the answer got lost is ours; what was not is made."""
    api.applied = not deaf
    api.faults["create_team"] = [errors.Unreachable("cannot", why="lost")]
    made, new = make_directory(api).teams.create("Ops")
    assert (made.name, new, len(api.writes)) == ("Ops", True, 2 if deaf else 1)


def test_a_team_that_is_not_listed_after_it_was_made_is_told(api: FakeApi) -> None:
    """A success alone is not believed."""
    api.deaf.add("create_team")
    with pytest.raises(errors.NotApplied, match="lists no team of that name"):
        make_directory(api).teams.create("Ops")


def _role(directory: Directory, role: str | None) -> bool:
    return team(directory).projects.get(PRODUCTION) == role


WRITES: dict[str, tuple[str, Callable[[Directory], object], Callable[[Directory], bool]]] = {
    "rename": ("rename_team", lambda d: d.teams.rename(TEAM, "EU"), lambda d: team(d).name == "EU"),
    "delete": ("delete_team", lambda d: d.teams.delete(TEAM), lambda d: d.teams.get(TEAM) is None),
    "grant": ("grant_to_team", lambda d: d.teams.grant(TEAM, PRODUCTION, "admin"), lambda d: _role(d, "admin")),
    "take": ("remove_team_grant", lambda d: d.teams.remove_grant(TEAM, PRODUCTION), lambda d: _role(d, None)),
    "join": (
        "add_members", lambda d: d.teams.add_member(TEAM, "bo@example.com"),
        lambda d: bool(team(d).is_member("bo@example.com")),
    ),
    "leave": (
        "remove_member", lambda d: d.teams.remove_member(TEAM, "Ana@example.com"),
        lambda d: not team(d).is_member("ana@example.com"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("applied", [False, True], ids=["lost before", "lost after"])
@pytest.mark.parametrize(("verb", "act", "done"), WRITES.values(), ids=WRITES.keys())
def test_every_write_settles(
    api: FakeApi, verb: str, act: Callable[[Directory], object], done: Callable[[Directory], bool], applied: bool
) -> None:
    """It is sent again only where reading back shows that it was not applied."""
    directory = make_directory(api)
    assert not done(directory)
    api.applied = applied
    api.faults[verb] = [errors.Unreachable("cannot", why="lost")]
    act(directory)
    assert done(directory)
    assert api.calls[verb] == (1 if applied else 2)


@pytest.mark.parametrize("verb", ["leave", "delete", "rename"])
@pytest.mark.parametrize("role", ["", "admin"])
def test_what_comes_through_a_team_is_read_afresh_after_a_write(api: FakeApi, verb: str, role: str) -> None:
    """In its projects; and in all of them where it gives an organization role, or may."""
    api.teams.put("Data", "ana@example.com", projects={PRODUCTION: "analyst"}, organization_role=role)
    directory = make_directory(api)
    for project in (PRODUCTION, WAREHOUSE):
        directory.grants(project)
    WRITES[verb][1](directory)
    teams = {grant.team for grant in directory.access(PRODUCTION, "ana@example.com").grants}
    assert teams == ({"EU"} if verb == "rename" else set())
    directory.grants(WAREHOUSE)
    assert api.calls["granted_users"] == (4 if role else 3)


def test_roles_and_people_of_several_threads_go_out_as_one_request(api: FakeApi) -> None:
    """Mixpanel takes lists."""
    directory = make_directory(api, linger=5)
    with ThreadPoolExecutor(4) as pool:
        for n in range(4):
            api.put(f"p{n}@example.com")
            pool.submit(directory.teams.add_member, TEAM, f"p{n}@example.com")
    with ThreadPoolExecutor(4) as pool:
        for n in range(4):
            pool.submit(directory.teams.grant, TEAM, n, "consumer")
    assert api.writes == ["add_members", "grant_to_team"]
    assert len(team(directory).members or ()) == 5


def test_people_who_are_taken_out_together_are_read_back_once(api: FakeApi) -> None:
    """The verb takes one person's; the list of teams is read once for all four."""
    people = [f"p{n}@example.com" for n in range(4)]
    for email in people:
        api.put(email)
    api.teams.put("Data", *people, id_=TEAM)
    directory = make_directory(api, linger=600)

    def take(email: str) -> bool:
        directory.teams.remove_member(TEAM, email)
        return team(directory).is_member(email) is False

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(take, people, timeout=60))
    assert (api.calls["remove_member"], api.calls["list_teams"]) == (4, 2)  # before and after


def test_one_refused_person_does_not_take_the_others_along(api: FakeApi) -> None:
    """Who can be put into the team is."""
    directory = make_directory(api, linger=5)
    with ThreadPoolExecutor(4) as pool:
        emails = ["bo@example.com", "nobody@example.com", "ana@example.com", "none@example.com"]
        done = [pool.submit(directory.teams.add_member, TEAM, email) for email in emails]
    assert [type(one.exception()) for one in done] == [type(None), errors.NotFound, type(None), errors.NotFound]
    assert team(directory).is_member("bo@example.com")


def test_a_missing_verb_to_take_somebody_out_is_told(api: FakeApi) -> None:
    """404 is believed where the list shows that they are out, and not where it shows nothing."""
    directory = make_directory(api)
    directory.teams.remove_member(TEAM, "bo@example.com")
    api.faults["remove_member"] = [errors.NotFound("cannot", why="404")]
    with pytest.raises(errors.NotFound, match="may not offer the call"):
        directory.teams.remove_member(TEAM, "ana@example.com")
    api.teams.hides_members = True
    with pytest.raises(errors.NotFound, match="The person was not removed from the organization"):
        make_directory(api).teams.remove_member(TEAM, "bo@example.com")


GONE: dict[str, Callable[[Directory], object]] = {
    "team": lambda d: d.teams.delete(9), "role": lambda d: d.teams.remove_grant(9, PRODUCTION),
}  # fmt: skip


@pytest.mark.parametrize("act", GONE.values(), ids=GONE.keys())
def test_what_is_gone_already_is_no_error(api: FakeApi, act: Callable[[Directory], object]) -> None:
    """A 404 is as good as a success there; and an error where the list shows it."""
    act(make_directory(api))
    for verb in ("delete_team", "remove_team_grant"):
        api.faults[verb] = [errors.NotFound("cannot", why="404")]
    for verb in ("delete", "take"):
        with pytest.raises(errors.NotFound):
            WRITES[verb][1](make_directory(api))


SEEN = {"none": [], "some": [3]}


@pytest.mark.parametrize("robots", SEEN.values(), ids=SEEN.keys())
def test_service_accounts_of_a_team(api: FakeApi, robots: list[int]) -> None:
    """Where the call is refused or missing, they are unknown, not none."""
    api.teams.robots[TEAM] = robots
    directory = make_directory(api)
    assert directory.teams.service_accounts_of(TEAM) == robots
    for kind in (errors.NotFound, errors.Forbidden, errors.Unintelligible):
        api.faults["service_accounts_of"] = [kind("cannot", why="no")]
        assert directory.teams.service_accounts_of(TEAM) is None
    api.faults["service_accounts_of"] = [errors.ServerFault("cannot", why="no")]
    with pytest.raises(errors.ServerFault):
        directory.teams.service_accounts_of(TEAM)


def test_who_leaves_the_organization_leaves_its_teams(api: FakeApi) -> None:
    """The list is read afresh after that."""
    directory = make_directory(api)
    assert team(directory).is_member("ana@example.com")
    directory.remove("ana@example.com")
    assert team(directory).is_member("ana@example.com") is False
    directory.teams.forget()
    assert team(directory).name == "Data"
    assert api.calls["list_teams"] == 3
