"""A copy of the project in a temporary folder, and an emulator to point it at: for the demo and for the tests."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mixpanel_access.engine import Engine, Pulumi, local_backend
from mixpanel_access.engine.process import uninterrupted
from mixpanel_access.model import dates
from mixpanel_access.operations.new_project import begun_on

ROOT: Final = Path(__file__).resolve().parent.parent
"""The clone."""

USERNAME: Final = "deploy-bot.1a2b3c.mp-service-account"
SECRET: Final = "demo-secret"  # of the emulator's demo organization, good for nothing else
"""The service account of the emulator's demo organization."""

_STOP_SECONDS: Final = 10


class Emulator:
    """An emulator that listens at `url`, with its control surface."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control surface: `control("GET", "dump")`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  # our own loopback server
            f"{self.url}/_emulator/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point the provider here."""
        return {
            "MIXPANEL_BASE_URL": self.url,
            "MIXPANEL_SERVICE_ACCOUNT": USERNAME,
            "MIXPANEL_SERVICE_ACCOUNT_SECRET": SECRET,
        }


@contextmanager
def emulator_process(*options: str) -> Iterator[Emulator]:
    """Run `mixpanel-access emulator` as a user would, and stop it at the end.

    Args:
        options: the command's options, `--demo` for one.
    """
    command = [sys.executable, "-m", "mixpanel_access", "emulator", *options]
    process: subprocess.Popen[str] | None = None
    try:
        with uninterrupted():
            # A session of its own: Ctrl-C reaches us alone, and we stop it when nobody needs it any more.
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stdout is not None  # noqa: S101  # PIPE was asked for
        line = process.stdout.readline().strip()
        if not line.startswith("listening on "):
            raise RuntimeError(f"the emulator did not start: {line or 'it said nothing'}")
        yield Emulator(line.removeprefix("listening on "))
    finally:
        if process is not None:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def pulumi_project(engine: Engine, folder: Path, emulator: Emulator, environ: Mapping[str, str]) -> Pulumi:
    """A copy of the project with a backend of its own, pointed at the emulator; all of it in `folder`.

    Args:
        engine: the engine to run it with.
        folder: an empty folder; gets `project`, `state` and `home`.
        emulator: the emulator to work on.
        environ: the environment that it starts from.
    """
    (folder / "project").mkdir()
    return Pulumi(
        engine,
        _project_copy(folder / "project"),
        {**environ, **local_backend(folder, "demo"), **emulator.environment},
    )


def _project_copy(folder: Path) -> Path:
    """A copy of the Pulumi project (not of its package) in `folder`."""
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    shutil.copytree(ROOT / "plugins", folder / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "stacks", folder / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    for roster in (folder / "stacks").glob("[!P]*.yaml"):
        roster.write_text(begun_on(roster.read_text(), dates.today(None)))
    return folder
