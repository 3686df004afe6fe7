"""`mixpanel-access status` and `resend`: print how everybody stands, and send an invitation again."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from mixpanel_access.cli.output import instant_of, new_table, print_table, progress
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import written
from mixpanel_access.model.errors import MixpanelError, UsageError
from mixpanel_access.model.similarity import meant_address
from mixpanel_access.model.words import counted
from mixpanel_access.operations.overview import Overview, load_overview
from mixpanel_access.operations.project import open_project, stacks_of
from mixpanel_access.operations.resending import resend
from mixpanel_access.operations.status import RoleHere, Status, statuses

_CLEAR = "\x1b[2J\x1b[H"


def show_status(
    folder: Path, stacks: list[str], emails: list[str], now: str | None, *, watch: float | None, as_json: bool
) -> int:
    """Look and print, again and again where that is wanted; 1 when there is anything to do, else 0."""
    while True:
        try:
            overview = load_overview(open_project(folder, progress), stacks, instant_of(now), progress)
        except MixpanelError as error:
            if watch is None:
                raise
            progress(f"{error} Trying again in {watch:g} s.")
            time.sleep(watch)
            continue
        found = _wanted(statuses(overview), list({same_key(email): email for email in emails}.values()))
        if as_json:
            typer.echo(json.dumps(_document(found, overview), indent=2 if watch is None else None))
        else:
            _print(found, overview, clear=watch is not None)
        if watch is None:
            return 1 if any(one.problems for one in found) else 0
        time.sleep(watch)


def send_again(folder: Path, stacks: list[str], email: str, now: str | None, *, as_json: bool) -> int:
    """Send and print."""
    project = open_project(folder, progress)
    if now is not None and any(project.settings(name).real for name in stacks_of(project, stacks)):
        raise UsageError(
            "cannot use --now",
            whom=now,
            why="an e-mail goes out now, and the states would have another day",
            next_step="Leave it out; it is for the emulator.",
        )
    sent = resend(project, load_overview(project, stacks, instant_of(now), progress), email, progress)
    if as_json:
        document = {"email": sent.email, "at": written(sent.at), "expiresAt": written(sent.expires_at)}
        typer.echo(json.dumps({**document, "stacks": sent.stacks}, indent=2))
    else:
        typer.echo(f"The invitation to {sent.email} went out again; it is good until {sent.expires_at:%Y-%m-%d}.")
    return 0


def _wanted(found: list[Status], emails: list[str]) -> list[Status]:
    by_key = {same_key(one.email): one for one in found}
    for email in emails:
        if same_key(email) not in by_key:
            raise UsageError(
                "cannot find the person",
                whom=email,
                why=f"no roster and no state has them{meant_address(email, list(by_key))}",
                next_step=f"mixpanel-access who {email} shows what Mixpanel has.",
            )
    return [by_key[same_key(email)] for email in emails] or found


def _print(found: list[Status], overview: Overview, *, clear: bool) -> None:
    if clear:
        typer.echo(_CLEAR, nl=False)
    columns = ("who", "invitation", "since", "organization role", "projects", "ends", "next")
    table = new_table(*columns)
    for one in found:
        steps = [f"{step.text}: {step.next_step}" if step.next_step else step.text for step in one.steps]
        table.add_row(
            one.email,
            one.invitation.value if one.invitation else "not there",
            _since(one, overview.now),
            _compared(one.declared_role, one.actual_role),
            "\n".join(_role(role) for role in one.roles),
            str(one.ends) if one.ends else "",
            "\n".join(steps),
        )
    if found:
        print_table(table)
    due = sum(1 for one in found if one.problems)
    people, stacks = counted(len(found), "person", "people"), ", ".join(overview.stacks)
    typer.echo(f"\n{due} of {people} of {stacks} with something to do, {overview.now:%Y-%m-%d %H:%M} UTC.")


def _since(one: Status, now: datetime) -> str:
    """The age of an invitation that waits, else the last login."""
    if one.invited_at is not None:
        return f"{int((now - one.invited_at).total_seconds() // 3600)} h"
    if one.last_login is not None:
        return f"last active {one.last_login:%Y-%m-%d}"
    return ""


def _role(role: RoleHere) -> str:
    own = _compared(role.declared, role.actual)
    other = f"{role.effective} by another way" if role.effective not in (None, role.actual) else ""
    return f"{role.name} {', '.join(part for part in (own, other) if part)}".rstrip()


def _compared(declared: str | None, actual: str | None) -> str:
    if declared in (None, actual):
        return actual or ""
    return f"{declared} (is {actual or 'nothing yet'})"


def _document(found: list[Status], overview: Overview) -> dict[str, Any]:
    return {
        "now": written(overview.now),
        "stacks": list(overview.stacks),
        "people": [
            {
                "email": one.email,
                "stacks": list(one.stacks),
                "invitation": one.invitation.value if one.invitation else None,
                "invitedAt": _text(one.invited_at),
                "expiresAt": _text(one.expires_at),
                "lastLogin": _text(one.last_login),
                "organizationRole": {"declared": one.declared_role, "actual": one.actual_role},
                "projects": [
                    {
                        "project": role.project,
                        "name": role.name,
                        "declared": role.declared,
                        "actual": role.actual,
                        "effective": role.effective,
                    }
                    for role in one.roles
                ],
                "ends": one.ends.isoformat() if one.ends else None,
                "steps": [{"text": step.text, "next": step.next_step, "problem": step.problem} for step in one.steps],
            }
            for one in found
        ],
    }


def _text(when: datetime | None) -> str | None:
    return written(when) if when else None
