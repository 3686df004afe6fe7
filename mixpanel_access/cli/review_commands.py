"""The commands of the access review."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access.cli.options import AsJson, Clock, Folder, Now, Stacks

review = typer.Typer(
    name="review", help="The access review, every quarter.", no_args_is_help=True, rich_markup_mode=None
)
Review = Annotated[
    Path | None, typer.Option("--review", help="The review's folder. Default: the newest in reviews/ of the project.")
]


@review.command("start", short_help="Write a packet for each reviewer.")
def review_start(
    stack: Stacks = None,
    by: Annotated[
        str, typer.Option("--reviewer-by", help="Whom to ask, by the roster: approver, manager or sponsor.")
    ] = "approver",
    to: Annotated[
        Path | None, typer.Option(help="The review's folder. Default: the quarter in reviews/, such as 2026-Q2.")
    ] = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a packet for each reviewer; what was decided stays; exit 1 for what has no reviewer or no roster gives."""
    from mixpanel_access.cli.review import start_review

    raise typer.Exit(start_review(cwd, stack or [], now, by, to, as_json=as_json))


@review.command("decide", short_help="Record one decision.")
def review_decide(
    email: Annotated[str, typer.Argument(help="Whose access it is.")],
    decision: Annotated[str, typer.Argument(help="keep, lower=ROLE or remove.")],
    reviewer: Annotated[
        str | None, typer.Option(help="The address of who decides. Default: whom the packet is for.")
    ] = None,
    stack: Annotated[str | None, typer.Option(help="The stack, where they are in several.")] = None,
    project: Annotated[str | None, typer.Option(help="The project's key, where they have several roles.")] = None,
    organization: Annotated[bool, typer.Option("--organization", help="It is about the organization role.")] = False,
    engagement: Annotated[
        str | None, typer.Option(help='The engagement, where they have several; "" for the entry without one.')
    ] = None,
    starts: Annotated[
        str | None, typer.Option(help="The entry's first day (2026-01-31), where several follow each other.")
    ] = None,
    comment: Annotated[str | None, typer.Option(help="What there is to say about it; for the evidence.")] = None,
    review: Review = None,
    now: Clock = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Record one decision in its packet; nothing else is touched until `review apply`."""
    from mixpanel_access.cli.review import decide_one
    from mixpanel_access.operations.review.deciding import Wish

    word, _, role = decision.partition("=")
    wish = Wish(
        email,
        word.strip(),
        role.strip() or None,
        reviewer,
        comment,
        stack,
        project,
        organization=organization,
        engagement=engagement,
        starts=starts,
    )
    raise typer.Exit(decide_one(cwd, review, wish, now, as_json=as_json))


@review.command("status", short_help="Show what is undecided.")
def review_status(
    stack: Stacks = None, review: Review = None, now: Clock = None, cwd: Folder = Path(), as_json: AsJson = False
) -> None:
    """Show what is undecided, by reviewer; exit 1 while there is any."""
    from mixpanel_access.cli.review import show_progress

    raise typer.Exit(show_progress(cwd, review, stack or [], now, as_json=as_json))


@review.command("apply", short_help="Bring decisions into the rosters.")
def review_apply(
    stack: Stacks = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write them; without it, they are only shown.")] = False,
    review: Review = None,
    now: Clock = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Bring decisions into rosters and evidence; exit 1 where some were only shown. `pulumi up` does the rest."""
    from mixpanel_access.cli.review_apply import apply_review

    raise typer.Exit(apply_review(cwd, review, stack or [], now, yes=yes, as_json=as_json))


@review.command("evidence", short_help="Write the evidence as a table.")
def review_evidence(
    form: Annotated[str, typer.Option("--format", help="csv, xlsx, markdown or json.")] = "csv",
    to: Annotated[Path | None, typer.Option(help="Where to; xlsx needs it. Default: standard output.")] = None,
    review: Review = None,
    cwd: Folder = Path(),
) -> None:
    """Write for auditors what was listed, and what was decided when, by whom and why; exit 1 when it was touched."""
    from mixpanel_access.cli.review_apply import export_evidence

    raise typer.Exit(export_evidence(cwd, review, form, to))


@review.command("verify", short_help="Check that no evidence was touched.")
def review_verify(review: Review = None, cwd: Folder = Path(), as_json: AsJson = False) -> None:
    """Check that no line of the evidence was changed, taken out or put in; exit 1 when one was."""
    from mixpanel_access.cli.review_apply import verify_evidence

    raise typer.Exit(verify_evidence(cwd, review, as_json=as_json))
