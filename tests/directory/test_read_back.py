"""A read that does not show a write yet is repeated, with growing pauses, for a bounded time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest

from mixpanel_access.directory.directory import Directory, Times
from mixpanel_access.directory.snapshot import FIRST_PAUSE, ReadBack, not_shown
from mixpanel_access.model import errors
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, as_api, organization_of

BO, CY, DI = "bo@example.com", "cy@example.com", "di@example.com"


class Replica:
    """A list that shows what was written after some seconds of a clock that only sleeping moves, and each read."""

    def __init__(self, seconds: float = 10.0, *, read_takes: float = 0.0) -> None:
        self.now, self.read_takes = 100.0, read_takes
        self.pauses = list[float]()
        self.fetches = 0
        self.visible = dict[str, float]()
        self.read_back = ReadBack(seconds, self.sleep, lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def write(self, item: str, late: float) -> None:
        """Write something that shows so many seconds later."""
        self.visible[item] = self.now + late
        self.read_back.expect("list", item, lambda held: item in held)

    def fetch(self) -> frozenset[str]:
        self.fetches += 1
        self.now += self.read_takes
        return frozenset(item for item, at in self.visible.items() if at <= self.now)

    def read(self) -> frozenset[str]:
        return self.read_back.read("list", self.fetch)


@pytest.mark.parametrize(
    ("late", "pauses"),
    [
        (0, []),
        (0.2, [0.25]),
        (0.5, [0.25, 0.5]),
        (3, [0.25, 0.5, 1, 2]),
        (9.9, [0.25, 0.5, 1, 2, 4, 2.25]),
    ],
)
def test_it_is_looked_for_with_growing_pauses(late: float, pauses: list[float]) -> None:
    """What shows at once costs one read; and what was shown is not looked for again."""
    replica = Replica()
    replica.write("a", late)
    assert replica.read() == {"a"}
    assert replica.pauses == pauses
    assert replica.fetches == len(pauses) + 1
    replica.visible.clear()
    assert replica.read() == set()
    assert replica.fetches == len(pauses) + 2


@pytest.mark.parametrize(("seconds", "reads"), [(0, 1), (0.1, 2), (10, 7), (60, 9)])
def test_it_is_looked_for_no_longer_than_that(seconds: float, reads: int) -> None:
    """Then what was read is believed, once and for all: the next read is one."""
    replica = Replica(seconds)
    replica.write("a", 1000)
    assert replica.read() == set()
    assert replica.fetches == reads
    assert sum(replica.pauses) == pytest.approx(seconds)
    replica.read()
    assert replica.fetches == reads + 1


def test_the_time_is_counted_from_the_write() -> None:
    """Who reads later waits the less, and slow reads count."""
    replica = Replica()
    replica.write("a", 1000)
    replica.now += 9.5
    replica.read()
    assert sum(replica.pauses) == pytest.approx(0.5)
    slow = Replica(read_takes=4)
    slow.write("a", 1000)
    slow.read()
    assert slow.now <= 100 + 10 + 4 + FIRST_PAUSE


def test_a_clock_that_stands_still_ends_it_too() -> None:
    """The pauses alone add up to the time."""
    pauses = list[float]()
    read_back = ReadBack(10, pauses.append, lambda: 0.0)
    read_back.expect("list", "a", lambda _: False)
    assert read_back.read("list", lambda: 1) == 1
    assert sum(pauses) == pytest.approx(10)


def test_several_writes_are_looked_for_together() -> None:
    """One look serves them all; a later write of the same takes the place of the first."""
    replica = Replica()
    for number in range(5):
        replica.write(f"p{number}", number)
    assert replica.read() == {f"p{number}" for number in range(5)}
    assert replica.fetches == 6
    replica.read_back.expect("list", "x", lambda held: "x" in held)
    replica.read_back.expect("list", "x", lambda held: "x" not in held)
    replica.read()
    assert replica.fetches == 7


def test_another_list_is_not_looked_at() -> None:
    """What one list must show holds no other one up."""
    replica = Replica()
    replica.write("a", 1000)
    assert replica.read_back.read("other", lambda: "as it is") == "as it is"
    assert replica.pauses == []


def test_a_read_that_fails_ends_the_look() -> None:
    """Its error is told."""
    replica = Replica()
    replica.write("a", 5)
    answers: list[Callable[[], frozenset[str]]] = [replica.fetch, _fail]

    def fetch() -> frozenset[str]:
        return answers.pop(0)()

    with pytest.raises(errors.Unreachable):
        replica.read_back.read("list", fetch)
    assert len(replica.pauses) == 1


def _fail() -> frozenset[str]:
    raise errors.Unreachable("cannot list")


@pytest.mark.parametrize(("seconds", "words"), [(10, ", 10 seconds later. Run"), (0, "nobody. Run"), (2.5, ", 2.5 s")])
def test_the_error_says_how_long(seconds: float, words: str) -> None:
    """And that to run again does no harm."""
    error = not_shown("cannot invite", "bo@example.com", "shows nobody", seconds, "the page")
    assert words in str(error)
    assert str(error).startswith("cannot invite for bo@example.com: Mixpanel took the request and shows nobody")
    assert str(error).endswith("Run again: nothing is done twice. If it stays so, look in the page.")


VERBS: dict[str, Callable[[Directory], object]] = {
    "invite": lambda it: it.invite(CY, "member"),
    "invite by a grant": lambda it: it.grant_inviting(WAREHOUSE, {CY: "analyst"}),
    "change a role": lambda it: it.change_role(BO, "admin"),
    "grant": lambda it: it.grant(WAREHOUSE, BO, "analyst"),
    "grant many": lambda it: it.grant_many(WAREHOUSE, {BO: "analyst", DI: "admin"}),
    "take a grant away": lambda it: it.remove_grant(PRODUCTION, BO),
    "take many away": lambda it: it.remove_grants(PRODUCTION, [BO, DI]),
    "remove": lambda it: it.remove(BO),
    "make a team": lambda it: it.teams.create("New"),
    "rename a team": lambda it: it.teams.rename(77, "Other"),
    "delete a team": lambda it: it.teams.delete(77),
    "give a team a role": lambda it: it.teams.grant(77, WAREHOUSE, "admin"),
    "take a team's role away": lambda it: it.teams.remove_grant(77, PRODUCTION),
    "put into a team": lambda it: it.teams.add_member(77, DI),
    "take out of a team": lambda it: it.teams.remove_member(77, BO),
    "make an account": lambda it: it.accounts.create("etl", "consumer", None),
    "make a custom role": lambda it: it.custom_roles.create(PRODUCTION, "Support", "", ["create_reports"]),
    "require a second factor": lambda it: it.settings.require_two_factor(True),
    "change requests for access": lambda it: it.settings.change_request_access({"mode": "ask"}),
}


GIVES: Final = {"give a team a role", "put into a team", "invite by a grant", "rename a team"}
"""What these change in a project may come to be seen there, or not: it is not waited for."""


def of(seconds: float, reads: int = 0) -> tuple[FakeApi, Directory, list[float]]:
    """An organization with a team, whose lists are late by so many reads, all of it read; and the pauses made."""
    api, pauses = organization_of(BO, DI), list[float]()
    api.teams.put("Data", BO, projects={PRODUCTION: "analyst"})
    lag(api, reads)
    directory = Directory(as_api(api), ORGANIZATION, times=Times(0, pauses.append, read_back_seconds=seconds))
    look(directory)
    return api, directory, pauses


def look(directory: Directory) -> list[Any]:
    """Every list, as the next step of a run may read it."""
    return [
        sorted(directory.people()),
        {key: person.role for key, person in directory.people().items()},
        *({key: rows for key, rows in directory.grants(project).items() if rows} for project in directory.projects()),
        directory.teams.all(),
        [account.name for account in directory.accounts.all()],
        [role.name for role in directory.custom_roles.in_project(PRODUCTION).values()],
        directory.security(),
    ]


@pytest.mark.parametrize("verb", VERBS)
def test_a_write_that_shows_at_once_costs_nothing(verb: str) -> None:
    """With the look and without it, the same requests are sent, and nobody waits."""
    counts = []
    for seconds in (0, 10):
        api, directory, pauses = of(seconds)
        VERBS[verb](directory)
        look(directory)
        counts.append(dict(api.calls))
        assert pauses == []
    assert counts[0] == counts[1]


def lag(api: FakeApi, reads: int) -> None:
    """Have each list answer, for so many reads after the first write, what it has answered last before it."""
    before, left = dict[Any, Any](), dict[Any, int]()

    def late(owner: Any, name: str) -> None:
        answer = getattr(owner, name)

        def call(*arguments: Any) -> Any:
            key = name, arguments
            if api.sent and left.setdefault(key, reads) and key in before:
                left[key] -= 1
                return before[key]
            before[key] = answer(*arguments)
            return before[key]

        setattr(owner, name, call)

    for owner, name in (
        (api, "list_users"),
        (api, "granted_users"),
        (api.teams, "list_teams"),
        (api.service_accounts, "list_accounts"),
        (api.custom_roles, "list_roles"),
        (api, "two_factor"),
        (api, "request_access"),
    ):
        late(owner, name)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("reads", [1, 3])
def test_the_next_step_sees_every_list_as_it_is(verb: str, reads: int) -> None:
    """Each list that a write touches is read until it shows it; so are a project's people after an end in a team."""
    _, directory, _ = of(10)
    VERBS[verb](directory)
    _, late, pauses = of(10, reads)
    VERBS[verb](late)
    compared = slice(4, None) if verb in GIVES else slice(None)
    assert look(late)[compared] == look(directory)[compared]
    assert pauses
    _, late, pauses = of(0, reads)
    with suppress(errors.NotApplied):
        VERBS[verb](late)
    assert look(late) != look(directory)  # so that the look is what makes the difference
    assert not pauses


def test_a_value_from_before_another_read_saw_the_write_is_read_again() -> None:
    """Two threads read the list at once: the newer answer of one makes the older answer of the other no truth."""
    read_back = ReadBack(10, lambda _: None, lambda: 0.0)
    read_back.expect("list", BO, lambda held: BO in held)
    answers = iter([frozenset[str](), frozenset({BO})])

    def fetch() -> frozenset[str]:
        answer = next(answers)
        if not answer:
            assert read_back.read("list", lambda: frozenset({BO})) == {BO}
        return answer

    assert read_back.read("list", fetch) == {BO}


def test_a_read_whose_time_is_over_leaves_its_time_to_what_was_written_meanwhile() -> None:
    """It waited in vain for one write; another thread's write a moment ago is waited for by the next read."""
    replica = Replica()
    replica.write(CY, late=1000.0)

    def fetch() -> frozenset[str]:
        if replica.now >= 110.0 and BO not in replica.visible:
            replica.write(BO, late=3.0)
        return replica.fetch()

    assert BO not in replica.read_back.read("list", fetch)
    assert replica.now == 110.0
    assert BO in replica.read_back.read("list", fetch)
    assert replica.now < 115.0
