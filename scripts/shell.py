"""A shell that types commands one after the other, as a reader who follows a page does."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

_DONE: Final = "--done-with-that--"


class Shell:
    """A bash in a folder; its commands print to one stream, as on a screen."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],  # noqa: S607  # the bash that a reader of the page has
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101  # PIPE was asked for
        assert self._process.stdout is not None  # noqa: S101
        self._stdin: IO[str] = self._process.stdin
        self._stdout: IO[str] = self._process.stdout
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)  # with everything that still runs in the background
        self._process.wait()
        self._reader.join()
        self._stdin.close()
        self._stdout.close()

    def type(self, command: str, *, seconds: float = 120) -> tuple[list[str], int]:
        """Run a command; return what it prints and its exit code. What it leaves in the background may print later.

        Raises:
            TimeoutError: the command does not end in time.
            EOFError: the command ends the shell.
        """
        self._stdin.write(f"{command}\necho {_DONE} $?\n")
        self._stdin.flush()
        deadline = time.monotonic() + seconds
        printed: list[str] = []
        while True:
            line = self._next(deadline, f"{command!r} printed {printed}")
            before, done, code = line.partition(_DONE)
            if before or not done:
                printed.append(before)
            if done:
                return printed, int(code)

    def wait_for(self, last: str, *, seconds: float = 60) -> list[str]:
        """Wait until the background has printed a line; return what it printed up to that line."""
        deadline = time.monotonic() + seconds
        printed = [self._next(deadline, f"there was no {last!r}")]
        while printed[-1] != last:
            printed.append(self._next(deadline, f"{last!r} was not among {printed}"))
        return printed

    def _next(self, deadline: float, otherwise: str) -> str:
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError(otherwise) from None
        if line is None:
            raise EOFError(f"the shell has ended: {otherwise}")
        return line

    def _read(self) -> None:
        for line in self._stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
