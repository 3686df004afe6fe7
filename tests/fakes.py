"""An organization in memory, with the few calls that the directory makes of Mixpanel."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import cast

from mixpanel_access.api.client import Api
from mixpanel_access.directory.directory import Directory, Machine, Times
from mixpanel_access.directory.this_machine import Sendings
from mixpanel_access.model.access import Discoverability, Grant, GrantType, Person, Project, SingleSignOn
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.errors import AccessError, Forbidden, NotFound
from mixpanel_access.model.rights import Identity
from mixpanel_access.model.service_accounts import ServiceAccountInfo
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import READ_BACK_SECONDS, Settings
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.session import Session
from tests.fake_accounts import FakeAccounts
from tests.fake_roles import FakeRoles
from tests.fake_scim import FakeScim
from tests.fake_teams import FakeTeams

ORGANIZATION = 7654321
PRODUCTION, WAREHOUSE = 1234567, 1234568
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@dataclass
class FakeApi:
    """Keeps people and grants, counts calls, and fails as it is told.

    Attributes:
        unreadable: the projects whose grants we may not read.
        faults: verb -> errors to raise, in order, before (or, with `applied`, after) the call takes effect.
    """

    own_role: str | None = "admin"
    permissions_: frozenset[str] = frozenset()
    people: dict[str, Person] = field(default_factory=dict)
    projects_: dict[int, Project] = field(
        default_factory=lambda: {id_: Project(id_, f"P{id_}") for id_ in (PRODUCTION, WAREHOUSE)}
    )
    rows: list[Grant] = field(default_factory=list)
    hides_invited_grants: bool = False
    unlisted: set[int] = field(default_factory=set)
    accounts: list[ServiceAccountInfo] = field(default_factory=list)
    security: SingleSignOn = field(default_factory=SingleSignOn)
    two_factor_: dict[str, object] = field(default_factory=lambda: {"twofactor_auth_required": False})
    request_access_: dict[str, object] = field(default_factory=dict)
    discoverability_: Discoverability = Discoverability.REQUEST
    events_: list[AuditEvent] = field(default_factory=list)
    now: datetime = NOW
    scim: FakeScim | None = None
    unreadable: set[int] = field(default_factory=set)
    faults: dict[str, list[AccessError]] = field(default_factory=dict)
    applied: bool = False
    deaf: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    sent: list[tuple[str, object]] = field(default_factory=list)
    one_write: threading.Lock = field(default_factory=threading.Lock)

    @property
    def me(self) -> FakeApi:
        return self

    @property
    def users(self) -> FakeApi:
        return self

    @property
    def projects(self) -> FakeApi:
        return self

    @cached_property
    def service_accounts(self) -> FakeAccounts:
        return FakeAccounts(self)

    @cached_property
    def teams(self) -> FakeTeams:
        return FakeTeams(self)

    @cached_property
    def custom_roles(self) -> FakeRoles:
        return FakeRoles(self)

    @property
    def organization_settings(self) -> FakeApi:
        return self

    @property
    def audit_log(self) -> FakeApi:
        return self

    def two_factor(self) -> Mapping[str, object]:
        self.calls["two_factor"] += 1
        self.fail("two_factor")
        return self.two_factor_

    def request_access(self) -> Mapping[str, object]:
        self.calls["request_access"] += 1
        self.fail("request_access")
        return self.request_access_

    def put_two_factor(self, settings: Mapping[str, object]) -> None:
        with self.writing("put_two_factor", dict(settings)) as writing:
            if writing:
                self.two_factor_ = dict(settings)

    def put_request_access(self, settings: Mapping[str, object]) -> None:
        with self.writing("put_request_access", dict(settings)) as writing:
            if writing:
                self.request_access_ = dict(settings)

    def sso(self) -> SingleSignOn:
        self.calls["sso"] += 1
        self.fail("sso")
        return self.security

    def discoverability(self) -> Discoverability:
        self.calls["discoverability"] += 1
        self.fail("discoverability")
        return self.discoverability_

    fallback: str = ""

    def events(
        self, types: Sequence[str], since: datetime, until: datetime, pages: int | None = None
    ) -> list[AuditEvent]:
        self.calls["events"] += 1
        self.fail("events")
        found = [event for event in self.events_ if event.type in types and since <= event.at <= until]
        return sorted(found, key=lambda event: event.at, reverse=True)[: pages and 100 * pages]

    def put(self, email: str, role: str | None = "member", *, invited: bool = False) -> None:
        user_id = None if invited else 500 + len(self.people)
        self.people[same_key(email)] = Person(email, role, invited, user_id=user_id)

    def give(self, project: int, email: str, role: str, kind: GrantType = GrantType.INDIVIDUAL) -> None:
        self.rows = [
            g for g in self.rows if not (g.project == project and g.key == same_key(email) and g.grant_type is kind)
        ]
        self.rows.append(Grant(project, email, role, kind))

    # The calls

    def read(self) -> Identity:
        self.calls["me"] += 1
        self.fail("me")
        return Identity("bot", {ORGANIZATION: self.own_role}, {ORGANIZATION: self.permissions_})

    def list_users(self) -> list[Person]:
        self.calls["list_users"] += 1
        self.fail("list_users")
        return list(self.people.values())

    def list_projects(self) -> list[Project]:
        self.calls["list_projects"] += 1
        self.fail("list_projects")
        return [project for project in self.projects_.values() if project.id not in self.unlisted]

    def granted_users(self, project: int) -> list[Grant]:
        self.calls["granted_users"] += 1
        self.fail("granted_users")
        if project in self.unreadable:
            raise Forbidden(f"cannot read who has access to project {project}", why="403")
        if project not in self.projects_:
            raise NotFound(f"cannot read who has access to project {project}", why="404")
        hidden = {key for key, person in self.people.items() if person.invited} if self.hides_invited_grants else set()
        rows = [*self.rows, *self.teams.rows(project)]
        return [grant for grant in rows if grant.project == project and grant.key not in hidden]

    def invite(self, roles: Mapping[str, str]) -> None:
        with self.writing("invite", dict(roles)) as writing:
            if writing:
                for email, role in roles.items():
                    self.put(email, role, invited=True)

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        with self.writing("grant", dict(roles)) as writing:
            if writing:
                for (project, email), role in roles.items():
                    if same_key(email) not in self.people:
                        self.put(email, invited=True)
                    self.give(project, email, role)

    def change_role(self, email: str, role: str) -> None:
        with self.writing("change_role", (email, role)) as writing:
            if writing:
                self.people[same_key(email)] = replace(self.people[same_key(email)], role=role)

    def remove_grants(self, email: str, projects: Iterable[int]) -> None:
        gone = set(projects)
        with self.writing("remove_grants", (email, tuple(gone))) as writing:
            if writing:
                self.rows = [
                    g
                    for g in self.rows
                    if not (g.key == same_key(email) and g.project in gone and g.grant_type is GrantType.INDIVIDUAL)
                ]

    def remove(self, emails: Iterable[str]) -> None:
        keys = {same_key(email) for email in emails}
        with self.writing("remove", tuple(sorted(keys))) as writing:
            if writing:
                for key in keys:
                    self.people.pop(key, None)
                self.rows = [grant for grant in self.rows if grant.key not in keys]
                self.teams.leave(keys)

    def resend(self, emails: Iterable[str]) -> None:
        keys = {same_key(email) for email in emails}
        with self.writing("resend", tuple(sorted(keys))) as writing:
            if writing and not all(key in self.people and self.people[key].invited for key in keys):
                raise NotFound("cannot resend", subject=", ".join(sorted(keys)))

    def writing(self, verb: str, body: object) -> _Writing:
        return _Writing(self, verb, body)

    def fail(self, verb: str) -> None:
        if self.faults.get(verb):
            raise self.faults[verb].pop(0)

    @property
    def writes(self) -> list[str]:
        return [verb for verb, _ in self.sent]


class _Writing:
    """One write: counted, faulty if so told, before or after it took effect."""

    def __init__(self, api: FakeApi, verb: str, body: object) -> None:
        self.api, self.verb, self.body = api, verb, body

    def __enter__(self) -> bool:
        self.api.one_write.acquire()
        self.api.calls[self.verb] += 1
        self.api.sent.append((self.verb, self.body))
        try:
            if not self.api.applied:
                self.api.fail(self.verb)
        except AccessError:
            self.api.one_write.release()
            raise
        return self.verb not in self.api.deaf

    def __exit__(self, kind: object, *_: object) -> None:
        self.api.one_write.release()
        if kind is None and self.api.applied:
            self.api.fail(self.verb)


def organization_of(*emails: str) -> FakeApi:
    """Two owners, and these people, who each have a grant in production."""
    api = FakeApi(own_role="owner")
    for number in range(2):
        api.put(f"o{number}@example.com", "owner")
    for email in emails:
        api.put(email)
        api.give(PRODUCTION, email, "analyst")
    return api


def as_api(api: FakeApi) -> Api:
    """The fake where the client is taken; `test_fakes` compares their calls."""
    return cast("Api", api)


def make_directory(
    api: FakeApi,
    *,
    linger: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    claimed: frozenset[str] = frozenset(),
    sendings: Sendings | None = None,
    read_back_seconds: float = READ_BACK_SECONDS,
) -> Directory:
    """A directory over the fake, which never waits."""
    return Directory(
        as_api(api),
        ORGANIZATION,
        claimed=claimed,
        times=Times(linger, lambda _: None, clock, read_back_seconds),
        machine=Machine(sendings=sendings or Sendings()),
    )


def make_session(
    api: FakeApi, *, clock: Callable[[], float] = time.monotonic, **settings: object
) -> tuple[Session, list[str]]:
    """A session over the fake, and what it says."""
    said: list[str] = []
    known = Settings(ORGANIZATION, "https://mixpanel.com", "bot", Secret("hush-hush"), now=NOW)
    settings_ = replace(known, **settings)  # type: ignore[arg-type]
    return Session(settings_, make_directory(api, clock=clock), said.append), said


def provider_over(api: FakeApi, kind: type[AccessProvider], said: list[str] | None = None) -> AccessProvider:
    """A provider in a session of its own over the fake; what it says goes to `said`."""
    made = kind()
    session, _ = make_session(api)
    if said is not None:
        session.say = said.append
    made.use(session)
    return made
