"""A Pulumi project and its stacks, asked through the engine: their names, configuration and states."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, TypeVar

from mixpanel_access.engine import LocalStates, Pulumi, ensure_engine, local_states
from mixpanel_access.engine.process import stop_children
from mixpanel_access.files.whole import nearest_project, reason
from mixpanel_access.model.errors import AccessError, ConfigurationError, EngineError, UsageError
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.resources import DEFAULT, KINDS, organizations_in, rows_in
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.roster.yaml_text import BadYaml, load
from mixpanel_access.model.settings import (
    NAMESPACE,
    Settings,
    configured_organization,
    load_settings,
    warning_of_now,
)
from mixpanel_access.model.similarity import counted, in_words
from mixpanel_access.operations.outputs import has_hidden_people, without_provider
from mixpanel_access.operations.state import State, state_of
from mixpanel_access.provider.exported_states import interrupted_in, people_of_roster, resources_of
from mixpanel_access.provider.states import ExportedResource, RosterPeople, StackStates, States

Progress = Callable[[str], None]
"""Shows a line."""

_AT_ONCE: Final = 8
"""Stacks that the engine is asked about at a time."""
_LOOK_AGAIN_SECONDS: Final = 0.1
"""Between two checks whether a run that must be stopped has started meanwhile."""
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class PulumiProject:
    """A Pulumi project; what the engine cannot tell raises an `EngineError`."""

    pulumi: Pulumi
    progress: Progress = field(default=lambda _: None, repr=False, compare=False)
    _configs: dict[str, dict[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _said: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    @cached_property
    def stacks(self) -> list[str]:
        """The names of the project's stacks in the backend that is logged in to, asked for once."""
        known = self._local.names() if self._local else None
        return [str(row["name"]) for row in self._stack_rows] if known is None else known

    @cached_property
    def selected(self) -> str | None:
        """The stack that Pulumi has selected in this project's folder, if any."""
        return next((str(row["name"]) for row in self._stack_rows if row.get("current")), None)

    @cached_property
    def _local(self) -> LocalStates | None:
        return local_states(self.pulumi)

    @cached_property
    def _stack_rows(self) -> list[dict[str, Any]]:
        return list(self._json("stack", "ls", "--json"))

    def settings(self, stack: str) -> Settings:
        """The settings of a stack, from its configuration and the environment.

        Raises:
            ConfigurationError: something is missing or malformed.
        """
        config = self.config(stack)
        try:
            return load_settings(config.get, self.pulumi.environ, config)
        except ConfigurationError as error:
            error.subject = f"stack {stack}"
            raise

    def config(self, stack: str) -> dict[str, str]:
        """Our configuration of a stack, by the keys without `mixpanel:`, asked for once."""
        if stack not in self._configs:
            rows = self._json_of(stack, "config", "--json", "--show-secrets")
            own = f"{NAMESPACE}:"
            self._configs[stack] = {
                key.removeprefix(own): str(row.get("value", "")) for key, row in rows.items() if key.startswith(own)
            }
            if now := self._configs[stack].get("now", "").strip():
                self.progress(warning_of_now(now, stack))
        return self._configs[stack]

    def state(self, stack: str, organization: int) -> State:
        """What a stack's state holds of one organization."""
        return state_of(self.export_with_people(stack), organization)

    def export_with_people(self, stack: str) -> Any:
        """A stack's state, as `state_of` reads it: with secrets only if the addresses of people are secrets."""
        export = self.export(stack)
        return self.export(stack, show_secrets=True) if has_hidden_people(export) else export

    def export(self, stack: str, *, show_secrets: bool = False) -> Any:
        """A stack's state as the engine exports it, secrets encrypted unless they are asked for.

        Without the pickled providers of its resources, most of its text, which nobody reads.
        """
        found = None if show_secrets or not self._local else self._local.export(stack, without_provider)
        if not found:
            words = ("stack", "export", *(["--show-secrets"] if show_secrets else []))
            found = self._json_of(stack, *words, hook=without_provider)
        self._say_others(stack, found)
        return found

    def _say_others(self, stack: str, export: Any) -> None:
        """Say once of which other organizations a stack has resources: no command of ours covers those."""
        if stack in self._said or not _has_providers(export):
            return
        own, organizations = self._organization(stack), organizations_in(export)
        for other in sorted(organizations.keys() - {own}):
            number = counted(organizations[other], "resource")
            self.progress(
                f"warning: stack {stack} has {number} of organization {other} too, by a provider of its program. This "
                f"command covers organization {own} alone; `pulumi preview --refresh` shows both"
            )
        self._said.add(stack)

    def _organization(self, stack: str) -> int | None:
        """The organization of a stack's configuration; None if it has none."""
        return configured_organization(self.config(stack).get, self.pulumi.environ)

    def history(self, stack: str) -> list[dict[str, Any]]:
        """The stack's updates, the newest first, as the engine reports them."""
        return list(self._json("stack", "history", "--json", "--full-dates", "--stack", stack))

    def roster(self, stack: str) -> Path:
        """Where the stack's roster is, or will be: in the program's folder, named for the stack."""
        return roster_file(self.pulumi.project, stack)

    def other_rosters(self, stack: str) -> dict[str, Roster]:
        """The rosters of the other stacks, by the name of the file.

        Raises:
            RosterError: one of them cannot be used.
        """
        from mixpanel_access.files.roster import read_roster

        own = self.roster(stack)
        files = {self.roster(other) for other in self.stacks} - {own}
        return {file.name: read_roster(file) for file in sorted(files) if file.is_file()}

    def must_exist(self, stack: str) -> None:
        """Check that the stack exists."""
        if stack not in self.stacks:
            raise UsageError(
                "cannot find the stack",
                subject=stack,
                why=f"the backend has {in_words(self.stacks) or 'none'} for this project",
                next_step=f"Check the name and `pulumi whoami -v`, or make it: pulumi stack init {stack}",
            )

    def _json_of(self, stack: str, *args: str, hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
        try:
            return self._json(*args, "--stack", stack, hook=hook)
        except EngineError:
            self.must_exist(stack)  # only now: to list the stacks takes another run of the engine
            raise

    def _json(self, *args: str, hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
        completed = self.pulumi.run(*args)
        try:
            return json.loads(completed.stdout, object_hook=hook)
        except ValueError:
            raise EngineError(
                f"cannot read what pulumi {args[0]} says",
                why="it is not JSON",
                next_step="Check the engine's version with `pulumi version`.",
            ) from None


def with_variables(pulumi: Pulumi, variables: Mapping[str, str]) -> Pulumi:
    """The engine, for runs with these environment variables too."""
    return replace(pulumi, environ={**pulumi.environ, **variables})


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that only this user can open; it goes with the block."""
    with tempfile.TemporaryDirectory(prefix="mixpanel-access-") as folder:
        yield Path(folder)


def _has_providers(export: Mapping[str, Any]) -> bool:
    """Whether a resource of ours in an exported state has a provider of its program, and not the stack's own."""
    providers = (str(row.get("provider") or "") for row in rows_in(export) if row.get("type") in KINDS)
    return any(provider and f"::{DEFAULT}" not in provider for provider in providers)


def open_project(folder: Path, progress: Progress) -> PulumiProject:
    """The project whose Pulumi.yaml is in the folder or in one above it.

    Raises:
        EngineError: there is no engine.
    """
    found = project_folder(folder)  # before the engine, which may have to be made
    return PulumiProject(Pulumi(ensure_engine(progress), found, os.environ), progress)


def project_folder(folder: Path) -> Path:
    """The folder with the Pulumi.yaml: this one, or one above it."""
    if (found := nearest_project(folder)) is not None:
        return found
    raise UsageError(
        "cannot find the project",
        subject=str(folder),
        why="there is no Pulumi.yaml there or above",
        next_step="Run it in the project's folder, or name that with --cwd.",
    )


def roster_file(project: Path, stack: str) -> Path:
    """Where a stack's roster is, or will be: in the program's folder, named for the stack."""
    file, why = project / "Pulumi.yaml", ""
    document: Any = {}
    try:
        document = load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, BadYaml) as error:
        why = reason(error)
    if why or not isinstance(document, dict):
        why = why or "it is not a mapping"
        raise UsageError("cannot read the project", subject=str(file), why=why, next_step="Fix it and run again.")
    program = project / str(document.get("main") or ".")
    return (program if program.is_dir() else program.parent) / f"{stack.rpartition('/')[2]}.yaml"


def stacks_of(project: PulumiProject, wanted: Sequence[str]) -> list[str]:
    """The stacks to work on: those that are named, each once, or all of the project.

    Raises:
        UsageError: the project has none.
    """
    found = list(dict.fromkeys(wanted)) or sorted(project.stacks)
    if not found:
        raise UsageError(
            "cannot find a stack",
            why="the backend has none for this project",
            next_step="Check the backend with `pulumi whoami -v`, or create a stack: pulumi stack init production",
        )
    return found


def stack_to_change(project: PulumiProject, wanted: str) -> str:
    """The stack that a command changes: the one that is named, else the one that Pulumi has selected, which it says.

    Raises:
        UsageError: none is named, and none is selected.
    """
    if wanted:
        return wanted
    if project.selected is None:
        raise UsageError(
            "cannot choose a stack",
            why="Pulumi has none selected in this project",
            next_step="Name one with --stack, or run: pulumi stack select production",
        )
    project.progress(f"stack {project.selected}, which Pulumi has selected; --stack names another")
    return project.selected


def by_organization(project: PulumiProject, stacks: Sequence[str]) -> dict[tuple[str, int], list[str]]:
    """The stacks of each organization, in their order: the address of its API and its id -> their names."""
    settings = ((project.settings(stack), stack) for stack in stacks)
    return grouped(((one.api_url, one.organization_id), stack) for one, stack in settings)


def of_each(stacks: Sequence[str], ask: Callable[[str], _Answer]) -> dict[str, _Answer]:
    """Ask about several stacks at once, since a backend may be far away.

    The first failure is raised, and the rest is stopped.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        asked = {stack: threads.submit(ask, stack) for stack in stacks}
        try:
            return {stack: answer.result() for stack, answer in asked.items()}
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            while not all(answer.done() for answer in asked.values()):
                stop_children()
                wait(asked.values(), _LOOK_AGAIN_SECONDS)
            raise


def stack_states(project: PulumiProject, stack: str) -> States:
    """The states of the project's stacks, read when something depends on them."""

    def people(other: str, day: date) -> RosterPeople | None:
        return people_of_roster(project.roster(other), day)

    return States(partial(_read, project), lambda: stack.rpartition("/")[2], people)


def _read(project: PulumiProject) -> StackStates:
    found: dict[str, Sequence[ExportedResource]] = {}
    interrupted: dict[str, Sequence[ExportedResource]] = {}
    unread: list[str] = []
    for name in project.stacks:
        try:
            export = project.export(name)
            found[name], interrupted[name] = resources_of(export), interrupted_in(export)
        except (AccessError, KeyError, TypeError, AttributeError) as error:
            unread.append(f"stack {name}: {error}")
    return StackStates(found, "; ".join(unread), interrupted)
