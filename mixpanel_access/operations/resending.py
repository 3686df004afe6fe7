"""Send an invitation again, and have the states know of it: they alone hold when an invitation went out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mixpanel_access.directory.invitations import Invitations
from mixpanel_access.files.notes import LockedNotes, Note, is_reached
from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import expiry, written
from mixpanel_access.model.errors import EngineError, UsageError
from mixpanel_access.model.similarity import meant_address
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.project import Progress, PulumiProject, temporary_folder
from mixpanel_access.operations.state import StateResource
from mixpanel_access.operations.state_change import refresh_with_notes

_LOOK_AGAIN_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Resent:
    """An invitation that went out again.

    Attributes:
        email: the address of the invited person.
        at: when it was sent.
        expires_at: when the new invitation expires, at the latest.
        stacks: the stacks whose states record it.
    """

    email: str
    at: datetime
    expires_at: datetime
    stacks: list[str]


def resend(project: PulumiProject, overview: Overview, email: str, progress: Progress) -> Resent:
    """Send an invitation again, within Mixpanel's hourly limit.

    The engine holds the states of all stacks that declare the person while the e-mail goes out: none goes out where
    another run is at work there, and what that run has written stays.

    Raises:
        UsageError: there is nobody to invite again.
        EngineError: a state is locked or cannot be read, and no e-mail went out; or one went out, as it says.
        RateLimited: the limit is reached, and there is no time left to wait.
    """
    person = overview.directory.person(email)
    if person is None:
        meant = meant_address(email, [one.email for one in overview.directory.people().values()])
        raise UsageError(
            "cannot send the invitation again",
            subject=email,
            why=f"nobody in the organization has this address{meant}",
            next_step="Declare them in a roster, and run `pulumi up`.",
        )
    if not person.invited:
        raise _accepted(email)
    settings = next(iter(overview.stacks.values())).settings
    until = expiry(overview.now, settings.invitation_life_days)
    limited = Invitations(overview.directory, settings.invitation_wait_seconds, lambda: overview.now, progress)
    someone = overview.get(same_key(email))
    members = dict(sorted(someone.members.items())) if someone else {}
    outputs = {"invited_at": written(overview.now), "expires_at": written(until), "status": Invitation.PENDING.value}
    address, role = person.email, person.role or roles.MEMBER

    def send() -> None:
        if not limited.resend(address, role):
            raise _accepted(email)

    while_held(project, members, Note(outputs=outputs), send)
    for stack in members:
        progress(f"noted it in the state of stack {stack}")
    return Resent(address, overview.now, until, list(members))


def _accepted(email: str) -> UsageError:
    return UsageError(
        "cannot send the invitation again", subject=email, why="it is accepted already", next_step="They can log in."
    )


def while_held(
    project: PulumiProject, members: Mapping[str, StateResource], note: Note, send: Callable[[], None]
) -> None:
    """Send an e-mail while the engine holds the states, and have it write a note into each of them.

    Raises:
        EngineError: a state is locked or cannot be read; it says whether the e-mail went out.
    """
    runs: dict[str, Future[None]] = {}
    with ExitStack() as folders, ThreadPoolExecutor(max(1, len(members))) as threads, ExitStack() as gates:
        held = {stack: gates.enter_context(LockedNotes(folders.enter_context(temporary_folder()))) for stack in members}
        for stack, member in members.items():
            runs[stack] = threads.submit(refresh_with_notes, project, stack, [member.urn], held[stack].folder)
        while not all(is_reached(one.folder) for one in held.values()):
            for stack, run in runs.items():
                if run.done() and not is_reached(held[stack].folder):
                    raise _not_held(stack, run)
            time.sleep(_LOOK_AGAIN_SECONDS)
        send()  # where it fails, the notes stay empty, and the runs change nothing
        for stack, one in held.items():
            one.notes = {members[stack].id: note}
    for stack, run in runs.items():
        if error := run.exception():
            raise EngineError(
                "cannot note that an invitation went out again",
                subject=stack,
                why=f"it did go out, and the state does not know of it: {_why(error)}",
                next_step="Do not send it once more: `pulumi up` sends another when the earlier one would have ended.",
            ) from None


def _not_held(stack: str, run: Future[None]) -> EngineError:
    error = run.exception()
    why = _why(error) if error else "it has the person no longer"
    return EngineError(
        "cannot send the invitation again",
        subject=stack,
        why=f"no e-mail went out, since the state cannot be held meanwhile: {why}",
        next_step="Wait for the other run to end, or correct that; then run it again.",
    )


def _why(error: BaseException) -> str:
    return error.why if isinstance(error, EngineError) else str(error)
