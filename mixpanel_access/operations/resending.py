"""Send an invitation again, and have the states know of it: they alone hold when an invitation went out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mixpanel_access.directory.invitations import Invitations
from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import expiry, written
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.likeness import meant_address
from mixpanel_access.operations.picture import Picture
from mixpanel_access.operations.project import Progress, Project


@dataclass(frozen=True)
class Resent:
    """An invitation that went out again.

    Attributes:
        email: to whom.
        at: when.
        expires_at: when it ends, at the latest.
        stacks: the stacks whose states know of it.
    """

    email: str
    at: datetime
    expires_at: datetime
    stacks: list[str]


def resend(project: Project, picture: Picture, email: str, progress: Progress) -> Resent:
    """Send an invitation again, within Mixpanel's hourly limit.

    Raises:
        UsageError: there is nobody to invite again.
        RateLimited: the limit is reached, and there is no time left to wait.
    """
    person = picture.directory.person(email)
    if person is None or not person.invited:
        meant = meant_address(email, [one.email for one in picture.directory.people().values()])
        raise UsageError(
            "cannot send the invitation again",
            whom=email,
            why="it is accepted already" if person else f"nobody of this address is in the organization{meant}",
            next_step="They can log in." if person else "Declare them in a roster, and run `pulumi up`.",
        )
    settings = next(iter(picture.stacks.values())).settings
    limited = Invitations(picture.directory, settings.invitation_wait_seconds, lambda: picture.now, progress)
    limited.resend(person.email, person.role or roles.MEMBER)
    until = expiry(picture.now, settings.invitation_life_days)
    standing = picture.of(same_key(email))
    members = standing.members if standing else {}
    noted = []
    for stack, member in sorted(members.items()):
        _note(project, stack, member.urn, picture.now, until)
        noted.append(stack)
        progress(f"noted it in the state of stack {stack}")
    return Resent(person.email, picture.now, until, noted)


def _note(project: Project, stack: str, urn: str, at: datetime, until: datetime) -> None:
    """Write into a state when the invitation went out, by the engine's own export and import."""
    deployment = project.export(stack)
    for resource in deployment["deployment"]["resources"]:
        if resource["urn"] == urn and not resource.get("delete"):
            outputs = resource["outputs"]
            outputs["invited_at"], outputs["expires_at"] = written(at), written(until)
            outputs["status"] = Invitation.PENDING.value
    project.replace_state(stack, deployment)
