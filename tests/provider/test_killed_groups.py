"""A run over a large group that is killed in the middle of a batch: the next one does the rest, and nothing twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

import pytest

from mixpanel_access.directory.progress import PROGRESS_SECONDS
from mixpanel_access.directory.writer import PARALLEL
from mixpanel_access.directory.writes import AT_ONCE
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.provider.project_access import ProjectAccessProvider
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_session

MEMBERS = [f"p{number:04}@example.com" for number in range(5 * AT_ONCE)]
STRANGERS = [f"s{number:02}@example.org" for number in range(30)]


class Kill(BaseException):
    """The process ends here."""


class Mortal(FakeApi):
    """Ends the process at one of its writes.

    Attributes:
        left: writes until then.
        applied_first: whether that write takes effect, and only its answer is lost.
        mails: how many invitations each address has got.
    """

    left: int = 1_000_000
    applied_first: bool = False
    mails: Counter[str]

    def die(self) -> bool:
        self.left -= 1
        if self.left < 0 and not self.applied_first:
            raise Kill
        return self.left < 0

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        dies = self.die()
        self.mails.update(email for _, email in roles if email not in self.people)
        super().grant(roles)
        if dies:
            raise Kill

    def remove_grants(self, email: str, projects: Iterable[int]) -> None:
        dies = self.die()
        super().remove_grants(email, projects)
        if dies:
            raise Kill


@pytest.fixture
def api() -> Mortal:
    """An organization of a thousand members without grants."""
    api = Mortal()
    api.mails = Counter()
    api.put("ana@example.com", "owner")
    for email in MEMBERS:
        api.put(email)
    return api


def group(
    api: FakeApi, said: list[str] | None = None, clock: Callable[[], float] = time.monotonic
) -> ProjectAccessProvider:
    """A provider of groups in a process of its own."""
    provider = ProjectAccessProvider()
    provider.handler.keeps = True
    session, lines = make_session(api, clock=clock, limits=Limits(released=frozenset(Brake)))
    session.say = (lines if said is None else said).append
    provider.use(session)
    return provider


def shared(people: Iterable[str], project: int = PRODUCTION) -> dict[str, Any]:
    """The inputs of a group."""
    return {"project_id": project, "grants": dict.fromkeys(people, "analyst"), "exclusive": False}


@pytest.mark.parametrize("applied_first", [True, False], ids=["the answer is lost", "it is not applied"])
@pytest.mark.parametrize("after", [0, 2, 4, 6])
def test_a_killed_up_is_finished_by_the_next_without_a_second_mail(
    api: Mortal, after: int, applied_first: bool
) -> None:
    """No state has any of it: the next run adopts what is there, invites the others, and gives the rest."""
    declared = shared([*MEMBERS, *STRANGERS])
    api.left, api.applied_first = after, applied_first
    with pytest.raises(Kill):
        group(api).create(declared)
    given = len(api.rows)
    assert given == sum(len(body) for verb, body in api.sent if verb == "grant" and isinstance(body, dict))
    api.left = 1_000_000
    api.sent.clear()
    outs = group(api).create(declared).outs or {}
    assert outs["grants"] == declared["grants"]
    assert api.mails == Counter(STRANGERS)
    assert sum(len(body) for _, body in api.sent if isinstance(body, dict)) == len(declared["grants"]) - given


@pytest.mark.parametrize("applied_first", [True, False], ids=["the answer is lost", "it is not applied"])
def test_a_killed_destroy_is_finished_by_the_next(api: Mortal, applied_first: bool) -> None:
    """Each person is asked for once, but for those whose request was under way."""
    outs = dict(group(api).create(shared(MEMBERS)).outs or {})
    api.sent.clear()
    api.left, api.applied_first = 400, applied_first
    with pytest.raises(Kill):
        group(api).delete(f"{ORGANIZATION}:{PRODUCTION}", outs)
    api.left = 1_000_000
    group(api).delete(f"{ORGANIZATION}:{PRODUCTION}", outs)
    assert api.rows == []
    assert len(MEMBERS) <= len(api.sent) <= len(MEMBERS) + PARALLEL


@pytest.mark.parametrize("lasts", [PROGRESS_SECONDS, 0.0])
def test_how_far_a_long_removal_is(api: Mortal, lasts: float) -> None:
    """Every ten seconds, where it takes long."""
    outs = dict(group(api).create(shared(MEMBERS[:20])).outs or {})
    said: list[str] = []
    seconds = count(0.0, lasts)
    group(api, said, clock=lambda: next(seconds)).delete(f"{ORGANIZATION}:{PRODUCTION}", outs)
    found = [line for line in said if line.endswith("of 20 grants taken away")]
    assert found == [f"project {PRODUCTION}: {number} of 20 grants taken away" for number in range(1, 20)] * (lasts > 0)
