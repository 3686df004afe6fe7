"""`mixpanel-access offboard`: print what a person has in every stack, end it, and print what is left."""

from __future__ import annotations

import json
from difflib import unified_diff
from pathlib import Path
from typing import Any, Final

import typer

from mixpanel_access.cli.output import progress
from mixpanel_access.model.access import remaining_access
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roles import MEMBER
from mixpanel_access.model.similarity import meant_address
from mixpanel_access.operations.offboarding import Holding, Remains, holdings, look, offboard, people, remains
from mixpanel_access.operations.project import open_project

_SHOWN: Final = 10
"""Waiting changes that are named."""


def run_offboard(folder: Path, email: str, *, yes: bool, as_json: bool) -> int:
    """End a person's access and print; 1 while there is something left to do, else 0."""
    if "@" not in email:
        raise UsageError(
            "cannot offboard",
            whom=email,
            why="it is not an e-mail address",
            next_step="Give a person's address; a service account ends when the roster no longer has it.",
        )
    project = open_project(folder, progress)
    seen = look(project)
    held = holdings(seen, email)
    waiting = offboard(project, email, held, progress) if yes else {}
    left = remains(project, email, {key for one in seen for key in one.keys(email)} - {same_key(email)})
    if as_json:
        typer.echo(json.dumps({**_document(email, held, left, done=yes), "waiting": waiting}, indent=2))
    else:
        likely = "" if held else meant_address(email, people(seen))
        _print(email, held, likely, done=yes)
        for stack, changes in waiting.items():
            typer.echo(f"Stack {stack} was left with what waits for `pulumi up`: {'; '.join(_few(changes))}")
        _print_left(email, left, done=yes)
    return 1 if any(one.listed and not one.deactivated for one in left) or (held and not yes) else 0


def _few(changes: list[str]) -> list[str]:
    """The first changes, the others counted."""
    return changes if len(changes) <= _SHOWN else [*changes[:_SHOWN], f"and {len(changes) - _SHOWN} more"]


def _print(email: str, held: list[Holding], likely: str, *, done: bool) -> None:
    for holding in held:
        grants = ", ".join(f"{role} in project {project}" for project, role in sorted(holding.grants.items()))
        teams = ", ".join(f"a place in the team {name}" for name in holding.teams.values())
        what = (
            " and ".join(part for part in ("the member" if holding.member else "", grants, teams) if part) or "nothing"
        )
        known = "" if set(holding.keys) <= {same_key(email)} else f", as {' and '.join(holding.keys)}"
        typer.echo(f"stack {holding.stack} {'had' if done else 'has'} in its state{known}: {what}")
        if not done and holding.before is not None and holding.after is not None:
            before, after = (text.splitlines(keepends=True) for text in (holding.before, holding.after))
            typer.echo("".join(unified_diff(before, after, holding.file.name, holding.file.name, n=1)), nl=False)
    if not held:
        typer.echo(f"No stack has {email}{likely}.")
    if not done and held:
        typer.echo("\nNothing was changed. With --yes, each roster is edited so, and each stack takes this away.")


def _print_left(email: str, left: list[Remains], *, done: bool) -> None:
    for one in left:
        where = f"organization {one.organization}" if len(left) > 1 else "the organization"
        if one.listed:
            role = f" as organization {one.role}" if one.role not in (None, MEMBER) else ""
            still = "is still" if done else "is"
            if one.deactivated:
                still = "is deactivated, cannot log in, and is"
            typer.echo(f"{email} {still} in {where}{role}: {remaining_access(one.access)}")
        else:
            typer.echo(f"{email} is not in {where}.")


def _document(email: str, held: list[Holding], left: list[Remains], *, done: bool) -> dict[str, Any]:
    return {
        "email": email,
        "done": done,
        "stacks": [
            {
                "stack": one.stack,
                "roster": str(one.file) if one.before != one.after else None,
                "member": one.member,
                "grants": [{"project": project, "role": role} for project, role in sorted(one.grants.items())],
                "teams": list(one.teams.values()),
            }
            for one in held
        ],
        "inOrganization": any(one.listed for one in left),
        "organizationRole": next((one.role for one in left if one.listed), None),
        "remains": [
            {
                "organization": one.organization,
                "project": project,
                "role": grant.role,
                "grantType": grant.grant_type.value,
                "team": grant.team,
            }
            for one in left
            for project, grants in sorted(one.access.items())
            for grant in grants
        ],
    }
