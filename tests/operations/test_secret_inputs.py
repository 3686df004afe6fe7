"""What a state holds encrypted: people are known by their ids, and nothing encrypted leaves the reading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.model.access import Grant, GrantType, Person, Project
from mixpanel_access.model.resources import SIGNATURE
from mixpanel_access.operations.drift import OrganizationAccess, differences
from mixpanel_access.operations.offboarding import StackAccess, person_in_stacks
from mixpanel_access.operations.outputs import has_hidden_people
from mixpanel_access.operations.policy_check import PolicyConfig, violations_in
from mixpanel_access.operations.state import EMPTY, state_of
from mixpanel_access.operations.tracker.lines import state_lines
from mixpanel_access.rules.facts import Context
from tests.fakes import NOW
from tests.operations.held import state_of_resources

CY = "cy@agency.example.org"
HIDDEN = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:canary-cipher"}
PLAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "Member": (f"7:{CY}", {
        "email": CY, "role": "member", "removal": "when_unused", "status": "accepted", "organization_role": "member",
        "justification": "It is needed", "ends": "2030-01-01", "adopted": False, "user_id": 9,
    }),
    "ProjectGrant": (f"7:1:{CY}", {
        "email": CY, "role": "analyst", "project_id": 1, "environment": "production", "ticket": "OPS-1",
        "effective_role": "analyst", "grant_types": ["individual"],
    }),
    "ProjectAccess": ("7:2", {
        "project_id": 2, "grants": {CY: "analyst"}, "environment": "production",
        "reasons": [{"people": [CY], "ticket": "OPS-1"}], "undeclared": [], "beside": {},
    }),
    "Team": ("7:77", {"name": "Pilot", "team_id": 77, "removal": "when_unused", "adopted": False}),
    "TeamGrant": ("7:1:77", {"team_id": 77, "project_id": 1, "role": "analyst", "environment": "production"}),
    "TeamMember": (f"7:77:{CY}", {"team_id": 77, "email": CY, "status": "given", "ticket": "OPS-1"}),
    "ServiceAccount": ("7:5", {
        "username": "etl", "role": "consumer", "account_id": 5, "login": "etl.1.x", "token": "t",
    }),
    "ServiceAccountGrant": ("7:1:5", {"service_account_id": 5, "project_id": 1, "role": "analyst", "login": "etl.1.x"}),
    "OrganizationSecurity": ("7", {"two_factor_required": True, "request_access": {"a": 1}}),
    "RemovalBrake": ("7:removal-brake", {"people": [{"email": CY, "role": "member"}]}),
}  # fmt: skip
"""Each resource with every output that can be a secret."""


def export(hidden: dict[str, Any]) -> dict[str, Any]:
    """A state; the outputs of `hidden` are in place of the plain ones: type -> outputs."""
    return {
        "deployment": {
            "resources": [
                {
                    "type": f"pulumi-python:dynamic/mixpanel:{kind}",
                    "urn": f"urn:pulumi:s::p::pulumi-python:dynamic/mixpanel:{kind}::{kind}",
                    "id": id_,
                    "created": "2026-01-01T00:00:00.5Z",
                    "outputs": {**outputs, **hidden.get(kind, {})},
                }
                for kind, (id_, outputs) in PLAIN.items()
            ]
        }
    }


def cases() -> Iterator[Any]:
    """Every output as a secret, alone; a part of it as one; and all of them at once."""
    for kind, (_, outputs) in PLAIN.items():
        for name, value in outputs.items():
            yield pytest.param({kind: {name: HIDDEN}}, id=f"{kind}.{name}")
            if isinstance(value, dict) and value:
                yield pytest.param({kind: {name: dict.fromkeys(value, HIDDEN)}}, id=f"{kind}.{name}, each value")
            if isinstance(value, list) and value:
                yield pytest.param({kind: {name: [HIDDEN]}}, id=f"{kind}.{name}, each part")
    everything = {kind: dict.fromkeys(outputs, HIDDEN) for kind, (_, outputs) in PLAIN.items()}
    yield pytest.param(everything, id="everything")


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """The same with `--show-secrets`, for a `ProjectAccess` whose addresses are a secret."""
    text = json.dumps({CY: "analyst"})
    for resource in document["deployment"]["resources"]:
        if resource["type"].endswith("ProjectAccess"):
            resource["outputs"]["grants"] = {SIGNATURE: HIDDEN[SIGNATURE], "plaintext": text}
    return document


@pytest.mark.parametrize("hidden", list(cases()))
def test_a_person_is_known_whatever_is_a_secret(hidden: dict[str, Any]) -> None:
    """The id has the address: drift, offboard, tracker and rules miss nobody and print nothing encrypted."""
    document = export(hidden)
    state = state_of(shown(document) if has_hidden_people(document) else document, 7)
    assert set(state.members) == {CY}
    assert set(state.grants) == {(1, CY), (2, CY)}
    assert set(state.team_members) == {(77, CY)}
    assert {(held.project, held.email) for held in state.grants.values()} == {(1, CY), (2, CY)}

    (holding,) = person_in_stacks([StackAccess("s", Path("s.yaml"), None, None, state)], CY)
    assert (holding.member, set(holding.grants), len(holding.teams)) == (True, {1, 2}, 1)
    lines = [one.line for one in state_lines("s", state)]
    assert {(line.email, line.project) for line in lines} >= {(CY, None), (CY, 1), (CY, 2)}
    there = OrganizationAccess({}, {}, {}, teams={})
    told = {one.email for one in differences(there, state, state) if one.email}
    assert told == {CY}
    found = list(violations_in(state, Context(NOW.date(), "production"), PolicyConfig({})))
    if "token" in hidden.get("ServiceAccount", {}):
        assert not [one for one in found if one.rule.id == "secrets-are-secret"]
    said = repr((state, holding, lines, found))
    assert SIGNATURE not in said
    assert "canary-cipher" not in said


def test_a_role_that_is_a_secret_is_no_drift() -> None:
    """What cannot be compared is not told as changed; what is gone is."""
    state = state_of(export({"Member": {"role": HIDDEN}, "ProjectGrant": {"role": HIDDEN}}), 7)
    here = state_of_resources({**state.members}, {(1, CY): state.grants[1, CY]})
    there = OrganizationAccess(
        {CY: Person(CY, "admin", False)},
        {1: Project(1, "Shop")},
        {(1, CY): Grant(1, CY, "admin", GrantType.INDIVIDUAL)},
    )
    assert differences(there, here, here) == []
    assert len(differences(OrganizationAccess({}, {}, {}), here, here)) == 2
    assert (EMPTY | here).members == here.members
