"""What the engine hands to the pack, where a part of it is not known before the update."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy import PolicyResource, PolicyResourceOptions, ResourceValidationArgs, StackValidationArgs
from pulumi_policy.proxy import UNKNOWN_ARRAY_VALUE, UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.ids import COMPONENT_TYPE, GRANT_TYPE, PROJECT_ACCESS_TYPE
from mixpanel_access.rules.pack import policies

RULE = "admin-has-reason"
OPTIONS = PolicyResourceOptions(False, [], False, [], None, [], {})  # type: ignore[arg-type]
BO, CY = "bo@example.com", "cy@example.com"


def judged(props: dict[str, Any], rule: str = RULE, config: dict[str, Any] | None = None) -> tuple[list[str], str]:
    """What the rule finds in a `ProjectAccess`, and what it could not judge."""
    args = ResourceValidationArgs(
        PROJECT_ACCESS_TYPE, unknown_checking_proxy(props), "urn", "whole", OPTIONS, None, config or {}, {}
    )
    (policy,) = (one for one in policies() if one.name == rule)
    found: list[str] = []
    try:
        policy.validate(args, lambda message, _urn=None: found.append(message))  # type: ignore[attr-defined]
    except UnknownValueError as error:
        return found, error.message
    return found, ""


def test_one_role_that_is_not_known_leaves_the_others_judged() -> None:
    """A custom role that is yet to be made hides nobody else's grant."""
    whole = {"project_id": 7.0, "environment": "production", "grants": {BO: "admin", CY: UNKNOWN_STRING_VALUE}}
    found, not_judged = judged(whole)
    assert len(found) == 1
    assert BO in found[0]
    assert not_judged == f"role of whole:{CY} is not known before the update"


@pytest.mark.parametrize("part", ["grants", "reasons"])
def test_what_is_not_known_as_a_whole_is_not_judged(part: str) -> None:
    """It is neither a violation nor none."""
    whole = {"project_id": 7.0, "grants": {BO: "admin"}, part: UNKNOWN_ARRAY_VALUE}
    found, not_judged = judged(whole)
    assert found == []
    assert "not known before the update" in not_judged


@pytest.mark.parametrize(
    ("rule", "options", "words"),
    [
        (
            "metadata-well-formed",
            {"ticket": "["},
            "ticket: '[' is no pattern (unterminated character set at position 0)",
        ),
        ("justified", {"lowst": "admin"}, "'lowst' is no option of it (did you mean 'lowest'?); there are lowest"),
    ],
)
def test_a_configuration_that_the_engine_lets_pass_is_refused(rule: str, options: dict[str, Any], words: str) -> None:
    """In one line, and nothing is judged by halves."""
    with pytest.raises(UsageError) as told:
        judged({"project_id": 7.0, "grants": {BO: "admin"}}, rule, options)
    assert str(told.value) == (
        f"cannot use the policies' configuration for {rule}: {words}. "
        "Mend the file of --policy-pack-config and run again."
    )


def of_stack(rule_id: str, resources: dict[str, dict[str, Any]]) -> list[tuple[str, str | None]]:
    """What a rule finds in a stack of these resources, by their types: the message and the resource it is shown at."""
    given = [
        PolicyResource(kind, unknown_checking_proxy(props), f"urn::{kind}", kind, OPTIONS, None, None, [], {})
        for kind, props in resources.items()
    ]
    (policy,) = (one for one in policies() if one.name == rule_id)
    found: list[tuple[str, str | None]] = []
    policy.validate(  # type: ignore[attr-defined]
        StackValidationArgs(given, {}, {}), lambda message, urn=None: found.append((message, urn))
    )
    return found


def test_what_is_found_about_the_stack_is_shown_at_the_stack() -> None:
    """A project that is open to everybody is no single person's, and is excepted by the roster's own exceptions."""
    rule = "no-all-users-in-production"
    bo = {"email": BO, "project_id": 7.0, "environment": "production", "grant_types": ["all_users"], "role": "admin"}
    ((message, urn),) = of_stack(rule, {GRANT_TYPE: bo})
    assert message.startswith("project 7: everybody in the organization has access to it")
    assert urn is None
    given = {"rule": rule, "reason": "r", "approver": "a", "ends": "9999-12-31"}
    assert of_stack(rule, {GRANT_TYPE: {**bo, "exceptions": [given]}}) == [(message, None)]
    assert of_stack(rule, {GRANT_TYPE: bo, COMPONENT_TYPE: {"exceptions": [given]}}) == []
