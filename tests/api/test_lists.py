"""A list that contradicts itself is not a list: people on no page would be taken for absent (contract, section 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mixpanel_access.api.answers import COUNTS
from mixpanel_access.api.client import Api
from mixpanel_access.model import errors
from tests.api.conftest import transport

ORG, PROJECT = 7654321, 1234567

Rows = Callable[..., Any]
LISTS: dict[str, tuple[Callable[[Api], Any], Rows]] = {
    "users": (lambda api: api.users.list_users(), lambda *n: [{"id": i, "email": f"p{i}@example.com"} for i in n]),
    "users without ids": (lambda api: api.users.list_users(), lambda *n: [{"email": f"p{i}@example.com"} for i in n]),
    "addresses": (lambda api: api.users.list_users(), lambda *n: [f"p{i}@example.com" for i in n]),
    "users and pending": (
        lambda api: api.users.list_users(),
        lambda *n: {"users": [{"id": i, "email": f"p{i}@example.com"} for i in n], "pending": []},
    ),
    "projects": (lambda api: api.projects.list_projects(), lambda *n: {"projects": [{"id": i} for i in n]}),
    "teams": (
        lambda api: api.teams.list_teams(),
        lambda *n: {"teams": [{"id": i, "name": f"Team {i}", "projects": []} for i in n]},
    ),
    "service accounts": (
        lambda api: api.service_accounts.list_accounts(), lambda *n: [{"id": i, "username": f"etl{i}"} for i in n],
    ),
    "service accounts of a team": (
        lambda api: api.teams.service_accounts_of(77), lambda *n: [{"id": i} for i in n],
    ),
    "custom roles": (
        lambda api: api.custom_roles.list_roles(PROJECT), lambda *n: [{"role_id": f"5b0c{i}"} for i in n],
    ),
    "granted": (
        lambda api: api.projects.granted_users(PROJECT),
        lambda *n: {"users": [{"email": f"p{i}@example.com", "role": "analyst"} for i in n]},
    ),
    "service accounts of a project": (
        lambda api: api.service_accounts.list_of_project(PROJECT), lambda *n: [{"id": i, "role": "analyst"} for i in n],
    ),
}  # fmt: skip
SEVERAL_ROWS_A_PERSON = {"granted", "service accounts of a project"}


def read(name: str, *pages: tuple[Any, dict[str, Any]], inside: bool = False) -> list[Any]:
    """What is read of these pages: the rows of each, and what else its pagination says."""
    answers = []
    for number, (results, told) in enumerate(pages, 1):
        pagination = {**told, **({"next_cursor": f"p{number + 1}"} if number < len(pages) else {})}
        if inside and isinstance(results, dict):
            answers.append({"status": "ok", "results": {**results, "pagination": pagination}})
        else:
            answers.append({"status": "ok", "results": results, "pagination": pagination})
    left = iter(answers)
    found: list[Any] = LISTS[name][0](Api(transport(lambda _: httpx.Response(200, json=next(left))), ORG))
    return found


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("word", COUNTS)
def test_a_count_that_agrees_is_no_matter(name: str, word: str) -> None:
    """As a number or as text, on every page; null says nothing."""
    rows = LISTS[name][1]
    for told, inside in ((3, False), ("3", True), (None, False)):
        assert len(read(name, (rows(1, 2), {word: told}), (rows(3), {word: told}), inside=inside)) == 3


ODD = [100, "4", 2.5, True, "many", "", [3], {"value": 3}, -1, "0", 10**30, "9" * 5000]


@pytest.mark.parametrize(("name", "told"), [*((name, 4) for name in LISTS), *(("users", odd) for odd in ODD)])
@pytest.mark.parametrize("word", COUNTS)
def test_a_count_that_disagrees_is_refused(name: str, told: object, word: str) -> None:
    """On the only page, the first or the last; also where nobody can read it."""
    rows = LISTS[name][1]
    for inside, pages in (
        (False, [(rows(1, 2, 3), {word: told})]),
        (True, [(rows(1, 2), {word: told}), (rows(3), {})]),
        (False, [(rows(1, 2), {}), (rows(3), {word: told})]),
    ):
        with pytest.raises(errors.Unintelligible, match=rf"3 rows, and {word} says") as raised:
            read(name, *pages, inside=inside)
        assert len(str(raised.value)) < 400


@pytest.mark.parametrize("name", LISTS)
def test_a_count_in_the_results_counts_too(name: str) -> None:
    """Beside the rows, without a pagination."""
    results = LISTS[name][1](1, 2)
    if isinstance(results, dict):
        assert len(read(name, ({**results, "total": 2}, {}))) == 2
        with pytest.raises(errors.Unintelligible, match="2 rows, and total says 3"):
            read(name, ({**results, "total": 3}, {}))


def test_count_may_speak_of_its_page_alone() -> None:
    """Nobody says which of both it is; a total is one of all pages."""
    rows = LISTS["users"][1]
    assert len(read("users", (rows(1, 2), {"count": 2}), (rows(3), {"count": 1}))) == 3
    with pytest.raises(errors.Unintelligible):
        read("users", (rows(1, 2), {"total": 2}), (rows(3), {"total": 1}))


def test_a_total_may_leave_the_pending_out() -> None:
    """Or count them; it is not said."""
    results = {"users": [{"id": 1, "email": "a@example.com"}], "pending": [{"email": "b@example.com"}] * 1}
    for total in (1, 2):
        assert len(read("users and pending", (results, {"total": total}))) == 2
    with pytest.raises(errors.Unintelligible):
        read("users and pending", (results, {"total": 3}))


def test_a_total_of_people_agrees_with_several_rows_a_person() -> None:
    """The rows, or the people in them."""
    rows = [{"email": "a@example.com", "role": role, "target_type": "team"} for role in ("analyst", "consumer")]
    for total in (1, 2):
        assert len(read("granted", ({"users": rows}, {"total": total}))) == 2
    with pytest.raises(errors.Unintelligible):
        read("granted", ({"users": rows}, {"total": 3}))


@pytest.mark.parametrize("name", LISTS)
def test_a_page_that_repeats_a_part_of_another_is_refused(name: str) -> None:
    """Rows that shift between two reads push somebody off every page."""
    rows = LISTS[name][1]
    with pytest.raises(errors.Unintelligible, match="page 2 repeats a row"):
        read(name, (rows(1, 2), {}), (rows(2, 3), {}))
    with pytest.raises(errors.Unintelligible, match="page 3 repeats a row"):
        read(name, (rows(1, 2), {}), (rows(3, 4), {}), (rows(5, 1), {}))


@pytest.mark.parametrize("name", sorted(LISTS.keys() - SEVERAL_ROWS_A_PERSON))
def test_an_id_that_comes_twice_is_refused(name: str) -> None:
    """Also on one page: who is in the second's place is not known."""
    with pytest.raises(errors.Unintelligible, match="page 1 repeats a row"):
        read(name, (LISTS[name][1](1, 2, 1), {}))


@pytest.mark.parametrize("name", sorted(SEVERAL_ROWS_A_PERSON))
def test_a_person_may_have_several_rows(name: str) -> None:
    """One for each way to the project, on one page or on two."""
    first, second = ({"id": 1, "email": "a@example.com", "role": role} for role in ("analyst", "consumer"))
    assert len(read(name, ([first, second], {}))) == 2
    assert len(read(name, ([first], {}), ([second], {}))) == 2


def test_the_id_of_one_row_under_another_address_is_refused() -> None:
    """A row that changed between two pages is the same row."""
    with pytest.raises(errors.Unintelligible, match="page 2 repeats a row"):
        read("users", ([{"id": 1, "email": "a@example.com"}], {}), ([{"id": 1, "email": "b@example.com"}], {}))


def test_a_map_is_counted_by_its_keys() -> None:
    """An address is no row twice, and no count is a row."""
    one, two = {"a@example.com": {"role": "member"}}, {"b@example.com": {"role": "member"}}
    assert len(read("users", ({**one, **two}, {"total": 2}))) == 2
    with pytest.raises(errors.Unintelligible, match="page 2 repeats a row"):
        read("users", ({**one, **two}, {}), ({**two, "c@example.com": {"role": "member"}}, {}))
    with pytest.raises(errors.Unintelligible, match="2 rows, and total says 3"):
        read("users", ({**one, **two}, {"total": 3}))
