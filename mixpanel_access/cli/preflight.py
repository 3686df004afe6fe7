"""`mixpanel-access preflight`: check what must be true before somebody is invited."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.findings import print_findings, print_verdict
from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks, read_overview
from mixpanel_access.cli.output import must_be_address, print_json
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.model.verdict import Verdict
    from mixpanel_access.operations.preflight import Prerequisite, Readiness


class PreflightDocument(TypedDict):
    """What `preflight` prints as JSON."""

    checks: Annotated[Sequence[Prerequisite], "what was checked; nothing if that could not be read"]
    verdict: Annotated[Verdict, "what is most likely wrong, and the next step"]


def preflight(
    email: Annotated[str | None, typer.Argument(help="The address that you want to invite.")] = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Check what must be true before somebody is invited, and end with a verdict; exit 1 for a problem.

    Example: `mixpanel-access preflight robin@agency.example.org`
    """
    from mixpanel_access.api.network import proxies_set
    from mixpanel_access.operations.preflight import Prerequisite, Readiness, checks, verdict_on

    must_be_address(email, "cannot check the address")
    found, failed = list[Prerequisite](), list[AccessError]()
    try:
        with read_overview(cwd, stack, now) as overview:
            found = checks(overview, email)
    except AccessError as error:
        failed.append(error)
    verdict = verdict_on(found, failed, proxy=bool(proxies_set()))
    if as_json:
        print_json(PreflightDocument(checks=found, verdict=verdict))
    else:
        _print(found)
        print_verdict(verdict)
    if failed:
        raise failed[0]
    return 1 if _counted(found, Readiness.PROBLEM) else 0


def _print(found: Sequence[Prerequisite]) -> None:
    from mixpanel_access.operations.preflight import Readiness

    for stack, checks in grouped((check.stack, check) for check in found).items():
        print_findings(f"stack {stack}" if stack else "the organization", map(_row, checks))
    if found:
        waiting = _counted(found, Readiness.CONFIRM)
        typer.echo(f"{counted(_counted(found, Readiness.PROBLEM), 'problem')}, {waiting} to be confirmed.")


def _row(check: Prerequisite) -> tuple[str, str]:
    return check.verdict.value, f"{check.what}: {check.text}{f' (by {check.contact})' if check.contact else ''}"


def _counted(found: Sequence[Prerequisite], verdict: Readiness) -> int:
    return sum(1 for check in found if check.verdict is verdict)
