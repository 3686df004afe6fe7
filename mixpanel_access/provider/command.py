"""What the engine was asked to do, by its command line: the verb, and whether it leaves some resources alone.

The engine does not pass `--target` and `--exclude` on to a provider. It is a parent of the provider's process and, but
for inline programs of Automation API, of the program's. What cannot be read is unknown: nothing is narrowed then.
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
_SCOPE: Final = {"target": "target", "target-replace": "target", "exclude": "exclude", "stack": "stack"}
"""The flags whose values count, and what for."""
_LONG: Final = {
    "C": "cwd", "Q": "fully-qualify-stack-names", "c": "config", "d": "debug", "e": "emoji", "f": "skip-preview",
    "h": "help", "j": "json", "m": "message", "p": "parallel", "r": "refresh", "s": "stack", "t": "target",
    "v": "verbose", "x": "exclude", "y": "yes",
}  # fmt: skip
"""The letters, and the flags that they are short for."""
_WITH_VALUE: Final = {
    *_SCOPE, "agent-pool-id", "client", "color", "config", "config-file", "cwd", "event-log", "exec-agent", "exec-kind",
    "import-file", "import-pending-creates", "memprofilerate", "message", "otel-traces", "override-env", "parallel",
    "plan", "policy-pack", "policy-pack-config", "profiling", "replace", "save-plan", "secrets-provider", "tracing",
    "verbose",
}  # fmt: skip
"""The flags that take the next word as their value, unless one is in the same word."""
_SWITCHES: Final = {"exclude-protected", "ignore-protect"}
"""The switches that count."""
_HARMLESS: Final = {"target-dependents", "exclude-dependents"}
"""Flags that sound as if they said what a run is about, and say nothing alone."""
_BEFORE_VERB: Final = {
    "disable-integrity-checking", "emoji", "fully-qualify-stack-names", "help", "logflow", "logtostderr",
    "non-interactive", "version",
}  # fmt: skip
"""The switches that may stand before the verb: of any other flag there, the engine takes the next word as the value."""
_LIKE_SCOPE: Final = re.compile(r"--.*(target|exclude)|-\w*[tx]")
"""What may be a flag that leaves some resources alone."""
_TRUE: Final = {"1", "t", "T", "true", "TRUE", "True"}
_LSTART_WORDS: Final = 5
"""The words of a start time as `ps` prints it."""
_PROCESSES: Final = 12
"""How many parents are looked at: the engine starts a plugin through a shell at most."""

Resources = Sequence[Mapping[str, Any]]
"""The resources of an exported state."""


@dataclass(frozen=True)
class Process:
    """A process.

    Attributes:
        words: its command line.
        parent: its parent.
        started: when it started, in any form: another process of the same number has another one.
        exact: whether the words are those of the command line; False if that was split at its blanks.
    """

    words: Sequence[str]
    parent: int
    started: str = ""
    exact: bool = True


_PROGRAM_VERBS: Final = ("up", "preview")


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
        started: when the process started, in any form.
        unclear: whether it may be about other resources than the command line seems to say.
    """

    verb: str
    pid: int = 0
    program: str = _ENGINE
    targets: Sequence[str] = ()
    excludes: Sequence[str] = ()
    exclude_protected: bool = False
    ignore_protect: bool = False
    stack: str | None = None
    started: str = ""
    unclear: bool = False

    @property
    def partial(self) -> bool:
        """Whether some resources may be left alone."""
        return bool(self.targets or self.excludes or self.exclude_protected or self.unclear)

    def updates(self, urn: str) -> bool:
        """Whether it runs a program and does not leave this resource alone."""
        if self.verb not in _PROGRAM_VERBS or any(matcher(word).fullmatch(urn) for word in self.excludes):
            return False
        return not self.targets or any(matcher(word).fullmatch(urn) for word in self.targets)


def parse(process: Process, pid: int = 0) -> Command | None:
    """The command of a command line, as the engine reads it; None if it has none of the verbs that run resources."""
    words = process.words[1:]
    place = _verb_at(words, exact=process.exact)
    if place is None:
        return None
    found, unclear, split = _read_flags([*words[:place], *words[place + 1 :]])
    on = {name: bool(found[name]) and found[name][-1] in _TRUE for name in _SWITCHES}
    return Command(
        verb=_VERBS[words[place]],
        pid=pid,
        program=process.words[0],
        targets=tuple(found["target"]),
        excludes=tuple(found["exclude"]),
        exclude_protected=on["exclude-protected"],
        ignore_protect=on["ignore-protect"],
        stack=found["stack"][-1] if found["stack"] else None,
        started=process.started,
        unclear=unclear or (split and not process.exact and any(map(_LIKE_SCOPE.match, words))),
    )


def _read_flags(rest: list[str]) -> tuple[dict[str, list[str]], bool, bool]:
    """The values of the flags that count, whether there may be more, and whether a word may be part of a value."""
    found: dict[str, list[str]] = {name: [] for name in (*_SCOPE.values(), *_SWITCHES)}
    unclear = split = False
    while rest and (word := rest.pop(0)) != "--":
        if not word.startswith("-") or word == "-":
            split = True  # it may be a part of a value with a blank in it
            continue
        flags, doubt = _flags(word)
        unclear = unclear or doubt
        for name, value in flags:
            given = value
            if given is None and name in _WITH_VALUE:
                given = rest.pop(0) if rest else None
                split = split or name == "message"  # whose words may look like flags
                if given is None:
                    continue
            if name in _SCOPE and given is not None:
                found[_SCOPE[name]].append(given)
            elif name in _SWITCHES:
                found[name].append("true" if given is None else given)
    return found, unclear, split


def _verb_at(words: Sequence[str], *, exact: bool) -> int | None:
    """Where the verb is: the first word that is neither a flag nor the value of one; None if that is no verb."""
    places = iter(range(len(words)))
    for place in places:
        word = words[place]
        if word == "--":
            return None
        if not word.startswith("-"):
            if word in _VERBS:
                return place
            if exact:
                return None
        elif "=" not in word and (word.startswith("--") or len(word) == len("-x")):
            name = word[2:] if word.startswith("--") else _LONG.get(word[1])
            if name not in _BEFORE_VERB:
                next(places, None)
    return None


def _flags(word: str) -> tuple[list[tuple[str, str | None]], bool]:
    """The flags in a word, each with the value that it has there, and whether there may be others in it."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        known = name in _SCOPE or name in _SWITCHES or name in _HARMLESS
        return [(name, value if equals else None)], not known and ("target" in name or "exclude" in name)
    found: list[tuple[str, str | None]] = []
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        name = _LONG.get(letter, "")
        if not name:
            return found, True  # whatever follows may be its value, or more flags
        if letters.startswith("="):
            return [*found, (name, letters[1:])], False
        if letters and name in _WITH_VALUE:
            return [*found, (name, letters)], False
        found.append((name, None))
    return found, False


def find(pid: int, process: Callable[[int], Process | None]) -> Command | None:
    """The command of the engine that is the nearest parent of a process; None if none is found."""
    for _ in range(_PROCESSES):
        asked = process(pid) if pid > 1 else None
        if asked is None:
            return None
        if asked.words and PurePath(asked.words[0]).stem == _ENGINE:
            return parse(asked, pid)
        pid = asked.parent
    return None


@cache
def engine_command() -> Command | None:
    """The command of the engine that has started this process; None if it is unknown."""
    return find(os.getppid(), process_of)


def process_of(pid: int) -> Process | None:
    """A process by its number; None if it cannot be read."""
    folder = Path("/proc") / str(pid)
    try:
        words = (folder / "cmdline").read_bytes().decode("utf-8", errors="replace").split("\0")[:-1]
        _, parent, *more = (folder / "stat").read_text().rpartition(")")[2].split()
        return Process(words, int(parent), more[17])
    except (OSError, ValueError, IndexError):
        return _by_ps(pid)


def _by_ps(pid: int) -> Process | None:
    """Where there is no /proc, as on macOS."""
    told = [_asked_of_ps(pid, columns) for columns in ("ppid=,lstart=,args=", "comm=")]
    return None if told[0] is None else of_ps(told[0], told[1] or "")


def _asked_of_ps(pid: int, columns: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["ps", "-ww", "-o", columns, "-p", str(pid)],  # noqa: S607
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},  # the program and the provider are to read the same
            capture_output=True, text=True, errors="replace", timeout=10, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def of_ps(told: str, program: str) -> Process | None:
    """A process as `ps` shows it, which puts a blank between words and does not mark those in them.

    `told` has the parent, the start time of five words, and the command line.
    """
    parent, *words = told.split(maxsplit=1 + _LSTART_WORDS) or [""]
    if len(words) < _LSTART_WORDS or not parent.isdigit():
        return None
    line = words[_LSTART_WORDS] if len(words) > _LSTART_WORDS else ""
    called = [program] if program and f"{line} ".startswith(f"{program} ") else []
    rest = line.removeprefix(program) if called else line
    return Process(
        [*called, *rest.split()], int(parent), "-".join(words[:_LSTART_WORDS]).replace(":", "-"), exact=False
    )


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
    excludes = [matcher(word) for word in command.excludes]
    if command.exclude_protected:
        excludes += [matcher(str(one["urn"])) for one in resources if one.get("protect")]
    if command.targets:
        return _closure([matcher(word) for word in command.targets], _turned(needs)) - staying
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


def matcher(word: str) -> re.Pattern[str]:
    """As the engine matches: `**` is any text, `*` any without a colon."""
    parts = ("[^:]*".join(map(re.escape, part.split("*"))) for part in word.split("**"))
    return re.compile(".*".join(parts), re.DOTALL)
