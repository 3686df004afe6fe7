"""A run over a large group that is killed in the middle of a batch: the next one does the rest, and nothing twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import pytest

from mixpanel_access.directory.progress import PROGRESS_SECONDS
from mixpanel_access.directory.writer import PARALLEL
from mixpanel_access.directory.writes import AT_ONCE
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.declaring import ProgramDeclaration
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.members import MembersProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.run import Scope
from mixpanel_access.provider.team_member import TeamMemberProvider
from mixpanel_access.provider.team_members import TeamMembersProvider
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

    @contextmanager
    def writing(self, verb: str, body: Any) -> Iterator[bool]:  # type: ignore[override]
        dies = self.die()
        emails = [email for _, email in body] if verb == "grant" else body if verb == "invite" else ()
        with super().writing(verb, body) as writing:
            self.mails.update(email for email in emails if email not in self.people)
            yield writing
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


KINDS: dict[str, tuple[type[AccessProvider], type[AccessProvider], dict[str, Any]]] = {
    "members": (MemberProvider, MembersProvider, {}),
    "memberships": (TeamMemberProvider, TeamMembersProvider, {"team_id": 77}),
}


@pytest.mark.parametrize("applied_first", [True, False], ids=["the answer is lost", "it is not applied"])
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("grouped", [False, True], ids=["single", "in a group"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_members_and_memberships_are_finished_by_the_next(
    kind: str, grouped: bool, after: int, applied_first: bool
) -> None:
    """Created, and taken away: no state has any of what was done, nobody gets two mails, and nobody else goes."""
    api = Mortal(one_write=threading.Lock())
    api.mails = Counter()
    single, group_, place = KINDS[kind]
    api.put("ana@example.com", "owner")
    api.teams.put("Data", "ana@example.com")
    people = [f"s{number}@d{number}.example.org" for number in range(6)]
    if place:
        for email in people:
            api.put(email)

    def run(verb: str, left: int) -> None:
        api.left, api.applied_first = left, applied_first
        provider = group_() if grouped else single()
        provider.handler.keeps = True
        session, _ = make_session(api, limits=Limits(released=frozenset(Brake)))
        session.scope = Scope(declared=ProgramDeclaration)
        provider.use(session)
        listed: Any = people if place else {email: {"removal": "always"} for email in people}
        each = [{"email": email, **place, **({} if place else {"removal": "always"})} for email in people]
        for props in [{"people": listed, **place}] if grouped else each:
            if verb == "create":
                held[str(props)] = provider.create(dict(props))
            elif str(props) in held:
                provider.delete(held[str(props)].id, dict(held[str(props)].outs))

    held: dict[str, Any] = {}
    for verb in ("create", "delete"):
        # A group may have no second request.
        with suppress(Kill) if grouped and after else pytest.raises(Kill):
            run(verb, after)
        run(verb, 1_000_000)
        there = set(people) if verb == "create" or place else set[str]()
        assert api.people.keys() == {"ana@example.com"} | there
        inside = api.teams.teams[77].members or frozenset()
        assert inside == {"ana@example.com"} | (set(people) if verb == "create" and place else set())
    assert api.mails == Counter(() if place else people)
