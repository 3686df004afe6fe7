"""One run of the engine that takes away given resources and touches nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from mixpanel_access.engine import Pulumi
from mixpanel_access.engine.runner import FROM_PROVIDER, meaningful
from mixpanel_access.model.errors import EngineError
from mixpanel_access.model.settings import KEPT_VARIABLE
from mixpanel_access.operations.project import Progress, PulumiProject, temporary_folder
from mixpanel_access.operations.state_change import LONGEST
from mixpanel_access.provider.command import matcher

_NOTHING: Final = ("same", "read", "refresh")
"""Steps that change nothing."""
_DELETES: Final = ("delete", "delete-replaced")
_TRIES: Final = 20
"""Previews until no other resource's error is in the way."""
_LONGEST_LIST: Final = 1_000_000
"""Characters of a command line, of which Linux takes two million."""
_ENDS: Final = ("Resources:", "Outputs:", "Policies:", "Duration:")
_HEADER: Final = re.compile(r"^  \S+ \((.+)\):$")
_PACK: Final = re.compile(r"^\s*❌\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class EngineStep:
    """What the engine would do to one resource, and its inputs then."""

    op: str
    urn: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """What a run would do, and what it must leave alone.

    Attributes:
        steps: the steps of the run.
        excluded: the resources that the run leaves as they are.
        left: those of them that the program would change: URN -> why it is not done here.
    """

    steps: Sequence[EngineStep]
    excluded: AbstractSet[str]
    left: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """How a run ended.

    Attributes:
        failed: whether the engine reports an error.
        reasons: a resource's name -> what the engine says of it.
        said: what is only worth knowing.
        why: what the engine says as a whole, if it failed.
    """

    failed: bool
    reasons: Mapping[str, str]
    said: Sequence[str]
    why: str = ""


@contextmanager
def program_keeping(project: PulumiProject, document: str | None) -> Iterator[Pulumi]:
    """The engine, for a run whose `RosterAccess` declares this document in place of its roster.

    Args:
        project: the project.
        document: what the program declares; None for the roster.
    """
    if document is None:
        yield project.pulumi
        return
    with temporary_folder() as folder:
        file = folder / "kept.json"
        file.write_text(document, encoding="utf-8")
        environ = {**project.pulumi.environ, KEPT_VARIABLE: str(file)}
        yield Pulumi(project.pulumi.engine, project.pulumi.project, environ)


@dataclass(frozen=True)
class RunScope:
    """What a run may touch.

    Attributes:
        deletes: the resources that may be deleted.
        updates: those that may be changed.
        excluded: those that are left alone from the start.
    """

    deletes: AbstractSet[str]
    updates: AbstractSet[str]
    excluded: AbstractSet[str]

    def allows(self, step: EngineStep) -> bool:
        """Whether a step is part of the run: nothing is made, and nothing replaced."""
        return (step.op in _DELETES and step.urn in self.deletes) or (step.op == "update" and step.urn in self.updates)


def preview(pulumi: Pulumi, stack: str, scope: RunScope) -> Preview:
    """Find out what a run would do beside what is wanted, and exclude it.

    Args:
        pulumi: the engine.
        stack: the stack.
        scope: what it may touch.

    Raises:
        EngineError: the program does not run, or the engine refuses.
    """
    wanted = scope.deletes | scope.updates
    out = {urn for urn in scope.excluded if not _takes_others(urn, wanted)}
    left: dict[str, str] = {}
    made: list[EngineStep] = []
    for _ in range(_TRIES):
        completed = pulumi.run("preview", "--json", "--stack", stack, *_options(out), timeout=LONGEST, check=False)
        document = _document(completed.stdout)
        steps = [
            EngineStep(str(one["op"]), str(one["urn"]), (one.get("newState") or {}).get("inputs") or {})
            for one in document.get("steps") or ()
        ]
        others = {
            step.urn: f"the program would {step.op} it"
            for step in steps
            if step.op not in _NOTHING and not scope.allows(step)
        }
        errors = {
            str(one["urn"]): " ".join(str(one["message"]).split())
            for one in document.get("diagnostics") or ()
            if one.get("severity") == "error" and one.get("urn")
        }
        new = {urn: why for urn, why in {**others, **errors}.items() if urn not in out and not _is_root(urn)}
        new = {urn: why for urn, why in new.items() if not _takes_others(urn, wanted)}
        if not new and completed.returncode == 0:
            return Preview(made + steps, out, left)
        if not new:  # what policies find is in the text alone
            told = pulumi.run("preview", "--stack", stack, *_options(out), timeout=LONGEST, check=False)
            raise failure(stack, told.stdout, f"{told.stderr}\n{completed.stderr}", document)
        made += [step for step in steps if step.op == "create"]
        out |= new.keys()
        left |= new
    raise failure(stack, completed.stdout, completed.stderr, document)


def _takes_others(urn: str, wanted: AbstractSet[str]) -> bool:
    """Whether to leave a resource alone would leave others alone that the run is about.

    The engine takes `*` in a URN for any text and has no way to write the sign itself.
    """
    return "*" in urn and any(matcher(urn).fullmatch(other) for other in wanted - {urn})


def _is_root(urn: str) -> bool:
    return "::pulumi:pulumi:Stack::" in urn or "::pulumi:providers:" in urn


def run(pulumi: Pulumi, stack: str, excluded: Iterable[str], progress: Progress) -> Ran:
    """Bring the program about, but for the excluded resources; one that fails does not stop the others.

    Raises:
        EngineError: the engine cannot begin: the stack is locked, say.
    """
    completed = pulumi.run(
        *("up", "--yes", "--skip-preview", "--continue-on-error", "--stack", stack, *_options(excluded)),
        timeout=LONGEST,
        check=False,
    )
    reasons, said = _diagnostics(completed.stdout)
    if completed.returncode != 0 and "Diagnostics:" not in completed.stdout and "Resources:" not in completed.stdout:
        raise failure(stack, completed.stdout, completed.stderr, {})
    for line in said:
        progress(line)
    why = str(failure(stack, completed.stdout, completed.stderr, {}).why) if completed.returncode else ""
    return Ran(completed.returncode != 0, reasons, said, why)


def failure(stack: str, stdout: str, stderr: str, document: Mapping[str, Any]) -> EngineError:
    """Why the engine failed, and what to do next."""
    said = [
        " ".join(str(one["message"]).split())
        for one in document.get("diagnostics") or ()
        if one.get("severity") == "error"
    ]
    text, why = f"{stdout}\n{stderr}", " / ".join(said) or meaningful(stdout, stderr)
    if packs := sorted(set(_PACK.findall(text))):
        return EngineError(
            "cannot revoke",
            whom=f"stack {stack}",
            why=f"the backend enforces the policy pack {', '.join(packs)}: {why}",
            next_step="Set the pack's mandatory rules to advisory for this stack, or take the stack out of the pack's "
            "policy group, and run it again.",
        )
    if "currently locked" in text or "update is already in progress" in text or "update in progress" in text:
        return EngineError(
            "cannot revoke",
            whom=f"stack {stack}",
            why="another run has locked the stack, or one that was killed has left its lock",
            next_step=f"Wait for it; if no run is left, run: pulumi cancel --stack {stack}. Then run this again.",
        )
    return EngineError(
        "cannot revoke",
        whom=f"stack {stack}",
        why=why,
        next_step="Correct that, then run it again.",
    )


def _options(excluded: Iterable[str]) -> list[str]:
    return [part for urn in sorted(excluded) for part in ("--exclude", urn)]


def fits(excluded: AbstractSet[str]) -> bool:
    """Whether a command line can name so many resources."""
    return sum(len(urn) + len("--exclude  ") for urn in excluded) < _LONGEST_LIST


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _diagnostics(stdout: str) -> tuple[dict[str, str], list[str]]:
    """What the engine says of each resource by its name, and the lines that are no errors."""
    reasons: dict[str, str] = {}
    said: list[str] = []
    name = ""
    for line in stdout.partition("Diagnostics:")[2].splitlines():
        if line.strip() in _ENDS:
            break
        if header := _HEADER.match(line):
            name = header.group(1)
        elif line.strip().startswith("error:"):
            message = line.strip().removeprefix("error:").strip().removeprefix(FROM_PROVIDER)
            reasons[name] = f"{reasons[name]} / {message}" if name in reasons else message
        elif name in reasons and line.strip():
            reasons[name] = f"{reasons[name]} {line.strip()}"
        elif line.strip():
            said.append(line.strip())
    return reasons, said
