"""`mixpanel-access revoke`: take away what has ended, or show what will end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks
from mixpanel_access.cli.output import day_of, new_table, print_json, print_table, progress, record_of
from mixpanel_access.model.errors import AccessError, UsageError
from mixpanel_access.model.similarity import counted, in_days, in_words

if TYPE_CHECKING:
    from mixpanel_access.model.brakes import Brake
    from mixpanel_access.operations.pending.change import PendingChange
    from mixpanel_access.operations.project import PulumiProject
    from mixpanel_access.operations.revoking.removals import Removal
    from mixpanel_access.operations.revoking.run import Revocation


class RemovalRow(TypedDict):
    """Something that is taken away."""

    email: Annotated[str | None, "the address, or null for a team or a service account"]
    what: Annotated[str, "what goes, in words"]
    project: Annotated[int | None, "the id of the project whose grant it is"]
    role: Annotated[str | None, "the role that replaces the present one"]
    ended: Annotated[date | None, "the last day of the access; null if it is no longer in the roster"]
    urn: Annotated[str, "the resource in Pulumi"]
    reason: Annotated[str | None, "why it stays; null for what goes"]


class RevokeStack(TypedDict):
    """One stack in `revoke`."""

    stack: Annotated[str, "the stack"]
    takes: Annotated[Sequence[RemovalRow], "what goes, or has gone"]
    stays: Annotated[Sequence[RemovalRow], "who stays in the organization though the stack no longer has them"]
    held: Annotated[Sequence[RemovalRow], "what should go, and could not"]
    problems: Annotated[Sequence[str], "what else is wrong"]
    leaves: Annotated[Mapping[str, str], "resource that the program would change too, and that is left as it is -> why"]
    complete: Annotated[bool, "whether nothing is left to take away"]


class RevokeDocument(TypedDict):
    """What `revoke` prints as JSON."""

    done: Annotated[bool, "whether it was done, and not only shown"]
    stacks: Annotated[Sequence[RevokeStack], "what happens to each stack"]


class BrakeRow(TypedDict):
    """A brake that will hold an ending."""

    on: Annotated[date, "the day"]
    people: Annotated[Sequence[str], "the people who stay"]
    brake: Annotated[Brake, "the brake"]
    text: Annotated[str, "what happens, and what to do"]


class WithinStack(TypedDict):
    """One stack in `revoke --within`."""

    stack: Annotated[str, "the stack"]
    today: Annotated[date | None, "the day from which it looks; null if the stack cannot be read"]
    changes: Annotated[Sequence[PendingChange], "what begins, ends, is overdue, or waits for an update"]
    held: Annotated[Sequence[BrakeRow], "the brakes that will hold an ending"]
    problems: Annotated[Sequence[str], "what cannot be read"]


class WithinDocument(TypedDict):
    """What `revoke --within` prints as JSON."""

    within: Annotated[int, "how many days it looks ahead"]
    stacks: Annotated[Sequence[WithinStack], "what happens in each stack"]


def revoke(
    stack: Stacks = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without it: show what would be taken away.")] = False,
    ended_only: Annotated[
        bool,
        typer.Option(
            "--ended-only", help="Read no roster: take away only what has ended by the last day in the state."
        ),
    ] = False,
    within: Annotated[
        int | None,
        typer.Option(
            help="Show what begins or ends within so many days, what is overdue, and edits of the roster that wait; "
            "exit 1, unless it shows only such edits.",
            min=0,
            max=3660,
        ),
    ] = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Take away what is in the states and no longer in the rosters, and nothing else; exit 1 when something is left.

    Example: `mixpanel-access revoke --yes`
    """
    from mixpanel_access.operations.project import open_project, stacks_of

    _must_be_usable(now, within, yes=yes, ended_only=ended_only)
    project = open_project(cwd, progress)
    stacks = stacks_of(project, stack or [])
    if within is not None:
        return _show_within(project, stacks, within, now, as_json=as_json)
    from mixpanel_access.operations.revoking import run as revoking  # the engine's SDK is slow to load

    day = day_of(now) if now else None
    found = revoking.revoke(project, stacks, progress, now=day, act=yes, ended_only=ended_only)
    if as_json:
        print_json(RevokeDocument(done=yes, stacks=[_document(one) for one in found]))
    else:
        _print(found, done=yes)
    return 0 if all(one.complete for one in found) else 1


def _must_be_usable(now: str | None, within: int | None, *, yes: bool, ended_only: bool) -> None:
    wrong = (
        (within is not None and ended_only, "--within with --ended-only", "only a roster says what the next days take"),
        (within is not None and yes, "--within with --yes", "what has not ended is not taken away"),
        (yes and now is not None, "--now with --yes", "the engine's run would use another day as today"),
    )
    for both, options, why in wrong:
        if both:
            raise UsageError(f"cannot use {options}", why=why, next_step="Leave out one of the two.")


def _print(found: Sequence[Revocation], *, done: bool) -> None:
    table = new_table("stack", "who", "what", "ended", "result" if done else "what happens")
    for one in found:
        for taking in one.takes:
            table.add_row(*_cells(one, taking), _lower_or_gone(taking, done=done))
        for held in one.held:
            table.add_row(*_cells(one, held.taking), f"STAYS: {held.reason}")
    if table.row_count:
        print_table(table)
    for one in found:
        for problem in one.problems:
            typer.echo(f"stack {one.stack}: {problem}")
        for name, why in one.leaves.items():
            progress(f"stack {one.stack}: {name} is left as it is: {why}")
    taken, stays = sum(len(_taken(one)) for one in found), sum(len(one.held) for one in found)
    if not table.row_count:
        if read := [one.stack for one in found if not one.problems]:
            typer.echo(f"Nothing has ended in {in_words(read)}.")
    elif done:
        left = f"; {counted(stays, 'thing')} left, with the reasons above" if stays else ""
        typer.echo(f"\n{counted(taken, 'thing')} taken away{left}.")
    else:
        typer.echo(
            "\nNothing was changed. With --yes, it takes away or lowers exactly what is listed."
            if taken
            else "\nNothing was changed, and --yes takes nothing away."
        )


def _cells(one: Revocation, taking: Removal) -> tuple[str, str, str, str]:
    return one.stack, taking.email, taking.what, str(taking.last or "no longer in the roster")


def _taken(one: Revocation) -> list[Removal]:
    """What is taken from somebody; people who stay in the organization lose nothing when the stack releases them."""
    return [taking for taking in one.takes if not taking.stays]


def _lower_or_gone(taking: Removal, *, done: bool) -> str:
    if taking.stays:
        return taking.stays
    if taking.lowers and taking.role:
        return "lowered" if done else "is lowered"
    return "taken away" if done else "is taken away"


def _document(one: Revocation) -> RevokeStack:
    return record_of(
        RevokeStack,
        one,
        takes=[_row(taking) for taking in _taken(one)],
        stays=[_row(taking, taking.stays) for taking in one.takes if taking.stays],
        held=[_row(held.taking, held.reason) for held in one.held],
    )


def _row(taking: Removal, reason: str | None = None) -> RemovalRow:
    return record_of(RemovalRow, taking, email=taking.email or None, ended=taking.last, reason=reason)


def _show_within(project: PulumiProject, stacks: Sequence[str], days: int, now: str | None, *, as_json: bool) -> int:
    """Show what the next days take and give, what is overdue, and what waits; 1 for more than an edit, else 0."""
    found = [_within(project, stack, days, now) for stack in stacks]
    if as_json:
        print_json(WithinDocument(within=days, stacks=found))
    else:
        _print_within(found, days)
    due = (not change.edited for one in found for change in one["changes"])
    return 1 if any(due) or any(one["held"] or one["problems"] for one in found) else 0


def _within(project: PulumiProject, stack: str, days: int, now: str | None) -> WithinStack:
    """What happens in one stack; what cannot be read is one of its problems."""
    from mixpanel_access.directory import connected
    from mixpanel_access.files.roster import read_salvaged
    from mixpanel_access.operations.pending.find import pending_changes, renamed_in
    from mixpanel_access.operations.pending.held import forecasts_for

    document = WithinStack(stack=stack, today=None, changes=[], held=[], problems=[])
    try:
        settings = project.settings(stack)
        today = day_of(now) if now else settings.clock().date()
        document["today"] = today
        read = read_salvaged(project.roster(stack))
        document["problems"] = [read.problem] if read.problem else []
        state = project.state(stack, settings.organization_id)
        document["changes"] = pending_changes(read.roster, state, today, days, read.unread)
        with connected(settings) as directory:
            if renamed := renamed_in(state, directory):
                document["changes"] = pending_changes(read.roster, state, today, days, read.unread, renamed)
            ahead = forecasts_for(read.roster, today, directory, settings.username)
    except AccessError as error:
        document["problems"] = [*document["problems"], str(error)]
        return document
    near = [one for one in ahead if (one.on - today).days <= days]
    document["held"] = [record_of(BrakeRow, one.finding, on=one.on, text=str(one)) for one in near]
    return document


def _print_within(found: Sequence[WithinStack], days: int) -> None:
    table = new_table("when", "what", "roles and teams")
    for stack in found:
        for one in stack["changes"]:
            when = "waits" if one.edited else in_days(one.days - (one.on - one.day).days)
            whole = "\n".join(one.parts) if one.membership else ""  # else the sentence names them
            step = one.next_step(stack["stack"])
            table.add_row(when, "\n  ".join(filter(None, (one.sentence(stack["stack"]), step))), whole)
    if table.row_count:
        print_table(table)
        typer.echo(
            "\n`mixpanel-access revoke --yes`, run every night, takes away what ends and what is overdue; `pulumi up` "
            "gives what begins."
        )
    elif not any(stack["problems"] for stack in found):
        typer.echo(f"Nothing begins or ends within {counted(days, 'day')}, and nothing is overdue.")
    for stack in found:
        for words in (*(one["text"] for one in stack["held"]), *stack["problems"]):
            typer.echo(f"stack {stack['stack']}: {words}")
