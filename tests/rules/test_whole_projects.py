"""The rules over a `ProjectAccess`: each person's grant is judged as if it were a resource of its own."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mixpanel_access.model.resources import GRANT_TYPE, PROJECT_ACCESS_TYPE
from mixpanel_access.rules.catalogue import RULES, find
from mixpanel_access.rules.entry import UNKNOWN, Type, entries_of
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.rule import Rule, RuleVerdict

CONTEXT = Context(date(2026, 5, 4), "production", frozenset({"example.com"}))
ROBIN = {"project_id": 7, "email": "robin@agency.example.org", "role": "owner", "environment": "production"}
BESIDE = {ROBIN["email"]: {"ways": ["team", "all_users"], "role": "owner"}}


def whole(**more: Any) -> dict[str, Any]:
    """One project with one grant that no rule likes, and one that has everything."""
    return {
        "project_id": 7, "environment": "production", "grants": {ROBIN["email"]: "owner"}, "beside": BESIDE, **more,
    }  # fmt: skip


def verdict(rule: Rule, kind: str, values: dict[str, Any]) -> RuleVerdict | None:
    """What a rule finds in a stack of this one resource; None where it does not concern it."""
    context = Context(CONTEXT.today, CONTEXT.environment, CONTEXT.company_domains, rule.defaults)
    try:
        return rule.judge_stack(Stack(entries_of(kind, "one", "urn", values)), context)
    except NotApplicable:
        return None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_finds_the_same_as_in_a_single_grant(rule: Rule) -> None:
    """In the same words, with the resource's own name in the engine."""
    single = {**ROBIN, "grant_types": ["individual", "team", "all_users"], "effective_role": "owner"}
    alone, among = verdict(rule, GRANT_TYPE, single), verdict(rule, PROJECT_ACCESS_TYPE, whole())
    assert (alone is None) is (among is None)
    if alone and among:
        assert [finding.text for finding in among.findings] == [finding.text for finding in alone.findings]
        assert all(finding.entry is None or finding.entry.urn == "urn" for finding in among.findings)


def test_some_rules_find_something() -> None:
    """Else the other test would compare nothing with nothing."""
    found = [one for rule in RULES if (one := verdict(rule, PROJECT_ACCESS_TYPE, whole())) and one.findings]
    assert len(found) > 5


@pytest.mark.parametrize("field", ["grants", "reasons"])
def test_what_is_not_known_yet_is_not_judged(field: str) -> None:
    """It is neither a violation nor none."""
    rule = next(rule for rule in RULES if Type.GRANT in rule.types)
    judged = verdict(rule, PROJECT_ACCESS_TYPE, whole(**{field: UNKNOWN}))
    assert judged is not None
    assert judged.not_judged


def test_other_resources_are_none_of_the_rules() -> None:
    """What they do not know, they do not see."""
    assert entries_of("random:index:Other", "one", "urn", {}) == []


def test_the_kind_of_a_person_is_part_of_their_reasons() -> None:
    """A contractor with an address of the company is external in a whole project too, and the others are not."""
    rule = find("collaborator-not-project-owner")
    grants = {"kim@example.com": "owner", "bo@example.com": "owner"}
    reasons = [{"people": ["Kim@example.com"], "kind": "contractor"}]
    judged = verdict(rule, PROJECT_ACCESS_TYPE, whole(grants=grants, reasons=reasons))
    assert judged is not None
    assert [finding.text.split()[0] for finding in judged.findings] == ["kim@example.com"]
