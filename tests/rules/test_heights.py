"""How much a role gives, and what the rules make of a custom role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mixpanel_access.rules.entry import UNKNOWN, Entry, Type
from mixpanel_access.rules.facts import Stack
from mixpanel_access.rules.rule import RuleVerdict
from tests.rules.cases import CUSTOM, Case, custom_role, grant, team_grant, team_member

CLASSIFIED = "classified-data-justified"
RULES = ("role-within-standard", "external-within-limit", "admin-has-reason")


def judged(rule_id: str, entries: Sequence[Entry]) -> RuleVerdict:
    """What a rule says of a stack whose custom roles are resolved, as the pack does it."""
    return Case(list(Stack(entries).resolved().entries)).judge(rule_id)


def support(permissions: Any, **values: Any) -> Entry:
    """A custom role that Mixpanel has made."""
    return custom_role(permissions=permissions, role_id=CUSTOM, **values)


HIGH: dict[str, list[str]] = {
    "manages people": ["view_project", "invite_users"],
    "changes settings": ["edit_project_settings"],
    "deletes": ["delete_profiles"],
    "in capitals": ["MANAGE_PIPELINES"],
}


@pytest.mark.parametrize("permissions", HIGH.values(), ids=HIGH)
@pytest.mark.parametrize("word", [CUSTOM, "custom:support"])
def test_a_custom_role_that_manages_counts_as_admin(permissions: list[str], word: str) -> None:
    """By its id, and by its key in the roster: above the standard, above the limit, and in need of a reason."""
    entries = [support(permissions), grant(role=word, justification=None)]
    for rule_id in RULES:
        assert judged(rule_id, entries).findings, rule_id
    through = [support(permissions), team_grant(word), team_member()]
    assert judged("team-within-standard", through).findings


def test_what_mixpanel_adds_counts_too() -> None:
    """And a role that does not manage is an analyst's, or a consumer's if it only reads."""
    assert judged(
        "external-within-limit", [support(["x"], base_permissions=["delete_data"]), grant(role=CUSTOM)]
    ).findings
    reads, writes = support(["view_reports"], base_permissions=["view"]), support(["edit_reports"])
    audit = grant(role=CUSTOM, engagement_type="audit")
    assert not judged(
        "role-within-standard", [support(["view_reports"], base_permissions=["view_all"]), audit]
    ).findings
    assert judged("role-within-standard", [writes, audit]).findings
    for role in (reads, writes):
        assert not judged("role-within-standard", [role, grant(role=CUSTOM)]).findings


UNSEEN: dict[str, list[Entry]] = {
    "not declared": [grant(role=CUSTOM, justification=None)],
    "permissions from another resource": [support(UNKNOWN), grant(role=CUSTOM, justification=None)],
    "another role": [support(["view_reports"], name="Other"), grant(role=CUSTOM.replace("1", "2"), justification=None)],
}


@pytest.mark.parametrize("entries", UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize("rule_id", [*RULES, CLASSIFIED])
def test_a_custom_role_that_nobody_sees_is_not_exempt(rule_id: str, entries: list[Entry]) -> None:
    """The rule says what it cannot judge, about the person, so that an exception of theirs holds."""
    verdict = judged(rule_id, entries)
    assert (list(verdict.findings), len(verdict.not_judged)) == ([], 1)
    assert verdict.not_judged[0].entry is not None
    assert verdict.not_judged[0].entry.type == Type.GRANT
    excepted = {"rule": rule_id, "reason": "r", "ticket": "OPS-1", "approver": "ana@example.com"}
    excepted |= {"starts": "2026-05-02", "ends": "2026-05-31"}
    held = [replace(one, values={**one.values, "exceptions": [excepted]}) for one in entries if one.type == Type.GRANT]
    assert not judged(rule_id, held).not_judged


def test_employees_with_a_custom_role_are_quiet() -> None:
    """No type, no limit; a reason is there."""
    entries = [grant("a@example.com", CUSTOM, engagement_type=None)]
    for rule_id in (*RULES, CLASSIFIED):
        verdict = judged(rule_id, entries)
        assert not verdict.findings
        assert not verdict.not_judged
