"""The run of the engine: whether a program of ours runs, of which stack, and which resources the run is about.

`destroy`, `refresh` and the refresh phase of `up --refresh` run no program, and the engine configures the provider with
what the state remembers of the last `up`. Nothing that the provider is sent says so. So the program announces itself:
its first resource sets the engine's root resource (`SetRootResource`), and the provider's process asks for it. The
engine forgets it when it ends. SDKs of other languages set it too, in any program, so ours has a mark.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.groups import GROUPS, Held, hides_people, unfold
from mixpanel_access.model.ownership import FOUND, OURS, WHEN_UNUSED, is_ours
from mixpanel_access.model.resource_ids import ProjectAccessId, ResourceId, TeamId
from mixpanel_access.provider import declaring
from mixpanel_access.provider.command import Command, Resources, deleted, engine_command
from mixpanel_access.provider.declaring import ProgramDeclaration
from mixpanel_access.provider.exported_states import Unreadable, ask, named_rows
from mixpanel_access.provider.states import ExportedResource, of_organization, resources_in

_STACK: Final = 2
"""The part of a URN that names the stack."""
MARK: Final = "#mixpanel-access"
"""The end of a root resource that we have set."""
_ADDRESS: Final = re.compile(r"[\w.\-\[\]:]+:\d+")
_SECONDS: Final = 10.0
"""How long the engine, which is on this machine, may take to answer."""


class Run:
    """What is known of a run; by default it is a command's, whose configuration has just been read."""

    def fresh(self) -> bool:
        """Whether the configuration is today's, because a program with a resource of ours has run."""
        return True

    def stack(self) -> str | None:
        """The stack's name, as the program has it; None if no program has run."""
        return None


class EngineRun(Run):
    """The run of the engine that has started this process; asked when something depends on it, not before.

    Args:
        address: the engine's address; None if this process was started by no engine, which is never fresh.
    """

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._urn = ""
        self._lock = threading.Lock()

    def fresh(self) -> bool:
        """Whether the program has announced itself. If the engine cannot be asked, it has not."""
        return bool(self._root())

    def stack(self) -> str | None:
        parts = self._root().split(":")
        return parts[_STACK] if len(parts) > _STACK else None

    def _root(self) -> str:
        with self._lock:
            if not self._urn and self._address:
                self._urn = _asked(self._address)
            return self._urn


def _asked(address: str) -> str:
    """The root resource of the engine at this address; empty if none is ours, or nobody answers."""
    import grpc  # type: ignore[import-untyped]  # commands have no engine to ask, and need no SDK
    from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

    try:
        with grpc.insecure_channel(address) as channel:
            stub = engine_pb2_grpc.EngineStub(channel)
            urn = str(stub.GetRootResource(engine_pb2.GetRootResourceRequest(), timeout=_SECONDS).urn)
            return urn if urn.endswith(MARK) else ""
    except grpc.RpcError:
        return ""  # unknown is not permission


def engine_address(arguments: list[str] | None = None) -> str | None:
    """The engine's address, which the engine gives to a plugin as its last argument; None in any other process."""
    given = sys.argv[1:] if arguments is None else arguments
    plain = [argument for argument in given if not argument.startswith("-")]
    return plain[-1] if plain and _ADDRESS.fullmatch(plain[-1]) else None


class _Announcements:
    """The program's side: once for each engine that this process has worked for, as Automation API has several."""

    def __init__(self) -> None:
        self._last: object = None

    def make(self) -> None:
        import grpc
        import pulumi
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
        from pulumi.runtime.settings import get_engine

        engine = get_engine()
        if engine is self._last or not isinstance(engine, engine_pb2_grpc.EngineStub):
            return  # no engine, or the SDK's mocks of one
        stack, project = pulumi.get_stack(), pulumi.get_project()
        urn = f"urn:pulumi:{stack}::{project}::{kinds.STACK_TYPE}::{project}-{stack}{MARK}"
        try:
            engine.SetRootResource(engine_pb2.SetRootResourceRequest(urn=urn), timeout=_SECONDS)
        except grpc.RpcError:
            return  # then the provider takes the configuration for an old one
        self._last = engine


announce: Final = _Announcements().make
"""Say to the engine that a program with a resource of ours runs; called by each resource."""


class Scope:
    """What the run is about; read when something depends on it, not before.

    Args:
        command: the engine's command; None if it is unknown, which is taken for one about everything.
        state: reads the resources in the stack's state; None if it cannot be read.
        declared: reads what the program declares; None if it has not said so.
    """

    def __init__(
        self,
        command: Callable[[], Command | None] = lambda: None,
        state: Callable[[], Resources | None] = lambda: None,
        declared: Callable[[], ProgramDeclaration | None] = lambda: None,
    ) -> None:
        self._command, self._state, self._declared = command, state, declared

    @cached_property
    def command(self) -> Command | None:
        """The engine's command; None if it is unknown."""
        return self._command()

    @property
    def partial(self) -> bool:
        """Whether the run leaves some resources alone."""
        return self.command is not None and self.command.partial

    @property
    def destroys(self) -> bool:
        """Whether the run is a `destroy`, whatever a program declares."""
        return self.command is not None and self.command.verb == "destroy"

    @cached_property
    def _rows(self) -> Resources | None:
        return self._state()

    @cached_property
    def resources(self) -> Sequence[ExportedResource] | None:
        """The resources in the stack's state that have an id; None if it cannot be read."""
        return None if self._rows is None else resources_in(self._rows)

    @cached_property
    def holders(self) -> Mapping[tuple[Any, ...], ExportedResource]:
        """The kind and the id of each single resource, by the key of the address -> what has it: it, or a group."""
        found: dict[tuple[Any, ...], ExportedResource] = {}
        for one in self.resources or ():
            for kind in (kinds.MEMBER, kinds.PROJECT_GRANT, kinds.TEAM_MEMBER):
                found |= {place_of(kind, ref): one for ref, _ in unfold([one], kind)}
        return found

    def declared(self) -> ProgramDeclaration | None:
        """What the program declares, the resources left alone included; None if it has not said so."""
        return self._declared()

    @cached_property
    def deleted(self) -> frozenset[str] | None:
        """The URNs that the run deletes at most; None if it cannot be known."""
        if self.command is None or self._rows is None or self.command.unclear:
            return None
        return deleted(self._rows, self.command)

    def people(
        self,
        organization: int,
        team_name: Callable[[int], str | None] = lambda team: None,  # noqa: ARG005
    ) -> dict[str, DeclaredPerson] | None:
        """Everybody who has a `Member` that the run deletes at most, by the key of the address; None if unknown.

        If only the command is unclear, that is everybody in the state. A group that a program's run updates may lose
        anybody, though something that stays depends on it.
        """
        command, deleted = self.command, self.deleted
        if command is None or self.resources is None:
            return None
        going = [
            one
            for one in self.resources
            if deleted is None or one.urn in deleted or (one.type in GROUPS and command.updates(one.urn))
        ]
        return declared_people(going, organization, self.resources, team_name)


def place_of(kind: kinds.ResourceKind, ref: ResourceId) -> tuple[Any, ...]:
    """The kind and the id of somebody's single resource, by the key of the address."""
    return (kind.name, *ref.parts[:-1], same_key(ref.person or ""))


def engine_scope(stack: Callable[[], str | None], previewed: Callable[[], Resources | None] = lambda: None) -> Scope:
    """The scope of the run of the engine that has started this process.

    Args:
        stack: the stack that the engine works on, if a program has said so.
        previewed: the rows of its state, if it is previewed and they have been read already.
    """

    def state() -> Resources | None:
        command = engine_command()
        if command is None:
            return None
        rows = previewed()
        return _exported(command, stack() or command.stack) if rows is None else rows

    def declared() -> ProgramDeclaration | None:
        command = engine_command()
        return None if command is None else declaring.read(command)

    return Scope(engine_command, state, declared)


def _exported(command: Command, stack: str | None) -> Resources | None:
    """The resources of the stack, by the engine that runs: the stack that is selected, unless one was named."""
    named = [] if stack is None else ["--stack", stack]
    try:
        document: Mapping[str, Any] = ask(command.program, os.environ, "stack", "export", *named)
        return named_rows(document)
    except (Unreadable, KeyError, TypeError, AttributeError):
        return None


def declared_people(
    going: Iterable[Held], organization: int, state: Iterable[Held], team_name: Callable[[int], str | None]
) -> dict[str, DeclaredPerson]:
    """Everybody who has a `Member` among the resources that go, by the key of the address, and what goes with it.

    Args:
        going: the resources that go.
        organization: the organization's id; what is another one's does not count.
        state: the whole state, which knows the teams that stay too.
        team_name: the name of a team that the state does not have.
    """
    held = list(of_organization(going, organization))
    found = dict(_person(ref, outputs) for ref, outputs in unfold(held, kinds.MEMBER))
    projects: dict[str, list[int]] = {key: [] for key in found}
    teams: dict[str, list[str]] = {key: [] for key in found}
    names = {
        TeamId.parse(one.id).team: name
        for one in of_organization(state, organization)
        if one.type == kinds.TEAM_TYPE and isinstance(name := one.outputs.get("name"), str)
    }
    for grant, _ in unfold(held, kinds.PROJECT_GRANT):
        projects.get(same_key(grant.person or ""), []).append(int(grant.parts[1]))
    for one in held:  # a secret may hide whose they are: anybody's
        group = GROUPS.get(one.type)
        if group is kinds.PROJECT_ACCESS and hides_people(group, one.outputs):
            for going_projects in projects.values():
                going_projects.append(ProjectAccessId.parse(one.id).project)
    for place, _ in unfold(held, kinds.TEAM_MEMBER):
        key, team = same_key(place.person or ""), int(place.parts[1])
        if key in teams and (name := names.get(team) or team_name(team)):
            teams[key].append(name)
    for key, person in found.items():
        person["projects"] = projects[key]
        if teams[key]:
            person["teams"] = teams[key]
    return found


def _person(ref: ResourceId, outputs: Mapping[str, Any]) -> tuple[str, DeclaredPerson]:
    email = ref.person or ""
    person = DeclaredPerson(email=email, removal=WHEN_UNUSED)
    given = {key: value for key in ("role", "removal", "ends") if isinstance(value := outputs.get(key), str)}
    person.update(given)  # type: ignore[typeddict-item]
    if (ours := is_ours(outputs)) is not None:
        person["ownership"] = OURS if ours else FOUND
    return same_key(email), person
