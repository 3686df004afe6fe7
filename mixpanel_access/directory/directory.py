"""One organization: its people, their access, and the writes that change it.

Reads come from one snapshot; a write drops the parts that it touches, so that what is read after it is what the server
says. Requests of an operation grow with projects and batches, not with people.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from mixpanel_access.api.stopping import STOP
from mixpanel_access.directory.crowd import LINGER, Crowd
from mixpanel_access.directory.custom_roles import CustomRoles
from mixpanel_access.directory.grants import (
    Failures,
    GiveGrants,
    GrantItem,
    Holding,
    InvitingGrants,
    RemoveGrants,
)
from mixpanel_access.directory.people import ChangeRole, Closed, Invite, Inviting, Mail, PersonRole, RemovePeople
from mixpanel_access.directory.progress import Progress
from mixpanel_access.directory.reads import Reads
from mixpanel_access.directory.security import SecuritySettings
from mixpanel_access.directory.service_accounts import ServiceAccounts
from mixpanel_access.directory.snapshot import ReadBack, Snapshot, grants_of
from mixpanel_access.directory.teams import Teams
from mixpanel_access.directory.this_machine import Sendings, Unseen
from mixpanel_access.directory.writer import REFUSALS_BORNE, Writer
from mixpanel_access.model import errors
from mixpanel_access.model.address import same_key
from mixpanel_access.model.settings import READ_BACK_SECONDS

if TYPE_CHECKING:
    from mixpanel_access.api.client import Api


@dataclass(frozen=True)
class Times:
    """How a directory waits.

    Attributes:
        linger: seconds for which a write is held for others to join it.
        sleep: waits some seconds between attempts.
        clock: seconds from any beginning, for how old a read is.
        read_back_seconds: how long a write that Mixpanel accepted is looked for; see `ReadBack`.
    """

    linger: float = LINGER
    sleep: Callable[[float], object] = STOP.sleep
    clock: Callable[[], float] = time.monotonic
    read_back_seconds: float = READ_BACK_SECONDS


@dataclass(frozen=True)
class Machine:
    """What the processes of one machine know of each other.

    Attributes:
        alone: a context in which no other process of this machine reads and invites; see `one_at_a_time`.
        sendings: when other processes of this machine have sent expired invitations again.
        unseen: what this machine has sent that Mixpanel did not show.
    """

    alone: Callable[[], AbstractContextManager[object]] = nullcontext
    sendings: Sendings = field(default_factory=Sendings)
    unseen: Unseen = field(default_factory=Unseen)


class Directory(Reads):
    """The organization as one consistent snapshot, and the only way to change it.

    Args:
        api: the calls to Mixpanel.
        organization: the organization's id.
        claimed: the claimed domains, for where Mixpanel does not report them.
        report: shows a line about an answer of Mixpanel that cannot be used in full.
        times: how it waits.
        machine: what the processes of this machine know of each other.

    Attributes:
        accounts: the organization's service accounts.
        teams: its teams.
        custom_roles: the custom roles of its projects.
        settings: the writes of its security settings; `security` reads them.
        unseen: the invitations of this machine that are on their way, or were not shown.
    """

    def __init__(
        self,
        api: Api,
        organization: int,
        *,
        claimed: frozenset[str] = frozenset(),
        report: Callable[[str], None] = lambda _: None,
        times: Times | None = None,
        machine: Machine | None = None,
    ) -> None:
        times, machine = times or Times(), machine or Machine()
        snapshot = Snapshot(times.clock, ReadBack(times.read_back_seconds, times.sleep, times.clock))
        writer = Writer(snapshot, Crowd(linger=times.linger), times.sleep)
        super().__init__(api, organization, writer, snapshot, claimed=claimed, report=report)
        self._sendings, self._clock = machine.sendings, times.clock
        self.unseen = machine.unseen
        self._inviting = Inviting(self, self.unseen, machine.alone)
        self._invite = Invite(self, self._inviting)
        self._give = GiveGrants(self)
        self._take = RemoveGrants(self)
        self._change_role = ChangeRole(self)
        self._remove = RemovePeople(self)
        self.accounts = ServiceAccounts(self)
        self.teams = Teams(self, self.unseen)
        self.custom_roles = CustomRoles(self)
        self.settings = SecuritySettings(writer, api.organization_settings)

    # People

    def invite(self, email: str, role: str) -> bool:
        """Invite somebody who is not in the organization; whether we sent the e-mail, or somebody else was faster."""
        try:
            self.writer.submit(self._invite, PersonRole(email, role))
        except errors.MixpanelError as error:
            if error.unsettled:
                self.unseen.note(same_key(email))
            raise
        if same_key(email) not in self._invite.mailed:
            return False
        self._inviting.note_outcome(email)
        return True

    @property
    def closed(self) -> dict[str, Closed]:
        """The domains to which `invite` sends nothing, since Mixpanel's limit has refused it."""
        return self._invite.closed

    def open_invitations(self, domain: str) -> None:
        """Let `invite` send to a domain again."""
        self._invite.open(domain)

    def invite_again(
        self,
        email: str,
        role: str,
        now: datetime | None = None,
        sent_by_others: Callable[[datetime | None], bool] = lambda noted: False,  # noqa: ARG005
    ) -> bool:
        """Invite somebody whose invitation has expired. One e-mail goes out, unless they have accepted it by now.

        Args:
            email: the address.
            role: the organization role.
            now: the instant to note for the other processes.
            sent_by_others: whether somebody else has sent it by now; asked while no other process invites, with what
                another one has noted.

        Returns:
            Whether we sent it.
        """
        notes = self._sendings

        def call(address: str) -> None:
            self.api.users.invite({address: role})
            if now is not None:
                notes.note(same_key(address), now)

        return self._mail(Mail(self, self._inviting, call, lambda: sent_by_others(notes.last(same_key(email)))), email)

    def resend(self, email: str) -> bool:
        """Send a pending invitation again. One e-mail goes out, unless it is accepted by now.

        Returns:
            Whether we sent it.

        Raises:
            NotFound: no invitation is pending. An expired one does not count as pending.
        """
        return self._mail(Mail(self, self._inviting, lambda address: self.api.users.resend([address])), email)

    def _mail(self, mail: Mail, email: str) -> bool:
        """Have an e-mail sent that leaves no trace; whether it was."""
        try:
            self.writer.settle(mail, [email])
        except (errors.Unreachable, errors.ServerFault, errors.Unintelligible) as error:
            if mail.sent:
                error.next_step = (
                    "The e-mail may or may not have gone out, and Mixpanel does not report it: ask the person, or run "
                    "again to send it once more."
                )
            raise
        return mail.sent

    def change_role(self, email: str, role: str) -> None:
        """Change the organization role of a member or of a pending invitation."""
        self.writer.settle(self._change_role, [PersonRole(self.spelled(email), role)])

    def remove(self, email: str) -> None:
        """Remove a person from the organization, or cancel an invitation. Irreversible."""
        self.unseen.forget(same_key(email))
        self.empty_lists.remove([email])
        self.writer.submit(self._remove, self.spelled(email))

    def has_removed(self, key: str) -> bool:
        """Whether this operation has removed somebody from the organization, or was about to."""
        return self.empty_lists.has_removed(self.key_of(key)) or self.empty_lists.has_removed(key)

    # Grants

    def grant(self, project: int, email: str, role: str) -> None:
        """Give or change a person's individual role in a project."""
        self.writer.submit(self._give, GrantItem(project, self.spelled(email), role))

    def grant_many(self, project: int, roles: Mapping[str, str]) -> Failures:
        """Give or change the roles of many people in a project.

        Returns:
            Address -> why it failed. Read the others back all the same: an answer is not a proof.
        """
        items = {GrantItem(project, self.spelled(email), role): email for email, role in _by_role(roles)}
        failures = self.writer.send_all(self._give, items, REFUSALS_BORNE)
        return {items[item]: error for item, error in failures.items()}

    def grant_inviting(self, project: int, roles: Mapping[str, str]) -> tuple[Failures, dict[str, str]]:
        """Give individual roles in a project to people who are not in the organization, which invites them as members.

        Returns:
            Address -> why it failed; and address -> the higher role that somebody else gave, which is kept.
        """
        write = InvitingGrants(self, self._inviting, roles)
        items = [GrantItem(project, email, role) for email, role in _by_role(roles)]
        failures = {item.email: error for item, error in self.writer.send_all(write, items, REFUSALS_BORNE).items()}
        for email in roles:
            error = failures.get(email)
            if isinstance(error, errors.MixpanelError) and error.unsettled:
                self.unseen.note(same_key(email))
            elif error is None:
                self._inviting.note_outcome(email)
        return failures, write.kept

    def remove_grant(self, project: int, email: str) -> None:
        """Take a person's individual grant in a project away. Never anything else.

        Raises:
            MixpanelError: it is still there; nothing else was tried.
        """
        self.empty_lists.take(grants_of(project), same_key(email))
        self.writer.submit(self._take, Holding(project, self.spelled(email)))

    def remove_grants(
        self, project: int, emails: Sequence[str], say: Callable[[str], None] = lambda _: None
    ) -> Failures:
        """Take the individual grants of many people in a project away, and nothing else; one request a person.

        What other threads take from a person at the same time goes out in the same request. `say` shows how far it is.

        Returns:
            Address -> why it failed.
        """
        for email in emails:
            self.empty_lists.take(grants_of(project), same_key(email))
        items = {Holding(project, self.spelled(email)): email for email in emails}
        progress = Progress(
            len(items), "grants taken away", lambda line: say(f"project {project}: {line}"), self._clock
        )
        failures = self.writer.submit_all(self._take, items, REFUSALS_BORNE, progress)
        return {items[item]: error for item, error in failures.items()}


def _by_role(roles: Mapping[str, str]) -> list[tuple[str, str]]:
    """The grants in an order in which a role that is refused is in one piece."""
    return sorted(roles.items(), key=lambda grant: (grant[1], grant[0]))
