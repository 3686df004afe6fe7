"""What has to be so before somebody is invited: what can be read is checked, of the rest it names who confirms it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import domain_of, problem_with, same_key
from mixpanel_access.model.given import GivenPerson
from mixpanel_access.model.roster import OrganizationFacts, Roster
from mixpanel_access.model.security import Feature, Security, SingleSignOn, Topic
from mixpanel_access.operations.picture import Picture, StackView
from mixpanel_access.rules.facts import Context, NotApplicable


class Verdict(StrEnum):
    """What a check finds."""

    OK = "ok"
    CONFIRM = "to be confirmed"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """One prerequisite.

    Attributes:
        stack: the stack that it concerns; "" for the organization.
        what: which.
        verdict: what was found.
        text: in words.
        contact: the address of who confirms it, or "".
    """

    stack: str
    what: str
    verdict: Verdict
    text: str
    contact: str = ""


CONTACTS: Final[Mapping[str, str]] = {
    "single sign-on": "access", "second factor": "access", "passwords": "password", "network": "network",
}  # fmt: skip
"""What a check is about -> the topic among the roster's contacts."""


def checks(picture: Picture, companies: Mapping[str, frozenset[str]], email: str | None = None) -> list[Check]:
    """All prerequisites, in the order in which one looks at them.

    Args:
        picture: rosters, states and the organization.
        companies: stack -> the company's domains.
        email: an address that is to be invited, or None.

    Raises:
        MixpanelError: Mixpanel cannot be read.
    """
    return list(_all(picture, companies, email))


def _all(picture: Picture, companies: Mapping[str, frozenset[str]], email: str | None) -> Iterator[Check]:
    security = picture.directory.security()
    yield _account(picture)
    yield from _plan(picture)
    yield _requests(security)
    for view in picture.stacks.values():
        if view.roster is None:
            yield Check(view.name, "roster", Verdict.PROBLEM, f"there is no {view.file.name}")
            continue
        domains = companies.get(view.name, frozenset())
        yield from _login(view.name, view.roster.organization, security, domains)
        yield from _projects(view, view.roster, picture)
        yield from _needs(view.name, view.roster, picture)
        if email is not None:
            yield _address(view.name, view.roster, domains, email, picture)


def _account(picture: Picture) -> Check:
    role = picture.directory.own_role()
    if role in roles.MANAGING_ROLES:
        return Check("", "our account", Verdict.OK, f"is organization {role}")
    text = f"is organization {role or 'without a role that is told'}, and only owner and admin may invite"
    return Check("", "our account", Verdict.PROBLEM, text)


def _plan(picture: Picture) -> Iterator[Check]:
    """What the plan has; a problem only where something is declared that it has not."""
    custom = sorted(
        {role for one in picture.standings for given in one.given.values() for role in _custom_roles(given)}
    )
    for feature, why in picture.directory.features(picture.now).items():
        if why is None:
            yield Check("", f"plan: {feature}", Verdict.OK, "can be used")
        elif feature is Feature.CUSTOM_ROLES and custom:
            text = f"cannot be used ({why}), and rosters give {', '.join(custom)}"
            yield Check("", f"plan: {feature}", Verdict.PROBLEM, text)
        else:
            yield Check("", f"plan: {feature}", Verdict.OK, f"not to be used here ({why}), and not needed")


def _custom_roles(given: GivenPerson) -> Iterator[str]:
    return (held.role for held in given.projects.values() if roles.is_custom(held.role))


def _requests(security: Security) -> Check:
    what = Topic.REQUEST_ACCESS.value
    if reason := security.unknown.get(Topic.REQUEST_ACCESS):
        return Check("", what, Verdict.CONFIRM, f"who may ask for access by themselves is not told ({reason})")
    if not security.request_access:
        return Check("", what, Verdict.OK, "nothing is set")
    told = ", ".join(f"{name}={value}" for name, value in sorted(security.request_access.items()))
    return Check("", what, Verdict.CONFIRM, f"Mixpanel has {told}")


def _login(stack: str, facts: OrganizationFacts, security: Security, companies: frozenset[str]) -> Iterator[Check]:
    login, sso = facts.login, security.sso
    if facts.url is None:
        yield Check(stack, "organization", Verdict.PROBLEM, "the roster does not say organization.url")
    by = f", by {login.identity_provider or sso.idp_name or 'an identity provider that is not named'}"
    yield _compared(stack, Topic.SSO.value, sso.required, login.sso_required, facts, by)
    yield from _domains(stack, sso, companies)
    yield _compared(stack, Topic.TWO_FACTOR.value, security.two_factor_required, login.mfa_required, facts)
    passwords = login.password_rules or ("none, with single sign-on" if login.sso_required else None)
    networks = ", ".join([*([login.vpn] if login.vpn else []), *login.ip_allowlist]) or "from everywhere"
    for what, text in {"passwords": passwords, "network": networks}.items():
        yield _by_the_roster(stack, what, text, facts)


def _compared(
    stack: str, what: str, actual: bool | None, said: bool | None, facts: OrganizationFacts, more: str = ""
) -> Check:
    """Whether something is required, as Mixpanel tells it and as the roster, which people are told from."""
    words = {True: f"required{more}", False: "not required"}
    if actual is None:
        return _by_the_roster(stack, what, None if said is None else words[said], facts)
    if said not in (None, actual):
        text = f"{'required' if actual else 'not required'} in Mixpanel, and the roster says otherwise: correct login"
        return Check(stack, what, Verdict.PROBLEM, text)
    return Check(stack, what, Verdict.OK, words[actual])


def _by_the_roster(stack: str, what: str, text: str | None, facts: OrganizationFacts) -> Check:
    if text is None:
        return Check(stack, what, Verdict.PROBLEM, "neither the API nor the roster tells; fill it in under login")
    contact = facts.contacts.get(CONTACTS[what]) or next(iter(facts.contacts.values()), "")
    return Check(stack, what, Verdict.CONFIRM, f"{text}, by the roster; the API does not tell", contact)


def _domains(stack: str, sso: SingleSignOn, companies: frozenset[str]) -> Iterator[Check]:
    """The claimed domains, where Mixpanel tells them and they decide who can log in."""
    if sso.domains is None or not sso.required:
        return
    unclaimed = ", ".join(sorted(companies - sso.domains))
    named = ", ".join(sorted(sso.domains)) or "no domain"
    if unclaimed:
        text = f"{unclaimed} is not claimed, so that its people cannot log in by single sign-on; claimed: {named}"
        yield Check(stack, "claimed domains", Verdict.PROBLEM, text)
    else:
        managed = "; the identity provider says who is in" if sso.idp_managed else ""
        yield Check(stack, "claimed domains", Verdict.OK, f"{named}{managed}")


def _projects(view: StackView, roster: Roster, picture: Picture) -> Iterator[Check]:
    there = picture.directory.projects()
    for key, project in roster.projects.items():
        platform = f", {project.platform}" if project.platform else ""
        if project.id not in there:
            text = f"{project.id} is not in the organization, or not in sight of our account"
            yield Check(view.name, f"project {key}", Verdict.PROBLEM, text)
        else:
            named = there[project.id].name
            other = f"; the roster calls it {project.name!r}" if project.name not in (None, named) else ""
            text = f"{project.id} {named} is {project.environment}{platform}{other}"
            yield Check(view.name, f"project {key}", Verdict.CONFIRM if other else Verdict.OK, text)


def _needs(stack: str, roster: Roster, picture: Picture) -> Iterator[Check]:
    for standing in picture.standings:
        person = standing.given.get(stack)
        for key in person.projects if person else ():
            if needs := roster.projects[key].needs:
                text = f"{standing.email} needs {', '.join(need.replace('_', ' ') for need in needs)} in {key}"
                yield Check(stack, "needs", Verdict.CONFIRM, text, roster.organization.contacts.get("access", ""))


def _address(stack: str, roster: Roster, companies: frozenset[str], email: str, picture: Picture) -> Check:
    if reason := problem_with(email):
        return Check(stack, email, Verdict.PROBLEM, f"is no e-mail address ({reason})")
    login, sso, domain = roster.organization.login, picture.directory.security().sso, domain_of(email)
    contact = roster.organization.contacts.get("access", "")
    provider = login.identity_provider or sso.idp_name or "the identity provider"
    required = login.sso_required if sso.required is None else sso.required
    claimed = sso.claims(email)
    if required and claimed is False:
        standing = picture.of(same_key(email))
        given = standing.given.get(stack) if standing else None
        if given and given.organization_role in roles.MANAGING_ROLES:
            text = f"can log in with a password, as an organization {given.organization_role}; {domain} is not claimed"
            return Check(stack, email, Verdict.OK, text)
        text = f"cannot log in: single sign-on is required, and {domain} is no claimed domain"
        return Check(stack, email, Verdict.PROBLEM, text, contact)
    if claimed and sso.idp_managed:
        text = f"{domain} is claimed, and {provider} says who is in: add them there, do not invite them"
        return Check(stack, email, Verdict.CONFIRM, text, contact)
    if required and claimed:
        return Check(stack, email, Verdict.OK, f"can log in by single sign-on: {domain} is claimed")
    try:
        external = Context(picture.today, company_domains=companies).external(email)
    except NotApplicable as why:
        return Check(stack, email, Verdict.PROBLEM, f"cannot be told from the company's: {why}")
    if not external or not required:
        return Check(stack, email, Verdict.OK, f"can log in: {domain} is {'outside' if external else 'of the company'}")
    text = f"{domain} is outside, and single sign-on is required: {provider} must know them"
    return Check(stack, email, Verdict.CONFIRM, text, contact)
