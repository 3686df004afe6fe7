"""What can be read of one organization: who is in it, and what they hold.

Reads come from one snapshot. Requests of an operation grow with projects and pages, not with people.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from mixpanel_access.directory.scim import Provisioning
from mixpanel_access.directory.security import SECURITY, read_features, read_security
from mixpanel_access.directory.snapshot import PEOPLE, EmptyLists, Part, Snapshot, by_role, contradiction, grants_of
from mixpanel_access.directory.writer import Writer
from mixpanel_access.model import errors
from mixpanel_access.model.access import (
    AccessInProject,
    Discoverability,
    Feature,
    Grant,
    GrantType,
    Person,
    Project,
    Security,
    access_in_project,
)
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.rights import Identity, OwnRights

if TYPE_CHECKING:
    from mixpanel_access.api.client import Api

_T = TypeVar("_T")
_PROJECTS: Final[Part[Mapping[int, Project]]] = Part("projects")
_IDENTITY: Final[Part[Identity]] = Part("identity")
_DISCOVERABILITY: Final[Part[Discoverability]] = Part("discoverability")


class Reads:
    """The organization as it is.

    Args:
        api: the calls to Mixpanel.
        organization: the organization's id.
        writer: sends writes.
        snapshot: what was read.
        claimed: the claimed domains, for where Mixpanel does not report them.
        report: shows a line about an answer of Mixpanel that cannot be used in full.

    Attributes:
        empty_lists: what was read of lists, and what this operation takes out of them.
        provisioning: adds and removes people by SCIM.
    """

    def __init__(
        self,
        api: Api,
        organization: int,
        writer: Writer,
        snapshot: Snapshot,
        *,
        claimed: frozenset[str] = frozenset(),
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.api = api
        self.organization = organization
        self.writer = writer
        self.snapshot = snapshot
        self.report = report
        self.empty_lists = EmptyLists()
        self._projects_read: set[int] = set()
        self._unreadable: set[int] = set()
        self._open_to_all: dict[int, tuple[Mapping[str, tuple[Grant, ...]], bool]] = {}
        self._invited: tuple[Mapping[str, Person], frozenset[str]] = {}, frozenset()
        self._ids: dict[str, int | Callable[[], int | None]] = {}
        self._moved: dict[str, str] = {}
        self._unknown: list[str] = []
        self._seen_invited = False
        self.provisioning = Provisioning(api, writer, self.read, claimed)
        snapshot.read_by(PEOPLE.kind, self.people)
        snapshot.read_by(grants_of(0).kind, self.grants)
        snapshot.read_by(SECURITY.kind, self.security)

    def read(self, part: Part[_T], fetch: Callable[[], _T]) -> _T:
        """A part of the snapshot; a wrong organization has an error of its own."""

        def checked() -> _T:
            self.identity()
            return fetch()

        return self.snapshot.get(part, checked)

    def identity(self) -> Identity:
        """Who we are to Mixpanel.

        Raises:
            Forbidden: the service account does not belong to this organization.
        """
        identity = self.snapshot.get(_IDENTITY, self.api.me.read)
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
        """The organization role that our account acts with, by its permissions too; None if it is unknown."""
        return self.own_rights().role

    def people(self) -> Mapping[str, Person]:
        """Everybody in the organization, invited people included, by the key of their address.

        People that SCIM shows as inactive are marked as deactivated, whatever the list says of them.
        """

        def fetch() -> Mapping[str, Person]:
            listed = self.api.users.list_users()
            self._note_unknown([person for person in listed if not person.email])
            people = {person.key: person for person in listed if person.email}
            inactive = self.provisioning.inactive()
            return {key: replace(one, deactivated=True) if key in inactive else one for key, one in people.items()}

        return self.read(PEOPLE, fetch)

    def has_read_people(self) -> bool:
        """Whether everybody is known without another request."""
        return self.snapshot.fetched(PEOPLE)

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

        What finds the id is asked only if nobody has the address.
        """
        if callable(user_id):
            self._ids.setdefault(same_key(email), user_id)
        else:
            self._ids[same_key(email)] = user_id

    def key_of(self, email: str) -> str:
        """The key of the address that somebody has now, which may be another one than the one that we know.

        Mixpanel's id decides if we know it: another person may have the address by now.
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
        return self.read(_PROJECTS, lambda: {project.id: project for project in self.api.projects.list_projects()})

    def security(self) -> Security:
        """The organization's security settings; what Mixpanel does not report is unknown in them."""
        return self.read(SECURITY, lambda: read_security(self.api))

    def discoverability(self) -> Discoverability:
        """How people of the company's domains come into the organization by themselves.

        Raises:
            MixpanelError: Mixpanel does not report it.
        """
        return self.snapshot.get(_DISCOVERABILITY, self.api.organization_settings.discoverability)

    def features(self, now: datetime) -> Mapping[Feature, str | None]:
        """What the plan has: feature -> None where it can be used, else Mixpanel's reason."""
        return read_features(self.api, self.security(), min(self.projects(), default=None), now)

    def audit_events(
        self, types: Sequence[str], since: datetime, until: datetime, pages: int | None = None
    ) -> list[AuditEvent]:
        """The events of the audit log of some types within a span, the newest first; asked for each time.

        With `pages`, so many pages, the newest, are enough.

        Raises:
            MixpanelError: it cannot be read: the plan has none, or our account may not.
        """
        self.identity()
        return self.api.audit_log.events(types, since, until, pages)

    def grants(self, project: int) -> Mapping[str, tuple[Grant, ...]]:
        """The grants in one project, by the key of the person's address.

        Raises:
            NotFound: the project is not in the organization.
        """

        def fetch() -> Mapping[str, tuple[Grant, ...]]:
            grants = grouped((grant.key, grant) for grant in self.api.projects.granted_users(project))
            individual = {row.key for rows in grants.values() for row in rows if row.grant_type is GrantType.INDIVIDUAL}
            self.empty_lists.read(grants_of(project), individual)
            self._projects_read.add(project)
            return {key: tuple(rows) for key, rows in grants.items()}

        rows = self.snapshot.get(grants_of(project), fetch)
        if not rows and (self.empty_lists.is_odd(grants_of(project)) or by_role(self.read_projects())):
            self.snapshot.drop(grants_of(project))
            rows = self.snapshot.get(grants_of(project), fetch)
            if not rows and by_role(self.read_projects()):
                words = "other projects show people who have every project by their organization role"
                raise contradiction(f"read who has access to project {project}", words)
        return rows

    def read_projects(self) -> list[Mapping[str, tuple[Grant, ...]]]:
        """The grants of the projects that have been read so far."""
        return self.snapshot.found(map(grants_of, self._projects_read.copy()))

    def open_to_all(self, project: int) -> bool:
        """Whether everybody in the organization has a project, by a grant to all users.

        Raises:
            NotFound: the project is not in the organization.
        """
        grants = self.grants(project)
        known = self._open_to_all.get(project)
        if known is None or known[0] is not grants:
            rows = (grant for held in grants.values() for grant in held)
            known = self._open_to_all[project] = grants, any(one.grant_type is GrantType.ALL_USERS for one in rows)
        return known[1]

    def access(self, project: int, email: str) -> AccessInProject:
        """What one person can do in one project, and through which sources."""
        person = self.person(email)
        rows = self.grants(project).get(self.key_of(email), ())
        return access_in_project(rows, person.role if person and not person.invited else None)

    def invited(self) -> frozenset[str]:
        """The keys of all who are only invited."""
        people = self.people()
        if self._invited[0] is not people:
            self._invited = people, frozenset(key for key, person in people.items() if person.invited)
        return self._invited[1]

    def hideable(self, joining: Iterable[str] = ()) -> frozenset[str]:
        """The keys of those whose grants a project may not list: who is only invited, until one of them is seen."""
        return frozenset() if self._seen_invited else self.invited().union(joining)

    def shows_invited(self, project: int) -> bool:
        """Whether projects' grants are seen to list invited people: this one's, or any other project's.

        Nobody documents whether they do. Where not one invited person is seen, an invited person's grant that is not
        listed is unknown, not gone. If one project lists an invited person, all of them list such people, in whatever
        order they are read: the others are read too, once.
        """
        return self._shows_invited((project,))

    def _shows_invited(self, projects: Collection[int]) -> bool:
        if not self._seen_invited and (invited := self.invited()):
            self._seen_invited = any(not grants.keys().isdisjoint(invited) for grants in self._lists(projects))
        return self._seen_invited

    def _lists(self, projects: Collection[int]) -> Iterator[Mapping[str, tuple[Grant, ...]]]:
        """The grants of some projects, and those of the others as far as they are known or were never read."""
        yield from map(self.grants, projects)
        yield from self.read_projects()
        for other in sorted(self.projects().keys() - self._projects_read - self._unreadable):
            try:
                yield self.grants(other)
            except errors.MixpanelError:
                self._unreadable.add(other)  # it shows nobody, which proves nothing

    def blind(self, projects: Collection[int]) -> frozenset[int]:
        """Which of these projects may hide the grants of invited people: all or none."""
        return frozenset() if projects and self._shows_invited(projects) else frozenset(projects)

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

        return self.snapshot.get(Part("gone", project), fetch)

    def is_out_of_sight(self, project: int) -> bool:
        """Whether the organization has a project that our account is not shown: nobody knows who has access there."""
        try:
            return project not in self.projects() and not self.project_is_gone(project)
        except errors.Forbidden:
            return True

    def reached_projects(self, email: str) -> Mapping[int, tuple[Grant, ...]]:
        """The projects that a person reaches, each with the grants that the project lists; reads every project."""
        for project in self.projects():
            self.grants(project)
        found = {project: self.access(project, email).grants for project in self.projects()}  # now that all are read
        return {project: grants for project, grants in found.items() if grants}

    def forget_people(self, older_than: float) -> None:
        """Have the list of people read afresh when it is next asked for, if it is older than so many seconds."""
        self.snapshot.drop_older_than(older_than, [PEOPLE])

    def forget_grants(self, older_than: float, projects: Iterable[int] | None = None) -> None:
        """Have grants that were read more than so many seconds ago read afresh when they are next asked for.

        By default, those of all projects.
        """
        some = self.projects() if projects is None else projects
        self.snapshot.drop_older_than(older_than, [grants_of(project) for project in some])
