"""A folder with a project, and an engine that answers as it is told, for commands in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from mixpanel_access.emulator.server import demo_document
from tests.cli.typed import Typed, typed
from tests.engine_setup.engine_fakes import write_engine

ACCOUNT = demo_document()["service_accounts"][0]
SECRET = "canary-secret"
CONFIG = {
    "mixpanel:organizationId": "7654321",
    "mixpanel:serviceAccountUsername": "bot",
    "mixpanel:serviceAccountSecret": SECRET,
    "mixpanel:apiUrl": "http://127.0.0.1:9",
}
ANSWERS: dict[str, tuple[int, str]] = {
    "version": (0, "v3.276.0"),
    "stack": (0, json.dumps([{"name": "production", "current": True}])),
    "config": (0, json.dumps({key: {"value": value} for key, value in CONFIG.items()})),
}
"""What the engine answers to each of its commands."""
_ENGINE = """
import sys
command = next(word for word in sys.argv[1:] if not word.startswith("-"))
code, text = {answers!r}[command]
(sys.stdout if code == 0 else sys.stderr).write(text)
sys.exit(code)
"""


class Machine:
    """A folder with a project, and an engine that answers as it is told.

    Attributes:
        project: the project's folder.
        environ: the environment of the command.
    """

    def __init__(self, folder: Path) -> None:
        self.project, self._bin = folder / "access", folder / "bin"
        self.project.mkdir()
        self._bin.mkdir()
        self.environ = {"PATH": str(self._bin), "HOME": str(folder), "MIXPANEL_ACCESS_ENGINE_STEPS": "path"}
        self.write("Pulumi.yaml", "name: access\nruntime: python\n")
        self.answer({})

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        file = self.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def answer(self, answers: Mapping[str, tuple[int, str]]) -> None:
        """Have the engine answer some commands otherwise."""
        (script := self._bin / "answers.py").write_text(_ENGINE.format(answers=ANSWERS | dict(answers)))
        write_engine(self._bin, f'exec {sys.executable} -IS {script} "$@"')

    def remove_engine(self) -> None:
        """Leave no engine."""
        (self._bin / "pulumi").unlink()

    def online(self, url: str, changed: Mapping[str, str] | None = None) -> None:
        """Have the stack's configuration name an emulator and its account, or something else."""
        login = {"serviceAccountUsername": ACCOUNT["username"], "serviceAccountSecret": ACCOUNT["secret"]}
        own = {"apiUrl": url, **login, **(changed or {})}
        config = CONFIG | {f"mixpanel:{key}": value for key, value in own.items()}
        self.answer({"config": (0, json.dumps({key: {"value": value} for key, value in config.items()}))})

    def run(self, *words: str) -> Typed:
        """Run a command."""
        return typed(*words, cwd=self.project, environ=self.environ)
