"""Steps of a `Member`: its invitation, which ends and is sent again by one stack, and its removal.

A person that the stack no longer declares may stay, and what they hold ends before SCIM deactivates them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType, Invitation, Person, ScimUser, remaining_access
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import expiry, instant, written
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.ownership import ALWAYS, WHEN_UNUSED, Origin, holds_others_role, should_remove
from mixpanel_access.provider import ownership
from mixpanel_access.provider.handler import Properties
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


def history_of(
    session: Session, there: Person | None, now: Person | None, role: str | None, olds: Properties
) -> Properties:
    """What only the state can tell: how the person came in, and what they were before.

    `there` is the person before this operation did anything; `now` is the person once they were let in by SCIM, if
    they come that way.
    """
    history = dict(olds)
    if there is None or now is None:  # we bring them
        history |= {"adopted": False, "origin": Origin.INVITED.value}
        history.pop("previous_role", None)
        return history
    if not olds:
        history = ownership.first_seen(session, now)
        if there.deactivated:
            history["origin"] = Origin.INVITED.value
    if role is not None and olds.get("role") is None:
        history["previous_role"] = ownership.previous_role(session, now)
    return history


def note_sent(session: Session, history: Properties) -> None:
    """Note that we have sent the invitation now."""
    if history.get("status") in WAITING and history.get("invited_at"):
        history.setdefault("first_invited_at", history["invited_at"])
    history |= {"invited_at": written(session.now()), "status": Invitation.PENDING.value}
    history.pop("expires_at", None)


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

    Several stacks may declare a person, and Mixpanel does not show when an invitation went out: the stack that
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


FRESH_SECONDS: Final = 30.0
"""How old the grants may be on which a removal is decided: one reading for those that go together."""
NOW_SECONDS: Final = 2.0
"""How old the list of people may be on which it is decided: no older than a batch that is held may be anyhow."""


def why_staying(session: Session, person: Person, removal: str, props: Properties) -> str:
    """Why a person who is no longer declared stays in the organization; "" if they leave."""
    directory, declared = session.directory, props.get("role")
    key = same_key(str(props.get("email", person.email)))  # as the states know them
    ours = ownership.whose(session, props, key)
    left = directory.reached_projects(person.email) if removal != ALWAYS else {}
    # An invitation of the project's stacks may go: it is only an e-mail.
    blind = removal == WHEN_UNUSED and directory.hides_access(person.email)
    blind = blind and (ours is not True or not directory.projects())
    elsewhere = ""

    def others() -> bool:
        nonlocal elsewhere
        elsewhere = ownership.why_held_elsewhere(session, props, key)
        return bool(elsewhere)

    def going() -> bool:
        return should_remove(removal, person, declared, chain(*left.values()), ours=ours, elsewhere=others)

    if not blind and going():
        return ""
    if removal == WHEN_UNUSED and ours is not False and left:
        # Another stack may be ending them too: the one that reads last must see what the other has taken away.
        directory.forget_grants(older_than=0, projects=left)
        left = directory.reached_projects(person.email)
        if not blind and going():
            return ""
    reasons = {
        "they were in the organization before this stack declared them": ours is False and removal == WHEN_UNUSED,
        f"with the organization role {person.role}, which is not this stack's": holds_others_role(person, declared),
        "what they hold cannot be seen (to remove them all the same, set removal: always)": blind,
        elsewhere: bool(elsewhere),
        remaining_access(left): bool(left) or not elsewhere,
    }
    return "; ".join(words for words, true in reasons.items() if true)


def deactivate(session: Session, user: ScimUser, person: Person, removal: str, props: Properties) -> None:
    """Keep somebody out who comes by SCIM, and take away before it what they would come back with.

    What cannot be taken away does not hold the deactivation: access ends, and the next run tries again.

    Raises:
        AccessError: they are deactivated, and something is left.
    """
    trouble: AccessError | None = None
    try:
        strip(session, person, removal, props)
    except AccessError as error:
        trouble = error
    session.directory.provisioning.keep_out(user)
    if trouble is not None:
        trouble.next_step = f"{person.email} is deactivated; run again to take the rest away. {trouble.next_step}"
        raise trouble


def strip(session: Session, person: Person, removal: str, props: Properties) -> None:
    """Take away what somebody who is kept out would regain: our role; with `removal: always`, all that can go.

    Raises:
        AccessError: the first of what could not be taken away; the rest was tried.
    """
    directory, always = session.directory, removal == ALWAYS
    steps: list[Callable[[], None]] = []
    if person.role not in (None, roles.MEMBER) and (always or props.get("role") is not None):
        steps.append(partial(change_role, session, person.email, roles.MEMBER))
    if always:
        steps += [
            partial(directory.remove_grant, project, person.email)
            for project, grants in directory.reached_projects(person.email).items()
            if any(grant.grant_type is GrantType.INDIVIDUAL for grant in grants)
        ]
        steps += [
            partial(directory.teams.remove_member, team.id, person.email)
            for team in directory.teams.all().values()
            if directory.teams.is_member(team, person.email) and not directory.teams.given_by_others(team, person.email)
        ]
    failures: list[AccessError] = []
    for step in steps:
        try:
            step()
        except AccessError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def change_role(session: Session, email: str, role: str) -> None:
    """Change the organization role, unless a brake holds it."""
    with session.brakes.changing(email, role):
        session.directory.change_role(email, role)
