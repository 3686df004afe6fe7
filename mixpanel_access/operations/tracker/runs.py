"""The engine's history: when each stack ran, and the author of the commit for a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mixpanel_access.model.dates import instant

SKEW: Final = timedelta(minutes=1)
"""How far Mixpanel's clock and the engine's may differ."""
_WRITES: Final = ("", "update", "destroy")
"""The kinds of runs that write to Mixpanel; an entry without a kind may be one of them."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class HistoryRun:
    """One run of the engine.

    Attributes:
        starts: when it started, by the engine's clock.
        ends: when it ended; the end of time for a run that the history does not end.
        commit_author: the author of the commit that was checked out, or "".
        dirty: whether files had changes that are not in that commit, so that it does not show what the run did.
        kind: `update`, `destroy`, `refresh`, `import`, ..., or "".
        deletes: whether it deleted resources.
    """

    starts: datetime
    ends: datetime
    commit_author: str
    dirty: bool
    kind: str
    deletes: bool

    @property
    def author(self) -> str:
        """Who stands for what it did: the author of its commit; "" if that is not known, or not what ran."""
        return "" if self.dirty else self.commit_author

    @property
    def writes(self) -> bool:
        """Whether it may have changed access in Mixpanel."""
        return self.kind in _WRITES

    def covers(self, at: datetime, skew: timedelta = timedelta()) -> bool:
        """Whether an instant of a clock with this skew is in it."""
        return self.starts - skew <= at and (self.ends == _NEVER or at <= self.ends + skew)


def runs_of(history: Iterable[Mapping[str, Any]]) -> list[HistoryRun]:
    """The runs of a stack as the engine's history has them, the newest first."""
    found = []
    for run in history:
        environment = run.get("environment") or {}
        found.append(
            HistoryRun(
                starts=instant(str(run["startTime"])),
                ends=instant(str(run["endTime"])) if run.get("endTime") else _NEVER,
                commit_author=str(environment.get("git.author.email") or environment.get("git.committer.email") or ""),
                dirty=is_dirty(run),
                kind=str(run.get("kind") or ""),
                deletes=bool((run.get("resourceChanges") or {}).get("delete")),
            )
        )
    return found


def is_dirty(run: Mapping[str, Any]) -> bool:
    """Whether a run of the engine's history was of files with changes that were not committed."""
    return str((run.get("environment") or {}).get("git.dirty")).lower() == "true"


def during(runs: Sequence[HistoryRun], at: datetime) -> HistoryRun | None:
    """The run in which something happened, else the run that it happened next to by Mixpanel's clock, or None."""
    for skew in (timedelta(), SKEW):
        for run in runs:
            if run.covers(at, skew):
                return run
    return None


def only_of(runs: Sequence[HistoryRun], since: datetime, until: datetime) -> HistoryRun | None:
    """The run in which a state lost something, the newest of several by one author; None if that is not known.

    Args:
        runs: the runs of the stack, the newest first.
        since: an instant at which the state had it; the run around it does not count.
        until: the present instant.
    """
    fit = [run for run in runs if since < run.ends and run.starts <= until + SKEW and not run.covers(since, SKEW)]
    fit = [run for run in fit if run.deletes] or fit
    return fit[0] if len({(run.author, run.writes) for run in fit}) == 1 else None
