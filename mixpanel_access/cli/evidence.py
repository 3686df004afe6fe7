"""`mixpanel-access evidence`: one document of a period for an auditor."""

from __future__ import annotations

from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mixpanel_access.cli.options import AsJsonFormat, Folder, Now, Stacks, none_to_print, words
from mixpanel_access.cli.output import (
    camel_case,
    day_of_option,
    instant_of,
    json_text,
    must_be_format,
    plain,
    progress,
    write_file,
)
from mixpanel_access.cli.tracker import LogFile, existing_log
from mixpanel_access.model.engagements import REASONS
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.operations.evidence.document import EvidenceDocument
    from mixpanel_access.operations.tables import Sheet

FORMATS: Final = ("json", "csv", "xlsx")
"""What the document can be written as."""


def evidence(
    from_: Annotated[str, typer.Option("--from", help="The first day of the period (YYYY-MM-DD, UTC).")],
    to: Annotated[str, typer.Option(help="The last day of the period, included (YYYY-MM-DD, UTC).")],
    stack: Stacks = None,
    format_: Annotated[
        str, typer.Option("--format", help="json, csv or xlsx.", autocompletion=words(*FORMATS))
    ] = "json",
    output: Annotated[
        Path | None,
        typer.Option(help="The file to write; xlsx needs it. Default, or -: standard output.", callback=none_to_print),
    ] = None,
    file: LogFile = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJsonFormat = False,
) -> int:
    """Write one document of a period: who had what at both ends, each change, reviews, exceptions, what is not known.

    Example: `mixpanel-access evidence --from 2026-04-01 --to 2026-06-30`
    """
    from mixpanel_access.operations.evidence.build import make_evidence, period_of
    from mixpanel_access.operations.project import open_project, stacks_of

    format_ = "json" if as_json else format_
    must_be_format(format_, output, FORMATS, "--output")
    first, last = day_of_option("--from", from_), day_of_option("--to", to)
    file = existing_log(file, cwd)
    project = open_project(cwd, progress)
    names = stacks_of(project, stack or [])
    settings = project.settings(names[0])
    by_clock = now is None and settings.now is None
    period = period_of(first, last, instant_of(now) or settings.clock(), by_clock=by_clock)
    found = make_evidence(project, file, names, period)
    content = _content(found, format_)
    if output is None:
        typer.echo(content, nl=False)
        return 0
    write_file(output, content, "the evidence", "Name another file with --output.")
    typer.echo(f"Wrote {output}: {_summary(found)}.")
    return 0


def _content(found: EvidenceDocument, format_: str) -> bytes:
    if format_ == "json":
        return f"{json_text(found)}\n".encode()
    from mixpanel_access.operations.tables import csv_of_sheets, workbook

    sheets = _sheets(found)
    return workbook(sheets) if format_ == "xlsx" else csv_of_sheets(sheets)


def _sheets(found: EvidenceDocument) -> list[Sheet]:
    """The document as tables: a sheet for each part, with the names and the values of the JSON."""
    from mixpanel_access.operations.evidence import document as records
    from mixpanel_access.operations.tables import Sheet

    shown = plain(found)
    organizations = "; ".join(f"{one['id']} {one['name'] or ''}".strip() for one in shown["organizations"])
    head = {"organizations": organizations, "stacks": ", ".join(shown["stacks"])}
    head |= {key: shown[key] for key in ("allStacks", "from", "to", "made", "version")}
    sheets = [Sheet("document", [*head], [[*head.values()]])]
    kinds: dict[str, type[Any]] = {
        "sources": records.EvidenceSource,
        "accessAtStart": records.AccessRow,
        "accessAtEnd": records.AccessRow,
        "changes": records.ChangeRow,
        "reviews": records.ReviewRow,
        "exceptions": records.ExceptionRow,
        "weakenedRules": records.WeakenedRuleRow,
    }
    for name, kind in kinds.items():
        columns = [camel_case(one.name) for one in sorted(fields(kind), key=_order_of_columns)]
        sheets.append(Sheet(name, columns, [[row[column] for column in columns] for row in shown[name]]))
    not_compared = ["not compared: the period is in the past"]
    differences = not_compared if found.differences is None else shown["differences"]
    sentences = {"differences": differences, "unknown": shown["unknown"]}
    return [*sheets, *(Sheet(name, ["sentence"], [[one] for one in its]) for name, its in sentences.items())]


def _order_of_columns(column: Field[Any]) -> tuple[bool, bool]:
    """What happened comes first, and the reasons come last."""
    return column.name not in ("at", "event"), column.name in REASONS


def _summary(found: EvidenceDocument) -> str:
    what = f"{counted(len(found.changes), 'change')}, {counted(len(found.unknown), 'thing')} not known"
    return f"{found.from_} to {found.to}, {what}"
