"""How commands print: results to standard output, progress to standard error."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any, Final, TypedDict, TypeVar, cast
from unicodedata import category

import typer

from mixpanel_access.model.dates import FIRST_YEAR, LAST_YEAR, day, instant, written
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.files.lines import FileLine, Verified
    from mixpanel_access.model.access import OtherAccess, Project

_Record = TypeVar("_Record")
_SHOWN: Final = 20
_OBEYED: Final = frozenset({"Cc", "Cf"})
"""The Unicode categories of characters that a terminal obeys: controls and formats."""
_QUOTED: Final = re.compile(r"`[^`]+`")
_GLUE: Final = "\x1f"
"""Stands for a blank at which no line ends; in printable text it is not there."""


class ProjectRole(TypedDict):
    """A role in a project."""

    project: Annotated[int, "the project's id"]
    role: Annotated[str, "the role"]


class VerifiedDocument(TypedDict):
    """What `tracker verify` and `review verify` print as JSON."""

    file: Annotated[Path, "the file"]
    lines: Annotated[int, "how many lines it has"]
    cut: Annotated[bool, "whether its last line was cut off"]
    problems: Annotated[Sequence[str], "what is wrong"]
    byHand: Annotated[
        Sequence[str], "changes by hand that the access log has, and the states do not have yet; none for a review"
    ]


def progress(line: str) -> None:
    """Show how far a command is."""
    typer.echo(line, err=True)


class TextTable:
    """A table without lines, for `print_table`; control characters in its cells are spelled out."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns
        self.rows: list[list[str]] = []

    @property
    def row_count(self) -> int:
        """How many rows it has, without the head."""
        return len(self.rows)

    def add_row(self, *cells: str) -> None:
        """Add a row; cells that are left out are empty."""
        self.rows.append([*map(printable, cells), *[""] * (len(self.columns) - len(cells))])

    def text(self) -> str:
        """The table, unwrapped; a cell may have several lines."""
        from rich.cells import cell_len

        def width(line: str) -> int:
            return len(line) if line.isascii() else cell_len(line)

        cells = [[cell.split("\n") for cell in row] for row in (self.columns, *self.rows)]
        widths = [max(width(line) for row in cells for line in row[column]) for column in range(len(self.columns))]
        lines = []
        for row in cells:
            for number in range(max(map(len, row))):
                parts = [cell[number] if number < len(cell) else "" for cell in row]
                padded = (part + " " * (most - width(part)) for part, most in zip(parts, widths, strict=True))
                lines.append("  ".join(padded))
        return "\n".join(lines)


def new_table(*columns: str) -> TextTable:
    """A table with these columns."""
    return TextTable(columns)


def print_table(table: TextTable) -> None:
    """Print a table as wide as the terminal, or unwrapped into a file."""
    if not sys.stdout.isatty():
        typer.echo(table.text())
        return
    from rich.console import Console  # takes a fifth of a second to load
    from rich.table import Column, Table

    # An address that is cut off cannot be copied.
    columns = (Column(name, overflow="fold") for name in table.columns)
    shown = Table(*columns, box=None, pad_edge=False)
    for row in table.rows:
        shown.add_row(*row)
    # A reason may have [brackets] in it.
    Console(markup=False, emoji=False, highlight=False).print(shown)


def print_paragraph(text: str, first: str = "", rest: str = "", most: int | None = None) -> None:
    """Print a paragraph in lines as long as the terminal is wide, or as one line into a file, or in lines of `most`.

    Its first line begins with `first`, and the others with `rest`. No word is divided, and no command in backticks, so
    that it can be copied.
    """
    text, width = printable(text), width_of(most)
    if width is None:
        typer.echo(first + text)
        return
    whole = _QUOTED.sub(lambda found: found[0].replace(" ", _GLUE), text)
    lines = wrap(
        whole, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    typer.echo("\n".join(lines).replace(_GLUE, " "))


def width_of(most: int | None = None) -> int | None:
    """How wide lines may be: as the terminal, and `most`; in a file, None is for unwrapped."""
    terminal = get_terminal_size().columns if sys.stdout.isatty() else None
    return min((width for width in (terminal, most) if width), default=None)


def printable(text: str) -> str:
    """Text whose control characters and marks of direction are spelled out, so that the terminal does not obey them."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or category(c) not in _OBEYED else f"\\x{ord(c):02x}" for c in text)


def print_diff(before: str, after: str, name: str) -> None:
    """Print what changes in a file."""
    from difflib import unified_diff

    for line in unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name, n=1):
        typer.echo(line.rstrip("\r\n"))


def print_changes(changes: Sequence[str]) -> None:
    """Print what `pulumi up` would change after an import or a release, and what to do about it."""
    for line in changes[:_SHOWN]:
        typer.echo(f"  {line}")
    if len(changes) > _SHOWN:
        typer.echo(f"  and {len(changes) - _SHOWN} more")
    typer.echo(
        "`pulumi up` would do that. If you do not want it, the roster differs from Mixpanel, or the stack's program "
        "from its roster: fix that and run again."
    )


def print_other_access(rows: Sequence[OtherAccess], projects: Mapping[int, Project]) -> None:
    """Print the access that no stack manages, and below it what is unknown."""

    def named(one: OtherAccess) -> str:
        if one.project is None:
            return ""
        return f"{one.project} {projects[one.project].name}" if one.project in projects else str(one.project)

    typer.echo("\nAccess that no stack manages:" if any(one.known for one in rows) else "")
    table = new_table("what", "who", "project", "")
    for one in rows:
        if one.known:
            table.add_row(one.source.value, one.who, named(one), one.what)
    if table.row_count:
        print_table(table)
    for one in rows:
        if not one.known:
            where = f" in {named(one)}" if one.project is not None else ""
            typer.echo(printable(f"unknown: {one.source}{where}: {one.what}"))


def print_json(value: object, *, indent: int | None = 2) -> None:
    """Print a value as JSON."""
    typer.echo(json_text(value, indent=indent))


def json_text(value: object, *, indent: int | None = 2) -> str:
    """A value as JSON: the one encoder of the command line."""
    import json

    return json.dumps(plain(value), indent=indent)


def plain(value: object) -> Any:
    """A value as plain data.

    The fields of a record become keys in camelCase. The keys of a mapping stay as they are, since they are values:
    addresses, names of projects.
    """
    from dataclasses import fields, is_dataclass

    if is_dataclass(value):
        return {camel_case(one.name): plain(getattr(value, one.name)) for one in fields(value)}
    if dump := getattr(value, "model_dump", None):
        return dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return written(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    return [plain(part) for part in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def record_of(record_type: type[_Record], source: object, **given: object) -> _Record:
    """A record for JSON: each key has the attribute of that name of `source`, unless its value is given.

    Without a source, the other keys are null.
    """
    values = {
        key: given[key] if key in given else source and getattr(source, re.sub("(?=[A-Z])", "_", key).lower())
        for key in record_type.__annotations__
    }
    return cast("_Record", values)


def camel_case(name: str) -> str:
    """The key in JSON of a record's field."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.capitalize() for part in rest)


def day_of(now: str | None) -> date:
    """The day (UTC) of `--now`, or else of the clock; raises as `instant_of` does."""
    return (instant_of(now) or datetime.now(UTC)).date()


def day_of_option(option: str, text: str) -> date:
    """The day of an option.

    Raises:
        UsageError: it is not a day.
    """
    try:
        found = day(text)
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError(text)
        return found
    except ValueError:
        why = f"it is not a date of the years {FIRST_YEAR} to {LAST_YEAR}"
        raise UsageError(f"cannot use {option}", subject=text, why=why, next_step="Write it as 2026-05-01.") from None


def instant_of(now: str | None) -> datetime | None:
    """The instant of `--now`, or None if it is not given.

    Raises:
        UsageError: `--now` is not an instant.
    """
    if now is None:
        return None
    try:
        found = instant(now)
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError(now)
        return found
    except (ValueError, OverflowError):
        raise UsageError(
            "cannot use --now",
            subject=now,
            why=f"it is not an ISO 8601 instant of the years {FIRST_YEAR} to {LAST_YEAR}",
            next_step="Write it as 2026-05-01.",
        ) from None


def must_be_address(email: str | None, cannot: str) -> None:
    """Refuse an argument that is not an e-mail address; `cannot` is the clause for the error.

    Raises:
        UsageError: it is not an address.
    """
    from mixpanel_access.model.address import problem_with

    if email is not None and (reason := problem_with(email)):
        raise UsageError(cannot, subject=email, why=reason, next_step="Correct the address.")


def must_be_format(format_: str, to: Path | None, formats: Sequence[str], option: str = "--to") -> None:
    """Refuse an export format that does not exist, or that cannot be printed, with a UsageError.

    Args:
        format_: the format.
        to: the file of the option, or None to print.
        formats: the formats that the command has.
        option: the option that names the file.
    """
    if format_ not in formats:
        from mixpanel_access.model.similarity import unknown

        raise UsageError("cannot use --format", subject=format_, why=unknown(format_, "format", formats))
    if format_ == "xlsx" and to is None:
        raise UsageError("cannot print a workbook", subject=format_, next_step=f"Name a file with {option}.")


def print_or_write(lines: Sequence[FileLine], line_type: type[FileLine], format_: str, to: Path | None) -> None:
    """Print the lines of a log as a table, or write them to a file and say so."""
    if format_ == "json":
        content = f"{json_text(lines)}\n".encode()
    else:
        from mixpanel_access.operations.tables import exported

        content = exported(lines, line_type, format_)
    if to is None:
        typer.echo(content, nl=False)
        return
    write_file(to, content, "the table", "Name another file.")
    typer.echo(f"Wrote {counted(len(lines), 'line')} to {to}.")


def print_verified(found: Verified, file: Path, good: str, next_step: str, *, as_json: bool) -> int:
    """Print the problems of a log or the evidence, with `next_step`, or else `good`; the exit code."""
    if found.cut:
        progress(found.cut)
    if as_json:
        print_json(record_of(VerifiedDocument, found, file=file, cut=bool(found.cut)))
        return 1 if found.cut or found.problems else 0
    for sentence in (*found.problems, *found.by_hand):
        typer.echo(sentence)
    if found.problems:
        typer.echo(f"{file} has {counted(len(found.problems), 'problem')}; {next_step}.")
    else:
        typer.echo(f"{file} has {counted(found.lines, 'line')}; {good}.")
    return 1 if found.cut or found.problems else 0


_RECORDS: Final = (".jsonl", ".yaml", ".yml", ".py", ".toml")
"""The endings of files that hold the only copy of something: logs, evidence of reviews, rosters, packets, programs."""


def _is_a_record(file: Path) -> bool:
    """Whether a file that is there belongs to a project, and is no earlier output of a command."""
    if file.suffix.lower() != ".json":
        return file.suffix.lower() in _RECORDS
    return file.name == "onboarding.json" or file.resolve().parts[-3:-1] == ("policies", "config")


def read_output(file: Path, next_step: str) -> str:
    """What a program printed, from a file or, for `-`, from standard input; other bytes than UTF-8 are replaced.

    Raises:
        UsageError: the file cannot be read; the `next_step` is for this error.
    """
    from mixpanel_access.files.whole import reason

    try:
        return (
            sys.stdin.buffer.read().decode("utf-8", "replace")
            if str(file) == "-"
            else file.read_text("utf-8", "replace")
        )
    except OSError as error:
        raise UsageError("cannot read the output", subject=str(file), why=reason(error), next_step=next_step) from None


def write_file(file: Path, content: bytes, what: str, next_step: str) -> None:
    """Write the file of an option; `what` it is, and the `next_step` if it cannot be written, are for the error.

    Raises:
        UsageError: it cannot be written, or would replace the access log, a roster or another record of a project.
    """
    from mixpanel_access.files.whole import FileChange, content_of, write_all

    if file.is_file() and _is_a_record(file):
        why = f"{what} would replace this file of the project"
        raise UsageError(f"cannot write {what}", subject=str(file), why=why, next_step=next_step)
    try:
        if file.exists() and not file.is_file():  # a pipe or a terminal
            file.write_bytes(content)
        else:
            write_all([FileChange(file, content_of(file, what), content, what)])
    except OSError as error:
        raise UsageError(
            f"cannot write {what}", subject=str(file), why=error.strerror or str(error), next_step=next_step
        ) from None
    except UsageError as error:
        error.next_step = next_step
        raise
