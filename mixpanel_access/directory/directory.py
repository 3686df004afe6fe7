"""One organization: who is in, what they hold, and the writes that change it.

Reads come from one snapshot; a write drops the parts that it touches, so that what is read after it is what the server
says. Requests of an operation grow with projects and batches, not with people.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import cast

from mixpanel_access.directory.calls import Api
from mixpanel_access.directory.coalescer import LINGER, Coalescer, Crowd
from mixpanel_access.directory.custom_roles import CustomRoles
from mixpanel_access.directory.empty_lists import EmptyLists, by_role, contradiction
from mixpanel_access.directory.grant_batches import NO_SUCH_CALL, Failures, GrantBatches
from mixpanel_access.directory.one_at_a_time import Sendings
from mixpanel_access.directory.one_by_one import each_alone, one_by_one_if_refused
from mixpanel_access.directory.provisioning import Provisioning
from mixpanel_access.directory.read_back import IN_USERS, ReadBack, not_shown
from mixpanel_access.directory.security import read_features, read_security
from mixpanel_access.directory.service_accounts import ServiceAccounts, roles_in
from mixpanel_access.directory.settings import SecuritySettings
from mixpanel_access.directory.shown import has_grant, has_organization_role, is_in_no_team, is_listed
from mixpanel_access.directory.snapshot import PEOPLE, TEAMS, Snapshot, grants_of
from mixpanel_access.directory.teams import Teams
from mixpanel_access.directory.unseen import Unseen
from mixpanel_access.directory.writing import Expected, Writing
from mixpanel_access.model import errors
from mixpanel_access.model.access import (
    AccessInProject,
    Grant,
    GrantType,
    Identity,
    Person,
    Project,
    access_in_project,
)
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.other_access import Discoverability
from mixpanel_access.model.rights import OwnRights
from mixpanel_access.model.roles import is_higher
from mixpanel_access.model.security import Feature, Security
from mixpanel_access.model.settings import READ_BACK_SECONDS

_Invite = tuple[str, str]
"""E-mail address, organization role."""
_Order = tuple[int, str, str]
"""Project id, e-mail address, project role."""
_Place = tuple[int, str]
"""Project id, e-mail address."""

_PROJECTS = "projects"
_IDENTITY = "identity"
_SECURITY = "security"


class Directory:
    """The organization as one consistent picture.

    Args:
        api: the calls to Mixpanel.
        organization: the organization's id.
        claimed: the claimed domains, for where Mixpanel does not tell them.
        linger: seconds for which a write is held for others to join it.
        sleep: waits some seconds between attempts.
        clock: seconds from any beginning, for how old a read is.
        alone: a context in which no other process of this machine reads and invites; see `one_at_a_time`.
        report: shows a line about an answer of Mixpanel that cannot be used in full.
        sendings: when other processes of this machine have sent expired invitations again.
        read_back_seconds: how long a write that Mixpanel accepted is looked for; see `ReadBack`.
        unseen: what this machine has sent that Mixpanel did not show.

    Attributes:
        accounts: the organization's service accounts.
        provisioning: who comes and goes by SCIM.
        grant_batches: many individual grants of one project at once.
        teams: its teams.
        custom_roles: the custom roles of its projects.
        settings: the writes of its security settings; `security` reads them.
    """

    def __init__(
        self,
        api: Api,
        organization: int,
        *,
        claimed: frozenset[str] = frozenset(),
        linger: float = LINGER,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        alone: Callable[[], AbstractContextManager[object]] = nullcontext,
        report: Callable[[str], None] = lambda _: None,
        sendings: Sendings | None = None,
        read_back_seconds: float = READ_BACK_SECONDS,
        unseen: Unseen | None = None,
    ) -> None:
        self._sendings = sendings
        self.read_back_seconds = read_back_seconds
        self._unseen = unseen or Unseen()
        self.organization = organization
        self.report = report
        self._alone = alone
        self._one_invites = threading.Lock()
        self._empty_lists = EmptyLists()
        self._projects_read: set[int] = set()
        self._open_to_all: dict[int, tuple[Mapping[str, tuple[Grant, ...]], bool]] = {}
        self._ids: dict[str, int | Callable[[], int | None]] = {}
        self._moved: dict[str, str] = {}
        self._mailed: set[str] = set()
        self._unknown: list[str] = []
        self._api = api
        read_back = ReadBack(read_back_seconds, sleep, clock)
        self._snapshot = Snapshot(clock, read_back)
        crowd = Crowd(linger=linger)
        self._writing = Writing(self._snapshot, read_back, sleep)
        self.accounts = ServiceAccounts(api, self.identity, self._snapshot, self._writing)
        self.provisioning = Provisioning(api, self.identity, self._snapshot, self._writing, claimed, crowd)
        self.grant_batches = GrantBatches(
            api,
            self._writing,
            self._individual,
            self.hides_grant,
            self._invited,
            self.spelled,
            self._empty_lists,
        )
        self.teams = Teams(
            api,
            self.identity,
            self.projects,
            self._snapshot,
            self._writing,
            self.provisioning,
            crowd,
            self._empty_lists,
            self._read_projects,
            self._invited,
            self._unseen,
        )
        self.custom_roles = CustomRoles(
            api, self._snapshot, self._writing, lambda project: (grants_of(project), roles_in(project), TEAMS)
        )
        self.settings = SecuritySettings(api, self._writing, _SECURITY)
        self._seen_invited = False
        self._invites: Coalescer[_Invite] = Coalescer(self._send_invites, crowd)
        self._orders: Coalescer[_Order] = Coalescer(self._send_orders, crowd)
        self._takings: Coalescer[_Place] = Coalescer(self._send_takings, crowd)
        self._removals: Coalescer[str] = Coalescer(self._send_removals, crowd)

    # Reads

    def identity(self) -> Identity:
        """Who we are to Mixpanel.

        Raises:
            Forbidden: the service account does not belong to this organization.
        """
        identity = self._snapshot.get(_IDENTITY, self._api.me.read)
        if self.organization not in identity.organizations:
            known = ", ".join(map(str, sorted(identity.organizations))) or "none"
            raise errors.Forbidden(
                f"cannot work on organization {self.organization}",
                why=f"the service account does not belong to it (its organizations: {known})",
                next_step="Check mixpanel:organizationId and mixpanel:serviceAccountUsername.",
            )
        return identity

    def own_rights(self) -> OwnRights:
        """What our own account may do in the organization."""
        return self.identity().rights(self.organization)

    def own_role(self) -> str | None:
        """The organization role that our account acts with, by its permissions too; None where it is not told."""
        return self.own_rights().role

    def people(self) -> Mapping[str, Person]:
        """Everybody in the organization, invited people included, by the key of their address.

        People whom SCIM shows as inactive are marked as deactivated, whatever the list says of them.
        """

        def fetch() -> Mapping[str, Person]:
            self.identity()  # a wrong organization is told as what it is
            listed = self._api.users.list_users()
            self._note_unknown([person for person in listed if not person.email])
            people = {person.key: person for person in listed if person.email}
            inactive = self.provisioning.inactive()
            return {key: replace(one, deactivated=True) if key in inactive else one for key, one in people.items()}

        return self._snapshot.get(PEOPLE, fetch)

    def has_read_people(self) -> bool:
        """Whether everybody is known without another request."""
        return self._snapshot.fetched(PEOPLE)

    def unknown_people(self) -> Sequence[str]:
        """In words, the rows without an address in the list of people as it was last read."""
        return self._unknown

    def _note_unknown(self, people: Sequence[Person]) -> None:
        names = (f"user {person.user_id}" if person.user_id is not None else person.name for person in people)
        unknown = [name or "no id and no name" for name in names]
        if unknown and unknown != self._unknown:
            rows = f"{len(unknown)} row{'s' * (len(unknown) > 1)} without an address ({few(unknown)})"
            self.report(
                f"warning: Mixpanel lists {rows}. They are left out, and nobody is removed from the organization "
                f"while they are there."
            )
        self._unknown = unknown

    def person_of(self, user_id: int) -> Person | None:
        """One person by Mixpanel's id of the user, whatever their address is now; None if nobody has it."""
        return next((person for person in self.people().values() if person.user_id == user_id), None)

    def remember(self, email: str, user_id: int | Callable[[], int | None]) -> None:
        """Know somebody by Mixpanel's id of the user: who gets another address in the product is found all the same.

        Args:
            email: the address that we know.
            user_id: the id, or what finds it; asked only if nobody has the address.
        """
        if callable(user_id):
            self._ids.setdefault(same_key(email), user_id)
        else:
            self._ids[same_key(email)] = user_id

    def key_of(self, email: str) -> str:
        """The key of the address that somebody has now, which may be another one than the one that we know.

        Mixpanel's id decides where we know it: whoever else has got the address since is somebody else.
        """
        key, people = same_key(email), self.people()
        known, there = self._ids.get(key), people.get(key)
        if known is None or (callable(known) and there is not None):
            return key
        user_id = known() if callable(known) else known
        if user_id is None or (there is not None and there.user_id == user_id):
            return key
        if (person := self.person_of(user_id)) is not None:
            self._moved[key] = person.key
        return self._moved.get(key, key)  # who has been removed since had that address

    def spelled(self, email: str) -> str:
        """The address that somebody has now, as Mixpanel spells it; as it is where Mixpanel does not know it."""
        if person := self.person(email):
            return person.email
        key = self.key_of(email)
        return key if key != same_key(email) else email

    def person(self, email: str) -> Person | None:
        """One person, or None if they are not in the organization."""
        return self.people().get(self.key_of(email))

    def renamed(self, email: str) -> str | None:
        """The other address that somebody has by now; None if they have this one, or are not in the organization."""
        key = self.key_of(email)
        person = self.people().get(key) if key != same_key(email) else None
        return person.email if person else None

    def projects(self) -> Mapping[int, Project]:
        """Every project, by id."""

        def fetch() -> Mapping[int, Project]:
            self.identity()
            return {project.id: project for project in self._api.projects.list_projects()}

        return self._snapshot.get(_PROJECTS, fetch)

    def security(self) -> Security:
        """The organization's security settings; what Mixpanel does not tell is unknown in them."""

        def fetch() -> Security:
            self.identity()
            return read_security(self._api)

        return self._snapshot.get(_SECURITY, fetch)

    def discoverability(self) -> Discoverability:
        """How people of the company's domains come into the organization by themselves.

        Raises:
            MixpanelError: Mixpanel does not tell.
        """
        return self._snapshot.get("discoverability", self._api.organization_settings.discoverability)

    def features(self, now: datetime) -> Mapping[Feature, str | None]:
        """What the plan has: feature -> None where it can be used, else Mixpanel's reason."""
        return read_features(self._api, self.security(), min(self.projects(), default=None), now)

    def audit_events(
        self, types: Sequence[str], since: datetime, until: datetime, pages: int | None = None
    ) -> list[AuditEvent]:
        """The events of the audit log of some types within a span, the newest first; asked for each time.

        Args:
            types: such as `organization.user_added`.
            since: the first instant (UTC).
            until: the last.
            pages: the pages that are enough, the newest; None for all.

        Raises:
            MixpanelError: it cannot be read: the plan has none, or our account may not.
        """
        self.identity()
        return self._api.audit_log.events(types, since, until, pages)

    def grants(self, project: int) -> Mapping[str, tuple[Grant, ...]]:
        """The grants in one project, by the key of the person's address.

        Raises:
            NotFound: the organization has no such project.
        """

        def fetch() -> Mapping[str, tuple[Grant, ...]]:
            grants: dict[str, list[Grant]] = {}
            for grant in self._api.projects.granted_users(project):
                grants.setdefault(grant.key, []).append(grant)
            individual = [key for key, rows in grants.items() if any(_is_individual(row) for row in rows)]
            self._empty_lists.read(grants_of(project), individual)
            self._projects_read.add(project)
            return {key: tuple(rows) for key, rows in grants.items()}

        rows = self._snapshot.get(grants_of(project), fetch)
        if not rows and (self._empty_lists.is_odd(grants_of(project)) or by_role(self._read_projects())):
            self._snapshot.drop(grants_of(project))
            rows = self._snapshot.get(grants_of(project), fetch)
            if not rows and by_role(self._read_projects()):
                words = "other projects show people who have every project by their organization role"
                raise contradiction(f"read who has access to project {project}", words)
        return rows

    def _read_projects(self) -> list[Mapping[str, tuple[Grant, ...]]]:
        """The grants of the projects that have been read so far."""
        parts = self._snapshot.found(map(grants_of, self._projects_read.copy()))
        return cast("list[Mapping[str, tuple[Grant, ...]]]", parts)

    def open_to_all(self, project: int) -> bool:
        """Whether everybody in the organization has a project, by a grant to all users.

        Raises:
            NotFound: the organization has no such project.
        """
        grants = self.grants(project)
        known = self._open_to_all.get(project)
        if known is None or known[0] is not grants:
            rows = (grant for held in grants.values() for grant in held)
            known = self._open_to_all[project] = grants, any(one.grant_type is GrantType.ALL_USERS for one in rows)
        return known[1]

    def access(self, project: int, email: str) -> AccessInProject:
        """What one person can do in one project, and by which ways."""
        person = self.person(email)
        rows = self.grants(project).get(self.key_of(email), ())
        return access_in_project(rows, person.role if person and not person.invited else None)

    def _individual(self, project: int, email: str) -> str | None:
        return self.access(project, email).individual

    def _invited(self) -> frozenset[str]:
        return frozenset(key for key, person in self.people().items() if person.invited)

    def shows_invited(self, project: int) -> bool:
        """Whether projects' grants are seen to list invited people: this one's, or any that was read before.

        Nobody documents whether they do. Where not one invited person is seen, an invited person's grant that is not
        listed is unknown, not gone.
        """
        if not self._seen_invited:
            people = self.people()
            self._seen_invited = any(key in people and people[key].invited for key in self.grants(project))
        return self._seen_invited

    def hides_grant(self, project: int, email: str) -> bool:
        """Whether this person's grant in the project may be there without being listed: they are only invited."""
        person = self.person(email)
        return person is not None and person.invited and not self.shows_invited(project)

    def hides_access(self, email: str) -> bool:
        """Whether a person may hold grants of which none can be seen; so it is where no project is listed."""
        return all(self.hides_grant(project, email) for project in self.projects())

    def project_is_gone(self, project: int) -> bool:
        """Whether the organization no longer has the project; one that is only out of our sight is not gone.

        Raises:
            Forbidden: it is there, and we may not look into it.
        """
        if project in self.projects():
            return False

        def fetch() -> bool:
            try:
                self.grants(project)
            except errors.NotFound as error:
                if error.status not in (None, 404):
                    raise  # the call is missing, not the project
                return True
            return False

        return self._snapshot.get(("gone", project), fetch)

    def reached_projects(self, email: str) -> Mapping[int, tuple[Grant, ...]]:
        """The projects that a person reaches, each with the grants that the project lists; reads every project."""
        for project in self.projects():
            self.grants(project)
        found = {project: self.access(project, email).grants for project in self.projects()}  # now that all are read
        return {project: grants for project, grants in found.items() if grants}

    def forget_people(self, older_than: float) -> None:
        """Have the list of people read afresh when it is next asked for, if it is older than so many seconds."""
        self._snapshot.drop_older_than(older_than, [PEOPLE])

    def forget_grants(self, older_than: float, projects: Iterable[int] | None = None) -> None:
        """Have grants that were read more than so many seconds ago read afresh when they are next asked for.

        Args:
            older_than: the seconds.
            projects: whose grants; by default all.
        """
        some = self.projects() if projects is None else projects
        self._snapshot.drop_older_than(older_than, [grants_of(project) for project in some])

    # Writes

    def invite(self, email: str, role: str) -> bool:
        """Invite somebody who is not in the organization. One e-mail goes out, unless somebody else was faster.

        Returns:
            Whether we sent it. People are read afresh right before: who is there by then is left as they are.
        """
        try:
            self._invites.submit((email, role))
        except errors.MixpanelError as error:
            if error.unsettled:
                self._unseen.note(same_key(email))
            raise
        if same_key(email) not in self._mailed:
            return False
        self._note_outcome(email)
        return True

    def _note_outcome(self, email: str) -> None:
        """Note whether Mixpanel shows somebody whom we have invited."""
        if self.person(email) is None:
            self._unseen.note(same_key(email))
        else:
            self._unseen.settle([same_key(email)])

    def sent_unseen(self, key: str) -> bool:
        """Whether this machine has just invited somebody whom Mixpanel did not show then."""
        return self._unseen.sent(key) is not None

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

        def send() -> None:
            self._api.users.invite({self.spelled(email): role})
            if self._sendings is not None and now is not None:
                self._sendings.note(same_key(email), now)

        def others() -> bool:
            return sent_by_others(self._sendings.last(same_key(email)) if self._sendings is not None else None)

        return self._mail_once(email, send, others)

    def resend(self, email: str) -> bool:
        """Send a pending invitation again. One e-mail goes out, unless it is accepted by now.

        Returns:
            Whether we sent it.

        Raises:
            NotFound: none is pending; an expired one is none.
        """
        return self._mail_once(email, lambda: self._api.users.resend([self.spelled(email)]))

    def grant_inviting(self, project: int, roles: Mapping[str, str]) -> tuple[Failures, dict[str, str]]:
        """Give individual roles in a project to people who are not in the organization, which invites them as members.

        People and the project's grants are read afresh right before, for somebody else may have been faster.

        Args:
            project: the project's id.
            roles: address -> project role.

        Returns:
            For whom it was not done; and address -> the higher role that somebody else has given them, which is kept.
        """
        kept: dict[str, str] = {}
        tried: set[str] = set()

        @contextmanager
        def fresh(emails: Sequence[str]) -> Iterator[Collection[str]]:
            with self._inviting():
                self._snapshot.drop(PEOPLE)
                self._unseen.settle(tried & set(map(same_key, emails)))  # Mixpanel did not apply our first try
                self._hold_invitations(emails)
                if any(self.person(email) for email in emails):
                    self._snapshot.drop(grants_of(project))
                    held = {email: self._individual(project, email) for email in emails}
                    kept.update({one: role for one, role in held.items() if role and is_higher(role, roles[one])})
                new = {same_key(email) for email in emails if self.person(email) is None}
                tried.update(new)
                with self._unseen.sending(new):
                    yield kept

        failures = self.grant_batches.give(project, roles, fresh)
        for email in roles:
            error = failures.get(email)
            unknown = isinstance(error, errors.MixpanelError) and error.unsettled
            if unknown:
                self._unseen.note(same_key(email))
            elif error is None:
                self._note_outcome(email)
        return failures, kept

    def _hold_invitations(self, emails: Iterable[str]) -> None:
        """Hold an invitation of somebody to whom one went out just now, or who came by SCIM, and is not shown yet.

        If another run of this machine is inviting them, Mixpanel may show them soon: this one looks for them first.
        """
        missing = [email for email in emails if self.person(email) is None]
        if sending := [same_key(email) for email in missing if self._unseen.is_sending(same_key(email))]:
            self._writing.look_for([(PEOPLE, key, is_listed(key)) for key in sending])
        for email in missing:
            if self.person(email) is not None:
                continue
            self._unseen.hold(same_key(email), email)
            if self.provisioning.handles(email):
                shows = "does not list them yet"
                raise not_shown("cannot go on with who came by SCIM", email, shows, self.read_back_seconds, IN_USERS)

    @contextmanager
    def _inviting(self) -> Iterator[None]:
        """Nobody else reads who is there and invites meanwhile: neither another thread nor another process.

        A program may give a new person a grant and make them a member at the same time: each of the two invites.
        """
        with self._one_invites, self._alone():
            yield

    def _mail_once(
        self, email: str, send: Callable[[], None], sent_by_others: Callable[[], bool] = lambda: False
    ) -> bool:
        """Have an e-mail sent that leaves no trace; whether it was.

        The organization's list shows an invitation alike whenever it went out, so a lost answer leaves it open whether
        the e-mail did: then nothing is repeated here, lest somebody is invited twice.
        """
        sent = False

        def write() -> None:
            nonlocal sent
            with self._inviting():
                self._snapshot.drop(PEOPLE)
                person = self.person(email)
                sent = (person is None or person.invited) and not sent_by_others()
                if sent:
                    send()

        try:
            self._writing.settle(
                write,
                lambda: False,  # nothing that can be read tells
                [PEOPLE],
                repeatable=lambda error: isinstance(error, errors.RateLimited),
            )
        except (errors.Unreachable, errors.ServerFault, errors.Unintelligible) as error:
            if not sent:
                raise
            error.next_step = (
                "The e-mail may or may not have gone out, and Mixpanel does not tell: ask the person, or run again to "
                "send it once more."
            )
            raise
        return sent

    def change_role(self, email: str, role: str) -> None:
        """Change the organization role of a member or of a pending invitation."""

        def applied() -> bool:
            person = self.person(email)
            return person is not None and person.role == role

        spelled = self.spelled(email)
        key = same_key(spelled)
        self._writing.settle(
            lambda: self._api.users.change_role(spelled, role),
            applied,
            [PEOPLE],
            shows=lambda: [(PEOPLE, ("role", key), has_organization_role(key, role))],
        )

    def grant(self, project: int, email: str, role: str) -> None:
        """Give or change a person's individual role in a project."""
        self._orders.submit((project, self.spelled(email), role))

    def remove_grant(self, project: int, email: str) -> None:
        """Take a person's individual grant in a project away. Never anything else.

        Raises:
            MixpanelError: it is still there; nothing else was tried.
        """
        place = (project, self.spelled(email))
        self._empty_lists.take(grants_of(project), same_key(email))
        try:
            self._takings.submit(place)
        except errors.NotFound as error:
            if not self._taken(place):
                error.next_step = NO_SUCH_CALL
                raise

    def _taken(self, place: _Place) -> bool:
        return self._individual(*place) is None and not self.hides_grant(*place)

    def remove(self, email: str) -> None:
        """Remove a person from the organization, or cancel an invitation. Irreversible."""
        self._unseen.forget(same_key(email))
        self._empty_lists.remove([email])
        self._removals.submit(self.spelled(email))

    def has_removed(self, key: str) -> bool:
        """Whether this operation has removed somebody from the organization, or was about to."""
        return self._empty_lists.has_removed(self.key_of(key)) or self._empty_lists.has_removed(key)

    # How batches go out

    def _send_invites(self, batch: Sequence[_Invite]) -> Mapping[_Invite, Exception | None]:
        def send(items: Sequence[_Invite]) -> None:
            tried: set[str] = set()

            def write() -> None:  # each time, also after a lost answer: who is there by now gets no second e-mail
                with self._inviting():
                    self._snapshot.drop(PEOPLE)
                    self._unseen.settle(tried)  # Mixpanel did not apply our first try
                    self._hold_invitations(email for email, _ in items)
                    if missing := dict(item for item in items if not arrived(item)):
                        tried.update(map(same_key, missing))
                        self._invite(missing)

            keys = [same_key(email) for email, _ in items]
            self._writing.settle(
                write,
                lambda: all(map(arrived, items)),
                [PEOPLE],
                self._writing.fate_is_known,
                shows=lambda: [(PEOPLE, key, is_listed(key)) for key in keys],
                once=True,
            )

        def arrived(item: _Invite) -> bool:
            return self.person(item[0]) is not None

        return one_by_one_if_refused(send, arrived, batch)

    def _invite(self, roles: Mapping[str, str]) -> None:
        """Invite people, and note whom the e-mail may have reached: all of them, unless Mixpanel has refused."""
        keys = set(map(same_key, roles))
        try:
            with self._unseen.sending(keys):
                self._api.users.invite(roles)
        except (errors.Unreachable, errors.ServerFault, errors.Unintelligible):
            self._mailed |= keys
            raise
        self._mailed |= keys

    def _send_orders(self, batch: Sequence[_Order]) -> Mapping[_Order, Exception | None]:
        people, invited = self.people(), self._invited()

        def send(items: Sequence[_Order]) -> None:
            roles = {(project, email): role for project, email, role in items}
            parts: list[Hashable] = [grants_of(project) for project in {project for project, _, _ in items}]
            if any(same_key(email) not in people for _, email, _ in items):
                parts.append(PEOPLE)  # a grant to a new address invites it

            def shows() -> Iterator[Expected]:
                for project, email, role in items:
                    key = same_key(email)
                    yield grants_of(project), key, has_grant(key, role, invited)

            self._writing.settle(
                lambda: self._api.users.grant(roles), lambda: all(map(arrived, items)), parts, shows=shows
            )

        def arrived(item: _Order) -> bool:
            project, email, role = item
            return self.access(project, email).individual == role

        return one_by_one_if_refused(send, arrived, batch)

    def _send_takings(self, batch: Sequence[_Place]) -> Mapping[_Place, Exception | None]:
        def send(place: _Place) -> None:
            project, email = place
            key = same_key(email)
            self._writing.settle(
                lambda: self._api.users.remove_grants(email, [project]),
                lambda: self._taken(place),
                [grants_of(project)],
                shows=lambda: [(grants_of(project), key, has_grant(key, None))],
            )

        return each_alone(send, batch)

    def _send_removals(self, batch: Sequence[str]) -> Mapping[str, Exception | None]:
        def send(emails: Sequence[str]) -> None:
            keys = {same_key(email) for email in emails}
            grants = [
                grants_of(project)
                for project in self.projects()
                if self._snapshot.fetched(grants_of(project)) and keys & self.grants(project).keys()
            ]

            def shows() -> Iterator[Expected]:
                for key in keys:
                    yield TEAMS, key, is_in_no_team(key)
                    for part in (PEOPLE, *grants):
                        yield part, key, is_listed(key, listed=False)

            self._writing.settle(
                lambda: self._api.users.remove(emails),
                lambda: all(map(gone, emails)),
                [PEOPLE, TEAMS, *grants],
                shows=shows,
            )

        def gone(email: str) -> bool:
            return self.person(email) is None

        return one_by_one_if_refused(send, gone, batch)


def _is_individual(grant: Grant) -> bool:
    return grant.grant_type is GrantType.INDIVIDUAL
