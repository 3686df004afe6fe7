"""Who is of the company, by the pack's own options: for all rules, and over what a stack says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel

from mixpanel_access.model.declaration import Declaration
from mixpanel_access.operations.policy_check import PolicyConfig, violations
from mixpanel_access.rules.catalogue import EXCEPTABLE
from mixpanel_access.rules.company import COMPANY_RULE
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.pack import NAME, servicer_of
from mixpanel_access.rules.pack_policies import Pack, policies
from tests.rules.test_servicer import Call, request

OWNER: dict[str, Any] = {
    "email": "kim@example.org",
    "role": "owner",
    "justification": "Owns it",
    "approver": "ana@example.com",
}
OUTSIDE = "outside the company"
BY_COM = "outside the company (example.com)"
CONTRACTOR: dict[str, Any] = {**OWNER, "email": "c.kim@example.com"}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str | None]] = {
    "the stack's domains, where the pack has none": (OWNER, {"companyDomains": "example.com"}, {}, OUTSIDE),
    "the pack's domains": (OWNER, {}, {"domains": ["example.com"]}, BY_COM),
    "the pack's over the stack's, which let somebody in": (
        OWNER, {"companyDomains": "example.com,example.org"}, {"domains": ["example.com"]}, BY_COM,
    ),
    "the pack's over the stack's, which leave somebody out": (
        OWNER, {"companyDomains": "example.com"}, {"domains": ["example.com", "Example.org"]}, None,
    ),
    "the pack's over a setting of the stack that cannot be read": (
        OWNER, {"companyDomains": "{"}, {"domains": ["example.com"]}, BY_COM,
    ),
    "a name of the pack's": (CONTRACTOR, {"companyDomains": "example.com"}, {"externalNames": ["c.*"]}, OUTSIDE),
    "no such name": (CONTRACTOR, {"companyDomains": "example.com"}, {"externalNames": []}, None),
}  # fmt: skip
RULE = "external-not-privileged"


@pytest.mark.parametrize(("member", "stack", "options", "words"), CASES.values(), ids=CASES)
def test_the_pack_decides_in_the_engine(
    member: dict[str, Any], stack: dict[str, Any], options: dict[str, Any], words: str | None
) -> None:
    """Even while the rule that has the options is off."""
    texts = judged(RULE, member, stack, options)
    assert [bool(words) and str(words) in text for text in texts] == ([True] if words else [])


APPROVERS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "anybody of the company": ({}, {}, True),
    "the stack's": ({"approvers": "omar@example.com"}, {}, False),
    "the pack's": ({}, {"approvers": ["omar@example.com"]}, False),
    "the pack's over the stack's, which take more": (
        {"approvers": "ana@example.com,omar@example.com"}, {"approvers": ["Omar@example.com"]}, False,
    ),
    "the pack's over the stack's, which take fewer": (
        {"approvers": "omar@example.com"}, {"approvers": ["ana@example.com"]}, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("stack", "options", "good"), APPROVERS.values(), ids=APPROVERS)
def test_the_pack_names_the_approvers(stack: dict[str, Any], options: dict[str, Any], good: bool) -> None:
    """Of whom `approver-is-another` takes nobody else."""
    member = {**OWNER, "email": "kim@example.com"}
    settings = {"companyDomains": "example.com", **stack}
    assert (judged("approver-is-another", member, settings, options) == []) is good


def test_commands_judge_as_the_engine_does() -> None:
    """`invite` and `report` take the options from the same file."""
    declared = Declaration({"kim": OWNER}, {}, [], {"organization_roles": True, "exceptions": []}, {}, [])
    around = Context(date(2026, 5, 4), "production", frozenset({"example.com", "example.org"}), rules=EXCEPTABLE)

    def found(options: dict[str, Any]) -> list[str]:
        config = PolicyConfig({COMPANY_RULE: options})
        return [one.email for one in violations(declared, around, config) if one.rule.id == RULE]

    assert found({}) == []
    assert found({"enforcementLevel": "disabled", "domains": ["example.com"]}) == ["kim@example.org"]


def judged(rule: str, member: dict[str, Any], stack: dict[str, Any], options: dict[str, Any]) -> list[str]:
    """What a rule finds in a member, as the engine asks."""
    pack = Pack()
    served: Any = servicer_of(pack)(NAME, "0.0.1", policies(pack), EnforcementLevel.MANDATORY)
    served.Configure(request(company_domains_known=(proto.DISABLED, options)), Call())
    asked = proto.AnalyzeRequest(type="pulumi-python:dynamic/mixpanel:Member", urn="urn", name="kim")
    asked.properties.update(member)
    asked.provider.type = "pulumi:providers:pulumi-python"
    asked.provider.properties.update({f"mixpanel:{key}": value for key, value in stack.items()})
    return [one.message for one in served.Analyze(asked, None).diagnostics if one.policyName == rule]
