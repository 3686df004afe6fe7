"""Every form in which an organization role may come, at every reader of one (contract, section 2)."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.api import projects, users
from mixpanel_access.api.audit_log import audit_events_from
from mixpanel_access.api.me import identity_from
from mixpanel_access.api.service_accounts import accounts_from
from mixpanel_access.api.teams import teams_from
from mixpanel_access.model.teams import NO_ROLE

NONE: dict[str, Any] = {
    "no role": "no role", "in capitals": "No Role", "null": None, "empty": "", "blank": " ",
    "an object": {"id": None, "name": "no role"}, "an object of nulls": {"id": None, "name": None},
    "an object of the audit log": {"id": "no role", "name": "", "is_custom_role": False},
}  # fmt: skip
WORDS: dict[str, tuple[Any, str]] = {
    "owner": ("owner", "owner"), "in capitals": ("Member", "member"), "two words": ("Billing Admin", "billing_admin"),
    "an object": ({"id": 3, "name": "Admin"}, "admin"), "an object without a name": ({"id": "admin"}, "admin"),
    "unknown": ("superuser", "superuser"), "an unknown object": ({"id": 9, "name": "Super User"}, "super_user"),
}  # fmt: skip


def read(row: dict[str, Any]) -> dict[str, str | None]:
    """What each reader makes of a row with these fields."""
    named = {name: value for name, value in row.items() if name != "role"}
    own = {**row, **({"role": row["org_role"]} if "org_role" in row else {})}
    (person,) = users.people_from([{"email": "bo@example.com", **row}], "x")
    (account,) = accounts_from([{"id": 1, "username": "bot", **named}], "x")
    (team,) = teams_from([{"id": 77, "name": "Data", "projects": [], **named}], "x")
    ours = identity_from({"organizations": {"7": own}}, "x").organizations[7]
    return {"people": person.role, "service accounts": account.role, "teams": team.organization_role, "me": ours}


@pytest.mark.parametrize("name", ["org_role", "organization_role"])
@pytest.mark.parametrize("value", NONE.values(), ids=NONE.keys())
def test_no_role_is_member_and_a_team_has_none(value: Any, name: str) -> None:
    """Wherever a row tells it."""
    assert read({name: value}) == {"people": "member", "service accounts": "member", "teams": NO_ROLE, "me": "member"}


@pytest.mark.parametrize("name", ["org_role", "organization_role"])
@pytest.mark.parametrize(("value", "role"), WORDS.values(), ids=WORDS.keys())
def test_any_other_word_is_itself(value: Any, role: str, name: str) -> None:
    """Known or not."""
    assert set(read({name: value}).values()) == {role}


@pytest.mark.parametrize(
    "row", [{}, {"org_role": {}}, {"org_role": {"rank": 3}}], ids=["no key", "empty", "other keys"]
)
def test_what_no_row_tells_is_unknown(row: dict[str, Any]) -> None:
    """It is never taken for no role."""
    assert set(read(row).values()) == {None}


@pytest.mark.parametrize("empty", NONE.values(), ids=NONE.keys())
def test_an_empty_name_does_not_hide_the_other(empty: Any) -> None:
    """A row with two names for its role tells it under one of them."""
    (person,) = users.people_from([{"email": "bo@example.com", "role": empty, "org_role": "owner"}], "x")
    (team,) = teams_from(
        [{"id": 77, "name": "Data", "projects": [], "org_role": empty, "organization_role": "admin"}], "x"
    )
    assert (person.role, team.organization_role) == ("owner", "admin")


def test_a_map_of_roles_may_have_empty_ones() -> None:
    """By address."""
    people = users.people_from({"bo@example.com": None, "cy@example.com": "no role", "di@example.com": "admin"}, "x")
    assert [person.role for person in people] == ["member", "member", "admin"]


@pytest.mark.parametrize("value", NONE.values(), ids=NONE.keys())
def test_no_role_in_a_project_is_no_grant(value: Any) -> None:
    """There, no role gives nothing."""
    assert projects.grants_from([{"email": "bo@example.com", "role": value}], 7, "x") == []


def event(payload: dict[str, Any], **more: Any) -> str | None:
    """The role that an event of the audit log is about."""
    entity = {"type": "user.role_changed", "payload": payload, **more}
    (read_,) = audit_events_from([{"created": "2026-05-02T09:00:00Z", "entity": entity}], "x")
    return read_.role


@pytest.mark.parametrize("value", NONE.values(), ids=NONE.keys())
def test_an_event_of_the_organization_says_member_for_no_role(value: Any) -> None:
    """Where it tells a role at all; in a project and of a team, there is none then."""
    for payload in ({"organization_role": value}, {"current": {"role": value}, "previous": {"role": "admin"}}):
        assert event(payload) == "member"
        assert event({**payload, "project_id": "7"}) is None
        assert event(payload, entity_type="project", entity_id="7") is None
        assert event(payload, entity_type="team", entity_id="77") is None
    assert event({"role": value, "organization_role": "admin"}) == "admin"
    assert (event({}), event({"current": {}}), event({"current": {"role": {}}})) == (None, None, None)


PERMISSIONS: dict[str, tuple[Any, set[str]]] = {
    "codes": (["add_user", "delete_org"], {"add_user", "delete_org"}), "none": ([], set()), "null": (None, set()),
    "a text": ("add_user", set()), "a map": ({"add_user": True}, set()), "not all texts": (["add_user", 7], set()),
}  # fmt: skip


@pytest.mark.parametrize(("value", "codes"), PERMISSIONS.values(), ids=PERMISSIONS.keys())
def test_the_permissions_of_me(value: Any, codes: set[str]) -> None:
    """A list that cannot be read in full is unknown: what it lacks may be there."""
    me = {"organizations": {"7": {"role": "admin", "permissions": value}, "8": {"role": "no role"}}}
    identity = identity_from(me, "x")
    assert (identity.permissions, identity.rights(8).word) == ({7: codes, 8: frozenset()}, "member")
