"""The service account's secret is nowhere but in the request that needs it."""

from __future__ import annotations

import base64

import pytest

from demo.sandbox import USERNAME
from tests.engine.conftest import Workspace

pytestmark = pytest.mark.engine

CANARY = "canary-5f0c9a7e-secret"
FORMS = [
    CANARY.encode(),
    base64.b64encode(CANARY.encode()).rstrip(b"="),
    base64.b64encode(f"{USERNAME}:{CANARY}".encode()),
    CANARY[::-1].encode(),
]
"""The secret in the forms in which it might be written: plain, base64, as Basic credentials, reversed."""


@pytest.mark.parametrize("kept", ["environment", "configuration"])
def test_the_secret_is_in_no_state_file_log_or_error(workspace: Workspace, kept: str) -> None:
    """Everything that the engine and we write, in good runs and failing ones, is searched.

    With the secret in the environment that includes the engine's own debug log. With the secret in the stack's
    configuration it cannot: at level 9 the engine itself logs what it configures providers with.
    """
    document = workspace.dump()
    document["service_accounts"][0]["secret"] = CANARY
    workspace.emulator.control("POST", "seed", document)
    workspace.environ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = CANARY if kept == "environment" else ""
    if kept == "configuration":
        workspace.run("config", "set", "--secret", "mixpanel:serviceAccountSecret", CANARY, "--stack", "production")
    commands = (
        ["up", "--yes", "--skip-preview", *(["--logtostderr", "-v=9"] if kept == "environment" else [])],
        ["preview", "--diff", "--json"],
        ["refresh", "--yes", "--skip-preview"],
        ["stack", "export"],
        ["stack", "--show-urns"],
    )
    said = [workspace.run(*args, "--stack", "production") for args in commands]
    for environ in ({"MIXPANEL_BASE_URL": "http://127.0.0.1:9"}, {"MIXPANEL_ACCESS_DEBUG": "1"}):
        workspace.roster([{"email": "cy@example.com", "organizationRole": "owner"}])
        said.append(workspace.run("up", "--yes", "--stack", "production", check=False, **environ))
    faults = [{"method": "POST", "kind": "status", "status": 400, "body": f'{{"error": "bad secret {CANARY}"}}'}]
    workspace.emulator.control("POST", "faults", faults)
    workspace.roster([{"email": "cy@example.com", "organizationRole": "member"}])
    said.append(workspace.run("up", "--yes", "--stack", "production", check=False))
    assert any("answered 400" in run.stdout for run in said)
    assert any(run.returncode for run in said)
    for run in said:
        for form in FORMS:
            assert form not in (run.stdout + run.stderr).encode(), run.args
    written = [path for path in workspace.folder.rglob("*") if path.is_file()]
    assert any("production.json" in path.name for path in written)
    assert [path for path in written if any(form in path.read_bytes() for form in FORMS)] == []
