"""`pulumi` in the caller's process, for a project of which each stack is one roster; see `direct`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import Transport
from mixpanel_access.directory.directory import Directory, Machine, Times
from mixpanel_access.directory.this_machine import Unseen
from mixpanel_access.engine import Completed, Pulumi
from mixpanel_access.engine.runner import meaningful
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import AccessError, EngineError
from mixpanel_access.model.groups import people_in
from mixpanel_access.model.settings import KEPT_VARIABLE, Settings, load_settings
from mixpanel_access.operations.project import PulumiProject, stack_states
from mixpanel_access.provider.command import Command as EngineCommand
from mixpanel_access.provider.declaring import ProgramDeclaration, digest
from mixpanel_access.provider.run import Run, Scope
from mixpanel_access.provider.session import Session
from tests.engine.quick_pulumi import PLAIN_OPTIONS
from tests.python_engine import values
from tests.python_engine.backend import Backend
from tests.python_engine.command import SWITCHES, Command
from tests.python_engine.deployment import Deployment
from tests.python_engine.direct import Direct, DirectProviders, RosterProgram, kept_file, provider_class
from tests.python_engine.display import Display
from tests.python_engine.snapshot import Snapshot
from tests.python_engine.steps import Options

PROJECT = "mixpanel-access"
_FAILED, _CHANGED = 1, 7
_HISTORY = 10
"""How many updates `pulumi stack history` shows."""


class Clock:
    """The life's clock."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def nanoseconds(self) -> int:
        """The present instant since 1970."""
        return int(self.now.timestamp() * 10**9)


@dataclass(frozen=True)
class LivedSettings(Settings):
    """Settings without `mixpanel:now`, in a process whose clock is the life's."""

    lived: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), compare=False)

    def clock(self) -> datetime:
        return self.now or self.lived()


def lived_settings(config: Mapping[str, str], environ: Mapping[str, str], clock: Clock) -> LivedSettings:
    """The settings of a configuration, by the life's clock."""
    own = {key.partition(":")[2]: value for key, value in config.items()}
    known = load_settings(own.get, environ, own)
    return LivedSettings(**vars(known), lived=lambda: clock.now)


class LivedProject(PulumiProject):
    """A project whose settings go by the life's clock."""

    def settings(self, stack: str) -> Settings:
        pulumi = self.pulumi
        assert isinstance(pulumi, InProcessPulumi)
        return lived_settings(pulumi.shared.configs[stack], pulumi.environ, pulumi.shared.clock)


@dataclass
class Shared:
    """What all runs of a project share.

    Attributes:
        folder: of the backend.
        stacks: of the program, with the rosters.
        transport: how requests are sent; None for a socket.
        configs: the configuration of each stack, with namespaces.
        differing: the URN of a group -> the keys of the people in it whom the last run changes.
    """

    folder: Path
    stacks: Path
    transport: Any
    clock: Clock
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    differing: Mapping[str, AbstractSet[str]] = field(default_factory=dict)

    def url(self) -> str:
        """The backend's address."""
        return f"file://{self.folder}/state?metadata=skip"

    def state_file(self, stack: str) -> Path:
        """The file with a stack's state."""
        return self.folder / "state/.pulumi/stacks" / PROJECT / f"{stack}.json"


@dataclass(frozen=True)
class InProcessPulumi(Pulumi):
    """`pulumi` that carries out each command in this process."""

    shared: Shared = field(default=None, compare=False)  # type: ignore[assignment]

    def run(
        self,
        *args: str,
        timeout: float = 600,
        check: bool = True,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        del timeout
        words = [word for word in args if word not in PLAIN_OPTIONS]
        if words[0] in SWITCHES:
            done = _Run(self, Command.parsed(words), args).carry_out()
        else:
            done = Completed(args, 0, self._answer(words), "")
        for line in done.stdout.splitlines() if on_line else ():
            on_line(line)  # type: ignore[misc]
        if check and done.returncode:
            raise EngineError(
                f"pulumi {words[0]} failed", subject=str(self.project), why=meaningful(done.stdout, done.stderr)
            )
        return done

    def _answer(self, words: list[str]) -> str:
        shared = self.shared
        match words:
            case ["version"]:
                return f"v{self.engine.version}\n"
            case ["stack", "ls", *_]:
                return json.dumps([{"name": name, "current": False} for name in sorted(shared.configs)])
            case ["stack", "export", *_, "--stack", stack]:
                latest = json.loads(shared.state_file(stack).read_text())["checkpoint"]["latest"]
                return json.dumps({"version": 3, "deployment": latest})
            case ["config", *_, "--stack", stack]:
                return json.dumps({key: {"value": one, "secret": False} for key, one in shared.configs[stack].items()})
            case ["stack", "history", *_, "--stack", stack]:
                folder = shared.folder / "state/.pulumi/history" / PROJECT / stack
                files = sorted(folder.glob("*.history.json"), reverse=True)[:_HISTORY]
                return json.dumps([_update(json.loads(file.read_text())) for file in files])
        raise AssertionError(words)


def _update(found: dict[str, Any]) -> dict[str, Any]:
    times = {key: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(found[key])) for key in ("startTime", "endTime")}
    return {**found, "config": {}, **times}


class _DirectRun(Run):
    """A run of which this process knows whether its program has begun."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self.begun = False

    def fresh(self) -> bool:
        return self.begun

    def stack(self) -> str | None:
        return self._stack if self.begun else None


class _Run:
    """One run."""

    def __init__(self, pulumi: InProcessPulumi, command: Command, args: tuple[str, ...]) -> None:
        self._pulumi, self._shared, self._command, self._args = pulumi, pulumi.shared, command, args
        shared = self._shared
        self._backend = Backend(
            shared.url(), PROJECT, command.stack, pulumi.engine.version, clock=shared.clock.nanoseconds, copies=False
        )
        has_program = command.verb in ("up", "preview")
        self._options = Options(
            stack=command.stack, project=PROJECT, root=str(pulumi.project), config=shared.configs[command.stack],
            dry_run=command.verb == "preview", only_refresh=command.verb == "refresh",
            targets=frozenset() if has_program else command.urns,
            excludes=command.urns if has_program else frozenset(),
            continue_on_error="--continue-on-error" in command.switches, clock=shared.clock.nanoseconds,
        )  # fmt: skip
        self._snapshot = Snapshot(self._backend, every_step=False)
        self._lines: list[str] = []
        self._display = Display(command.verb, self._options, self._lines.append, as_json="--json" in command.switches)
        providers = DirectProviders(self._new_session, shared.clock.nanoseconds)
        shared.differing = providers.differing
        self._deployment = Deployment(self._options, self._snapshot, self._display, providers)  # type: ignore[arg-type]
        self._run = _DirectRun(command.stack)
        self._direct: Direct | None = None
        self._apis: list[Api] = []

    def carry_out(self) -> Completed:
        """Carry it out."""
        started = self._shared.clock.nanoseconds() // 10**9
        try:
            self._go()
        finally:
            for api in self._apis:
                api.close()
        execution = self._deployment.execution
        if execution.unknown:
            raise execution.unknown
        self._display.end(execution.counts)
        text = "".join(f"{line}\n" for line in self._lines)
        changed = any(count for op, count in execution.counts.items() if op != "same")
        code = _FAILED if execution.errored else 0
        if changed and not code and "--expect-no-changes" in self._command.switches:
            code = _CHANGED
        if not self._options.dry_run:
            self._snapshot.close()
            self._backend.end(
                {
                    "kind": "update" if self._command.verb == "up" else self._command.verb, "startTime": started,
                    "message": "", "environment": {**self._environment()}, "config": {},
                    "result": "failed" if code == _FAILED else "succeeded", "resourceChanges": execution.counts,
                }
            )  # fmt: skip
        return Completed(self._args, code, text, "")

    def _environment(self) -> dict[str, str]:
        return {"exec.kind": "cli", "git.author.email": self._pulumi.environ.get("GIT_AUTHOR", "ci@example.com")}

    def _go(self) -> None:
        deployment, verb = self._deployment, self._command.verb
        if verb == "destroy":
            deployment.delete_others()
        elif verb == "refresh":
            deployment.refresh()
        elif "--refresh" not in self._command.switches or deployment.refresh():
            self._run_program()
        if (execution := deployment.execution).step_failed and not execution.bailed:
            self._display.error("", f"{'preview' if self._options.dry_run else 'update'} failed")

    def _run_program(self) -> None:
        shared, stack, deployment = self._shared, self._command.stack, self._deployment
        settings = lived_settings(self._options.config, self._pulumi.environ, shared.clock)
        kept = kept_file(self._pulumi.environ, KEPT_VARIABLE)
        today = settings.clock().date()
        try:
            file = shared.stacks / f"{stack}.yaml"
            program = RosterProgram.read(file, stack, settings.organization_id, today, kept)
        except AccessError as error:
            self._display.error("", str(error))
            deployment.program_failed()
            return
        self._run.begun = True
        self._direct = Direct(deployment, self._options, program)
        self._direct.run()
        deployment.delete_others()
        deployment.take_stack_outputs()

    def _new_session(self, config: Mapping[str, str]) -> Session:
        shared, environ = self._shared, self._pulumi.environ
        settings = lived_settings(config, environ, shared.clock)
        api = Api.connect(settings, self._run.fresh, partial(Transport, transport=shared.transport))
        self._apis.append(api)
        directory = Directory(
            api, settings.organization_id, claimed=settings.claimed_domains,
            times=Times(0.002, lambda _: None, read_back_seconds=settings.read_back_seconds),
            machine=Machine(unseen=Unseen()),
        )  # fmt: skip
        command = EngineCommand(
            self._command.verb, os.getpid(), targets=sorted(self._options.targets),
            excludes=sorted(self._options.excludes), stack=self._command.stack,
        )  # fmt: skip
        scope = Scope(lambda: command, lambda: [dict(one) for one in self._backend.resources], self._declared)
        session = Session(settings, directory, self._say, self._run, scope)
        session.takes_only = KEPT_VARIABLE in environ
        session.states = stack_states(LivedProject(self._pulumi), self._command.stack)
        return session

    def _say(self, line: str) -> None:
        self._display.diagnostic("", "info", line, 3)

    def _declared(self) -> ProgramDeclaration | None:
        """What the program declares."""
        found: set[str] = set()
        unknown: set[str] = set()
        perhaps: set[str] = set()
        for kind, inputs in self._direct.declared if self._direct else ():
            handler = provider_class(kind)().handler
            if values.has_unknown(inputs):
                unknown.add(kind.name)
                people = people_in(kind, inputs) if kind.parts else {same_key(inputs.get("email", ""))}
                perhaps |= {digest((kind.name, key)) for key in people}
            else:
                found |= {digest(identity) for identity in handler.identities(dict(inputs))}
        return ProgramDeclaration(frozenset(found), frozenset(unknown), frozenset(perhaps))


def new_stack(shared: Shared, stack: str, config: Mapping[str, str]) -> None:
    """Make a stack with this configuration, of which nothing is there yet."""
    shared.configs[stack] = dict(config)
    file = shared.state_file(stack)
    file.parent.mkdir(parents=True, exist_ok=True)
    latest = {
        "manifest": {"time": "", "magic": "", "version": ""},
        "secrets_providers": {"type": "passphrase", "state": {"salt": ""}},
        "metadata": {},
    }
    document = {"version": 3, "checkpoint": {"stack": f"organization/{PROJECT}/{stack}", "latest": latest}}
    file.write_text(json.dumps(document))
