"""What `mixpanel-access review start` and `status` print for people: a line a person, and all of it with `--all`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from mixpanel_access.cli.output import new_table, print_other_access, print_paragraph, print_table
from mixpanel_access.model.similarity import counted, in_words

if TYPE_CHECKING:
    from mixpanel_access.model.access import Project
    from mixpanel_access.operations.review.progress import PacketProgress, ReviewProgress
    from mixpanel_access.operations.review.starting import Begun
    from mixpanel_access.operations.review.summary import PersonTodos

MOST_PEOPLE: Final = 20
"""How many people are shown without `--all`."""


def print_begun(begun: Begun, projects: Mapping[int, Project], *, everybody: bool) -> None:
    """Print the packets, then what is asked about each person, the worst first; with `everybody`, all of it."""
    from collections import Counter

    from mixpanel_access.operations.review.files import UNASSIGNED
    from mixpanel_access.operations.review.summary import to_review
    from mixpanel_access.rules.rule import Suggestion

    table = new_table("reviewer", "roles", *(one.value for one in Suggestion), "packet")
    for one in begun.packets:
        counts = Counter(item.suggestion for item in one.packet.items)
        row = [str(counts[word.value] or "") for word in Suggestion]
        table.add_row(one.packet.reviewer or UNASSIGNED, str(len(one.packet.items)), *row, one.file.name)
    if begun.packets:
        print_table(table)
        typer.echo("")
    _print_people(to_review(begun), everybody=everybody)
    if everybody:
        for item in begun.unassigned:
            typer.echo(f"{item}: {item.unassigned}")
        for row_ in begun.unmanaged:
            typer.echo(f"{row_.email} has {row_.role} in {row_.project}, a project of stack {row_.stack}: {row_.note}")
        print_other_access(begun.other_access, projects)
    elif begun.other_access:
        rows = counted(len(begun.other_access), "line")
        typer.echo(f"{rows} on access that no stack manages, or of which that is unknown: --all shows them.")
    total = sum(len(one.packet.items) for one in begun.packets)
    typer.echo(f"The review {begun.folder.name} has {counted(total, 'role')} in {begun.folder}.")


def print_progress(found: ReviewProgress, where: Path, today: date, *, everybody: bool) -> None:
    """Print how far each reviewer is, what is left to do about each person, the worst first, and the next steps."""
    from mixpanel_access.operations.review.files import UNASSIGNED
    from mixpanel_access.operations.review.summary import left_to_do

    table = new_table("reviewer", "undecided", "decided", "applied", "open for")
    for part in found.packets:
        days = days_open(part, today)
        counts = [str(len(items)) for items in (part.undecided, part.waiting, part.applied)]
        reviewer = part.packet_file.packet.reviewer or UNASSIGNED
        table.add_row(reviewer, *counts, "" if days is None else counted(days, "day"))
    print_table(table)
    typer.echo("")
    _print_people(left_to_do(found), everybody=everybody)
    for line in _details(found) if everybody else ():
        typer.echo(line)
    _print_what_is_open(found, where.name)


def _print_what_is_open(found: ReviewProgress, name: str) -> None:
    from mixpanel_access.operations.review.decisions import ItemStatus

    if undecided := sum(len(one.undecided) for one in found.packets):
        typer.echo(f"{counted(undecided, 'role')} undecided in the review {name}.")
    if stale := found.with_status(ItemStatus.STALE):
        typer.echo(f"{counted(len(stale), 'decision')} to make again, since the access has changed.")
    if wrong := found.with_status(ItemStatus.WRONG):
        stacks_ = f"stack {found.refused[0]}" if len(found.refused) == 1 else f"stacks {in_words(found.refused)}"
        typer.echo(f"{counted(len(wrong), 'role')} to correct in the packets, before anything of {stacks_} is applied.")
    for stack, count in sorted(found.ready.items()):
        typer.echo(f"{counted(count, 'decision')} to apply: `mixpanel-access review apply --stack {stack}`")
    if found.new:
        typer.echo(f"{counted(len(found.new), 'role')} to list: `mixpanel-access review start`")
    if found.still_there:
        typer.echo(f"{counted(len(found.still_there), 'applied decision')} not done in Mixpanel yet.")
    if found.unknown:
        typer.echo(f"Unknown: whether the access that the applied decisions took away is gone: {found.unknown}")
    if not found.is_open:
        typer.echo(f"The review {name} is done.")


def _details(found: ReviewProgress) -> Iterator[str]:
    """Each role on which something is left to do, with the reason."""
    for one in found.items:
        if one.item.decision is None or one.why:
            outcome = f"{one.item.outcome} is not applied" if one.item.decision else ""
            yield ": ".join(filter(None, (one.packet_file.file.name, str(one.item), outcome, one.why)))
    for new in found.new:
        yield f"new: {new}: {new.why}"
    yield from map(str, found.still_there)


def _print_people(people: Sequence[PersonTodos], *, everybody: bool) -> None:
    """Print a line for each of the people who need somebody's attention first; with `everybody`, for all."""
    shown = people if everybody else [one for one in people if one.urgent][:MOST_PEOPLE]
    for one in shown:
        print_paragraph(one.line(None) if everybody else one.line(), rest="  ")
    if more := len(people) - len(shown):
        typer.echo(f"{counted(more, 'other person', 'other people')} with less to do: --all shows everybody.")
    if people:
        typer.echo("")


def days_open(part: PacketProgress, today: date) -> int | None:
    """For how many days a packet with something undecided has been open."""
    made = part.packet_file.packet.made
    return max(0, (today - date.fromisoformat(made)).days) if made and part.undecided else None
