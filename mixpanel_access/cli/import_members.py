"""`mixpanel-access import`: bring existing people and grants into a stack, and show what is left out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Ask, Folder, SelectedStack
from mixpanel_access.cli.output import (
    ProjectRole,
    json_text,
    new_table,
    print_changes,
    print_json,
    print_table,
    progress,
    write_file,
)
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.resources import CUSTOM_ROLE, ORGANIZATION_SECURITY
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.operations.importing.baseline import Baseline
    from mixpanel_access.operations.importing.plan import Candidate, LeftOut
    from mixpanel_access.operations.importing.run import PreparedImport
    from mixpanel_access.operations.project import PulumiProject


class ImportAccess(TypedDict):
    """The access of somebody to a project."""

    project: Annotated[int, "the project's id"]
    role: Annotated[str | None, "the highest role, or null if it is not known"]
    grantTypes: Annotated[Sequence[str], "the types of the grants that give access"]


class ImportPerson(TypedDict):
    """A person in `import`."""

    email: Annotated[str, "the address"]
    status: Annotated[str, "`accepted`, `invited`, or `unlisted` for a person who is only in a project's list"]
    organizationRole: Annotated[str | None, "the organization role"]
    access: Annotated[Sequence[ImportAccess], "the access to the roster's projects"]
    inState: Annotated[bool, "whether the stack has the person already"]
    member: Annotated[bool, "whether the person is imported"]
    grants: Annotated[Sequence[ProjectRole], "the grants that are imported"]
    teams: Annotated[Sequence[str], "the keys of the teams whose membership is imported"]
    leftOut: Annotated[Sequence[LeftOut], "what is not imported"]


class ImportDocument(TypedDict):
    """What `import` prints as JSON."""

    stack: Annotated[str, "the stack"]
    roster: Annotated[Path, "the roster's file"]
    environment: Annotated[str, "the roster's environment"]
    dryRun: Annotated[bool, "whether nothing was written"]
    people: Annotated[Sequence[ImportPerson], "the people of the organization"]
    serviceAccounts: Annotated[Sequence[str] | None, "the service accounts, or null if Mixpanel does not list them"]
    unknownServiceAccounts: Annotated[Sequence[str], "those that the roster does not name"]
    importedServiceAccounts: Annotated[Sequence[str], "those that are imported"]
    importedTeams: Annotated[Sequence[str], "the keys of the teams that are imported"]
    importedCustomRoles: Annotated[int, "how many custom roles are imported"]
    importedSecurity: Annotated[bool, "whether the security settings are imported"]
    policies: Annotated[Path | None, "the policy configuration that is written, or null"]
    notes: Annotated[Sequence[str], "what to know of the baseline engagement"]
    changes: Annotated[Sequence[str], "what the preview then changes; empty if all is well"]


def import_members(
    stack: SelectedStack = "",
    project: Annotated[
        list[str] | None,
        typer.Option(help="A Mixpanel project, by id or name pattern; repeatable. Default: those of the roster."),
    ] = None,
    email: Annotated[
        list[str] | None, typer.Option(help="Only people whose address matches this pattern; repeatable.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Nobody whose address matches this pattern; repeatable.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(help="The environment of a new roster. Default: mixpanel:environment, else the stack's name."),
    ] = None,
    organization_roles: Annotated[
        bool,
        typer.Option(
            "--organization-roles",
            help="Let a new roster declare organization roles, and import everybody; only one roster can.",
        ),
    ] = False,
    engagement: Annotated[
        str | None,
        typer.Option(help="Give everybody without an engagement this one; a new one is added to the roster."),
    ] = None,
    type_: Annotated[str | None, typer.Option("--type", help="The type of a new engagement.")] = None,
    sow: Annotated[str | None, typer.Option(help="The statement of work of a new engagement.")] = None,
    sponsor: Annotated[str | None, typer.Option(help="The sponsor of a new engagement.")] = None,
    ticket: Annotated[str | None, typer.Option(help="The ticket of a new engagement.")] = None,
    approver: Annotated[str | None, typer.Option(help="The address of the person who approves it.")] = None,
    justification: Annotated[str | None, typer.Option(help="Why these people need their access.")] = None,
    starts: Annotated[str | None, typer.Option(help="The first day of a new engagement, UTC (2026-01-31).")] = None,
    ends: Annotated[str | None, typer.Option(help="Its last day, UTC; after it, everybody in it loses access.")] = None,
    policies: Annotated[
        bool | None,
        typer.Option(
            "--starting-policies/--no-starting-policies",
            help="Write a policy configuration that lets CI pass, with the order in which to raise its rules.",
            show_default="asked in a terminal",
        ),
    ] = None,
    interactive: Ask = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show who would be imported, and write nothing.")] = False,
    file: Annotated[Path | None, typer.Option(help="Keep the file for `pulumi import` here.")] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Import existing people and grants into a roster and its stack; exit 1 when its preview then shows a change.

    Example: `mixpanel-access import --stack production --dry-run`
    """
    from mixpanel_access.operations.project import open_project, stack_to_change

    opened = open_project(cwd, progress)
    from mixpanel_access.operations.importing.plan import ImportFilter
    from mixpanel_access.operations.importing.run import ImportRequest, carry_out, prepare  # brings the Pulumi SDK

    stack = stack_to_change(opened, stack)
    terms = {"type": type_, "sow": sow, "ticket": ticket, "approver": approver, "justification": justification}
    terms |= {"starts": starts, "ends": ends, "sponsor": sponsor}
    ask = sys.stdin.isatty() and not as_json and not dry_run if interactive is None else interactive
    baseline = asked_baseline(opened, stack, engagement, {key: value for key, value in terms.items() if value}, ask=ask)
    if policies is None and ask:
        policies = typer.confirm("Write a policy configuration to start with, which lets CI pass?", err=as_json)
    request = ImportRequest(
        stack=stack,
        wanted=ImportFilter(email or (), exclude or ()),
        projects=project or (),
        environment=environment,
        organization_roles=organization_roles,
        baseline=baseline,
        starting_policies=bool(policies),
    )
    prepared = prepare(opened, request, progress)
    if file is not None:
        content = json_text(prepared.document or {"resources": []}) + "\n"
        write_file(file, content.encode(), "the import file", "Name another with --file; nothing was changed.")
    changes = [f"create {name}" for name in prepared.would_create]
    if not dry_run:
        changes = carry_out(opened, prepared, progress)
    if as_json:
        print_json(_document(prepared, changes, dry_run=dry_run))
    else:
        _print(prepared, changes, dry_run=dry_run)
    return 1 if changes else 0


def asked_baseline(
    project: PulumiProject, stack: str, key: str | None, terms: dict[str, str], *, ask: bool
) -> Baseline | None:
    """The baseline engagement, with the answers to what is not known of a new one."""
    from mixpanel_access.cli.invite_questions import Questions
    from mixpanel_access.files.roster import source_of, text_of
    from mixpanel_access.model.engagements import problems_with_metadata
    from mixpanel_access.model.roster.reading import parse
    from mixpanel_access.operations.importing.baseline import ASKED, Baseline

    if key is None:
        if terms:
            raise UsageError(
                f"cannot use --{next(iter(terms))}",
                why="it belongs to an engagement",
                next_step="Name the engagement with --engagement.",
            )
        return None
    file = project.roster(stack)
    text = text_of(file)
    is_new = text is None or key not in parse(text, source_of(file)).engagements
    questions = Questions({}, err=True)
    for name in ASKED if ask and is_new else ():
        if name not in terms:

            def check(answer: str, name: str = name) -> str | None:
                return problems_with_metadata({**terms, name: answer or None}).get(name)

            if answer := questions.ask(name, f"{name.capitalize()} of {key}", check, optional=True):
                terms[name] = answer
    return Baseline(key, terms)


def _print(prepared: PreparedImport, changes: list[str], *, dry_run: bool) -> None:
    from mixpanel_access.operations.importing.plan import NO_GRANT

    short = {project.id: key for key, project in prepared.plan.roster.projects.items()}
    table = new_table("who", "status", "organization role", "projects", "import", "left out")
    outside = 0
    for one in prepared.plan.candidates:
        if not one.access and [left.reason for left in one.left_out] == [NO_GRANT]:
            outside += 1  # the many who have nothing to do with a stack that holds no organization roles
        elif dry_run or one.left_out:
            table.add_row(
                one.person.email,
                _status(one),
                one.person.role or "unknown",
                _access(one, short),
                _taken(one, short),
                _left_out(one, short),
            )
    if table.row_count:
        print_table(table)
        typer.echo("")
    if outside:
        typer.echo(f"Left out for having no access to the projects of stack {prepared.stack}: {outside} of the people.")
    typer.echo(_service_accounts(prepared))
    members, grants = len(prepared.plan.members), len(prepared.plan.grants)
    for name, why in prepared.accounts_left_out.items():
        typer.echo(f"Service account {name} is left out: {why}.")
    numbers = {"service account": len(prepared.accounts), "team": len(prepared.teams)}
    numbers["custom role"] = len(prepared.inputs(CUSTOM_ROLE))
    more = "".join(f", {counted(number, thing)}" for thing, number in numbers.items() if number)
    more += ", the security settings" if prepared.inputs(ORGANIZATION_SECURITY) else ""
    what = f"{counted(members, 'member')} and {counted(grants, 'individual grant')}{more} into stack {prepared.stack}"
    for words in prepared.said:
        typer.echo(words)
    if prepared.policies and not dry_run:
        typer.echo(f"Wrote {prepared.policies.file.name}; {prepared.policies.page.name} has the order of its rules.")
    if dry_run:
        if changes:
            typer.echo("The roster also declares what is not in Mixpanel. After the import, the preview would change:")
            print_changes(changes)
        typer.echo(f"Would import {what}. Nothing was written.")
        return
    done = f"Imported {what}" if members or grants or more else f"Stack {prepared.stack} has everything already"
    if changes:
        typer.echo(f"{done}; its preview would change:")
        print_changes(changes)
    else:
        typer.echo(f"{done}; its preview shows no change.")


def _status(one: Candidate) -> str:
    return "unlisted" if not one.listed else "invited" if one.person.invited else "accepted"


def _access(one: Candidate, short: Mapping[int, str]) -> str:
    return "; ".join(
        f"{short[project]} {access.effective} ({', '.join(access.grant_types)})"
        for project, access in one.access.items()
    )


def _taken(one: Candidate, short: Mapping[int, str]) -> str:
    parts = (["in the state"] if one.managed else []) + (["member"] if one.member else [])
    return ", ".join([*parts, *(short[project] for project in one.grants), *(f"team {key}" for key in one.teams)])


def _left_out(one: Candidate, short: Mapping[int, str]) -> str:
    """Each reason once, with the projects that it holds for."""
    reasons: dict[str, list[str]] = {}
    for left in one.left_out:
        where = reasons.setdefault(left.reason, [])
        if left.project is not None:
            where.append(short[left.project])
    return "; ".join(f"{', '.join(where)}: {reason}" if where else reason for reason, where in reasons.items())


def _service_accounts(prepared: PreparedImport) -> str:
    accounts = prepared.reading.service_accounts
    if accounts is None:
        return "Service accounts: Mixpanel does not list them to this account; none is imported."
    from mixpanel_access.model.service_accounts import service_account_name

    others = sorted(account for account in accounts if service_account_name(account) not in prepared.accounts)
    left_out = f"Service accounts, which are not people and are left out: {', '.join(others) or 'none'}."
    unknown = _unknown(prepared)
    return f"{left_out} The roster's serviceAccounts do not name {', '.join(unknown)}." if unknown else left_out


def _unknown(prepared: PreparedImport) -> list[str]:
    """The service accounts that the roster does not name."""
    from mixpanel_access.model.service_accounts import service_account_name

    known = {name.strip() for name in prepared.plan.roster.service_accounts}
    accounts = prepared.reading.service_accounts or ()
    return sorted(account for account in accounts if service_account_name(account) not in known)


def _document(prepared: PreparedImport, changes: list[str], *, dry_run: bool) -> ImportDocument:
    return {
        "stack": prepared.stack,
        "roster": prepared.file,
        "environment": prepared.plan.roster.environment,
        "dryRun": dry_run,
        "people": [
            {
                "email": one.person.email,
                "status": _status(one),
                "organizationRole": one.person.role,
                "access": [
                    {"project": project, "role": access.effective, "grantTypes": list(access.grant_types)}
                    for project, access in one.access.items()
                ],
                "inState": one.managed,
                "member": one.member,
                "grants": [{"project": project, "role": role} for project, role in one.grants.items()],
                "teams": list(one.teams),
                "leftOut": one.left_out,
            }
            for one in prepared.plan.candidates
        ],
        "serviceAccounts": prepared.reading.service_accounts,
        "unknownServiceAccounts": _unknown(prepared),
        "importedServiceAccounts": prepared.accounts,
        "importedTeams": prepared.teams,
        "importedCustomRoles": len(prepared.inputs(CUSTOM_ROLE)),
        "importedSecurity": bool(prepared.inputs(ORGANIZATION_SECURITY)),
        "policies": prepared.policies.file if prepared.policies else None,
        "notes": prepared.said,
        "changes": changes,
    }
