"""Ways round the rules: what somebody tries, the rule that stops it, and what passes in its place.

Each family of rules has a module beside this one with a table `WAYS`. A row is a roster of production as it would be
merged, judged by the configuration that ships, policies/config/production.json; only a mandatory finding stops it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.operations.policy_check import read_policy_config, violations
from mixpanel_access.rules.catalogue import EXCEPTABLE, find
from mixpanel_access.rules.company import COMPANY_RULE
from mixpanel_access.rules.facts import Context, Stack
from mixpanel_access.rules.rule import Level

TODAY: Final = date(2026, 5, 4)
CONFIG: Final = read_policy_config(Path(__file__).parents[3] / "policies" / "config" / "production.json")
AROUND: Final = Context(TODAY, "production", frozenset({"example.com"}), rules=EXCEPTABLE)
ENGAGEMENT: Final[Mapping[str, Any]] = {
    "type": "analytics_review",
    "sow": "SOW-2026-014",
    "ticket": "OPS-4711",
    "approver": "ana@example.com",
    "sponsor": "omar@example.com",
    "justification": "Reviews the checkout funnels",
    "starts": "2026-04-20",
    "ends": "2026-06-15",
}
ROBIN: Final[Mapping[str, Any]] = {
    "email": "robin@agency.example.org",
    "organizationRole": "member",
    "engagement": "funnels",
    "projects": {"shop": "analyst"},
}
OWNERS: Final = [
    {
        "email": f"{name}@example.com",
        "organizationRole": "owner",
        "justification": "Owns the organization",
        "approver": f"{other}@example.com",
        "ticket": "OPS-1",
        "reviewed": "2026-04-01",
    }
    for name, other in (("ana", "omar"), ("omar", "ivy"), ("ivy", "ana"))
]
"""The owners, who are members too, so that they can approve."""
BASE: Final[Mapping[str, Any]] = {
    "environment": "production",
    "organizationRoles": True,
    "projects": {"shop": {"id": 1234567, "environment": "production"}},
    "engagements": {"funnels": ENGAGEMENT},
    "people": [*OWNERS, ROBIN],
}
"""A roster that passes."""


def roster(**changes: Any) -> dict[str, Any]:
    """The roster that passes, but for some of its sections; `people` are beside the owners."""
    people = [*OWNERS, *changes.pop("people", [ROBIN])]
    return {**BASE, **changes, "people": people}


@dataclass(frozen=True)
class Way:
    """One way round.

    Attributes:
        rule: the rule that stops it.
        tried: the roster, or the resources of a program.
        control: what is like it, and may be done.
        around: day, environment and company, where they are not the usual ones.
        options: of the rule, where they are not those of policies/config/production.json.
        pack: who is of the company, where the pack says it; for a roster.
        around_control: what is around the control, where that makes the difference.
    """

    rule: str
    tried: Mapping[str, Any] | Stack
    control: Mapping[str, Any] | Stack
    around: Context = AROUND
    options: Mapping[str, Any] = field(default_factory=dict)
    pack: Mapping[str, Any] = field(default_factory=dict)
    around_control: Context | None = None

    def stopped_by(self, what: Mapping[str, Any] | Stack) -> set[str]:
        """The rules that hold something, as mandatory."""
        around = self.around_control if what is self.control and self.around_control else self.around
        if isinstance(what, Stack):
            rule = find(self.rule)
            level, options = CONFIG.of(rule)
            verdict = rule.judge_stack(what.resolved(), replace(around, options={**options, **self.options}))
            held: Sequence[Any] = (*verdict.findings, *verdict.not_judged)
            return {self.rule} if held and level is Level.MANDATORY else set()
        own = {self.rule: self._entry()} if self.options else {}
        config = replace(CONFIG, rules={**CONFIG.rules, **own, **({COMPANY_RULE: self.pack} if self.pack else {})})
        declared = declaration(parse(json.dumps(what), RosterSource("production.yaml")), around.today)
        return {one.rule.id for one in violations(declared, around, config) if one.level is Level.MANDATORY}

    def _entry(self) -> dict[str, Any]:
        level, _ = CONFIG.of(find(self.rule))
        return {"enforcementLevel": level.value, **self.options}
