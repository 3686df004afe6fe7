"""`mixpanel-access import`: print who comes into a stack and who does not, and bring them in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from mixpanel_access.cli.output import new_table, print_changes, print_table, progress, write_file
from mixpanel_access.model.access import service_account_name
from mixpanel_access.model.words import counted
from mixpanel_access.operations.import_plan import NO_GRANT, Candidate
from mixpanel_access.operations.importing import ImportRequest, PreparedImport, carry_out, prepare
from mixpanel_access.operations.project import open_project


def run_import(folder: Path, request: ImportRequest, *, file: Path | None, dry_run: bool, as_json: bool) -> int:
    """Import and print; 1 when the preview shows a change afterwards, else 0."""
    project = open_project(folder, progress)
    prepared = prepare(project, request, progress)
    if file is not None:
        content = json.dumps(prepared.document or {"resources": []}, indent=2) + "\n"
        write_file(file, content.encode(), "the import file", "Name another with --file; nothing was changed.")
    changes = [] if dry_run else carry_out(project, prepared, progress)
    if as_json:
        typer.echo(json.dumps(_document(prepared, changes, dry_run=dry_run), indent=2))
    else:
        _print(prepared, changes, dry_run=dry_run)
    return 1 if changes else 0


def _print(prepared: PreparedImport, changes: list[str], *, dry_run: bool) -> None:
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
    more = f", {counted(len(prepared.accounts), 'service account')}" if prepared.accounts else ""
    more += f", {counted(len(prepared.teams), 'team')}" if prepared.teams else ""
    more += f", {counted(prepared.custom_roles, 'custom role')}" if prepared.custom_roles else ""
    more += ", the security settings" if prepared.security else ""
    what = f"{counted(members, 'member')} and {counted(grants, 'individual grant')}{more} into stack {prepared.stack}"
    if dry_run:
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
    others = sorted(account for account in accounts if service_account_name(account) not in prepared.accounts)
    left_out = f"Service accounts, which are not people and are left out: {', '.join(others) or 'none'}."
    unknown = _unknown(prepared)
    return f"{left_out} The roster's serviceAccounts do not name {', '.join(unknown)}." if unknown else left_out


def _unknown(prepared: PreparedImport) -> list[str]:
    """The service accounts that the roster does not name."""
    known = {name.strip() for name in prepared.plan.roster.service_accounts}
    accounts = prepared.reading.service_accounts or ()
    return sorted(account for account in accounts if service_account_name(account) not in known)


def _document(prepared: PreparedImport, changes: list[str], *, dry_run: bool) -> dict[str, Any]:
    return {
        "stack": prepared.stack,
        "roster": str(prepared.file),
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
                "leftOut": [{"project": left.project, "reason": left.reason} for left in one.left_out],
            }
            for one in prepared.plan.candidates
        ],
        "serviceAccounts": prepared.reading.service_accounts,
        "unknownServiceAccounts": _unknown(prepared),
        "importedServiceAccounts": list(prepared.accounts),
        "importedTeams": list(prepared.teams),
        "importedCustomRoles": prepared.custom_roles,
        "importedSecurity": prepared.security,
        "changes": changes,
    }
