"""Invitations within Mixpanel's limit of about 10 e-mails an hour and e-mail domain (contract, section 13).

Counts what a run would send, waits as long as it may, and else stops with who was invited, who was not, and from when
to run again. A later run goes on where this one stopped, since who is invited is in the organization's list.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from mixpanel_access.api.stopping import STOP
from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.grants import Failures
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.errors import AccessError, Invalid, MixpanelError, NotApplied, NotFound, RateLimited
from mixpanel_access.model.grouping import grouped

PER_HOUR: Final = 10
"""Invitation e-mails to one domain that Mixpanel sends in an hour, about."""
_HOUR: Final = 3600.0
_SHORTEST: Final = 30.0
"""Seconds; "at once" in an answer that refuses is not taken at its word."""
_LIMIT_WORDS: Final = re.compile(r"invit\w*\b.*\blimit|limit\b.*\binvit|too many invit", re.IGNORECASE)


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
        sleep: Callable[[float], None] = STOP.sleep,
    ) -> None:
        self._directory = directory
        self._wait_left = wait_seconds
        self._now = now
        self._say = say
        self._sleep = sleep
        self._lock = threading.Lock()
        self._planned: dict[str, dict[str, str]] = {}
        self._sent: list[str] = []
        self._closed: dict[str, datetime] = {}
        self._paid: dict[str, datetime] = {}

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
        return self._within_limit(email, lambda: self._directory.invite_again(email, role, self._now(), sent_by_others))

    def resend(self, email: str, role: str) -> bool:
        """Send an invitation again that is pending, or a new one where it is not; whether we sent the e-mail."""

        def send() -> bool:
            try:
                return self._directory.resend(email)
            except NotFound:
                return self._directory.invite_again(email, role)

        return self._within_limit(email, send)

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
        with self._lock:
            closed = domain in self._closed
        failures: Failures = {}
        limited = list(roles)
        if not closed:
            failures = self._give(project, roles, kept)
            limited = [one for one, error in failures.items() if isinstance(error, MixpanelError) and _is_limit(error)]
            with self._lock:
                self._sent += [email for email in roles if email not in failures]
        for email in limited:
            failures.pop(email, None)
            try:
                self._within_limit(email, partial(self._grant_one, project, email, roles[email], kept))
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

    def _within_limit(self, email: str, send: Callable[[], bool]) -> bool:
        domain = domain_of(email)
        while True:
            self._wait_for(domain, email)
            try:
                sent = send()
            except (RateLimited, Invalid, NotApplied) as error:
                if not _is_limit(error):
                    raise
                seconds = max(error.retry_after if error.retry_after is not None else _HOUR, _SHORTEST)
                with self._lock:
                    self._closed[domain] = self._now() + timedelta(seconds=seconds)
            else:
                with self._lock:
                    self._sent.append(email)
                return sent

    def _wait_for(self, domain: str, email: str) -> None:
        """Wait until the domain is open again, if there is time for it."""
        while True:
            with self._lock:
                opens = self._closed.get(domain)
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
                if self._closed.get(domain) == opens:  # nobody was refused meanwhile
                    self._closed.pop(domain)
                    self._paid.pop(domain, None)

    def _progress(self, domain: str, email: str, opens: datetime, seconds: float) -> str:
        sent = {same_key(address) for address in self._sent}
        planned = {*self._planned.get(domain, {}), same_key(email)}
        return (
            f"{len(sent & planned)} of {len(planned)} invitations to {domain} sent; Mixpanel's limit opens at "
            f"{opens:%H:%M} UTC, and the rest waits {seconds:.0f} s for it"
        )

    def _stopped(self, domain: str, email: str, opens: datetime) -> RateLimited:
        sent = {same_key(address) for address in self._sent}
        missing = [address for key, address in self._planned.get(domain, {}).items() if key not in sent]
        error = RateLimited(
            "cannot invite",
            subject=email,
            why=f"Mixpanel's limit of about {PER_HOUR} invitation e-mails an hour to {domain} is reached; invited in "
            f"this run: {_names(self._sent)}; not invited: {_names(missing or [email])}",
            next_step=f"Run again from {opens:%Y-%m-%d %H:%M} UTC; it goes on where this run stopped. To wait instead, "
            f"set mixpanel:invitationWaitSeconds.",
        )
        error.status = 429
        return error


def _is_limit(error: MixpanelError) -> bool:
    """Whether a refusal is the limit: 429, or its words under another status (contract, section 13)."""
    return isinstance(error, RateLimited) or _LIMIT_WORDS.search(error.why) is not None


def _names(addresses: list[str]) -> str:
    return ", ".join(sorted(dict.fromkeys(addresses))) or "nobody"
