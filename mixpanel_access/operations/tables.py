"""Lines as a table for others: CSV, a workbook, Markdown, JSON; no cell of a sheet is taken for a formula."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from mixpanel_access.files.lines import FileLine

_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with, in full width too."""
_BEFORE: Final = re.compile(rf'(?<![\s";])[\s";]++(?=[{"".join(map(re.escape, _FORMULA))}])')
"""Blanks, quotes and semicolons before a formula. An Excel in half of Europe begins a new cell after a semicolon."""
_NO_XML: Final = re.compile("[^\t\n\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that cannot stand in a workbook (XML 1.0, 2.2)."""

_CELL: Final = 32_767
"""The most characters of a cell in a workbook, as UTF-16 counts them."""
_WIDEST: Final = 60
"""The most characters that a column shows at once."""
_CUT: Final = " [cut off: a cell has no room for more; CSV and JSON have all of it]"
"""What a longer text ends with there."""


def exported(lines: Sequence[FileLine], line_type: type[FileLine], form: str) -> bytes:
    """A table of all lines."""
    columns = line_type.columns()
    rows = [[getattr(line, name) for name in columns] for line in lines]
    if form == "json":
        return (json.dumps([line.row() for line in lines], indent=2, ensure_ascii=False) + "\n").encode()
    if form == "markdown":
        return f"{markdown(columns, rows)}\n".encode()
    name = line_type.file_is.removeprefix("the ")
    sheet = Sheet(name[0].upper() + name[1:], columns, rows)
    return _csv(sheet.columns, sheet.rows) if form == "csv" else workbook([sheet])


class Sheet(NamedTuple):
    """A sheet of a workbook: its name, its columns and its rows."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """A workbook with these sheets."""
    from openpyxl import Workbook  # a tenth of a second that only a workbook waits for
    from openpyxl.utils import get_column_letter

    book, content = Workbook(write_only=True), io.BytesIO()
    for one in sheets:
        sheet = book.create_sheet(one.name)
        sheet.freeze_panes = "A2"  # before the first row
        for number, column in enumerate(zip(one.columns, *one.rows, strict=True), 1):
            widest = max(len(str(value)) for value in column)
            sheet.column_dimensions[get_column_letter(number)].width = min(widest + 3, _WIDEST)
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(one.columns))}{len(one.rows) + 1}"
        sheet.append([*one.columns])
        for row in one.rows:
            sheet.append([_in_workbook(sheet, value) for value in row])
    book.save(content)
    return content.getvalue()


def csv_of_sheets(sheets: Sequence[Sheet]) -> bytes:
    """One CSV of several sheets: the first column names the sheet, and the others are those of all sheets."""
    columns = list(dict.fromkeys(column for one in sheets for column in one.columns))
    found = []
    for one in sheets:
        for row in one.rows:
            values = dict(zip(one.columns, row, strict=True))
            found.append([one.name, *(_word(values.get(column)) for column in columns)])
    return _csv(["section", *columns], found)


def _word(value: Any) -> Any:
    """A value as JSON has it, where that differs from Python."""
    return str(value).lower() if isinstance(value, bool) else value


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([[_in_csv(value) for value in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")  # without the mark, Excel reads accents in the system's old encoding


def markdown(head: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: int = 0) -> str:
    """A Markdown table; its last columns, so many as `numbers` says, stand to the right."""
    rule = [*["---"] * (len(head) - numbers), *["---:"] * numbers]
    return "\n".join(f"| {' | '.join(map(cell, row))} |" for row in (head, rule, *rows))


def cell(value: Any) -> str:
    """A value in a Markdown table as text: no bar and no line end breaks it, and nothing in it is HTML or a link."""
    if value is None:
        return ""
    text = html.escape(str(value), quote=False).replace("\\", "\\\\").replace("|", "\\|").replace("](", "]\\(")
    return " ".join(text.split())


def _in_csv(value: Any) -> Any:
    """A text that a sheet would take for a formula gets a mark in front, which says that it is a text."""
    if not isinstance(value, str):
        return value
    text = _BEFORE.sub(_marked, _NO_XML.sub("\ufffd", value))
    return f"'{text}" if text.startswith(_FORMULA) or text[:1].isspace() else text


def _marked(before: re.Match[str]) -> str:
    """What stands before a formula within a text, with a mark if a cell may begin there."""
    return f"{before[0]}'" if before[0].strip(' "') else before[0]


def _in_workbook(sheet: Any, value: Any) -> Any:
    """A text is a text there, whatever it begins with; one that is too long for a cell says that it was cut off."""
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell

    text = _fitting(_NO_XML.sub("\ufffd", value))
    if not text.startswith((*_FORMULA, "#")):  # of those it takes some for formulas or errors
        return text
    found = WriteOnlyCell(sheet, text)
    found.data_type = "s"
    found.quotePrefix = True  # it stays a text if somebody edits it
    return found


def _fitting(text: str) -> str:
    """A text that a cell has room for."""
    if len(text) <= _CELL // 2 or len(wide := text.encode("utf-16-le")) <= 2 * _CELL:
        return text
    return wide[: 2 * (_CELL - len(_CUT))].decode("utf-16-le", "ignore") + _CUT
