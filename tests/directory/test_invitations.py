"""Invitations within the limit: counted, paced, stopped cleanly, gone on with."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from mixpanel_access.directory.crowd import LINGER
from mixpanel_access.directory.invitations import Invitations
from mixpanel_access.directory.people import PER_HOUR
from mixpanel_access.directory.writer import ATTEMPTS
from mixpanel_access.model import errors
from mixpanel_access.model.address import few
from tests.fakes import NOW, PRODUCTION, FakeApi, make_directory


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def limit(
    seconds: float | None = 1800, kind: type[errors.MixpanelError] = errors.RateLimited, why: str = "429"
) -> errors.MixpanelError:
    """The server's refusal at the limit."""
    error = kind("cannot invite", why=why)
    error.retry_after = seconds
    return error


def invitations(api: FakeApi, clock: Clock, wait: float = 0) -> tuple[Invitations, list[str]]:
    """Invitations over the fake, and what they say."""
    said: list[str] = []
    return Invitations(make_directory(api), wait, clock, said.append, clock.sleep), said


@pytest.mark.parametrize(("count", "warnings"), [(PER_HOUR, 0), (PER_HOUR + 1, 1), (PER_HOUR + 5, 1)])
def test_a_run_that_would_send_too_many_is_warned_about_once(count: int, warnings: int) -> None:
    """Ten to a domain are fine; the eleventh is worth a warning, and one is enough."""
    planned, said = invitations(FakeApi(), Clock())
    for number in range(count):
        planned.plan(f"p{number}@agency.example.org")
        planned.plan(f"P{number}@agency.example.org")
        planned.plan("ana@example.com")
    assert len(said) == warnings


REFUSALS = {
    "429": limit(),
    "429 without Retry-After": limit(None),
    "400 in words": limit(1800, errors.Invalid, "Mixpanel answered 400 (invitation limit reached)"),
    "200 with an error": limit(1800, errors.NotApplied, "You have hit the limit on invites"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_at_the_limit_it_stops_and_tells_who_was_invited_and_who_was_not(refusal: errors.MixpanelError) -> None:
    """The message has both lists and the time from which to run again; nobody else of the domain is tried."""
    api, clock = FakeApi(), Clock()
    run, _ = invitations(api, clock)
    for name in ("ana", "bo", "cy"):
        run.plan(f"{name}@agency.example.org")
    run.send("ana@agency.example.org", "member")
    api.faults["invite"] = [refusal] * ATTEMPTS  # a passing 429 is tried again first
    with pytest.raises(errors.RateLimited) as stopped:
        run.send("bo@agency.example.org", "member")
    again = "2026-05-04 13:00" if refusal.retry_after is None else "2026-05-04 12:30"
    for words in (
        "invited in this run: ana@agency.example.org;",
        "not invited: bo@agency.example.org, cy@agency.example.org",
        f"Run again from {again} UTC",
    ):
        assert words in str(stopped.value)
    with pytest.raises(errors.RateLimited, match="cannot invite for cy@agency"):
        run.send("cy@agency.example.org", "member")
    assert not any("cy@agency" in str(body) for _, body in api.sent)
    api.faults.clear()
    run.send("di@example.com", "member")  # another domain has a limit of its own
    assert "di@example.com" in api.people


@pytest.mark.parametrize(("wait", "sent"), [(1799, False), (1800, True)])
def test_it_waits_within_what_it_may(wait: float, sent: bool) -> None:
    """Exactly as long as is set, and not a second more."""
    api, clock = FakeApi(), Clock()
    run, said = invitations(api, clock, wait)
    api.faults["invite"] = [limit()]
    if sent:
        run.send("bo@agency.example.org", "member")
        progress = (
            "0 of 1 invitations to agency.example.org sent; Mixpanel's limit opens at 12:30 UTC, and the rest waits"
        )
        assert said == [f"{progress} 1800 s for it"]
        api.faults["invite"] = [limit()]
        with pytest.raises(errors.RateLimited):  # the wait is for the whole run
            run.send("cy@agency.example.org", "member")
    else:
        with pytest.raises(errors.RateLimited):
            run.send("bo@agency.example.org", "member")
    assert clock.slept == ([1800] if sent else [])


def test_any_other_refusal_is_not_the_limit() -> None:
    """A bad address closes no domain."""
    api, clock = FakeApi(), Clock()
    run, _ = invitations(api, clock, 9999)
    api.faults["invite"] = [limit(None, errors.Invalid, "Mixpanel answered 400 (bad address)")]
    with pytest.raises(errors.Invalid):
        run.send("bo@agency.example.org", "member")
    run.send("cy@agency.example.org", "member")


def test_an_expired_invitation_counts_too() -> None:
    """Sending again is an e-mail like any other."""
    api, clock = FakeApi(), Clock()
    api.put("bo@agency.example.org", invited=True)
    run, _ = invitations(api, clock)
    api.faults["invite"] = [limit()]
    with pytest.raises(errors.RateLimited, match="not invited: bo@agency"):
        run.send_again("bo@agency.example.org", "member")


def test_at_once_is_not_taken_at_its_word() -> None:
    """A refusal that may be repeated at once ends the run like any other; nobody is hammered."""
    api, clock = FakeApi(), Clock()
    run, _ = invitations(api, clock, wait=100)
    api.faults["invite"] = [limit(0.0) for _ in range(500)]
    with pytest.raises(errors.RateLimited):
        run.send("bo@agency.example.org", "member")
    assert len(api.sent) <= 4 * ATTEMPTS


def test_those_who_wait_for_the_same_pay_for_it_once() -> None:
    """Four threads are refused together; the time that the operation may wait is spent once, and all are invited."""
    api, clock = FakeApi(), Clock()
    all_refused, all_wait = threading.Barrier(4), threading.Barrier(4)

    def sleep(seconds: float) -> None:
        until = clock.now + timedelta(seconds=seconds)
        all_wait.wait(10)
        clock.now = max(clock.now, until)

    run = Invitations(make_directory(api), 2000, clock, lambda _: None, sleep)
    refusals, lock = [limit() for _ in range(4)], threading.Lock()

    def send(number: int) -> bool:
        with lock:
            refusal = refusals.pop() if refusals else None
        if refusal is not None:
            all_refused.wait(10)
            raise refusal
        api.put(f"p{number}@agency.example.org", invited=True)
        return True

    def invite(number: int) -> None:
        run._within_limit(f"p{number}@agency.example.org", lambda: send(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(invite, range(4)))
    assert len(api.people) == 4


def test_a_waiting_invitation_is_sent_again_and_one_that_is_over_is_made_anew() -> None:
    """Mixpanel knows which; each is one e-mail, and both keep to the limit."""
    api, clock = FakeApi(), Clock()
    api.put("cy@example.com", invited=True)
    run, _ = invitations(api, clock)
    run.resend("cy@example.com", "member")
    assert [verb for verb, _ in api.sent] == ["resend"]
    api.faults["resend"] = [errors.NotFound("cannot resend")]
    run.resend("cy@example.com", "member")
    assert api.sent[-1][0] == "invite"
    api.faults["resend"] = [limit(1800) for _ in range(ATTEMPTS)]
    with pytest.raises(errors.RateLimited, match=r"limit of about 10 invitation e-mails an hour to example.com"):
        run.resend("cy@example.com", "member")


class Elsewhere:
    """Somebody who invites by hand, or accepts, whenever the operation waits."""

    def __init__(self, api: FakeApi, email: str, *, invited: bool = True) -> None:
        self.api, self.email, self.invited = api, email, invited

    def __call__(self, _: float) -> None:
        self.api.put(self.email, "admin", invited=self.invited)


CY = "cy@example.com"


@pytest.mark.parametrize("invited", [True, False])
@pytest.mark.parametrize("verb", ["send", "send_again", "resend"])
def test_people_are_read_afresh_after_each_wait(verb: str, invited: bool) -> None:
    """Whoever was invited by hand, or has accepted, while the operation waited for the limit gets no second e-mail.

    One that waits is sent again all the same: that is what was asked for.
    """
    api, clock = FakeApi(), Clock()
    if verb != "send":
        api.put(CY, invited=True)
    directory = make_directory(api)
    run = Invitations(directory, 7200, clock, lambda _: None, Elsewhere(api, CY, invited=invited))
    assert (directory.person(CY) is None) is (verb == "send")
    api.faults["invite"] = [limit()]
    api.faults["resend"] = [limit()]
    sent = getattr(run, verb)(CY, "member")
    assert sent is (verb != "send" and invited)
    assert len(api.sent) == (2 if sent else 1)
    assert run.send("di@example.com", "member") is True


@pytest.mark.parametrize(
    ("ours", "by_hand", "kept"),
    [
        ("analyst", "admin", True),
        ("analyst", "consumer", False),
        ("analyst", "analyst", False),
        ("analyst", None, False),
        ("consumer", "5b0c0c3e-0000-4000-8000-000000000001", True),
    ],
)
@pytest.mark.parametrize("waits", [False, True])
def test_a_grant_that_would_invite_keeps_a_higher_role_that_somebody_else_has_given(
    ours: str, by_hand: str | None, kept: bool, waits: bool
) -> None:
    """Since the operation has read the organization, or while it waits for the limit; everybody else gets theirs."""
    api, clock = FakeApi(), Clock()
    directory = make_directory(api)

    def invite_by_hand(_: float = 0.0) -> None:
        api.put(CY, invited=True)
        if by_hand:
            api.give(PRODUCTION, CY, by_hand)

    run = Invitations(directory, 7200, clock, lambda _: None, invite_by_hand)
    assert directory.grants(PRODUCTION) == {}
    assert directory.person(CY) is None
    if waits:
        api.faults["grant"] = [limit()] * 2  # the two together, then each alone
    else:
        invite_by_hand()
    failures, higher = run.grant(PRODUCTION, {CY: ours, "di@example.com": ours})
    assert failures == {}
    assert higher == ({CY: by_hand} if kept else {})
    assert directory.access(PRODUCTION, CY).individual == (by_hand if kept else ours)
    assert directory.access(PRODUCTION, "di@example.com").individual == ours


class LimitedApi(FakeApi):
    """Mixpanel, which sends ten e-mails an hour to all of the crew together."""

    mails: int = 0
    all_came: threading.Event

    def invite(self, roles: Mapping[str, str]) -> None:
        self._mail(roles)
        super().invite(roles)

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        self._mail([email for _, email in roles])
        super().grant(roles)

    def resend(self, emails: Iterable[str]) -> None:
        self._mail([*emails])
        super().resend(emails)

    def _mail(self, emails: Collection[str]) -> None:
        assert self.all_came.wait(10)
        with self.one_write:
            self.calls["posts"] += 1
            if self.mails + len(emails) > PER_HOUR:
                raise limit()
            self.mails += len(emails)


class SharedClock(Clock):
    """A clock by which many threads sleep at once; after a sleep the limit is open again."""

    def __init__(self, api: LimitedApi) -> None:
        super().__init__()
        self._api, self._seen = api, threading.local()

    def __call__(self) -> datetime:
        self._seen.now = self.now
        return self.now

    def sleep(self, seconds: float) -> None:
        until = self._seen.now + timedelta(seconds=seconds)
        with self._api.one_write:
            if until > self.now:
                self.now, self._api.mails = until, 0


THREADS = 32
"""As many as our own server has; Mixpanel answers none of them before all are there."""
CREW = [f"p{number:02}@agency.example.org" for number in range(60)]


class CrewRun:
    """Each of the crew is invited by one of many threads.

    Attributes:
        refused: address -> what its resource says.
        said: the lines of the run.
    """

    def __init__(self, api: LimitedApi, verb: str, wait: float = 0) -> None:
        self.api, self.verb, self.said = api, verb, list[str]()
        self.refused: dict[str, str] = {}
        clock = SharedClock(api)
        self._yet_to_come, self._lock = THREADS, threading.Lock()
        api.all_came = threading.Event()
        self._run = Invitations(make_directory(api, linger=LINGER), wait, clock, self.said.append, clock.sleep)
        for email in CREW:
            self._run.plan(email)
        self.said.clear()
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._invite, CREW))

    def _invite(self, email: str) -> None:
        with self._lock:
            self._yet_to_come -= 1
            if not self._yet_to_come:
                self.api.all_came.set()
        try:
            if self.verb == "grant":
                for error in self._run.grant(PRODUCTION, {email: "analyst"})[0].values():
                    raise error
            else:
                getattr(self._run, self.verb)(email, "member")
        except errors.RateLimited as error:
            self.refused[email] = str(error)


def crew_api(verb: str) -> LimitedApi:
    """An organization in which the crew is invited already, where it is about sending that again."""
    api = LimitedApi()
    if verb.startswith(("resend", "send_")):
        for email in CREW:
            api.put(email, invited=True)
    return api


VERBS = {"send": (7, 14), "grant": (18, 60), "resend": (14, 28), "send_again": (14, 28)}
"""The requests and reads of four threads, which the SDK's server has."""


@pytest.mark.parametrize(("verb", "posts", "reads"), [(verb, *most) for verb, most in VERBS.items()])
def test_many_threads_send_no_more_requests_at_the_limit_than_few(verb: str, posts: int, reads: int) -> None:
    """The first refusal of one address closes the domain for everybody who waits, and ten e-mails go out."""
    api = crew_api(verb)
    run = CrewRun(api, verb)
    assert (api.mails, len(run.refused)) == (PER_HOUR, len(CREW) - PER_HOUR)
    assert api.calls["posts"] <= posts
    assert api.calls["list_users"] + api.calls["granted_users"] <= reads


@pytest.mark.parametrize("verb", VERBS)
def test_every_message_at_the_limit_counts_all_who_were_invited(verb: str) -> None:
    """It is written when nothing to the domain is under way any more, whichever thread writes it."""
    run = CrewRun(crew_api(verb), verb)
    invited = ", ".join(sorted(set(CREW) - set(run.refused)))
    missing = few(run.refused)  # a crowd is counted
    for text in run.refused.values():
        assert f"invited in this run: {invited}; not invited: {missing}. " in text


@pytest.mark.parametrize("verb", ["send", "grant"])
def test_the_progress_of_many_threads_counts_all_who_were_invited(verb: str) -> None:
    """Where the run waits for the limit, each line has ten more, and all are invited once."""
    api = crew_api(verb)
    run = CrewRun(api, verb, wait=6 * 1800)
    assert run.refused == {}
    assert [line.split(" invitations")[0] for line in run.said] == [f"{sent} of 60" for sent in (10, 20, 30, 40, 50)]
    assert len(api.people) == len(CREW)


def test_a_refusal_waits_for_what_is_under_way_before_it_counts() -> None:
    """An invitation that another thread has sent, and whose answer is on its way, is not listed as missing."""
    started, refused = threading.Event(), threading.Event()

    def clock() -> datetime:
        refused.set()  # the limit was met: it is asked until when
        return NOW

    run = Invitations(make_directory(FakeApi()), 0, clock, lambda _: None)
    run.plan("ana@example.com")

    def send() -> bool:
        started.set()
        return refused.wait(10)

    def refuse() -> bool:
        raise limit()

    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(run._within_limit, "ana@example.com", send)
        assert started.wait(10)
        with pytest.raises(errors.RateLimited, match=r"this run: ana@example\.com; not invited: bo@example\.com"):
            run._within_limit("bo@example.com", refuse)
        assert sent.result()
