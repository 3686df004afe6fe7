"""`mixpanel-access ownership`: show who is undetermined in a state of version 0.1.0, and settle it in the rosters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

import typer

from mixpanel_access.cli.output import new_table, print_table, progress
from mixpanel_access.model.words import counted
from mixpanel_access.operations.project import open_project, stacks_of
from mixpanel_access.operations.settling import (
    OwnershipChange,
    StackOwnership,
    plan_ownership,
    read_ownership,
    write_ownership,
)


def run_ownership(
    folder: Path, stacks: list[str], ours: list[str], found: list[str], *, yes: bool, as_json: bool
) -> int:
    """List who is undetermined, or settle it in the rosters; 1 while there is something left to do, else 0."""
    project = open_project(folder, progress)
    seen = read_ownership(project, stacks_of(project, stacks))
    settles = bool(ours or found)
    changes = plan_ownership(seen, ours, found) if settles else []
    if yes:
        write_ownership(changes)
    if as_json:
        typer.echo(json.dumps(_document(seen, changes, written=yes), indent=2))
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
        typer.echo("Nothing to settle: of everybody, the state says whether they were found in the organization.")
        return
    print_table(table)
    typer.echo(
        f"\n{counted(table.row_count, 'person', 'people')} from version 0.1.0, which does not tell people who were "
        "found in the organization from people who were imported. Until it is settled, whoever holds nothing else is "
        "removed when the entry ends (removal: when_unused). To settle it: "
        "mixpanel-access ownership --ours ADDRESS --found ADDRESS; '*@agency.example.org' stands for several people."
    )


def _print_changes(changes: Sequence[OwnershipChange], *, written: bool) -> None:
    for one in changes:
        before, after = (text.splitlines(keepends=True) for text in (one.before, one.after))
        for line in unified_diff(before, after, one.file.name, one.file.name, n=1):
            typer.echo(line.rstrip("\r\n"))
        typer.echo("")
    if not changes:
        typer.echo("The rosters say so already.")
    elif written:
        typer.echo("Written. The next `pulumi up` takes it into the state and sends nothing to Mixpanel.")
    else:
        typer.echo("Nothing was written. With --yes, it is.")


def _document(seen: Sequence[StackOwnership], changes: Sequence[OwnershipChange], *, written: bool) -> object:
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
