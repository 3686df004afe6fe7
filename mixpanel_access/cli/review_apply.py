"""`mixpanel-access review apply`, `evidence` and `verify`: show and write what was decided, and prove it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path

import typer

from mixpanel_access.cli.output import instant_of, progress
from mixpanel_access.cli.review import folder_of
from mixpanel_access.cli.tables import must_be_form, print_or_write, print_verified
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.words import counted
from mixpanel_access.operations import chain
from mixpanel_access.operations.project import project_folder, roster_file
from mixpanel_access.operations.review.applying import ReviewPlan, RosterChange, carry_out, plan
from mixpanel_access.operations.review.evidence import EvidenceLine, file_of


def apply_review(
    folder: Path, review: Path | None, stacks: list[str], now: str | None, *, yes: bool, as_json: bool
) -> int:
    """Show and, with a yes, write; 1 where something is to be written and was not, else 0."""
    project, when = project_folder(folder), instant_of(now) or datetime.now(UTC)
    made = plan(folder_of(folder, review), lambda stack: roster_file(project, stack), stacks, when, progress)
    if not as_json:
        for one in made.rosters:
            _print(one)
    if yes:
        carry_out(made)
    if as_json:
        typer.echo(json.dumps(_document(made, written=yes), indent=2))
    else:
        typer.echo(_outcome(made, written=yes))
    return 1 if made.rosters and not yes else 0


def _print(one: RosterChange) -> None:
    typer.echo(f"stack {one.stack}:")
    for line in one.meaning or ["nothing changes"]:
        typer.echo(f"  {line}")
    for note in one.notes:
        typer.echo(f"- {note}")
    typer.echo("")
    before, after = (text.splitlines(keepends=True) for text in (one.before, one.after))
    for line in unified_diff(before, after, one.file.name, one.file.name, n=1):
        typer.echo(line.rstrip("\r\n"))
    typer.echo("")


def _outcome(made: ReviewPlan, *, written: bool) -> str:
    new = sum(len(one.lines) for one in made.rosters)
    left = f" {counted(made.undecided, 'role')} undecided." if made.undecided else ""
    if not made.rosters:
        return f"Nothing to apply; {counted(made.applied, 'decision')} applied already.{left}"
    if not written:
        return f"Nothing was written. With --yes, {counted(new, 'decision')} would be.{left}"
    ups = ", ".join(f"`pulumi up --stack {one.stack}`" for one in made.rosters)
    return f"Applied {counted(new, 'decision')}. Commit that; {ups} brings about what was lowered or removed.{left}"


def _document(made: ReviewPlan, *, written: bool) -> dict[str, object]:
    return {
        "review": made.folder.name,
        "undecided": made.undecided,
        "appliedBefore": made.applied,
        "rosters": [
            {
                "stack": one.stack,
                "roster": str(one.file),
                "changed": one.before != one.after,
                "meaning": list(one.meaning),
                "notes": list(one.notes),
                "decisions": [
                    {
                        "email": line.email,
                        "project": line.project or None,
                        "engagement": line.engagement or None,
                        "decision": line.decision,
                        "newRole": line.new_role or None,
                        "reviewer": line.reviewer,
                        "decided": line.decided,
                    }
                    for line in one.lines
                ],
            }
            for one in made.rosters
        ],
        "written": written and bool(made.rosters),
    }


def export_evidence(folder: Path, review: Path | None, form: str, to: Path | None) -> int:
    """Check and write."""
    must_be_form(form, to)
    _, lines = _verified(folder, review, progress)
    print_or_write(lines, EvidenceLine, form, to)
    return 0


def verify_evidence(folder: Path, review: Path | None, *, as_json: bool) -> int:
    """Check and print; 1 where the last line was cut. Evidence that was touched is an error with exit code 1 too."""
    cut: list[str] = []
    file, lines = _verified(folder, review, cut.append)
    print_verified(lines, file, cut, as_json=as_json)
    return 1 if cut else 0


def _verified(folder: Path, review: Path | None, say: chain.Say) -> tuple[Path, list[EvidenceLine]]:
    file = file_of(folder_of(folder, review))
    if not file.is_file():
        raise UsageError(
            "cannot find the evidence", whom=str(file), next_step="Begin a review: mixpanel-access review start"
        )
    lines = chain.read(file, EvidenceLine, say)
    chain.verify(lines, file)
    return file, lines
