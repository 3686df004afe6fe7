"""A Python for the processes that the engine starts, which has imported the SDK and our package before.

Each run of the engine starts one Python for the program, one for the dynamic provider, and one for a policy pack; half
of what such a run takes is their imports. Here they are forked from a process that has done them once. All the rest is
as the engine has it: the arguments, the environment, the folder, the streams, the exit code and the end. Tests of the
start itself use the real Python: the demo, a new project, and what is killed.

`serve` is the process that forks; `quick_client.py` is what the engine starts in Python's place.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple

CLIENT = Path(__file__).with_name("quick_client.py")


class Job(NamedTuple):
    """What a client asks for.

    Attributes:
        pid: the client's process.
        folder: where it runs.
        arguments: those of Python.
        environ: the environment.
        streams: standard input, output and error.
    """

    pid: int
    folder: str
    arguments: list[str]
    environ: dict[str, str]
    streams: list[int]


PACKAGES = ("model", "files", "rules", "api", "directory", "provider", "server", "component", "component_package")
"""Those of our package whose modules the processes of the engine import, by and by; each is there before."""
OTHERS = (
    *("pulumi.dynamic", "pulumi_policy", "grpc._channel", "grpc._server", "grpc.experimental"),
    *("email_validator", "encodings.ascii", "encodings.idna", "filelock", "rapidfuzz.fuzz", "ruamel.yaml.mergevalue"),
    *("anyio", "httpcore", "httpx", "ssl", "stamina"),
)


def serve(address: str, *more: str) -> None:
    """Fork a process for each client until our own input ends, and kill it where its client is killed.

    Args:
        address: where to listen.
        more: modules that the processes import besides those of the engine's processes.
    """
    sys.path.pop(0)  # this folder
    _prepare(*more)
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken.fileno())
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    os.write(1, b"ready\n")
    children: dict[int, socket.socket] = {}
    while True:
        watched: list[Any] = [0, wake, listener, *children.values()]
        ready, _, _ = select.select(watched, [], [])
        if wake in ready:
            wake.recv(4096)
            _tell(children)
        for pid, connection in list(children.items()):
            if connection in ready:  # its client has gone: it never says more than its job
                os.kill(pid, signal.SIGKILL)
        if 0 in ready:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            return
        if listener in ready:
            connection, _ = listener.accept()
            job = _job_of(connection)
            pid = os.fork()
            if not pid:
                for other in (listener, wake, woken, connection, *children.values()):
                    other.close()
                _become(job)
                return
            for stream in job.streams:
                os.close(stream)
            children[pid] = connection
            connection.sendall(f"{pid}\n".encode())


def _prepare(*more: str) -> None:
    """Do once what each process would: the imports, a first roster, and the authorities for TLS."""
    import mixpanel_access

    for name in (*OTHERS, *more):
        importlib.import_module(name)
    for package in PACKAGES:
        folder = os.path.join(mixpanel_access.__path__[0], package)
        for module in pkgutil.walk_packages([folder], f"mixpanel_access.{package}."):
            importlib.import_module(module.name)
    from mixpanel_access.api.client import Api
    from mixpanel_access.files.roster import read_roster
    from mixpanel_access.model.setting_values import Secret
    from mixpanel_access.model.settings import Settings

    Api.connect(Settings(1, "http://127.0.0.1:9", "nobody", Secret("none"))).close()
    read_roster(Path(__file__).parents[2] / "stacks" / "production.yaml")
    gc.collect()
    gc.freeze()  # what is there is not looked through again in each process


def _tell(children: dict[int, socket.socket]) -> None:
    """Tell the clients of those that have ended how they did."""
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            connection = children.pop(pid)
            with contextlib.suppress(OSError):  # the client was killed
                connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            connection.close()


def _job_of(connection: socket.socket) -> Job:
    """What a client has sent."""
    size, streams, _, _ = socket.recv_fds(connection, 8, 3)
    with connection.makefile("rb") as sent:
        text = sent.read(int.from_bytes(size, "big")).decode(errors="surrogateescape")
    pid, folder, count, *rest = text.split("\0")
    arguments, variables = rest[: int(count)], rest[int(count) :]
    environ = dict(variable.split("=", 1) for variable in variables)
    return Job(int(pid), folder, arguments, environ, streams)


def _become(job: Job) -> None:
    """Be the process that the engine wanted to start."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for place, stream in enumerate(job.streams):
        os.dup2(stream, place)
        os.close(stream)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115  # as long as the process runs
    sys.stdout, sys.stderr = (  # as `python -u` has them: nothing is kept back
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", errors, write_through=True)
        for number, errors in ((1, "strict"), (2, "backslashreplace"))
    )
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.environ)
    sys.path[:0] = [part for part in job.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    os.getppid = lambda: job.pid  # the engine is above the client
    _, first, *rest = job.arguments
    try:
        if first == "-m":
            sys.argv = rest
            sys.path.insert(0, os.getcwd())
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = [first, *rest]
            sys.path.insert(0, os.path.dirname(first))
            runpy.run_path(first, run_name="__main__")
    except SystemExit as done:
        if done.code is not None and not isinstance(done.code, int):
            raise
        _end(done.code or 0)
    _end(0)


def _end(code: int) -> None:
    """End as Python does, without taking every module apart."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def installed(address: str, file: str) -> None:
    """Write the client.

    Args:
        address: the server's socket.
        file: the program that the engine is to start in Python's place.
    """
    started = f"main({address!r}, {sys.executable!r})"
    Path(file).write_text(f"#!{sys.executable} -IS\n{CLIENT.read_text()}\n\n{started}\n")
    Path(file).chmod(0o755)


if __name__ == "__main__":
    serve(*sys.argv[1:])
