"""`mixpanel-access preflight`: print what has to be so before somebody is invited."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer

from mixpanel_access.cli.output import instant_of, new_table, print_table, progress
from mixpanel_access.model.address import problem_with
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.words import counted
from mixpanel_access.operations.overview import load_overview
from mixpanel_access.operations.preflight import Readiness, checks
from mixpanel_access.operations.project import open_project


def run_preflight(folder: Path, stacks: list[str], email: str | None, now: str | None, *, as_json: bool) -> int:
    """Check and print; 1 for a problem, else 0."""
    if email is not None and (reason := problem_with(email)):
        raise UsageError("cannot look at the address", whom=email, why=reason, next_step="Correct it.")
    project = open_project(folder, progress)
    overview = load_overview(project, stacks, instant_of(now), progress)
    companies = {stack: project.company_domains(stack) for stack in overview.stacks}
    found = checks(overview, companies, email)
    problems = [check for check in found if check.verdict is Readiness.PROBLEM]
    if as_json:
        typer.echo(json.dumps([{**asdict(check), "verdict": check.verdict.value} for check in found], indent=2))
    else:
        table = new_table("stack", "what", "verdict", "what is so", "by")
        for check in found:
            table.add_row(check.stack, check.what, check.verdict.value, check.text, check.contact)
        print_table(table)
        waiting = sum(1 for check in found if check.verdict is Readiness.CONFIRM)
        typer.echo(f"\n{counted(len(problems), 'problem')}, {waiting} to be confirmed.")
    return 1 if problems else 0
