"""`mixpanel-access drift`: print the differences between the organization and the states."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import reduce
from operator import or_
from pathlib import Path

import typer

from mixpanel_access.cli.other_access import other_access_document, print_other_access
from mixpanel_access.cli.output import new_table, print_table, progress
from mixpanel_access.directory.connect import connect
from mixpanel_access.directory.other_access import read_other_access
from mixpanel_access.operations.drift import Difference, differences, read_organization
from mixpanel_access.operations.project import of_each, open_project
from mixpanel_access.operations.state import EMPTY


def show_drift(folder: Path, stack: str, *, as_json: bool) -> int:
    """Compare and print; 1 when there is any difference, else 0: what no stack can manage is none."""
    project = open_project(folder, progress)
    settings = project.settings(stack)
    states = of_each(project.stacks, lambda name: project.state(name, settings.organization_id))
    directory = connect(settings)
    organization = read_organization(directory)
    found = differences(organization, reduce(or_, states.values(), EMPTY), states[stack])
    other = read_other_access(directory, organization.projects.keys(), settings.clock())
    if as_json:
        document = {
            "stack": stack,
            "differences": [asdict(one) for one in found],
            "otherAccess": [other_access_document(one) for one in other],
        }
        typer.echo(json.dumps(document, indent=2))
        return 1 if found else 0
    if found:
        _print_table(found)
    else:
        typer.echo(
            f"no drift: all {len(organization.people)} people and {len(organization.grants)} individual grants of "
            f"organization {settings.organization_id} are in a stack, and stack {stack} has what it declares"
        )
    print_other_access(other, organization.projects)
    return 1 if found else 0


def _print_table(found: list[Difference]) -> None:
    table = new_table("what", "who", "project", "declared", "actual")
    for one in found:
        where = "" if one.project is None else f"{one.project} {one.project_name or '(not in the organization)'}"
        who = f"{one.email} (invited)" if one.invited else one.email
        if one.team is not None:
            who = f"{who} in team {one.team}" if who else f"team {one.team}"
        table.add_row(one.kind.value, who, where, one.declared or "", one.actual or "")
    print_table(table)
    typer.echo(
        f"\n{len(found)} differences. Unmanaged access: add it to a roster, or take it away in Mixpanel. A changed "
        f"address: write the new one into the roster. Missing or changed access: `pulumi preview --refresh` shows what "
        f"the next `pulumi up --refresh` corrects."
    )
