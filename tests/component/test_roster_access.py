"""`RosterAccess`: what a roster becomes, by Pulumi's own mocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest

from mixpanel_access.component import RosterAccess, read_roster, roster_program
from mixpanel_access.model.errors import RosterError

ROSTER = """\
environment: production
organizationRoles: true
projects:
  shop: { id: 1234567, environment: production }
people:
  - email: Bo@example.com
    organizationRole: member
    removal: never
    projects: { shop: analyst }
    ticket: OPS-1
  - email: cy@example.com
"""


class Mocks(pulumi.runtime.Mocks):
    """Notes what is registered."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        kept = {key: value for key, value in args.inputs.items() if key != "__provider" and value is not None}
        self.resources[f"{args.typ.rpartition(':')[2]} {args.name}"] = kept
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@pytest.fixture
def mocks() -> Mocks:
    """Pulumi without an engine."""
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)
    return mocks


def test_a_roster_becomes_members_grants_and_a_brake(mocks: Mocks, tmp_path: Path) -> None:
    """Children are named by address and project id, and carry the metadata."""
    file = tmp_path / "production.yaml"
    file.write_text(ROSTER)

    def declare() -> Any:
        access = RosterAccess("roster", file)
        assert (set(access.members), set(access.grants)) == (
            {"bo@example.com", "cy@example.com"},
            {(1234567, "bo@example.com")},
        )
        return pulumi.Output.all(*(member.urn for member in access.members.values()))

    pulumi.runtime.test(declare)()  # type: ignore[no-untyped-call]  # the SDK leaves it so
    assert mocks.resources == {
        "RosterAccess roster": {},
        "Member bo@example.com": {
            "email": "Bo@example.com",
            "role": "member",
            "removal": "never",
            "ticket": "OPS-1",
        },
        "Member cy@example.com": {"email": "cy@example.com", "removal": "when_unused"},
        "ProjectGrant 1234567:bo@example.com": {
            "project_id": 1234567,
            "email": "Bo@example.com",
            "role": "analyst",
            "environment": "production",
            "ticket": "OPS-1",
        },
        "RemovalBrake removal-brake": {
            "people": [
                {"email": "Bo@example.com", "removal": "never", "projects": [1234567], "role": "member"},
                {"email": "cy@example.com", "removal": "when_unused", "projects": []},
            ]
        },
    }


def test_a_roster_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """No file, no text, no roster: the engine shows the text alone."""
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\xff")
    for file, words in ((tmp_path / "missing.yaml", "No such file"), (binary, "can't decode")):
        with pytest.raises(RosterError, match=words):
            read_roster(file)
        with pytest.raises(pulumi.RunError, match=words):
            roster_program(file)
