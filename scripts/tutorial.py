"""Follow the tutorial as a reader of the page does: type each command, and make each change to a file."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.blocks import LEFT_OUT, Command, blocks, commands
from scripts.build_site import ROOT
from scripts.shell import Shell

PAGE: Final = ROOT / "docs" / "tutorial.md"
_PORT: Final = "8080"
"""The emulator's port on the page; a free port replaces it."""
_COPIED: Final = (
    *("Pulumi.yaml", "Makefile", ".gitignore", "pyproject.toml", "requirements.lock"),
    *("stacks", "plugins", "policies"),
)
_WARNING: Final = "warning: mixpanel:now of the stack "
_WARNING_OF_ENGINE: Final = "warning: mixpanel:now is "
_COLOR: Final = r"\x1b\[[\d;]*m"
_GIT: Final = {
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


@dataclass(frozen=True)
class Typed:
    """A command that was typed.

    Attributes:
        command: the command, with the output that the page shows.
        printed: what it printed.
        code: its exit code.
    """

    command: Command
    printed: tuple[str, ...]
    code: int

    @property
    def is_as_shown(self) -> bool:
        """Whether the page shows what was printed; if it shows nothing, any output is fine."""
        pattern = "".join(_pattern(line) for line in self.command.shown if line.strip())
        lines = (line.rstrip() for line in said(self.printed) if line.strip())
        # The engine shows the messages of a resource in any order, so that its warning may come last.
        printed = "".join(f"{line}\n" for line in lines if not line.lstrip().startswith(_WARNING_OF_ENGINE))
        return not pattern or re.fullmatch(pattern, printed) is not None


def said(printed: Iterable[str]) -> list[str]:
    """The lines without the engine's progress dots and without warnings of the clock that the page sets.

    On a slow machine, other output may follow the dots on the same line.
    """
    told = []
    for line in printed:
        if line.startswith(_WARNING):
            continue
        rest = re.sub(rf"^(?:{_COLOR})*@ [^.]*(?:\.|{_COLOR})*", "", line)
        if rest == line or re.sub(_COLOR, "", rest).strip():
            told.append(rest)
    return told


def _pattern(line: str) -> str:
    """The pattern of a line on the page, which may leave out some text or some lines."""
    if line.strip() == LEFT_OUT:
        return r"(?:.*\n)*?"
    return ".*?".join(re.escape(part.rstrip()) for part in line.rstrip().split(LEFT_OUT)) + r" *\n"


def follow(folder: Path, environ: Mapping[str, str]) -> Iterator[Typed]:
    """Do what the page says, in a new clone in a folder.

    Args:
        folder: an empty folder.
        environ: more environment variables.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MIXPANEL_", "PULUMI_", "GIT_"))}
    own = {"TMPDIR": str(folder), "PULUMI_HOME": str(folder / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    environ = {**clean, **own, **_GIT, **environ}
    clone = prepare(folder, environ)
    port = str(_free_port())
    with Shell(clone, environ) as shell:
        for block in blocks(PAGE):
            if block.language == "diff":
                _git(clone, environ, "apply", "-", given=block.text)
            for command in commands(block) if block.language == "console" else ():
                here = Command(command.text.replace(_PORT, port), tuple(s.replace(_PORT, port) for s in command.shown))
                printed, code = shell.type(here.text)
                if here.text.endswith("&") and here.shown[-1] not in printed:
                    printed = [*printed, *shell.wait_for(here.shown[-1])]
                yield Typed(here, tuple(printed), code)


def prepare(folder: Path, environ: Mapping[str, str]) -> Path:
    """A clone with the files that the page needs, and the virtualenv that runs this."""
    clone = folder / "clone"
    clone.mkdir()
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, clone / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, clone)
            os.utime(clone / name, (0, 0))  # older than the virtualenv, so that `make` does not set it up
    (clone / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    _git(clone, environ, "init", "--quiet", "--initial-branch", "main")
    _git(clone, environ, "add", ".")
    _git(clone, environ, "commit", "--quiet", "--message", "Start")
    return clone


def _git(clone: Path, environ: Mapping[str, str], *words: str, given: str = "") -> None:
    subprocess.run(["git", *words], cwd=clone, env=environ, input=given, text=True, check=True, timeout=60)  # noqa: S603, S607


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
