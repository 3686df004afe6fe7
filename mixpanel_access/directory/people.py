"""The writes that bring people into the organization, change their organization role, and remove them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mixpanel_access.directory.shown import has_organization_role, is_in_no_team, is_listed
from mixpanel_access.directory.snapshot import PEOPLE, TEAMS, Part, grants_of
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors
from mixpanel_access.model.address import same_key

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory
    from mixpanel_access.directory.this_machine import Sendings


class PersonRole(NamedTuple):
    """Somebody, and their organization role."""

    email: str
    role: str


class Invite(Write[PersonRole]):
    """Invites people who are not in the organization.

    People are read afresh before each attempt, also after a lost answer: who is there by now gets no second e-mail.

    Attributes:
        mailed: the keys of the people who may have got the e-mail: everybody, unless Mixpanel has refused.
    """

    once = True
    limited = True

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._tried: set[str] = set()
        self.mailed: set[str] = set()

    def send(self, items: Sequence[PersonRole]) -> None:
        directory = self._directory
        with directory.inviting([item.email for item in items], self._tried):
            missing = {item.email: item.role for item in items if directory.person(item.email) is None}
            if not missing:
                return
            keys = set(map(same_key, missing))
            self._tried |= keys
            try:
                with directory.unseen.sending(keys):
                    directory.api.users.invite(missing)
            except (errors.Unreachable, errors.ServerFault, errors.Unintelligible):
                self.mailed |= keys
                raise
            self.mailed |= keys

    def effects(self, item: PersonRole) -> Iterable[Effect[Any]]:
        key = same_key(item.email)
        yield Effect(PEOPLE, key, is_listed(key))

    def arrived(self, item: PersonRole, snapshot: object) -> bool:  # noqa: ARG002
        return self._directory.person(item.email) is not None  # at another address, too

    def may_repeat(self, error: errors.MixpanelError) -> bool:
        return self._directory.writer.fate_is_known(error)


class Mail(Write[str]):
    """Sends an e-mail that leaves no trace to somebody who is only invited, or is not in the organization any more.

    The organization's list shows an invitation alike whenever it went out, so a lost answer leaves it open whether the
    e-mail did: then nothing is repeated here, lest somebody is invited twice.

    Attributes:
        sent: whether the e-mail went out: they may have accepted the invitation by now.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.sent = False

    def call(self, email: str) -> None:
        """Ask Mixpanel to send the e-mail to a person; each subclass has its own call."""
        raise NotImplementedError

    def sent_by_others(self, email: str) -> bool:  # noqa: ARG002
        """Whether somebody else has sent it by now."""
        return False

    def send(self, items: Sequence[str]) -> None:
        for email in items:
            with self._directory.one_invites():
                self._directory.snapshot.drop(PEOPLE)
                person = self._directory.person(email)
                self.sent = (person is None or person.invited) and not self.sent_by_others(email)
                if self.sent:
                    self.call(self._directory.spelled(email))

    def touches(self, item: str) -> Iterable[Part[Any]]:  # noqa: ARG002
        return [PEOPLE]

    def may_repeat(self, error: errors.MixpanelError) -> bool:
        return isinstance(error, errors.RateLimited)


class Resend(Mail):
    """Sends a pending invitation again."""

    def call(self, email: str) -> None:
        self._directory.api.users.resend([email])


class InviteAgain(Mail):
    """Invites somebody whose invitation has expired."""

    def __init__(self, directory: Directory, again: SentAgain) -> None:
        super().__init__(directory)
        self._again = again

    def call(self, email: str) -> None:
        self._directory.api.users.invite({email: self._again.role})
        if self._again.notes is not None and self._again.now is not None:
            self._again.notes.note(same_key(email), self._again.now)

    def sent_by_others(self, email: str) -> bool:
        notes = self._again.notes
        return self._again.sent_by_others(notes.last(same_key(email)) if notes is not None else None)


class SentAgain(NamedTuple):
    """An invitation that goes out again.

    Attributes:
        role: the organization role.
        notes: when other processes of this machine have sent expired invitations again.
        now: the instant to note for them.
        sent_by_others: whether somebody else has sent it by now, given what another process has noted.
    """

    role: str
    notes: Sendings | None
    now: datetime | None
    sent_by_others: Callable[[datetime | None], bool]


class ChangeRole(Write[PersonRole]):
    """Changes the organization role of a member or of a pending invitation."""

    at_once = 1

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def send(self, items: Sequence[PersonRole]) -> None:
        for item in items:
            self._directory.api.users.change_role(item.email, item.role)

    def effects(self, item: PersonRole) -> Iterable[Effect[Any]]:
        key = same_key(item.email)
        yield Effect(PEOPLE, ("role", key), has_organization_role(key, item.role))


class RemovePeople(Write[str]):
    """Removes people from the organization, or cancels invitations."""

    def __init__(self, directory: Directory) -> None:
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
