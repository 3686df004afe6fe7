"""An engine in a folder: its version, and whether it works."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mixpanel_access.engine.process import run_child
from mixpanel_access.engine.settings import MINIMUM, EngineSettings

COMMAND = "pulumi"
HOST = "pulumi-language-python"
DYNAMIC = "pulumi-resource-pulumi-python"
"""The script that starts the process for dynamic providers."""
_ANSWER = "version.json"
"""The file in the cache with the last answer of `pulumi version`."""
_ENGINE_BYTES = 1 << 20
"""Bytes that every engine has, and no script that may start another engine each time."""

_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)(\S*)$", re.MULTILINE)


class StepFailed(Exception):
    """A step found no engine; the text is the reason.

    Attributes:
        absent: there was nothing to find, which is not worth a line of its own.
    """

    def __init__(self, reason: str, *, absent: bool = False) -> None:
        super().__init__(" ".join(reason.split()))
        self.absent = absent


@dataclass(frozen=True)
class Engine:
    """A Pulumi engine that told us its version.

    Attributes:
        folder: the folder of `pulumi`, and usually of `pulumi-language-python`.
        version: its version, such as 3.259.0.
        source: where it comes from: path, cache, download or build.
    """

    folder: Path
    version: str
    source: str

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """The environment `base` with this engine first on PATH and its daily update check off.

        A project that names no virtualenv runs with our own Python, which has the packages that it imports.
        """
        others = [part for part in base.get("PATH", "").split(os.pathsep) if part and part != str(self.folder)]
        return {
            "PULUMI_PYTHON_CMD": sys.executable,
            **base,
            "PATH": os.pathsep.join([str(self.folder), *others]),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        }


def program(name: str) -> str:
    """The file name of a program on this operating system."""
    return f"{name}.exe" if os.name == "nt" else name


def parse_version(text: str) -> tuple[tuple[int, int, int], str]:
    """Read the output of `pulumi version`: the numbers to compare, and the version as it is written, without its v.

    Raises:
        StepFailed: there is no version in it.
    """
    match = _VERSION.search(text.strip())
    if not match:
        raise StepFailed(f"`pulumi version` answered {text.strip()[:80]!r}, which is not a version")
    major, minor, patch, rest = match.groups()
    return (int(major), int(minor), int(patch)), f"{major}.{minor}.{patch}{rest}"


def version_of(command: Path, settings: EngineSettings) -> str:
    """The version of a `pulumi`, judged.

    Raises:
        StepFailed: it does not start, fails, hangs, or is too old or too new.
    """
    numbers, version = parse_version(_known_answer(command, settings))
    if numbers < MINIMUM:
        raise StepFailed(f"{command} is {version}, older than {'.'.join(map(str, MINIMUM))}")
    if numbers[0] != MINIMUM[0]:
        raise StepFailed(f"{command} is {version}; the Python SDK needs a {MINIMUM[0]}.x")
    return version


def _known_answer(command: Path, settings: EngineSettings) -> str:
    """What `pulumi version` answers; kept in the cache for as long as the program is the same file."""
    kept, file = settings.cache / _ANSWER, command.resolve()
    mark: list[object] = []
    with contextlib.suppress(OSError, ValueError, TypeError):
        mark = [str(file), file.stat().st_size, file.stat().st_mtime_ns]
        answer, *known = json.loads(kept.read_text(encoding="utf-8"))
        if known == mark:
            return str(answer)
    answer = _answer(command, settings)
    if mark and file.name == program(COMMAND) and file.stat().st_size >= _ENGINE_BYTES:
        with contextlib.suppress(OSError):  # a cache that cannot be written to keeps nothing
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps([answer, *mark]), encoding="utf-8")
    return answer


def _answer(command: Path, settings: EngineSettings) -> str:
    env = {**settings.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        outcome = run_child([str(command), "version"], env=env, timeout=settings.probe_timeout, grace=0.5)
    except OSError as error:
        raise StepFailed(f"{command} does not start: {error.strerror or error}") from error
    if outcome.timed_out:
        raise StepFailed(f"{command} did not print its version within {settings.probe_timeout:g} s")
    if outcome.returncode != 0:
        raise StepFailed(f"{command} is broken: {last_lines(outcome.stderr or outcome.stdout, outcome.returncode)}")
    return outcome.stdout


def find_on_path(settings: EngineSettings) -> Engine:
    """The first `pulumi` on PATH, with the Python language host and the dynamic provider next to it or on PATH.

    Raises:
        StepFailed: it is missing, or not usable.
    """
    search = settings.environ.get("PATH", "")
    located = shutil.which(COMMAND, path=search)
    if located is None:
        raise StepFailed("no pulumi on PATH", absent=True)
    command = Path(located).absolute()
    # PATH may contain a link to `pulumi`; the rest of the release is where the link leads.
    folder = next((f for f in (command.parent, command.resolve().parent) if _holds(f, HOST)), command.parent)
    for needed in (HOST, DYNAMIC):
        if not _holds(folder, needed) and shutil.which(needed, path=search) is None:
            raise StepFailed(f"{command} has no {needed} next to it, and there is none on PATH")
    return Engine(folder, version_of(command, settings), "path")


def check_folder(folder: Path, settings: EngineSettings, source: str) -> Engine:
    """The engine in a folder of the cache, if it is complete and works.

    Raises:
        StepFailed: something is missing or does not work.
    """
    for needed in (COMMAND, HOST, f"{HOST}-exec", DYNAMIC):
        if not _holds(folder, needed) and not (folder / f"{needed}.cmd").is_file():
            raise StepFailed(f"{folder} has no executable {needed}")
    return Engine(folder, version_of(folder / program(COMMAND), settings), source)


def _holds(folder: Path, name: str) -> bool:
    return any(os.access(folder / file, os.X_OK) for file in {name, program(name)} if (folder / file).is_file())


def last_lines(text: str, returncode: int) -> str:
    """The last three lines with text, on one line, or else the exit code."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or f"exit code {returncode}, with no output"
