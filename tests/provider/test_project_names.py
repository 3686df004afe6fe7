"""The name that a roster gives a project is checked against Mixpanel's: a slip in an id gives access elsewhere."""

from __future__ import annotations

import pytest
from pulumi.runtime import rpc

from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.team_grant import TeamGrantProvider
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi, provider_over

NAMES = {
    "another project's": (f"P{WAREHOUSE}", True),
    "in another case": (f" p{WAREHOUSE}", True),
    "its own": (f"P{PRODUCTION}", False),
    "nobody's": ("Shop", False),
    "not known yet": (rpc.UNKNOWN, False),
}


@pytest.mark.parametrize(("name", "refused"), NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("make", [ProjectGrantProvider, ProjectAccessProvider, TeamGrantProvider, CustomRoleProvider])
def test_an_id_is_not_taken_for_the_project_of_another_name(
    make: type[AccessProvider], name: str, refused: bool
) -> None:
    """At preview; an id that is in the state was accepted, and the name is in no state."""
    api = FakeApi()
    api.put("bo@example.com")
    inputs: dict[type[AccessProvider], dict[str, object]] = {
        ProjectGrantProvider: {"email": "bo@example.com", "role": "analyst"},
        ProjectAccessProvider: {"grants": {"bo@example.com": "analyst"}},
        TeamGrantProvider: {"team_id": rpc.UNKNOWN, "role": "analyst"},
        CustomRoleProvider: {"name": "Support", "permissions": []},
    }
    news = {"project_id": PRODUCTION, **inputs[make]}
    result = provider_over(api, make).check({}, {**news, "project_name": name})
    reasons = [failure.reason for failure in result.failures]
    assert [f"{PRODUCTION} is 'P{PRODUCTION}' in Mixpanel" in reason for reason in reasons] == [True] * refused
    assert "project_name" not in result.inputs
    assert provider_over(api, make).check(news, {**news, "project_name": name}).failures == []
