"""`mixpanel-access drift`: compare the organization with the states of the stacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, Stacks
from mixpanel_access.cli.output import new_table, print_json, print_other_access, print_table, progress
from mixpanel_access.model.similarity import counted, in_words

if TYPE_CHECKING:
    from mixpanel_access.model.access import OtherAccess
    from mixpanel_access.model.settings import Settings
    from mixpanel_access.operations.drift import AccessDifference, OrganizationAccess
    from mixpanel_access.operations.project import PulumiProject


class DriftDocument(TypedDict):
    """What `drift` prints as JSON."""

    stacks: Annotated[Sequence[str], "the stacks that were compared"]
    differences: Annotated[Sequence[AccessDifference], "the differences"]
    otherAccess: Annotated[Sequence[OtherAccess], "access that no stack manages"]


def drift(stack: Stacks = None, cwd: Folder = Path(), as_json: AsJson = False) -> int:
    """List access that no stack manages, and access in a state that Mixpanel does not have; exit 1 for any.

    Access that any stack of the project manages counts as managed.

    Example: `mixpanel-access drift --stack production`
    """
    from mixpanel_access.operations.project import open_project, stacks_of

    project = open_project(cwd, progress)
    stacks = stacks_of(project, stack or [])
    compared = list(_compared(project, stacks))
    found = [difference for one in compared for difference in one.differences]
    if as_json:
        other = [access for one in compared for access in one.other]
        print_json(DriftDocument(stacks=stacks, differences=found, otherAccess=other))
        return 1 if found else 0
    for one in compared:
        if one.differences:
            _print_table(one.differences)
        else:
            typer.echo(
                f"No drift: stacks manage all {counted(len(one.organization.people), 'person', 'people')} and "
                f"{counted(len(one.organization.grants), 'individual grant')} of organization {one.id}, and Mixpanel "
                f"has what is in the state of {in_words(one.stacks)}."
            )
        print_other_access(one.other, one.organization.projects)
    return 1 if found else 0


class _Compared(NamedTuple):
    """One organization, and its differences to the states of some stacks."""

    id: int
    stacks: Sequence[str]
    organization: OrganizationAccess
    differences: Sequence[AccessDifference]
    other: Sequence[OtherAccess]


def _compared(project: PulumiProject, stacks: Sequence[str]) -> Iterator[_Compared]:
    """Compare each organization of the stacks."""
    from concurrent.futures import ThreadPoolExecutor
    from functools import partial, reduce
    from operator import or_

    from mixpanel_access.operations.drift import differences
    from mixpanel_access.operations.project import by_organization, of_each
    from mixpanel_access.operations.state import EMPTY

    for (_, id_), names in by_organization(project, stacks).items():
        with ThreadPoolExecutor(1) as threads:  # the engine takes as long to export states as Mixpanel to answer
            read = threads.submit(_read, project.settings(names[0]))
            states = of_each(project.stacks, partial(project.state, organization=id_))
            organization, other = read.result()
        chosen = reduce(or_, (states[name] for name in names), EMPTY)
        yield _Compared(
            id=id_,
            stacks=names,
            organization=organization,
            differences=differences(organization, reduce(or_, states.values(), EMPTY), chosen),
            other=other,
        )


def _read(settings: Settings) -> tuple[OrganizationAccess, Sequence[OtherAccess]]:
    from mixpanel_access.directory import connected
    from mixpanel_access.directory.other_access import read_other_access
    from mixpanel_access.operations.drift import read_organization

    with connected(settings) as directory:
        organization = read_organization(directory)
        return organization, read_other_access(directory, organization.projects.keys(), settings.clock())


def _print_table(found: Sequence[AccessDifference]) -> None:
    table = new_table("what", "who", "project", "declared", "actual")
    for one in found:
        where = "" if one.project is None else f"{one.project} {one.project_name or '(not in the organization)'}"
        who = f"{one.email} (invited)" if one.invited else one.email
        if one.team is not None:
            who = f"{who} in team {one.team}" if who else f"team {one.team}"
        table.add_row(one.kind.value, who, where, one.declared or "", one.actual or "")
    print_table(table)
    typer.echo(
        f"\n{counted(len(found), 'difference')}. Unmanaged access: add it to a roster, or take it away in Mixpanel. A "
        f"changed address: write the new one into the roster. Missing or changed access: `pulumi preview --refresh` "
        f"shows what the next `pulumi up --refresh` corrects."
    )
