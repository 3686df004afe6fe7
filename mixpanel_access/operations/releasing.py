"""Take people out of a stack, roster and all, and leave Mixpanel as it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mixpanel_access.directory import connected
from mixpanel_access.files.notes import Note
from mixpanel_access.files.roster import source_of, text_of, write_roster
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.groups import GROUPS, without
from mixpanel_access.model.resources import KINDS
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.reading import parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations import state_change
from mixpanel_access.operations.project import Progress, PulumiProject
from mixpanel_access.operations.revoking.rows import StateRow, is_whole, rows_of
from mixpanel_access.operations.state import State, StateResource, state_of
from mixpanel_access.provider.session import Session


@dataclass(frozen=True)
class Released:
    """What was released.

    Attributes:
        stack: the stack.
        members: how many members left the state.
        grants: how many grants left it.
        entries: how many entries left the roster.
        changes: what the preview then changes; empty if all is well.
    """

    stack: str
    members: int
    grants: int
    entries: int
    changes: Sequence[str]


def release(project: PulumiProject, stack: str, emails: Sequence[str], progress: Progress) -> Released:
    """Take people out of the state, then out of the roster. One that died half-way is finished by the next.

    Raises:
        UsageError: somebody is neither in the state nor in the roster, or has a project whose grants the roster alone
            says; nothing was changed.
    """
    export = project.export_with_people(stack)
    state = state_of(export, project.settings(stack).organization_id)
    file = project.roster(stack)
    text = text_of(file)
    keys = {same_key(email): email for email in emails}
    grants = {place: grant for place, grant in state.grants.items() if place[1] in keys}
    members = {key: member for key, member in state.members.items() if key in keys}
    listed = {person.key for person in parse(text, source_of(file)).people} & keys.keys() if text is not None else set()
    known = members.keys() | {key for _, key in grants} | listed
    if unknown := [email for key, email in keys.items() if key not in known]:
        why = f"neither the state of stack {stack} nor {file.name} has them"
        raise _refused(", ".join(unknown), why, "Nothing was changed; check the address.")
    groups = {row.urn: row for row in rows_of(export) if row.type in GROUPS and not row.going}
    if whole := [one for one in grants.values() if one.in_group and is_whole(groups[one.urn])]:
        email, project_id = whole[0].email, whole[0].project
        raise _refused(
            email,
            f"the roster says all grants in project {project_id}: who is let go there loses the grant at the next "
            "`pulumi up`, which is not a release",
            "Nothing was changed. To take the grant away, use offboard or take the entry out; to let it go, leave "
            "`authoritative` out for the project first, and run `pulumi up`.",
        )
    left = None if text is None else editing.remove_people(text, source_of(file), listed)  # first: it may be refused
    if members or grants:
        places = [place for (_, key), place in state.team_members.items() if key in keys]
        released: list[StateResource] = [*grants.values(), *places, *members.values()]
        notes = {one.urn: {one.id: Note(gone=True)} for one in released if not one.in_group}
        for urn in {one.urn for one in released if one.in_group}:
            notes[urn] = {groups[urn].id: _without(groups[urn], keys.keys())}
        for held in state.brakes:
            inputs = {"people": [one for one in held.people if same_key(str(one["email"])) not in keys]}
            notes[held.urn] = {held.id: Note(outputs=inputs, inputs=inputs)}
        state_change.note(project, stack, notes)
        progress(f"took {len(released)} resources out of the state of stack {stack}")
    if state.component and not state.brakes:  # a run of an earlier version died after it was taken out
        roster = Roster(environment="") if left is None else parse(left, source_of(file))
        _restore_brake(project, stack, state, roster, progress)
    if left is not None:
        write_roster(file, text, left)
        progress(f"wrote {file}")
    return Released(stack, len(members), len(grants), len(listed), state_change.prove(project, stack, progress))


def _without(group: StateRow, keys: Collection[str]) -> Note:
    """What a group becomes without these people; a roster declares none with nobody in it."""
    if all(key in keys for _, key in (part.place for part in group.parts)):
        return Note(gone=True)
    kind = KINDS[group.type]
    return Note(outputs=without(kind, group.outputs, keys), inputs=without(kind, group.inputs, keys))


def _restore_brake(project: PulumiProject, stack: str, state: State, staying: Roster, progress: Progress) -> None:
    """Import the brake over the people who stay."""
    from mixpanel_access.operations.importing import pulumi_import  # brings the Pulumi SDK

    settings = project.settings(stack)
    declared = declaration(staying, settings.clock().date())
    people = pulumi_import.people_for_brake(declared, state)
    with connected(settings) as directory:
        brake = pulumi_import.brake_entry(Session(settings, directory, progress), people)
    state_change.import_resources(project, stack, pulumi_import.import_file([brake], state), progress)


def _refused(subject: str, why: str, next_step: str) -> UsageError:
    return UsageError("cannot release", subject=subject, why=why, next_step=next_step)
