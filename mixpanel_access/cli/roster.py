"""`mixpanel-access roster`, `schema` and `copy-rosters`: the rosters as files, without the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now
from mixpanel_access.cli.output import day_of, new_table, print_json, print_table, printable, progress
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.model.effective_access import EffectivePerson
    from mixpanel_access.model.roster.schema import Roster

REFUSED: Final = 4
"""The exit code of `copy-rosters` where the branch changes more than rosters."""
_SHOWN: Final = 20


def roster(
    file: Annotated[Path, typer.Argument(help="The roster's file.")],
    now: Now = None,
    as_json: AsJson = False,
) -> int:
    """Check a roster without the engine, and show who gets which access from it.

    Example: `mixpanel-access roster stacks/production.yaml`
    """
    from mixpanel_access.files.roster import read_other_rosters, read_roster
    from mixpanel_access.model.effective_access import effective_access, overlaps

    found, today = read_roster(file), day_of(now)
    others = read_other_rosters(file)
    if others.error:
        raise others.error
    for words in others.warnings:
        progress(f"warning: {words}")
    if as_json:
        document = found.document()
        document.pop("include", None)  # the document contains what the included files say
        print_json(document)
        return 0
    people = effective_access(found, today)
    _print(found, people)
    for person in people:
        for words in overlaps(person):
            typer.echo(words)
    absent = len({person.key for person in found.people} - {person.key for person in people})
    have = "has" if len(people) == 1 else "have"
    here = counted(len(people), "person", "people")
    rest = f" {absent} more only on other days." if absent else ""
    typer.echo(f"{here} of {file.name} {have} access on {today}.{rest}")
    return 0


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
