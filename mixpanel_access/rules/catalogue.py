"""All rules, and their reference: `docs/rules.md`, and `policy explain`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.resources import KINDS
from mixpanel_access.model.similarity import did_you_mean
from mixpanel_access.rules.accounts import ACCOUNT_RULES
from mixpanel_access.rules.approvals import APPROVAL_RULES
from mixpanel_access.rules.exception_rules import EXCEPTION_RULES
from mixpanel_access.rules.hygiene import GUARD_RULES, HYGIENE_RULES
from mixpanel_access.rules.least_privilege import LEAST_PRIVILEGE_RULES
from mixpanel_access.rules.people import PEOPLE_RULES
from mixpanel_access.rules.people_state import STATE_RULES
from mixpanel_access.rules.roles_and_security import ROLE_RULES, SECURITY_RULES
from mixpanel_access.rules.rule import Family, Rule
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
"""Rule id -> its severity, or None if the rule allows no exceptions."""


def find(rule_id: str) -> Rule:
    """The rule with this id.

    Raises:
        UsageError: there is none.
    """
    for rule in RULES:
        if rule.id == rule_id.strip().casefold():
            return rule
    raise UsageError(
        "cannot find the rule",
        subject=rule_id,
        why=f"there is none of that name{did_you_mean(rule_id, RULE_IDS)}",
        next_step="`mixpanel-access policy list` shows all.",
    )


WAYS_ROUND: Final = 180
"""How many ways around the rules tests/rules/ways_round tries, each with the rule that stops it."""


def explanation(rule: Rule) -> str:
    """One rule in plain text, for a terminal."""
    lines = [
        rule.id,
        f"  {rule.title}",
        "",
        f"  family      {rule.family}",
        f"  level       {rule.level} (unless the configuration sets another)",
        f"  severity    {rule.severity}",
        f"  judges      {judges(rule)}",
        f"  to fix      {rule.fix}",
        f"  helps with  {', '.join(map(str, rule.controls))}",
    ]
    options = [f"{one.name}: {one.schema['description']} Default: {_default(one.default)}." for one in rule.options]
    return "\n".join(lines + [f"  option      {option}" for option in options])


def reference() -> str:
    """The page of all rules."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield "This page lists the policy rules and their options. [Policies](policies.md) says how to use them."
    yield (
        f"The tests try {WAYS_ROUND} ways around them with the configuration `policies/config/production.json`; a "
        "mandatory finding stops each."
    )
    for family in Family:
        yield ""
        yield f"## {family.value.capitalize()}"
        for rule in (rule for rule in RULES if rule.family is family):
            yield ""
            yield f"### {rule.id}"
            yield ""
            yield rule.title
            yield ""
            yield f"- **Level** {rule.level}, **severity** {rule.severity}; judges {judges(rule)}."
            yield f"- **To fix** {rule.fix}"
            yield f"- **Helps with** {', '.join(map(str, rule.controls))}."
            for option in rule.options:
                default = _default(option.default)
                yield f"- **Option** `{option.name}`: {option.schema['description']} Default: `{default}`."


def judges(rule: Rule) -> str:
    """The resources that a rule judges, in words."""
    kinds = [KINDS[type_].plural for type_ in rule.types]
    return f"{', '.join(kinds)}, one by one" if kinds else "the stack as a whole"


def _default(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return value if isinstance(value, str) else json.dumps(value)
