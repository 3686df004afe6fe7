"""`mixpanel-access doctor --writes` and `--undo`: try every write on a throw-away address, report, and undo it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypedDict

import typer

from mixpanel_access.cli.output import new_table, print_json, print_table, progress, write_file
from mixpanel_access.model.errors import Refused, UsageError
from mixpanel_access.model.settings import Settings
from mixpanel_access.model.similarity import counted
from mixpanel_access.operations.project import PulumiProject, open_project, stacks_of
from mixpanel_access.operations.verifying.deciding import StatementVerdict
from mixpanel_access.operations.verifying.statements import as_text
from mixpanel_access.operations.verifying.verify import (
    Means,
    WritesReport,
    finish,
    make_plan,
    must_not_be_production,
    walk_through,
)

REPORT: Final = Path("mixpanel-report.json")
"""The report's file, unless another is named."""
_ITS_OPTIONS: Final = "--project, --yes-write-to, --teams, --accounts and --to"


@dataclass(frozen=True)
class WritesOptions:
    """The options of `--writes` and `--undo`.

    Attributes:
        email: the throw-away address.
        project: the id of the project.
        organization: the id of the organization from --yes-write-to; None to ask for it.
        parts: what to try besides people.
        to: the report's file.
    """

    email: str
    project: int | None
    organization: int | None
    parts: frozenset[str]
    to: Path | None


NOTHING: Final = WritesOptions(email="", project=None, organization=None, parts=frozenset(), to=None)


class UndoDocument(TypedDict):
    """What `doctor --undo` prints as JSON."""

    left: Annotated[Sequence[str], "what is still to be undone by hand"]


def run_writes(folder: Path, stacks: list[str], wish: WritesOptions, *, as_json: bool) -> int:
    """Show what will be sent, send it, undo it, and report; 1 if anything is left or cannot be compared, else 0."""
    if not wish.email:
        raise _unusable("its options need a throw-away address", "Add --writes EMAIL.")
    if wish.project is None:
        raise _unusable("--writes needs a project to give roles in", "Add --project ID of one that is not production.")
    if wish.organization is None and not sys.stdin.isatty():
        why = "there is no terminal to type the organization's id in"
        raise _unusable(why, "Add --yes-write-to ORGANIZATION_ID.")
    project = open_project(folder, progress)
    stack, settings = _organization(project, stacks, wish.organization)
    must_not_be_production(project.roster(stack).parent, wish.project)
    plan = make_plan(settings, wish.email, wish.project, wish.parts)
    typer.echo(f"On {settings.api_url}, organization {settings.organization_id}:", err=as_json)
    for line in plan.lines():
        typer.echo(line, err=as_json)
    if wish.organization is None:
        typed = typer.prompt("To send this, type the organization's id", err=as_json).strip()
        if typed != str(settings.organization_id):
            why = f"{typed} is not the organization's id; nothing was written"
            raise Refused("cannot try the writes", why=why, next_step="Check --stack, and run again.")
    report = walk_through(plan, Means(progress))
    text = as_text(report.document)
    to = wish.to or REPORT
    write_file(to, text.encode(), "the report", "Give another --to.")
    if as_json:
        typer.echo(text, nl=False)
    else:
        _print(report)
    progress(
        f"Wrote {to}: it has no address, name, id or token. `mixpanel-access emulator --dialect {to}` answers like it."
    )
    for line in report.evidence.elsewhere:
        progress(f"changed meanwhile, but not by this run: {line}")
    for name in report.evidence.unproven:
        progress(f"not compared, because it could not be read: {name}")
    return _end(report.evidence.left, proven=not report.evidence.unproven)


def run_undo(folder: Path, stacks: list[str], wish: WritesOptions, *, as_json: bool) -> int:
    """Undo what a stopped run has left; 1 if anything is still left, else 0."""
    if wish != NOTHING:
        raise UsageError(
            "cannot undo",
            why=f"--undo writes nothing new, and takes neither --writes nor {_ITS_OPTIONS}",
            next_step="Run `mixpanel-access doctor --undo` first, then --writes again.",
        )
    project = open_project(folder, progress)
    all_left: list[str] = []
    done: set[tuple[str, int]] = set()
    for stack in stacks_of(project, stacks):
        settings = project.settings(stack)
        if (settings.api_url, settings.organization_id) in done:
            continue
        done.add((settings.api_url, settings.organization_id))
        left = finish(settings, Means(progress))
        if left is None:
            progress(f"Organization {settings.organization_id}: there is nothing to undo.")
        else:
            _end(left, proven=True)
            all_left += left
    if as_json:
        print_json(UndoDocument(left=all_left))
    return 1 if all_left else 0


def _organization(project: PulumiProject, stacks: list[str], organization: int | None) -> tuple[str, Settings]:
    """The stack of the organization to write to, and its settings."""
    found: dict[tuple[object, ...], tuple[str, Settings]] = {}
    for stack in stacks_of(project, stacks):
        settings = project.settings(stack)
        if organization in (None, settings.organization_id):
            found.setdefault((settings.api_url, settings.organization_id, settings.username), (stack, settings))
    if not found:
        why = f"no stack belongs to organization {organization}; nothing was written"
        raise Refused("cannot try the writes", why=why, next_step="Check --yes-write-to and --stack.")
    if len(found) > 1:
        names = ", ".join(stack for stack, _ in found.values())
        raise _unusable(f"{names} are of several organizations or accounts", "Name one with --stack.")
    return next(iter(found.values()))


def _unusable(why: str, next_step: str) -> UsageError:
    return UsageError("cannot try the writes", why=why, next_step=next_step)


def _print(report: WritesReport) -> None:
    table = new_table("section", "statement", "verdict", "came")
    for statement, outcome in report.found:
        table.add_row(str(statement.section), statement.text, outcome.verdict.value, outcome.came)
    print_table(table)
    counts = [
        f"{sum(outcome.verdict is verdict for _, outcome in report.found)} {verdict.value}"
        for verdict in StatementVerdict
    ]
    typer.echo(f"\n{counted(len(report.found), 'statement')}: {', '.join(counts)}.")


def _end(left: list[str], *, proven: bool) -> int:
    for line in left:
        progress(f"left, to be done by hand: {line}")
    if left:
        progress("`mixpanel-access doctor --undo` tries again.")
    if not left and proven:
        progress("The organization is as it was before.")
    return 0 if not left and proven else 1
