"""`mixpanel-access review apply`, `evidence` and `verify`: write what was decided into the rosters, and prove it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import FORMATS, AsJson, AsJsonFormat, Folder, Format, Now, SelectedStack, To
from mixpanel_access.cli.output import (
    instant_of,
    must_be_format,
    print_diff,
    print_json,
    print_or_write,
    print_verified,
    progress,
    record_of,
)
from mixpanel_access.cli.review import Review, ReviewedRole, folder_of
from mixpanel_access.model.address import few
from mixpanel_access.model.errors import ConfigurationError, EngineError, MixpanelError, Refused, UsageError
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.operations.project import PulumiProject
    from mixpanel_access.operations.review.applying import ReviewPlan, RosterChange
    from mixpanel_access.operations.review.decisions import ReviewedItem
    from mixpanel_access.operations.review.packet import ReviewLine
    from mixpanel_access.operations.review.record import ReviewRecord


class ApplyDecision(TypedDict):
    """A decision that is applied."""

    email: Annotated[str, "the person's address"]
    project: Annotated[str | None, "the project's key, or null for the organization role"]
    engagement: Annotated[str | None, "the engagement's key"]
    decision: Annotated[str, "`keep`, `lower` or `remove`"]
    newRole: Annotated[str | None, "the role to lower to"]
    reviewer: Annotated[str, "who decided"]
    decided: Annotated[str, "the day of the decision"]


class StaleItem(ReviewedRole):
    """A decision in `review apply` that does not hold for what stands in the roster now."""

    engagement: Annotated[str | None, "the engagement's key"]
    decision: Annotated[str, "what was decided"]
    packet: Annotated[Path, "the packet's file"]
    line: Annotated[int, "the line of the item there"]
    why: Annotated[str, "what changed, and what to do"]


class ApplyRoster(TypedDict):
    """A roster in `review apply`."""

    stack: Annotated[str, "the stack"]
    roster: Annotated[Path, "the roster's file"]
    changed: Annotated[bool, "whether its text changes"]
    meaning: Annotated[Sequence[str], "what changes, and for which person"]
    notes: Annotated[Sequence[str], "what else to know"]
    decisions: Annotated[Sequence[ApplyDecision], "the decisions"]


class ApplyDocument(TypedDict):
    """What `review apply` prints as JSON."""

    review: Annotated[str, "the review's name"]
    undecided: Annotated[int, "how many roles are undecided"]
    appliedBefore: Annotated[int, "how many decisions were applied before"]
    rosters: Annotated[Sequence[ApplyRoster], "the rosters that change"]
    stale: Annotated[Sequence[StaleItem], "the decisions that are not applied, since the access has changed"]
    warnings: Annotated[Sequence[str], "what to know before `pulumi up`: how many owners would be left"]
    written: Annotated[bool, "whether they were written"]


def apply(
    stack: SelectedStack = "",
    yes: Annotated[bool, typer.Option("--yes", help="Write them. Without it: show what would change.")] = False,
    review: Review = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Write decisions into a roster and the evidence; exit 1 if some were only shown or no longer hold.

    `pulumi up` does the rest. A decision on access that has changed since it was listed is not applied. Decisions that
    would together leave the organization without an owner are refused, and with one are warned about.

    Example: `mixpanel-access review apply --stack production --yes`
    """
    from mixpanel_access.operations.project import open_project, stack_to_change
    from mixpanel_access.operations.review.applying import carry_out, plan

    where = folder_of(cwd, review)
    project = open_project(cwd, progress)
    name = stack_to_change(project, stack)
    when = instant_of(now) or project.settings(name).clock()
    made = plan(where, project.roster, [name], when, progress)
    warning = _warning(made, project, name, yes=yes)
    if warning:
        progress(f"warning: {warning}")
    if not as_json:
        for one in made.rosters:
            _print(one)
        for stale in made.stale:
            typer.echo(str(stale))
    if yes:
        carry_out(made)
    if as_json:
        print_json(_document(made, warning, written=yes))
    else:
        typer.echo(_outcome(made, written=yes))
    return 1 if made.stale or (made.rosters and not yes) else 0


def _warning(made: ReviewPlan, project: PulumiProject, stack: str, *, yes: bool) -> str:
    """What to know of the owners that remain; "" if that is nothing.

    Raises:
        Refused: no owner would remain, and it was to be written.
    """
    from mixpanel_access.directory import connected
    from mixpanel_access.operations.review.owners import UNREAD

    if not made.takes_membership:
        return ""
    try:
        with connected(project.settings(stack)) as directory:
            left = made.owners_left(directory.people(), directory.key_of)
    except (ConfigurationError, EngineError, MixpanelError) as error:
        return f"{UNREAD}: {error}"
    if left.nobody and yes:
        step = "Decide `keep` on one of them, or make somebody else an owner before."
        raise Refused("cannot apply the decisions", why=f"{left}, without {few(left.going)}", next_step=step)
    return left.warning


def _print(one: RosterChange) -> None:
    typer.echo(f"stack {one.stack}:")
    for line in one.meaning or ["nobody's access changes today: what is written counts on other days only"]:
        typer.echo(f"  {line}")
    for note in one.notes:
        typer.echo(f"- {note}")
    typer.echo("")
    print_diff(one.before, one.after, one.file.name)
    typer.echo("")


def _outcome(made: ReviewPlan, *, written: bool) -> str:
    new = sum(len(one.lines) for one in made.rosters)
    left = f" {counted(len(made.stale), 'decision')} not applied, since the access has changed." if made.stale else ""
    left += f" {counted(made.undecided, 'role')} undecided." if made.undecided else ""
    if not made.rosters:
        before = f" {counted(made.applied, 'decision')} applied before." if made.applied else ""
        return f"Nothing to apply.{before}{left}"
    if not written:
        return f"Nothing was written. Add --yes to write {counted(new, 'decision')}.{left}"
    kept = all(line.decision == "keep" for one in made.rosters for line in one.lines)
    does = "stores the day of the review" if kept else "lowers or removes the access"
    ups = ", ".join(f"`pulumi up --stack {one.stack}`" for one in made.rosters)
    return f"Applied {counted(new, 'decision')}. Commit the roster and the review's folder; {ups} {does}.{left}"


def _document(made: ReviewPlan, warning: str, *, written: bool) -> ApplyDocument:
    return {
        "review": made.folder.name,
        "undecided": made.undecided,
        "appliedBefore": made.applied,
        "rosters": [
            record_of(
                ApplyRoster,
                one,
                roster=one.file,
                changed=one.before != one.after,
                decisions=[_decision(line) for line in one.lines],
            )
            for one in made.rosters
        ],
        "stale": [_stale(one) for one in made.stale],
        "warnings": [warning] if warning else [],
        "written": written and bool(made.rosters),
    }


def _stale(one: ReviewedItem) -> StaleItem:
    values = {"packet": one.packet_file.file, "line": one.line, "why": one.why}
    return record_of(StaleItem, one.item, decision=one.item.outcome, **values)


def _decision(line: ReviewLine) -> ApplyDecision:
    """A decision as JSON, which has null where the table of the evidence has an empty cell."""
    project, engagement, new_role = line.project or None, line.engagement or None, line.new_role or None
    return record_of(ApplyDecision, line, project=project, engagement=engagement, newRole=new_role)


def evidence(
    format_: Format = "csv",
    to: To = None,
    review: Review = None,
    cwd: Folder = Path(),
    as_json: AsJsonFormat = False,
) -> int:
    """Write the review's evidence for auditors: what was listed, who decided what, when and why.

    Example: `mixpanel-access review evidence --format xlsx --to evidence.xlsx`
    """
    from mixpanel_access.operations.review.packet import ReviewLine

    format_ = "json" if as_json else format_
    must_be_format(format_, to, FORMATS)
    _, record = _evidence(folder_of(cwd, review), progress)
    print_or_write(record.counted, ReviewLine, format_, to)
    return 0


def verify(review: Review = None, cwd: Folder = Path(), as_json: AsJson = False) -> int:
    """Check that each decision in the evidence was listed before, and that the packets agree; exit 1 when not.

    Example: `mixpanel-access review verify`
    """
    from mixpanel_access.files.lines import Verified
    from mixpanel_access.operations.review.deciding import decided_anew
    from mixpanel_access.operations.review.deciding import verify as problems_of

    cut: list[str] = []
    folder = folder_of(cwd, review)
    file, record = _evidence(folder, cut.append)
    found = Verified(len(record.lines), "".join(cut), list(problems_of(folder, record)))
    good = "each decision follows its listing, and the packets agree"
    if anew := decided_anew(folder, record):
        good += f"; {counted(len(anew), 'new decision')} on them {'is' if len(anew) == 1 else 'are'} not applied yet"
    next_step = "take the review's folder back from version control, or apply the packets again"
    if record.contradicted:
        again = "`mixpanel-access review start` lists again what two branches decided differently"
        only = len(found.problems) == len(record.contradicted)
        next_step = again if only else f"{again}; for the rest, {next_step}"
    return print_verified(found, file, good, next_step, as_json=as_json)


def _evidence(review: Path, say: Callable[[str], None]) -> tuple[Path, ReviewRecord]:
    from mixpanel_access.operations.review.packet import evidence_file
    from mixpanel_access.operations.review.record import read_record

    file = evidence_file(review)
    if not file.is_file():
        raise UsageError(
            "cannot find the review's evidence",
            subject=str(file),
            next_step="Start a review: mixpanel-access review start",
        )
    return file, read_record(review, say)
