"""Secret inputs on the real engine: what repeats one is a secret too, and what repeats a plain one is plain."""

from __future__ import annotations

import json

import pytest

from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = pytest.mark.engine

PROGRAM = f"""
import pulumi
from mixpanel_access.provider import Member, OrganizationSecurity, ProjectAccess, ProjectGrant, ServiceAccount

hidden, shown = pulumi.Output.secret, pulumi.Output.from_input
OrganizationSecurity("security", request_access={{"contact": hidden("canary-contact")}})
ServiceAccount("secret", username=hidden("canary-etl"), rotate_after=hidden(90))
ServiceAccount("plain", username=shown("etl").apply(lambda name: name + "-2"), rotate_after=shown(90))
kim = Member("kim", email="kim@example.com", role=hidden("member"))
ProjectGrant(
    "grant", project_id={PRODUCTION}, email=kim.email, role=hidden("analyst"), environment="production",
    opts=pulumi.ResourceOptions(depends_on=[kim]),
)
ProjectAccess(
    "whole", project_id={WAREHOUSE}, grants=kim.role.apply(lambda role: {{"kim@example.com": "analyst"}}),
    environment="production", opts=pulumi.ResourceOptions(depends_on=[kim]),
)
"""
SECRET = {
    "security": {"request_access", "request_access_settings"},
    "secret": {"username", "login", "rotate_after", "rotates", "token"},
    "plain": {"token"},
    "kim": {"role", "organization_role"},
    "grant": {"role", "effective_role"},
    "whole": {"grants", "undeclared", "beside"},
}
"""What is a secret of each resource."""
ENCRYPTED = "4dabf18193072939515e22adb298388d"
"""The signature of a secret in a state."""


def _hidden(workspace: Workspace) -> dict[str, set[str]]:
    """The outputs that are secrets."""
    return {
        name: {key for key, value in workspace.outputs(name).items() if ENCRYPTED in json.dumps(value)}
        for name in SECRET
    }


def test_what_repeats_a_secret_is_a_secret(workspace: Workspace) -> None:
    """Of every resource, after `up` and after a refresh, and nothing else becomes one; no file has it in plain."""
    workspace.as_a_user()
    workspace.run("config", "set", "mixpanel:releaseBrakes", "grantShare", "--stack", "production")
    workspace.program(PROGRAM)
    workspace.up()
    said = workspace.run("preview", "--diff", "--refresh", "--stack", "production")
    assert _hidden(workspace) == SECRET
    workspace.unchanged()
    assert _hidden(workspace) == SECRET
    assert "canary-contact" not in said.stdout
    # The program has the words in plain, and so has what Python compiles of it.
    written = [path for path in workspace.folder.rglob("*") if path.is_file() and not path.name.startswith("__main__.")]
    assert [path for path in written if b"canary-contact" in path.read_bytes()] == []
