"""The exceptions from policy rules that rosters declare on days of a period, and the rules that are weakened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mixpanel_access.model.declared_inputs import exception_inputs
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.evidence.document import ExceptionRow, Period, WeakenedRuleRow
from mixpanel_access.operations.policy_check import PolicyConfig, with_company
from mixpanel_access.rules.catalogue import RULES
from mixpanel_access.rules.entry import ExceptionEntry
from mixpanel_access.rules.exceptions import problem_with, span
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.rule import Level


@dataclass(frozen=True, kw_only=True)
class RulesOfStack:
    """The roster and the policy configuration of a stack on the last day of a period.

    Attributes:
        stack: the stack.
        commit: the commit that has them; "" for the present files.
        roster: the roster, or None if there is none.
        roster_path: its path, relative to the project.
        config: the policy configuration.
        config_path: its path, relative to the project.
        context: what the rules know of the stack.
    """

    stack: str
    commit: str
    roster: Roster | None
    roster_path: str
    config: PolicyConfig
    config_path: str
    context: Context


def weakened_rules(rules: RulesOfStack) -> Iterator[WeakenedRuleRow]:
    """The rules that a stack's configuration disables or makes advisory."""
    for rule in RULES:
        level, _ = rules.config.of(rule)
        if _ORDER.index(level) < _ORDER.index(rule.level):
            yield WeakenedRuleRow(
                stack=rules.stack,
                path=rules.config_path,
                commit=rules.commit,
                rule=rule.id,
                level=level.value,
                usual_level=rule.level.value,
            )


_ORDER: Final = [*Level]


def exception_rows(rules: RulesOfStack, period: Period) -> Iterator[ExceptionRow]:
    """The exceptions of a stack on days of a period."""
    roster = rules.roster
    if roster is None:
        return
    context = with_company(rules.context, rules.config)
    for one in roster.exceptions:
        entry = ExceptionEntry.of(exception_inputs(roster, one))
        days = span(entry)
        if days and (days[1] < period.first or days[0] > period.last):
            continue
        yield ExceptionRow(
            source="roster",
            stack=rules.stack,
            path=rules.roster_path,
            commit=rules.commit,
            rule=one.rule,
            person=one.email or "",
            project=one.project or "",
            reason=one.reason,
            ticket=one.ticket or "",
            approver=one.approver,
            starts=one.starts or "",
            ends=one.ends,
            note=f"it does not count: {problem}" if (problem := problem_with(entry, context)) else "",
        )
