"""A secret is nowhere but in the request that needs it: whatever the engine and every command write is searched."""

from __future__ import annotations

import base64
import gc
import json
import re
import traceback
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from demo.sandbox import USERNAME
from mixpanel_access.engine import Pulumi
from mixpanel_access.model.errors import AccessError
from tests.cli.invocations import INVOCATIONS
from tests.cli.json_output import must_be_documented
from tests.cli.typed import typed
from tests.engine.conftest import PRODUCTION, Workspace

pytestmark = pytest.mark.engine

CANARY = "canary-5f0c9a7e-secret"


def forms(secret: str) -> list[bytes]:
    """The forms in which a secret might be written: plain, base64 at any place of a text, as Basic, reversed."""
    moved = (base64.b64encode(b"x" * shift + secret.encode())[-(-8 * shift // 6) : -4] for shift in range(3))
    return [
        secret.encode(),
        *moved,
        base64.b64encode(f"{USERNAME}:{secret}".encode()),
        secret[::-1].encode(),
    ]


@pytest.mark.parametrize("kept", ["environment", "configuration"])
def test_the_secret_is_in_no_state_file_log_or_error(workspace: Workspace, kept: str) -> None:
    """Everything that the engine and we write, in good runs and failing ones, is searched.

    With the secret in the environment that includes the engine's own debug log. With the secret in the stack's
    configuration it cannot: at level 9 the engine itself logs what it configures providers with.
    """
    workspace.as_a_user()
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
    said.append(workspace.run("up", "--yes", "--skip-preview", "--stack", "production", check=False))
    assert any("answered 400" in run.stdout for run in said)
    assert any(run.returncode for run in said)
    for run in said:
        assert found_in((run.stdout + run.stderr).encode(), [CANARY]) == [], run.args
    assert_not_written(workspace, [CANARY])


def found_in(content: bytes, secrets: Iterable[str]) -> list[str]:
    """The secrets that stand there in some form."""
    return [secret for secret in secrets if any(form in content for form in forms(secret))]


def assert_not_written(workspace: Workspace, secrets: list[str]) -> None:
    """No file has one: state, its backups and history, logs, reports."""
    written = [path for path in workspace.folder.rglob("*") if path.is_file()]
    assert any("production.json" in path.name for path in written)
    assert {path: found for path in written if (found := found_in(path.read_bytes(), secrets))} == {}


KEPT = {
    "MIXPANEL_SERVICE_ACCOUNT_SECRET": CANARY,
    "MIXPANEL_SCIM_TOKEN": "canary-scim-31b7",
    "PULUMI_CONFIG_PASSPHRASE": "canary-passphrase-9d40",
    "MIXPANEL_ACCESS_SMTP": "smtp://bot:canary-mail-77aa@127.0.0.1:9",
    "MIXPANEL_ACCESS_WEBHOOK": "http://127.0.0.1:9/canary-hook-51c2",
    "MIXPANEL_ACCESS_DEBUG": "1",
}
"""What somebody who runs commands has in their environment; with debugging on, so that tracebacks are searched too."""
ROBIN = "robin@agency.example.org"
LINK = "https://mixpanel.com/invite/canary-link-e8f3"
ACCOUNTS = {"etl": {"role": "consumer", "expires": "2999-01-01", "projects": {"shop": "analyst"}}}
MORE: dict[str, tuple[str, ...]] = {
    "invite": ("new@agency.example.org", "--stack", "production", "--project", "shop=analyst", "--yes"),
    "welcome": (ROBIN, "--send", "--from", "ana@example.com"),
    "remind": ("--post", "--now", "2998-12-24"),
    "report": ("--json",),
    "doctor": ("--json",),
    "tracker export": ("--format", "xlsx", "--to", "log.xlsx"),
    "roster": ("stacks/production.yaml", "--json"),
}
"""Further arguments with which a command goes another way."""
AS_JSON: dict[str, tuple[str, ...]] = {
    "token": ("etl", "--json"),
    "onboard": (ROBIN, "--json"),
    "remind": ("--json",),
    "review start": ("--json",),
    "review evidence": ("--json",),
    "review verify": ("--json",),
    "tracker export": ("--format", "json"),
    "tracker prune": ("--before", "2026-01-01", "--json"),
}
"""What no other test with the engine prints as JSON."""
REFUSED = {
    " ".join(("new", *INVOCATIONS["new"])),
    *(" ".join((command, *INVOCATIONS[command])) for command in ("policy pack", "policy findings")),
    "roster none.yaml",
    f"copy-rosters {'0' * 40}",
    f"invite {ROBIN} --no-ask",
    f"resend {ROBIN}",
    f"review decide {ROBIN} keep",
    " ".join(("welcome", *MORE["welcome"])),
    " ".join(("remind", *MORE["remind"])),
    " ".join(("post", *INVOCATIONS["post"])),
}
"""What ends in an error here, and with debugging on in a traceback; all the others do what they are for."""


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # a command's connections end with its process
def test_no_command_lets_a_secret_out(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the command line, with all the secrets that there are, on a stack with an account of its own.

    `token` prints the one that it is asked for, alone and on standard output, or in its JSON.
    Among the secrets are those that Mixpanel tells: the account's token, the projects' keys, a link in a refusal. Left
    out is only the emulator, which is no client. The table of commands is whole by tests/cli/test_startup.py.
    """
    _keep(workspace)
    person = {"email": ROBIN, "organizationRole": "member", "projects": {"shop": "analyst"}, "ends": "2998-12-31"}
    workspace.roster([person], **FACTS)
    workspace.up()
    secrets, pickles = _told(workspace)
    assert found_in(pickles, secrets) == []
    for name, value in workspace.pulumi.engine.environment({**workspace.pulumi.environ, **workspace.environ}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(workspace.pulumi.project)
    last = ("release", INVOCATIONS["release"])  # after it the stack has nobody to tell of
    refused: set[str] = set()
    for command, args in [
        *({**INVOCATIONS, "release": ("--help",), "engine": ()}.items()),
        *MORE.items(),
        *AS_JSON.items(),
        last,
    ]:
        if command == "resend":
            refusal = {"method": "POST", "path_prefix": "/", "kind": "status", "status": 400}
            body = json.dumps({"error": f"use {LINK} with {CANARY}"})
            workspace.emulator.control("POST", "faults", [{**refusal, "body": body}])
        done = typed(*command.split(), *args)
        must_be_documented((*command.split(), *args), done.code, done.out)
        if command == "token":
            assert done.out == f"{secrets[-5]}\n" or json.loads(done.out)["token"] == secrets[-5]
            done = replace(done, out="")
        said = "".join((done.out, done.err, *traceback.format_exception(done.error)))
        assert found_in(said.encode(), secrets) == [], (command, args)
        assert done.error is None or isinstance(done.error, AccessError), said
        if done.error:
            refused.add(" ".join((command, *args)))
    gc.collect()
    assert refused == REFUSED
    assert_not_written(workspace, secrets)


def _told(workspace: Workspace) -> tuple[list[str], bytes]:
    """All secrets, those that Mixpanel has told among them, and the pickles of the state."""
    shown = json.loads(workspace.run("stack", "export", "--show-secrets", "--stack", "production").stdout)
    resources = [resource for resource in shown["deployment"]["resources"] if "outputs" in resource]
    (token,) = [json.loads(one["outputs"]["token"]["plaintext"]) for one in resources if "token" in one["outputs"]]
    pickles = [
        base64.b64decode(one["inputs"]["__provider"]) for one in resources if "__provider" in one.get("inputs", {})
    ]
    assert pickles
    mixpanels = [token, LINK, *(f"{kind}-{PRODUCTION}" for kind in ("token", "key", "secret"))]
    secrets = [*(re.findall(r"canary-[\w-]+", " ".join(KEPT.values()))), *mixpanels]
    assert found_in(json.dumps(shown).encode(), secrets) == [token]  # so that the search finds what is there
    return secrets, b"".join(pickles)


FACTS: dict[str, Any] = {
    "serviceAccounts": ACCOUNTS,
    "organization": {
        "name": "Example",
        "url": "https://mixpanel.com/organization/7654321",
        "login": {"ssoRequired": False, "mfaRequired": True},
        "contacts": {"access": "ana@example.com"},
    },
}


def _keep(workspace: Workspace) -> None:
    """Have the secrets be those of the environment, for the stack, the emulator and all that runs."""
    workspace.as_a_user()
    file = workspace.stacks / "Pulumi.production.yaml"
    workspace.run("stack", "rm", "production", "--yes", "--preserve-config")
    file.write_text(
        "".join(line for line in file.read_text().splitlines(keepends=True) if "encryptionsalt" not in line)
    )
    workspace.environ |= KEPT
    workspace.run("stack", "init", "production")
    document = workspace.dump()
    document["service_accounts"][0]["secret"] = CANARY
    document["security"]["scim_token"] = KEPT["MIXPANEL_SCIM_TOKEN"]
    workspace.emulator.control("POST", "seed", document)


def test_a_new_secret_reaches_a_refresh_as_its_message_says(workspace: Workspace) -> None:
    """`up --refresh` reads with the secret of the last up; --run-program uses today's, and so does an up without it."""
    stack = ["--stack", "production"]
    kept = {key: value for key, value in workspace.pulumi.environ.items() if "SERVICE_ACCOUNT" not in key}
    workspace.pulumi = Pulumi(workspace.pulumi.engine, workspace.pulumi.project, kept)
    account = workspace.dump()["service_accounts"][0]
    workspace.run("config", "set", "mixpanel:serviceAccountUsername", account["username"], *stack)
    workspace.run("config", "set", "--secret", "mixpanel:serviceAccountSecret", account["secret"], *stack)
    workspace.roster([{"email": "cy@agency.example.org", "projects": {"shop": "analyst"}}])
    workspace.up()
    for way in (["--run-program"], None):
        document = workspace.dump()
        secret = document["service_accounts"][0]["secret"] = f"another-{way}"
        workspace.emulator.control("POST", "seed", document)
        workspace.run("config", "set", "--secret", "mixpanel:serviceAccountSecret", secret, *stack)
        refused = workspace.up("production", "--refresh", check=False)
        assert refused.returncode != 0
        assert "add --run-program to this command, or run `pulumi up` once without --refresh" in refused.stdout
        if way:
            workspace.up("production", "--refresh", *way)
        else:
            workspace.up()
    workspace.up("production", "--refresh")
