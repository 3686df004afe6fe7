"""Who did what an event of the audit log says: a run of a stack, somebody by hand, or an identity provider."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.operations.tracker.lines import UNKNOWN, LogLine
from mixpanel_access.operations.tracker.reading import StackReading
from mixpanel_access.operations.tracker.runs import HistoryRun, during


@dataclass(frozen=True)
class Author:
    """Who did something.

    Attributes:
        admin: the person, the account or the source, or `unknown`.
        stacks: the stacks in whose runs it happened; none for what somebody did by hand.
    """

    admin: str
    stacks: frozenset[str] = frozenset()


class Authors:
    """Separates the stacks' own changes from those of others.

    Args:
        own: the keys of the login names of the accounts that run the stacks.
        stacks: the stacks of one organization.
    """

    def __init__(self, own: frozenset[str], stacks: Mapping[str, StackReading]) -> None:
        self._own = own
        self._runs = {name: [run for run in stack.runs if run.writes] for name, stack in stacks.items()}

    def is_ours(self, event: AuditEvent) -> bool:
        """Whether an account of the stacks did it, or may have done it by SCIM, which names nobody."""
        return same_key(event.actor) in self._own or event.by_scim

    def writing_runs(self, stack: str) -> Sequence[HistoryRun]:
        """The runs of a stack that may have changed access, the newest first."""
        return self._runs[stack]

    def of(self, event: AuditEvent, having: Collection[str], unaware: Collection[str] = ()) -> Author:
        """Who did what an event says.

        Args:
            event: the event.
            having: the stacks that have or had the access.
            unaware: the stacks whose states do not have what the event did: it was not in a run that it merely is near.
        """
        running = self._running(event.at) if self.is_ours(event) else {}
        running = {name: run for name, run in running.items() if name not in unaware or run.covers(event.at)}
        mine = {name: run for name, run in running.items() if name in having}
        runs = mine if mine or event.by_scim else running
        authors = {run.author for run in runs.values()} - {""}
        by_others = "" if runs and event.by_scim else event.who
        admin = authors.pop() if len(authors) == 1 else by_others or UNKNOWN
        return Author(admin, frozenset(runs))

    def made_in_a_run(self, line: LogLine) -> bool:
        """Whether a run of a stack did what a line of the log says, as far as its date and admin tell."""
        admin, runs = same_key(line.admin), self._running(line.at).values()
        if admin in self._own:  # what a run of one author did is signed by that one
            return bool(runs) and len({run.author for run in runs} - {""}) != 1
        return any(admin in ("", same_key(run.commit_author)) for run in runs)

    def _running(self, at: datetime) -> dict[str, HistoryRun]:
        found = {name: during(runs, at) for name, runs in self._runs.items()}
        return {name: run for name, run in found.items() if run is not None}
