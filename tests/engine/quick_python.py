"""A Python for the processes that the engine starts, which has imported the SDK and our package before.

Each run of the engine starts one Python for the program, one for the dynamic provider, and one for a policy pack; half
of what such a run takes is their imports. Here they are forked from a process that has done them once. All the rest is
as the engine has it: the arguments, the environment, the folder, the streams, the exit code and the end. Tests of the
start itself use the real Python: the demo, a new project, and what is killed.

This file is both: `serve` is the process that forks, and the client that the engine starts in Python's place, which
needs no site-packages and waits for the forked one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import socket
import sys
from typing import Any

Job = dict[str, Any]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HOST = "pulumi-language-python-exec"
PACKAGES = ("model", "files", "rules", "api", "directory", "provider", "component")
"""Those of our package whose modules the processes of the engine import, by and by; each is there before."""
OTHERS = ("pulumi.dynamic", "pulumi_policy", "email_validator", "httpx", "stamina", "rapidfuzz.fuzz", "ssl")


def is_forked(arguments: list[str]) -> bool:
    """Whether the engine starts a program or a plugin."""
    return arguments[:1] == ["-u"] and (arguments[1:2] == ["-m"] or HOST in "".join(arguments[1:2]))


def client(address: str, python: str) -> None:
    """Have the server fork, hand over our streams, and end as the forked process does.

    Args:
        address: the server's socket.
        python: the real Python, for everything that is not started often.
    """
    arguments = sys.argv[1:]
    if not is_forked(arguments):
        os.execv(python, [python, *arguments])
    job = {"arguments": arguments, "folder": os.getcwd(), "environ": dict(os.environ), "pid": os.getpid()}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [b"*"], [0, 1, 2])
        server.sendall(json.dumps(job).encode() + b"\n")
        answers = server.makefile("rb")
        child = int(answers.readline())
        for number in SIGNALS:
            signal.signal(number, lambda got, _: os.kill(child, got))
        status = int(answers.readline())
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def serve(address: str) -> None:
    """Fork a process for each client until our own input ends, and kill it where its client is killed."""
    sys.path.pop(0)  # this folder
    _prepare()
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
            _, streams, _, _ = socket.recv_fds(connection, 1, 3)
            job = json.loads(connection.makefile("rb").readline())
            pid = os.fork()
            if not pid:
                for other in (listener, wake, woken, connection, *children.values()):
                    other.close()
                _become(job, streams)
                return
            for stream in streams:
                os.close(stream)
            children[pid] = connection
            connection.sendall(f"{pid}\n".encode())


def _prepare() -> None:
    """Do once what each process would: the imports, and what reading a first roster compiles."""
    import mixpanel_access

    for name in OTHERS:
        importlib.import_module(name)
    for package in PACKAGES:
        folder = os.path.join(mixpanel_access.__path__[0], package)
        for module in pkgutil.walk_packages([folder], f"mixpanel_access.{package}."):
            importlib.import_module(module.name)
    from pathlib import Path

    from mixpanel_access.files.roster import read_roster

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


def _become(job: Job, streams: list[int]) -> None:
    """Be the process that the engine wanted to start."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115  # as long as the process runs
    sys.stdout, sys.stderr = (  # as `python -u` has them: nothing is kept back
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", errors, write_through=True)
        for number, errors in ((1, "strict"), (2, "backslashreplace"))
    )
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environ"])
    sys.path[:0] = [part for part in job["environ"].get("PYTHONPATH", "").split(os.pathsep) if part]
    os.getppid = lambda: job["pid"]  # the engine is above the client
    _, first, *rest = job["arguments"]
    import runpy

    if first == "-m":
        sys.argv = rest
        sys.path.insert(0, os.getcwd())
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [first, *rest]
        sys.path.insert(0, os.path.dirname(first))
        runpy.run_path(first, run_name="__main__")


def installed(address: str, file: str) -> None:
    """Write the client.

    Args:
        address: the server's socket.
        file: the program that the engine is to start in Python's place.
    """
    with open(__file__, encoding="utf-8") as own:
        source = own.read().partition('\nif __name__ == "__main__":\n')[0]
    with open(file, "w", encoding="utf-8") as written:
        written.write(f"#!{sys.executable} -IS\n{source}\n\nclient({address!r}, {sys.executable!r})\n")
    os.chmod(file, 0o755)


if __name__ == "__main__":
    serve(sys.argv[1])
