"""Add one person to a stack's roster, checked against roster, organization and policies, and previewed.

Nothing is sent here: the invitation goes out with the `pulumi up` of the changed roster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mixpanel_access.directory import connected
from mixpanel_access.files.roster import read_other_rosters, source_of, text_of, write_roster
from mixpanel_access.model import roles
from mixpanel_access.model.access import remaining_access
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.declaration import DRAFTS_VARIABLE, Declaration, declaration
from mixpanel_access.model.effective_access import EffectivePerson, RosterEntry, effective_access_of, entries, overlaps
from mixpanel_access.model.engagements import StandardRoles
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.neighbours import NEIGHBOURS
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.draft import NewPerson
from mixpanel_access.model.roster.problems import problems_with
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.similarity import alike, in_words, unknown
from mixpanel_access.operations.policy_check import (
    Violation,
    policy_config_file,
    read_policy_config,
    rules_context,
    violations,
)
from mixpanel_access.operations.project import Progress, PulumiProject, temporary_folder, with_variables
from mixpanel_access.operations.roles_there import role_there
from mixpanel_access.operations.state_change import changes_at_preview
from mixpanel_access.rules.rule import Level

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory

OF_THE_ENGAGEMENT: Final = ("type", "sow", "sponsor")
"""What only an engagement has."""
OF_EITHER: Final = ("ticket", "approver", "justification", "starts", "ends")
"""What a new engagement takes, else the person."""


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
class PreparedInvite:
    """An entry that is planned and not written yet.

    Attributes:
        after: its text with the entry.
        roles: project key -> role that the entry gives from its first day on.
        notes: what is good to know, in words.
        violations: what the policy rules find with the entry and not without it.
        changes: what a preview with the entry would change.
    """

    request: InviteRequest
    file: Path
    before: str
    after: str
    roles: Mapping[str, str]
    notes: Sequence[str]
    violations: Sequence[Violation]
    changes: Sequence[str]

    @property
    def held(self) -> bool:
        """Whether the entry violates a mandatory rule."""
        return any(one.level is Level.MANDATORY for one in self.violations)


def prepare(project: PulumiProject, request: InviteRequest, progress: Progress) -> PreparedInvite:
    """Plan the entry and preview what it does; write nothing.

    Raises:
        UsageError: something of the request, the configuration or the roster is wrong.
        EngineError: the preview fails: a brake, or the provider's check.
    """
    settings = project.settings(request.stack)
    file, before = read(project, request.stack)
    source = source_of(file)
    roster = parse(before, source)
    _must_fit(request, roster, file)
    if roster.organization_roles and not request.organization_role:
        standard = standard_of(request, roster)
        request = replace(request, organization_role=standard.organization if standard else roles.MEMBER)
    after = _written(request, roster, before, source)
    changed, today = parse(after, source), settings.clock().date()
    mine = entries(changed)[same_key(request.email)]
    entry = mine[-1]
    first = max(today, entry.starts or today)
    around = rules_context(request.stack, settings, project.config(request.stack), today)
    config = read_policy_config(policy_config_file(project.pulumi.project, file))
    already = {(one.rule.id, one.text) for one in violations(_declared(roster, file, first), around, config)}
    found = [
        one
        for one in violations(_declared(changed, file, first), around, config)
        if (one.rule.id, one.text) not in already
    ]
    progress("previewing")
    changes = _changes(project, request.stack, file, after)
    person = effective_access_of(mine, first)
    with connected(settings, report=progress) as directory:
        notes = [
            *_who_is_there(request.email, directory, given=effective_access_of(mine, today) is not None),
            *_what_becomes(person, directory, changed),
            *_who_is_alike(request.email, directory, roster),
            *_elsewhere(project, request),
            *(overlaps(person) if person else ()),
            *_when(entry, today),
        ]
    return PreparedInvite(request, file, before, after, entry.projects, notes, found, changes)


def _declared(roster: Roster, file: Path, today: date) -> Declaration:
    """What a roster declares, with what the other rosters in its folder do."""
    declared = declaration(roster, today)
    return replace(declared, facts={**declared.facts, NEIGHBOURS: read_other_rosters(file).facts(declared, today)})


def write(prepared: PreparedInvite) -> None:
    """Write the roster with the entry.

    Raises:
        UsageError: it was changed meanwhile, or cannot be written.
    """
    write_roster(prepared.file, prepared.before, prepared.after)


def read(project: PulumiProject, stack: str) -> tuple[Path, str]:
    """A stack's roster and its text."""
    file = project.roster(stack)
    text = text_of(file)
    if text is None:
        raise UsageError(
            "cannot find the roster",
            subject=stack,
            why=f"there is no {file}",
            next_step=f"Make it: mixpanel-access import --stack {stack} --project ...",
        )
    return file, text


def _must_fit(request: InviteRequest, roster: Roster, file: Path) -> None:
    """Refuse what the roster's own rules would explain less well."""

    def hold(why: str, next_step: str) -> None:
        raise UsageError("cannot invite", subject=request.email, why=why, next_step=f"{next_step} Nothing was written.")

    if reason := problem_with(request.email):
        hold(f"that is not an e-mail address ({reason})", "Correct it.")
    key, engagement = same_key(request.email), request.engagement
    for person in roster.people:
        if person.key == key and person.engagement == engagement:
            what = f"with the engagement {engagement}" if engagement else "without an engagement"
            hold(f"{file.name} has {person.email} already, {what}", "Change that entry, or name another --engagement.")
        if person.key == key and person.email != request.email:
            hold(f"{file.name} has them as {person.email}", "Write the address the same.")
    given = [name for name in OF_THE_ENGAGEMENT if name in request.terms]
    if engagement is None and given:
        hold(f"{in_words(given)} belong to an engagement", "Name it with --engagement.")
    if engagement is not None and engagement not in roster.engagements and "type" not in request.terms:
        hold(unknown(engagement, "engagement", roster.engagements), "For a new one, give its --type.")
    if engagement in roster.engagements and given:
        hold(f"the engagement {engagement} is there, with its own {in_words(given)}", "Leave them out.")
    for name in request.projects:
        if name not in roster.projects:
            hold(unknown(name, "project of this roster", roster.projects), "Correct --project.")


def standard_of(request: InviteRequest, roster: Roster) -> StandardRoles | None:
    """The standard roles of the engagement's type, or None where it has none of them."""
    engagement = roster.engagements.get(request.engagement or "")
    type_ = request.terms.get("type") or (engagement.type if engagement else None)
    return roster.standards.get(type_ or "")


def _written(request: InviteRequest, roster: Roster, text: str, source: RosterSource) -> str:
    """The roster's text with the entry, and with its engagement where that is new.

    Raises:
        UsageError: the roster's rules do not allow the entry.
        RosterError: the text cannot be edited where it must be.
    """
    new = request.engagement is not None and request.engagement not in roster.engagements
    terms = {name: _unquoted(value) for name, value in request.terms.items()}
    engagement: dict[str, Any] = {
        name: terms[name] for name in ("type", "sow", *OF_EITHER, "sponsor") if new and name in terms
    }
    own = {} if new else terms
    values: dict[str, Any] = {
        "email": request.email,
        "name": request.name,
        "organizationRole": request.organization_role,
        "engagement": request.engagement,
        "projects": dict(request.projects) or None,
        **{name: own.get(name) for name in OF_EITHER},
    }
    person = {name: value for name, value in values.items() if value is not None}
    _must_be_allowed(request, roster, person, engagement if new else None)
    if new:
        text = editing.add_engagement(text, source, str(request.engagement), engagement)
    return editing.add_people(text, source, [NewPerson(person)])


def _must_be_allowed(
    request: InviteRequest, roster: Roster, person: Mapping[str, Any], engagement: Mapping[str, Any] | None
) -> None:
    """Refuse an entry that the roster's rules do not allow, before a text is edited."""
    document = roster.document()
    document["people"] = [*document.get("people", ()), person]
    if engagement is not None:
        document["engagements"] = {**document.get("engagements", {}), str(request.engagement): engagement}
    if problems := [words for _, words in problems_with(Roster.model_validate(document))]:
        raise UsageError(
            "cannot invite",
            subject=request.email,
            why="; ".join(words.removeprefix(f"{request.email}: ") for words in problems),
            next_step="Correct that. Nothing was written.",
        )


def _unquoted(value: str) -> str | date:
    """A date as one, which YAML writes without quotes; anything else is for the roster's rules to judge."""
    try:
        return day(value)
    except ValueError:
        return value


def _changes(project: PulumiProject, stack: str, file: Path, text: str) -> list[str]:
    """What a preview would change if the roster were so; the roster itself is not touched."""
    with temporary_folder() as folder:
        (folder / file.name).write_bytes(text.encode())
        drafting = with_variables(project.pulumi, {DRAFTS_VARIABLE: str(folder)})
        return changes_at_preview(PulumiProject(drafting), stack)


def _who_is_there(email: str, directory: Directory, *, given: bool) -> Iterator[str]:
    person = directory.person(email)
    if person is None:
        comes = ": the next `pulumi up` invites them" if given else ""
        yield f"they are not in the organization{comes}"
        return
    state = "invited" if person.invited else "a member"
    role = f" as organization {person.role}" if person.role else ""
    spelling = f", written {person.email}" if person.email != email else ""
    yield f"they are {state} already{role}{spelling}: {remaining_access(directory.reached_projects(email))}"


def _what_becomes(person: EffectivePerson | None, directory: Directory, roster: Roster) -> Iterator[str]:
    """The roles that they have already and that the declared ones will replace."""
    if person is None:
        return
    there, role = directory.person(person.email), person.organization_role
    if there and there.role and role is not None and roles.role_change(role, there.role, None).replaces:
        yield f"they are organization {there.role}: `pulumi up` makes that {role}"
    for key, held in person.projects.items():
        own = directory.access(roster.projects[key].id, person.email).individual
        if own not in (None, role_there(directory, roster, key, held.role)):
            yield f"they have {own} in {key} already: `pulumi up` makes it {held.role}"


def _who_is_alike(email: str, directory: Directory, roster: Roster) -> Iterator[str]:
    """People who may be the same, or be taken for them."""
    there = {person.key: person.email for person in roster.people}
    there |= {key: person.email for key, person in directory.people().items()}
    own = same_key(email)
    for key, other in sorted(there.items()):
        if key != own and alike(key, own):
            yield f"{other} is there and looks much the same: make sure that they are two"


def _elsewhere(project: PulumiProject, request: InviteRequest) -> Iterator[str]:
    """The person in the rosters of the other stacks."""
    for name, roster in project.other_rosters(request.stack).items():
        for person in roster.people:
            if person.key == same_key(request.email):
                engagement = f", with the engagement {person.engagement}" if person.engagement else ""
                yield f"{name} has {person.email} as well{engagement}"


def _when(entry: RosterEntry, today: date) -> Iterator[str]:
    if entry.over(today):
        yield f"it ended on {entry.ends}, and gives nothing"
    elif entry.starts is not None and entry.starts > today:
        yield f"it begins on {entry.starts}: until then, `pulumi up` gives nothing"
