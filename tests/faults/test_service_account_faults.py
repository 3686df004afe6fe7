"""Service accounts under every fault: one more run, and there is one account with its token, and the declared role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mixpanel_access.model.errors import AccessError
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.service_account import ServiceAccountProvider
from mixpanel_access.provider.service_account_grant import ServiceAccountGrantProvider
from tests.faults.conftest import ORG, SHOP, World
from tests.faults.sampling import every_pair
from tests.faults.test_faults import FAULTS, fault

ACCOUNT = {"username": "etl", "role": "consumer", "expires": "2999-01-01T00:00:00Z"}


def attempt(world: World, make: type[AccessProvider], act: Callable[[AccessProvider], Any]) -> Any:
    """One operation of its own: what it gives, or the error that it is told in."""
    provider = make()
    provider.use(world.session())
    try:
        return act(provider)
    except AccessError as error:
        told = error
    assert str(told).startswith("cannot ")
    return told


def made(world: World) -> dict[str, Any]:
    """An account that is there; its outputs."""
    created = attempt(world, ServiceAccountProvider, lambda provider: provider.create(dict(ACCOUNT)))
    return dict(created.outs)


def accounts(world: World) -> list[dict[str, Any]]:
    """The accounts of that name."""
    return [row for row in world.dump()["service_accounts"] if row["username"].startswith("etl.")]


def logs_in(world: World, outputs: dict[str, Any]) -> bool:
    """Whether the token is good."""
    auth = httpx.BasicAuth(outputs["login"], outputs["token"])
    return world.client.get("/api/app/me", auth=auth).status_code == 200


@pytest.mark.parametrize(("name", "method", "count"), every_pair(FAULTS, ("POST", "GET"), (1, 20)))
def test_one_more_run_and_there_is_one_account_with_its_token(world: World, name: str, method: str, count: int) -> None:
    """An account whose answer was lost is not left behind: nobody has its token."""
    world.control("POST", "faults", fault(name, method, 2 if FAULTS[name]["kind"] == "delay" else count))
    first = attempt(world, ServiceAccountProvider, lambda provider: provider.create(dict(ACCOUNT)))
    world.control("DELETE", "faults")
    if isinstance(first, AccessError):
        assert accounts(world) == []
        first = attempt(world, ServiceAccountProvider, lambda provider: provider.create(dict(ACCOUNT)))
    (account,) = accounts(world)
    assert account["id"] == first.outs["account_id"]
    assert logs_in(world, first.outs)


NOT_DELETED = [name for name, kind in FAULTS.items() if kind["kind"] not in ("drop_after", "delay")]
"""The faults of a deletion after which it is not done: of the others, it is seen that it was."""


@pytest.mark.parametrize("name", NOT_DELETED)
def test_what_cannot_be_cleared_away_is_named(world: World, name: str) -> None:
    """The answer is lost, and so is every deletion: the error says which account to delete by hand."""
    lost = [{"kind": "drop_after", "method": "POST", "path_prefix": "/api/app", "count": 1}]
    deletion = {**FAULTS[name], "method": "DELETE", "path_prefix": "/api/app", "count": 20}
    deletion = {key: value for key, value in deletion.items() if key != "retry_after"}
    world.control("POST", "faults", [*lost, deletion])
    failed = attempt(world, ServiceAccountProvider, lambda provider: provider.create(dict(ACCOUNT)))
    (left,) = accounts(world)
    assert isinstance(failed, AccessError)
    assert f"delete {left['username']} ({left['id']}) in Organization Settings" in str(failed)


@pytest.mark.parametrize(("name", "method", "count"), every_pair(FAULTS, ("POST", "GET", "DELETE"), (1, 20)))
def test_roles_and_deletion_are_finished_by_one_more_run(world: World, name: str, method: str, count: int) -> None:
    """Given, changed, taken away, and the account deleted: each as it was declared in the end."""
    outputs = made(world)
    id_, account = outputs["account_id"], f"{ORG}:{outputs['account_id']}"
    count = 2 if FAULTS[name]["kind"] == "delay" else count
    grant = {"service_account_id": id_, "project_id": SHOP, "role": "analyst"}
    admin, place = {**grant, "role": "admin"}, f"{ORG}:{SHOP}:{id_}"
    steps: list[tuple[type[AccessProvider], Callable[[AccessProvider], Any], list[dict[str, Any]] | None]] = [
        (ServiceAccountGrantProvider, lambda one: one.create(dict(grant)), [{"id": SHOP, "role": "analyst"}]),
        (ServiceAccountGrantProvider, lambda one: one.update(place, grant, admin), [{"id": SHOP, "role": "admin"}]),
        (ServiceAccountGrantProvider, lambda one: one.delete(place, admin), []),
        (ServiceAccountProvider, lambda one: one.delete(account, dict(ACCOUNT)), None),
    ]
    for make, act, projects in steps:
        world.control("POST", "faults", fault(name, method, count))
        first = attempt(world, make, act)
        world.control("DELETE", "faults")
        if isinstance(first, AccessError):
            second = attempt(world, make, act)
            assert not isinstance(second, AccessError), second
        assert [row["projects"] for row in accounts(world)] == ([] if projects is None else [projects])
