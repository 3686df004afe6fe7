"""What the engine was asked to do, by its command line: the verb, and whether it leaves some resources alone.

A provider is told neither `--target` nor `--exclude`. The engine is a parent of the provider's process and, but for
inline programs of Automation API, of the program's. What cannot be read is unknown: nothing is narrowed then.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any, Final

_ENGINE: Final = "pulumi"
_VERBS: Final = {
    "up": "up", "update": "up",
    "preview": "preview", "pre": "preview",
    "destroy": "destroy", "down": "destroy", "dn": "destroy",
    "refresh": "refresh",
}  # fmt: skip
_WITH_VALUE: Final = {
    "--target": "target", "-t": "target", "--target-replace": "target", "--exclude": "exclude", "-x": "exclude",
    "--stack": "stack", "-s": "stack",
}  # fmt: skip
_PROCESSES: Final = 12
"""How many parents are looked at: the engine starts a plugin through a shell at most."""

Resources = Sequence[Mapping[str, Any]]
"""The resources of an exported state."""
Asked = tuple[Sequence[str], int]
"""A process's command line, and its parent."""


@dataclass(frozen=True)
class Command:
    """A command of the engine.

    Attributes:
        pid: the engine's process.
        verb: `up`, `preview`, `destroy` or `refresh`.
        program: what was called: the engine's own path, or its name.
        targets: the URNs that it is about, `*` and `**` included; empty for all.
        excludes: those that it leaves alone.
        exclude_protected: whether it leaves alone what is protected.
        ignore_protect: whether it deletes what is protected.
        stack: the stack, if it was named.
    """

    verb: str
    pid: int = 0
    program: str = _ENGINE
    targets: Sequence[str] = ()
    excludes: Sequence[str] = ()
    exclude_protected: bool = False
    ignore_protect: bool = False
    stack: str | None = None

    @property
    def partial(self) -> bool:
        """Whether some resources may be left alone."""
        return bool(self.targets or self.excludes or self.exclude_protected)


def parse(words: Sequence[str], pid: int = 0) -> Command | None:
    """The command of a command line; None if it has none of the verbs that run resources."""
    verb = next((_VERBS[word] for word in words[1:] if word in _VERBS), None)
    if verb is None:
        return None
    found: dict[str, list[str]] = {"target": [], "exclude": [], "stack": []}
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        short = word[:2]
        if flag in _WITH_VALUE:
            if equals or rest:
                found[_WITH_VALUE[flag]].append(value if equals else rest.pop(0))
        elif len(word) > 2 and not word.startswith("--") and short in _WITH_VALUE:  # a flag and its value
            found[_WITH_VALUE[short]].append(word[2:].removeprefix("="))
    protected = any(word in {"--exclude-protected", "--exclude-protected=true"} for word in words)
    return Command(
        verb,
        pid,
        words[0],
        tuple(found["target"]),
        tuple(found["exclude"]),
        protected,
        any(word in {"--ignore-protect", "--ignore-protect=true"} for word in words),
        found["stack"][-1] if found["stack"] else None,
    )


def find(pid: int, process: Callable[[int], Asked | None]) -> Command | None:
    """The command of the engine that is the nearest parent of a process; None if none is found.

    Args:
        pid: the process to begin with.
        process: gives a process's command line and its parent; None if it cannot be read.
    """
    for _ in range(_PROCESSES):
        asked = process(pid) if pid > 1 else None
        if asked is None:
            return None
        words, parent = asked
        if words and PurePath(words[0]).stem == _ENGINE:
            return parse(words, pid)
        pid = parent
    return None


@cache
def engine_command() -> Command | None:
    """The command of the engine that has started this process; None if it is unknown."""
    return find(os.getppid(), _process)


def _process(pid: int) -> Asked | None:
    folder = Path("/proc") / str(pid)
    try:
        words = (folder / "cmdline").read_bytes().decode("utf-8", errors="replace").split("\0")[:-1]
        parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return _by_ps(pid)
    return words, parent


def _by_ps(pid: int) -> Asked | None:
    """Where there is no /proc, as on macOS. URNs have no blanks but in their names."""
    try:
        done = subprocess.run(  # noqa: S603
            ["ps", "-ww", "-o", "ppid=,args=", "-p", str(pid)],  # noqa: S607
            capture_output=True, text=True, timeout=10, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        parent, *words = done.stdout.split()
        return words, int(parent)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def deleted(resources: Resources, command: Command) -> frozenset[str]:
    """The URNs that a `destroy` deletes, as the engine chooses them; of an `up`, those that it may delete at most.

    Targets take along what depends on them; what is excluded keeps what it depends on. What is protected or retained
    stays in Mixpanel.
    """
    staying = {
        str(one["urn"])
        for one in resources
        if one.get("retainOnDelete") or (one.get("protect") and not command.ignore_protect)
    }
    needs = {str(one["urn"]): _needs(one) for one in resources}
    excludes = [_matcher(word) for word in command.excludes]
    if command.exclude_protected:
        excludes += [_matcher(str(one["urn"])) for one in resources if one.get("protect")]
    if command.targets:
        return _closure([_matcher(word) for word in command.targets], _turned(needs)) - staying
    return frozenset(needs) - (_closure(excludes, needs) if excludes else frozenset()) - staying


def _needs(resource: Mapping[str, Any]) -> set[str]:
    """What a resource depends on, its parent and provider included."""
    urns = {*(resource.get("dependencies") or ()), resource.get("parent"), resource.get("deletedWith")}
    urns.update(resource.get("replaceWith") or ())
    for of_property in (resource.get("propertyDependencies") or {}).values():
        urns.update(of_property or ())
    urns.add(str(resource.get("provider", "")).rpartition("::")[0])
    return {str(urn) for urn in urns if urn}


def _turned(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    turned: dict[str, set[str]] = {urn: set() for urn in needs}
    for urn, needed in needs.items():
        for other in needed & turned.keys():
            turned[other].add(urn)
    return turned


def _closure(matchers: Sequence[re.Pattern[str]], edges: Mapping[str, set[str]]) -> frozenset[str]:
    frontier = [urn for urn in edges if any(matcher.fullmatch(urn) for matcher in matchers)]
    seen: set[str] = set()
    while frontier:
        urn = frontier.pop()
        if urn not in seen:
            seen.add(urn)
            frontier.extend(edges.get(urn, ()))
    return frozenset(seen)


def _matcher(word: str) -> re.Pattern[str]:
    """As the engine matches: `**` is any text, `*` any without a colon."""
    parts = ("[^:]*".join(map(re.escape, part.split("*"))) for part in word.split("**"))
    return re.compile(".*".join(parts), re.DOTALL)
