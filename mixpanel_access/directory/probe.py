"""A read-only look at a real organization: which calls of the product it answers as expected. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mixpanel_access.directory.security import TWO_FACTOR_KEY
from mixpanel_access.model import errors, roles
from mixpanel_access.model.access import GrantType, SingleSignOn
from mixpanel_access.model.address import few
from mixpanel_access.model.audit import ACCESS_EVENTS, SESSION_EVENTS
from mixpanel_access.model.hosts import LOOPBACK, REGIONS, is_real
from mixpanel_access.model.rights import PEOPLE, SERVICE_ACCOUNTS, TEAMS, unknown_words
from mixpanel_access.model.settings import BY_HAND, Settings, Verb
from mixpanel_access.model.similarity import counted
from mixpanel_access.model.verdict import Sign, symptoms_of

if TYPE_CHECKING:
    from mixpanel_access.api.client import Api
    from mixpanel_access.api.scim import ScimEndpoint


class Finding(StrEnum):
    """What came of a call."""

    OK = "ok"
    DIFFERS = "differs but tolerated"
    MISSING = "missing"
    REFUSED = "refused"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Probe:
    """One call.

    Attributes:
        call: the call.
        expected: what Mixpanel must answer.
        came: what it answered, without names and addresses, so that you can attach it to a bug report.
        finding: the verdict.
        needed: whether managing access needs this call.
        sign: what is wrong, in the words of the verdict's table, or null.
        next_step: what to do about it, or "".
    """

    call: str
    expected: str
    came: str
    finding: Finding
    needed: bool = True
    sign: Sign | None = None
    next_step: str = ""

    @property
    def problem(self) -> bool:
        """Whether the product lacks what it needs."""
        return self.needed and self.finding in (Finding.MISSING, Finding.REFUSED, Finding.FAILED)


AUDIT_SPAN: Final = timedelta(days=7)
"""How far back the audit log is asked for."""


def probes(
    api: Api,
    organization: int,
    allowed: frozenset[str],
    now: datetime,
    elsewhere: Callable[[], Probe | None] = lambda: None,
) -> list[Probe]:
    """Try every read, and list every write with whether it may be sent.

    Args:
        api: Mixpanel.
        organization: its id.
        allowed: the undocumented writes that the configuration has switched on.
        now: until when the audit log is asked for.
        elsewhere: tries the hosts of other regions, where this one refuses or fails to say who we are.
    """
    return [*_reads(api, organization, now, elsewhere), *_writes(allowed)]


def _reads(api: Api, organization: int, now: datetime, elsewhere: Callable[[], Probe | None]) -> Iterator[Probe]:
    projects, teams, settings = list[int](), list[str](), api.organization_settings
    extra = partial(_tried, needed=False)
    yield from _who_we_are(api, organization, elsewhere)
    yield _tried("list of people", "everybody with role and invitation", lambda: _people(api))
    yield _tried("list of projects", "at least one project", lambda: _projects(api, projects))
    yield from _of_a_project(api, projects[0] if projects else None)
    yield _tried("list of service accounts", "all of them", lambda: _accounts(api))
    expected = f"whether it is required ({TWO_FACTOR_KEY})"
    yield extra("second factor", expected, lambda: _two_factor(settings.two_factor()))
    requests = settings.request_access
    yield extra("access requests", "the settings on them", lambda: (counted(len(requests()), "setting"), True))
    yield extra("single sign-on", "whether it is required, and the claimed domains", lambda: _sso(settings.sso()))
    yield extra("discoverability", "one of three words", lambda: (settings.discoverability().value, True))
    yield extra("teams", "every team with its projects and people", lambda: _teams(api, teams))
    yield extra("audit log", "who got and lost access, and who logged in", lambda: _audit(api, now))
    if (scim := api.scim) is not None:  # people of claimed domains come and go by it
        yield _tried("people by SCIM", "everybody that it knows", lambda: _scim_people(scim))
        yield extra("a team by SCIM", "that a team is a group", lambda: _scim_group(scim, teams))


def _of_a_project(api: Api, project: int | None) -> Iterator[Probe]:
    roles_in, codes_in = api.service_accounts.list_of_project, api.custom_roles.permissions
    calls: list[tuple[str, str, Callable[[int], _Answer], bool]] = [
        ("grants of a project", "one row a grant, with its type", lambda id_: _grants(api, id_), True),
        (
            "service accounts of a project",
            "each with its role",
            lambda id_: (counted(len(roles_in(id_)), "role"), True),
            True,
        ),
        ("custom roles of a project", "those of the plan Enterprise", lambda id_: _roles(api, id_), False),
        (
            "permissions",
            "those that custom roles can have",
            lambda id_: (counted(len(codes_in(id_)), "permission"), True),
            False,
        ),
    ]
    for call, expected, read, needed in calls:
        if project is None:
            yield Probe(call, expected, "there is no project to ask about", Finding.SKIPPED, needed)
        else:
            yield _tried(call, expected, partial(read, project), needed=needed)


_Answer = tuple[str, bool]
"""What came, in words, and whether it is as expected."""


def _tried(call: str, expected: str, read: Callable[[], _Answer], *, needed: bool = True) -> Probe:
    try:
        came, good = read()
    except errors.Unreachable:
        raise  # nothing else will be reached either
    except errors.MixpanelError as error:
        (symptom,) = symptoms_of(error)
        finding = next((verdict for kind, verdict in _FINDINGS.items() if isinstance(error, kind)), Finding.FAILED)
        return Probe(call, expected, symptom.detail, finding, needed, symptom.sign, symptom.next_step)
    return Probe(call, expected, came, Finding.OK if good else Finding.DIFFERS, needed)


_FINDINGS: Final[Mapping[type[errors.MixpanelError], Finding]] = {
    errors.NotFound: Finding.MISSING,
    errors.Unauthorized: Finding.REFUSED,
    errors.Forbidden: Finding.REFUSED,
}
"""The class of an error -> the verdict on the call; any other one has failed."""


def _who_we_are(api: Api, organization: int, elsewhere: Callable[[], Probe | None]) -> Iterator[Probe]:
    failed: list[errors.MixpanelError] = []

    def read() -> _Answer:
        try:
            return _me(api, organization)
        except (errors.Unauthorized, errors.ServerFault) as error:
            failed.append(error)
            raise

    yield _tried("who we are", "our login name, and the role in the organization", read)
    if failed and (other := elsewhere()):
        yield other


def _me(api: Api, organization: int) -> _Answer:
    identity = api.me.read()
    known = identity.organizations
    if organization not in known:
        seen = f"organization{'s' * (len(known) > 1)} {few(map(str, known))}" if known else "no organization"
        step = "check mixpanel:serviceAccountUsername and mixpanel:region: each organization is in one region"
        if known:
            step = (
                f"`pulumi config set mixpanel:organizationId {next(iter(known)) if len(known) == 1 else 'ID'}{{stack}}`"
            )
            step += " with the one of them that you mean" * (len(known) > 1)
        why = f"the account sees {seen}, and not {organization}"
        raise errors.Forbidden("cannot work on the organization", why=why, next_step=step)
    rights = identity.rights(organization)
    if rights.listed:
        shown = f"organization {rights.word}" if rights.word else "no organization role"
        words = f"{shown}; {rights.in_words({**PEOPLE, **TEAMS, **SERVICE_ACCOUNTS})}"
        if rights.lacking(PEOPLE):
            raise errors.Forbidden("cannot manage everybody", why=words)
        return words, rights.word in roles.MANAGING_ROLES
    if rights.word is None:
        return "the organization, and no role in it", False
    if not roles.is_organization_role(rights.word):
        return f"organization {rights.word}, a role that this version does not know", False
    if rights.word not in roles.MANAGING_ROLES:
        raise errors.Forbidden("cannot manage anybody", why=f"organization {rights.word}, which may manage nobody")
    return f"organization {rights.word}", True


def _people(api: Api) -> _Answer:
    people = api.users.list_users()
    lacking = {
        "a role": sum(person.role is None for person in people),
        "a last login": sum(person.last_login is None and not person.invited for person in people),
    }
    without = [f"{number} without {what}" for what, number in lacking.items() if number]
    odd = _unknown_roles(person.role for person in people)
    return ", ".join([f"{len(people)} people", *without, *odd]), bool(people) and not lacking["a role"] and not odd


def _unknown_roles(shown: Iterable[str | None]) -> list[str]:
    """The organization roles that this version does not know, in words, or nothing."""
    found = unknown_words(shown)
    words = (f"{word if word.isidentifier() else 'no word'} ({number})" for word, number in found.items())
    return [f"unknown organization roles: {few(words)}"] if found else []


def _projects(api: Api, ids: list[int]) -> _Answer:
    ids += [project.id for project in api.projects.list_projects()]
    if not ids:
        raise errors.NotFound("cannot see a project", why="no project is in sight of the account")
    return counted(len(ids), "project"), True


def _grants(api: Api, project: int) -> _Answer:
    kinds = {grant.grant_type for grant in api.projects.granted_users(project)}
    named = ", ".join(one.value for one in GrantType if one in kinds)
    return f"grants by {named}" if kinds else "no grant", bool(kinds)


def _accounts(api: Api) -> _Answer:
    accounts = api.service_accounts.list_accounts()
    odd = _unknown_roles(None if one.role in roles.SERVICE_ACCOUNT_ROLES else one.role for one in accounts)
    return ", ".join([counted(len(accounts), "service account"), *odd]), bool(accounts) and not odd  # ours, at least


def _teams(api: Api, names: list[str]) -> _Answer:
    teams = api.teams.list_teams()
    names += [team.name for team in teams]
    lacking = {
        "their people": sum(team.members is None for team in teams),
        "an organization role, or that there is none": sum(team.organization_role is None for team in teams),
    }
    without = [f"{number} without {what}" for what, number in lacking.items() if number]
    odd = _unknown_roles(team.organization_role or None for team in teams)
    return ", ".join([counted(len(teams), "team"), *without, *odd]), not without and not odd


def _scim_people(scim: ScimEndpoint) -> _Answer:
    people = scim.list_users()
    counts = {"deactivated": False, "without whether they are active": None}
    found = {words: sum(person.active is told for person in people) for words, told in counts.items()}
    return ", ".join([f"{len(people)} people", *(f"{n} {words}" for words, n in found.items() if n)]), bool(people)


def _scim_group(scim: ScimEndpoint, teams: Sequence[str]) -> _Answer:
    if not teams:
        return "no team is known to ask about", False
    known = scim.find_group(teams[0]) is not None
    return f"the first team is {'a' if known else 'no'} group", known


def _roles(api: Api, project: int) -> _Answer:
    found = api.custom_roles.list_roles(project)
    return counted(len(found), "custom role"), all(role.permissions is not None for role in found)


def _two_factor(settings: Mapping[str, object]) -> _Answer:
    required = settings.get(TWO_FACTOR_KEY)
    return counted(len(settings), "setting"), isinstance(required, bool)


def _sso(sso: SingleSignOn) -> _Answer:
    told = {"whether it is required": sso.required, "the claimed domains": sso.domains}
    missing = [what for what, value in told.items() if value is None]
    return f"without {', '.join(missing)}" if missing else "both", not missing


def _audit(api: Api, now: datetime) -> _Answer:
    events = api.audit_log.events((*ACCESS_EVENTS, *SESSION_EVENTS), now - AUDIT_SPAN, now)
    came, instead = f"{counted(len(events), 'event')} in {AUDIT_SPAN.days} days", api.audit_log.fallback
    return (f"{came}, by the older route, not by the Platform API: {instead}", False) if instead else (came, True)


_KNOWN_WRITES: Final = {
    "grant in a project": "observed in use",
    "make a service account": "documented",
    "delete a service account": "documented",
    "add a service account to a project": "documented",
    "remove a service account from a project": "documented",
}
"""The writes that need not be switched on -> how they are known."""


def _writes(allowed: frozenset[str]) -> Iterator[Probe]:
    for call, known in _KNOWN_WRITES.items():
        yield Probe(call, f"a write, {known}", "not tried", Finding.SKIPPED)
    for verb in Verb:
        on = "switched on in mixpanel:allowUndocumented" if verb in allowed else "not switched on"
        came = f"a write, not tried; {on}. By hand: {BY_HAND[verb]}"
        yield Probe(verb.value, "an undocumented write", came, Finding.SKIPPED)


def healthy(found: Iterable[Probe]) -> bool:
    """Whether the product has all that it needs to read."""
    return not any(probe.problem for probe in found)


_LONGEST: Final = 15.0
"""Seconds that a host gets; `me` takes 2 to 5 (contract, section 9)."""


def other_regions(settings: Settings, hosts: Mapping[str, str] = REGIONS) -> Probe | None:
    """Which other region's host knows our login; None where the configuration names the host itself.

    Args:
        settings: the stack's configuration. The credentials go to hosts of Mixpanel or of this machine alone.
        hosts: the regions' hosts.
    """
    if settings.region is None:
        return None
    came, good, known = [], None, True
    for region, url in hosts.items():
        host = urlsplit(url).hostname or ""
        if region == settings.region or not (is_real(host) or host in LOOPBACK):
            continue
        try:
            _log_in(replace(settings, api_url=url, timeout_seconds=min(settings.timeout_seconds, _LONGEST)))
        except errors.MixpanelError as error:
            came.append(f"{region}: {f'answers {error.status}' if error.status else 'does not answer'}")
            known = known and isinstance(error, errors.Unauthorized)
        else:
            came.append(f"{region}: knows it")
            good = region
    finding = Finding.FAILED if good else Finding.OK if came and known else Finding.SKIPPED
    sign = Sign.KNOWN_ELSEWHERE if good else None
    step = f"`pulumi config set mixpanel:region {good}{{stack}}`" if good else ""
    return Probe(
        "region",
        "that no other region knows our login",
        ", ".join(came),
        finding,
        needed=False,
        sign=sign,
        next_step=step,
    )


def _log_in(settings: Settings) -> None:
    """Log in to another host; nothing but `me` is asked of it.

    Raises:
        MixpanelError: it does not know us, or does not answer.
    """
    from mixpanel_access.api.client import Api

    api = Api.connect(replace(settings, scim_token=None))
    try:
        api.me.read()
    finally:
        api.close()
