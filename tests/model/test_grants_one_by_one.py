"""A project's grants as a whole and one by one."""

from __future__ import annotations

from mixpanel_access.model.grants import shared_reasons, single_grants

WHY = {"sow": "SOW-1", "ends": "2027-01-01"}


def test_each_grant_has_what_is_said_of_all_and_of_its_person() -> None:
    """What is said of a person counts before what is said of all; who was added by hand is not declared."""
    props = {
        "project_id": 7, "environment": "production", "ticket": "OPS-1", "sow": "SOW-0",
        "grants": {"Bo@example.com": "analyst", "cy@example.com": "admin", "hand@example.com": "owner"},
        "reasons": [{"people": ["bo@example.com"], **WHY}], "undeclared": ["hand@example.com"],
        "beside": {"cy@example.com": {"ways": ["team"], "role": "owner"}},
    }  # fmt: skip
    common = {"project_id": 7, "environment": "production", "ticket": "OPS-1"}
    assert list(single_grants(props)) == [
        {
            **common, **WHY, "email": "Bo@example.com", "role": "analyst",
            "grant_types": ["individual"], "effective_role": "analyst",
        },
        {
            **common, "sow": "SOW-0", "email": "cy@example.com", "role": "admin",
            "grant_types": ["individual", "team"], "effective_role": "owner",
        },
    ]  # fmt: skip
    assert list(single_grants({"grants": "unknown"})) == []


def test_before_it_is_there_nobody_knows_the_ways() -> None:
    """As with a single grant."""
    (one,) = single_grants({"project_id": 7, "grants": {"bo@example.com": "analyst"}})
    assert "grant_types" not in one


def test_a_reason_that_several_share_stands_there_once() -> None:
    """And splits into what each of them had. The order is the same whoever comes first."""
    grants = [
        {"project_id": 7, "role": "analyst", "email": "a@example.com", **WHY},
        {"project_id": 7, "role": "analyst", "email": "b@example.com", **WHY, "ticket": "OPS-1"},
        {"project_id": 7, "role": "analyst", "email": "c@example.com", "ends": "2027-01-01", "sow": "SOW-1"},
        {"project_id": 7, "role": "analyst", "email": "d@example.com"},
    ]
    reasons = shared_reasons(grants)
    assert reasons == [
        {"people": ["b@example.com"], **WHY, "ticket": "OPS-1"},
        {"people": ["a@example.com", "c@example.com"], **WHY},
    ]
    backwards = shared_reasons(reversed(grants))
    assert [one | {"people": sorted(one["people"])} for one in backwards] == reasons
    whole = {"project_id": 7, "grants": {one["email"]: one["role"] for one in grants}, "reasons": reasons}
    assert list(single_grants(whole)) == grants
