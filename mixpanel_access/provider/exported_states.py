"""How the provider's process reads the project's states: by `pulumi`, whose commands only read and answer in JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from mixpanel_access.model.brakes import Limits
from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.resources import rows_in
from mixpanel_access.model.settings import NAMESPACE, limits_in
from mixpanel_access.provider.command import Command, engine_command
from mixpanel_access.provider.states import ExportedResource, RosterPeople, StackStates, States, resources_in

Export = Mapping[str, Any]
"""The document of `pulumi stack export`."""

_AT_ONCE: Final = 4
"""States that are read at a time."""
_SECONDS: Final = 60.0
"""How long one call may take."""
_OF_THIS_PROCESS: Final = ("PULUMI_CONFIG", "PULUMI_LOG_OTLP_ENDPOINT")
"""What the engine sets for this process alone, and another one has no use for."""


class Unreadable(Exception):
    """`pulumi` did not answer; the text says why."""


def ask(program: str, environ: Mapping[str, str], *args: str) -> Any:
    """What a command of `pulumi` writes, as JSON.

    What the engine has set in the environment for this process alone is left out.

    Raises:
        Unreadable: it cannot be run, fails, or writes no JSON.
    """
    kept = {key: value for key, value in environ.items() if key not in _OF_THIS_PROCESS}
    command = [program, "--non-interactive", "--color=never", *args]
    try:
        done = subprocess.run(  # noqa: S603  # the engine that runs us, or the one on PATH
            command, env=kept, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unreadable(f"`pulumi {args[0]} {args[1]}` cannot be run ({type(error).__name__})") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        raise Unreadable(f"`pulumi {args[0]} {args[1]}` failed{f': {said[-1]}' if said else ''}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Unreadable(f"`pulumi {args[0]} {args[1]}` wrote no JSON") from None


def project_states(
    stack: Callable[[], str | None],
    environ: Mapping[str, str] | None = None,
    organization: int | None = None,
    *,
    configured: bool = True,
    command: Callable[[], Command | None] = engine_command,
) -> States:
    """The states of the project that this process was started for, in whose program's folder it runs.

    Args:
        stack: the stack that the engine works on.
        environ: the environment variables.
        organization: the organization whose rosters count; None for those of all stacks.
        configured: whether it is that of the stack's configuration, whose limits count.
        command: the engine's command; None if it is unknown.
    """
    own = os.environ if environ is None else environ
    return States(
        partial(_read_all, own, stack, command),
        stack,
        partial(_people_of_roster, organization, configured),
        ended=partial(_last_run_ended, own),
        limits=partial(_limits_today, own, stack) if configured else lambda: None,
    )


def _read_all(
    environ: Mapping[str, str], stack: Callable[[], str | None], command: Callable[[], Command | None]
) -> StackStates:
    """All states; that of the stack of this run is read while the engine lists the stacks."""
    mine, ours = stack(), command()
    with ThreadPoolExecutor(_AT_ONCE) as threads:

        def read(name: str) -> Future[Any]:
            return threads.submit(_pulumi, environ, "stack", "export", "--stack", name)

        begun = {mine: read(mine)} if mine else {}
        try:
            rows = _pulumi(environ, "stack", "ls", "--json")
            names = [str(row["name"]) for row in rows]
        except Unreadable as error:
            return StackStates(why=str(error))
        except (KeyError, TypeError):
            return StackStates(why="`pulumi stack ls` does not list stacks")
        reading = {name: begun.get(name) or read(name) for name in names}
    found: dict[str, Sequence[ExportedResource]] = {}
    interrupted: dict[str, Sequence[ExportedResource]] = {}
    unread: list[str] = []
    previewed: Sequence[Mapping[str, Any]] | None = None
    for name, one in reading.items():
        try:
            export = one.result()
            if name == mine and ours is not None and ours.verb == "preview":
                previewed = named_rows(export)
            found[name], interrupted[name] = resources_of(export), interrupted_in(export)
        except (Unreadable, AccessError, KeyError, TypeError, AttributeError) as error:
            unread.append(f"stack {name}: {error}")
    return StackStates(found, "; ".join(unread), interrupted, previewed)


def named_rows(export: Export) -> Sequence[Mapping[str, Any]]:
    """The rows of an exported state that have a URN."""
    return [row for row in export["deployment"].get("resources") or () if "urn" in row]


def interrupted_in(export: Export) -> Sequence[ExportedResource]:
    """The resources of an exported state whose creation or update was begun and not ended."""
    pending = (export.get("deployment") or {}).get("pending_operations") or ()
    found = [one.get("resource") or {} for one in pending if one.get("type") in ("creating", "updating")]
    return tuple(
        ExportedResource(str(one.get("type", "")), str(one.get("urn", "")), "", one.get("inputs") or {})
        for one in found
    )


def _last_run_ended(environ: Mapping[str, str], stack: str) -> datetime | None:
    try:
        rows = _pulumi(environ, "stack", "history", "--json", "--full-dates", "--page-size", "10", "--stack", stack)
        ends = [instant(str(row["endTime"])) for row in rows if row.get("result") != "in-progress"]
    except (Unreadable, KeyError, TypeError, ValueError, AttributeError):
        return None
    return max(ends, default=None)


def _limits_today(environ: Mapping[str, str], stack: Callable[[], str | None]) -> Limits | None:
    named = stack()  # without a name, `pulumi` takes the selected stack, as the run that asks does
    try:
        config = _pulumi(environ, "config", "--json", *(("--stack", named) if named else ()))
        values = {str(key): one.get("value") for key, one in config.items()}
    except (Unreadable, AttributeError):
        return None
    return limits_in(lambda key: None if (value := values.get(f"{NAMESPACE}:{key}")) is None else str(value))


def resources_of(export: Export) -> Sequence[ExportedResource]:
    """The resources in an exported state that have an id."""
    return resources_in(rows_in(export))


def _pulumi(environ: Mapping[str, str], *args: str) -> Any:
    engine = engine_command()  # which need not be on PATH
    known = engine.program if engine and not shutil.which("pulumi", path=environ.get("PATH")) else "pulumi"
    return ask(known, environ, *args)


def _people_of_roster(organization: int | None, configured: bool, stack: str, day: date) -> RosterPeople | None:
    """The people that a stack's roster, next to the program, declares on a day; None if it cannot be read.

    The roster of another organization says nothing of what the stack's program declares here.
    """
    from mixpanel_access.files.roster import organization_of_roster  # slow to import, and rarely needed

    file = Path(f"{stack.rpartition('/')[2]}.yaml")
    of = organization_of_roster(file) or (organization if configured else None)
    return people_of_roster(file, day) if organization in (None, of) else None


def people_of_roster(file: Path, day: date) -> RosterPeople | None:
    """What a roster declares on a day; None if there is none, or it cannot be used."""
    if not file.is_file():
        return None
    # Rarely needed and slow to import: a process that asks for no roster does not wait for one.
    from mixpanel_access.files.roster import source_of, text_of
    from mixpanel_access.model.declaration import declaration
    from mixpanel_access.model.roster.salvage import salvage

    try:
        read = salvage(text_of(file) or "", source_of(file))
        given, unread = declaration(read.roster, day), read.unread
        return RosterPeople(set(given.members), unread.people, unread.anybody, given, bool(unread.teams))
    except AccessError:
        return None
