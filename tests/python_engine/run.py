"""One command of `pulumi`, carried out in a process that has all imports already; see the package's description."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import runpy
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from google.protobuf import empty_pb2, message_factory  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, provider_pb2_grpc, resource_pb2

from tests.engine import quick_pulumi
from tests.python_engine.backend import Backend
from tests.python_engine.client import HANDED_OVER
from tests.python_engine.deployment import Deployment, Options, ProviderStub
from tests.python_engine.display import Display
from tests.python_engine.snapshot import Snapshot
from tests.python_engine.transport import Channel, Link, instead_of_grpc
from tests.python_engine.unknown import Unknown

ADDRESS = "127.0.0.1:1"
"""What the SDK takes for the engine's address; nobody connects to it."""
_FAILED, _CHANGED = 1, 7
_DELETED = (
    "The resources in the stack have been deleted, but the history and configuration associated with the stack are "
    "still maintained. "
)
_SHOWN_BY_PROGRAM = 32
"""A program's exit code after it has shown why it fails."""
_SWITCHES = {
    "up": {"--yes", "--skip-preview", "--refresh", "--expect-no-changes", "--continue-on-error"},
    "preview": {"--json", "--expect-no-changes"},
    "refresh": {"--yes", "--skip-preview", "--run-program=false", "--expect-no-changes"},
    "destroy": {"--yes", "--skip-preview"},
}
_WITHOUT_QUESTIONS = {"--yes", "--skip-preview"}
_VALUES = {"up": {"--exclude"}, "preview": {"--exclude"}, "refresh": {"--target"}, "destroy": set[str]()}
_VARIABLES = {
    "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "PULUMI_PYTHON_CMD", "PULUMI_SKIP_CHECKPOINTS",
}  # fmt: skip
"""The engine's variables whose meaning is known."""
_SEVERITIES = ("debug", "info", "warning", "error")
_FEATURES = [
    "SECRETS", "RESOURCE_REFERENCES", "ALIAS_SPECS", "REPLACEMENT_TRIGGER", "DELETED_WITH", "REPLACE_WITH",
    "TRANSFORMS", "INVOKE_TRANSFORMS", "PARAMETERIZATION", "RESOURCE_HOOKS", "ERROR_HOOKS",
]  # fmt: skip
"""What the SDK may ask for. Most of it is handed over."""


@dataclass(frozen=True)
class Command:
    """A command line.

    Attributes:
        verb: `up`, `preview`, `refresh` or `destroy`.
        stack: the stack.
        switches: the switches that are on.
        urns: the resources that are named.
    """

    verb: str
    stack: str
    switches: frozenset[str]
    urns: frozenset[str]

    @classmethod
    def parsed(cls, words: Sequence[str]) -> Command:
        """The command of a command line.

        Raises:
            Unknown: there is something in it whose meaning is not known here.
        """
        rest = [word for word in words if word not in quick_pulumi.PLAIN_OPTIONS]
        verb = rest.pop(0) if rest else ""
        if verb not in _SWITCHES:
            raise Unknown(verb)
        stack, switches, urns = "", set(), set()
        while rest:
            word = rest.pop(0)
            if word in _SWITCHES[verb]:
                switches.add(word)
            elif word == "--stack" and rest and not stack:
                stack = rest.pop(0)
            elif word in _VALUES[verb] and rest and "*" not in rest[0]:
                urns.add(rest.pop(0))
            else:
                raise Unknown(word)
        if not stack or (verb != "preview" and not switches >= _WITHOUT_QUESTIONS):
            raise Unknown("no stack, or a question to be asked")
        return cls(verb, stack, frozenset(switches), frozenset(urns))


@dataclass
class Child:
    """A process of the run, with its outputs.

    Attributes:
        pid: its number.
        link: how to speak with it.
        outputs: its standard output and its standard error.
        readers: read these.
        code: its exit code, once it has ended.
        lock: held by the thread that waits for its end.
    """

    pid: int
    link: Link
    outputs: tuple[int, int]
    readers: list[threading.Thread] = field(default_factory=list)
    code: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, take: Callable[[int, str], None], *, skip: int) -> None:
        """Take what it prints, line by line.

        Args:
            take: called with 0 or 1, and a line.
            skip: how many lines of standard output are nobody's business.
        """

        def lines(number: int) -> None:
            with open(self.outputs[number], encoding="utf-8", errors="replace") as stream:
                for place, line in enumerate(stream):
                    if number or place >= skip:
                        take(number, line)

        for number in (0, 1):
            thread = threading.Thread(target=lines, args=(number,))
            thread.start()
            self.readers.append(thread)

    def end(self) -> None:
        """Kill it, and wait for its end and for all that it has printed."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Wait for its end and for all that it has printed; gives its exit code."""
        with self.lock:
            if self.code is None:
                self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        for reader in self.readers:
            reader.join()
        return self.code


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
        if os.environ.get("NEVER_HANDED_OVER") and not _SWITCHES.keys().isdisjoint(words):
            print(f"not known: {error!r}", file=sys.stderr)
            return _FAILED
        if os.environ.get("WHY_HANDED_OVER"):
            print(f"handed over: {error!r}", file=sys.stderr)
        return HANDED_OVER


def _show_command(words: Sequence[str]) -> None:
    """Have this process show the engine's command line, which our provider looks for among its parents."""
    with open("/proc/self/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
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
        self._engine, self._command = engine, command
        while not os.path.isfile("Pulumi.yaml"):  # as the engine looks for the project
            if os.getcwd() == "/":
                raise Unknown("no project")
            os.chdir("..")
        self._root = os.getcwd()
        try:
            project, config = quick_pulumi.project(), quick_pulumi.settings(command.stack)
        except (quick_pulumi.Unknown, OSError, ValueError) as error:
            raise Unknown(f"the project or its configuration: {error!r}") from None
        if project.keys() - {"name", "description", "runtime", "main", "stackConfigDir"}:
            raise Unknown("another setting of the project")
        if project["runtime"].partition(" #")[0].strip() != "python":
            raise Unknown("another runtime")
        self._program = os.path.normpath(os.path.join(self._root, project.get("main", ".")))
        self._version = version
        self._backend = Backend(os.environ["PULUMI_BACKEND_URL"], project["name"].strip('"'), command.stack, version)
        has_program = command.verb in ("up", "preview")
        self._options = Options(
            stack=command.stack, project=project["name"].strip('"'), root=self._root, config=config,
            dry_run=command.verb == "preview", only_refresh=command.verb == "refresh",
            targets=command.urns if command.verb == "refresh" else frozenset(),
            excludes=command.urns if has_program else frozenset(),
            continue_on_error="--continue-on-error" in command.switches,
            parallel=4 * int(os.environ.get("GOMAXPROCS") or os.cpu_count() or 1),
        )  # fmt: skip
        absent = command.urns - {state["urn"] for state in self._backend.resources}
        if absent and not has_program:
            raise Unknown(f"{', '.join(absent)} are not there")
        self._lines: list[str] = []
        self._root_urn = ""
        self._providers: list[Child] = []
        self._started: list[Child] = []
        self._child: Child | None = None

    def carry_out(self) -> int:
        """Carry it out; gives the exit code."""
        options, command = self._options, self._command
        if options.dry_run:
            return self._carried_out()
        with self._backend.locked():
            started = int(time.time())
            try:
                code = self._carried_out()
            except Unknown:
                if self._deployment.touched:
                    self._snapshot.close()  # from which the real engine goes on
                raise
            self._snapshot.close()
            environment = {"exec.kind": "cli", "pulumi.version": f"v{self._version}"}
            kind = {"up": "update"}.get(command.verb, command.verb)
            self._backend.end(
                {
                    "kind": kind, "startTime": started, "message": "", "environment": environment,
                    "config": dict(sorted(options.config.items())), "resourceChanges": self._deployment.counts,
                    "result": "succeeded" if code in (0, _CHANGED) else "failed",
                }
            )  # fmt: skip
        return code

    def _carried_out(self) -> int:
        options, command = self._options, self._command
        self._snapshot = Snapshot(
            self._backend, every_step=os.environ.get("PULUMI_SKIP_CHECKPOINTS") not in ("true", "1")
        )
        self._display = Display(command.verb, options, self._lines.append, as_json="--json" in command.switches)
        self._deployment = deployment = Deployment(options, self._snapshot, self._display, self._new_provider)
        try:
            self._start()
            self._go()
        finally:
            for child in (self._child, *self._started, *self._providers):
                if child is not None:
                    child.end()
        if deployment.unknown:
            raise deployment.unknown
        self._display.end(deployment.counts)
        code = _FAILED if deployment.errored else 0
        if not code and command.verb == "destroy":
            self._lines += [
                _DELETED,
                f"If you want to remove the stack completely, run `pulumi stack rm {command.stack}`.",
            ]
        changed = any(count for op, count in deployment.counts.items() if op != "same")
        sys.stdout.write("".join(f"{line}\n" for line in self._lines))
        if not code and changed and "--expect-no-changes" in command.switches:
            what = "update" if command.verb in ("up", "preview") else command.verb
            print(f"error: no changes were expected for {what} but changes were proposed", file=sys.stderr)
            return _CHANGED
        return code

    def _start(self) -> None:
        """Fork the processes that this run may need, before it has any thread."""
        command = self._command
        if command.verb in ("up", "preview"):
            self._child = self._fork(self._be_program)
        for _ in range(2 if "--refresh" in command.switches else 1):
            self._providers.append(self._fork(self._be_provider))
        for number, child in enumerate((self._child, *self._providers)):
            if child is not None:
                self._serve(child)
                child.read(partial(self._said, 2 * number), skip=number > 0)
                child.link.start()

    def _go(self) -> None:
        deployment, command = self._deployment, self._command
        if command.verb == "destroy":
            deployment.destroy()
            self._report()
        elif command.verb == "refresh":
            deployment.refresh()
        elif "--refresh" not in command.switches or deployment.refresh():
            self._run_program()
        deployment.wait()

    def _run_program(self) -> None:
        """Let the program begin, and go with it to the end."""
        deployment, child = self._deployment, self._child
        assert child is not None
        child.link.call("/begin", b"")
        deployment.on_stop = lambda: self._stop_program(child)
        code = child.wait()
        deployment.wait()
        if code and not deployment.stopped:
            deployment.program_failed()
            if code != _SHOWN_BY_PROGRAM:
                self._display.error("", f"an unhandled error occurred: program exited with non-zero exit code: {code}")
        deployment.finish_program()
        deployment.wait()
        deployment.take_stack_outputs()
        self._report()

    def _stop_program(self, child: Child) -> None:
        """Kill the program once the steps that have begun have ended."""

        def stop() -> None:
            self._deployment.wait()
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)

        if child.code is None:
            threading.Thread(target=stop).start()

    def _report(self) -> None:
        if self._deployment.step_failed and not self._deployment.bailed:
            what = "preview" if self._options.dry_run else "update"
            self._display.error("", f"{what} failed")

    # Processes

    def _fork(self, become: Callable[[Link], None]) -> Child:
        ours, theirs = socket.socketpair()
        pipes = [os.pipe(), os.pipe()]
        pid = os.fork()
        if not pid:
            ours.close()
            os.chdir(self._program)
            os.environ["PWD"] = self._program
            for number, (read, write) in enumerate(pipes):
                os.close(read)
                os.dup2(write, number + 1)
                os.close(write)
            sys.stdout, sys.stderr = (
                io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", errors, write_through=True)
                for number, errors in ((1, "strict"), (2, "backslashreplace"))
            )
            link = Link(theirs)
            instead_of_grpc(link)
            code = 1
            try:
                become(link)
                code = 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            except BaseException:  # noqa: BLE001  # whatever it is, this process ends here
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        theirs.close()
        for _, write in pipes:
            os.close(write)
        return Child(pid, Link(ours), (pipes[0][0], pipes[1][0]))

    def _be_program(self, link: Link) -> None:
        os.environ |= {"PULUMI_CONFIG": _json(self._options.config), "PULUMI_CONFIG_SECRET_KEYS": "[]"}
        begun = threading.Event()

        def begin(_: bytes) -> bytes:
            begun.set()
            return b""

        link.answer("/begin", begin)
        link.start()
        begun.wait()
        options = {
            "monitor": ADDRESS, "engine": ADDRESS, "project": self._options.project, "stack": self._options.stack,
            "organization": "organization", "root_directory": self._root, "pwd": self._program,
            "dry_run": str(self._options.dry_run).lower(), "parallel": str(self._options.parallel),
        }  # fmt: skip
        script = os.path.join(self._engine, "pulumi-language-python-exec")
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        sys.argv = [script, *arguments, self._program]
        sys.path.insert(0, self._engine)
        runpy.run_path(script, run_name="__main__")

    def _be_provider(self, link: Link) -> None:
        os.environ |= {"PULUMI_CONFIG": "{}", "PULUMI_PROJECT": self._options.project}
        link.on_end = lambda: os._exit(0)
        sys.argv = ["", ADDRESS]
        sys.path.insert(0, os.getcwd())
        runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)

    def _new_provider(self) -> ProviderStub:
        if not self._providers:
            raise Unknown("another provider's process")
        child = self._providers.pop(0)
        self._started.append(child)
        return provider_pb2_grpc.ResourceProviderStub(Channel(child.link))

    # What the processes ask for

    def _serve(self, child: Child) -> None:
        deployment = self._deployment
        features = [getattr(resource_pb2, f"RESOURCE_MONITOR_FEATURE_{name}") for name in _FEATURES]

        def outputs(request: Any) -> Any:
            deployment.register_outputs(request)
            return empty_pb2.Empty()

        self._serve_methods(
            child, resource_pb2.DESCRIPTOR.services_by_name["ResourceMonitor"],
            {
                "RegisterResource": deployment.register,
                "RegisterResourceOutputs": outputs,
                "GetDeploymentInfo": lambda _: resource_pb2.DeploymentInfo(supportedFeatures=features),
                "SignalAndWaitForShutdown": lambda _: empty_pb2.Empty(),
            },
        )  # fmt: skip
        self._serve_methods(
            child, engine_pb2.DESCRIPTOR.services_by_name["Engine"],
            {"Log": self._log, "GetRootResource": self._get_root, "SetRootResource": self._set_root},
        )  # fmt: skip

    def _serve_methods(self, child: Child, service: Any, known: Mapping[str, Callable[[Any], Any]]) -> None:
        handlers = {}
        for method in service.methods:
            parse = message_factory.GetMessageClass(method.input_type).FromString
            act = known.get(method.name) or self._refusal(method.name)
            handlers[f"/{service.full_name}/{method.name}"] = SimpleNamespace(
                request_deserializer=parse, response_serializer=lambda answer: answer.SerializeToString(),
                unary_unary=lambda request, _, act=act: act(request),
            )  # fmt: skip
        child.link.serve(handlers)

    def _refusal(self, name: str) -> Callable[[Any], Any]:
        def refuse(_: Any) -> Any:
            unknown = Unknown(f"a program that calls {name}")
            self._deployment.stop(unknown)
            raise unknown

        return refuse

    def _log(self, request: Any) -> Any:
        severity = _SEVERITIES[request.severity]
        if severity != "debug" and not request.ephemeral:
            self._display.diagnostic(request.urn, severity, request.message, request.streamId)
        return empty_pb2.Empty()

    def _get_root(self, _: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root_urn)

    def _set_root(self, request: Any) -> Any:
        self._root_urn = request.urn
        return engine_pb2.SetRootResourceResponse()

    def _said(self, first: int, number: int, line: str) -> None:
        self._display.diagnostic("", "info#err" if number else "info", line, first + number + 1)


def _json(config: Mapping[str, str]) -> str:
    import json

    return json.dumps(dict(sorted(config.items())), separators=(",", ":"), ensure_ascii=False)
