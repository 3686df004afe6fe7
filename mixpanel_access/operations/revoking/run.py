"""Take away what the stacks' states hold and their rosters no longer give, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, NamedTuple

from pulumi.runtime.rpc import UNKNOWN

from mixpanel_access.directory import connected
from mixpanel_access.files.roster import source_of, text_of
from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import Declaration, Kept, declaration, kept_text
from mixpanel_access.model.errors import AccessError, RosterError, UsageError
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.groups import GROUPS, single_kind
from mixpanel_access.model.roster.salvage import Salvaged, salvage
from mixpanel_access.operations.project import Progress, PulumiProject, stack_states
from mixpanel_access.operations.revoking.blocked import (
    BlockedRemoval,
    RemovalDecision,
    decide_removals,
    pending_creations,
)
from mixpanel_access.operations.revoking.engine import (
    EngineStep,
    Preview,
    RunScope,
    declaration_without,
    ends_with,
    fits,
    preview,
    program_keeping,
    run,
)
from mixpanel_access.operations.revoking.removals import Removal, RosterToday, removals
from mixpanel_access.operations.revoking.rows import StateRow, rows_of, singles
from mixpanel_access.operations.state import changed_addresses, name_of
from mixpanel_access.provider.account_runs import Retiring
from mixpanel_access.provider.session import Session

_EMPTY: Final = Declaration({}, {}, (), {}, {}, ())
_COMPONENTS: Final = (kinds.COMPONENT_TYPE, kinds.COLLABORATOR_TYPE)
_FREE: Final = (kinds.STACK_TYPE, *_COMPONENTS)
"""What is in no way: it stands for nothing in Mixpanel."""
_IN_ONE: Final = (
    "the program no longer declares the resource, and others who are in it stay: take this person out of it with "
    "`pulumi up`"
)
"""Why somebody stays in a group that is not the roster's."""
_HIDDEN: Final = "[secret]"
"""What the engine shows in place of a secret."""


@dataclass(frozen=True)
class Revocation:
    """What `revoke` does to one stack.

    Attributes:
        stack: the stack.
        takes: what goes, or has gone.
        held: what ought to go and stays, each with its reason.
        problems: what is wrong otherwise, in sentences: a roster's entry, a stack that cannot be read.
        leaves: resources that the program would change too, and that are left as they are: name -> why.
        done: whether it was done, and not only shown.
    """

    stack: str
    takes: Sequence[Removal] = ()
    held: Sequence[BlockedRemoval] = ()
    problems: Sequence[str] = ()
    leaves: Mapping[str, str] = field(default_factory=dict)
    done: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything was taken away."""
        return not self.held and not self.problems and (self.done or not self.takes)


@dataclass(frozen=True)
class _Stack:
    """One stack, as it is before any decision."""

    name: str
    rows: Sequence[StateRow]
    component: StateRow | None
    roster: RosterToday
    file: str
    problem: str
    begun: Sequence[BlockedRemoval] = ()

    @property
    def inside(self) -> list[StateRow]:
        """The resources below the roster's component."""
        return [row for row in self.rows if self.component is not None and row.parent == self.component.urn]

    @property
    def outside(self) -> list[StateRow]:
        """Those of our resources that the program declares in another way."""
        inside = {row.urn for row in self.inside}
        return [row for row in self.rows if row.type.startswith(kinds.DYNAMIC_TYPE) and row.urn not in inside]


def revoke(
    project: PulumiProject,
    stacks: Sequence[str],
    progress: Progress,
    *,
    now: date | None,
    act: bool,
    ended_only: bool = False,
) -> list[Revocation]:
    """Take away what has ended in the stacks, one after the other; what is wrong with one does not stop the others.

    Args:
        project: the project.
        stacks: the stacks.
        progress: shows a line.
        now: the day (UTC) to take as today, or None for each stack's own.
        act: whether to do it; else it is only looked at.
        ended_only: whether the rosters may be old, so that only what the states themselves say has ended goes.
    """
    found = []
    for stack in stacks:
        try:
            found.append(_of_stack(project, stack, progress, now, act=act, ended_only=ended_only))
        except AccessError as error:
            found.append(Revocation(stack, problems=[str(error)]))
    return found


def _of_stack(
    project: PulumiProject, stack: str, progress: Progress, now: date | None, *, act: bool, ended_only: bool
) -> Revocation:
    with _begun(project, stack, progress) as session:
        day = now or session.settings.clock().date()
        read = _read(project, stack, session, day, ended_only=ended_only)
        decision = decide_removals(removals(read.inside, read.roster), read.rows, session, stack)
        decision = replace(decision, held=[*decision.held, *read.begun])
        problems = [read.problem] if read.problem else []
        # Else the engine has something to do, or to say what a program of one's own no longer declares.
        if not (
            decision.goes
            or read.outside
            or any(row.going and row.type.startswith(kinds.DYNAMIC_TYPE) for row in read.rows)
        ):
            return Revocation(stack, decision.goes, decision.held, problems, done=act)
        if not act and not read.outside:
            return Revocation(stack, decision.goes, decision.held, problems)
        return _apply(_Run(project, session, progress), read, decision, act=act)


@contextmanager
def _begun(project: PulumiProject, stack: str, progress: Progress) -> Iterator[Session]:
    """The session of a stack, with the states of the others."""
    settings = project.settings(stack)
    with connected(settings) as directory:
        session = Session(settings, directory, progress)
        session.states = stack_states(project, stack)
        yield session


def take_out(project: PulumiProject, stack: str, key: str, progress: Progress) -> Revocation:
    """Take away everything that a stack's roster gave to one person, by its state, and nothing else.

    Changes in the roster for other people wait. What the program declares outside of the roster goes if the program no
    longer declares it.

    Raises:
        UsageError: the configuration, the state or the roster cannot be read.
        EngineError: the engine cannot begin.
    """
    with _begun(project, stack, progress) as session:
        session.leaving = key  # here too, so that a brake is asked about somebody who was found
        read = _read(project, stack, session, session.settings.clock().date())
        nothing = RosterToday(_EMPTY, read.roster.today)
        found = [taking for taking in removals(read.inside, nothing) if taking.key == key]
        decision = decide_removals(found, read.rows, session, stack)
        outside = [taking for taking in removals(read.outside, nothing, read.rows) if taking.key == key]
        if not decision.goes and not outside:
            return Revocation(stack, held=decision.held, done=True)
        return _apply(_Run(project, session, progress), read, decision, act=True, outside=outside)


def _with_dropped(outside: Sequence[Removal], decision: RemovalDecision, seen: Preview) -> RemovalDecision:
    """The decision, with what the program no longer declares of the person; the rest of it stays."""
    deleted = {step.urn for step in seen.steps if step.op == "delete"}
    stays = [
        BlockedRemoval(one, "the program declares it outside of the roster: take it out there")
        for one in outside
        if one.urn not in deleted
    ]
    dropped = [one for one in outside if one.urn in deleted]
    return RemovalDecision([*decision.goes, *dropped], [*decision.held, *stays])


class _Run(NamedTuple):
    """What a run of the engine needs: the project, the session with the organization, and who shows its lines."""

    project: PulumiProject
    session: Session
    progress: Progress


def _apply(
    for_run: _Run, read: _Stack, decision: RemovalDecision, *, act: bool, outside: Sequence[Removal] | None = None
) -> Revocation:
    """Have the engine do what was decided, or only preview it.

    `outside` is what the stack has of one person outside of its roster, for a run about one person.
    """
    project, session, progress = for_run
    stack, problems = read.name, [read.problem] if read.problem and outside is None else []
    with program_keeping(project, _document(read, decision)) as pulumi:
        progress(f"previewing stack {stack}")
        scope = _scope(read, decision)
        if outside is not None:
            single = {one.urn for one in (*decision.goes, *outside) if not one.in_group}
            single |= {row.urn for row in read.inside if ends_with(row, decision.goes)}
            seen = preview(pulumi, stack, replace(scope, deletes=scope.deletes & single))
            decision = _with_dropped(outside, decision, seen)
        else:
            seen = preview(pulumi, stack, scope)
            decision = _with_outside(read, decision, seen, session)
        held = [
            *decision.held,
            *(BlockedRemoval(one, seen.left[one.urn]) for one in decision.goes if one.urn in seen.left),
        ]
        goes = [one for one in decision.goes if one.urn not in seen.left]
        leaves = {name_of(urn): why for urn, why in seen.left.items() if urn not in {one.taking.urn for one in held}}
        if not act or not (goes or any(row.going for row in read.rows)):
            return Revocation(stack, goes, held, problems, leaves, done=act)
        # What the program no longer declares and that stays: somebody else gives it, or a brake holds it.
        stay = {row.urn for row in _dropped(read, seen)} - {one.urn for one in goes}
        progress(f"updating stack {stack}")
        reasons, why = run(pulumi, stack, seen.excluded | stay, progress)
        left = _left(goes, rows_of(project.export(stack)), reasons, why)
        failed = {one.taking.urn for one in left if one.taking.in_group and name_of(one.taking.urn) in reasons}
        if failed and any(one.taking.urn not in failed for one in left):
            # The engine has left out what depends on a group that failed for one of its people.
            progress(f"updating stack {stack} again, without what failed")
            needed = {urn for row in read.rows if row.urn in failed for urn in row.dependencies}
            more, _ = run(pulumi, stack, seen.excluded | stay | failed | needed, progress)
            left = _left(goes, rows_of(project.export(stack)), {**more, **reasons}, why)
    stays = {one.taking for one in left}
    if why and not left:
        problems.append(why)
    gone = [one for one in goes if one not in stays]
    return Revocation(stack, gone, [*held, *left], problems, leaves, done=True)


def _read(project: PulumiProject, stack: str, session: Session, today: date, *, ended_only: bool = False) -> _Stack:
    """The stack's state, and what its roster gives; with `ended_only`, no roster is read.

    Raises:
        UsageError: the state or the roster cannot be read.
    """
    export = project.export(stack)
    _hold_others(session.organization, export)
    rows = rows_of(export)
    component = next((row for row in rows if row.type == kinds.COMPONENT_TYPE and not row.going), None)
    file, renamed = project.roster(stack), _renamed(rows, session)
    if component is None or ended_only:
        return _Stack(stack, rows, component, RosterToday(_EMPTY, today, ended_only=ended_only), file.name, "")
    text = text_of(file)
    if text is None:
        raise RosterError(
            "cannot read the roster",
            subject=str(file),
            why="the file does not exist",
            next_step=f"The stack {stack!r} needs its roster there.",
        )
    read: Salvaged = salvage(text, source_of(file))
    declared = declaration(read.roster, today)
    roster_today = RosterToday(declared=declared, today=today, unread=read.unread, renamed=renamed, roster=read.roster)
    begun = pending_creations(export, rows, roster_today, session)
    return _Stack(stack, rows, component, roster_today, file.name, read.problem, begun)


def _hold_others(organization: int, export: Mapping[str, Any]) -> None:
    """Refuse a stack with resources of another organization: what it keeps and takes away is read for one alone.

    Raises:
        UsageError: it has some.
    """
    if others := kinds.organizations_in(export).keys() - {organization}:
        named = ", ".join(map(str, sorted(others)))
        raise UsageError(
            "cannot revoke",
            why=f"the stack has resources of organization {named} too, and this command covers organization "
            f"{organization} alone",
            next_step="Take the entries out of the program and its rosters, and run `pulumi up`.",
        )


def _renamed(rows: Sequence[StateRow], session: Session) -> dict[str, str]:
    """Whose address has changed in Mixpanel: the key in the state -> the key there; the session finds them by it."""
    members = {row.ref.email: row.outputs for row in singles(rows) if row.type == kinds.MEMBER_TYPE}
    for email, member in members.items():
        if isinstance(user_id := member.get("user_id"), int):
            session.identify(email, user_id)
    by_key = {same_key(email): one for email, one in members.items()}
    return changed_addresses(by_key, session.directory.people())


def _document(read: _Stack, decision: RemovalDecision) -> str | None:
    """What the program is to declare; None where it has no roster."""
    if read.component is None:
        return None
    declared = declaration_without(read.inside, decision.goes, read.component.outputs, read.roster.declared)
    return kept_text(Kept(read.name.rpartition("/")[2], read.file, declared))


def _scope(read: _Stack, decision: RemovalDecision) -> RunScope:
    """What a run may touch: what goes, and the brake that knows of it; in a program of one's own, what it drops."""
    ours = {row.urn for row in read.rows if row.type.startswith(kinds.DYNAMIC_TYPE)}
    outside = {row.urn for row in read.outside}
    going = {row.urn for row in read.rows if row.going and row.urn in ours}
    taken = grouped((one.urn, one) for one in decision.goes)
    ends = {row.urn for row in read.rows if row.urn in taken and ends_with(row, taken[row.urn])}
    updates = taken.keys() - ends
    updates |= {row.urn for row in read.inside if row.type == kinds.BRAKE_TYPE}  # excluded, it would keep everybody
    deletes = ends | going | outside
    # A state of version 0.1.0 does not say which grants a project has lost: excluded, it would keep whose they were.
    updates |= {row.urn for row in read.inside if row.type in GROUPS and row.dependencies & deletes}
    free = {row.urn for row in read.rows if row.type in _FREE or row.type.startswith("pulumi:providers:")}
    excluded = {row.urn for row in read.rows} - updates - deletes - free
    idle = {row.urn: row.dependencies for row in read.rows if row.urn in outside or row.type in _COMPONENTS}
    return RunScope(deletes, updates, excluded if fits(excluded) else excluded - ours, idle)


def _with_outside(read: _Stack, decision: RemovalDecision, seen: Preview, session: Session) -> RemovalDecision:
    """The decision, with what a program of one's own no longer declares, in whatever way."""
    made = [step for step in seen.steps if step.op == "create"]
    dropped = _dropped(read, seen)
    rows = [row for row in singles(dropped) if not any(_is_same(row, step) for step in made)]
    found = [one for one in removals(rows, read.roster, read.rows) if not one.lowers]
    if not found:
        return decision
    more = decide_removals(found, read.rows, session, read.name)
    gone = {one.place for one in more.goes}
    whole = {row.urn for row in dropped if all(part.place in gone for part in singles([row]))}
    stay = [BlockedRemoval(one, _IN_ONE) for one in more.goes if one.urn not in whole]
    goes = [one for one in more.goes if one.urn in whole]
    return RemovalDecision([*decision.goes, *goes], [*decision.held, *more.held, *stay])


def _dropped(read: _Stack, seen: Preview) -> list[StateRow]:
    """Our resources outside of the roster that the program no longer declares."""
    deleted = {step.urn for step in seen.steps if step.op == "delete"}
    return [row for row in read.outside if row.urn in deleted and not row.going]


def _is_same(row: StateRow, step: EngineStep) -> bool:
    """Whether a resource that the program would make may be in Mixpanel what this one is: only its name has changed."""
    made, kind = kinds.KINDS.get(step.urn.split("::")[-2].rpartition("$")[2]), kinds.KINDS.get(row.type)
    if made is None or kind is None:
        return False
    if made.parts and made is not kind:
        people = step.inputs.get(made.parts.people)
        keys = set(map(same_key, people)) if isinstance(people, Mapping | list) else None
        same = (_equal(row.outputs.get(name), step.inputs.get(name)) for name in made.identity)
        return single_kind(made) is kind and (keys is None or row.place[1] in keys) and all(same)
    return made is kind and all(_equal(row.outputs.get(name), step.inputs.get(name)) for name in kind.identity)


def _equal(have: Any, made: Any) -> bool:
    """Whether two values may be the same: one that is unknown or secret may be any."""
    if made in (None, UNKNOWN, _HIDDEN) or not isinstance(have, str | int | float):
        return True
    return same_key(str(have)) == same_key(str(made)) if isinstance(made, str) else have == made


def _left(
    goes: Sequence[Removal], rows: Sequence[StateRow], reasons: Mapping[str, str], why: str
) -> list[BlockedRemoval]:
    """What is in the state still, with what the engine said of it."""
    there = {row.place: row for row in singles(rows) if not row.going and row.type in kinds.KINDS}
    left = [(one, there[one.place].name) for one in goes if one.place in there and _is_left(one, there[one.place])]
    unknown = why or "the engine did not say why; run it again"
    return [BlockedRemoval(one, reasons.get(name) or unknown) for one, name in left]


def _is_left(taking: Removal, row: StateRow) -> bool:
    if taking.type == kinds.SERVICE_ACCOUNT_TYPE and taking.lowers:
        return any(one.login in taking.what for one in Retiring.all_of(row.outputs))
    gone = (None, "", taking.role) if taking.type == kinds.GRANT_TYPE else (None, taking.role)
    return not taking.lowers or row.outputs.get("role") not in gone
