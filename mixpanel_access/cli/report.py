"""`mixpanel-access report`: write the page of who has access to what, or print the same as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks
from mixpanel_access.cli.output import instant_of, print_json, progress, write_file
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import counted, in_words

if TYPE_CHECKING:
    from mixpanel_access.operations.report.model import Report

DEFAULT: Final = Path("access-report.html")
"""The page's file, unless another is named."""


def report(
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", "--output", help="The file to write; - prints it. Default: access-report.html, none with --json."
        ),
    ] = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Write one page of who has access to what, by risk, with endings, invitations and findings.

    Exit 1 when anything on it needs action.

    Example: `mixpanel-access report --to access.html`
    """
    from mixpanel_access.operations.project import open_project
    from mixpanel_access.operations.report.build import report_of

    printed = str(to) == "-"
    if printed and as_json:
        raise UsageError(
            "cannot print both", why="--to - and --json both print", next_step="Name a file with --to, or leave it out."
        )
    found = report_of(open_project(cwd, progress), stack or [], instant_of(now), progress)
    if printed:
        typer.echo(_page(found), nl=False)
    elif to is not None or not as_json:
        file = to or DEFAULT
        write_file(file, _page(found).encode(), "the report", "Name another file with --to.")
        progress(f"wrote {file}")
    if as_json:
        print_json(found)
    elif not printed:
        about = counted(len(found.people), "person", "people")
        high = sum(1 for one in found.people if one.risk.level == "high")
        mandatory = counted(len(found.held_up), "violation")
        typer.echo(
            f"{about} of {in_words(found.stacks)}: {high} of high risk, {len(found.to_do)} with something to do, "
            f"{len(found.differences)} unmanaged or changed, {mandatory} of mandatory rules."
        )
    return 1 if found.problems else 0


def _page(report: Report) -> str:
    from mixpanel_access.operations.report.page import page  # its templates are slow to load

    return page(report)
