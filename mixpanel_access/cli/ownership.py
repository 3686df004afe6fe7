"""`mixpanel-access ownership`: settle who of version 0.1.0 was found in the organization, and not imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, addresses, stacks
from mixpanel_access.cli.output import new_table, print_diff, print_json, print_table, progress
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.operations.ownership import OwnershipChange, StackOwnership


class OwnershipStack(TypedDict):
    """One stack in `ownership`."""

    stack: Annotated[str, "the stack"]
    undetermined: Annotated[Sequence[str], "the addresses to settle"]
    notInRoster: Annotated[Sequence[str], "those of them that no roster entry settles, since the program declares them"]


class OwnershipDocument(TypedDict):
    """What `ownership` prints as JSON."""

    stacks: Annotated[Sequence[OwnershipStack], "who is undetermined in each stack"]
    changed: Annotated[Sequence[str], "the rosters that change"]
    written: Annotated[bool, "whether they were written"]


def ownership(
    stack: Annotated[
        list[str] | None,
        typer.Option(
            "--stack",
            "-s",
            help="Only this stack; repeatable. Without it: all stacks of the project; with --ours or --found, the "
            "stack that Pulumi has selected.",
            autocompletion=stacks,
        ),
    ] = None,
    ours: Annotated[
        list[str] | None,
        typer.Option(
            help="An address or a pattern: these people leave with their last entry; repeatable.",
            autocompletion=addresses,
        ),
    ] = None,
    found: Annotated[
        list[str] | None,
        typer.Option(
            help="An address or a pattern: these people were there before, and stay; repeatable.",
            autocompletion=addresses,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write the rosters. Without it: show what would change.")] = False,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """List people who were either found in the organization or imported; exit 1 for any.

    A state of version 0.1.0 does not record which, and it decides whether they leave with their last entry.

    With --ours and --found, write it into the rosters; exit 1 when something was not written.

    Example: `mixpanel-access ownership --found ana@example.com --yes`
    """
    from mixpanel_access.operations.ownership import plan_ownership, read_ownership, write_ownership
    from mixpanel_access.operations.project import open_project, stack_to_change, stacks_of

    project = open_project(cwd, progress)
    settles = bool(ours or found)
    stacks = stacks_of(project, stack or ([stack_to_change(project, "")] if settles else []))
    seen = read_ownership(project, stacks)
    changes = plan_ownership(seen, ours or [], found or []) if settles else []
    if yes:
        write_ownership(changes)
    if as_json:
        print_json(_document(seen, changes, written=yes))
    elif settles:
        _print_changes(changes, written=yes)
    else:
        _print(seen)
    if settles:
        return 1 if changes and not yes else 0
    return 1 if any(one.undetermined for one in seen) else 0


def _print(seen: Sequence[StackOwnership]) -> None:
    table = new_table("stack", "who", "where to settle it")
    for one in seen:
        for key, email in sorted(one.undetermined.items()):
            place = one.file.name if key in one.listed else "in the program: `ownership` of the Member"
            table.add_row(one.stack, email, place)
    if not table.row_count:
        typer.echo("Nothing to settle: the states record for everybody whether they were found in the organization.")
        return
    print_table(table)
    typer.echo(
        f"\n{counted(table.row_count, 'person', 'people')} from version 0.1.0, which does not record who was found in "
        "the organization and who was imported. Until it is settled, people without any other access are removed when "
        "their entry ends (removal: when_unused). To settle it: "
        "mixpanel-access ownership --ours ADDRESS --found ADDRESS; '*@agency.example.org' stands for several people."
    )


def _print_changes(changes: Sequence[OwnershipChange], *, written: bool) -> None:
    for one in changes:
        print_diff(one.before, one.after, one.file.name)
        typer.echo("")
    if not changes:
        typer.echo("The rosters say so already.")
    elif written:
        typer.echo("Written. The next `pulumi up` takes it into the state and sends nothing to Mixpanel.")
    else:
        typer.echo("Nothing was written. Add --yes to write it.")


def _document(
    seen: Sequence[StackOwnership], changes: Sequence[OwnershipChange], *, written: bool
) -> OwnershipDocument:
    return {
        "stacks": [
            {
                "stack": one.stack,
                "undetermined": sorted(one.undetermined.values()),
                "notInRoster": sorted(one.elsewhere),
            }
            for one in seen
        ],
        "changed": [one.file.name for one in changes],
        "written": written and bool(changes),
    }
