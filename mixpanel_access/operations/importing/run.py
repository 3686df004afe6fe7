"""Bring what an organization has under a stack: roster, state, and the proof that nothing changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mixpanel_access.component.own_server import names_our_server
from mixpanel_access.directory import connected
from mixpanel_access.files.notes import Note, Notes
from mixpanel_access.files.roster import schema_beside, source_of, text_of, write_roster
from mixpanel_access.model import errors
from mixpanel_access.model.access import Project as MixpanelProject
from mixpanel_access.model.declaration import Declaration, declaration
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.grants import is_exclusive
from mixpanel_access.model.groups import GROUPS, merged
from mixpanel_access.model.resources import (
    MEMBER,
    MEMBERS,
    PROJECT_ACCESS,
    PROJECT_GRANT,
    PROVIDER_KEY,
    SERVICE_ACCOUNT,
    TEAM,
    ResourceKind,
)
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations import state_change
from mixpanel_access.operations.importing import pulumi_import
from mixpanel_access.operations.importing.baseline import Baseline, in_words_for, stamped, with_engagement
from mixpanel_access.operations.importing.plan import (
    TO_BE_FILLED_IN,
    ImportFilter,
    ImportPlan,
    OrganizationSnapshot,
    choose_projects,
    names_of,
    plan_import,
    project_rows,
)
from mixpanel_access.operations.importing.starting_policies import StartingPolicies, starting_policies
from mixpanel_access.operations.importing.teams import read_teams
from mixpanel_access.operations.project import Progress, PulumiProject
from mixpanel_access.operations.revoking.rows import StateRow, is_whole, rows_of
from mixpanel_access.operations.roles_there import keys_there
from mixpanel_access.operations.state import State, StateResource, key_of, name_of, state_of
from mixpanel_access.provider.session import Session

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


_OF_PEOPLE: Final = (MEMBER.type, MEMBERS.type, PROJECT_GRANT.type, PROJECT_ACCESS.type)
"""The types of the resources that the brake guards."""


@dataclass(frozen=True)
class ImportRequest:
    """What the import should take.

    Attributes:
        projects: ids and name patterns of Mixpanel projects; none means those of the roster.
        organization_roles: whether a new roster declares organization roles.
        baseline: the engagement that everybody without one gets, or None.
        starting_policies: whether to write the policy configuration to start with.
    """

    stack: str
    wanted: ImportFilter = field(default_factory=ImportFilter)
    projects: Sequence[str] = ()
    environment: str | None = None
    organization_roles: bool = False
    baseline: Baseline | None = None
    starting_policies: bool = False


@dataclass(frozen=True)
class PreparedImport:
    """An import that is planned and not carried out yet.

    Attributes:
        before: the roster's text as it is, or None where there is none.
        plan: who comes in and who does not.
        document: the file for the engine; without resources there is nothing to import.
        notes: what resources of the state become: their names in the engine -> the note, by id.
        accounts_left_out: service account -> why it does not come in.
        would_create: the names of what the roster declares, and neither the organization nor the state has.
        policies: the policy configuration to write, or None.
        said: what to know of the baseline engagement, in sentences.
    """

    stack: str
    file: Path
    before: str | None
    reading: OrganizationSnapshot
    plan: ImportPlan
    document: Mapping[str, Any]
    notes: Mapping[str, Notes]
    accounts_left_out: Mapping[str, str] = field(default_factory=dict)
    would_create: Sequence[str] = ()
    policies: StartingPolicies | None = None
    said: Sequence[str] = ()

    def inputs(self, kind: ResourceKind) -> list[Mapping[str, Any]]:
        """The inputs of the resources of a kind that come in."""
        return [one["inputs"] for one in self.document.get("resources", ()) if one["type"] == kind.type]

    @property
    def accounts(self) -> list[str]:
        """The names of the service accounts that come in."""
        return [str(inputs["username"]) for inputs in self.inputs(SERVICE_ACCOUNT)]

    @property
    def teams(self) -> list[str]:
        """The names of the teams that come in."""
        return [str(inputs["name"]) for inputs in self.inputs(TEAM)]


def prepare(project: PulumiProject, request: ImportRequest, progress: Progress) -> PreparedImport:
    """Read roster, state and organization, and work out the import. Nothing is written.

    Raises:
        UsageError: the request, the configuration or a roster is wrong.
    """
    settings = project.settings(request.stack)
    file = project.roster(request.stack)
    before = text_of(file)
    others = project.other_rosters(request.stack)
    policies = None
    if request.starting_policies:
        policies = starting_policies(project.pulumi.project, file, settings.environment)
    text = _start(request, file, before, settings.environment, others)
    export = project.export_with_people(request.stack)
    state = state_of(export, settings.organization_id)
    groups = {row.urn: row for row in rows_of(export) if row.type in GROUPS and not row.going}
    with connected(settings, report=progress) as directory:
        session = Session(settings, directory, progress)
        text, roster, projects = _with_projects(request, file, text, directory, others)
        today = session.now().date()
        if request.baseline:
            text = with_engagement(text, source_of(file), request.baseline, today)
        reading = replace(
            _read(directory, projects, progress),
            own_roles=keys_there(directory, roster),
            teams=read_teams(directory, roster, others, today),
        )
        plan = plan_import(reading, text, source_of(file), state, request.wanted, today)
        people = len({one.key for one in plan.roster.people})
        if people > editing.MANY and not plan.roster.grouped and names_our_server(project.pulumi.project):
            progress(_proposed(file.name, people, new=before is None))
            if before is None:
                text = editing.with_groups(text)
                plan = plan_import(reading, text, source_of(file), state, request.wanted, today)
        said = []
        if request.baseline:
            plan = with_baseline(plan, source_of(file), request.baseline.key)
            said = in_words_for(request.baseline.key, plan.roster, file.name)
        declared = pulumi_import.with_role_ids(session, plan.roster, declaration(plan.roster, today))
        _must_have_projects(declared, directory, file.name)
        entries, notes, left_out = _entries(session, plan, declared, state, groups)
    held = {(row.type, name_of(row.urn)) for row in rows_of(export)} | {(one["type"], one["name"]) for one in entries}
    return PreparedImport(
        stack=request.stack,
        file=file,
        before=before,
        reading=reading,
        plan=plan,
        document=pulumi_import.import_file(entries, state) if entries else {},
        notes=notes,
        accounts_left_out=left_out,
        would_create=[
            one.name
            for one in declared.resources()
            if held.isdisjoint((one.kind.type, name) for name in (one.name, *one.former))
        ],
        policies=policies,
        said=said,
    )


def with_baseline(plan: ImportPlan, source: RosterSource, key: str) -> ImportPlan:
    """The plan in which everybody whom the import wants, and who has no engagement, has the baseline."""
    people = {one.person.key for one in plan.candidates if one.member or one.managed}
    text = stamped(plan.text, source, key, people, TO_BE_FILLED_IN)
    return replace(plan, text=text, roster=parse(text, source))


def _must_have_projects(declared: Declaration, directory: Directory, file: str) -> None:
    """Refuse a roster that gives access to a project that the organization does not have, as the samples of `new` do.

    Raises:
        UsageError: it does.
    """
    there = directory.projects()
    wanted = {
        int(one.inputs["project_id"])
        for one in declared.ungrouped.resources()
        if one.kind.plural and "project_id" in one.inputs
    }
    if missing := sorted(wanted - there.keys()):
        samples = ", ".join(str(project) for project in missing)
        raise UsageError(
            "cannot import",
            subject=file,
            why=f"it gives access to {samples}, and the service account sees no such project in organization "
            f"{directory.organization}",
            next_step="Delete these projects from the roster, with the people who have access to them: "
            "`mixpanel-access new` writes samples. Nothing was written.",
        )


def _proposed(name: str, people: int, *, new: bool) -> str:
    """That a roster of many people is better grouped, in words; a new one is so from the start."""
    why = f"{name} has {people} people: `grouped: true` makes them a few resources"
    return f"{why}, so the new roster has it" if new else f"{why}; write it into the roster, and run `pulumi up`"


def carry_out(project: PulumiProject, prepared: PreparedImport, progress: Progress) -> list[str]:
    """Write the roster, import into the state, and preview.

    Returns:
        What the preview would change; empty when the import is complete.

    Raises:
        EngineError: the engine refuses. Run again: what is done by then is not done twice.
    """
    if prepared.policies:
        prepared.policies.write()
        progress(f"wrote {prepared.policies.file} and {prepared.policies.page.name}")
    write_roster(prepared.file, prepared.before, prepared.plan.text)
    if prepared.before != prepared.plan.text:
        progress(f"wrote {prepared.file}")
    state_change.note(project, prepared.stack, prepared.notes)
    if prepared.document:
        progress(f"importing {state_change.count_of(prepared.document)} resources into stack {prepared.stack}")
        state_change.import_resources(project, prepared.stack, prepared.document, progress)
    return state_change.prove(project, prepared.stack, progress)


def _start(
    request: ImportRequest, file: Path, text: str | None, configured: str | None, others: Mapping[str, Roster]
) -> str:
    """The roster's text to start from."""
    if request.environment and configured and request.environment != configured:
        raise UsageError(
            "cannot use --environment",
            subject=request.environment,
            why=f"stack {request.stack} is configured for {configured!r} (mixpanel:environment)",
            next_step="Leave it out, or change the stack's configuration first.",
        )
    if text is None:
        environment = request.environment or configured or file.stem
        owner = next((name for name, other in others.items() if other.organization_roles), None)
        if request.organization_roles and owner:
            raise UsageError(
                "cannot declare organization roles here",
                subject=request.stack,
                why=f"{owner} declares them, and only one roster may",
                next_step="Leave --organization-roles out.",
            )
        owns = request.organization_roles
        return editing.new_roster(environment, organization_roles=owns, schema=schema_beside(file))
    roster = parse(text, source_of(file))
    if request.environment not in (None, roster.environment):
        raise UsageError(
            "cannot use --environment",
            subject=str(request.environment),
            why=f"{file.name} is a roster of {roster.environment!r}",
            next_step="Leave it out, or take the stack of that environment.",
        )
    if request.organization_roles and not roster.organization_roles:
        raise UsageError(
            "cannot use --organization-roles",
            subject=file.name,
            why="the roster is there and does not declare organization roles",
            next_step="Write organizationRoles: true into it, if no other roster has that, and run again.",
        )
    return text


def _with_projects(
    request: ImportRequest, file: Path, text: str, directory: Directory, others: Mapping[str, Roster]
) -> tuple[str, Roster, dict[int, MixpanelProject]]:
    """The roster with the projects that are asked for, as text and as read, and the projects to read."""
    roster, there = parse(text, source_of(file)), directory.projects()
    known = {project.id for project in roster.projects.values()}
    if not request.projects:
        if not known:
            seen = names_of(there.values()) or "none that we see"
            raise UsageError(
                "cannot tell which projects to import",
                subject=request.stack,
                why=f"its roster {file.name} names none; the organization has {seen}",
                next_step=f"Name those of the environment {roster.environment} with --project (id or name pattern).",
            )
        return text, roster, {id_: project for id_, project in there.items() if id_ in known}
    chosen = choose_projects(request.projects, there)
    for name, other in others.items():
        theirs = {project.id for project in other.projects.values()}
        if taken := [project for project in chosen if project.id in theirs]:
            raise UsageError(
                "cannot import the project",
                subject=f"{taken[0].id} {taken[0].name}",
                why=f"it is in {name}, of the environment {other.environment!r}",
                next_step="Each project belongs to one stack; narrow --project.",
            )
    new = [project for project in chosen if project.id not in known]
    if new:
        text = editing.add_projects(text, source_of(file), project_rows(new, roster))
        roster = parse(text, source_of(file))
    return text, roster, {project.id: project for project in chosen}


def _read(directory: Directory, projects: Mapping[int, MixpanelProject], progress: Progress) -> OrganizationSnapshot:
    people = directory.people()
    progress(f"read {len(people)} people of organization {directory.organization}")
    access = {}
    for number, project in enumerate(projects, 1):
        keys = dict.fromkeys([*people, *directory.grants(project)])
        access[project] = {key: directory.access(project, key) for key in keys}
        progress(f"read project {number} of {len(projects)}: {project} {projects[project].name}")
    try:
        accounts = [account.username for account in directory.accounts.all()]
    except (errors.Forbidden, errors.NotFound):
        accounts = None
    return OrganizationSnapshot(people, projects, access, directory.blind(projects), accounts)


def _entries(
    session: Session, plan: ImportPlan, declared: Declaration, state: State, groups: Mapping[str, StateRow]
) -> tuple[list[Mapping[str, Any]], dict[str, Notes], dict[str, str]]:
    """What goes into the state, what others that it has become, and why service accounts are left out."""
    _must_have_one_form(declared, state)
    grown = {project for project, _ in plan.grants}  # a `ProjectAccess` takes people in only by being read anew
    projects = {
        project for project in declared.project_access if project in grown or project not in state.project_access
    }
    wanted = pulumi_import.Wanted(plan.members, plan.grants, projects)
    found, left_out = pulumi_import.entries_of(session, declared, state, wanted)
    entries = []
    notes: dict[str, Notes] = {}
    for entry in found:
        kind = GROUPS.get(entry["type"])
        held = None if kind is None else state.of(kind).get(key_of(StateResource(kind, kind.id.parse(entry["id"]))))
        if kind is None or held is None:
            entries.append(entry)
            continue
        outputs, inputs = _own(entry["outputs"]), _own(entry["inputs"])
        if not is_whole(row := groups[held.urn]):  # the others in it are not read anew
            outputs, inputs = merged(kind, row.outputs, outputs), merged(kind, row.inputs, inputs)
        notes[held.urn] = {entry["id"]: Note(outputs=outputs, inputs=inputs)}
    people = pulumi_import.people_for_brake(declared, state)
    of_people = any(entry["type"] in _OF_PEOPLE for entry in entries)
    if of_people or notes or any(one.teams for one in plan.candidates):
        known: dict[str, Any] = {"people": [dict(person) for person in people]}
        for brake in state.brakes:
            if list(brake.people) != people:
                notes[brake.urn] = {brake.id: Note(outputs=known, inputs=known)}
    if not state.brakes and (of_people or state.members):  # the latter: an earlier version died after it was taken out
        entries.append(pulumi_import.brake_entry(session, people))
    return entries, notes, left_out


def _own(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != PROVIDER_KEY}


def _must_have_one_form(declared: Declaration, state: State) -> None:
    """Hold an import into a state that has members or grants in another form than the roster says.

    Raises:
        UsageError: it has.
    """
    together, apart = "as one resource", "one by one"
    found: dict[str, bool] = {}
    for one in state.members.values():
        if declared.members and one.in_group is (declared.grouped_members is None):
            found["members"] = one.in_group
    for (project, _), one in state.grants.items():
        if not one.in_group and project in declared.project_access:
            found[f"grants in project {project}"] = False
    given = {project for project, _ in declared.grants}
    for project, access in state.project_access.items():
        whole = is_exclusive(access.outputs)
        if project in declared.keys and project not in declared.project_access and (whole or project in given):
            found[f"grants in project {project}"] = True
    for what, in_state in sorted(found.items()):
        forms = (apart, together) if in_state else (together, apart)
        raise UsageError(
            "cannot import",
            why=f"the roster has the {what} {forms[0]}, and the state {forms[1]}",
            next_step="Run `pulumi up` first: it moves them, and nobody's access changes with it.",
        )
