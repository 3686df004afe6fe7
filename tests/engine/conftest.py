"""The real `pulumi` in a copy of the project, against an emulator of its own for each test."""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from demo.sandbox import ROOT, Emulator, pulumi_project
from mixpanel_access.emulator.server import EmulatorServer, demo_document
from mixpanel_access.engine import Completed, Engine, Pulumi, ensure_engine
from tests.cli.json_output import must_be_documented
from tests.cli.typed import typed
from tests.engine import quick_pulumi, quick_python
from tests.engine.quick_vault import vault, with_key_from_vault
from tests.python_engine import client

PROJECT = "mixpanel-access"
MONITOR_GONE = "Resource monitor has terminated, shutting down"
"""What a program may say after the engine (since 3.260) has given up, if it is slower than that."""
PRODUCTION, WAREHOUSE = 1234567, 1234568
STAGING, SANDBOX = 2345678, 2345679
ROOM = f"-X{'-' * 100_000}"
"""An option of Python without a meaning: room for the command line that a process of `tests/python_engine` shows."""
NO_LOG = Path("home/logs")
"""A file where the engine's folder of logs would be: it then writes none."""

THRIFT = {
    "GOGC": "off",  # a run ends before its garbage matters
    "GOMAXPROCS": "1",  # other tests run at the same time
    "PULUMI_SKIP_CHECKPOINTS": "true",  # the state is written at the end of a run, not after each step
}
"""What halves the work of the engine in a run; `Workspace.as_a_user` undoes what changes more than that."""


@dataclass
class Workspace:
    """A project, a backend and an emulator."""

    pulumi: Pulumi
    emulator: Emulator
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def stacks(self) -> Path:
        return self.pulumi.project / "stacks"

    def run(self, *args: str, check: bool = True, **environ: str) -> Completed:
        """Run pulumi, with more variables."""
        pulumi = Pulumi(self.pulumi.engine, self.pulumi.project, {**self.pulumi.environ, **self.environ, **environ})
        return pulumi.run(*args, check=check, timeout=200)

    def command(self, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run `mixpanel-access` as a user would, in the project's folder; without the warnings of the tests' clock.

        It runs in this process: the start of Python is no promise of the tests here.
        """
        environ = self.pulumi.engine.environment({**self.pulumi.environ, **self.environ})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # the end of a process would close its connections
            done = typed(*args, cwd=cwd or self.pulumi.project, environ=environ)
            gc.collect()
        said = done.err + ("".join(traceback.format_exception(done.error)) if done.error else "")
        must_be_documented(args, done.code, done.out)
        out = done.out.replace("\r\n", "\n")  # as a process gives text
        return subprocess.CompletedProcess(args, done.code, out, without_clock(said))

    def up(self, stack: str = "production", *args: str, check: bool = True) -> Completed:
        return self.run("up", "--yes", "--skip-preview", "--stack", stack, *args, check=check)

    def last_for_years(self) -> None:
        """Have the engagements of the example count on every day that a test takes for today."""
        common = self.stacks / "common.yaml"
        text = re.sub(r"starts: .*", "starts: 2026-01-12", common.read_text())
        common.write_text(re.sub(r"ends: .*", "ends: 2030-12-31", text))

    def clock(self, now: str, stack: str = "production") -> None:
        """Have the stack go by that day, which the policies let pass where Mixpanel is this machine."""
        values = (f"mixpanel:now={now}", f"mixpanel:apiUrl={self.emulator.url}")
        self.run("config", "set-all", *(part for value in values for part in ("--plaintext", value)), "--stack", stack)

    def add(self, stack: str) -> None:
        """Have the files of a stack as `pulumi stack init` makes them, once for all tests of this process."""
        _write(self.folder, with_key_from_vault(_new_stack(self.pulumi.engine, stack)))

    def as_a_user(self, stack: str = "production") -> None:
        """Have the engine encrypt the secrets of a new stack, keep its log, and write the state after each step."""
        _write(self.folder, _new_stack(self.pulumi.engine, stack))
        self.environ["PULUMI_SKIP_CHECKPOINTS"] = "false"
        (self.folder / NO_LOG).unlink(missing_ok=True)

    def on_the_sdks_server(self) -> None:
        """Have the SDK's own server serve the resources, as without the stanza of the project."""
        file = self.pulumi.project / "Pulumi.yaml"
        file.write_text(file.read_text().partition("plugins:")[0])

    def unchanged(self, stack: str = "production") -> None:
        """After up, neither Mixpanel nor the program shows a change, in one run."""
        self.up(stack, "--refresh", "--expect-no-changes")

    def resources(self, stack: str = "production") -> list[dict[str, Any]]:
        """Our resources in the state, read from its file."""
        file = self.folder / "state/.pulumi/stacks" / PROJECT / f"{stack}.json"
        found = json.loads(file.read_text())["checkpoint"]["latest"].get("resources", [])
        return [resource for resource in found if "dynamic/mixpanel" in resource["type"]]

    def outputs(self, name: str, stack: str = "production") -> dict[str, Any]:
        """The outputs of the resource of that name, without the pickled provider."""
        outputs = next(r["outputs"] for r in self.resources(stack) if r["urn"].endswith(f"::{name}"))
        return {key: value for key, value in outputs.items() if key != "__provider"}

    def roster(self, people: list[dict[str, Any]], stack: str = "production", **more: Any) -> None:
        """Write a roster over the demo organization's projects."""
        ids = {"production": (PRODUCTION, WAREHOUSE), "staging": (STAGING, SANDBOX)}[stack]
        projects = {key: {"id": id_, "environment": stack} for key, id_ in zip(("shop", "warehouse"), ids, strict=True)}
        document = {
            "environment": stack,
            "organizationRoles": stack == "production",
            "projects": projects,
            "people": people,
        }
        (self.stacks / f"{stack}.yaml").write_text(json.dumps(document | more))

    def program(self, text: str) -> None:
        """Replace the Pulumi program."""
        (self.stacks / "__main__.py").write_text(text)

    def dump(self) -> dict[str, Any]:
        document: dict[str, Any] = self.emulator.control("GET", "dump")
        return document

    def members(self) -> dict[str, str]:
        return {row["email"]: row["role"] for row in self.dump()["members"]}

    def grants(self, email: str) -> dict[int, str]:
        return {row["project"]: row["role"] for row in self.dump()["grants"] if row["email"] == email}

    def mails(self, email: str) -> int:
        return sum(mail["email"] == email for mail in self.emulator.control("GET", "mails"))

    def requests(self) -> Mapping[str, int]:
        counts: Mapping[str, int] = self.emulator.control("GET", "requests")["by_endpoint"]
        return counts


@dataclass(frozen=True)
class QuickEngine(Engine):
    """An engine that starts programs and plugins with another Python than ours, and that costs less of a processor.

    Attributes:
        python: that Python.
        vault: the variables with which it finds the vault.
    """

    python: Path
    vault: Mapping[str, str] = field(hash=False)

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        return super().environment({**self.thrift, **self.vault, **base})

    @property
    def thrift(self) -> dict[str, str]:
        """The variables that make any engine thrifty."""
        return {**THRIFT, "PULUMI_PYTHON_CMD": str(self.python)}


def without_clock(said: str) -> str:
    """What a command said, without the warnings of the clock that a test sets."""
    return "".join(line for line in said.splitlines(keepends=True) if not line.startswith("warning: mixpanel:now "))


@pytest.fixture(scope="session")
def real_engine() -> Engine:
    """The engine; `make test` has it ready."""
    return ensure_engine(lambda _: None)


@pytest.fixture(scope="session")
def python_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of the server that forks Pythons which have their imports ready."""
    address = f"{tmp_path_factory.mktemp('python')}/socket"
    command = [sys.executable, ROOM, quick_python.__file__, address, "tests.python_engine.run"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield address


@pytest.fixture(scope="session")
def key_vault() -> Iterator[Mapping[str, str]]:
    """The variables with which an engine finds the vault."""
    with vault() as variables:
        yield variables


@pytest.fixture(scope="session")
def engine(
    real_engine: Engine, python_server: str, key_vault: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> QuickEngine:
    """The engine, whose files are read and edited without its start, and whose programs have their imports ready."""
    folder = tmp_path_factory.mktemp("engine")
    quick_pulumi.installed(str(real_engine.folder), str(folder), real_engine.version)
    return _quick(real_engine, folder, python_server, key_vault)


@pytest.fixture(scope="session")
def python_engine(
    real_engine: Engine, python_server: str, key_vault: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> QuickEngine:
    """An engine in Python, for tests of our own commands; see `tests/python_engine`."""
    folder = tmp_path_factory.mktemp("python-engine")
    others = str(folder / "updates")
    client.installed(python_server, real_engine, Path(others))
    quick_pulumi.installed(str(real_engine.folder), str(folder), real_engine.version, others)
    return _quick(real_engine, folder, python_server, key_vault)


def _quick(real: Engine, folder: Path, python_server: str, key_vault: Mapping[str, str]) -> QuickEngine:
    python = folder / "quick-python"
    quick_python.installed(python_server, str(python))
    return QuickEngine(folder, real.version, real.source, python, key_vault)


@cache
def _new_stack(engine: Engine, stack: str) -> Mapping[Path, bytes]:
    """What `pulumi stack init` writes: each file in a workspace's folder, with its content."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        pulumi = pulumi_project(engine, folder, Emulator("http://127.0.0.1:9"), _clean_environ())
        before = _contents(folder)
        pulumi.run("stack", "init", stack)
        return {file: content for file, content in _contents(folder).items() if before.get(file) != content}


def _write(folder: Path, files: Mapping[Path, bytes]) -> None:
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)


def _contents(folder: Path) -> dict[Path, bytes]:
    files = (path for part in ("project", "state") for path in (folder / part).rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def _clean_environ() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("MIXPANEL_", "PULUMI_"))}


@contextmanager
def workspace_on(document: dict[str, Any], engine: Engine, folder: Path) -> Iterator[Workspace]:
    """A workspace on an organization, with the stack production."""
    with EmulatorServer(document) as server:
        emulator = Emulator(server.url)
        made = Workspace(pulumi_project(engine, folder, emulator, _clean_environ()), emulator, folder)
        made.add("production")
        (folder / NO_LOG).touch()
        made.last_for_years()
        yield made


@dataclass(frozen=True)
class Finished:
    """A workspace as it was once a set-up had come to its end: tests start from copies of it.

    Attributes:
        files: those of the project and of the backend.
        document: the organization.
    """

    files: Mapping[Path, bytes]
    document: dict[str, Any]

    @classmethod
    def of(cls, workspace: Workspace) -> Finished:
        return cls(_contents(workspace.folder), workspace.dump())

    @contextmanager
    def copy(self, engine: Engine, folder: Path) -> Iterator[Workspace]:
        """A workspace of one's own, of which no request is counted yet."""
        with EmulatorServer(self.document) as server:
            emulator = Emulator(server.url)
            made = Workspace(pulumi_project(engine, folder, emulator, _clean_environ()), emulator, folder)
            _write(folder, self.files)
            (folder / NO_LOG).touch()
            yield made


@pytest.fixture
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """The stacks production and staging, on the demo organization."""
    name = "python_engine" if request.node.get_closest_marker("python_engine") else "engine"
    with workspace_on(demo_document(), request.getfixturevalue(name), tmp_path) as made:
        yield made


@pytest.fixture
def real_workspace(engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """The same on the real engine, where a file's other tests run on the engine in Python."""
    with workspace_on(demo_document(), engine, tmp_path) as made:
        yield made
