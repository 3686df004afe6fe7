"""What is suggested for one role, and why: what the policy rules find, and what only Mixpanel knows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.operations.policy_check import PolicyConfig, active_rules
from mixpanel_access.rules.catalogue import find
from mixpanel_access.rules.entry import Entry, Type
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.rule import Rule, Suggestion


@dataclass(frozen=True)
class Role:
    """One role of one person, as the rules see it.

    Attributes:
        entry: the role: a grant, or the membership of the organization.
        person: the membership of the organization with what Mixpanel shows of the person; it declares nothing.
        never: whether they accepted the invitation and Mixpanel, which shows logins of others, shows none of theirs.
    """

    entry: Entry
    person: Entry
    engagement: str | None = None
    approver: str | None = None
    never: bool = False
    since: date | None = None

    @property
    def in_project(self) -> bool:
        """Whether it is a project role, and not the organization role."""
        return self.entry.type == Type.GRANT


@dataclass(frozen=True)
class Advice:
    """What the review suggests for one role."""

    suggestion: Suggestion
    reason: str
    role: str | None = None


def is_lower(role: str, than: str, *, in_project: bool) -> bool:
    """Whether a role is lower than another; a custom role has no height, and is none that one can lower to."""
    order = _order(in_project=in_project)
    return role in order and than in order and order.index(role) > order.index(than)


def _order(*, in_project: bool) -> Sequence[str]:
    return roles.PROJECT_ROLES if in_project else roles.ORGANIZATION_ROLES


@dataclass(frozen=True)
class ReviewRules:
    """What a review asks of every role of a stack.

    Attributes:
        rules: the rules with a suggestion that the stack leaves on, each with its suggestion and its context.
        never_days: within how many days a first login is expected.
        ends: the rules about the end of access, each with its word and its context, even if the stack turns them off.
    """

    today: date
    rules: Sequence[tuple[Rule, Suggestion, Context]]
    never_days: int
    ends: Sequence[tuple[Rule, str, Context]]

    @classmethod
    def of(cls, around: Context, config: PolicyConfig) -> ReviewRules:
        """The rules of one stack."""
        active = active_rules(around, config)
        rules = [(rule, rule.suggestion, context) for rule, _, context in active if rule.suggestion is not None]
        words = {"not-expired": "over", "ending-soon": "ends soon"}
        found = ((find(rule), word) for rule, word in words.items())
        ends = [(rule, word, replace(around, options=config.of(rule)[1])) for rule, word in found]
        return cls(around.today, rules, config.never_days, ends)

    def state_on(self, last: date | None) -> str:
        """Whether access with this last day is `current`, `ends soon` or `over`, as the rules judge it."""
        stack = Stack([Entry(Type.MEMBER, "the access", values={"ends": last.isoformat() if last else None})])
        said = (word for rule, word, context in self.ends if rule.judge_stack(stack, context).findings)
        return next(said, "current")


def _by_the_rules(role: Role, asked: ReviewRules) -> Iterator[Advice]:
    """What the rules suggest; where a lower role would do, to lower it."""
    for rule, suggestion, context in asked.rules:
        try:
            verdict = rule.judge_stack(Stack([role.entry, role.person]), context)
        except NotApplicable:
            continue
        for finding in verdict.findings:
            reason = finding.text.removeprefix(f"{finding.entry}: ")
            to = rule.highest(role.entry, context) if rule.highest else None
            if to and is_lower(to, role.entry.role, in_project=role.in_project):
                yield Advice(Suggestion.LOWER, reason, to)
            else:
                yield Advice(suggestion, reason)


def _never_used(role: Role, asked: ReviewRules) -> Iterator[Advice]:
    if role.never and role.since is not None and (days := (asked.today - role.since).days) >= asked.never_days:
        yield Advice(Suggestion.REMOVE, f"the invitation was accepted, and there was no login in {days} days")


def _unexplained(role: Role) -> Iterator[Advice]:
    missing = [name for name in ("engagement", "approver") if not getattr(role, name)]
    if missing:
        yield Advice(Suggestion.CHECK, f"the roster names no {' and no '.join(missing)}")


_SEVERITY: Final = list(Suggestion)


def advise(role: Role, asked: ReviewRules) -> Advice:
    """The strongest of all that is suggested, with every reason; of several roles to lower to, the lowest."""
    found = [*_by_the_rules(role, asked), *_never_used(role, asked), *_unexplained(role)]
    if not found:
        return Advice(Suggestion.KEEP, "no rule objects")
    strongest = max((advice.suggestion for advice in found), key=_SEVERITY.index)
    lower = [advice.role for advice in found if advice.role is not None]
    to = max(lower, key=_order(in_project=role.in_project).index) if strongest is Suggestion.LOWER else None
    return Advice(strongest, "; ".join(dict.fromkeys(advice.reason for advice in found)), to)
