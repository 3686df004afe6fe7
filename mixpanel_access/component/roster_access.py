"""`RosterAccess`: everything that one roster declares."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pulumi

from mixpanel_access.component.declaration import BRAKE, COMPONENT, declaration, grant_name
from mixpanel_access.model import dates, roster
from mixpanel_access.model.errors import AccessError, ConfigurationError, RosterError
from mixpanel_access.model.ids import COMPONENT_TYPE
from mixpanel_access.model.settings import NAMESPACE
from mixpanel_access.provider import Member, ProjectGrant, RemovalBrake


class RosterAccess(pulumi.ComponentResource):
    """A member and their grants for each person of a roster.

    Children are named by e-mail address and project id, so that neither the order of the entries nor the name of the
    file matters. A grant depends on its member: on destroy, grants go before the person.

    Args:
        resource_name: the component's name in the stack.
        file: the roster's file.
        opts: Pulumi's options.
        today: the day (UTC) for which entries count; by default the stack's `mixpanel:now`, else the clock's.

    Raises:
        RosterError: the file cannot be read or used.
        ConfigurationError: `mixpanel:now` is no instant.
    """

    members: dict[str, Member]
    """The members, by the key of their address."""
    grants: dict[tuple[int, str], ProjectGrant]
    """The grants, by project id and the key of the address."""

    def __init__(
        self, resource_name: str, file: Path, opts: pulumi.ResourceOptions | None = None, today: date | None = None
    ) -> None:
        super().__init__(COMPONENT_TYPE, resource_name, None, opts)
        declared = declaration(read_roster(file), today or _today())
        self.members = {
            name: Member(name, opts=pulumi.ResourceOptions(parent=self), **inputs)
            for name, inputs in declared.members.items()
        }
        self.grants = {
            (project, member): ProjectGrant(
                grant_name(project, member),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self.members[member]]),
                **inputs,
            )
            for (project, member), inputs in declared.grants.items()
        }
        RemovalBrake(
            BRAKE,
            people=declared.people,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*self.members.values(), *self.grants.values()]),
        )
        self.register_outputs({"people": len(self.members), "grants": len(self.grants), **declared.facts})


def _today() -> date:
    now = pulumi.Config(NAMESPACE).get("now")
    try:
        return dates.today(now)
    except ValueError:
        raise ConfigurationError(
            "the Mixpanel configuration cannot be used", why=f"mixpanel:now is {now!r}, which is no ISO 8601 instant"
        ) from None


def roster_program(file: Path) -> None:
    """The whole Pulumi program of a stack that is one roster.

    Raises:
        pulumi.RunError: the roster cannot be used; the engine shows its text alone.
    """
    try:
        RosterAccess(COMPONENT, file)
    except AccessError as error:
        raise pulumi.RunError(str(error)) from None


def read_roster(file: Path) -> roster.Roster:
    """Read a roster's file.

    Raises:
        RosterError: it cannot be read or used.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RosterError(
            "cannot read the roster",
            whom=str(file),
            why=error.strerror if isinstance(error, OSError) and error.strerror else str(error),
            next_step=f"The stack {file.stem!r} needs its roster there.",
        ) from None
    return roster.parse(text, file.name)
