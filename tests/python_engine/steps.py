"""A run's options, its steps, and the interface of what reports them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.python_engine.backend import State


class Stopped(Exception):
    """The engine begins nothing more; the reason has been shown."""


@dataclass(frozen=True)
class Options:
    """What a run is asked for.

    Attributes:
        stack: the stack's name.
        project: the project's name.
        root: the project's folder.
        config: the stack's configuration.
        dry_run: a preview.
        only_refresh: `pulumi refresh`.
        targets: the resources that a refresh reads; all if there are none.
        excludes: the resources that are left as they are.
        continue_on_error: go on with what does not depend on what failed.
        parallel: how many steps at a time.
        clock: gives the present instant (ns since 1970).
    """

    stack: str
    project: str
    root: str
    config: Mapping[str, str]
    dry_run: bool = False
    only_refresh: bool = False
    targets: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()
    continue_on_error: bool = False
    parallel: int = 8
    clock: Callable[[], int] = time.time_ns


@dataclass(eq=False)
class Step:
    """What is done to one resource.

    Attributes:
        op: in the engine's words.
        urn: the resource.
        old: what the state has of it.
        new: what it will have.
        logical: whether it counts.
        keys: why it is replaced.
        skipped: whether it is a new resource that the run leaves out.
        pending_delete: whether the old one is deleted at the end.
        diff: of a refresh: whether something differs.
    """

    op: str
    urn: str
    old: State | None = None
    new: State | None = None
    logical: bool = True
    keys: Sequence[str] = ()
    skipped: bool = False
    pending_delete: bool = False
    diff: bool = False

    @property
    def state(self) -> State:
        """The new state, or the old one where there is no new one."""
        found = self.new if self.new is not None else self.old
        assert found is not None
        return found


class Watcher(Protocol):
    """Reports the steps of a run as they begin and end."""

    def begun(self, step: Step) -> None:
        """A step begins."""

    def ended(self, step: Step, op: str) -> None:
        """A step has ended well."""

    def failed(self, step: Step, why: str) -> None:
        """A step has failed."""

    def error(self, urn: str, text: str) -> None:
        """Something is wrong."""
