"""A stack's state while a run changes it, as the engine's journal replays it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tests.python_engine.backend import Backend, State

if TYPE_CHECKING:
    from tests.python_engine.steps import Step

_OPERATIONS = {
    "create": "creating", "create-replacement": "creating", "update": "updating", "delete": "deleting",
    "delete-replaced": "deleting",
}  # fmt: skip


class Snapshot:
    """What the state holds: what the run has brought about, then what was there before.

    Args:
        backend: where it is written.
        every_step: whether it is written with each step that changes something, as the engine does by default.
    """

    def __init__(self, backend: Backend, *, every_step: bool) -> None:
        self.base: Sequence[State] = backend.resources
        self._backend = backend
        self._every_step = every_step
        self._numbers = itertools.count(1)
        self._news: dict[int, State] = {}
        self._gone: set[int] = set()
        self._operations: dict[int, tuple[str, State]] = {}
        self._lock = threading.Lock()

    def begin(self, step: Step) -> int:
        """Note that a step begins; gives its number."""
        with self._lock:
            number = next(self._numbers)
            if step.op in _OPERATIONS:
                self._operations[number] = (_OPERATIONS[step.op], dict(step.state))
                self._write()
            return number

    def end(self, number: int, step: Step, *, ok: bool) -> None:
        """Note how a step has ended."""
        with self._lock:
            changes = self._operations.pop(number, None) is not None
            if ok and step.op != "refresh":
                changes = self._took_place(number, step) or changes
            if changes:
                self._write()

    def _took_place(self, number: int, step: Step) -> bool:
        """Note a step that has ended well; whether the state must be written."""
        if step.op in ("same", "update") and not step.skipped:
            assert step.old is not None
            assert step.new is not None
            self._remove(step.old)
            self._news[number] = step.new
            return step.op == "update" or _differs(step.old, step.new)
        if step.op in ("create", "create-replacement"):
            assert step.new is not None
            self._news[number] = step.new
        elif step.op in ("delete", "delete-replaced"):
            assert step.old is not None
            self._remove(step.old)
        return step.op in _OPERATIONS

    def _remove(self, old: State) -> None:
        number = next((number for number, new in self._news.items() if new is old), None)
        if number is None:
            self._gone.add(id(old))
        else:
            del self._news[number]

    def resources(self) -> Iterator[State]:
        """The resources, each after what it depends on."""
        yield from (self._news[number] for number in sorted(self._news))
        yield from (state for state in self.base if id(state) not in self._gone)

    def write(self) -> None:
        """Write it, if it is written with each step."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Write it for the last time."""
        with self._lock:
            self._backend.save(self.resources(), self._operations.values())

    def _write(self) -> None:
        if self._every_step:
            self._backend.save(self.resources(), self._operations.values())


def _differs(old: State, new: State) -> bool:
    """Whether the engine writes the state for a resource that has not changed."""
    keys = ("type", "urn", "custom", "delete", "id", "parent", "provider", "inputs", "outputs", "protect",
            "retainOnDelete", "aliases", "sourcePosition", "propertyDependencies", "ignoreChanges")  # fmt: skip
    same = all((old.get(key) or None) == (new.get(key) or None) for key in keys)
    return not same or sorted(old.get("dependencies") or ()) != sorted(new.get("dependencies") or ())
