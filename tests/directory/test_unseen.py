"""A second run on the same machine looks for an invitation that is on its way, and does not send it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mixpanel_access.directory.directory import Directory, Machine, Times
from mixpanel_access.directory.this_machine import HELD_FOR, Sendings, Unseen
from mixpanel_access.model import errors
from mixpanel_access.model.access import Person
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, as_api

CY, DI = "cy@example.com", "di@example.com"


class LateApi(FakeApi):
    """A list of people that shows an invitation after some reads."""

    late: int = 2
    killed: bool = False

    def list_users(self) -> list[Person]:
        people = super().list_users()
        if self.late and self.sent:
            self.late -= 1
            return [person for person in people if not person.invited]
        return people

    def invite(self, roles: Mapping[str, str]) -> None:
        self._be_killed()
        super().invite(roles)

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        self._be_killed()
        super().grant(roles)

    def _be_killed(self) -> None:
        if self.killed:
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


def notes() -> tuple[Sendings, Sendings]:
    """The notes of this machine on the organization, as each process opens them."""
    host = "https://mixpanel.com"
    return Sendings(host, ORGANIZATION, what="unseen"), Sendings(host, ORGANIZATION, what="inviting")


def run(api: FakeApi) -> Directory:
    """Another process of this machine, at its beginning."""
    return Directory(
        as_api(api), ORGANIZATION, times=Times(0, lambda _: None), machine=Machine(unseen=Unseen(*notes()))
    )


Stack = Callable[[Directory], object]
STACKS: dict[str, Stack] = {
    "member": lambda directory: directory.invite(CY, "member"),
    "grant": lambda directory: directory.grant_inviting(PRODUCTION, {CY: "analyst"}),
}


def invitations(api: FakeApi) -> int:
    """The e-mails to a person."""
    return sum(CY in str(body) for verb, body in api.sent if verb in ("invite", "grant"))


class MeanwhileApi(LateApi):
    """While one run sends an invitation, another one begins."""

    def __init__(self, second: Stack) -> None:
        super().__init__()
        self.second: Stack | None = second

    def list_users(self) -> list[Person]:
        if self.sent and (second := self.second):
            self.second = None
            second(run(self))
        return super().list_users()


@pytest.mark.parametrize("second", STACKS)
@pytest.mark.parametrize("first", STACKS)
def test_two_runs_at_once_invite_a_person_once(first: str, second: str) -> None:
    """The list shows neither of them the other's invitation at first; a grant is given all the same."""
    api = MeanwhileApi(STACKS[second])
    STACKS[first](run(api))
    assert CY in api.people
    assert api.writes.count("invite") + sum(verb == "grant" for verb, _ in api.sent[:1]) == 1
    assert {row.role for row in api.rows} == ({"analyst"} if "grant" in (first, second) else set())


@pytest.mark.parametrize("stack", STACKS)
def test_another_persons_invitation_holds_nobody(stack: str) -> None:
    """Nor does it cost a request."""
    counts = []
    for noted in ((), (DI,)):
        notes()[1].replace(dict.fromkeys(noted, datetime.now(UTC)))
        api = FakeApi()
        STACKS[stack](run(api))
        counts.append((dict(api.calls), invitations(api)))
    assert counts[0] == counts[1]
    assert counts[0][1] == 1


@pytest.mark.parametrize("stack", STACKS)
def test_an_invitation_of_a_killed_run_is_held_for_a_while(stack: str) -> None:
    """Nobody knows whether it went out. Two minutes later, it is sent."""
    api = LateApi()
    api.killed = True
    with pytest.raises(KeyboardInterrupt):
        STACKS[stack](run(api))
    api.killed = False
    with suppress(errors.NotApplied):
        STACKS[stack](run(api))
    assert invitations(api) == 0
    notes()[1].replace({CY: datetime.now(UTC) - HELD_FOR})
    STACKS[stack](run(api))
    assert invitations(api) == 1


@pytest.mark.parametrize(
    ("error", "held"),
    [
        (errors.Invalid("400"), False),
        (errors.Refused("not switched on"), False),
        (errors.RateLimited("429"), False),
        (errors.ServerFault("502"), True),
        (errors.Unreachable("no answer"), True),
    ],
    ids=repr,
)
@pytest.mark.parametrize("stack", STACKS)
def test_what_was_refused_is_not_held(stack: str, error: errors.AccessError, held: bool) -> None:
    """Only an invitation that may have gone out is."""
    api = FakeApi()
    api.faults = {"invite": [error] * 4, "grant": [error] * 4}
    with suppress(errors.AccessError):
        STACKS[stack](run(api))
    assert CY not in api.people
    api.faults.clear()
    with suppress(errors.NotApplied):
        STACKS[stack](run(api))
    assert (CY in api.people) is not held


def test_nobody_is_held_up_after_a_removal() -> None:
    """Neither the removal nor the next invitation, however soon."""
    api = FakeApi()
    for verb in ("invite", "remove", "invite"):
        directory = run(api)
        directory.remove(CY) if verb == "remove" else directory.invite(CY, "member")
    assert api.writes == ["invite", "remove", "invite"]


@pytest.mark.parametrize("late", [0, 2])
def test_what_is_shown_is_not_noted_any_more(late: int) -> None:
    """So that who is removed by hand can be invited again."""
    api = LateApi()
    api.late = late
    run(api).invite(CY, "member")
    api.people.clear()
    run(api).invite(CY, "member")
    assert invitations(api) == 2


@pytest.mark.parametrize("keys", [(CY,), (CY, DI), ()])
def test_notes_are_taken_back(keys: Iterable[str]) -> None:
    """Those of the others stay."""
    sent = datetime.now(UTC) - timedelta(seconds=1)
    (_, inviting), (_, other) = notes(), notes()
    inviting.replace({CY: sent, DI: sent})
    other.replace({}, keys)
    assert [key for key in (CY, DI) if inviting.last(key)] == [key for key in (CY, DI) if key not in keys]
