"""What the engine hands to the pack, where a part of it is not known before the update."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy import PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.proxy import UNKNOWN_ARRAY_VALUE, UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from mixpanel_access.model.ids import PROJECT_ACCESS_TYPE
from mixpanel_access.rules.pack import policies

RULE = "admin-has-reason"
BO, CY = "bo@example.com", "cy@example.com"


def judged(props: dict[str, Any]) -> tuple[list[str], str]:
    """What the rule finds in a `ProjectAccess`, and what it could not judge."""
    options = PolicyResourceOptions(False, [], False, [], None, [], {})  # type: ignore[arg-type]
    args = ResourceValidationArgs(
        PROJECT_ACCESS_TYPE, unknown_checking_proxy(props), "urn", "whole", options, None, {}, {}
    )
    (policy,) = (one for one in policies() if one.name == RULE)
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
