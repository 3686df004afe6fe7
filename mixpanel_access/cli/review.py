"""`mixpanel-access review start`, `decide` and `status`: print who is asked about what, and how far they are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import typer

from mixpanel_access.cli.other_access import other_access_document, print_other_access
from mixpanel_access.cli.output import day_of, instant_of, new_table, print_table, progress
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import unknown
from mixpanel_access.model.words import counted
from mixpanel_access.operations.overview import load_overview
from mixpanel_access.operations.project import open_project, project_folder
from mixpanel_access.operations.review.deciding import Progress, Wish, decide, progress_of
from mixpanel_access.operations.review.files import FOLDER, UNASSIGNED, newest, quarter
from mixpanel_access.operations.review.listing import REVIEWERS
from mixpanel_access.operations.review.packet import ORGANIZATION, Item, Packet, Suggestion
from mixpanel_access.operations.review.starting import Begun, begin


def start_review(folder: Path, stacks: list[str], now: str | None, by: str, to: Path | None, *, as_json: bool) -> int:
    """Write the packets and print; 1 where something has no reviewer, or no roster gives it."""
    if by not in REVIEWERS:
        raise UsageError("cannot use --reviewer-by", whom=by, why=unknown(by, "one to ask", REVIEWERS))
    project = open_project(folder, progress)
    overview = load_overview(project, stacks, instant_of(now), progress)
    if warning := overview.logins.warning:
        progress(warning)
    domains = {stack: project.company_domains(stack) for stack in overview.stacks}
    target = to or project.pulumi.project / FOLDER / quarter(overview.today)
    begun = begin(overview, domains, by, target.absolute(), progress)
    if as_json:
        document = {
            "review": begun.folder.name,
            "folder": str(begun.folder),
            "packets": [{"file": str(one.file), **_document(one.packet)} for one in begun.packets],
            "otherAccess": [other_access_document(one) for one in begun.other_access],
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        _print_begun(begun)
        print_other_access(begun.other_access, overview.directory.projects())
    return 1 if begun.unassigned or begun.unmanaged else 0


def _print_begun(begun: Begun) -> None:
    table = new_table("reviewer", "roles", *(one.value for one in Suggestion), "packet")
    for one in begun.packets:
        counts = Counter(item.suggestion for item in one.packet.items)
        row = [str(counts[word.value] or "") for word in Suggestion]
        table.add_row(one.packet.reviewer or UNASSIGNED, str(len(one.packet.items)), *row, one.file.name)
    if begun.packets:
        print_table(table)
        typer.echo("")
    for item in begun.unassigned:
        typer.echo(f"{item}: {item.unassigned}")
    for row_ in begun.unmanaged:
        typer.echo(f"{row_.email} has {row_.role} in {row_.project}, stack {row_.stack}: {row_.note}")
    total = sum(len(one.packet.items) for one in begun.packets)
    typer.echo(f"The review {begun.folder.name} has {counted(total, 'role')} in {begun.folder}.")


def decide_one(folder: Path, review: Path | None, wish: Wish, now: str | None, *, as_json: bool) -> int:
    """Record a decision and print it."""
    item = decide(folder_of(folder, review), wish, day_of(now))
    if as_json:
        typer.echo(json.dumps(item.model_dump(mode="json", by_alias=True), indent=2))
    else:
        what = f"lower to {item.new_role}" if item.new_role else item.decision
        typer.echo(f"{item}: {what}, on {item.decided}. `mixpanel-access review apply` brings it into the roster.")
    return 0


def show_progress(folder: Path, review: Path | None, stacks: list[str], now: str | None, *, as_json: bool) -> int:
    """Print what is undecided; 1 while there is any, else 0."""
    where, today = folder_of(folder, review), day_of(now)
    found = progress_of(where, stacks, progress)
    undecided = sum(len(one.undecided) for one in found)
    if as_json:
        document = {"review": where.name, "folder": str(where), "undecided": undecided}
        typer.echo(json.dumps(document | {"packets": [_progress(one, today) for one in found]}, indent=2))
    else:
        _print_progress(found, where, today)
    return 1 if undecided else 0


def _print_progress(found: Sequence[Progress], where: Path, today: date) -> None:
    table = new_table("reviewer", "undecided", "decided", "applied", "open for")
    for one in found:
        days = _days(one.packet, today)
        counts = [str(len(part)) for part in (one.undecided, one.waiting, one.applied)]
        table.add_row(
            one.packet.reviewer or UNASSIGNED,
            *counts,
            counted(days, "day") if one.undecided and days is not None else "",
        )
    print_table(table)
    typer.echo("")
    for one in found:
        for item in one.undecided:
            typer.echo(f"{one.file.name}: {item}")
    waiting, undecided = sum(len(one.waiting) for one in found), sum(len(one.undecided) for one in found)
    if undecided:
        typer.echo(f"{counted(undecided, 'role')} undecided in the review {where.name}.")
    if waiting:
        typer.echo(f"{counted(waiting, 'decision')} to apply: mixpanel-access review apply")
    if not undecided and not waiting:
        typer.echo(f"The review {where.name} is done.")


def folder_of(folder: Path, review: Path | None) -> Path:
    """The folder of the review that is meant.

    Raises:
        UsageError: there is none.
    """
    if review is None:
        return newest(project_folder(folder))
    if not review.is_dir():
        raise UsageError("cannot find the review", whom=str(review), next_step="Name the folder with its packets.")
    return review


def _progress(one: Progress, today: date) -> dict[str, Any]:
    return {
        "reviewer": one.packet.reviewer,
        "file": str(one.file),
        "openForDays": _days(one.packet, today) if one.undecided else None,
        "undecided": [_short(item) for item in one.undecided],
        "decided": [_short(item) for item in one.waiting],
        "applied": [_short(item) for item in one.applied],
    }


def _short(item: Item) -> dict[str, Any]:
    return {
        "email": item.email,
        "stack": item.stack,
        "project": item.project,
        "what": item.project or ORGANIZATION,
        "role": item.role,
        "suggestion": item.suggestion,
        "decision": item.decision,
    }


def _days(packet: Packet, today: date) -> int | None:
    return max(0, (today - date.fromisoformat(packet.made)).days) if packet.made else None


def _document(packet: Packet) -> dict[str, Any]:
    return packet.model_dump(mode="json", by_alias=True)
