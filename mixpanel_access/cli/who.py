"""`mixpanel-access who`: print who reaches a project, or what a person reaches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import typer

from mixpanel_access.cli.other_access import other_access_document, print_other_access
from mixpanel_access.cli.output import instant_of, new_table, print_table, progress
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import meant_address
from mixpanel_access.model.words import counted
from mixpanel_access.operations.overview import load_overview
from mixpanel_access.operations.project import open_project
from mixpanel_access.operations.who import (
    PersonGrant,
    in_project,
    of_person,
    other_in_project,
    other_of_person,
    project_named,
)

_KEYS: Final = ("email", "invited", "project", "name", "role", "grantType", "team", "stack", "why")
"""The keys of a grant in JSON; a row of other access has them all without a value."""


def show_who(folder: Path, stacks: list[str], email: str, project: str, now: str | None, *, as_json: bool) -> int:
    """Look and print."""
    if bool(email) == bool(project):
        raise UsageError(
            "cannot tell what to show", why="it takes an address or a --project", next_step="Give one of the two."
        )
    if email and (reason := problem_with(email)):
        raise UsageError("cannot show what they reach", whom=email, why=reason, next_step="Correct the address.")
    overview = load_overview(open_project(folder, progress), stacks, instant_of(now), progress)
    chosen = None
    if project:
        chosen = project_named(overview, project)
        held, about = in_project(overview, chosen), f"project {chosen.id} {chosen.name}"
    else:
        held, about = of_person(overview, same_key(email)), email
        people = overview.directory.people()
        if not held and same_key(email) not in people:
            raise UsageError(
                "cannot show what they reach",
                whom=email,
                why=f"nobody of the organization has the address{meant_address(email, list(people))}",
                next_step=f"mixpanel-access diagnose {email} tells why.",
            )
    other = other_in_project(overview, chosen) if chosen else other_of_person(overview, same_key(email), held)
    if as_json:
        rows = [_row(one) for one in held]
        rows += [{**dict.fromkeys(_KEYS), "otherAccess": other_access_document(one)} for one in other]
        typer.echo(json.dumps(rows, indent=2))
        return 0
    first = "who" if project else "project"
    nobody = f"not in {', '.join(overview.stacks)}" if stacks else "none"  # the other stacks were not looked at
    table = new_table(first, "role", "through", "why", "approved by", "until", "stack")
    for one in held:
        table.add_row(
            (f"{one.email} (invited)" if one.invited else one.email) if project else f"{one.project} {one.name}",
            one.role,
            _through(one),
            " / ".join(one.why[name] for name in ("engagement", "ticket", "justification") if name in one.why),
            one.why.get("approver", ""),
            one.why.get("ends", ""),
            one.stack or (nobody if one.grant_type is GrantType.INDIVIDUAL else ""),
        )
    if held:
        print_table(table)
    reached = len({one.email for one in held}) if project else len({one.project for one in held})
    if project:
        typer.echo(f"\n{counted(reached, 'person reaches', 'people reach')} {about}.")
    else:
        typer.echo(f"\n{about} reaches {counted(reached, 'project')}.")
    print_other_access(other, overview.directory.projects())
    return 0


def _through(one: PersonGrant) -> str:
    return f"team {one.team}" if one.team else one.grant_type.value.replace("_", " ")


def _row(one: PersonGrant) -> dict[str, object]:
    return {
        "email": one.email,
        "invited": one.invited,
        "project": one.project,
        "name": one.name,
        "role": one.role,
        "grantType": one.grant_type.value,
        "team": one.team,
        "stack": one.stack,
        "why": dict(one.why),
        "otherAccess": None,
    }
