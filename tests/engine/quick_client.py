"""What the engine starts in place of Python in the tests: has `quick_python` fork the process, and waits for its end.

A run of the engine starts four of them, so this imports built-in modules alone; it needs no site-packages.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import os
import sys

HOST = "pulumi-language-python-exec"
SERVERS = ("/plugins/pulumi-python", "/plugins/mixpanel-access")
ASKED = ["-c", "import platform; print(platform.python_version())"]
"""How the engine asks for the version of Python, once a run."""


def is_forked(arguments: list[str]) -> bool:
    """Whether the engine starts a program or a plugin."""
    started = "".join(arguments[1:2])
    return arguments[:1] == ["-u"] and (started == "-m" or HOST in started or started.endswith(SERVERS))


def main(address: str, python: str) -> None:
    """Have the server fork, hand over our streams, and end as the forked process does.

    Args:
        address: the server's socket.
        python: the real Python, for everything that the engine does not start often.
    """
    arguments = sys.argv[1:]
    if arguments == ASKED:
        os.write(1, sys.version.partition(" ")[0].encode() + b"\n")
        return
    if not is_forked(arguments):
        os.execv(python, [python, *arguments])
    status = forked(address, arguments)
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


def forked(address: str, arguments: list[str]) -> int:
    """Have the server fork a Python with our streams; gives its exit code, negative for a signal.

    Args:
        address: the server's socket.
        arguments: those of Python.
    """
    variables = [f"{name}={value}" for name, value in os.environ.items()]
    parts = [str(os.getpid()), os.getcwd(), str(len(arguments)), *arguments, *variables]
    job = "\0".join(parts).encode(errors="surrogateescape")
    server = _socket.socket(_socket.AF_UNIX)
    server.connect(address)
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    server.sendmsg([len(job).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    server.sendall(job)
    child = _number(server)
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, lambda got, _: os.kill(child, got))
    status = _number(server)
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, _signal.SIG_DFL)
    return status


def _number(server: _socket.socket) -> int:
    """The next line that the server sends."""
    line = b""
    while not line.endswith(b"\n"):
        got = server.recv(1)
        if not got:
            os._exit(1)  # the server has gone, and the forked process with it
        line += got
    return int(line)
