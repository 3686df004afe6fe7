"""Add one person to a stack's roster, checked against roster, organization and policies, and previewed.

Nothing is sent here: the invitation goes out with the `pulumi up` of the changed roster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from mixpanel_access.directory import connected
from mixpanel_access.files.roster import read_other_rosters, source_of, text_of, write_roster
from mixpanel_access.model import roles
from mixpanel_access.model.access import remaining_access
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import DRAFTS_VARIABLE, Declaration, declaration
from mixpanel_access.model.effective_access import EffectivePerson, RosterEntry, effective_access_of, entries, overlaps
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.neighbours import NEIGHBOURS
from mixpanel_access.model.roster.reading import parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.similarity import similar_addresses
from mixpanel_access.operations.invite_entry import InviteRequest, standard_of, text_with
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
    if roster.organization_roles and not request.organization_role:
        standard = standard_of(request, roster)
        request = replace(request, organization_role=standard.organization if standard else roles.MEMBER)
    after = text_with(request, roster, before, source)
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
    for other in similar_addresses(email, there):
        yield f"{there[other]} has a similar address: check that these are two different people"


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
