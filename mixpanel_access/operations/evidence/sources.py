"""What the evidence is made from, and what git and the engine know of each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mixpanel_access.files.git import FileInGit, commit_at, file_in_git, text_in_git
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import RosterError, UsageError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.evidence.document import EvidenceSource, Period
from mixpanel_access.operations.evidence.exceptions import RulesOfStack
from mixpanel_access.operations.policy_check import (
    PolicyConfig,
    parse_policy_config,
    policy_config_file,
    read_policy_config,
    rules_context,
)
from mixpanel_access.operations.project import PulumiProject, of_each
from mixpanel_access.operations.state import State
from mixpanel_access.operations.tracker.runs import is_dirty


@dataclass(frozen=True, kw_only=True)
class StackEvidence:
    """What is known of one stack.

    Attributes:
        settings: its settings.
        state: its present state.
        rules: its roster and policy configuration on the last day of the period.
        why_present: why these are the present ones and not those of that day, in words, or "".
        roster_in_git: what git knows of that roster.
        roster_before: what git knows of the roster before the period; None if git has no commit from before.
        uncommitted: when runs of the period ended that used files with changes that were not committed.
        sources: where all of that comes from.
    """

    settings: Settings
    state: State
    rules: RulesOfStack
    why_present: str
    roster_in_git: FileInGit
    roster_before: FileInGit | None
    uncommitted: Sequence[datetime]
    sources: Sequence[EvidenceSource]


def read_stacks(project: PulumiProject, stacks: Sequence[str], period: Period) -> dict[str, StackEvidence]:
    """Read the states, rosters and policy configurations of some stacks.

    Raises:
        UsageError: there is no such stack, or a file of it cannot be used.
    """

    def read(stack: str) -> StackEvidence:
        settings, history = project.settings(stack), project.history(stack)
        files = _StackFiles(project, stack, settings)
        rules, why_present = files.rules(period)
        before = commit_at(files.folder, period.before)
        ends = (instant(str(run["endTime"])) for run in reversed(history) if is_dirty(run) and run.get("endTime"))
        return StackEvidence(
            settings=settings,
            state=project.state(stack, settings.organization_id),
            rules=rules,
            why_present=why_present,
            roster_in_git=file_in_git(files.roster, rules.commit or "HEAD"),
            roster_before=file_in_git(files.roster, before) if before else None,
            uncommitted=[end for end in ends if period.has(end)],
            sources=[_state_source(stack, history), *files.sources()],
        )

    return of_each(stacks, read)


def file_source(project: Path, path: Path, kind: str, stack: str = "", lines: int | None = None) -> EvidenceSource:
    """A file or folder as a source, with the commit that last changed it."""
    known = file_in_git(path)
    return EvidenceSource(
        kind=kind,
        stack=stack,
        path=_shown(project, path),
        lines=lines,
        commit=known.commit,
        dated=known.committed,
        changed=known.changed,
        note=known.note,
    )


def _shown(project: Path, path: Path) -> str:
    path = path.absolute()
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else str(path)


def _state_source(stack: str, history: Sequence[Mapping[str, Any]]) -> EvidenceSource:
    """A stack's state, by its newest update that has ended."""
    newest = next((update for update in history if update.get("endTime")), None)
    if newest is None:
        return EvidenceSource(kind="state", stack=stack, note="the engine knows no update of it")
    version = int(newest.get("version") or 0) or None
    notes = [] if version else ["its backend does not number the updates"]
    if (result := str(newest.get("result") or "")) not in ("", "succeeded"):
        notes.append(f"the newest update ended with: {result}")
    if is_dirty(newest):
        notes.append("it ran on files with changes that were not committed, and the commit does not have these")
    return EvidenceSource(
        kind="state",
        stack=stack,
        commit=str((newest.get("environment") or {}).get("git.head") or ""),
        dated=instant(str(newest["endTime"])),
        version=version,
        note="; ".join(notes),
    )


@dataclass(frozen=True)
class _StackFiles:
    """The roster and the policy configuration of a stack, now and in git."""

    project: PulumiProject
    stack: str
    settings: Settings

    @property
    def folder(self) -> Path:
        return self.project.pulumi.project

    @property
    def roster(self) -> Path:
        return self.project.roster(self.stack)

    @property
    def config(self) -> Path:
        return policy_config_file(self.folder, self.roster)

    def sources(self) -> Iterator[EvidenceSource]:
        """The present files, as far as the stack has them."""
        for path, kind in ((self.roster, "roster"), (self.config, "policy configuration")):
            if path.is_file():
                yield file_source(self.folder, path, kind, self.stack)

    def rules(self, period: Period) -> tuple[RulesOfStack, str]:
        """The roster and the configuration on the last day of a period, or the present ones and why."""
        commit = "" if period.is_open else commit_at(self.folder, period.end)
        why = f"git has no {'roster' if commit else 'commit'} of that day"
        try:
            if commit and (then := self._at(commit)):
                return then, ""
        except UsageError as error:
            why = f"the roster of commit {commit} cannot be read: {error.why or error.what}"
        roster = read_roster(self.roster) if self.roster.is_file() else None
        return self._made("", roster, read_policy_config(self.config)), "" if period.is_open else why

    def _at(self, commit: str) -> RulesOfStack | None:
        """The roster and the configuration of a commit, or None if it has no roster.

        Raises:
            UsageError: one of them cannot be read.
        """
        text = text_in_git(self.roster, commit)
        if text is None:
            return None
        roster = parse(text, RosterSource(self.roster.name, self._include(commit)))
        config = text_in_git(self.config, commit)
        return self._made(commit, roster, parse_policy_config(config or "", self.config))

    def _include(self, commit: str) -> Callable[[str], str]:
        def include(name: str) -> str:
            text = text_in_git(self.roster.parent / name, commit)
            if text is None:
                raise RosterError("cannot read", subject=name, why=f"commit {commit} does not have it")
            return text

        return include

    def _made(self, commit: str, roster: Roster | None, config: PolicyConfig) -> RulesOfStack:
        today = self.settings.clock().date()
        return RulesOfStack(
            stack=self.stack,
            commit=commit,
            roster=roster,
            roster_path=_shown(self.folder, self.roster),
            config=config,
            config_path=_shown(self.folder, self.config),
            context=rules_context(self.stack, self.settings, self.project.config(self.stack), today),
        )
