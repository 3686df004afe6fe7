"""`mixpanel-access invite`: ask for what is missing, show what an entry would do, and write it."""

from __future__ import annotations

import json
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from typing import Any

import typer

from mixpanel_access.cli.output import progress
from mixpanel_access.files.roster import source_of
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster import Roster
from mixpanel_access.model.roster_reading import parse
from mixpanel_access.operations.inviting import (
    OF_EITHER,
    InviteRequest,
    PreparedInvite,
    prepare,
    read,
    standard_of,
    write,
)
from mixpanel_access.operations.project import PulumiProject, open_project


def run_invite(folder: Path, request: InviteRequest, *, yes: bool, ask: bool, as_json: bool) -> int:
    """Show and write; 1 when nothing was written, else 0."""
    project = open_project(folder, progress)
    if ask:
        request = _asked(project, request)
    elif not (request.stack and request.email):
        raise UsageError(
            "cannot invite",
            why="address and --stack are needed where nobody can be asked",
            next_step="Give them, or run it in a terminal.",
        )
    prepared = prepare(project, request, progress)
    if not as_json:
        _print(prepared)
    written = yes and not prepared.held
    if ask and not yes:
        written = typer.confirm("Write it?", err=as_json)
    if written:
        write(prepared)
    if as_json:
        typer.echo(json.dumps(_document(prepared, written=written), indent=2))
    else:
        typer.echo(_outcome(prepared, written=written))
    return 0 if written else 1


def projects_of(given: list[str]) -> dict[str, str | None]:
    """`KEY` or `KEY=ROLE`, as the option takes them."""
    return {key.strip(): role.strip() or None for key, _, role in (text.partition("=") for text in given)}


def _asked(project: PulumiProject, request: InviteRequest) -> InviteRequest:
    """The request with what somebody says of what is missing."""
    stack = request.stack or _choice("Stack", project.stacks)
    file, text = read(project, stack)
    roster = parse(text, source_of(file))
    request = replace(request, stack=stack, email=request.email or typer.prompt("E-mail address").strip())
    if request.name is None:
        request = replace(request, name=_prompted("Name"))
    if request.engagement is None:
        there = f" ({', '.join(roster.engagements)}, or a new one)" if roster.engagements else ""
        request = replace(request, engagement=_prompted(f"Engagement{there}"))
    if request.engagement is not None and request.engagement not in roster.engagements:
        request = replace(request, terms=_terms(request, roster))
    if not request.projects:
        request = replace(request, projects=_projects(request, roster))
    return request


def _terms(request: InviteRequest, roster: Roster) -> dict[str, str]:
    """What a new engagement is."""
    typer.echo(f"{request.engagement} is a new engagement.")
    terms = dict(request.terms)
    if "type" not in terms:
        terms["type"] = _choice("Type", list(roster.standards))
    longest = roster.standards[terms["type"]].longest_days if terms["type"] in roster.standards else None
    hints = {"starts": " (2026-01-31)", "ends": f" (at most {longest} days later)" if longest else ""}
    for name in ("sow", *OF_EITHER, "sponsor"):
        if name not in terms and (value := _prompted(f"{name.capitalize()}{hints.get(name, '')}")):
            terms[name] = value
    return terms


def _projects(request: InviteRequest, roster: Roster) -> dict[str, str | None]:
    """Which projects, each with the standard role unless another is said."""
    standard = standard_of(request, roster)
    usual = standard.project_role(roster.environment) if standard else None
    chosen: dict[str, str | None] = {}
    for key, project in roster.projects.items():
        name = f"{key} ({project.name})" if project.name else key
        if typer.confirm(f"Project {name}?", default=False):
            role = typer.prompt(f"Role in {key}", default=usual or "consumer").strip()
            chosen[key] = None if role == usual else role
    return chosen


def _choice(what: str, among: list[str]) -> str:
    if not among:
        raise UsageError(f"cannot choose a {what.lower()}", why="there is none", next_step="Make one first.")
    return str(typer.prompt(f"{what} ({', '.join(among)})", default=PRODUCTION if PRODUCTION in among else among[0]))


def _prompted(what: str) -> str | None:
    return str(typer.prompt(what, default="", show_default=False)).strip() or None


def _print(prepared: PreparedInvite) -> None:
    typer.echo(f"{prepared.request.email} in stack {prepared.request.stack}:")
    for key, role in prepared.roles.items():
        standard = ", the standard role" if prepared.request.projects.get(key) is None else ""
        typer.echo(f"  {key}: {role}{standard}")
    if not prepared.roles:
        typer.echo("  no project: they see nothing until they get one")
    for note in prepared.notes:
        typer.echo(f"- {note}")
    for one in prepared.violations:
        typer.echo(f"- {one.level.value} policy {one.rule.id}: {one.rule.advised(one.text)}")
    typer.echo("")
    before, after = (text.splitlines(keepends=True) for text in (prepared.before, prepared.after))
    for line in unified_diff(before, after, prepared.file.name, prepared.file.name, n=1):
        typer.echo(line.rstrip("\r\n"))
    typer.echo(f"\n`pulumi up --stack {prepared.request.stack}` would then:")
    for change in prepared.changes or ["change nothing"]:
        typer.echo(f"  {change}")


def _outcome(prepared: PreparedInvite, *, written: bool) -> str:
    if written:
        return (
            f"\nWrote {prepared.file}. Commit it; the invitation goes out with "
            f"`pulumi up --stack {prepared.request.stack}`."
        )
    if prepared.held:
        rules = ", ".join(sorted({one.rule.id for one in prepared.violations if one.level.value == "mandatory"}))
        return f"\nNothing was written: {rules} would stop it. Correct it, or have an exception approved in the roster."
    return "\nNothing was written. With --yes, it is."


def _document(prepared: PreparedInvite, *, written: bool) -> dict[str, Any]:
    request = prepared.request
    return {
        "stack": request.stack,
        "roster": str(prepared.file),
        "email": request.email,
        "engagement": request.engagement,
        "organizationRole": request.organization_role,
        "projects": [{"project": key, "role": role} for key, role in prepared.roles.items()],
        "notes": list(prepared.notes),
        "violations": [
            {"rule": one.rule.id, "level": one.level.value, "text": one.text} for one in prepared.violations
        ],
        "changes": list(prepared.changes),
        "written": written,
    }
