"""Takes the steps, reads after each, undoes what is there, and compares the organization before and after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mixpanel_access.api.observed import Exchange, Observer
from mixpanel_access.directory.snapshot import FIRST_PAUSE
from mixpanel_access.model.dates import pauses
from mixpanel_access.model.errors import Invalid, MixpanelError, NotFound, Unreachable, UsageError
from mixpanel_access.operations.verifying.journal import Journal
from mixpanel_access.operations.verifying.steps import (
    ACCOUNT,
    LESSER,
    PERSON,
    READS,
    TEAM,
    UNDOS,
    Mixpanel,
    Target,
    Undo,
    WriteStep,
)

Rows = frozenset[tuple[Any, ...]]
_ATTEMPTS: Final = 3
"""How often the undoing of one thing is tried."""
_LONGEST_PAUSE: Final = 2.0


@dataclass(frozen=True)
class Patience:
    """How long a write is looked for."""

    seconds: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def tries(self) -> Iterator[int]:
        """Counts readings: the first at once, the others after longer and longer pauses, until the time is over."""
        waited = 0.0
        for number, pause in enumerate(pauses(FIRST_PAUSE, _LONGEST_PAUSE)):
            yield number
            if waited >= self.seconds:
                return
            self.sleep(pause)
            waited += pause


@dataclass(frozen=True)
class CallResult:
    """What came of a call.

    Attributes:
        exchanges: the requests and answers as they went over the wire.
        value: what the client made of it; None where it failed.
    """

    exchanges: Sequence[Exchange] = ()
    value: Any = None
    error: MixpanelError | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class StepResult:
    """A step that was taken.

    Attributes:
        sent: what came of the write.
        back: the last reading of the list that shows it; None where none does.
        shown: whether the list showed it in the end.
        stale: how many readings did not show it before one did.
        seconds: from the answer until the list showed it.
    """

    step: WriteStep
    sent: CallResult
    back: CallResult | None = None
    shown: bool = False
    stale: int = 0
    seconds: float = 0.0

    @property
    def accepted(self) -> bool:
        """Whether Mixpanel said that it was done."""
        return self.sent.error is None


@dataclass
class WalkEvidence:
    """All that was seen.

    Attributes:
        reads: what each read gave at the beginning.
        done: the steps that were taken, by name.
        left: what could not be undone, with what to do by hand.
        elsewhere: what changed meanwhile, and not by this walk.
        unproven: the lists of which nobody knows whether they are as before.
    """

    target: Target
    reads: dict[str, CallResult] = field(default_factory=dict)
    done: dict[str, StepResult] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)


@dataclass
class Walk:
    """One walk through an organization.

    Attributes:
        observer: keeps what goes over the wire.
    """

    mixpanel: Mixpanel
    observer: Observer
    journal: Journal
    patience: Patience
    progress: Callable[[str], None]

    @property
    def _target(self) -> Target:
        return self.journal.target

    def run(self, steps: Sequence[WriteStep], evidence: WalkEvidence) -> None:
        """Take the steps, and undo whatever is there in the end, also when a step fails or the run is interrupted."""
        there: set[str] = set()
        try:
            for step in steps:
                if set(step.needs) <= there:
                    done = evidence.done[step.name] = self._take(step)
                    if done.accepted or done.shown:
                        there = (there | set(step.makes)) - set(step.ends)
                    self.progress(f"{step.name}: {_in_words(done)}")
                else:
                    self.progress(f"{step.name}: not tried, since what it needs is not there")
        except BaseException:
            for line in self.undo():
                self.progress(f"left, to be done by hand: {line}")
            raise
        evidence.left += self.undo()
        self._compare(evidence, {step.shown_in for step in steps})

    def read(self, read: Callable[[Mixpanel, Target], Any]) -> CallResult:
        """Read something once, and keep what Mixpanel answered."""
        return self._call(lambda: read(self.mixpanel, self._target))

    def undo(self) -> list[str]:
        """Take away what the journal has open.

        Returns:
            What is left, with what to do by hand.
        """
        left: list[str] = []
        for undo in UNDOS:
            if undo.kind in self.journal.opened:
                if problem := self._undo(undo):
                    left.append(problem)
                    if undo.kind == PERSON:
                        left += filter(None, map(self._undo, LESSER))
                else:
                    self._note_as_gone(undo.kind)
        return left

    def _note_as_gone(self, kind: str) -> None:
        """Note it where that can be noted: what else there is must go in any case."""
        try:
            self.journal.close([kind])
        except (UsageError, OSError) as error:
            self.progress(str(error))

    def _take(self, step: WriteStep) -> StepResult:
        before = set(self.journal.opened)
        self.journal.open(set(step.makes) & {PERSON, TEAM, ACCOUNT})
        sent = self._call(lambda: step.send(self.mixpanel, self._target))
        if not step.shown_in:
            return StepResult(step, sent, shown=sent.error is None)
        done = self._read_back(step, sent)
        for undo in UNDOS:
            if undo.kind in step.makes and undo.kind != PERSON and done.back:
                for made in undo.found(done.back.value or [], self._target):
                    self._target.ids[undo.kind] = made.id
        if done.shown and done.accepted:
            self.journal.close(step.ends)  # else undoing sees to it: a list need not show who is invited
        elif _is_refused(sent) and not done.shown:
            self.journal.close(self.journal.opened - before)
        return done

    def _read_back(self, step: WriteStep, sent: CallResult) -> StepResult:
        """Read the list until it shows the write; once where the write was refused."""
        began, back = self.patience.clock(), CallResult()
        for number in self.patience.tries():
            back = self.read(READS[step.shown_in])
            shown = back.error is None and step.is_shown(back.value, self._target)
            if shown or _is_refused(sent):
                return StepResult(step, sent, back, shown, number, self.patience.clock() - began)
            if isinstance(back.error, Unreachable):
                break
        return StepResult(step, sent, back)

    def _undo(self, undo: Undo) -> str | None:
        """Take one thing away, and see that it is gone; else what to do by hand.

        Somebody who is not listed is removed all the same: the list may not show who is invited.
        """
        why = ""
        for _ in range(_ATTEMPTS):
            found = self._found(undo)
            if found == [] and undo.kind != PERSON:
                return None
            sent = CallResult()
            for one in found or ([None] if undo.kind not in (TEAM, ACCOUNT) else []):
                self.progress(f"undo: {undo.does.format(**self._target.names)}")
                sent = self._call(lambda one=one: undo.send(self.mixpanel.api, self._target, one))  # type: ignore[misc]
                why = str(sent.error.why or sent.error.what) if sent.error else ""
            if (found != [] or _nobody_is_left(sent)) and self._is_gone(undo):
                return None
        by_hand = undo.by_hand.format(**self._target.names)
        return f"{by_hand} ({why})" if why else by_hand

    def _found(self, undo: Undo) -> list[Any] | None:
        """What is there to be undone; None where nobody can tell.

        A write without an answer may show late: what is not there is looked for until the time is over.
        """
        seen = self._read_until(undo, lambda found: bool(found) or undo in LESSER)
        return None if seen.error else undo.found(seen.value, self._target)

    def _is_gone(self, undo: Undo) -> bool:
        seen = self._read_until(undo, lambda found: found == [])
        return seen.error is None and not undo.found(seen.value, self._target)

    def _read_until(self, undo: Undo, enough: Callable[[list[Any] | None], bool]) -> CallResult:
        """Read the list of what is undone until that is enough, nobody answers, or the time is over."""
        seen = CallResult()
        for _ in self.patience.tries():
            seen = self.read(READS[undo.shown_in])
            if isinstance(seen.error, Unreachable) or enough(
                None if seen.error else undo.found(seen.value, self._target)
            ):
                break
        return seen

    def _compare(self, evidence: WalkEvidence, touched: set[str]) -> None:
        """Compare each list with how it was before the first step, until it is the same or the time is over."""
        left: list[str] = []
        for name, read in READS.items():
            before, after = _rows(name, evidence.reads[name]), None
            for _ in self.patience.tries():
                after = _rows(name, self.read(read))
                if before == after or before is None or after is None:
                    break
            if before is None or after is None:
                evidence.unproven += [name] if name in touched else []
                continue
            for row in sorted(before ^ after, key=str):
                line = f"{name}: {', '.join(map(str, row))}"
                if self._target.owns(row):
                    left.append(f"look in Organization Settings > Users & Teams at {line}")
                else:
                    evidence.elsewhere.append(line)
        if not evidence.left:  # else the steps by hand are there already
            evidence.left += left

    def _call(self, send: Callable[[], Any]) -> CallResult:
        mark, began = len(self.observer.exchanges), self.patience.clock()
        value, failed = None, None
        try:
            value = send()
        except MixpanelError as error:
            failed = error
        return CallResult(self.observer.since(mark), value, failed, self.patience.clock() - began)


def _is_refused(sent: CallResult) -> bool:
    """Whether the answer says that nothing was done; without an answer, and after a fault, nobody knows."""
    status = sent.error.status if sent.error else None
    return status is not None and 400 <= status < 500 and status != 408


def _nobody_is_left(sent: CallResult) -> bool:
    """Whether a removal was done, or refused because there is nobody, and not because the call does not exist."""
    if isinstance(sent.error, NotFound):
        return bool(sent.exchanges) and not sent.exchanges[-1].is_no_verb
    return sent.error is None or isinstance(sent.error, Invalid)


def _rows(name: str, seen: CallResult) -> Rows | None:
    """The rows of a list as they are compared; None where it cannot be read."""
    return None if seen.error else frozenset(map(_ROWS[name], seen.value))


_ROWS: Final[Mapping[str, Callable[[Any], tuple[Any, ...]]]] = {
    "users": lambda person: (person.key, person.role, person.invited),
    "granted-users": lambda grant: (grant.key, grant.role, grant.grant_type.value, grant.team),
    "teams": lambda team: (
        team.id, team.name, tuple(sorted(team.projects.items())), tuple(sorted(team.members or ())),
    ),
    "service-accounts": lambda account: (account.id, account.username, account.role),
    "project-service-accounts": lambda held: (held.account, held.role, held.grant_type.value),
}  # fmt: skip


def _in_words(done: StepResult) -> str:
    if done.sent.error is not None:
        return done.sent.error.why or done.sent.error.what
    if not done.step.shown_in:
        return "accepted"
    return f"accepted, {'shown' if done.shown else 'and not shown'} after {done.seconds:.1f} s"
