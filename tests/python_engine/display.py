"""What the engine (3.259) prints of a run without a terminal, and the JSON of a preview."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.python_engine.backend import State, written
from tests.python_engine.names import STACK_TYPE, is_provider
from tests.python_engine.steps import Options, Step

_OPS = (
    "same", "create", "update", "delete", "replace", "create-replacement", "delete-replaced", "refresh",
)  # fmt: skip
_PREFIX = {
    "same": "  ", "create": "+ ", "update": "~ ", "delete": "- ", "replace": "+-", "create-replacement": "++",
    "delete-replaced": "--", "refresh": "~ ",
}  # fmt: skip
_BEGUN = {
    "same": "", "create": "creating", "update": "updating", "delete": "deleting", "replace": "replacing",
    "create-replacement": "creating replacement", "delete-replaced": "deleting original", "refresh": "refreshing",
}  # fmt: skip
_ENDED = {
    "same": "", "create": "created", "update": "updated", "delete": "deleted", "replace": "replaced",
    "create-replacement": "created replacement", "delete-replaced": "deleted original", "refresh": "refresh",
}  # fmt: skip
_PREVIEWED = {
    "same": "", "create": "create", "update": "update", "delete": "delete", "replace": "replace",
    "create-replacement": "replace", "delete-replaced": "replace", "refresh": "refresh",
}  # fmt: skip
_TITLES = {"up": "Updating", "preview": "Previewing update", "refresh": "Refreshing", "destroy": "Destroying"}


class Display:
    """The output of one run.

    Args:
        verb: `up`, `preview`, `refresh` or `destroy`.
        options: the run's.
        print_: writes a line.
        as_json: whether a preview is written as JSON, in the end.
    """

    def __init__(self, verb: str, options: Options, print_: Callable[[str], None], *, as_json: bool) -> None:
        self._options = options
        self._as_json = as_json
        self._print: Callable[[str], None] = print_ if not as_json else lambda line: None
        self._write = print_
        self._root = f"urn:pulumi:{options.stack}::{options.project}::{STACK_TYPE}::{options.project}-{options.stack}"
        self._lock = threading.Lock()
        self._begun: dict[str, float] = {}
        self._start = time.monotonic()
        self._diagnostics: dict[str, dict[int, list[tuple[str, str]]]] = {}
        self._steps: list[dict[str, Any]] = []
        self._digest: list[dict[str, str]] = []
        self._print(f"{_TITLES[verb]} ({options.stack}):")
        self._print("")

    # Steps

    def begun(self, step: Step) -> None:
        """A step begins."""
        with self._lock:
            self._begun[step.urn] = time.monotonic()
            if not self._is_shown(step):
                return
            if self._as_json:
                if step.logical or step.op not in ("create-replacement", "delete-replaced"):
                    self._steps.append(self._in_json(step))
            elif not self._options.dry_run:
                self._line(step.op, step, _BEGUN[step.op] + ("" if step.op == "same" else " (0s)"))

    def ended(self, step: Step, op: str) -> None:
        """A step has ended well."""
        with self._lock:
            if self._as_json or not self._is_shown(step):
                return
            if self._options.dry_run:
                self._line(op, step, _PREVIEWED[op])
            else:
                seconds = time.monotonic() - self._begun[step.urn]
                took = f"{seconds:.2f}s" if seconds < 1 else f"{int(seconds)}s"
                self._line(op, step, f"{_ENDED[op]} ({took})" if op != "same" else "")

    def failed(self, step: Step, why: str) -> None:
        """A step has failed."""
        self.diagnostic(step.urn, "error", why)
        with self._lock:
            if not self._as_json and not self._options.dry_run:
                self._line(step.op, step, f"**{_BEGUN[step.op]} failed** error: {why.partition(chr(10))[0]}")

    def error(self, urn: str, text: str) -> None:
        """Something is wrong."""
        self.diagnostic(urn, "error", text)

    def diagnostic(self, urn: str, severity: str, text: str, stream: int = 0) -> None:
        """Something is said: of a resource, or in a process's output.

        Args:
            urn: the resource; "" for the run.
            severity: `error`, `warning` or `info`.
            text: what is said.
            stream: the number of a process's output, whose lines stay together.
        """
        prefix = "" if severity.startswith("info") else f"{severity}: "
        with self._lock:
            self._diagnostics.setdefault(urn or self._root, {}).setdefault(stream, []).append((severity, prefix + text))
            said = {"urn": urn} if urn else {}
            self._digest.append({**said, "message": f"{prefix}{text}\n", "severity": severity})

    def _is_shown(self, step: Step) -> bool:
        if is_provider(step.urn):
            return False
        if step.op == "same":
            changed = bool((step.old or {}).get("protect")) != bool((step.new or {}).get("protect"))
            return changed or step.urn == self._root
        return True

    def _line(self, op: str, step: Step, words: str) -> None:
        _, _, type_, name = step.urn.split("::", 3)
        differs = _differences(step) if op in ("update", "replace", "create-replacement") else ""
        self._print(f" {_PREFIX[op]} {type_.rpartition('$')[2]} {name} {words} {differs}".rstrip() + " ")

    # The end

    def end(self, counts: Mapping[str, int]) -> None:
        """Write what is written in the end.

        Args:
            counts: steps -> how many.
        """
        if self._as_json:
            self._write(self._digest_text(counts))
            return
        errored = self._print_diagnostics()
        self._print_summary(counts, errored)

    def _print_diagnostics(self) -> int:
        errored = 0
        if self._diagnostics:
            self._print("Diagnostics:")
        for urn, streams in self._diagnostics.items():
            _, _, type_, name = urn.split("::", 3)
            self._print(f"  {type_.rpartition('$')[2]} ({name}):")
            errored += any(severity == "error" for said in streams.values() for severity, _ in said)
            for number, said in streams.items():
                for _, text in said:
                    for line in text.rstrip().split("\n"):
                        self._print(f"    {line}".rstrip())
                    if not number and text is not said[-1][1]:
                        continue
                self._print("")
        return errored

    def _print_summary(self, counts: Mapping[str, int], errored: int) -> None:
        self._print("Resources:")
        preview = self._options.dry_run
        changes = [(op, counts[op]) for op in _OPS if op != "same" and counts.get(op)]
        for op, count in changes:
            words = f"to {op}" if preview else _ENDED[op].replace("refresh", "refreshed")
            self._print(f"    {_PREFIX[op].strip() or ' '} {count} {words}")
        pieces = []
        if len(changes) > 1:
            pieces.append(f"{sum(count for _, count in changes)} changes")
        if counts.get("same"):
            pieces.append(f"{counts['same']} unchanged")
        if pieces:
            self._print(f"    {'. '.join(pieces)}")
        if errored:
            self._print(f"    {errored} errored")
        if not preview:
            self._print("")
            self._print(f"Duration: {math.ceil(time.monotonic() - self._start)}s")
        self._print("")

    def _digest_text(self, counts: Mapping[str, int]) -> str:
        document: dict[str, Any] = {"config": dict(sorted(self._options.config.items()))}
        if self._steps:
            document["steps"] = self._steps
        if self._digest:
            document["diagnostics"] = self._digest
        document["duration"] = int((time.monotonic() - self._start) * 10**9)
        document["changeSummary"] = dict(sorted(counts.items()))
        return json.dumps(document, indent=4, ensure_ascii=False)

    def _in_json(self, step: Step) -> dict[str, Any]:
        found: dict[str, Any] = {"op": step.op, "urn": step.urn}
        if provider := step.state.get("provider"):
            found["provider"] = provider
        if step.old is not None and not step.skipped and step.op != "create":
            found["oldState"] = written(step.old)
        if step.new is not None:
            new: State = dict(step.new)
            if step.op == "same":
                new["id"] = (step.old or {}).get("id")
            found["newState"] = json.loads(json.dumps(written(new)))
        found["detailedDiff"] = None
        if step.keys:
            found["replaceReasons"] = list(step.keys)
        return found


def _differences(step: Step) -> str:
    old, new = (step.old or {}).get("inputs") or {}, (step.new or {}).get("inputs") or {}
    found = [
        f"{'+' if key not in old else '-' if key not in new else '~'}{key}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    return f"[diff: {','.join(found)}]" if found else ""
