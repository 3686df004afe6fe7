"""The writes that bring people into the organization, change their organization role, and remove them."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mixpanel_access.directory.shown import has_organization_role, is_in_no_team, is_listed
from mixpanel_access.directory.snapshot import IN_USERS, PEOPLE, TEAMS, Part, grants_of, not_shown
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors
from mixpanel_access.model.address import domain_of, same_key

if TYPE_CHECKING:
    from mixpanel_access.directory.reads import Reads
    from mixpanel_access.directory.this_machine import Unseen


PER_HOUR: Final = 10
"""Invitation e-mails to one domain that Mixpanel sends in an hour, about."""
_LIMIT_WORDS: Final = re.compile(r"invit\w*\b.*\blimit|limit\b.*\binvit|too many invit", re.IGNORECASE)


def is_limit(error: errors.AccessError) -> bool:
    """Whether a refusal is the limit: 429, or its words under another status (contract, section 13)."""
    if isinstance(error, errors.Invalid | errors.NotApplied):
        return _LIMIT_WORDS.search(error.why) is not None
    return isinstance(error, errors.RateLimited)


@dataclass
class Closed:
    """A domain to which Mixpanel's limit lets no invitation through.

    Attributes:
        refusal: Mixpanel's answer.
        opens: until when; None where nobody has asked yet.
    """

    refusal: errors.AccessError
    opens: datetime | None = None


class PersonRole(NamedTuple):
    """Somebody, and their organization role."""

    email: str
    role: str


class Inviting:
    """Lets one thread of one process of this machine invite at a time.

    A program may give a new person a grant and make them a member at the same time: each of the two invites.

    Args:
        directory: the organization.
        unseen: the invitations of this machine that are on their way, or were not shown.
        alone: a context in which no other process of this machine reads and invites.
    """

    def __init__(
        self, directory: Reads, unseen: Unseen, alone: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self._directory, self.unseen, self._alone = directory, unseen, alone
        self._one_invites = threading.Lock()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else reads who is there and invites meanwhile."""
        with self._one_invites, self._alone():
            self._directory.snapshot.drop(PEOPLE)
            yield

    @contextmanager
    def inviting(self, emails: Sequence[str], tried: Collection[str]) -> Iterator[None]:
        """Read afresh who is there, and hold what may be a second invitation; nobody else invites meanwhile.

        `tried` are the keys of the people that an earlier attempt of this write invited, which Mixpanel did not apply.
        """
        with self.alone():
            self.unseen.settle(set(tried) & set(map(same_key, emails)))
            self._hold_second(emails)
            yield

    def note_outcome(self, email: str) -> None:
        """Note whether Mixpanel shows somebody that we have invited; a list that cannot be read does not show them."""
        try:
            shown = self._directory.person(email) is not None
        except errors.AccessError:  # the invitation went out all the same: the next read reports the error
            shown = False
        if shown:
            self.unseen.settle([same_key(email)])
        else:
            self.unseen.note(same_key(email))

    def _hold_second(self, emails: Iterable[str]) -> None:
        """Hold a second invitation: one went out just now, or the person came by SCIM, and Mixpanel does not show it.

        If another run of this machine is inviting them, Mixpanel may show them soon: this one looks for them first.
        """
        directory = self._directory
        missing = [email for email in emails if directory.person(email) is None]
        sending = [key for key in map(same_key, missing) if self.unseen.is_sending(key)]
        directory.writer.expect(Effect(PEOPLE, key, is_listed(key)) for key in sending)
        for email in missing:
            if directory.person(email) is not None:
                continue
            self.unseen.hold(same_key(email), email)
            if directory.provisioning.handles(email):
                what, shows = "cannot go on with somebody who came by SCIM", "does not list them yet"
                raise not_shown(what, email, shows, directory.writer.seconds, IN_USERS)


class Invite(Write[PersonRole]):
    """Invites people who are not in the organization.

    People are read afresh before each attempt, also after a lost answer: nobody who has come in meanwhile gets a second
    e-mail.

    Attributes:
        mailed: the keys of the people who may have got the e-mail: everybody, unless Mixpanel has refused.
        closed: domain -> the refusal by Mixpanel's limit, since which nobody of the domain is sent.
    """

    once = True
    limited = True

    def __init__(self, directory: Reads, inviting: Inviting) -> None:
        self._directory, self._inviting = directory, inviting
        self._tried: set[str] = set()
        self.mailed: set[str] = set()
        self.closed: dict[str, Closed] = {}
        self._mails: Counter[str] = Counter()

    def send(self, items: Sequence[PersonRole]) -> None:
        directory = self._directory
        with self._inviting.inviting([item.email for item in items], self._tried):
            missing = {item.email: item.role for item in items if directory.person(item.email) is None}
            if not missing:
                return
            keys = set(map(same_key, missing))
            self._tried |= keys
            try:
                with self._inviting.unseen.sending(keys):
                    directory.api.users.invite(missing)
            except (errors.Unreachable, errors.ServerFault, errors.Unintelligible):
                self.mailed |= keys
                raise
            self.mailed |= keys
            self._mails.update(map(domain_of, missing))

    def effects(self, item: PersonRole) -> Iterable[Effect[Any]]:
        key = same_key(item.email)
        yield Effect(PEOPLE, key, is_listed(key))

    def arrived(self, item: PersonRole, snapshot: object) -> bool:  # noqa: ARG002
        return self._directory.person(item.email) is not None  # at another address, too

    def refusal(self, item: PersonRole) -> errors.AccessError | None:
        closed = self.closed.get(domain_of(item.email))
        return closed.refusal if closed else None

    def refused_alone(self, item: PersonRole, error: errors.AccessError) -> None:
        if is_limit(error):
            self.closed[domain_of(item.email)] = Closed(error)

    def parts(self, items: Sequence[PersonRole], error: errors.AccessError) -> list[Sequence[PersonRole]]:
        if not is_limit(error):
            return super().parts(items, error)
        items = sorted(items, key=lambda item: domain_of(item.email))
        domain = domain_of(items[0].email)
        first = max(PER_HOUR - self._mails[domain], 1)  # what may still pass, else one to be sure
        if len(items) <= first or domain != domain_of(items[-1].email):
            return super().parts(items, error)
        rest = items[first:]
        return [items[:first], *(rest[start : start + PER_HOUR] for start in range(0, len(rest), PER_HOUR))]

    def open(self, domain: str) -> None:
        """Send to a domain again."""
        self.closed.pop(domain, None)
        self._mails.pop(domain, None)

    def may_repeat(self, error: errors.MixpanelError) -> bool:
        return self._directory.writer.fate_is_known(error)


class Mail(Write[str]):
    """Sends an e-mail that leaves no trace to somebody who is only invited, or is not in the organization any more.

    The organization's list shows an invitation alike whenever it went out, so a lost answer leaves it open whether the
    e-mail did: then nothing is repeated here, lest somebody is invited twice.

    Args:
        directory: the organization.
        inviting: lets one invite at a time.
        call: asks Mixpanel to send the e-mail to an address.
        sent_by_others: whether somebody else has sent it by now.

    Attributes:
        sent: whether the e-mail went out: they may have accepted the invitation by now.
    """

    def __init__(
        self,
        directory: Reads,
        inviting: Inviting,
        call: Callable[[str], None],
        sent_by_others: Callable[[], bool] = lambda: False,
    ) -> None:
        self._directory, self._inviting = directory, inviting
        self._call, self._sent_by_others = call, sent_by_others
        self.sent = False

    def send(self, items: Sequence[str]) -> None:
        for email in items:
            with self._inviting.alone():
                person = self._directory.person(email)
                self.sent = (person is None or person.invited) and not self._sent_by_others()
                if self.sent:
                    self._call(self._directory.spelled(email))

    def touches(self, item: str) -> Iterable[Part[Any]]:  # noqa: ARG002
        return [PEOPLE]

    def may_repeat(self, error: errors.MixpanelError) -> bool:
        return isinstance(error, errors.RateLimited)


class ChangeRole(Write[PersonRole]):
    """Changes the organization role of a member or of a pending invitation."""

    at_once, apart = 1, True

    def __init__(self, directory: Reads) -> None:
        self._directory = directory

    def send(self, items: Sequence[PersonRole]) -> None:
        for item in items:
            self._directory.api.users.change_role(item.email, item.role)

    def effects(self, item: PersonRole) -> Iterable[Effect[Any]]:
        key = same_key(item.email)
        yield Effect(PEOPLE, ("role", key), has_organization_role(key, item.role))


class RemovePeople(Write[str]):
    """Removes people from the organization, or cancels invitations."""

    def __init__(self, directory: Reads) -> None:
        self._directory = directory

    def send(self, items: Sequence[str]) -> None:
        self._directory.api.users.remove(items)

    def effects(self, item: str) -> Iterable[Effect[Any]]:
        key = same_key(item)
        yield Effect(PEOPLE, key, is_listed(key, listed=False))
        yield Effect(TEAMS, key, is_in_no_team(key), consequence=True)
        for project in self._directory.projects():
            part = grants_of(project)
            if self._directory.snapshot.fetched(part) and key in self._directory.grants(project):
                yield Effect(part, key, is_listed(key, listed=False), consequence=True)
