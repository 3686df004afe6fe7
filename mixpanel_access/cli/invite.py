"""`mixpanel-access invite`: ask for what is missing, show what the new entry would change, and write it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, SelectedStack, organization_roles, project_and_role
from mixpanel_access.cli.output import print_diff, print_json, progress, record_of
from mixpanel_access.model.errors import UsageError

if TYPE_CHECKING:
    from mixpanel_access.model.roster.schema import Roster
    from mixpanel_access.operations.inviting import InviteRequest, PreparedInvite
    from mixpanel_access.operations.project import PulumiProject


class InviteRole(TypedDict):
    """A project that the person gets."""

    project: Annotated[str, "the project's key in the roster"]
    role: Annotated[str, "the role"]


class InviteViolation(TypedDict):
    """A policy rule that the entry breaks."""

    rule: Annotated[str, "the rule's id"]
    level: Annotated[str, "`mandatory` or `advisory`"]
    text: Annotated[str, "what is wrong"]


class InviteDocument(TypedDict):
    """What `invite` prints as JSON."""

    stack: Annotated[str, "the stack"]
    roster: Annotated[Path, "the roster's file"]
    email: Annotated[str, "the person's address"]
    engagement: Annotated[str | None, "the engagement's key"]
    organizationRole: Annotated[str | None, "the organization role"]
    projects: Annotated[Sequence[InviteRole], "the projects that the person gets"]
    notes: Annotated[Sequence[str], "what else to know before writing"]
    violations: Annotated[Sequence[InviteViolation], "the policy rules that the entry breaks"]
    changes: Annotated[Sequence[str], "what `pulumi up` would then change"]
    written: Annotated[bool, "whether the roster was written"]


def invite(
    email: Annotated[str, typer.Argument(help="The person's address.")] = "",
    stack: SelectedStack = "",
    name: Annotated[str | None, typer.Option(help="The person's name.")] = None,
    engagement: Annotated[
        str | None, typer.Option(help="The key of an engagement; a new one needs --type too.")
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(
            help="KEY or KEY=ROLE; repeatable. Without a role: the standard role of the engagement's type.",
            autocompletion=project_and_role,
        ),
    ] = None,
    organization_role: Annotated[
        str | None,
        typer.Option(
            help="The organization role, if the roster declares them. Default: the standard one.",
            autocompletion=organization_roles,
        ),
    ] = None,
    type_: Annotated[str | None, typer.Option("--type", help="The type of a new engagement.")] = None,
    sow: Annotated[str | None, typer.Option(help="The statement of work of a new engagement.")] = None,
    sponsor: Annotated[str | None, typer.Option(help="The sponsor of a new engagement.")] = None,
    ticket: Annotated[str | None, typer.Option(help="The ticket that asks for the access.")] = None,
    approver: Annotated[str | None, typer.Option(help="The address of the person who approves it.")] = None,
    justification: Annotated[str | None, typer.Option(help="Why the person needs the access.")] = None,
    starts: Annotated[str | None, typer.Option(help="The first day, UTC (2026-01-31).")] = None,
    ends: Annotated[str | None, typer.Option(help="The last day, UTC (2026-03-31).")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write it without asking.")] = False,
    interactive: Annotated[
        bool | None,
        typer.Option("--ask/--no-ask", help="Ask for what is missing.", show_default="in a terminal"),
    ] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Add a person to a roster: check the entry, preview it, then write it; exit 1 when nothing was written.

    Example: `mixpanel-access invite robin@agency.example.org --project shop`
    """
    from mixpanel_access.operations.inviting import InviteRequest, prepare, write
    from mixpanel_access.operations.project import open_project, stack_to_change

    given = {"type": type_, "sow": sow, "sponsor": sponsor, "ticket": ticket, "approver": approver}
    given |= {"justification": justification, "starts": starts, "ends": ends}
    request = InviteRequest(
        stack=stack,
        email=email,
        name=name,
        engagement=engagement,
        projects=_projects_of(project or []),
        organization_role=organization_role,
        terms={key: value for key, value in given.items() if value is not None},
    )
    ask = sys.stdin.isatty() and not yes and not as_json if interactive is None else interactive
    if not ask and not email:
        raise UsageError(
            "cannot invite",
            why="the address is missing, and there is nobody to ask for it",
            next_step="Give it, or run the command in a terminal.",
        )
    opened = open_project(cwd, progress)
    request = _asked(opened, request) if ask else replace(request, stack=stack_to_change(opened, stack))
    prepared = prepare(opened, request, progress)
    if not as_json:
        _print(prepared)
    written = yes and not prepared.held
    if ask and not yes:
        written = typer.confirm("Write it?", err=as_json)
    if written:
        write(prepared)
    if as_json:
        print_json(_document(prepared, written=written))
    else:
        typer.echo(_outcome(prepared, written=written))
    return 0 if written else 1


def _projects_of(given: Sequence[str]) -> dict[str, str | None]:
    """`KEY` or `KEY=ROLE`, as the option takes them."""
    return {key.strip(): role.strip() or None for key, _, role in (text.partition("=") for text in given)}


def _asked(project: PulumiProject, request: InviteRequest) -> InviteRequest:
    """The request, with the answers to what was missing."""
    from mixpanel_access.files.roster import source_of
    from mixpanel_access.model.roster.reading import parse
    from mixpanel_access.operations.inviting import read

    stack = request.stack or _choice("Stack", project.stacks, project.selected)
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
    """The terms of a new engagement."""
    from mixpanel_access.operations.inviting import OF_EITHER

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
    """The projects, each with the standard role unless another is given."""
    from mixpanel_access.operations.inviting import standard_of

    standard = standard_of(request, roster)
    usual = standard.project_role(roster.environment) if standard else None
    chosen: dict[str, str | None] = {}
    for key, project in roster.projects.items():
        name = f"{key} ({project.name})" if project.name else key
        if typer.confirm(f"Project {name}?", default=False):
            role = typer.prompt(f"Role in {key}", default=usual or "consumer").strip()
            chosen[key] = None if role == usual else role
    return chosen


def _choice(what: str, among: list[str], usual: str | None = None) -> str:
    from mixpanel_access.model.engagements import PRODUCTION

    if not among:
        raise UsageError(f"cannot choose a {what.lower()}", why="there is none", next_step="Make one first.")
    default = usual or (PRODUCTION if PRODUCTION in among else among[0])
    return str(typer.prompt(f"{what} ({', '.join(among)})", default=default))


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
    print_diff(prepared.before, prepared.after, prepared.file.name)
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
    return "\nNothing was written. Add --yes to write it."


def _document(prepared: PreparedInvite, *, written: bool) -> InviteDocument:
    return record_of(
        InviteDocument,
        prepared.request,
        roster=prepared.file,
        projects=[InviteRole(project=key, role=role) for key, role in prepared.roles.items()],
        notes=prepared.notes,
        violations=[InviteViolation(rule=one.rule.id, level=one.level, text=one.text) for one in prepared.violations],
        changes=prepared.changes,
        written=written,
    )
