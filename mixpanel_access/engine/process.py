"""Run a child process with a deadline, and leave no process behind.

Each child gets its own session, and we kill the whole session: the engine puts each plugin into its own process group,
so killing the child's group alone would miss the plugins.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Final

FIRST_TICK: Final = 2.0
"""Seconds after which a wait is first reported."""
TICK: Final = 10.0
"""Seconds between later reports."""
LINGER: Final = 2.0
"""Seconds without output after which we stop reading, once the child has ended.

A process that it started may hold the pipe for ever.
"""
_CHUNK: Final = 1 << 20
"""Bytes that are read at a time."""
_GRACE: Final = 5.0
"""Seconds between the request to stop and the kill."""
_RUNNING: Final[set[subprocess.Popen[bytes]]] = set()
"""The children of all threads that run now."""


@dataclass(frozen=True)
class Outcome:
    """How a child ended.

    Attributes:
        returncode: its exit code, negative for a signal.
        stdout: what it wrote to standard output.
        stderr: what it wrote to standard error.
        seconds: how long it ran.
        timed_out: whether it was stopped at its deadline.
    """

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False


@dataclass(frozen=True)
class Watch:
    """What to call while a child runs.

    Attributes:
        on_line: called with each line of either stream, as it comes, without its end; None for nobody.
        on_wait: called with the seconds so far, after two seconds and then every ten.
    """

    on_line: Callable[[str], None] | None = None
    on_wait: Callable[[float], None] = lambda _: None


def run_child(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: float,
    cwd: Path | None = None,
    watch: Watch = Watch(),
    grace: float = _GRACE,
) -> Outcome:
    """Run a command to its end, without input, and capture both streams.

    Args:
        command: the program and its arguments.
        env: its whole environment.
        timeout: seconds until it is stopped.
        cwd: its working folder.
        watch: what to call while it runs.
        grace: seconds between the request to stop and the kill.

    Raises:
        OSError: the program cannot be started.
    """
    started = time.monotonic()
    process: subprocess.Popen[bytes] | None = None
    texts: dict[int, list[bytes]] = {1: [], 2: []}
    try:
        with uninterrupted():
            process = subprocess.Popen(  # noqa: S603 - running commands is what this is for
                list(command),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            _RUNNING.add(process)
        timed_out = _follow(process, started, timeout, texts, watch, grace)
    except BaseException:
        if process is not None:
            _stop(process, grace)
        raise
    finally:
        if process is not None:
            _RUNNING.discard(process)
    return Outcome(
        returncode=process.wait(),
        stdout=_text(texts.pop(1)),
        stderr=_text(texts.pop(2)),
        seconds=time.monotonic() - started,
        timed_out=timed_out,
    )


def stop_children() -> None:
    """Stop the children of other threads, which a signal does not reach; they see a child that was killed."""
    for process in [*_RUNNING]:
        _stop(process, _GRACE)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay SIGINT and SIGTERM until the end of the block.

    A signal during the start of a child would leave a child that nobody stops. The child itself is not affected: a
    program starts with the default handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    caught: list[tuple[int, FrameType | None]] = []
    handlers = {
        number: signal.signal(number, lambda number, frame: caught.append((number, frame)))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for known, handler in handlers.items():
            signal.signal(known, handler)
    for number, frame in caught:
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        elif handler is signal.SIG_DFL:
            signal.raise_signal(number)


def _follow(
    process: subprocess.Popen[bytes],
    started: float,
    timeout: float,
    texts: dict[int, list[bytes]],
    watch: Watch,
    grace: float,
) -> bool:
    """Collect the output until both streams end; whether the deadline came first."""
    chunks = _chunks_of(process, lines=watch.on_line is not None)
    streams, next_tick, last_sign = 2, FIRST_TICK, 0.0
    while streams:
        with contextlib.suppress(queue.Empty):
            number, chunk = chunks.get(timeout=0.1)
            if chunk is None:
                streams -= 1
            else:
                texts[number].append(chunk)
                last_sign = 0.0
                if watch.on_line is not None:
                    watch.on_line(_text([chunk]).rstrip("\r\n"))
        elapsed = time.monotonic() - started
        if process.poll() is not None:
            last_sign = last_sign or elapsed
            if elapsed - last_sign > LINGER:
                _kill_session(process.pid)
                break
        elif elapsed > timeout:
            _stop(process, grace)
            return True
        elif elapsed >= next_tick:
            watch.on_wait(elapsed)
            next_tick = elapsed - elapsed % TICK + TICK
    while process.poll() is None:  # both streams closed, still running
        if time.monotonic() - started > timeout:
            _stop(process, grace)
            return True
        time.sleep(0.02)
    return False


def _chunks_of(process: subprocess.Popen[bytes], *, lines: bool) -> queue.SimpleQueue[tuple[int, bytes | None]]:
    """What both streams say as it comes, each with the number of its stream; None at the end of a stream.

    By lines only where somebody wants them: an exported state of thousands of resources has a million.
    """
    chunks: queue.SimpleQueue[tuple[int, bytes | None]] = queue.SimpleQueue()
    for number, stream in ((1, process.stdout), (2, process.stderr)):
        assert stream is not None  # noqa: S101 - for the type checker: both are pipes
        threading.Thread(target=_read, args=(number, stream, chunks, lines), daemon=True).start()
    return chunks


def _read(number: int, stream: IO[bytes], chunks: queue.SimpleQueue[tuple[int, bytes | None]], lines: bool) -> None:
    with contextlib.suppress(OSError, ValueError), stream:
        for chunk in stream if lines else iter(lambda: os.read(stream.fileno(), _CHUNK), b""):
            chunks.put((number, chunk))
    chunks.put((number, None))


def _text(chunks: list[bytes]) -> str:
    """What a stream has said; the chunks go as soon as they are joined."""
    joined = b"".join(chunks)
    chunks.clear()
    return joined.decode("utf-8", errors="replace")


def _stop(process: subprocess.Popen[bytes], grace: float) -> None:
    """Ask the child to stop, then kill its session.

    The engine then releases the stack's lock; an engine that is killed at once leaves the stack locked.
    """
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
    finally:
        _kill_session(process.pid)
        process.wait()


def _kill_session(session: int) -> None:
    """Kill all processes of a session, in several rounds, since one may start another meanwhile."""
    for _ in range(10):
        members = [pid for pid in _processes() if _session_of(pid) == session]
        if not members:
            return
        for pid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _processes() -> list[int]:
    table = Path("/proc")
    if (table / "self").exists():
        return [int(entry.name) for entry in table.iterdir() if entry.name.isdigit()]
    listing = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=False)  # noqa: S607 - POSIX
    return [int(word) for word in listing.stdout.split()]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
