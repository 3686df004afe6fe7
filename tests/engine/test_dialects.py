"""A short life through the engine in three dialects that differ most; tests/dialects has each alternative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]

CY: Final = "cy@agency.example.org"
BOTH: Final = {"email": CY, "organizationRole": "member", "projects": {"shop": "analyst", "warehouse": "consumer"}}
ONE: Final = {"email": CY, "organizationRole": "billing_admin", "projects": {"shop": "analyst"}}

SERVED: Final[Mapping[str, dict[str, Any]]] = {
    "no role, in pages": {"organization_role": "no role", "page_size": 3, "refused_update": "updated_false"},
    "owners called admin": {"owner_word": "admin", "me_permissions": False, "discoverability": "none"},
    "changes show late": {"stale_reads": {"users": 1, "granted-users": 1}, "audit": "none", "escaped_errors": True},
}  # fmt: skip
"""Dialects in which everything can be done."""
OFFBOARDED: Final = ("no role, in pages", "owners called admin")
"""Where the life ends too: those whose words tell least who is an owner."""


@pytest.mark.parametrize("name", SERVED)
def test_a_life_in_a_dialect(workspace: Workspace, name: str) -> None:
    """Invite with grants; after the acceptance change the role, take a grant, repair drift; no change; offboard."""
    workspace.emulator.control("POST", "dialect", SERVED[name])
    workspace.roster([BOTH])
    workspace.up()
    assert workspace.grants(CY) == {PRODUCTION: "analyst", WAREHOUSE: "consumer"}
    workspace.emulator.control("POST", "invitations/accept", {"email": CY})
    workspace.emulator.control("POST", "grants", {"project": PRODUCTION, "email": CY, "role": "consumer"})
    workspace.roster([ONE])
    workspace.up("production", "--refresh")
    assert (workspace.members()[CY], workspace.grants(CY)) == ("billing_admin", {PRODUCTION: "analyst"})
    if name not in OFFBOARDED:
        workspace.unchanged()
    assert workspace.mails(CY) == 1
    if name in OFFBOARDED:
        workspace.roster([])
        workspace.up()
        assert CY not in workspace.members()
