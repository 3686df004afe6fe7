"""Custom roles: read once, written once, their fate read back."""

from __future__ import annotations

import pytest

from mixpanel_access.model import errors
from tests.fake_roles import BASE, CODES
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi, make_directory

OPEN = (errors.Unreachable, errors.ServerFault, errors.Unintelligible)


def test_roles_are_read_once_and_found_by_name() -> None:
    """Each project has its own; a name is the same in any case."""
    api = FakeApi()
    support = api.custom_roles.put(PRODUCTION, "Support", "export")
    api.custom_roles.put(WAREHOUSE, "Data")
    roles = make_directory(api).custom_roles
    assert roles.in_project(PRODUCTION) == {support.id: support}
    assert roles.by_name(PRODUCTION, "SUPPORT") == support
    assert roles.by_name(PRODUCTION, "Data") is None
    assert api.calls["custom_roles"] == 1


@pytest.mark.parametrize("kind", [errors.NotFound, errors.Forbidden, errors.Invalid, errors.Unintelligible])
def test_a_catalogue_that_is_not_told_is_unknown(kind: type[errors.MixpanelError]) -> None:
    """And is asked for once; a fault of the server is told."""
    api = FakeApi(faults={"permissions": [kind("cannot")]})
    roles = make_directory(api).custom_roles
    assert roles.permissions(PRODUCTION) is roles.permissions(PRODUCTION) is None
    assert api.calls["permissions"] == 1
    assert make_directory(api).custom_roles.permissions(PRODUCTION) == CODES
    api.faults["permissions"] = [errors.ServerFault("cannot")]
    with pytest.raises(errors.ServerFault):
        make_directory(api).custom_roles.permissions(PRODUCTION)


@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.parametrize("applied", [True, False])
def test_every_write_is_applied_once(kind: type[errors.MixpanelError], applied: bool) -> None:
    """However its answer is lost, there is one role, one change, and none is left."""
    api = FakeApi(applied=applied)
    roles = make_directory(api).custom_roles

    def lost() -> list[errors.AccessError]:
        return [kind("cannot", why="lost")]

    sent = 1 if applied else 2
    api.faults["create_role"] = lost()
    roles.create(PRODUCTION, "Support", "reads", {"export"})
    made = roles.by_name(PRODUCTION, "Support")
    assert made is not None
    assert (made.name, made.description, made.permissions) == ("Support", "reads", frozenset({BASE, "export"}))
    api.faults["put_role"] = lost()
    roles.change(PRODUCTION, made.id, "Helpers", "", {"share"})
    changed = roles.by_name(PRODUCTION, "Helpers")
    assert changed is not None
    assert (changed.name, changed.description, changed.permissions) == ("Helpers", "", frozenset({BASE, "share"}))
    api.faults["delete_role"] = lost()
    assert roles.delete(PRODUCTION, made.id) == (None if applied else 0)
    assert api.writes == ["create_role"] * sent + ["put_role"] * sent + ["delete_role"] * sent
    assert api.custom_roles.rows == []


def test_a_deletion_is_seen_in_the_grants() -> None:
    """Who held the role is read afresh; one that is gone already is no error."""
    api = FakeApi()
    support = api.custom_roles.put(PRODUCTION, "Support")
    api.put("bo@example.com")
    api.give(PRODUCTION, "bo@example.com", support.id)
    api.service_accounts.add_to_project(7, PRODUCTION, support.id)
    directory = make_directory(api)
    assert directory.access(PRODUCTION, "bo@example.com").individual == support.id
    assert directory.accounts.roles(PRODUCTION)[7].role == support.id
    api.teams.put("Data", projects={PRODUCTION: support.id})
    assert directory.teams.all()[77].projects == {PRODUCTION: support.id}
    assert directory.custom_roles.delete(PRODUCTION, support.id) == 3
    assert directory.teams.all()[77].projects == {PRODUCTION: "consumer"}
    assert directory.access(PRODUCTION, "bo@example.com").individual == "consumer"
    assert directory.accounts.roles(PRODUCTION)[7].role == "consumer"
    assert directory.custom_roles.delete(PRODUCTION, support.id) is None


def test_a_deletion_that_is_not_there_is_told() -> None:
    """404 for a role that is still in the list means another thing."""
    api = FakeApi()
    support = api.custom_roles.put(PRODUCTION, "Support")
    api.faults["delete_role"] = [errors.NotFound("cannot")]
    with pytest.raises(errors.NotFound):
        make_directory(api).custom_roles.delete(PRODUCTION, support.id)
