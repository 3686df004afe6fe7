"""`mixpanel-access roster`, `schema` and `copy-rosters`: the rosters as files, without the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now
from mixpanel_access.cli.output import day_of, new_table, print_json, print_table, printable, progress
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from datetime import date

    from mixpanel_access.model.effective_access import EffectivePerson
    from mixpanel_access.model.roster.schema import Roster

REFUSED: Final = 4
"""The exit code of `copy-rosters` where the branch changes more than rosters."""
_SHOWN: Final = 20


def roster(
    files: Annotated[list[Path], typer.Argument(help="The roster's file; to check several, their files or folders.")],
    now: Now = None,
    as_json: AsJson = False,
) -> int:
    """Check a roster without the engine, and show who gets which access from it; for several files, show one line each.

    Example: `mixpanel-access roster stacks/production.yaml`
    """
    from mixpanel_access.files.roster import rosters_in
    from mixpanel_access.model.errors import AccessError, UsageError

    if len(files) == 1 and not files[0].is_dir():
        _show(files[0], day_of(now), as_json=as_json)
        return 0
    if as_json:
        raise UsageError("cannot print several rosters", why="--json is for one", next_step="Name one roster.")
    found = [file for path in files for file in (rosters_in(path) if path.is_dir() else [path])]
    if not found:
        step = "Name a roster, or the folder that has them."
        raise UsageError("cannot check rosters", subject=str(files[0]), why="no file in it is a roster", next_step=step)
    failed = False
    for file in found:
        try:
            _show(file, day_of(now), brief=True)
        except AccessError as error:
            progress(f"error: {error}")
            failed = True
    return 2 if failed else 0


def _show(file: Path, today: date, *, as_json: bool = False, brief: bool = False) -> None:
    """Check one roster, and show it.

    Raises:
        AccessError: it cannot be used, or another roster of its folder excludes it.
    """
    from mixpanel_access.files.roster import read_other_rosters, read_roster
    from mixpanel_access.model.effective_access import effective_access, overlaps

    found = read_roster(file)
    others = read_other_rosters(file)
    if others.error:
        raise others.error
    for words in others.warnings:
        progress(f"warning: {words}")
    if as_json:
        document = found.document()
        document.pop("include", None)  # the document contains what the included files say
        print_json(document)
        return
    people = effective_access(found, today)
    if not brief:
        _print(found, people)
        for person in people:
            for words in overlaps(person):
                typer.echo(words)
    absent = len({person.key for person in found.people} - {person.key for person in people})
    have = "has" if len(people) == 1 else "have"
    here = counted(len(people), "person", "people")
    rest = f" {absent} more only on other days." if absent else ""
    typer.echo(f"{here} of {file if brief else file.name} {have} access on {today}.{rest}")


def _print(found: Roster, people: list[EffectivePerson]) -> None:
    table = new_table("who", "organization role", "projects", "engagement", "until")
    for person in people:
        for part in person.by_entry():  # a role stands with the end of the entry that gives it
            roles = [f"{key} {role}" for key, role in part.projects.items()]
            projects = ", ".join([*roles, *(f"team {key}" for key in part.teams)])
            speaks = part.entry is person.entry and part.ends == part.entry.ends
            own = person.organization_role if speaks else None
            ends = str(part.ends) if part.ends else ""
            table.add_row(person.email, own or "", projects, part.entry.engagement or "", ends)
    for key, team in found.teams.items():
        projects = ", ".join(f"{project} {role or 'standard'}" for project, role in team.projects.items())
        table.add_row(f"{team.name} (team {key})", "", projects, team.standard or "", team.ends or "")
    for name, account in found.own_accounts.items():
        projects = ", ".join(f"{key} {role}" for key, role in account.projects.items())
        table.add_row(f"{name} (service account)", account.role or "", projects, "", account.expires or "")
    for key, role in found.custom_roles.items():
        table.add_row(f"{key} (custom role)", "", f"{role.project}: {', '.join(role.permissions)}", "", "")
    if table.row_count:
        print_table(table)


def schema(
    common: Annotated[bool, typer.Option("--common", help="Of a file that rosters include.")] = False,
) -> int:
    """Print the JSON schema of a roster, for editors.

    Example: `mixpanel-access schema`
    """
    from mixpanel_access.model.roster.json_schema import json_schema
    from mixpanel_access.model.roster.schema import Common, Roster

    print_json(json_schema(Common if common else Roster))
    return 0


def copy_rosters(
    commit: Annotated[str, typer.Argument(help="The branch's commit, by its full id; it must be in this clone.")],
    cwd: Folder = Path(),
) -> int:
    """Copy the rosters of an unreviewed branch into a checkout of reviewed code, for a preview in CI.

    The program, the policies and the configuration stay those of the checkout. Exit 4, and nothing is copied, when the
    branch changes anything else.

    Example: `mixpanel-access copy-rosters "$COMMIT"`
    """
    from mixpanel_access.operations import branch_rosters

    found = branch_rosters.copy_rosters(cwd, commit)
    for path in found.copied:
        typer.echo(f"copied {printable(path)}")
    if not found.refused:
        typer.echo(f"{len(found.copied)} files of the branch are in this checkout; everything else is its own.")
        return 0
    typer.echo("Nothing was copied, because the branch changes more than rosters:")
    for path, why in list(found.refused.items())[:_SHOWN]:
        typer.echo(f"- {_line(path)} {why}")
    if len(found.refused) > _SHOWN:
        typer.echo(f"- and {len(found.refused) - _SHOWN} more")
    typer.echo("Put the rosters into a branch of their own. Have the rest reviewed, and preview it by hand.")
    return REFUSED


def _line(path: str) -> str:
    return printable(path).replace("\n", "\\x0a")
