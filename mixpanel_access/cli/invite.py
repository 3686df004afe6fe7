"""`mixpanel-access invite`: ask for what is missing, show what the new entry would change, and write it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Ask, Folder, SelectedStack, organization_roles, project_and_role
from mixpanel_access.cli.output import print_diff, print_json, progress, record_of
from mixpanel_access.model.errors import UsageError

if TYPE_CHECKING:
    from mixpanel_access.cli.invite_questions import Questions
    from mixpanel_access.operations.invite_entry import InviteRequest
    from mixpanel_access.operations.inviting import PreparedInvite
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
    interactive: Ask = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Add a person to a roster: check the entry, preview it, then write it; exit 1 when nothing was written.

    Example: `mixpanel-access invite robin@agency.example.org --project shop`
    """
    from mixpanel_access.operations.invite_entry import InviteRequest
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
    if not ask:
        return _add(opened, replace(request, stack=stack_to_change(opened, stack)), yes=yes, as_json=as_json)
    from mixpanel_access.cli.invite_questions import KeptAnswers, Questions
    from mixpanel_access.files.kept_answers import read_answers

    folder = opened.pulumi.project
    questions = Questions(read_answers(folder), err=as_json)
    with KeptAnswers(folder, questions) as kept:
        code = _add(opened, _asked(opened, request, questions), yes=yes, as_json=as_json, questions=questions)
        kept.used = code == 0
    return code


def _add(
    project: PulumiProject, request: InviteRequest, *, yes: bool, as_json: bool, questions: Questions | None = None
) -> int:
    """Show what the entry would change, and write it with a yes."""
    from mixpanel_access.operations.inviting import prepare, write

    prepared = prepare(project, request, progress)
    if not as_json:
        _print(prepared)
    written = yes and not prepared.held
    if questions and not yes:
        written = questions.confirm("Write it?")
    if written:
        write(prepared)
    if as_json:
        print_json(_document(prepared, written=written))
    elif written or prepared.held or not questions:
        typer.echo(_outcome(prepared, written=written))
    return 0 if written else 1


def _projects_of(given: Sequence[str]) -> dict[str, str | None]:
    """`KEY` or `KEY=ROLE`, as the option takes them."""
    return {key.strip(): role.strip() or None for key, _, role in (text.partition("=") for text in given)}


def _asked(project: PulumiProject, request: InviteRequest, questions: Questions) -> InviteRequest:
    """The request, with the answers to what was missing."""
    from mixpanel_access.cli.invite_questions import Known, ask_for_missing
    from mixpanel_access.files.roster import source_of
    from mixpanel_access.model.engagements import PRODUCTION
    from mixpanel_access.model.roster.reading import parse
    from mixpanel_access.model.settings import approvers
    from mixpanel_access.operations.inviting import read
    from mixpanel_access.operations.project import stacks_of

    stack = request.stack
    if not stack:
        (first, *_) = stacks = stacks_of(project, ())
        stack = questions.choose(
            "stack", "Stack", stacks, project.selected or (PRODUCTION if PRODUCTION in stacks else first)
        )
    today = project.settings(stack).clock().date()  # what is missing is told before anything else is asked
    file, text = read(project, stack)
    roster = parse(text, source_of(file))
    people = [person.email for one in (roster, *project.other_rosters(stack).values()) for person in one.people]
    may_approve = approvers(project.config(stack).get("approvers", ""))
    known = Known(roster, file.name, today, list(dict.fromkeys(people)), may_approve)
    return ask_for_missing(replace(request, stack=stack), known, questions)


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
