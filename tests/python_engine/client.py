"""The `pulumi` of the engine in Python: has the server fork a process for a command, or becomes the real engine."""

from __future__ import annotations

import sys
from pathlib import Path

from mixpanel_access.engine import Engine
from tests.engine.quick_python import CLIENT

_MODULE = "tests.python_engine.__main__"
_STARTED = """

command = sys.argv[1:]
status = forked({address!r}, ["-u", "-m", {module!r}, {folder!r}, {version!r}, *command])
if status == {handed_over}:
    os.execv({real!r}, [{real!r}, *command])
if status < 0:
    os.kill(os.getpid(), -status)
os._exit(status)
"""
HANDED_OVER = 250
"""The exit code with which a process leaves its command to the real engine."""


def installed(address: str, engine: Engine, file: Path) -> None:
    """Write it.

    Args:
        address: the server's socket.
        engine: the real engine.
        file: what becomes of it.
    """
    started = _STARTED.format(
        address=address, module=_MODULE, folder=str(engine.folder), version=engine.version, handed_over=HANDED_OVER,
        real=str(engine.folder / "pulumi"),
    )  # fmt: skip
    file.write_text(f"#!{sys.executable} -IS\n{CLIENT.read_text()}{started}")
    file.chmod(0o755)
