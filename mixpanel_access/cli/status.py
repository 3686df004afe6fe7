"""`mixpanel-access status` and `resend`: show the access of everybody and what to do next; send an invitation again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks, addresses, read_overview
from mixpanel_access.cli.output import print_json, print_paragraph, progress
from mixpanel_access.model.errors import MixpanelError, UsageError
from mixpanel_access.model.similarity import counted, in_words

if TYPE_CHECKING:
    from mixpanel_access.operations.overview import Overview
    from mixpanel_access.operations.roles_there import RoleHere
    from mixpanel_access.operations.status import Status, TeamHere

_CLEAR: Final = "\x1b[2J\x1b[H"


class StatusDocument(TypedDict):
    """What `status` prints as JSON; with `--watch`, once for each look, each on a line."""

    now: Annotated[datetime, "when it looked"]
    stacks: Annotated[Sequence[str], "the stacks"]
    people: Annotated[Sequence[Status], "the people"]


def status(
    email: Annotated[
        list[str] | None, typer.Argument(help="Only these people. Default: everybody.", autocompletion=addresses)
    ] = None,
    stack: Stacks = None,
    now: Now = None,
    watch: Annotated[
        float | None, typer.Option(help="Read again after this many seconds, until interrupted.", min=1.0)
    ] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Show everybody's invitation, roles and end, and what to do next; exit 1 when there is anything to do.

    Example: `mixpanel-access status --stack production`
    """
    import time

    from mixpanel_access.operations.status import statuses

    while True:
        try:
            with read_overview(cwd, stack, now) as overview:
                found = _wanted(statuses(overview), email or [], overview)
        except MixpanelError as error:
            if watch is None:
                raise
            progress(f"{error} Trying again in {watch:g} s.")
            time.sleep(watch)
            continue
        if as_json:
            document = StatusDocument(now=overview.now, stacks=list(overview.stacks), people=found)
            print_json(document, indent=2 if watch is None else None)
        else:
            _print(found, overview, clear=watch is not None)
        if watch is None:
            return 1 if any(one.problems for one in found) else 0
        time.sleep(watch)


def resend(
    email: Annotated[
        str,
        typer.Argument(help="The address of the person who has not accepted the invitation.", autocompletion=addresses),
    ],
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Send an invitation again, within Mixpanel's hourly limit.

    Example: `mixpanel-access resend robin@agency.example.org`
    """
    from mixpanel_access.operations import resending
    from mixpanel_access.operations.project import open_project, stacks_of

    project = open_project(cwd, progress)
    if now is not None and any(project.settings(name).real for name in stacks_of(project, stack or [])):
        raise UsageError(
            "cannot use --now",
            subject=now,
            why="the e-mail is sent now, and the states would record another day",
            next_step="Leave it out; it is for the emulator.",
        )
    with read_overview(project, stack, now) as overview:
        sent = resending.resend(project, overview, email, progress)
    if as_json:
        print_json(sent)
    else:
        typer.echo(f"Sent the invitation to {sent.email} again; it expires on {sent.expires_at:%Y-%m-%d}.")
    return 0


def _wanted(found: list[Status], emails: Sequence[str], overview: Overview) -> list[Status]:
    """The people of these addresses, each once, or everybody."""
    from mixpanel_access.model.similarity import meant_address

    by_key = {overview.key_of(one.email): one for one in found}
    for email in emails:
        if overview.key_of(email) not in by_key:
            raise UsageError(
                "cannot find the person",
                subject=email,
                why=f"they are in no roster and in no state{meant_address(email, list(by_key))}",
                next_step=f"mixpanel-access who {email} shows what Mixpanel has.",
            )
    return [by_key[key] for key in dict.fromkeys(map(overview.key_of, emails))] or found


def _print(found: list[Status], overview: Overview, *, clear: bool) -> None:
    if clear:
        typer.echo(_CLEAR, nl=False)
    for one in found:
        _print_person(one, overview.now)
    due = sum(1 for one in found if one.problems)
    people, stacks = counted(len(found), "person", "people"), in_words(overview.stacks)
    typer.echo(f"{due} of {people} of {stacks} with something to do, {overview.now:%Y-%m-%d %H:%M} UTC.")


def _print_person(one: Status, now: datetime) -> None:
    """Who they are, what to do (!) and to know (-), and their roles, with a blank line after them."""
    print_paragraph(f"{one.email}: {', '.join(_facts(one, now))}", rest="  ")
    for step in one.steps:
        print_paragraph(f"{step.text}:" if step.next_step else step.text, "  ! " if step.problem else "  - ", "    ")
        if step.next_step:
            print_paragraph(step.next_step, "    ", "    ")
    for line in (*map(_role, one.projects), *map(_team, one.teams)):
        print_paragraph(line, "  ", "    ")
    typer.echo("")


def _facts(one: Status, now: datetime) -> Iterator[str]:
    """The invitation and its age or the last login, the organization role, and the end."""
    from mixpanel_access.operations.next_steps import hours

    if one.invited_at is not None and one.invitation is not None:
        yield f"{one.invitation.value}, invited {hours(now - one.invited_at)} ago"
    else:
        yield one.invitation.value if one.invitation else "not in the organization"
    if one.last_login is not None:
        yield f"last login {one.last_login:%Y-%m-%d}"
    if role := _compared(one.organization_role.declared, one.organization_role.actual):
        yield f"organization {role}"
    if one.ends:
        yield f"until {one.ends}"


def _role(role: RoleHere) -> str:
    own = f"{role.declared or ''} (not shown)" if role.hidden else _compared(role.declared, role.actual)
    other = f"{role.effective} through {role.through}" if role.through else ""
    return f"{role.name}: {', '.join(part for part in (own, other) if part) or 'nothing'}"


def _team(place: TeamHere) -> str:
    gives = ", ".join(f"{project} {role}" for project, role in place.projects.items())
    notes = [gives] if gives else []
    notes += ["not in it"] if place.actual is False else []
    notes += [] if place.declared else ["not declared"]
    return f"team {place.team}" + (f": {'; '.join(notes)}" if notes else "")


def _compared(declared: str | None, actual: str | None) -> str:
    if declared in (None, actual):
        return actual or ""
    return f"{declared} (is {actual})" if actual else f"{declared} (missing)"
