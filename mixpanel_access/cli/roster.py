"""`mixpanel-access roster`: read a roster without the engine, and print what it gives to whom."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from mixpanel_access.cli.output import day_of, new_table, print_table, progress
from mixpanel_access.files.beside import beside
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.effective_access import effective_access, overlaps
from mixpanel_access.model.words import counted


def show_roster(file: Path, now: str | None, *, as_json: bool) -> int:
    """Read and print."""
    roster, today = read_roster(file), day_of(now)
    found = beside(file)
    if found.error:
        raise found.error
    for words in found.warnings:
        progress(f"warning: {words}")
    if as_json:
        document = roster.document()
        document.pop("include", None)  # what it brings stands in the document
        typer.echo(json.dumps(document, indent=2))
        return 0
    people = effective_access(roster, today)
    table = new_table("who", "organization role", "projects", "engagement", "until")
    for person in people:
        held = [f"{key} {held.role}" for key, held in person.projects.items()]
        projects = ", ".join([*held, *(f"team {key}" for key in person.teams)])
        entry = person.entry
        table.add_row(
            person.email,
            person.organization_role or "",
            projects,
            entry.engagement or "",
            str(entry.ends) if entry.ends else "",
        )
    for key, team in roster.teams.items():
        projects = ", ".join(f"{project} {role or 'standard'}" for project, role in team.projects.items())
        table.add_row(f"{team.name} (team {key})", "", projects, team.standard or "", team.ends or "")
    for name, account in roster.own_accounts.items():
        projects = ", ".join(f"{key} {role}" for key, role in account.projects.items())
        table.add_row(f"{name} (service account)", account.role or "", projects, "", account.expires or "")
    for key, role in roster.custom_roles.items():
        table.add_row(f"{key} (custom role)", "", f"{role.project}: {', '.join(role.permissions)}", "", "")
    if people or roster.teams or roster.own_accounts or roster.custom_roles:
        print_table(table)
    for person in people:
        for words in overlaps(person):
            typer.echo(words)
    absent = len({person.key for person in roster.people} - {person.key for person in people})
    have = "has" if len(people) == 1 else "have"
    here = counted(len(people), "person", "people")
    typer.echo(f"{here} of {file.name} {have} access on {today}, {absent} only on other days.")
    return 0
