"""`mixpanel-access review start`, `decide` and `status`: ask the reviewers, and show how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import (
    AsJson,
    ClockNow,
    Folder,
    Now,
    Stacks,
    addresses,
    decisions,
    read_overview,
    stacks,
    words,
)
from mixpanel_access.cli.output import (
    day_of,
    print_json,
    progress,
    record_of,
)
from mixpanel_access.cli.review_shown import days_open, print_begun, print_progress
from mixpanel_access.model.errors import ConfigurationError, EngineError, MixpanelError, UsageError

if TYPE_CHECKING:
    from mixpanel_access.model.access import OtherAccess
    from mixpanel_access.operations.review.packet import Item, Unmanaged
    from mixpanel_access.operations.review.progress import PacketProgress, ReviewProgress, StillThere

_All = Annotated[bool, typer.Option("--all", help="Show everybody, and every role with its reason.")]
Review = Annotated[
    Path | None, typer.Option("--review", help="The review's folder. Default: the newest in reviews/ of the project.")
]

_Email = Annotated[str, typer.Argument(help="The address of the person whose access it is.", autocompletion=addresses)]
_Decision = Annotated[
    str, typer.Argument(help="keep, lower=ROLE, remove, or clear for no decision.", autocompletion=decisions)
]
_Decider = Annotated[
    str | None,
    typer.Option(
        help="The address of the person who decides. Default: the packet's reviewer.", autocompletion=addresses
    ),
]
_OneStack = Annotated[
    str | None, typer.Option("--stack", "-s", help="The stack, if the person is in several.", autocompletion=stacks)
]
_Engagement = Annotated[
    str | None, typer.Option(help='The engagement, if the person has several; "" for the entry without one.')
]
_Starts = Annotated[str | None, typer.Option(help="The entry's first day (2026-01-31), if several follow each other.")]


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
    """A role in `review status`, decided or not, that has changed, or that somebody must correct in the packet."""

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
    unknown: Annotated[str, "why the states and Mixpanel could not be read, or empty"]
    open: Annotated[bool, "whether anything is left to do, as far as we know"]


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
    everybody: _All = False,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Write a packet for each reviewer; decisions stay. Exit 1 for access without a reviewer or a roster entry.

    Example: `mixpanel-access review start --reviewer-by manager`
    """
    from mixpanel_access.model.similarity import unknown
    from mixpanel_access.operations.project import open_project
    from mixpanel_access.operations.review.files import FOLDER, quarter
    from mixpanel_access.operations.review.listing import REVIEWERS
    from mixpanel_access.operations.review.starting import begin

    if by not in REVIEWERS:
        raise UsageError("cannot use --reviewer-by", subject=by, why=unknown(by, "choice", REVIEWERS))
    project = open_project(cwd, progress)
    with read_overview(project, stack, now) as overview:
        if warning := overview.logins.warning:
            progress(warning)
        target = to or project.pulumi.project / FOLDER / quarter(overview.today)
        begun = begin(overview, by, target.absolute(), project.stacks, progress)
        if as_json:
            packets = [record_of(StartedPacket, one.packet, file=one.file) for one in begun.packets]
            name, other = begun.folder.name, begun.other_access
            print_json(StartDocument(review=name, folder=begun.folder, packets=packets, otherAccess=other))
        else:
            print_begun(begun, overview.directory.projects(), everybody=everybody)
    return 1 if begun.unassigned or begun.unmanaged else 0


def decide(
    email: _Email,
    decision: _Decision,
    reviewer: _Decider = None,
    stack: _OneStack = None,
    project: Annotated[str | None, typer.Option(help="The project's key, if the person has several roles.")] = None,
    organization: Annotated[bool, typer.Option("--organization", help="Decide on the organization role.")] = False,
    engagement: _Engagement = None,
    starts: _Starts = None,
    comment: Annotated[str | None, typer.Option(help="A comment for the evidence.")] = None,
    review: Review = None,
    now: ClockNow = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Record one decision in its packet, or clear it; nothing else changes until `review apply`.

    If it was to replace an applied decision, `clear` puts that one back.

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
    try:
        item = deciding.decide(folder_of(cwd, review), wish, day_of(now))
    except deciding.SeveralRoles as error:
        for choice in error.choices:
            progress(choice)
        raise
    if as_json:
        print_json(item)
    else:
        next_step = f"`mixpanel-access review apply --stack {item.stack}` writes it into the roster"
        done = f"{item.outcome}, on {item.decided}. {next_step}." if item.decision else "undecided."
        if item.decision and wish.decision == deciding.CLEAR:
            done = f"{item.outcome} again, as it was applied on {item.decided}."
        typer.echo(f"{item}: {done}")
    return 0


def status(
    stack: Stacks = None,
    review: Review = None,
    everybody: _All = False,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Show what is open, by reviewer and person; exit 1 until all is decided, applied, and done by `pulumi up`.

    Without credentials, it compares with the rosters alone, and also ends with 1.

    Example: `mixpanel-access review status`
    """
    from mixpanel_access.operations.project import project_folder, roster_file
    from mixpanel_access.operations.review.progress import progress_by_files, progress_of

    where, stacks_ = folder_of(cwd, review), stack or []
    try:
        with read_overview(cwd, stack, now) as overview:
            found, today = progress_of(where, overview, stacks_, progress), overview.today
    except (ConfigurationError, EngineError, MixpanelError) as error:
        today, roster_of = day_of(now), partial(roster_file, project_folder(cwd))
        found = progress_by_files(where, roster_of, stacks_, today, str(error))
    if as_json:
        print_json(_status_document(found, where, today))
    else:
        print_progress(found, where, today, everybody=everybody)
    return 1 if found.is_open else 0


def _status_document(found: ReviewProgress, where: Path, today: date) -> ReviewStatusDocument:
    return record_of(
        ReviewStatusDocument,
        found,
        review=where.name,
        folder=where,
        undecided=sum(len(one.undecided) for one in found.packets),
        packets=[_progress(one, today) for one in found.packets],
        new=[record_of(NewItem, one) for one in found.new],
        stillThere=[_still_there(one) for one in found.still_there],
        open=found.is_open,
    )


def _still_there(one: StillThere) -> StillThereItem:
    values = {"state": one.state, "mixpanel": one.mixpanel, "nextStep": one.next_step}
    return record_of(StillThereItem, one.item, decision=one.item.outcome, **values)


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


def _progress(part: PacketProgress, today: date) -> ReviewPacket:
    return {
        "reviewer": part.packet_file.packet.reviewer,
        "file": part.packet_file.file,
        "openForDays": days_open(part, today),
        "undecided": [_short(one.item) for one in part.undecided],
        "decided": [_short(one.item) for one in part.waiting],
        "applied": [_short(one.item) for one in part.applied],
        "changed": [record_of(ChangedItem, one.item, why=one.why) for one in part.items if one.why],
    }


def _short(item: Item) -> ReviewItem:
    from mixpanel_access.operations.review.packet import ORGANIZATION

    return record_of(ReviewItem, item, what=item.project or ORGANIZATION)
