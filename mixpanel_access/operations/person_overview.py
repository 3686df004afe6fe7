"""One person over the stacks, as rosters, states and Mixpanel have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from mixpanel_access.model.access import AccessInProject, Invitation, Person
from mixpanel_access.model.dates import instant
from mixpanel_access.model.effective_access import EffectivePerson, RosterEntry
from mixpanel_access.model.roles import MANAGING_ROLES
from mixpanel_access.operations.state import StateResource


@dataclass
class PersonOverview:
    """One person over the stacks.

    Attributes:
        email: the address, as the first that has it writes it.
        entries: the roster's entries, by stack.
        effective: what those give today, by stack.
        members: the members in the states, by stack.
        grants: the grants in the states, by stack and project id.
        teams: their memberships in teams in the states, by stack and the team's name.
        person: the person as Mixpanel has them, or None.
        access: how they reach the projects of rosters and states, by project id.
    """

    key: str
    email: str
    entries: dict[str, Sequence[RosterEntry]] = field(default_factory=dict)
    effective: dict[str, EffectivePerson] = field(default_factory=dict)
    members: dict[str, StateResource] = field(default_factory=dict)
    grants: dict[tuple[str, int], StateResource] = field(default_factory=dict)
    teams: dict[tuple[str, str], StateResource] = field(default_factory=dict)
    person: Person | None = None
    access: dict[int, AccessInProject] = field(default_factory=dict)

    @cached_property
    def stacks(self) -> list[str]:
        """The stacks that have the person, in roster or state, once both have been read."""
        return sorted({*self.entries, *self.members, *(stack for stack, _ in (*self.grants, *self.teams))})

    def current(self, today: date) -> list[tuple[str, RosterEntry]]:
        """The entries that declare something on a day, each with its stack."""
        return [(stack, entry) for stack, own in self.entries.items() for entry in own if entry.current(today)]

    @property
    def invited_at(self) -> datetime | None:
        """When we sent the latest invitation, or None if no state says."""
        return self._latest("invited_at")

    @property
    def expires_at(self) -> datetime | None:
        """When the invitation expires; where no state has sent it, when it expires at the latest."""
        return self._latest("expires_at", [one for one in self.members.values() if one.outputs.get("invited_at")])

    def _latest(self, name: str, among: Sequence[StateResource] = ()) -> datetime | None:
        known = [member.outputs.get(name) for member in among or self.members.values()]
        return max((instant(text) for text in known if text), default=None)

    @property
    def managing_role(self) -> str | None:
        """The organization role that lets them in with a password all the same: the one they have, else declared."""
        declared = next((one.organization_role for one in self.effective.values() if one.organization_role), None)
        role = (self.person.role if self.person else None) or declared
        return role if role in MANAGING_ROLES else None

    def invitation(self, now: datetime) -> Invitation | None:
        """How far the person has come into the organization; None if they are not in it."""
        if self.person is None:
            return None
        if not self.person.invited:
            return Invitation.ACCEPTED
        ends = self.expires_at
        return Invitation.EXPIRED if ends is not None and ends <= now else Invitation.PENDING

    def waiting(self, now: datetime) -> Invitation | None:
        """How the invitation stands that somebody has to accept; None if no roster gives them anything today.

        Then nobody sends it again.
        """
        invitation = self.invitation(now)
        return invitation if self.effective and invitation in (Invitation.PENDING, Invitation.EXPIRED) else None
