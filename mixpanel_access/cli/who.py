"""`mixpanel-access who`: show who can reach a project, or what a person can reach, and through which grant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks, addresses, read_overview
from mixpanel_access.cli.output import (
    must_be_address,
    new_table,
    print_json,
    print_other_access,
    print_table,
    record_of,
)
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import counted, in_words

if TYPE_CHECKING:
    from mixpanel_access.model.access import GrantType, OtherAccess
    from mixpanel_access.operations.overview import Overview
    from mixpanel_access.operations.who import PersonGrant


class WhoRow(TypedDict):
    """What `who` prints of a grant as JSON; of access that no stack manages, only `otherAccess` has a value."""

    email: Annotated[str | None, "the person"]
    invited: Annotated[bool | None, "whether the person has not accepted the invitation"]
    project: Annotated[int | None, "the project's id"]
    name: Annotated[str | None, "the project's name"]
    role: Annotated[str | None, "the role that this grant gives"]
    grantType: Annotated[GrantType | None, "the type of the grant"]
    team: Annotated[str | None, "the team's name, for a grant through one"]
    stack: Annotated[str | None, "the stack that manages the grant"]
    why: Annotated[
        Mapping[str, str] | None,
        "metadata of the stack's resource, such as the ticket; only what has a value",
    ]
    otherAccess: Annotated[OtherAccess | None, "access that no stack manages"]


def who(
    email: Annotated[str, typer.Argument(help="Show what this person can reach.", autocompletion=addresses)] = "",
    project: Annotated[str, typer.Option(help="Show who can reach this project: its id, name, or short key.")] = "",
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Show who can reach a project, or what a person can reach: each grant with its type, and the reason for it.

    Example: `mixpanel-access who --project shop`
    """
    if bool(email) == bool(project):
        raise UsageError(
            "cannot choose what to show", why="it takes an address or a --project", next_step="Give one of the two."
        )
    must_be_address(email or None, "cannot show the access")

    from mixpanel_access.model.address import same_key
    from mixpanel_access.operations import who as whos

    with read_overview(cwd, stack, now) as overview:
        if project:
            chosen = whos.project_named(overview, project)
            held, other = whos.in_project(overview, chosen), whos.other_in_project(overview, chosen)
        else:
            held = whos.of_person(overview, same_key(email))
            _must_be_there(email, held, overview)
            other = whos.other_of_person(overview, same_key(email), held)
        if as_json:
            rows = [record_of(WhoRow, one, otherAccess=None) for one in held]
            print_json([*rows, *(record_of(WhoRow, None, otherAccess=one) for one in other)])
            return 0
        _print(held, by_person=bool(project), nobody=f"not in {in_words(overview.stacks)}" if stack else "none")
        if project:
            people = counted(len({one.email for one in held}), "person reaches", "people reach")
            typer.echo(f"\n{people} project {chosen.id} {chosen.name}.")
        else:
            typer.echo(f"\n{email} reaches {counted(len({one.project for one in held}), 'project')}.")
        print_other_access(other, overview.directory.projects())
    return 0


def _must_be_there(email: str, held: Sequence[PersonGrant], overview: Overview) -> None:
    from mixpanel_access.model.address import same_key
    from mixpanel_access.model.similarity import meant_address

    people = overview.directory.people()
    if not held and same_key(email) not in people:
        raise UsageError(
            "cannot show the access",
            subject=email,
            why=f"nobody in the organization has this address{meant_address(email, list(people))}",
            next_step=f"mixpanel-access diagnose {email} shows why.",
        )


def _print(held: Sequence[PersonGrant], *, by_person: bool, nobody: str) -> None:
    """Print the grants, by person or by project; `nobody` stands for the stack of an unmanaged individual grant."""
    from mixpanel_access.model.access import GrantType

    table = new_table("who" if by_person else "project", "role", "through", "why", "approved by", "until", "stack")
    for one in held:
        table.add_row(
            (f"{one.email} (invited)" if one.invited else one.email) if by_person else f"{one.project} {one.name}",
            one.role,
            f"team {one.team}" if one.team else one.grant_type.value.replace("_", " "),
            " / ".join(one.why[name] for name in ("engagement", "ticket", "justification") if name in one.why),
            one.why.get("approver", ""),
            one.why.get("ends", ""),
            one.stack or (nobody if one.grant_type is GrantType.INDIVIDUAL else ""),
        )
    if held:
        print_table(table)
