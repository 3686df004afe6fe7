"""`mixpanel-access diagnose`: find out why somebody cannot get in, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks, addresses, read_overview
from mixpanel_access.cli.output import must_be_address, print_json, printable
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.operations.diagnosing import Case, Diagnosis


class DiagnoseDocument(TypedDict):
    """What `diagnose` prints as JSON."""

    email: Annotated[str, "the person's address"]
    now: Annotated[datetime, "when it looked"]
    auditLogRefused: Annotated[str | None, "why the audit log cannot be read"]
    findings: Annotated[Sequence[Diagnosis], "the known failures, the most likely cause first"]


def diagnose(
    email: Annotated[
        str,
        typer.Argument(
            help="The address of the person who cannot get in, or lacks something.", autocompletion=addresses
        ),
    ],
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Find out why somebody cannot get in, or does not see what they should; exit 1 for any cause.

    Checks every known failure: the most likely cause first, each with its evidence and the steps that fix it.

    Example: `mixpanel-access diagnose robin@agency.example.org`
    """
    from mixpanel_access.operations.diagnosing import Likelihood, case_of
    from mixpanel_access.operations.diagnosing import diagnose as findings_of

    must_be_address(email, "cannot diagnose")
    with read_overview(cwd, stack, now) as overview:
        case = case_of(overview, email)
        found = findings_of(case)
    if as_json:
        document = DiagnoseDocument(
            email=case.someone.email,
            now=overview.now,
            auditLogRefused=case.log_refused or None,
            findings=found,
        )
        print_json(document)
    else:
        _print(case, found)
    return int(any(finding.verdict in (Likelihood.CAUSE, Likelihood.POSSIBLE) for finding in found))


def _print(case: Case, found: Sequence[Diagnosis]) -> None:
    from mixpanel_access.operations.diagnosing import Likelihood

    for finding in found:
        if finding.verdict is not Likelihood.RULED_OUT:
            _print_finding(finding)
    if ruled_out := [finding for finding in found if finding.verdict is Likelihood.RULED_OUT]:
        typer.echo("ruled out:")
        for finding in ruled_out:
            typer.echo(f"  {finding.failure.value}: {'; '.join(finding.evidence)}")
    if case.log_refused:
        typer.echo(f"\nThe audit log cannot be read ({case.log_refused}), so what it would show is unknown.")
    sure, possible = (
        sum(finding.verdict is verdict for finding in found) for verdict in (Likelihood.CAUSE, Likelihood.POSSIBLE)
    )
    more = f" and {counted(possible, 'possible one')}" if possible else ""
    typer.echo(f"\n{counted(sure, 'cause')}{more} found for {case.someone.email}.")


def _print_finding(finding: Diagnosis) -> None:
    typer.echo(f"{finding.verdict.value}: {finding.failure.value}")
    for line in finding.evidence:
        typer.echo(f"  {printable(line)}")
    for number, line in enumerate(finding.fix, 1):
        typer.echo(f"  {number}. {printable(line)}")
    typer.echo()
