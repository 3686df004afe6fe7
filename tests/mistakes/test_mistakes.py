"""What people get wrong most often gets one line that says what failed, for whom, why, and what to do next."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest

from mixpanel_access.emulator.server import demo_document
from mixpanel_access.model.errors import InputError
from mixpanel_access.server.providers import Providers
from tests.cli.typed import typed
from tests.engine.conftest import QuickEngine, Workspace, workspace_on
from tests.engine.conftest import engine as engine  # these are fixtures
from tests.engine.conftest import key_vault as key_vault
from tests.engine.conftest import python_engine as python_engine
from tests.engine.conftest import python_server as python_server
from tests.engine.conftest import real_engine as real_engine
from tests.mistakes.page import PAGE, page
from tests.mistakes.table import COMMON, ROSTER, SECTIONS, Mistake
from tests.operations.test_tls import certificate as certificate
from tests.operations.test_tls import server as server
from tests.server.test_start import BARE

MISTAKES = [mistake for mistakes in SECTIONS.values() for mistake in mistakes]
WRITE = "MIXPANEL_ACCESS_WRITE_MISTAKES"
"""The variable with which `make reference` has the page written instead of compared."""


@pytest.mark.engine
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_each_mistake_gets_the_message_on_the_page(
    python_engine: QuickEngine, server: tuple[int, SimpleQueue[bytes]], tmp_path: Path
) -> None:
    """In one line without a traceback, with the exit code that the page says; and Mixpanel is as it was."""
    with workspace_on(demo_document(), python_engine, tmp_path) as workspace:
        before = workspace.dump()["members"]
        messages = {one: message_of(one, workspace, f"https://localhost:{server[0]}") for one in MISTAKES}
        assert workspace.dump()["members"] == before
    if os.environ.get(WRITE):
        PAGE.write_text(page(messages))
    assert page(messages) == PAGE.read_text()


def message_of(mistake: Mistake, workspace: Workspace, untrusted: str) -> str:
    """What somebody reads who makes a mistake, with the folders and hosts of the page.

    `untrusted` is the address of a server whose certificate nobody trusts.
    """
    with made(mistake, workspace, untrusted):
        code, said = SERVED[mistake.provider](workspace) if mistake.provider else ran(mistake, workspace)
    assert code == mistake.code, (mistake.what, said)
    assert "Traceback" not in said, mistake.what
    errors = {found[1] for line in said.splitlines() if (found := re.match(r" *[Ee]rror: (.+)", line))}
    (message,) = errors - {"preview failed"} or {f"no error in {said}"}
    for own, shown in (
        (BARE, "/usr/bin/python3"),
        (str(workspace.pulumi.project), "/home/ana/access"),
        (str(workspace.folder), "/home/ana"),
        (workspace.emulator.url, "https://mixpanel.com"),
        (untrusted, "https://mixpanel.com"),
    ):
        message = message.replace(own, shown)
    return re.sub(r"\[Errno \d+\] | \(_ssl\.c:\d+\)", "", message)  # numbers of this system and this Python


def ran(mistake: Mistake, workspace: Workspace) -> tuple[int, str]:
    """The exit code of a command, and what it said."""
    program, *words = shlex.split(mistake.command)
    if "secrets" in words and not (workspace.stacks / "Pulumi.secrets.yaml").exists():
        add_stack_with_secrets(workspace)
    if words == ["engine"]:
        alone = typed(*words, environ=dict(workspace.pulumi.environ))
        return alone.code, alone.err
    done = workspace.run(*words, check=False) if program == "pulumi" else workspace.command(*words)
    return done.returncode, done.stdout + done.stderr


def started_by_another_python(workspace: Workspace) -> tuple[int, str]:
    """What the engine shows of a server that cannot start."""
    command = [BARE, "-I", str(workspace.pulumi.project / "plugins" / "pulumi-python"), "127.0.0.1:1"]
    done = subprocess.run(
        command, cwd=workspace.stacks, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    return done.returncode, f"error: {done.stderr}"


def unpickled(change: Callable[[bytes], bytes]) -> tuple[int, str]:
    """What the engine shows of a resource whose provider in the state is another one."""
    providers = Providers("mixpanel-access")
    pickled = base64.b64decode(providers.pickled_of("pulumi-python:dynamic/mixpanel:Member"))
    with pytest.raises(InputError) as refused:
        providers.get(base64.b64encode(change(pickled)).decode())
    return 1, f"error: {refused.value}"


SERVED: dict[str, Callable[[Workspace], tuple[int, str]]] = {
    "started by another Python": started_by_another_python,
    "of a newer version": lambda _: unpickled(lambda pickled: pickled.replace(b"provider.member", b"provider.viewer")),
    "damaged": lambda _: unpickled(lambda pickled: pickled[:40]),
}
"""What is wrong with the server of the resources, or with a provider in the state -> what the engine shows."""


@contextmanager
def made(mistake: Mistake, workspace: Workspace, untrusted: str) -> Iterator[None]:
    """Make a mistake, and undo it."""
    replaced, by = mistake.roster
    assert replaced in ROSTER
    settings = workspace.stacks / "Pulumi.production.yaml"
    right = settings.read_text()
    variables, kept = workspace.pulumi.environ, dict(workspace.pulumi.environ)
    own = {"UNTRUSTED": untrusted, "EMPTY": f"file://{workspace.folder / 'home'}"}
    (workspace.stacks / "common.yaml").write_text(COMMON)
    (workspace.stacks / "production.yaml").write_text(ROSTER.replace(replaced, by, 1))
    settings.write_text(with_settings(right, mistake))
    assert isinstance(variables, dict)
    variables.update({name: own.get(value, value) for name, value in mistake.environ.items()})
    for name in [name for name, value in variables.items() if not value]:
        del variables[name]
    file = workspace.pulumi.project / mistake.file[0]
    if mistake.file[0]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(mistake.file[1])
    try:
        yield
    finally:
        settings.write_text(right)
        variables.clear()
        variables.update(kept)
        if mistake.file[0]:
            file.unlink()


def with_settings(text: str, mistake: Mistake) -> str:
    """The file of a stack's configuration, with other settings of ours."""
    for key, value in mistake.settings.items():
        text = re.sub(rf"^  mixpanel:{key}:.*\n", "", text, flags=re.MULTILINE)
        text = text.replace("config:\n", f"config:\n  mixpanel:{key}: {value}\n")
    return text


def add_stack_with_secrets(workspace: Workspace) -> None:
    """Add a stack whose service account's secret is encrypted with the passphrase of the tests."""
    for words in (
        ("stack", "init", "secrets", "--no-select"),
        ("config", "set", "--stack", "secrets", "--secret", "mixpanel:serviceAccountSecret", "demo-secret"),
    ):
        workspace.run(*words, PULUMI_CONFIG_PASSPHRASE="demo")
