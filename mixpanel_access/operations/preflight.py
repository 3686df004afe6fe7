"""What has to be so before somebody is invited: what can be read is checked, of the rest it names who confirms it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import domain_of, problem_with
from mixpanel_access.model.roster import OrganizationFacts, Roster
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


_TOPICS: Final[Mapping[str, str]] = {
    "single sign-on": "access", "second factor": "access", "passwords": "password", "network": "network",
}  # fmt: skip
"""What cannot be read through the API -> the topic among the roster's contacts."""


def checks(picture: Picture, companies: Mapping[str, frozenset[str]], email: str | None = None) -> list[Check]:
    """All prerequisites, in the order in which one looks at them.

    Args:
        picture: rosters, states and the organization.
        companies: stack -> the company's domains.
        email: an address that is to be invited, or None.
    """
    return list(_all(picture, companies, email))


def _all(picture: Picture, companies: Mapping[str, frozenset[str]], email: str | None) -> Iterator[Check]:
    yield _account(picture)
    for view in picture.stacks.values():
        if view.roster is None:
            yield Check(view.name, "roster", Verdict.PROBLEM, f"there is no {view.file.name}")
            continue
        yield from _login(view.name, view.roster.organization)
        yield from _projects(view, view.roster, picture)
        yield from _needs(view.name, view.roster, picture)
        if email is not None:
            yield from _address(view.name, view.roster, companies.get(view.name, frozenset()), email, picture.today)


def _account(picture: Picture) -> Check:
    role = picture.directory.own_role()
    if role in roles.MANAGING_ROLES:
        return Check("", "our account", Verdict.OK, f"is organization {role}")
    text = f"is organization {role or 'without a role that is told'}, and only owner and admin may invite"
    return Check("", "our account", Verdict.PROBLEM, text)


def _login(stack: str, facts: OrganizationFacts) -> Iterator[Check]:
    login = facts.login
    if facts.url is None:
        yield Check(stack, "organization", Verdict.PROBLEM, "the roster does not say organization.url")
    said = {
        "single sign-on": None
        if login.sso_required is None
        else f"required, by {login.identity_provider or 'an identity provider that is not named'}"
        if login.sso_required
        else "not required",
        "second factor": None if login.mfa_required is None else "required" if login.mfa_required else "not required",
        "passwords": login.password_rules or ("none, with single sign-on" if login.sso_required else None),
        "network": ", ".join([*([login.vpn] if login.vpn else []), *login.ip_allowlist]) or "from everywhere",
    }
    for what, text in said.items():
        if text is None:
            yield Check(stack, what, Verdict.PROBLEM, "neither the API nor the roster tells; fill it in under login")
        else:
            contact = facts.contacts.get(_TOPICS[what]) or next(iter(facts.contacts.values()), "")
            yield Check(stack, what, Verdict.CONFIRM, f"{text}, by the roster; the API does not tell", contact)


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


def _address(stack: str, roster: Roster, domains: frozenset[str], email: str, today: date) -> Iterator[Check]:
    if reason := problem_with(email):
        yield Check(stack, email, Verdict.PROBLEM, f"is no e-mail address ({reason})")
        return
    login, domain = roster.organization.login, domain_of(email)
    try:
        external = Context(today, company_domains=domains).external(email)
    except NotApplicable as reason_why:
        yield Check(stack, email, Verdict.PROBLEM, f"cannot be told from the company's: {reason_why}")
        return
    if not external or not login.sso_required:
        yield Check(stack, email, Verdict.OK, f"can log in: {domain} is {'outside' if external else 'of the company'}")
        return
    text = f"{domain} is outside, and single sign-on is required: {login.identity_provider or 'it'} must know them"
    yield Check(stack, email, Verdict.CONFIRM, text, roster.organization.contacts.get("access", ""))
