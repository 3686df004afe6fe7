"""One command of `pulumi`, carried out in a process that has all imports already."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial

from pulumi.runtime.proto import provider_pb2_grpc

from tests.engine import quick_pulumi
from tests.python_engine import processes
from tests.python_engine.backend import Backend
from tests.python_engine.client import HANDED_OVER
from tests.python_engine.command import Command
from tests.python_engine.deployment import Deployment
from tests.python_engine.display import Display
from tests.python_engine.names import PACKAGE, PROVIDER_TYPE
from tests.python_engine.processes import BEGIN, Child
from tests.python_engine.providers import Providers, ProviderStub, outputs_of
from tests.python_engine.services import Services
from tests.python_engine.snapshot import Snapshot
from tests.python_engine.steps import Options
from tests.python_engine.transport import Channel
from tests.python_engine.unknown import Unknown

WHY = "WHY_HANDED_OVER"
"""The variable that names a file for why commands are handed over to the real engine, a line each."""
_FAILED, _CHANGED = 1, 7
_SHOWN_BY_PROGRAM = 32
"""A program's exit code after it has shown why it fails."""
_DELETED = (
    "The resources in the stack have been deleted, but the history and configuration associated with the stack are "
    "still maintained. "
)
_VARIABLES = {
    "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "PULUMI_PYTHON_CMD", "PULUMI_SKIP_CHECKPOINTS",
}  # fmt: skip
"""The engine's variables whose meaning is known."""
_SETTINGS = {"plugins", "name", "description", "runtime", "main", "stackConfigDir"}
"""The settings of a project whose meaning is known; the SDK's server runs here, whatever `plugins` names."""


def main(words: Sequence[str], engine: str, version: str) -> int:
    """Carry out a command; gives its exit code, or `HANDED_OVER`.

    Args:
        words: the command line, without the program.
        engine: the folder of the real engine.
        version: its version.
    """
    pid = os.getpid()
    os.getppid = lambda: pid  # for what it forks: it is the engine
    try:
        _show_command([os.path.join(engine, "pulumi"), *words])
        return _Run(Command.parsed(words), engine, version).carry_out()
    except Unknown as error:
        if file := os.environ.get(WHY):
            with open(file, "a", encoding="utf-8") as log:
                print(f"{error}: {' '.join(words)}", file=log)
        return HANDED_OVER


def _show_command(words: Sequence[str]) -> None:
    """Have this process show the engine's command line, which our provider looks for among its parents."""
    try:
        with open("/proc/self/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        raise Unknown("a machine without /proc") from None
    start, end = int(fields[45]), int(fields[46])
    line = b"".join(word.encode() + b"\0" for word in (*words, "--"))
    if len(line) > end - start:
        raise Unknown("a long command line")
    ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)


class _Run:
    """One run.

    Args:
        command: what is asked for.
        engine: the folder of the real engine.
        version: its version.

    Raises:
        Unknown: the environment, the project or the state has something that only the real engine knows.
    """

    def __init__(self, command: Command, engine: str, version: str) -> None:
        if strange := [name for name in os.environ if name.startswith("PULUMI_") and name not in _VARIABLES]:
            raise Unknown(", ".join(strange))
        self._command, self._engine, self._version = command, engine, version
        while not os.path.isfile("Pulumi.yaml"):  # as the engine looks for the project
            if os.getcwd() == "/":
                raise Unknown("no project")
            os.chdir("..")
        root = os.getcwd()
        try:
            project, config = quick_pulumi.project(), quick_pulumi.settings(command.stack)
        except (quick_pulumi.Unknown, OSError, ValueError) as error:
            raise Unknown(f"the project or its configuration: {error!r}") from None
        if project.keys() - _SETTINGS or project.get("runtime", "").partition(" #")[0].strip() != "python":
            raise Unknown("another setting of the project, or another runtime")
        name = project.get("name", "").strip('"')
        self._program = os.path.normpath(os.path.join(root, project.get("main", ".")))
        self._backend = Backend(os.environ.get("PULUMI_BACKEND_URL", ""), name, command.stack, version)
        self._has_program = command.verb in ("up", "preview")
        self._options = Options(
            stack=command.stack, project=name, root=root, config=config, dry_run=command.verb == "preview",
            only_refresh=command.verb == "refresh", targets=frozenset() if self._has_program else command.urns,
            excludes=command.urns if self._has_program else frozenset(),
            continue_on_error="--continue-on-error" in command.switches,
            parallel=4 * int(os.environ.get("GOMAXPROCS") or os.cpu_count() or 1),
        )  # fmt: skip
        if self._options.targets - {state["urn"] for state in self._backend.resources}:
            raise Unknown("a target that is not there")
        self._snapshot = Snapshot(
            self._backend, every_step=os.environ.get("PULUMI_SKIP_CHECKPOINTS") not in ("true", "1")
        )
        self._lines: list[str] = []
        self._display = Display(command.verb, self._options, self._lines.append, as_json="--json" in command.switches)
        self._deployment = Deployment(self._options, self._snapshot, self._display, Providers(self._new_provider))
        self._child: Child | None = None
        self._providers: list[Child] = []
        self._started: list[Child] = []

    def carry_out(self) -> int:
        """Carry it out; gives the exit code."""
        if self._options.dry_run:
            return self._carried_out()
        with self._backend.locked():
            started = int(time.time())
            try:
                code = self._carried_out()
            except Unknown:
                if self._deployment.providers.touched:
                    self._snapshot.close()  # from which the real engine goes on
                raise
            self._snapshot.close()
            verb = self._command.verb
            self._backend.end(
                {
                    "kind": "update" if verb == "up" else verb, "startTime": started, "message": "",
                    "environment": {"exec.kind": "cli", "pulumi.version": f"v{self._version}"},
                    "config": dict(sorted(self._options.config.items())),
                    "result": "failed" if code == _FAILED else "succeeded",
                    "resourceChanges": self._deployment.execution.counts,
                }
            )  # fmt: skip
        return code

    def _carried_out(self) -> int:
        execution, command = self._deployment.execution, self._command
        try:
            self._start()
            self._go()
        finally:
            for child in (self._child, *self._started, *self._providers):
                if child is not None:
                    child.end()
        if execution.unknown:
            raise execution.unknown
        self._display.end(execution.counts)
        if not execution.errored and command.verb == "destroy":
            self._lines += [
                _DELETED,
                f"If you want to remove the stack completely, run `pulumi stack rm {command.stack}`.",
            ]
        sys.stdout.write("".join(f"{line}\n" for line in self._lines))
        changed = any(count for op, count in execution.counts.items() if op != "same")
        if execution.errored:
            return _FAILED
        if changed and "--expect-no-changes" in command.switches:
            what = "update" if self._has_program else command.verb
            print(f"error: no changes were expected for {what} but changes were proposed", file=sys.stderr)
            return _CHANGED
        return 0

    # Processes

    def _start(self) -> None:
        """Fork the processes that this run may need, before it has any thread."""
        options = self._options
        if self._has_program:
            given = {
                "project": options.project, "stack": options.stack, "organization": "organization",
                "root_directory": options.root, "dry_run": str(options.dry_run).lower(),
                "parallel": str(options.parallel),
            }  # fmt: skip
            script = os.path.join(self._engine, "pulumi-language-python-exec")
            config = json.dumps(dict(sorted(options.config.items())), separators=(",", ":"), ensure_ascii=False)
            self._child = processes.program(self._program, script, given, config)
        for _ in range(2 if "--refresh" in self._command.switches and self._is_reconfigured() else 1):
            self._providers.append(processes.provider(self._program, options.project))
        services = Services(self._deployment, self._display)
        for number, child in enumerate((self._child, *self._providers)):
            if child is not None:
                services.serve(child.link)
                child.read(partial(self._said, 2 * number), skip=number > 0)  # a provider begins with its address
                child.link.start()

    def _is_reconfigured(self) -> bool:
        """Whether the program's provider has another configuration than the state's."""
        known = [outputs_of(state) for state in self._backend.resources if state["type"] == PROVIDER_TYPE + PACKAGE]
        return known != [self._options.config]

    def _new_provider(self) -> ProviderStub:
        if not self._providers:
            raise Unknown("another provider's process")
        child = self._providers.pop(0)
        self._started.append(child)
        return provider_pb2_grpc.ResourceProviderStub(Channel(child.link))

    def _said(self, first: int, number: int, line: str) -> None:
        self._display.diagnostic("", "info#err" if number else "info", line, first + number + 1)

    # The run

    def _go(self) -> None:
        deployment, command = self._deployment, self._command
        if command.verb == "destroy":
            deployment.delete_others()
            self._report()
        elif command.verb == "refresh":
            deployment.refresh()
        elif "--refresh" not in command.switches or deployment.refresh():
            self._run_program()
        deployment.execution.wait()

    def _run_program(self) -> None:
        """Let the program begin, and go with it to the end."""
        deployment, child = self._deployment, self._child
        assert child is not None
        execution = deployment.execution
        execution.on_stop = lambda: threading.Thread(target=self._stop_program, args=(child,)).start()
        child.link.call(BEGIN, b"")
        code = child.wait()
        execution.wait()
        if code and not execution.stopped:
            deployment.program_failed()
            if code != _SHOWN_BY_PROGRAM:
                why = f"an unhandled error occurred: program exited with non-zero exit code: {code}"
                self._display.error("", why)
        deployment.delete_others()
        execution.wait()
        deployment.take_stack_outputs()
        self._report()

    def _stop_program(self, child: Child) -> None:
        """Kill the program once the steps that have begun have ended."""
        self._deployment.execution.wait()
        child.kill()

    def _report(self) -> None:
        execution = self._deployment.execution
        if execution.step_failed and not execution.bailed:
            self._display.error("", f"{'preview' if self._options.dry_run else 'update'} failed")
