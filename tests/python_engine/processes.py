"""The processes of a run: the program and the providers, forked with all their imports."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.python_engine.transport import Link, instead_of_grpc

BEGIN = "/begin"
"""The call with which a program is let begin."""
_ADDRESS = "127.0.0.1:1"
"""What the SDK takes for the engine's address; nobody connects to it."""


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
        self.kill()
        self.wait()

    def kill(self) -> None:
        """Have it end now."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end and for all that it has printed; gives its exit code."""
        with self.lock:
            if self.code is None:
                self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        for reader in self.readers:
            reader.join()
        return self.code


def program(folder: str, script: str, options: Mapping[str, str], config: str) -> Child:
    """A process that runs a program once it is let begin.

    Args:
        folder: the program's folder.
        script: the language host's script that runs programs.
        options: its options, without the addresses.
        config: the stack's configuration, as JSON.
    """

    def become(link: Link) -> None:
        os.environ |= {"PULUMI_CONFIG": config, "PULUMI_CONFIG_SECRET_KEYS": "[]"}
        begun = threading.Event()

        def begin(_: bytes) -> bytes:
            begun.set()
            return b""

        link.answer(BEGIN, begin)
        link.start()
        begun.wait()
        given = {"monitor": _ADDRESS, "engine": _ADDRESS, **options, "pwd": folder}
        sys.argv = [script, *(part for name, value in given.items() for part in (f"--{name}", value)), folder]
        sys.path.insert(0, os.path.dirname(script))
        runpy.run_path(script, run_name="__main__")

    return _forked(folder, become)


def provider(folder: str, project: str) -> Child:
    """A process of the dynamic provider.

    Args:
        folder: the program's folder.
        project: the project's name.
    """

    def become(link: Link) -> None:
        os.environ |= {"PULUMI_CONFIG": "{}", "PULUMI_PROJECT": project}
        link.on_end = lambda: os._exit(0)
        sys.argv = ["", _ADDRESS]
        sys.path.insert(0, folder)
        runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)

    return _forked(folder, become)


def _forked(folder: str, become: Callable[[Link], None]) -> Child:
    """A process of our own, forked before we have any thread.

    Args:
        folder: where it runs.
        become: what it does.
    """
    ours, theirs = socket.socketpair()
    pipes = [os.pipe(), os.pipe()]
    pid = os.fork()
    if not pid:
        ours.close()
        _take_streams(pipes)
        os.chdir(folder)
        os.environ["PWD"] = folder
        link, code = Link(theirs), 1
        instead_of_grpc(link)
        try:
            become(link)
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:  # noqa: BLE001  # whatever it is, this process ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    theirs.close()
    for _, write in pipes:
        os.close(write)
    return Child(pid, Link(ours), (pipes[0][0], pipes[1][0]))


def _take_streams(pipes: list[tuple[int, int]]) -> None:
    """Write standard output and standard error into these, as `python -u` does."""
    for number, (read, write) in enumerate(pipes):
        os.close(read)
        os.dup2(write, number + 1)
        os.close(write)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", errors, write_through=True)
        for number, errors in ((1, "strict"), (2, "backslashreplace"))
    )
