"""The entry that `invite` adds to a roster: what is asked for, what is wrong with it, and the roster's text with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.engagements import StandardRoles
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.draft import NewPerson
from mixpanel_access.model.roster.problems import problems_with
from mixpanel_access.model.roster.reading import RosterSource
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.similarity import in_words, unknown

OF_THE_ENGAGEMENT: Final = ("type", "sow", "sponsor")
"""What only an engagement has."""
OF_EITHER: Final = ("ticket", "approver", "justification", "starts", "ends")
"""What a new engagement takes, else the person."""
TERMS: Final = ("type", "sow", *OF_EITHER, "sponsor")
"""What a new engagement is written with, in this order."""


@dataclass(frozen=True)
class InviteRequest:
    """The person to add, and why.

    Attributes:
        engagement: the key of an engagement of the roster, or of a new one; None for access without one.
        projects: project key -> project role, or None for the standard one.
        organization_role: the organization role; None for the standard one where the roster declares them.
        terms: type, sow, sponsor, ticket, approver, justification, starts, ends; what is given of them.
    """

    stack: str
    email: str
    name: str | None = None
    engagement: str | None = None
    projects: Mapping[str, str | None] = field(default_factory=dict)
    organization_role: str | None = None
    terms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RequestProblem:
    """What is wrong with a request.

    Attributes:
        part: the part that is wrong: `email`, `engagement`, the name of a term, or `projects.KEY`.
        why: the reason, in words.
        next_step: what to do about it, or "" if the roster's own rules say no more.
    """

    part: str
    why: str
    next_step: str = ""


def part_of_project(key: str) -> str:
    """The part of a request that is one project's role."""
    return f"projects.{key}"


def problems_of(request: InviteRequest, roster: Roster, file: str) -> Iterator[RequestProblem]:
    """Everything that is wrong with a request, which may be incomplete; `file` is the roster's name."""
    yield from _misfits(request, roster, file)
    for path, words in problems_with(Roster.model_validate(_document(request, roster))):
        names = list(map(str, path[2:]))  # after people and a position, or engagements and a key
        part = part_of_project(names[1]) if names[:1] == ["projects"] else "".join(names[:1])
        yield RequestProblem(part, words.removeprefix(f"{request.email}: "))


def must_fit(request: InviteRequest, roster: Roster, file: str) -> None:
    """Refuse a request that does not fit the roster, before a text is edited.

    Raises:
        UsageError: with the first reason that has a next step of its own, else with all of them.
    """
    problems = list(problems_of(request, roster, file))
    if problems:
        first = problems[0]
        why = first.why if first.next_step else "; ".join(one.why for one in problems)
        step = f"{first.next_step or 'Correct that.'} Nothing was written."
        raise UsageError("cannot invite", subject=request.email, why=why, next_step=step)


def _misfits(request: InviteRequest, roster: Roster, file: str) -> Iterator[RequestProblem]:
    """What the roster's own rules would explain less well."""
    if reason := problem_with(request.email):
        yield RequestProblem("email", f"that is not an e-mail address ({reason})", "Correct it.")
    key, engagement = same_key(request.email), request.engagement
    for person in roster.people:
        if person.key == key and person.engagement == engagement:
            what = f"with the engagement {engagement}" if engagement else "without an engagement"
            why = f"{file} has {person.email} already, {what}"
            yield RequestProblem("engagement", why, "Change that entry, or name another --engagement.")
        if person.key == key and person.email != request.email:
            yield RequestProblem("email", f"{file} has them as {person.email}", "Write the address the same.")
    given = [name for name in OF_THE_ENGAGEMENT if name in request.terms]
    if engagement is None and given:
        yield RequestProblem("engagement", f"{in_words(given)} belong to an engagement", "Name it with --engagement.")
    if engagement is not None and engagement not in roster.engagements and "type" not in request.terms:
        why = unknown(engagement, "engagement", roster.engagements)
        yield RequestProblem("type", why, "For a new one, give its --type.")
    if engagement in roster.engagements and given:
        why = f"the engagement {engagement} is there, with its own {in_words(given)}"
        yield RequestProblem("engagement", why, "Leave them out.")
    for name in request.projects:
        if name not in roster.projects:
            why = unknown(name, "project of this roster", roster.projects)
            yield RequestProblem(part_of_project(name), why, "Correct --project.")


def standard_of(request: InviteRequest, roster: Roster) -> StandardRoles | None:
    """The standard roles of the engagement's type, or None where it has none of them."""
    engagement = roster.engagements.get(request.engagement or "")
    type_ = request.terms.get("type") or (engagement.type if engagement else None)
    return roster.standards.get(type_ or "")


def text_with(request: InviteRequest, roster: Roster, text: str, source: RosterSource) -> str:
    """The roster's text with the entry, and with its engagement where that is new.

    Raises:
        UsageError: the roster's rules do not allow the entry.
        RosterError: the text cannot be edited where it must be.
    """
    must_fit(request, roster, source.name)
    if _is_new(request, roster):
        text = editing.add_engagement(text, source, str(request.engagement), _engagement(request))
    return editing.add_people(text, source, [NewPerson(_person(request, roster))])


def _is_new(request: InviteRequest, roster: Roster) -> bool:
    return request.engagement is not None and request.engagement not in roster.engagements


def _terms(request: InviteRequest) -> dict[str, str | date]:
    return {name: _unquoted(value) for name, value in request.terms.items()}


def _engagement(request: InviteRequest) -> dict[str, Any]:
    terms = _terms(request)
    return {name: terms[name] for name in TERMS if name in terms}


def _person(request: InviteRequest, roster: Roster) -> dict[str, Any]:
    own = {} if _is_new(request, roster) else _terms(request)
    values: dict[str, Any] = {
        "email": request.email,
        "name": request.name,
        "organizationRole": request.organization_role,
        "engagement": request.engagement,
        "projects": dict(request.projects) or None,
        **{name: own.get(name) for name in OF_EITHER},
    }
    return {name: value for name, value in values.items() if value is not None}


def _document(request: InviteRequest, roster: Roster) -> dict[str, Any]:
    """The roster with the entry, as plain data."""
    document = roster.document()
    document["people"] = [*document.get("people", ()), _person(request, roster)]
    if _is_new(request, roster):
        document["engagements"] = {**document.get("engagements", {}), str(request.engagement): _engagement(request)}
    return document


def _unquoted(value: str) -> str | date:
    """A date as one, which YAML writes without quotes; anything else is for the roster's rules to judge."""
    try:
        return day(value)
    except ValueError:
        return value
