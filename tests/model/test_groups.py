"""Grouped resources taken apart."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.errors import InputError
from mixpanel_access.model.groups import GROUPS, part_properties, parts, people_in, single_kind, without
from mixpanel_access.model.resource_ids import MemberId, MembersId, ProjectAccessId, ResourceId, TeamMembersId

ANA, BO = "Ana@example.com", "bo@example.com"
COMMON: dict[str, Any] = {"engagement": "audit", "ticket": "OPS-1"}
REASONS = [{"people": [BO.upper()], "ticket": "OPS-2"}]

CASES: dict[str, tuple[ResourceId, dict[str, Any], dict[str, dict[str, Any]]]] = {
    "Members": (
        MembersId(7),
        {
            "people": {ANA: {"role": "admin", "removal": "never"}, BO: {}},
            "members": {ANA: {"status": "accepted", "user_id": 3}},
        },
        {
            f"7:{ANA}": {"email": ANA, "role": "admin", "removal": "never", "status": "accepted", "user_id": 3},
            f"7:{BO}": {"email": BO},
        },
    ),
    "TeamMembers": (
        TeamMembersId(7, 40),
        {"team_id": 40, "people": [ANA, BO], "members": {BO: {"status": "waiting"}}},
        {
            f"7:40:{ANA}": {"team_id": 40, "email": ANA},
            f"7:40:{BO}": {"team_id": 40, "email": BO, "status": "waiting"},
        },
    ),
    "ProjectAccess": (
        ProjectAccessId(7, 90),
        {"project_id": 90, "grants": {ANA: "admin", BO: "analyst"}},
        {
            f"7:90:{ANA}": {"project_id": 90, "email": ANA, "role": "admin"},
            f"7:90:{BO}": {"project_id": 90, "email": BO, "role": "analyst"},
        },
    ),
}
every_group = pytest.mark.parametrize("name", CASES)


@every_group
def test_each_part_is_what_the_single_resource_of_the_person_would_be(name: str) -> None:
    """Its kind, its id and its properties; what is said of one person counts before what is said of all."""
    ref, props, expected = CASES[name]
    group = next(kind for kind in GROUPS.values() if kind.name == name)
    found = list(parts(group, ref, {**props, **COMMON, "reasons": REASONS}))
    assert {one.kind for one in found} == {single_kind(group)}
    why = {True: {**COMMON, "ticket": "OPS-2"}, False: COMMON}
    assert {str(one.ref): one.props for one in found} == {
        id_: {**values, **why[values["email"] == BO]} for id_, values in expected.items()
    }
    assert people_in(group, props) == {one.key for one in found}


@every_group
def test_without_a_person_nothing_of_them_is_left(name: str) -> None:
    """However their address is spelled; the others stay as they are."""
    ref, props, _ = CASES[name]
    group = next(kind for kind in GROUPS.values() if kind.name == name)
    told = {"beside": {ANA: {"ways": ["team"]}}, "lost": ["cy@example.com"], "undeclared": ["di@example.com"]}
    whole = {**props, **told, **COMMON, "reasons": [*REASONS, {"people": [ANA, BO], "ticket": "OPS-3"}]}
    rest = without(group, whole, {"bo@example.com", "cy@example.com", "di@example.com"})
    assert not any(gone in str(rest).lower() for gone in ("bo@", "cy@", "di@"))
    (left,) = parts(group, ref, rest)
    assert left == next(part for part in parts(group, ref, whole) if part.key == left.key)
    assert without(group, whole, ()) == whole


@every_group
def test_what_nobody_can_read_has_no_parts(name: str) -> None:
    """A secret, and what is not a list of people, name nobody."""
    group = next(kind for kind in GROUPS.values() if kind.name == name)
    assert group.parts is not None
    for hidden in ({kinds.SIGNATURE: "1b", "ciphertext": "x"}, "unknown", None):
        assert not list(part_properties(group, {group.parts.people: hidden}))
        assert not people_in(group, {group.parts.people: hidden})


def test_a_single_resource_has_no_parts() -> None:
    """Readers ask of every kind."""
    assert single_kind(kinds.MEMBER) is None
    assert not list(parts(kinds.MEMBER, MemberId(7, ANA), {"email": ANA}))


def test_the_id_of_what_a_stack_has_once_ends_with_its_name() -> None:
    """No other name is one of that kind."""
    assert str(MembersId.parse("7:members")) == "7:members"
    with pytest.raises(InputError, match="ORG:members"):
        MembersId.parse("7:removal-brake")
