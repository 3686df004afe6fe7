"""How commands show the access that no stack manages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer

from mixpanel_access.cli.output import new_table, print_table, printable
from mixpanel_access.model.access import Project
from mixpanel_access.model.other_access import OtherAccess


def print_other_access(rows: Sequence[OtherAccess], projects: Mapping[int, Project]) -> None:
    """Print what there is, and below it what is unknown."""
    typer.echo("\nAccess that no stack manages:" if any(one.known for one in rows) else "")
    table = new_table("what", "who", "project", "")
    for one in rows:
        if one.known:
            table.add_row(one.source.value, one.who, _project(one, projects), one.what)
    if table.row_count:
        print_table(table)
    for one in rows:
        if not one.known:
            where = f" in {_project(one, projects)}" if one.project is not None else ""
            typer.echo(printable(f"unknown: {one.source}{where}: {one.what}"))


def other_access_document(one: OtherAccess) -> dict[str, object]:
    """One row as JSON has it."""
    return {
        "source": one.source.value,
        "who": one.who or None,
        "project": one.project,
        "what": one.what,
        "known": one.known,
    }


def _project(one: OtherAccess, projects: Mapping[int, Project]) -> str:
    if one.project is None:
        return ""
    return f"{one.project} {projects[one.project].name}" if one.project in projects else str(one.project)
