"""A rename, and a new resource under the name that it leaves: one object has one owner, in whatever order they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mixpanel_access.model import errors
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.team import TeamProvider
from tests.fake_roles import role_id
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session


@dataclass(frozen=True)
class Kind:
    """A kind of resource that has a name and is adopted by it.

    Attributes:
        make: its provider.
        inputs: what a resource has beside its name.
        id_: the id of the one that is there, which is called Data.
        outputs: what the state has of it.
        names: what there is by now.
        whom: how it is called in messages.
    """

    make: Callable[[], AccessProvider]
    inputs: dict[str, Any]
    id_: str
    outputs: dict[str, Any]
    names: Callable[[FakeApi], list[str]]
    whom: str

    def named(self, name: str) -> dict[str, Any]:
        """The inputs of one of that name."""
        return {**self.inputs, "name": name}

    def rename(self, provider: AccessProvider) -> None:
        """Rename the one that is there."""
        provider.update(self.id_, {**self.named("Data"), **self.outputs}, self.named("Data EU"))


KINDS = {
    "team": Kind(
        TeamProvider,
        {"removal": "when_unused"},
        f"{ORGANIZATION}:77",
        {"team_id": 77, "adopted": False, "scim_managed": False},
        lambda api: [team.name for team in api.teams.teams.values()],
        "team Data",
    ),
    "custom role": Kind(
        CustomRoleProvider,
        {"project_id": PRODUCTION, "description": "", "permissions": ["export"]},
        f"{ORGANIZATION}:{PRODUCTION}:{role_id(1)}",
        {"role_id": role_id(1), "base_permissions": ["view"]},
        lambda api: [role.name for role in api.custom_roles.rows],
        f"custom role Data in project {PRODUCTION}",
    ),
}


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of them."""
    found: Kind = request.param
    return found


@pytest.fixture
def api() -> FakeApi:
    """An organization with one of each that is called Data."""
    api = FakeApi()
    api.teams.put("Data", "ana@example.com")
    api.custom_roles.put(PRODUCTION, "Data", "export")
    return api


def provider(kind: Kind, api: FakeApi) -> AccessProvider:
    """A provider in a run of its own."""
    made = kind.make()
    made.use(make_session(api)[0])
    return made


def told(made: AccessProvider, olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
    """What a check finds wrong."""
    return [failure.reason for failure in made.check(olds, news).failures]


@pytest.mark.parametrize("rename_first", [True, False], ids=["rename first", "new first"])
def test_the_two_are_told_apart_at_preview(kind: Kind, api: FakeApi, rename_first: bool) -> None:
    """The later one of the check is told, whichever it is; and again, if it is checked again."""
    made = provider(kind, api)
    checks = [(kind.named("Data"), kind.named("Data EU")), ({}, kind.named("DATA"))]
    first, second = checks if rename_first else checks[::-1]
    assert told(made, *first) == []
    for _ in range(2):
        (reason,) = told(made, *second)
        assert reason.lower().startswith(f"{kind.whom} is being renamed to Data EU in this run".lower())
        assert "make the new one in a second `pulumi up`" in reason
    assert api.writes == []


def test_what_is_renamed_in_this_run_is_not_adopted(kind: Kind, api: FakeApi) -> None:
    """Though the check of the new one was in time to pass."""
    made = provider(kind, api)
    assert told(made, kind.named("Data"), kind.named("Data EU")) == []
    with pytest.raises(errors.Refused, match=rf"{kind.whom}.*another resource renames it to Data EU in this run"):
        made.create(kind.named("Data"))
    assert api.writes == []
    kind.rename(made)
    made.create(kind.named("Data"))
    assert kind.names(api) == ["Data EU", "Data"]


def test_what_was_adopted_in_this_run_is_not_renamed(kind: Kind, api: FakeApi) -> None:
    """The rename is told, if the new one was made before it was checked."""
    made = provider(kind, api)
    made.check({}, kind.named("Data"))
    made.create(kind.named("Data"))
    (reason,) = told(made, kind.named("Data"), kind.named("Data EU"))
    assert "is being renamed to Data EU in this run" in reason


def test_a_name_that_is_free_by_now_can_be_had(kind: Kind, api: FakeApi) -> None:
    """A rename that is done holds nobody, in the same run or in the same process."""
    made = provider(kind, api)
    assert told(made, kind.named("Data"), kind.named("Data EU")) == []
    kind.rename(made)
    assert told(made, {}, kind.named("Data")) == []
    made.create(kind.named("Data"))
    assert kind.names(api) == ["Data EU", "Data"]


def test_what_was_made_in_this_process_can_be_renamed(kind: Kind, api: FakeApi) -> None:
    """One that is new has one owner, who may name it otherwise in the next run."""
    made = provider(kind, api)
    for _ in range(2):  # at preview, and then
        assert told(made, {}, kind.named("New")) == []
    made.create(kind.named("New"))
    assert told(made, kind.named("New"), kind.named("Newer")) == []


ALONE: dict[str, list[tuple[str, str]]] = {
    "a rename": [("Data", "Data EU")] * 2,
    "another spelling, and a new resource of it": [("Data", "DATA"), ("", "Data")],
    "an adoption": [("", "Data")] * 2,
    "a rename and a new name": [("Data", "Data EU"), ("", "Ops")],
    "one that is gone, renamed": [("", "Ops"), ("Ops", "Ops EU")],
}
"""Checks of old and new names that hold nobody."""


@pytest.mark.parametrize("checks", ALONE.values(), ids=ALONE.keys())
def test_nobody_is_held_without_need(kind: Kind, api: FakeApi, checks: list[tuple[str, str]]) -> None:
    """Preview and update may share a process, and each is checked again."""
    made = provider(kind, api)
    for old, new in checks:
        assert told(made, kind.named(old) if old else {}, kind.named(new)) == []


def test_a_role_of_another_project_is_another(api: FakeApi) -> None:
    """Names are a project's own."""
    kind = KINDS["custom role"]
    made = provider(kind, api)
    assert told(made, kind.named("Data"), kind.named("Data EU")) == []
    assert told(made, {}, {**kind.named("Data"), "project_id": WAREHOUSE}) == []
