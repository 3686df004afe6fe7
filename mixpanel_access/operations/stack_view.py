"""One stack, and one person over the stacks, as rosters, states and Mixpanel have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path

from mixpanel_access.files.roster import OtherRosters
from mixpanel_access.model.access import AccessInProject, Invitation, Person
from mixpanel_access.model.dates import instant
from mixpanel_access.model.effective_access import (
    EffectivePerson,
    RosterEntry,
)
from mixpanel_access.model.roles import MANAGING_ROLES
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.settings import Settings, approvers, company_domains
from mixpanel_access.operations.policy_check import PolicyConfig
from mixpanel_access.operations.state import State, StateResource
from mixpanel_access.operations.undone import team_keys
from mixpanel_access.rules.catalogue import EXCEPTABLE
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.hygiene import GUARDED


@dataclass(frozen=True)
class StackView:
    """One stack.

    Attributes:
        roster: what that says; None where there is no file.
        other_rosters: what is known of the other rosters in its folder.
        read_policies: reads the levels and options of its policy rules; see `policies`.
        config: its configuration, by the keys without `mixpanel:`; None where it is not known.
    """

    name: str
    settings: Settings
    file: Path
    roster: Roster | None
    state: State
    other_rosters: OtherRosters = field(default_factory=OtherRosters)
    read_policies: Callable[[], PolicyConfig] = field(default=partial(PolicyConfig, {}), repr=False, compare=False)
    config: Mapping[str, str] | None = None

    @cached_property
    def policies(self) -> PolicyConfig:
        """The levels and options of its policy rules: what counts as soon, idle or due; read by what depends on it.

        Raises:
            UsageError: the configuration cannot be read.
        """
        return self.read_policies()

    @cached_property
    def company_domains(self) -> frozenset[str]:
        """The company's e-mail domains; none where they are not set.

        Raises:
            ConfigurationError: the setting cannot be used.
        """
        return company_domains((self.config or {}).get("companyDomains", ""))

    @cached_property
    def team_keys(self) -> Mapping[int, str]:
        """Mixpanel's id of each team in the state -> its key in the roster."""
        return team_keys(self.roster, self.state)

    def context(self, today: date) -> Context:
        """What the policy rules know on a day, but for the stack's resources."""
        return rules_context(self.name, self.settings, self.config, today)


def rules_context(stack: str, settings: Settings, config: Mapping[str, str] | None, today: date) -> Context:
    """What the policy rules know of a stack on a day, but for its resources.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    given = config or {}
    return Context(
        today,
        settings.environment,
        company_domains(given.get("companyDomains", "")),
        rules=EXCEPTABLE,
        approvers=approvers(given.get("approvers", "")),
        settings=None if config is None else {key: given.get(key, "") for key in GUARDED},
        stack=stack,
    )


@dataclass
class PersonOverview:
    """One person over the stacks.

    Attributes:
        email: the address, as the first that has it writes it.
        entries: the roster's entries, by stack.
        effective: what those give today, by stack.
        members: the members in the states, by stack.
        grants: the grants in the states, by stack and project id.
        teams: their places in teams in the states, by stack and the team's name.
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

    @property
    def stacks(self) -> list[str]:
        """The stacks that have the person, in roster or state."""
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
