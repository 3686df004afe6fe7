"""How the steps of a run are carried out: several at a time, written down, counted, and up to the first that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.python_engine.backend import State, instant
from tests.python_engine.names import PROVIDER_TYPE, depends_on, is_provider
from tests.python_engine.providers import Providers
from tests.python_engine.snapshot import Snapshot
from tests.python_engine.steps import Options, Step, Stopped, Watcher
from tests.python_engine.transport import LinkError
from tests.python_engine.unknown import Unknown


class _Protected(Exception):
    def __init__(self, urn: str) -> None:
        super().__init__(
            f"resource {urn!r} cannot be deleted\nbecause it is protected. To unprotect the resource, either remove "
            f"the `protect` flag from the resource in your Pulumi program and run `pulumi up`, or use the command:\n"
            f"`pulumi state unprotect {urn!r}`"
        )


class Execution:
    """The steps of one run.

    Args:
        options: what the run is asked for.
        snapshot: the state.
        providers: the providers.
        watcher: reports each step.

    Attributes:
        counts: steps that count -> how many.
        pending: the step of each resource of the program that has been dealt with, until its outputs come.
        failed: what a step that failed was about, where the run goes on.
        errored: whether something has failed.
        step_failed: whether a step has failed.
        bailed: whether the run has stopped for another reason, which has been shown.
        unknown: what the real engine is to do in this run's place.
        on_stop: called once nothing more is begun.
    """

    def __init__(self, options: Options, snapshot: Snapshot, providers: Providers, watcher: Watcher) -> None:
        self._options, self._snapshot, self._providers, self._watcher = options, snapshot, providers, watcher
        self.counts: dict[str, int] = {}
        self.pending: dict[str, Step] = {}
        self.failed: list[State] = []
        self.errored = self.step_failed = self.bailed = False
        self.unknown: Unknown | None = None
        self.on_stop: Callable[[], None] = lambda: None
        self._skipped: set[str] = set()
        self._stopped = threading.Event()
        self._slots = threading.Semaphore(options.parallel)
        self._count = threading.Lock()
        self._running = threading.Condition()
        self._steps = 0

    @property
    def stopped(self) -> bool:
        """Whether nothing more is begun."""
        return self._stopped.is_set()

    def must_go_on(self) -> None:
        """Check that more may be begun.

        Raises:
            Stopped: it may not.
        """
        if self.stopped:
            raise Stopped

    def stop(self, unknown: Unknown | None = None) -> None:
        """Begin nothing more."""
        self.unknown = self.unknown or unknown
        if not self._stopped.is_set():
            self._stopped.set()
            self.on_stop()

    def bail(self) -> None:
        """Note that the run stops for a reason that has been shown."""
        self.errored = self.bailed = True

    def wait(self) -> None:
        """Wait for the steps that have begun."""
        with self._running:
            self._running.wait_for(lambda: not self._steps)

    def skips(self, step: Step) -> bool:
        """Whether a step is left out, since it depends on one that has failed or was left out."""
        with self._count:
            self._skipped |= {state["urn"] for state in self.failed}
            skips = any(urn in self._skipped for urn in depends_on(step.state))
            if skips:
                self._skipped.add(step.urn)
            return skips

    def run(self, step: Step) -> bool:
        """Carry out a step as soon as fewer are under way than may be; whether it has ended well.

        Raises:
            Stopped: it has not, and the run does not go on.
        """
        with self._slots:
            self.must_go_on()
            return self.run_now(step)

    def run_all(self, steps: Iterable[Step]) -> None:
        """Carry out steps that do not depend on each other."""

        def run(step: Step) -> None:
            try:
                if not self.stopped:
                    self.run_now(step)
            except Stopped:
                self.stop()
            except Unknown as unknown:
                self.stop(unknown)

        with ThreadPoolExecutor(self._options.parallel) as pool:
            list(pool.map(run, steps))

    def run_now(self, step: Step) -> bool:
        """Carry out a step; whether it has ended well.

        Raises:
            Stopped: it has not, and the run does not go on.
            Unknown: it was something that only the real engine knows.
        """
        with self._running:
            self._steps += 1
        try:
            self._watcher.begun(step)
            number = None if self._options.dry_run else self._snapshot.begin(step)
            try:
                self._apply(step)
            except (LinkError, _Protected) as error:
                self._end(number, step, ok=False)
                why = str(error.details()) if isinstance(error, LinkError) else str(error)
                self._fail(step, why, goes_on=self._options.continue_on_error or isinstance(error, _Protected))
                return False
            except Unknown:
                self._end(number, step, ok=False)
                raise
            if step.logical and step.new is not None:
                self.pending[step.urn] = step
            self._end(number, step, ok=True)
            self._tell(step)
            return True
        finally:
            with self._running:
                self._steps -= 1
                self._running.notify_all()

    def _end(self, number: int | None, step: Step, *, ok: bool) -> None:
        if number is not None:
            self._snapshot.end(number, step, ok=ok)

    def _tell(self, step: Step) -> None:
        op, counts = step.op, step.logical
        if self._options.only_refresh and op == "refresh":
            op, counts = "delete" if step.new is None else "update" if step.diff else "same", True
        if counts and not is_provider(step.urn):
            with self._count:
                self.counts[op] = self.counts.get(op, 0) + 1
        self._watcher.ended(step, op)

    def _fail(self, step: Step, why: str, *, goes_on: bool) -> None:
        self._watcher.failed(step, why)
        if step.op == "refresh":
            raise Stopped
        self.errored = self.step_failed = True
        if not goes_on:
            raise Stopped
        with self._count:
            self.failed += [state for state in (step.new, step.old) if state is not None]

    def _apply(self, step: Step) -> None:
        actions: dict[str, Callable[[Step], None]] = {
            "same": self._same, "create": self._create, "create-replacement": self._create, "update": self._update,
            "delete": self._delete, "delete-replaced": self._delete, "refresh": self._read,
        }  # fmt: skip
        if step.op != "replace":  # it stands for the two others
            actions[step.op](step)

    def _same(self, step: Step) -> None:
        assert step.old is not None
        assert step.new is not None
        step.new["id"], step.new["outputs"] = step.old.get("id"), step.old.get("outputs")

    def _create(self, step: Step) -> None:
        new = step.new
        assert new is not None
        if is_provider(new["urn"]) or (new["custom"] and self._options.dry_run):
            new["outputs"] = dict(new["inputs"])
        elif new["custom"]:
            self._providers.create(new)
        new["created"] = new["modified"] = instant(self._options.clock())
        if step.pending_delete and step.old is not None:
            step.old["delete"] = True

    def _update(self, step: Step) -> None:
        old, new = step.old, step.new
        assert old is not None
        assert new is not None
        new |= {key: old.get(key) for key in ("id", "created", "modified")}
        if new["custom"]:
            if is_provider(new["urn"]) or self._options.dry_run:
                new["outputs"] = dict(new["inputs"])
            else:
                self._providers.update(old, new)
            new["modified"] = instant(self._options.clock())

    def _delete(self, step: Step) -> None:
        old = step.old
        assert old is not None
        if step.op == "delete" and old.get("protect"):
            raise _Protected(old["urn"])
        kept = self._options.dry_run or old.get("retainOnDelete") or old["type"].startswith(PROVIDER_TYPE)
        if old["custom"] and not kept:
            self._providers.delete(old)

    def _read(self, step: Step) -> None:
        old = step.old
        assert old is not None
        if old["custom"] and not is_provider(old["urn"]):
            step.new = new = self._providers.read(old)
            if new is not None:
                inputs = old.get("inputs") or {}
                step.diff = self._providers.diff(new, inputs).changes
