"""Invitations within Mixpanel's limit of about 10 e-mails an hour and e-mail domain (contract, section 13).

Counts what a run would send, waits as long as it may, and else stops with who was invited, who was not, and from when
to run again. A later run goes on where this one stopped, since who is invited is in the organization's list.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from mixpanel_access.api.stopping import STOP
from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.grants import Failures
from mixpanel_access.directory.people import PER_HOUR, Closed, is_limit
from mixpanel_access.model.address import domain_of, few, same_key
from mixpanel_access.model.errors import AccessError, InvitationLimit, MixpanelError, NotFound
from mixpanel_access.model.grouping import grouped

_HOUR: Final = 3600.0
_NAMED: Final = 3 * PER_HOUR
"""So many addresses stand in a message; of more, the first few."""
_SHORTEST: Final = 30.0
"""Seconds; "at once" in an answer that refuses is not taken at its word."""


class Invitations:
    """The invitations of one operation. They raise `RateLimited` once the limit is reached and no time to wait is left.

    Args:
        directory: the organization.
        wait_seconds: how long the whole operation may wait for the limit; 0 stops at once.
        now: the clock.
        say: shows a line to the user.
        sleep: waits some seconds.
    """

    def __init__(
        self,
        directory: Directory,
        wait_seconds: float,
        now: Callable[[], datetime],
        say: Callable[[str], None],
        sleep: Callable[[float], object] = STOP.sleep,
    ) -> None:
        self._directory = directory
        self._wait_left = wait_seconds
        self._now = now
        self._say = say
        self._sleep = sleep
        self._lock = threading.Condition()
        self._under_way: Counter[str] = Counter()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._planned: dict[str, dict[str, str]] = {}
        self._sent: list[str] = []
        self._paid: dict[str, datetime] = {}

    @property
    def sent(self) -> int:
        """How many invitations the operation has sent."""
        return len(self._sent)

    def plan(self, email: str) -> None:
        """Note that the operation would invite this address, and warn once where a domain gets too many."""
        domain = domain_of(email)
        with self._lock:
            planned = self._planned.setdefault(domain, {})
            new = same_key(email) not in planned
            planned[same_key(email)] = email
            too_many = new and len(planned) == PER_HOUR + 1
        if too_many:
            self._say(
                f"warning: more than {PER_HOUR} invitations to {domain} in one run; Mixpanel sends about {PER_HOUR} an "
                f"hour to one domain. The rest is for a later run, or for mixpanel:invitationWaitSeconds."
            )

    def send(self, email: str, role: str) -> bool:
        """Invite somebody who is not in the organization; whether we sent the e-mail: somebody else may be faster."""
        return self._within_limit(email, lambda: self._directory.invite(email, role))

    def send_again(
        self,
        email: str,
        role: str,
        sent_by_others: Callable[[datetime | None], bool] = lambda noted: False,  # noqa: ARG005
    ) -> bool:
        """Invite somebody whose invitation has expired; whether we sent the e-mail: they may accept it first."""

        def send() -> bool:
            return self._directory.invite_again(email, role, self._now(), sent_by_others)

        return self._within_limit(email, send, one_by_one=True)

    def resend(self, email: str, role: str) -> bool:
        """Send an invitation again that is pending, or a new one where it is not; whether we sent the e-mail."""

        def send() -> bool:
            try:
                return self._directory.resend(email)
            except NotFound:
                return self._directory.invite_again(email, role)

        return self._within_limit(email, send, one_by_one=True)

    def grant(self, project: int, roles: Mapping[str, str]) -> tuple[Failures, dict[str, str]]:
        """Give roles in a project to people who are not in the organization: Mixpanel invites them as members.

        As many go into one request as may be invited to one domain in an hour.

        Returns:
            Address -> why it was not done; and address -> the higher role that somebody else gave them meanwhile, which
            is kept.
        """
        failures: Failures = {}
        kept: dict[str, str] = {}
        for domain, emails in grouped((domain_of(email), email) for email in roles).items():
            for start in range(0, len(emails), PER_HOUR):
                group = emails[start : start + PER_HOUR]
                failures |= self._grant_some(domain, project, {email: roles[email] for email in group}, kept)
        return failures, kept

    def _grant_some(self, domain: str, project: int, roles: Mapping[str, str], kept: dict[str, str]) -> Failures:
        """One request; where it goes beyond the limit, a request each until the limit is reached."""
        failures: Failures = {}
        limited = list(roles)
        if len(roles) > 1:
            with self._alone(domain), self._sending(domain) as is_open:
                if is_open:
                    failures = self._give(project, roles, kept)
                    limited = [email for email, error in failures.items() if is_limit(error)]
                    with self._lock:
                        self._sent += [email for email in roles if email not in failures]
        for email in limited:
            failures.pop(email, None)
            grant = partial(self._grant_one, project, email, roles[email], kept)
            try:
                self._within_limit(email, grant, one_by_one=True)
            except AccessError as error:
                failures[email] = error
        return failures

    def _give(self, project: int, roles: Mapping[str, str], kept: dict[str, str]) -> Failures:
        failures, higher = self._directory.grant_inviting(project, roles)
        kept |= higher
        return failures

    def _grant_one(self, project: int, email: str, role: str, kept: dict[str, str]) -> bool:
        for error in self._give(project, {email: role}, kept).values():
            raise error
        return True

    def _alone(self, domain: str) -> threading.Lock:
        """Lets one thread send what goes out in a request of its own: the first refusal then holds the others back."""
        with self._lock:
            return self._turns[domain]

    @contextmanager
    def _sending(self, domain: str) -> Iterator[bool]:
        """Count an invitation that is under way, if the domain is open; whether it is."""
        with self._lock:
            is_open = self._opens(domain) is None
            self._under_way[domain] += is_open
        try:
            yield is_open
        finally:
            with self._lock:
                self._under_way[domain] -= is_open
                self._lock.notify_all()

    def _within_limit(self, email: str, send: Callable[[], bool], *, one_by_one: bool = False) -> bool:
        domain = domain_of(email)
        while True:
            self._wait_for(domain, email)
            with self._alone(domain) if one_by_one else nullcontext(), self._sending(domain) as is_open:
                if not is_open:  # it was closed meanwhile
                    continue
                try:
                    sent = send()
                except MixpanelError as error:
                    if not is_limit(error):
                        raise
                    with self._lock:
                        self._directory.closed[domain] = Closed(error)
                        self._opens(domain)
                else:
                    with self._lock:
                        self._sent.append(email)
                    return sent

    def opens(self, email: str) -> datetime | None:
        """Until when Mixpanel's limit refuses invitations to somebody's domain; None where it does not."""
        with self._lock:
            return self._opens(domain_of(email))

    def _opens(self, domain: str) -> datetime | None:
        """Until when Mixpanel refuses a domain; None for one that is open. Only with the lock held."""
        closed = self._directory.closed.get(domain)
        if closed is not None and closed.opens is None:
            after = closed.refusal.retry_after if isinstance(closed.refusal, MixpanelError) else None
            seconds = max(after if after is not None else _HOUR, _SHORTEST)
            closed.opens = self._now() + timedelta(seconds=seconds)
        return closed.opens if closed else None

    def _wait_for(self, domain: str, email: str) -> None:
        """Wait until the domain is open again, if there is time for it.

        What is said of a closed domain is said when nothing to it is under way any more: it counts who was invited.
        """
        while True:
            with self._lock:
                self._lock.wait_for(lambda: domain not in self._directory.closed or not self._under_way[domain])
                opens = self._opens(domain)
                if opens is None:
                    return
                now = self._now()
                paid = self._paid.get(domain, now)  # by another thread, which waits for the same
                price = (opens - max(paid, now)).total_seconds()
                if price > self._wait_left:
                    raise self._stopped(domain, email, opens)
                if price > 0:
                    self._wait_left -= price
                    self._paid[domain] = opens
                    self._say(self._progress(domain, email, opens, price))
            self._sleep(max((opens - now).total_seconds(), 0.0))
            with self._lock:
                if self._opens(domain) == opens:  # nobody was refused meanwhile
                    self._paid.pop(domain, None)
                    self._directory.open_invitations(domain)
                    self._lock.notify_all()

    def _progress(self, domain: str, email: str, opens: datetime, seconds: float) -> str:
        sent = {same_key(address) for address in self._sent}
        planned = {*self._planned.get(domain, {}), same_key(email)}
        return (
            f"{len(sent & planned)} of {len(planned)} invitations to {domain} sent; Mixpanel's limit opens at "
            f"{opens:%H:%M} UTC, and the rest waits {seconds:.0f} s for it"
        )

    def _stopped(self, domain: str, email: str, opens: datetime) -> InvitationLimit:
        sent = {same_key(address) for address in self._sent}
        missing = [address for key, address in self._planned.get(domain, {}).items() if key not in sent]
        error = InvitationLimit(
            "cannot invite",
            subject=email,
            why=f"Mixpanel's limit of about {PER_HOUR} invitation e-mails an hour to {domain} is reached; invited in "
            f"this run: {_names(self._sent)}; not invited: {_names(missing or [email])}",
            next_step=f"Run again from {opens:%Y-%m-%d %H:%M} UTC; it goes on where this run stopped. To wait instead, "
            f"set mixpanel:invitationWaitSeconds.",
        )
        error.status, error.domain, error.opens = 429, domain, f"{opens:%Y-%m-%d %H:%M} UTC"
        return error


def _names(addresses: list[str]) -> str:
    names = sorted(dict.fromkeys(addresses))
    return (few(names) if len(names) > _NAMED else ", ".join(names)) or "nobody"
