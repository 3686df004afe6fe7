"""`mixpanel-access diagnose`: print why somebody does not get what they should, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from mixpanel_access.cli.output import instant_of, printable, progress
from mixpanel_access.model.address import problem_with
from mixpanel_access.model.dates import written
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.words import counted
from mixpanel_access.operations.diagnosing import Diagnosis, Likelihood, case_of, diagnose
from mixpanel_access.operations.overview import load_overview
from mixpanel_access.operations.project import open_project


def run_diagnose(folder: Path, stacks: list[str], email: str, now: str | None, *, as_json: bool) -> int:
    """Look and print; 1 when there is a cause or a possible one, else 0."""
    if reason := problem_with(email):
        raise UsageError("cannot diagnose", whom=email, why=reason, next_step="Correct the address.")
    overview = load_overview(open_project(folder, progress), stacks, instant_of(now), progress)
    case = case_of(overview, email)
    found = diagnose(case)
    causes = [finding for finding in found if finding.verdict in (Likelihood.CAUSE, Likelihood.POSSIBLE)]
    if as_json:
        about = {"email": case.someone.email, "now": written(overview.now), "auditLogRefused": case.log_refused or None}
        typer.echo(json.dumps({**about, "findings": [_row(finding) for finding in found]}, indent=2))
        return 1 if causes else 0
    for finding in found:
        if finding.verdict is not Likelihood.RULED_OUT:
            _print(finding)
    ruled_out = [finding for finding in found if finding.verdict is Likelihood.RULED_OUT]
    if ruled_out:
        typer.echo("ruled out:")
        for finding in ruled_out:
            typer.echo(f"  {finding.failure.value}: {'; '.join(finding.evidence)}")
    if case.log_refused:
        typer.echo(f"\nThe audit log cannot be read ({case.log_refused}): what it would tell is unknown.")
    sure = sum(1 for finding in causes if finding.verdict is Likelihood.CAUSE)
    possible = len(causes) - sure
    typer.echo(f"\n{counted(sure, 'cause')} and {counted(possible, 'possible one')} found for {case.someone.email}.")
    return 1 if causes else 0


def _print(finding: Diagnosis) -> None:
    typer.echo(f"{finding.verdict.words}: {finding.failure.value}")
    for line in finding.evidence:
        typer.echo(f"  {printable(line)}")
    for number, line in enumerate(finding.fix, 1):
        typer.echo(f"  {number}. {printable(line)}")
    typer.echo()


def _row(finding: Diagnosis) -> dict[str, object]:
    return {
        "failure": finding.failure.value,
        "verdict": finding.verdict.words,
        "evidence": list(finding.evidence),
        "fix": list(finding.fix),
    }
