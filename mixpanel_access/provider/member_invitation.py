"""The invitation of a `Member`: when it ends, and which stack sends an expired one again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation, Person
from mixpanel_access.model.dates import expiry, instant, written
from mixpanel_access.provider import ownership
from mixpanel_access.provider.handler import Properties
from mixpanel_access.provider.member_removal import NOW_SECONDS
from mixpanel_access.provider.session import Session

_APART: Final = timedelta(hours=1)
"""How far apart the runs of two stacks may be that work at the same time."""
WAITING: Final = (Invitation.PENDING.value, Invitation.EXPIRED.value)
"""The states of an invitation that nobody has accepted."""


def as_sent_later(session: Session, olds: Properties) -> Properties:
    """The outputs so far, with the dates of a later invitation if another stack has sent an expired one again."""
    if status_of(session, olds) is not Invitation.EXPIRED:
        return olds
    later = ownership.sent_later(session, olds, older_than=NOW_SECONDS)
    return {**olds, **later, "status": Invitation.PENDING.value} if later else olds


def invite(
    session: Session, email: str, role: str | None, waiting: Person | None, olds: Properties, later: Properties
) -> bool:
    """Invite somebody, or send an expired invitation again; whether the e-mail is ours: others may be faster.

    Of an expired one, `later` gets the outputs that tell what another stack has sent meanwhile.
    """
    invitations = session.invitations
    if waiting is None:
        return invitations.send(email, role or roles.MEMBER)

    def sent_by_others(noted: datetime | None) -> bool:
        found = ownership.sent_later(session, olds, older_than=0)
        if not found and noted is not None and (ends := holds_until(session, noted, olds)):
            found = {"invited_at": written(noted), "expires_at": ends}
        later.update({**found, "status": Invitation.PENDING.value} if found else {})
        return bool(found)

    return invitations.send_again(email, role or waiting.role or roles.MEMBER, sent_by_others)


def holds_until(session: Session, noted: datetime, olds: Properties) -> str | None:
    """When an invitation ends that another process has sent again; None if it is not a later one that holds."""
    now, ours = session.now(), olds.get("invited_at")
    ends = expiry(noted, session.settings.invitation_life_days)
    later = not ours or noted > instant(str(ours))
    return written(ends) if later and noted <= now + _APART and ends > now else None


def expires_at(session: Session, history: Properties) -> str | None:
    """When the invitation ends, at the latest: one that was found waiting went out before now.

    Where it is not known what is now, the next `pulumi up` says.
    """
    sent = history.get("invited_at")
    if not sent and not session.knows_now():
        return None
    invited_at = instant(sent) if sent else session.now()
    return written(expiry(invited_at, session.settings.invitation_life_days))


def sends_again(session: Session, olds: Properties, inputs: Properties) -> bool:
    """Whether this resource is the one to send an expired invitation again.

    Several stacks may declare a person, and Mixpanel does not tell when an invitation went out: the stack that
    declares the organization role sends it again, or the one that sent it before, so that one e-mail goes out. If
    neither is left, one of those that have the person does.
    """
    if session.takes_only or status_of(session, olds) is not Invitation.EXPIRED:
        return False
    return ownership.sends(olds, inputs) or ownership.has_to_send(session, olds)


def status_of(session: Session, outputs: Properties) -> Invitation | None:
    """The invitation's state by what the state holds and the time; None where the state holds nothing."""
    status = outputs.get("status")
    if status == Invitation.PENDING.value and outputs.get("expires_at"):
        return Invitation.EXPIRED if instant(outputs["expires_at"]) <= session.now() else Invitation.PENDING
    return Invitation(status) if status in list(Invitation) else None


def is_undated(outputs: Properties) -> bool:
    """Whether an invitation was found waiting, and the state does not say yet until when it can be."""
    return outputs.get("status") == Invitation.PENDING.value and not outputs.get("expires_at")
