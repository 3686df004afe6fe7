"""One stack, as its roster and its state have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mixpanel_access.files.roster import OtherRosters
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.settings import Settings, company_domains
from mixpanel_access.operations.state import State, team_keys

if TYPE_CHECKING:
    from mixpanel_access.operations.policy_check import PolicyConfig
    from mixpanel_access.rules.facts import Context


def _as_they_come() -> PolicyConfig:
    from mixpanel_access.operations.policy_check import PolicyConfig

    return PolicyConfig({})


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
    read_policies: Callable[[], PolicyConfig] = field(default=_as_they_come, repr=False, compare=False)
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
        from mixpanel_access.operations.policy_check import rules_context  # the rules are slow to load

        return rules_context(self.name, self.settings, self.config, today)
