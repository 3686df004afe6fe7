"""The reference of all rules, in Markdown and in words; `docs/rules.md` is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from mixpanel_access.model.resources import KINDS
from mixpanel_access.rules.catalogue import RULES
from mixpanel_access.rules.rule import Family, Rule

WAYS_ROUND: Final = 180
"""How many ways round the rules are tried, each with the rule that stops it; the table is in tests/rules/ways_round."""


def explanation(rule: Rule) -> str:
    """One rule in plain text, for a terminal."""
    lines = [
        rule.id,
        f"  {rule.title}",
        "",
        f"  family      {rule.family}",
        f"  level       {rule.level} (unless the configuration sets another)",
        f"  severity    {rule.severity}",
        f"  judges      {_judges(rule)}",
        f"  to fix      {rule.fix}",
        f"  helps with  {', '.join(map(str, rule.controls))}",
    ]
    options = [f"{one.name}: {one.schema['description']} Default: {_default(one.default)}." for one in rule.options]
    return "\n".join(lines + [f"  option      {option}" for option in options])


def reference() -> str:
    """The page of all rules."""
    return "\n".join(_page()) + "\n"


def as_document(rule: Rule) -> dict[str, Any]:
    """A rule as a JSON document."""
    return {
        "id": rule.id,
        "family": rule.family.value,
        "title": rule.title,
        "level": rule.level.value,
        "severity": rule.severity.value,
        "judges": _judges(rule),
        "fix": rule.fix,
        "controls": [str(control) for control in rule.controls],
        "options": {option.name: dict(option.schema) for option in rule.options},
    }


def _page() -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield "Made by `make reference` from `mixpanel_access/rules`; how to use them is in [policies](policies.md)."
    yield (
        f"{WAYS_ROUND} ways round them are tried with the configuration `policies/config/production.json`, and each is "
        "stopped by a mandatory finding."
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
            yield f"- **Level** {rule.level}, **severity** {rule.severity}; judges {_judges(rule)}."
            yield f"- **To fix** {rule.fix}"
            yield f"- **Helps with** {', '.join(map(str, rule.controls))}."
            for option in rule.options:
                default = _default(option.default)
                yield f"- **Option** `{option.name}`: {option.schema['description']} Default: `{default}`."


def _judges(rule: Rule) -> str:
    kinds = [KINDS[kind].plural for kind in rule.kinds]
    return f"{', '.join(kinds)}, one by one" if kinds else "the stack as a whole"


def _default(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return value if isinstance(value, str) else json.dumps(value)
