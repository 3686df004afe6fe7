"""All rules in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import did_you_mean
from mixpanel_access.rules.accounts import ACCOUNT_RULES
from mixpanel_access.rules.approvals import APPROVAL_RULES
from mixpanel_access.rules.exception_rules import EXCEPTION_RULES
from mixpanel_access.rules.guards import GUARD_RULES
from mixpanel_access.rules.hygiene import HYGIENE_RULES
from mixpanel_access.rules.least_privilege import LEAST_PRIVILEGE_RULES
from mixpanel_access.rules.people import PEOPLE_RULES
from mixpanel_access.rules.people_state import STATE_RULES
from mixpanel_access.rules.roles_and_security import ROLE_RULES, SECURITY_RULES
from mixpanel_access.rules.rule import Rule
from mixpanel_access.rules.separation import SEPARATION_RULES
from mixpanel_access.rules.time_limits import TIME_RULES

RULES: Final[tuple[Rule, ...]] = (
    *PEOPLE_RULES,
    *STATE_RULES,
    *LEAST_PRIVILEGE_RULES,
    *APPROVAL_RULES,
    *ROLE_RULES,
    *ACCOUNT_RULES,
    *SEPARATION_RULES,
    *TIME_RULES,
    *HYGIENE_RULES,
    *EXCEPTION_RULES,
    *GUARD_RULES,
    *SECURITY_RULES,
)
"""Every rule, family by family."""

RULE_IDS: Final = tuple(rule.id for rule in RULES)
EXCEPTABLE: Final[Mapping[str, str | None]] = {
    rule.id: rule.severity.value if rule.exceptable else None for rule in RULES
}
"""Rule id -> its severity, or None where the rule has no exceptions."""


def find(rule_id: str) -> Rule:
    """The rule of an id.

    Raises:
        UsageError: there is none.
    """
    for rule in RULES:
        if rule.id == rule_id.strip().casefold():
            return rule
    raise UsageError(
        "cannot find the rule",
        whom=rule_id,
        why=f"there is none of that name{did_you_mean(rule_id, RULE_IDS)}",
        next_step="`mixpanel-access policy list` shows all.",
    )
