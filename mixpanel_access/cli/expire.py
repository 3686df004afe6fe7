"""`mixpanel-access expire`: print what the clock alone will change."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer

from mixpanel_access.cli.output import day_of, new_table, print_table, progress
from mixpanel_access.model.words import counted
from mixpanel_access.operations.expiring import changes_by_the_clock
from mixpanel_access.operations.project import open_project


def show_expiry(folder: Path, stack: str, days: int, now: str | None, *, as_json: bool) -> int:
    """Compare and print; 1 when there is any change, else 0."""
    from mixpanel_access.files.roster import read_roster

    project = open_project(folder, progress)
    settings = project.settings(stack)
    today = day_of(now) if now else settings.clock().date()
    state = project.state(stack, settings.organization_id)
    found = changes_by_the_clock(read_roster(project.roster(stack)), state, today, days)
    if as_json:
        changes = [{**asdict(one), "on": one.on.isoformat()} for one in found]
        typer.echo(json.dumps({"stack": stack, "today": today.isoformat(), "days": days, "changes": changes}, indent=2))
    elif found:
        table = new_table("what", "who", "on", "in", "projects", "engagement")
        for one in found:
            roles = [f"{key} {role}" for key, role in one.projects.items()]
            projects = ", ".join([*roles, *(f"team {key}" for key in one.teams)])
            when = counted(one.days, "day")
            table.add_row(
                one.event.value, one.email or "the team itself", str(one.on), when, projects, one.engagement or ""
            )
        print_table(table)
        typer.echo(
            "\nThe first `pulumi up` from that day on brings it about; what is overdue goes with the next. To keep "
            "access, prolong `ends` in the roster."
        )
    else:
        typer.echo(f"The clock alone changes nothing in stack {stack} until {days} days from {today}.")
    return 1 if found else 0
