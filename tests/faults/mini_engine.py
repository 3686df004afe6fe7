"""What the engine does with our providers, without the engine: check, diff, create, update, delete, refresh.

Several threads as in the plugin's process, a new session for each operation, and the state kept in between: what
depends on what, what waits to be deleted after a replacement, and the configuration of the last `up`, with which the
engine destroys and refreshes. The real engine runs in tests/engine; this one is for thousands of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime import rpc

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.model.errors import AccessError
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.command import Command
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.declaring import ProgramDeclaration, digest
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.members import MembersProvider
from mixpanel_access.provider.organization_security import OrganizationSecurityProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from mixpanel_access.provider.run import Scope
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.team import TeamProvider
from mixpanel_access.provider.team_grant import TeamGrantProvider
from mixpanel_access.provider.team_member import TeamMemberProvider
from mixpanel_access.provider.team_members import TeamMembersProvider

PROVIDERS: dict[str, type[AccessProvider]] = {
    "security": OrganizationSecurityProvider,
    "role": CustomRoleProvider,
    "member": MemberProvider,
    "members": MembersProvider,
    "grant": ProjectGrantProvider,
    "whole": ProjectAccessProvider,
    "team": TeamProvider,
    "team grant": TeamGrantProvider,
    "team member": TeamMemberProvider,
    "team members": TeamMembersProvider,
    "brake": RemovalBrakeProvider,
}
"""In an order in which they can be created; deleted the other way round."""

AT_ONCE = 8
"""Resources that the engine brings about at once on two cores."""

Name = tuple[str, str]
"""Kind, and a name of its own."""
Program = Mapping[Name, dict[str, Any]]
"""What is declared: the inputs of each resource; a `Name` in them stands for the id of that team or custom role."""
Names = AbstractSet[Name]
TYPES = {
    "security": kinds.ORGANIZATION_SECURITY_TYPE,
    "role": kinds.CUSTOM_ROLE_TYPE,
    "member": kinds.MEMBER_TYPE,
    "members": kinds.MEMBERS_TYPE,
    "grant": kinds.GRANT_TYPE,
    "whole": kinds.PROJECT_ACCESS_TYPE,
    "team": kinds.TEAM_TYPE,
    "team grant": kinds.TEAM_GRANT_TYPE,
    "team member": kinds.TEAM_MEMBER_TYPE,
    "team members": kinds.TEAM_MEMBERS_TYPE,
    "brake": kinds.BRAKE_TYPE,
}
"""Kind -> the resource's type."""
_IDS = {"team": "team_id", "role": "role_id"}
"""Kind -> the output with the id."""
_BRAKED = ("member", "members", "grant", "whole", "team member", "team members")
"""What a brake depends on, as in `RosterAccess`."""


@dataclass
class Held:
    """One resource of the state.

    Attributes:
        id: its id.
        inputs: as its check has left them.
        outputs: as its provider has given them.
        needs: what it depends on.
    """

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    needs: Names = frozenset()


class Stopped(Exception):
    """The engine goes no further."""


@dataclass
class MiniEngine:
    """A stack.

    Attributes:
        new_session: makes the session of an operation: with these limits, and whether a program has run.
        limits: what the stack's configuration says today.
        state: the resources that are there.
        replaced: those that wait to be deleted, since another one has taken their place.
        remembered: the limits at the last `up`: what the engine configures a provider with where no program runs.
        failures: what the last operation could not do.
        keeps: whether our server serves the resources, which keeps what a verb that fails has made; else the SDK's.
    """

    new_session: Callable[[Limits, bool], Session]
    limits: Limits = field(default_factory=lambda: Limits(released=frozenset({Brake.REMOVAL_SHARE, Brake.GRANT_SHARE})))
    state: dict[Name, Held] = field(default_factory=dict)
    replaced: list[tuple[Name, Held]] = field(default_factory=list)
    remembered: Limits | None = None
    failures: list[AccessError] = field(default_factory=list)
    keeps: bool = False

    def up(
        self,
        program: Program,
        *,
        targets: Names | None = None,
        excludes: Names = frozenset(),
        replace: Names = frozenset(),
        continue_on_error: bool = False,
        prepare: Callable[[Session], None] = lambda session: None,
    ) -> bool:
        """Bring the program about as far as it goes; whether all of it is done.

        Args:
            program: what is declared.
            targets: `--target`, without `--target-dependents`; None for everything.
            excludes: `--exclude` with `--exclude-dependents`; without it, the engine (3.259) spoils the state where an
                excluded newcomer has a dependent.
            replace: `--replace`, or a taint.
            continue_on_error: `--continue-on-error`.
            prepare: what the operation's session is told before it begins.
        """
        self.remembered = self.limits
        command = Command("up", targets=urns(targets or ()), excludes=urns(excludes))
        session, providers = self._begin(command, program)
        prepare(session)
        excluded = _dependents_in(excludes, program)
        chosen = {name for name in program if (targets is None or name in targets) and name not in excluded}
        skipped = (program.keys() - chosen - self.state.keys()) if targets is not None else set()
        failed: set[Name] = set()

        def bring(name: Name) -> None:
            if skipped & needs_of(name, program):
                raise AccessError(f"{name} depends on what is to be made and is no target")
            if failed & needs_of(name, program):
                failed.add(name)  # what it depends on is not there
                return
            try:
                self._bring_about(providers[name[0]], name, program, anew=name in replace)
            except AccessError:
                failed.add(name)
                raise

        with suppress(Stopped):
            for kind in PROVIDERS:
                self._each((name for name in chosen if name[0] == kind), bring, go_on=continue_on_error)
            gone = self.state.keys() - program.keys() - self._kept(program.keys() - chosen) - self._linked(excludes)
            if targets is not None:
                gone &= self._with_dependents(targets)
            held_up = self._with_needs(failed) - failed
            self._delete(gone - held_up, providers, go_on=continue_on_error, also_replaced=targets is None)
        return not self.failures

    def destroy(
        self,
        *,
        run_program: bool = False,
        targets: Names | None = None,
        continue_on_error: bool = False,
    ) -> bool:
        """Delete everything, or the targets with what depends on them; whether all of it is done.

        No resource is checked, whether the program runs or not: only the configuration is another.
        """
        if run_program:
            self.remembered = self.limits
        command = Command("destroy", targets=urns(targets or ()))
        _, providers = self._begin(command, {} if run_program else None)
        gone = set(self.state) if targets is None else self._with_dependents(targets)
        with suppress(Stopped):
            self._delete(gone, providers, go_on=continue_on_error, also_replaced=targets is None)
        return not self.failures

    def refresh(self, *, run_program: bool = False) -> bool:
        """Read every resource; whether all could be read."""
        if run_program:
            self.remembered = self.limits
        _, providers = self._begin(Command("refresh"), {} if run_program else None)
        for kind in PROVIDERS:
            names = [name for name in self.state if name[0] == kind]
            self._each(names, lambda name: self._read(providers[name[0]], name), go_on=True)
        return not self.failures

    def import_(self, names: Mapping[Name, str]) -> None:
        """Read resources that are there by their ids, as `pulumi import` does."""
        _, providers = self._begin(Command("import"), {})
        for name, id_ in names.items():
            result = providers[name[0]].read(id_, {})
            self.state[name] = Held(id_, dict(result.inputs or {}), dict(result.outs or {}))

    def plan(self, program: Program) -> list[tuple[str, Name]]:
        """What the next up would do; `failures` has what its preview would refuse."""
        _, providers = self._begin(Command("preview"), program)
        steps = [("delete", name) for name in self.state.keys() - program.keys()]
        for name in sorted(program, key=_place):
            held = self.state.get(name)
            result = providers[name[0]].check(held.inputs if held else {}, self._resolved(program[name]))
            self.failures += [AccessError(failure.reason) for failure in result.failures]
            if held is None:
                steps.append(("create", name))
            elif providers[name[0]].diff(held.id, held.outputs, result.inputs).changes:
                steps.append(("update", name))
        return steps

    def resources(self) -> list[dict[str, Any]]:
        """The resources of the state, as an export has them."""
        return [
            {
                "urn": urn(name),
                "type": TYPES[name[0]],
                "id": held.id,
                "inputs": held.inputs,
                "outputs": held.outputs,
                "dependencies": [urn(one) for one in held.needs],
            }
            for name, held in list(self.state.items())
        ]

    def _begin(self, command: Command, program: Program | None) -> tuple[Session, dict[str, AccessProvider]]:
        """Begin an operation; without a program, with the configuration that the state remembers."""
        fresh = program is not None
        limits = self.limits if fresh or self.remembered is None else self.remembered
        session = self.new_session(limits, fresh)
        self.failures = []
        providers = {kind: make() for kind, make in PROVIDERS.items()}
        for provider in providers.values():
            provider.use(session)
            provider.handler.keeps = self.keeps

        def declared() -> ProgramDeclaration:
            resolved = {name: self._resolved(inputs) for name, inputs in (program or {}).items()}
            subjects = {
                digest(subject)
                for name, inputs in resolved.items()
                if not _unknown(inputs)
                for subject in providers[name[0]].handler.identities(inputs)
            }
            unknown = {providers[name[0]].handler.kind.name for name, inputs in resolved.items() if _unknown(inputs)}
            return ProgramDeclaration(frozenset(subjects), frozenset(unknown))

        session.scope = Scope(lambda: command, self.resources, declared)
        return session, providers

    def _each(self, names: Iterable[Name], act: Callable[[Name], None], *, go_on: bool) -> None:
        """Do something with resources that do not depend on each other, several at once.

        Raises:
            Stopped: it failed for one, and the engine does not go on.
        """
        failed = False

        def guarded(name: Name) -> None:
            nonlocal failed
            if failed and not go_on:
                return  # it had not begun when the other one failed
            try:
                act(name)
            except AccessError as error:
                failed = True
                self.failures.append(error)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(guarded, sorted(names)))
        if failed and not go_on:
            raise Stopped

    def _bring_about(self, provider: AccessProvider, name: Name, program: Program, *, anew: bool) -> None:
        held = self.state.get(name)
        resolved = self._resolved(program[name])
        if _unknown(resolved):
            return  # the team or role could not be made, which is told of it
        result = provider.check({} if held is None or anew else held.inputs, resolved)
        if result.failures:
            self.failures.append(AccessError(result.failures[0].reason))
            raise Stopped  # whatever else is asked for
        needs = needs_of(name, program)
        diff = provider.diff(held.id, held.outputs, result.inputs) if held is not None else None
        if held is None or anew or (diff and diff.replaces):
            with self._keeping(name, result.inputs, needs, held):
                created = provider.create(dict(result.inputs))
            if held is not None:
                self.replaced.append((name, held))
            self.state[name] = Held(created.id, result.inputs, dict(created.outs or {}), needs)
        elif diff and diff.changes:
            with self._keeping(name, result.inputs, needs):
                updated = provider.update(held.id, held.outputs, dict(result.inputs))
            self.state[name] = Held(held.id, result.inputs, dict(updated.outs or {}), needs)
        else:
            self.state[name] = Held(held.id, result.inputs, held.outputs, needs)

    @contextmanager
    def _keeping(
        self, name: Name, inputs: dict[str, Any], needs: Names, replaced: Held | None = None
    ) -> Iterator[None]:
        """Put into the state what a verb that fails has made, as the engine does, if the server says what it is."""
        try:
            yield
        except AccessError as error:
            if self.keeps and error.kept is not None:
                if replaced is not None:
                    self.replaced.append((name, replaced))
                self.state[name] = Held(error.kept[0], inputs, dict(error.kept[1]), needs)
            raise

    def _delete(
        self, names: Iterable[Name], providers: Mapping[str, AccessProvider], *, go_on: bool, also_replaced: bool
    ) -> None:
        """Delete resources, each after what depends on it; with them, those that have been replaced.

        Raises:
            Stopped: it failed for one, and the engine does not go on.
        """
        gone = set(names)
        old = list(self.replaced) if also_replaced else []
        failed: set[Name] = set()

        def take_away(name: Name) -> None:
            try:
                for one in [one for one in old if one[0] == name]:
                    providers[name[0]].delete(one[1].id, one[1].outputs)
                    self.replaced.remove(one)
                if name in gone and name in self.state:
                    held = self.state[name]
                    providers[name[0]].delete(held.id, held.outputs)
                    del self.state[name]
            except AccessError:
                failed.add(name)
                raise

        for kind in reversed(PROVIDERS):
            some = {name for name in gone | {name for name, _ in old} if name[0] == kind}
            self._each(some - self._with_needs(failed), take_away, go_on=go_on)

    def _resolved(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs with the ids of teams and roles that are there."""

        def value(given: Any) -> Any:
            if isinstance(given, dict):
                return {key: value(part) for key, part in given.items()}
            if not isinstance(given, tuple):
                return given
            return self.state[given].outputs[_IDS[given[0]]] if given in self.state else rpc.UNKNOWN

        return {key: value(given) for key, given in inputs.items()}

    def _read(self, provider: AccessProvider, name: Name) -> None:
        held = self.state[name]
        result = provider.read(held.id, held.outputs)
        if result.id:
            inputs = held.inputs if result.inputs is None else dict(result.inputs)  # as the engine does
            self.state[name] = Held(held.id, inputs, dict(result.outs or {}), held.needs)
        else:
            del self.state[name]

    def _with_needs(self, names: Iterable[Name]) -> set[Name]:
        """These, and what they depend on."""
        found = set(names)
        while more := {need for name in found if name in self.state for need in self.state[name].needs} - found:
            found |= more
        return found

    def _with_dependents(self, names: Iterable[Name]) -> set[Name]:
        """Those of these that are there, and what depends on them."""
        found = {name for name in names if name in self.state}
        while more := {name for name, held in self.state.items() if held.needs & found} - found:
            found |= more
        return found

    def _linked(self, names: Iterable[Name]) -> set[Name]:
        """Those of these that are there, and whatever depends on them or they depend on, to any degree."""
        found = {name for name in names if name in self.state}
        while more := (self._with_needs(found) | self._with_dependents(found)) - found:
            found |= more
        return found

    def _kept(self, untouched: Iterable[Name]) -> set[Name]:
        """What stays with resources that the engine leaves as they are: what they depend on, declared or not."""
        there = {name for name in untouched if name in self.state}
        return self._with_needs(there)


def urn(name: Name) -> str:
    """A resource's name in the engine."""
    return f"urn:pulumi:stack::project::{TYPES[name[0]]}::{name[1]}"


def urns(names: Iterable[Name]) -> tuple[str, ...]:
    """The engine's names of some resources."""
    return tuple(urn(name) for name in sorted(names))


def needs_of(name: Name, program: Program) -> Names:
    """What a resource depends on, as the components have it."""
    return frozenset(_needs(name, program))


def _needs(name: Name, program: Program) -> Iterator[Name]:
    kind, inputs = name[0], program[name]
    yield from _references(inputs)
    if kind == "brake":
        yield from (one for one in program if one[0] in _BRAKED)
    elif kind in ("grant", "team member", "whole", "team members"):
        keys = set(map(same_key, _emails(inputs)))
        of_members = [one for one in program if one[0] in ("member", "members")]
        yield from (one for one in of_members if keys & set(map(same_key, _emails(program[one]))))


def _emails(inputs: dict[str, Any]) -> Iterable[str]:
    """The people of a resource."""
    return [inputs["email"]] if "email" in inputs else inputs["grants"] if "grants" in inputs else inputs["people"]


def _dependents_in(names: Names, program: Program) -> set[Name]:
    """These, and what depends on them in a program."""
    found = set(names)
    while more := {name for name in program if needs_of(name, program) & found} - found:
        found |= more
    return found


def _references(value: Any) -> Iterator[Name]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, tuple):
        yield value


def _place(name: Name) -> tuple[int, Name]:
    return list(PROVIDERS).index(name[0]), name


def _unknown(value: Any) -> bool:
    """Whether a part of a value is not known."""
    return any(map(_unknown, value.values())) if isinstance(value, dict) else bool(value == rpc.UNKNOWN)


class GroupingEngine(MiniEngine):
    """A stack of a grouped roster. Its `Members` stays to the end, with somebody who was there before: people leave it.

    Attributes:
        bystander: that person.
    """

    bystander = "stranger2@example.com"

    def up(self, program: Program, **options: Any) -> bool:
        return super().up(self.grouped(program), **options)

    def plan(self, program: Program) -> list[tuple[str, Name]]:
        return super().plan(self.grouped(program))

    def grouped(self, program: Program) -> Program:
        """A program with groups for the single members, grants and memberships."""
        people: dict[str, Any] = {self.bystander: {"removal": "never"}}
        found: dict[Name, dict[str, Any]] = {("members", "members"): {"people": people}}
        for name, inputs in program.items():
            if name[0] == "member":
                people[inputs["email"]] = {key: value for key, value in inputs.items() if key != "email"}
            elif name[0] == "grant":
                project = inputs["project_id"]
                group = {"project_id": project, "grants": {}, "exclusive": False}
                found.setdefault(("whole", str(project)), group)["grants"][inputs["email"]] = inputs["role"]
            elif name[0] == "team member":
                group = {"team_id": inputs["team_id"], "people": []}
                found.setdefault(("team members", inputs["team_id"][1]), group)["people"].append(inputs["email"])
            else:
                found[name] = inputs
        return found
