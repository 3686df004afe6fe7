"""`mixpanel-access review start`, `decide` and `status`: ask the reviewers, and show how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, ClockNow, Folder, Now, Stacks, addresses, decisions, stacks, words
from mixpanel_access.cli.output import (
    day_of,
    instant_of,
    new_table,
    print_json,
    print_other_access,
    print_table,
    progress,
    record_of,
)
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.model.access import OtherAccess
    from mixpanel_access.operations.review.packet import Item, Packet, Unmanaged
    from mixpanel_access.operations.review.progress import PacketProgress, ReviewProgress
    from mixpanel_access.operations.review.starting import Begun

Review = Annotated[
    Path | None, typer.Option("--review", help="The review's folder. Default: the newest in reviews/ of the project.")
]


class StartedPacket(TypedDict):
    """A packet: what one reviewer decides."""

    file: Annotated[Path, "the packet's file"]
    review: Annotated[str, "the review's name"]
    made: Annotated[str | None, "the day on which it was started"]
    reviewer: Annotated[str | None, "the reviewer, or null for what has none"]
    unknown: Annotated[Sequence[str], "access that could not be read, and why"]
    items: Annotated[Sequence[Item], "the roles to decide on"]
    unmanaged: Annotated[Sequence[Unmanaged], "grants that no roster has; only in the packet without a reviewer"]


class StartDocument(TypedDict):
    """What `review start` prints as JSON."""

    review: Annotated[str, "the review's name"]
    folder: Annotated[Path, "its folder"]
    packets: Annotated[Sequence[StartedPacket], "the packets"]
    otherAccess: Annotated[Sequence[OtherAccess], "access that no stack manages"]


class ReviewedRole(TypedDict):
    """A role that a review is about."""

    email: Annotated[str, "the person's address"]
    stack: Annotated[str, "the stack"]
    project: Annotated[str | None, "the project's key, or null for the organization role"]


class ReviewItem(ReviewedRole):
    """A role in `review status`."""

    what: Annotated[str, "the project's key, or `the organization`"]
    role: Annotated[str, "the role"]
    suggestion: Annotated[str, "what is suggested"]
    decision: Annotated[str | None, "what was decided"]


class ChangedItem(ReviewedRole):
    """A role in `review status` that is no longer as it was listed, or that somebody must correct in the packet."""

    role: Annotated[str, "the role as it was listed"]
    decision: Annotated[str | None, "what was decided, which `review apply` does not apply; null if it is undecided"]
    why: Annotated[str, "what changed or is wrong, and what to do"]


class NewItem(ReviewedRole):
    """A role in `review status` that the review does not list yet."""

    engagement: Annotated[str | None, "the engagement's key"]
    role: Annotated[str, "the role that the roster gives"]
    why: Annotated[str, "why it is new"]


class StillThereItem(ReviewedRole):
    """Access in `review status` that an applied decision took out of the roster, and that is still there."""

    decision: Annotated[str, "what was decided"]
    state: Annotated[str, "the access in the stack's state, or empty"]
    mixpanel: Annotated[str, "the access in Mixpanel, or empty"]
    nextStep: Annotated[str, "what to do"]


class ReviewPacket(TypedDict):
    """A packet in `review status`."""

    reviewer: Annotated[str | None, "the reviewer, or null for what has none"]
    file: Annotated[Path, "the packet's file"]
    openForDays: Annotated[int | None, "for how many days it has been open"]
    undecided: Annotated[Sequence[ReviewItem], "the roles without a decision"]
    decided: Annotated[Sequence[ReviewItem], "the decisions that are not applied"]
    applied: Annotated[Sequence[ReviewItem], "the decisions that are applied"]
    changed: Annotated[Sequence[ChangedItem], "the roles that have changed since, or that somebody must correct here"]


class ReviewStatusDocument(TypedDict):
    """What `review status` prints as JSON."""

    review: Annotated[str, "the review's name"]
    folder: Annotated[Path, "its folder"]
    undecided: Annotated[int, "how many roles are undecided"]
    packets: Annotated[Sequence[ReviewPacket], "the packets"]
    new: Annotated[Sequence[NewItem], "the roles that the review does not list yet"]
    stillThere: Annotated[Sequence[StillThereItem], "the access that `pulumi up` must still take away"]
    open: Annotated[bool, "whether anything is left to do"]


def start(
    stack: Stacks = None,
    by: Annotated[
        str,
        typer.Option(
            "--reviewer-by",
            help="Who reviews an entry, by the roster: approver, manager or sponsor.",
            autocompletion=words("approver", "manager", "sponsor"),
        ),
    ] = "approver",
    to: Annotated[
        Path | None, typer.Option(help="The review's folder. Default: the quarter in reviews/, such as 2026-Q2.")
    ] = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Write a packet for each reviewer; decisions stay. Exit 1 for access without a reviewer or a roster entry.

    Example: `mixpanel-access review start --reviewer-by manager`
    """
    from mixpanel_access.model.similarity import unknown
    from mixpanel_access.operations.overview import load_overview
    from mixpanel_access.operations.project import open_project
    from mixpanel_access.operations.review.files import FOLDER, quarter
    from mixpanel_access.operations.review.listing import REVIEWERS
    from mixpanel_access.operations.review.starting import begin

    if by not in REVIEWERS:
        raise UsageError("cannot use --reviewer-by", subject=by, why=unknown(by, "choice", REVIEWERS))
    project = open_project(cwd, progress)
    with load_overview(project, stack or [], instant_of(now), progress) as overview:
        if warning := overview.logins.warning:
            progress(warning)
        target = to or project.pulumi.project / FOLDER / quarter(overview.today)
        begun = begin(overview, by, target.absolute(), project.stacks, progress)
        if as_json:
            packets = [record_of(StartedPacket, one.packet, file=one.file) for one in begun.packets]
            name, other = begun.folder.name, begun.other_access
            print_json(StartDocument(review=name, folder=begun.folder, packets=packets, otherAccess=other))
        else:
            _print_begun(begun)
            print_other_access(begun.other_access, overview.directory.projects())
    return 1 if begun.unassigned or begun.unmanaged else 0


def _print_begun(begun: Begun) -> None:
    from collections import Counter

    from mixpanel_access.operations.review.files import UNASSIGNED
    from mixpanel_access.rules.rule import Suggestion

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


def decide(
    email: Annotated[
        str, typer.Argument(help="The address of the person whose access it is.", autocompletion=addresses)
    ],
    decision: Annotated[
        str, typer.Argument(help="keep, lower=ROLE, remove, or clear for no decision.", autocompletion=decisions)
    ],
    reviewer: Annotated[
        str | None,
        typer.Option(
            help="The address of the person who decides. Default: the packet's reviewer.", autocompletion=addresses
        ),
    ] = None,
    stack: Annotated[
        str | None, typer.Option("--stack", "-s", help="The stack, if the person is in several.", autocompletion=stacks)
    ] = None,
    project: Annotated[str | None, typer.Option(help="The project's key, if the person has several roles.")] = None,
    organization: Annotated[bool, typer.Option("--organization", help="Decide on the organization role.")] = False,
    engagement: Annotated[
        str | None, typer.Option(help='The engagement, if the person has several; "" for the entry without one.')
    ] = None,
    starts: Annotated[
        str | None, typer.Option(help="The entry's first day (2026-01-31), if several follow each other.")
    ] = None,
    comment: Annotated[str | None, typer.Option(help="A comment for the evidence.")] = None,
    review: Review = None,
    now: ClockNow = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Record one decision in its packet, or clear it; nothing else changes until `review apply`.

    Example: `mixpanel-access review decide robin@agency.example.org keep`
    """
    from mixpanel_access.operations.review import deciding

    word, _, role = decision.partition("=")
    wish = deciding.Wish(
        email=email,
        decision=word.strip(),
        new_role=role.strip() or None,
        reviewer=reviewer,
        comment=comment,
        stack=stack,
        project=project,
        organization=organization,
        engagement=engagement,
        starts=starts,
    )
    item = deciding.decide(folder_of(cwd, review), wish, day_of(now))
    if as_json:
        print_json(item)
    else:
        next_step = "`mixpanel-access review apply` writes it into the roster"
        done = f"{item.outcome}, on {item.decided}. {next_step}." if item.decision else "undecided."
        typer.echo(f"{item}: {done}")
    return 0


def status(
    stack: Stacks = None, review: Review = None, now: Now = None, cwd: Folder = Path(), as_json: AsJson = False
) -> int:
    """Show what is open, by reviewer; exit 1 until all is decided, applied, and done by `pulumi up`.

    Example: `mixpanel-access review status`
    """
    from mixpanel_access.operations.overview import load_overview
    from mixpanel_access.operations.project import open_project
    from mixpanel_access.operations.review.progress import progress_of

    where = folder_of(cwd, review)
    project = open_project(cwd, progress)
    with load_overview(project, stack or [], instant_of(now), progress) as overview:
        found, today = progress_of(where, overview, stack or [], progress), overview.today
    if as_json:
        print_json(_status_document(found, where, today))
    else:
        _print_progress(found, where, today)
    return 1 if found.is_open else 0


def _status_document(found: ReviewProgress, where: Path, today: date) -> ReviewStatusDocument:
    return {
        "review": where.name,
        "folder": where,
        "undecided": found.undecided,
        "packets": [_progress(one, today) for one in found.packets],
        "new": [
            record_of(
                NewItem,
                one,
                stack=one.key.entry.stack,
                project=one.key.project,
                engagement=one.key.entry.engagement,
            )
            for one in found.new
        ],
        "stillThere": [
            record_of(
                StillThereItem,
                one,
                email=one.item.email,
                stack=one.item.stack,
                project=one.item.project,
                decision=one.item.outcome,
            )
            for one in found.still_there
        ],
        "open": found.is_open,
    }


def _print_progress(found: ReviewProgress, where: Path, today: date) -> None:
    from mixpanel_access.operations.review.files import UNASSIGNED

    table = new_table("reviewer", "undecided", "decided", "applied", "open for")
    for one in found.packets:
        days = _days(one.packet, today)
        counts = [str(len(part)) for part in (one.undecided, one.waiting, one.applied)]
        table.add_row(
            one.packet.reviewer or UNASSIGNED,
            *counts,
            counted(days, "day") if one.undecided and days is not None else "",
        )
    print_table(table)
    typer.echo("")
    for one in found.packets:
        why = {id(problem.item): f": {problem.why}" for problem in one.problems}
        for item in one.undecided:
            typer.echo(f"{one.file.name}: {item}{why.get(id(item), '')}")
        for item in (*one.waiting, *one.applied):
            if id(item) in why:
                typer.echo(f"{one.file.name}: {item}: {item.outcome} is not applied{why[id(item)]}")
    for new in found.new:
        typer.echo(f"new: {new}: {new.why}")
    for there in found.still_there:
        typer.echo(str(there))
    _print_what_is_open(found, where.name)


def _print_what_is_open(found: ReviewProgress, name: str) -> None:
    if found.undecided:
        typer.echo(f"{counted(found.undecided, 'role')} undecided in the review {name}.")
    if found.stale:
        typer.echo(f"{counted(found.stale, 'decision')} to make again, since the access has changed.")
    if found.wrong:
        typer.echo(f"{counted(found.wrong, 'role')} to correct in the packets.")
    if ready := sum(one.ready for one in found.packets):
        typer.echo(f"{counted(ready, 'decision')} to apply: mixpanel-access review apply")
    if found.new:
        typer.echo(f"{counted(len(found.new), 'role')} to list: mixpanel-access review start")
    if found.still_there:
        typer.echo(f"{counted(len(found.still_there), 'applied decision')} not done in Mixpanel yet.")
    if not found.is_open:
        typer.echo(f"The review {name} is done.")


def folder_of(folder: Path, review: Path | None) -> Path:
    """The folder of the named review, else of the newest.

    Raises:
        UsageError: there is none.
    """
    from mixpanel_access.operations.project import project_folder
    from mixpanel_access.operations.review.files import newest

    if review is None:
        return newest(project_folder(folder))
    if not review.is_dir():
        raise UsageError("cannot find the review", subject=str(review), next_step="Name the folder with its packets.")
    return review


def _progress(one: PacketProgress, today: date) -> ReviewPacket:
    return {
        "reviewer": one.packet.reviewer,
        "file": one.file,
        "openForDays": _days(one.packet, today) if one.undecided else None,
        "undecided": [_short(item) for item in one.undecided],
        "decided": [_short(item) for item in one.waiting],
        "applied": [_short(item) for item in one.applied],
        "changed": [record_of(ChangedItem, problem.item, why=problem.why) for problem in one.problems],
    }


def _short(item: Item) -> ReviewItem:
    from mixpanel_access.operations.review.packet import ORGANIZATION

    return record_of(ReviewItem, item, what=item.project or ORGANIZATION)


def _days(packet: Packet, today: date) -> int | None:
    return max(0, (today - date.fromisoformat(packet.made)).days) if packet.made else None
