"""Empty lists that decide a removal: looked at twice, or refused, where they contradict what was read and written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mixpanel_access.directory.directory import Directory
from mixpanel_access.model import errors
from mixpanel_access.model.access import Grant, GrantType
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi, make_directory

BO, CY = "bo@example.com", "cy@example.com"


class Forgetful(FakeApi):
    """Mixpanel, which answers with an empty list so many times."""

    empty: int = 0

    def granted_users(self, project: int) -> list[Grant]:
        rows = super().granted_users(project)
        if project == PRODUCTION and self.empty:
            self.empty -= 1
            return []
        return rows


@pytest.fixture
def api() -> Forgetful:
    """An organization with two people of one project, and an owner, who has every project."""
    api = Forgetful()
    api.put("ana@example.com", "owner")
    for email in (BO, CY):
        api.put(email)
        api.give(PRODUCTION, email, "analyst")
    return api


def as_owner(api: FakeApi) -> None:
    """Have the projects show the owner, as some servers do."""
    for project in (PRODUCTION, WAREHOUSE):
        api.give(project, "ana@example.com", "owner", GrantType.ORGANIZATION_ROLE)


Steps = Callable[[Forgetful, Directory], None]


def _read(_: Forgetful, directory: Directory) -> None:
    assert directory.grants(PRODUCTION)


def _take_bo(api: Forgetful, directory: Directory) -> None:
    _read(api, directory)
    directory.remove_grant(PRODUCTION, BO)


def _remove_bo(api: Forgetful, directory: Directory) -> None:
    _read(api, directory)
    directory.remove(BO)


def _take_bo_in_a_batch(api: Forgetful, directory: Directory) -> None:
    _read(api, directory)
    directory.remove_grants(PRODUCTION, [BO])


def _show_the_owner(api: Forgetful, directory: Directory) -> None:
    as_owner(api)
    assert directory.grants(WAREHOUSE)


@pytest.mark.parametrize("before", [_read, _take_bo, _remove_bo, _take_bo_in_a_batch, _show_the_owner])
def test_an_odd_empty_project_is_read_a_second_time(api: Forgetful, before: Steps) -> None:
    """One empty answer takes nobody's access for gone; a second one may be true, unless another project denies it."""
    directory = make_directory(api)
    before(api, directory)
    directory.forget_grants(older_than=-1.0, projects=[PRODUCTION])
    api.empty = 1
    assert directory.access(PRODUCTION, CY).individual == "analyst"
    directory.forget_grants(older_than=-1.0, projects=[PRODUCTION])
    api.empty = 2
    if before is _show_the_owner:
        with pytest.raises(errors.Unintelligible, match=f"access to project {PRODUCTION}: Mixpanel answered with an"):
            directory.access(PRODUCTION, CY)
    else:
        assert directory.access(PRODUCTION, CY).individual is None


def test_all_projects_are_compared_before_somebody_is_unused(api: Forgetful) -> None:
    """The empty one is read first, when nothing speaks against it yet."""
    as_owner(api)
    directory = make_directory(api)
    api.empty = 2
    with pytest.raises(errors.Unintelligible, match="have every project by their organization role"):
        directory.reached_projects(CY)


def _nothing(_: Forgetful, __: Directory) -> None:
    pass


def _take_both(_: Forgetful, directory: Directory) -> None:
    for email in (BO, CY):
        directory.remove_grant(PRODUCTION, email)


def _remove_both(_: Forgetful, directory: Directory) -> None:
    for email in (BO, CY):
        directory.remove(email)


def _take_both_in_a_batch(_: Forgetful, directory: Directory) -> None:
    directory.remove_grants(PRODUCTION, [BO, CY])


def _one_of_each(_: Forgetful, directory: Directory) -> None:
    directory.remove(BO)
    directory.remove_grant(PRODUCTION, CY)


@pytest.mark.parametrize("taken", [_nothing, _take_both, _remove_both, _take_both_in_a_batch, _one_of_each])
@pytest.mark.parametrize("before", [True, False])
def test_an_empty_project_that_may_be_is_believed(api: Forgetful, taken: Steps, before: bool) -> None:
    """Whose grants we took away ourselves, and a project that was empty when it was first read."""
    directory = make_directory(api)
    if before and taken is not _nothing:
        _read(api, directory)
    taken(api, directory)
    api.rows = []
    assert directory.grants(PRODUCTION) == {}


def test_an_odd_empty_list_of_teams_is_read_a_second_time(api: Forgetful) -> None:
    """Unless we have deleted them ourselves; and it is refused where a project shows who has it through a team."""
    directory = make_directory(api)
    team = api.teams.put("Data").id
    assert directory.teams.get(team)
    api.teams.teams.clear()
    directory.teams.forget()
    before = api.calls["list_teams"]
    assert directory.teams.all() == {}
    assert api.calls["list_teams"] == before + 2
    api.teams.put("Data")
    directory.teams.forget()
    assert directory.teams.get(team)
    before = api.calls["list_teams"]
    directory.teams.delete(team)
    assert directory.teams.all() == {}
    assert api.calls["list_teams"] == before + 1
    api.give(PRODUCTION, BO, "admin", GrantType.TEAM)
    other = make_directory(api)
    assert other.grants(PRODUCTION)
    with pytest.raises(errors.Unintelligible, match=r"cannot list the teams: .* through a team"):
        other.teams.all()
