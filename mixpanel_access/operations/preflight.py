"""Checks what must hold before an invitation; for what cannot be read, it names who can confirm it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Feature, Security, SingleSignOn, Topic, another_project
from mixpanel_access.model.address import domain_of
from mixpanel_access.model.declared_inputs import roles_of_team
from mixpanel_access.model.effective_access import days_of, entries
from mixpanel_access.model.errors import AccessError, ConfigurationError
from mixpanel_access.model.neighbours import About
from mixpanel_access.model.rights import PEOPLE, SERVICE_ACCOUNTS, TEAMS
from mixpanel_access.model.roster.schema import OrganizationFacts, Roster
from mixpanel_access.model.verdict import Sign, Symptom, Verdict, symptoms_of, verdict_of
from mixpanel_access.operations.login import identity_provider, sso_required
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.stack_view import StackView
from mixpanel_access.rules.facts import NotApplicable


class Readiness(StrEnum):
    """What a check finds."""

    OK = "ok"
    CONFIRM = "to be confirmed"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Prerequisite:
    """One prerequisite.

    Attributes:
        stack: the stack; "" for the organization.
        what: what must be true.
        verdict: what the check found.
        text: the finding, in words.
        contact: the address of the person who confirms it, or "".
    """

    stack: str
    what: str
    verdict: Readiness
    text: str
    contact: str = ""


_OTHER_ROSTERS: Final = "other rosters"
_PLAN: Final = "plan: "
"""What the check of a feature of the plan begins with."""
CONTACTS: Final[Mapping[str, str]] = {
    "single sign-on": "access", "second factor": "access", "passwords": "password", "network": "network",
}  # fmt: skip
"""What a check is about -> the topic among the roster's contacts."""


def checks(overview: Overview, email: str | None = None) -> list[Prerequisite]:
    """All prerequisites, in the order in which one looks at them."""
    return list(_all(overview, email))


def verdict_on(found: Iterable[Prerequisite], failed: Iterable[AccessError] = (), *, proxy: bool = False) -> Verdict:
    """What is most likely in the way of an invitation, and what to do.

    Args:
        found: what was checked.
        failed: what has kept that from being read.
        proxy: whether the environment names a proxy.
    """
    problems = [check for check in found if check.verdict is Readiness.PROBLEM]
    symptoms = [symptom for error in failed for symptom in symptoms_of(error, proxy=proxy)]
    symptoms += [Symptom(_sign(check.what), *_told(check)) for check in problems]
    return verdict_of(symptoms, nothing="nothing that can be read is in the way of an invitation")


def _sign(what: str) -> Sign:
    """What a problem is a sign of, by what was checked."""
    if what in _SIGNS:
        return _SIGNS[what]
    if "@" in what:
        return Sign.LOGIN
    return Sign.PLAN if what.startswith(_PLAN) else Sign.ROSTER_PROJECT


def _told(check: Prerequisite) -> tuple[str, str]:
    """What was found, in words, and what to do where the table of causes leaves that to us."""
    where = f"{check.what} of stack {check.stack}" if check.stack else check.what
    if check.what == _OTHER_ROSTERS:
        return f"{where}: {check.text}", "correct the rosters that cannot be read, and keep in one what two have"
    asked = f"ask {check.contact}" if check.contact else "ask whoever manages the login of your company"
    return f"{where}: {check.text}", f"{asked}, or invite another address"


_SIGNS: Final[Mapping[str, Sign]] = {
    "our account": Sign.ROLE,
    "roster": Sign.NO_ROSTER,
    _OTHER_ROSTERS: Sign.ROSTER,
    **dict.fromkeys(("organization", "claimed domains", *map(str, Topic), *CONTACTS), Sign.ROSTER_LOGIN),
}
"""What is checked -> what a problem with it is a sign of."""


def _all(overview: Overview, email: str | None) -> Iterator[Prerequisite]:
    security = overview.directory.security()
    yield _account(overview)
    yield from _plan(overview)
    yield _requests(security)
    for view in overview.stacks.values():
        if view.roster is None:
            yield Prerequisite(view.name, "roster", Readiness.PROBLEM, f"there is no {view.file.name}")
            continue
        yield from _other_rosters(view)
        yield from _login(view, view.roster.organization, security)
        yield from _projects(view, view.roster, overview)
        yield from _needs(view.name, view.roster, overview)
        if email is not None:
            yield _address(view, view.roster.organization, email, overview)


def _account(overview: Overview) -> Prerequisite:
    rights = overview.directory.own_rights()
    role = rights.word
    what = f"is organization {role}" if role else "has a role in the organization that Mixpanel does not show"
    if rights.listed:
        rosters = [view.roster for view in overview.stacks.values() if view.roster]
        teams = TEAMS if any(roster.teams for roster in rosters) else {}
        accounts = SERVICE_ACCOUNTS if any(roster.own_accounts for roster in rosters) else {}
        needed = {**PEOPLE, **teams, **accounts}
        verdict = Readiness.PROBLEM if rights.lacking(needed) else Readiness.OK
        return Prerequisite("", "our account", verdict, f"{what}; {rights.in_words(needed)}")
    if role in roles.MANAGING_ROLES:
        return Prerequisite("", "our account", Readiness.OK, what)
    return Prerequisite("", "our account", Readiness.PROBLEM, f"{what}, and only owner and admin may invite")


def _plan(overview: Overview) -> Iterator[Prerequisite]:
    """What the plan has; a problem only where something is declared that it has not."""
    rosters = [view.roster for view in overview.stacks.values() if view.roster]
    custom = sorted({role for roster in rosters for role in _custom_roles(roster, overview.today)})
    for feature, why in overview.directory.features(overview.now).items():
        what = f"{_PLAN}{feature}"
        if feature is Feature.SSO:
            continue  # reported with the login settings
        if why is None:
            yield Prerequisite("", what, Readiness.OK, "can be used")
        elif feature is Feature.CUSTOM_ROLES and custom:
            text = f"cannot be used ({why}), and rosters have {', '.join(custom)}"
            yield Prerequisite("", what, Readiness.PROBLEM, text)
        else:
            text = f"not in the plan, or not for our account ({why}); no roster needs it"
            yield Prerequisite("", what, Readiness.OK, text)


def _custom_roles(roster: Roster, today: date) -> Iterator[str]:
    """Those that a roster makes, or gives now or later, in the roster's words."""
    yield from map(roles.normalized, roster.custom_roles)
    people = [entry.projects for own in entries(roster).values() for entry in own if not entry.over(today)]
    teams = [roles_of_team(roster, team) for team in roster.teams.values() if not days_of(team).over(today)]
    accounts = [account.projects for account in roster.own_accounts.values()]
    for projects in (*people, *teams, *accounts):
        here = {key: roster.role_here(key, role) for key, role in projects.items()}
        yield from (roster.role_word(key, role) for key, role in here.items() if roles.is_custom(role))


def _requests(security: Security) -> Prerequisite:
    what = Topic.REQUEST_ACCESS.value
    if reason := security.unknown.get(Topic.REQUEST_ACCESS):
        return Prerequisite("", what, Readiness.CONFIRM, f"who may ask for access is not known ({reason})")
    if not security.request_access:
        return Prerequisite("", what, Readiness.OK, "nothing is set")
    told = ", ".join(f"{name}={value}" for name, value in sorted(security.request_access.items()))
    return Prerequisite("", what, Readiness.CONFIRM, f"Mixpanel has {told}")


def _login(view: StackView, facts: OrganizationFacts, security: Security) -> Iterator[Prerequisite]:
    stack, login, sso = view.name, facts.login, security.sso
    if facts.url is None:
        yield Prerequisite(stack, "organization", Readiness.PROBLEM, "the roster does not say organization.url")
    by = f", by {login.identity_provider or sso.idp_name or 'an identity provider that is not named'}"
    yield _compared(stack, Topic.SSO.value, sso.required, login.sso_required, facts, by)
    yield from _domains(stack, sso, view.company_domains)
    yield _compared(stack, Topic.TWO_FACTOR.value, security.two_factor_required, login.mfa_required, facts)
    passwords = login.password_rules or ("none, with single sign-on" if login.sso_required else None)
    said = {"vpn", "ip_allowlist"} & login.model_fields_set
    named = ", ".join([*([login.vpn] if login.vpn else []), *login.ip_allowlist])
    networks = named or ("from everywhere" if said else None)
    for what, text in {"passwords": passwords, "network": networks}.items():
        yield _by_the_roster(stack, what, text, facts)


def _compared(
    stack: str, what: str, actual: bool | None, said: bool | None, facts: OrganizationFacts, more: str = ""
) -> Prerequisite:
    """Whether something is required, by Mixpanel and by the roster, from which the messages to people come."""
    words = {True: f"required{more}", False: "not required"}
    if actual is None:
        return _by_the_roster(stack, what, None if said is None else words[said], facts)
    if said not in (None, actual):
        text = f"{'required' if actual else 'not required'} in Mixpanel, and the roster says otherwise: correct login"
        return Prerequisite(stack, what, Readiness.PROBLEM, text)
    return Prerequisite(stack, what, Readiness.OK, words[actual])


def _by_the_roster(stack: str, what: str, text: str | None, facts: OrganizationFacts) -> Prerequisite:
    if text is None:
        return Prerequisite(
            stack, what, Readiness.PROBLEM, "neither the API nor the roster tells; fill it in under login"
        )
    contact = facts.contacts.get(CONTACTS[what]) or next(iter(facts.contacts.values()), "")
    nobody = "" if contact else ", and the roster names nobody to ask (contacts)"
    verdict = Readiness.CONFIRM if contact else Readiness.PROBLEM
    return Prerequisite(stack, what, verdict, f"{text}, by the roster; the API does not show it{nobody}", contact)


def _domains(stack: str, sso: SingleSignOn, companies: frozenset[str]) -> Iterator[Prerequisite]:
    """The claimed domains, where Mixpanel shows them and they decide who can log in."""
    if sso.domains is None or not sso.required:
        return
    unclaimed = ", ".join(sorted(companies - sso.domains))
    named = ", ".join(sorted(sso.domains)) or "no domain"
    if unclaimed:
        text = f"{unclaimed} is not claimed, so that its people cannot log in by single sign-on; claimed: {named}"
        yield Prerequisite(stack, "claimed domains", Readiness.PROBLEM, text)
    else:
        managed = "; the identity provider says who is in" if sso.idp_managed else ""
        yield Prerequisite(stack, "claimed domains", Readiness.OK, f"{named}{managed}")


def _other_rosters(view: StackView) -> Iterator[Prerequisite]:
    """What this roster and another one both have, and which rosters cannot be read."""
    for conflict in view.other_rosters.conflicts:
        verdict = Readiness.CONFIRM if conflict.about is About.NAME else Readiness.PROBLEM
        yield Prerequisite(view.name, _OTHER_ROSTERS, verdict, conflict.text)
    for words in view.other_rosters.unread:
        yield Prerequisite(view.name, _OTHER_ROSTERS, Readiness.PROBLEM, words)


def _projects(view: StackView, roster: Roster, overview: Overview) -> Iterator[Prerequisite]:
    there = overview.directory.projects()
    for key, project in roster.projects.items():
        platform = f", {project.platform}" if project.platform else ""
        if project.id not in there:
            text = f"{project.id} is not in the organization, or not in sight of our account"
            yield Prerequisite(view.name, f"project {key}", Readiness.PROBLEM, text)
        else:
            named = there[project.id].name
            if words := another_project(project.id, project.name, there):
                yield Prerequisite(view.name, f"project {key}", Readiness.PROBLEM, f"{words}; check the id")
                continue
            other = f"; the roster calls it {project.name!r}" if project.name not in (None, named) else ""
            text = f"{project.id} {named} is {project.environment}{platform}{other}"
            yield Prerequisite(view.name, f"project {key}", Readiness.CONFIRM if other else Readiness.OK, text)


def _needs(stack: str, roster: Roster, overview: Overview) -> Iterator[Prerequisite]:
    for someone in overview.people:
        person = someone.effective.get(stack)
        for key in person.projects if person else ():
            if needs := roster.projects[key].needs:
                text = f"{someone.email} needs {', '.join(need.replace('_', ' ') for need in needs)} in {key}"
                yield Prerequisite(
                    stack, "needs", Readiness.CONFIRM, text, roster.organization.contacts.get("access", "")
                )


def _address(view: StackView, facts: OrganizationFacts, email: str, overview: Overview) -> Prerequisite:
    stack, security, someone = view.name, overview.directory.security(), overview.anybody(email)
    sso, domain, contact = security.sso, domain_of(email), facts.contacts.get("access", "")
    provider, required, claimed = identity_provider(security, facts), sso_required(security, facts), sso.claims(email)
    if someone.person and not someone.person.invited:
        words = f" as {someone.person.role}" if someone.person.role else ""
        return Prerequisite(stack, email, Readiness.OK, f"is in the organization already{words}")
    if not required:
        return Prerequisite(stack, email, Readiness.OK, "can log in: single sign-on is not required")
    role = someone.managing_role
    if claimed is False and role:
        text = f"can log in with a password, as an organization {role}; {domain} is not claimed"
        return Prerequisite(stack, email, Readiness.OK, text)
    if claimed is False:
        text = f"cannot log in: single sign-on is required, and {domain} is not a claimed domain"
        return Prerequisite(stack, email, Readiness.PROBLEM, text, contact)
    if claimed and sso.idp_managed:
        text = f"{domain} is claimed, and {provider} says who is in: add them there, do not invite them"
        return Prerequisite(stack, email, Readiness.CONFIRM, text, contact)
    if claimed:
        return Prerequisite(stack, email, Readiness.OK, f"can log in by single sign-on: {domain} is claimed")
    try:
        external = view.context(overview.today).external(email)
    except (NotApplicable, ConfigurationError) as why:
        return Prerequisite(stack, email, Readiness.PROBLEM, f"cannot be told apart from the company's: {why}")
    if not external:
        return Prerequisite(stack, email, Readiness.OK, f"can log in: {domain} is of the company")
    text = f"{domain} is outside, and single sign-on is required: {provider} must know them"
    return Prerequisite(stack, email, Readiness.CONFIRM, text, contact)
