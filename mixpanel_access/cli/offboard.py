"""`mixpanel-access offboard`: end everything that a person has in every stack, and show what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, addresses
from mixpanel_access.cli.output import ProjectRole, print_diff, print_json, progress, record_of
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import in_words

if TYPE_CHECKING:
    from mixpanel_access.model.access import GrantType
    from mixpanel_access.operations.offboarding import PersonInStack, RemainingInOrganization

_SHOWN: Final = 10
"""How many waiting changes are named."""


class OffboardStack(TypedDict):
    """What the person has in a stack."""

    stack: Annotated[str, "the stack"]
    roster: Annotated[Path | None, "the roster that changes, or null"]
    member: Annotated[bool, "whether the stack has the person as a member"]
    grants: Annotated[Sequence[ProjectRole], "the grants"]
    teams: Annotated[Sequence[str], "the names of the teams"]


class OffboardRemains(TypedDict):
    """Access that is left."""

    organization: Annotated[int, "the organization's id"]
    project: Annotated[int, "the project's id"]
    role: Annotated[str, "the role"]
    grantType: Annotated[GrantType, "the type of the grant"]
    team: Annotated[str | None, "the team that gives it"]


class OffboardDocument(TypedDict):
    """What `offboard` prints as JSON."""

    email: Annotated[str, "the person's address"]
    done: Annotated[bool, "whether it was done, and not only shown"]
    stacks: Annotated[Sequence[OffboardStack], "what the stacks have, or had"]
    inOrganization: Annotated[bool, "whether the person is still in an organization"]
    organizationRole: Annotated[str | None, "the organization role that is left"]
    remains: Annotated[Sequence[OffboardRemains], "the access that is left"]
    waiting: Annotated[
        Mapping[str, Sequence[str]], "stack that was left with changes that wait for `pulumi up` -> those"
    ]


def offboard(
    email: Annotated[
        str, typer.Argument(help="The address of the person whose access ends.", autocompletion=addresses)
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without it: show what would change.")] = False,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """End everything that a person has, in all stacks of the project, and show what is left; exit 1 for any.

    Example: `mixpanel-access offboard robin@agency.example.org --yes`
    """
    from mixpanel_access.model.address import same_key
    from mixpanel_access.operations import offboarding
    from mixpanel_access.operations.project import open_project

    if "@" not in email:
        raise UsageError(
            "cannot offboard",
            subject=email,
            why="it is not an e-mail address",
            next_step="Give a person's address; to end a service account, take it out of the roster.",
        )
    project = open_project(cwd, progress)
    seen = offboarding.read_stacks(project)
    held = offboarding.person_in_stacks(seen, email)
    waiting = offboarding.offboard(project, email, held, progress) if yes else {}
    left = offboarding.remaining_in_organizations(
        project, email, {key for one in seen for key in one.keys(email)} - {same_key(email)}
    )
    if as_json:
        print_json(_document(email, held, left, waiting, done=yes))
    else:
        from mixpanel_access.model.similarity import meant_address

        likely = "" if held else meant_address(email, offboarding.people(seen))
        _print(email, held, likely, done=yes)
        for stack, changes in waiting.items():
            more = [f"and {len(changes) - _SHOWN} more"] if len(changes) > _SHOWN else []
            typer.echo(
                f"Stack {stack} was left with what waits for `pulumi up`: {'; '.join([*changes[:_SHOWN], *more])}"
            )
        _print_left(email, left, done=yes)
    return 1 if any(one.listed and not one.deactivated for one in left) or (held and not yes) else 0


def _print(email: str, held: Sequence[PersonInStack], likely: str, *, done: bool) -> None:
    from mixpanel_access.model.address import same_key

    for holding in held:
        has = ["the member"] if holding.member else []
        has += [f"{role} in project {project}" for project, role in sorted(holding.grants.items())]
        has += [f"a membership in the team {name}" for name in holding.teams.values()]
        what = in_words(has) or "nothing"
        known = "" if set(holding.keys) <= {same_key(email)} else f", as {in_words(holding.keys)}"
        typer.echo(f"stack {holding.stack} {'had' if done else 'has'} in its state{known}: {what}")
        if not done and holding.before is not None and holding.after is not None:
            print_diff(holding.before, holding.after, holding.file.name)
    if not held:
        typer.echo(f"No stack has {email}{likely}.")
    if not done and held:
        typer.echo("\nNothing was changed. With --yes, this is taken out of each roster and each stack.")


def _print_left(email: str, left: Sequence[RemainingInOrganization], *, done: bool) -> None:
    from mixpanel_access.model.access import remaining_access
    from mixpanel_access.model.roles import MEMBER

    for one in left:
        where = f"organization {one.organization}" if len(left) > 1 else "the organization"
        if one.listed:
            role = f" as organization {one.role}" if one.role not in (None, MEMBER) else ""
            still = "is still" if done else "is"
            if one.deactivated:
                still = "is deactivated, cannot log in, and is"
            typer.echo(f"{email} {still} in {where}{role}: {remaining_access(one.access)}")
        else:
            typer.echo(f"{email} is not in {where}.")


def _document(
    email: str,
    held: Sequence[PersonInStack],
    left: Sequence[RemainingInOrganization],
    waiting: Mapping[str, Sequence[str]],
    *,
    done: bool,
) -> OffboardDocument:
    return {
        "email": email,
        "done": done,
        "stacks": [
            record_of(
                OffboardStack,
                one,
                roster=one.file if one.before != one.after else None,
                grants=[ProjectRole(project=project, role=role) for project, role in sorted(one.grants.items())],
                teams=list(one.teams.values()),
            )
            for one in held
        ],
        "inOrganization": any(one.listed for one in left),
        "organizationRole": next((one.role for one in left if one.listed), None),
        "remains": [
            record_of(OffboardRemains, grant, organization=one.organization, project=project)
            for one in left
            for project, grants in sorted(one.access.items())
            for grant in grants
        ],
        "waiting": waiting,
    }
