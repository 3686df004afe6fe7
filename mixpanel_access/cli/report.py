"""`mixpanel-access report`: write the page of who has what, or print the same as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import typer

from mixpanel_access.cli.output import instant_of, progress, write_file
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.words import counted
from mixpanel_access.operations.project import open_project
from mixpanel_access.operations.report import Report, document
from mixpanel_access.operations.reporting import report_of

DEFAULT: Final = Path("access-report.html")
"""Where the page goes where nobody says."""


def write_report(folder: Path, stacks: list[str], now: str | None, *, to: Path | None, as_json: bool) -> int:
    """Look and write; 1 when there is anything to do, else 0.

    Raises:
        UsageError: page and JSON would both go to standard output, or the page cannot be written.
    """
    printed = str(to) == "-"
    if printed and as_json:
        raise UsageError(
            "cannot print both", why="--to - and --json both print", next_step="Name a file with --to, or leave it out."
        )
    report = report_of(open_project(folder, progress), stacks, instant_of(now), progress)
    if printed:
        typer.echo(_page(report), nl=False)
    elif to is not None or not as_json:
        file = to or DEFAULT
        write_file(file, _page(report).encode(), "the report", "Name another file with --to.")
        progress(f"wrote {file}")
    if as_json:
        typer.echo(json.dumps(document(report), indent=2))
    elif not printed:
        about = counted(len(report.people), "person", "people")
        high = sum(1 for one in report.people if one.risk.level == "high")
        typer.echo(
            f"{about} of {', '.join(report.stacks)}: {high} of high risk, {len(report.to_do)} with something to do, "
            f"{len(report.differences)} unmanaged or changed, {len(report.held_up)} against mandatory rules."
        )
    return 1 if report.problems else 0


def _page(report: Report) -> str:
    from mixpanel_access.operations.report_page import page  # its templates' language is slow to come

    return page(report)
