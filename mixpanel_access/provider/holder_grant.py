"""One role in one project, of a holder that has an id of its own: what service accounts and teams have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Protocol

from pulumi.dynamic import CreateResult, DiffResult, ReadResult

from mixpanel_access.model.ids import ServiceAccountGrantId, TeamGrantId
from mixpanel_access.provider.base import (
    GONE,
    AccessProvider,
    Problems,
    Properties,
    changed,
    inspect_environment,
    inspect_id,
    inspect_project_role,
    known,
    select,
)


class Holders(Protocol):
    """The holders of an organization, and the writes of their roles."""

    def get(self, id_: int, /) -> object | None:
        """The one of this id; None where there is none."""

    def grant(self, id_: int, project: int, role: str, /) -> None:
        """Give a role in a project, or another one."""

    def remove_grant(self, id_: int, project: int, /) -> None:
        """Take the role in a project away."""


class HolderGrantProvider(AccessProvider):
    """The base of the providers whose resource is such a role."""

    HOLDER: ClassVar[str]
    """What the holder is."""
    FIELD: ClassVar[str]
    """The input with its id."""
    PAGE: ClassVar[str]
    """Where in Mixpanel one sees its role."""
    ID: ClassVar[type[ServiceAccountGrantId | TeamGrantId]]
    """The resource's id: organization, project, holder."""
    OUTPUTS: ClassVar[tuple[str, ...]] = ()
    """The outputs that are no inputs."""

    # What subclasses say

    @property
    @abstractmethod
    def holders(self) -> Holders:
        """Those of the organization."""

    @abstractmethod
    def absent(self, holder: int) -> str:
        """That the organization has no such holder, in words."""

    @abstractmethod
    def held(self, holder: int, project: int) -> str | None:
        """The role; None for none. The project is there."""

    @abstractmethod
    def seen(self, holder: int, project: int) -> str | None:
        """The role; None for none, or for a holder or a project that the organization no longer has."""

    def outputs(self, inputs: Properties) -> Properties:
        """The outputs of a role that is there."""
        return select(inputs, self.all_inputs)

    # The life of the resource

    def whom(self, props: Properties) -> str:
        """The holder and the project."""
        return f"{self.HOLDER} {props.get(self.FIELD)} in project {props.get('project_id')}"

    def inspect(self, inputs: Properties, problems: Problems) -> None:
        """Judge both ids, the role word, and that the project's environment is the stack's."""
        inspect_id(self.FIELD, self.HOLDER, inputs, problems)
        inspect_id("project_id", "project", inputs, problems)
        inspect_project_role(inputs, problems)
        whom = f"{self.HOLDER} {inputs.get(self.FIELD)}"
        inspect_environment(self.session.settings.environment, whom, inputs, problems)

    def inspect_online(self, inputs: Properties, problems: Problems, olds: Properties) -> None:  # noqa: ARG002
        """Judge holder, project and role against the organization and our own role."""
        holder = inputs[self.FIELD]
        whom = f"{self.HOLDER} {holder}"
        self.inspect_project(inputs["project_id"], problems, f" for the grant to {whom}")
        if self.holders.get(holder) is None:
            problems.add(self.FIELD, f"organization {self.session.organization} has {self.absent(holder)}")
        self.inspect_project_reach(whom, inputs["role"], problems)

    def compare(self, olds: Properties, news: Properties) -> DiffResult:
        """Another holder or project is another grant; another role is a change in place."""
        place = (self.FIELD, "project_id")
        replaces = [field for field in place if known(news.get(field)) and olds.get(field) != news.get(field)]
        return DiffResult(changes=changed(self.INPUTS, olds, news), replaces=replaces)

    def make(self, inputs: Properties) -> CreateResult:
        """Give the role, or adopt the one that is there already."""
        id_ = self.ID(self.session.organization, inputs["project_id"], inputs[self.FIELD])
        return CreateResult(str(id_), self._ensure(inputs))

    def look(self, id_: str, props: Properties) -> ReadResult:
        """Read the role; a holder or project that the organization no longer has takes it along."""
        holder, project = self._place(id_, props)
        role = self.seen(holder, project)
        if role is None:
            return GONE
        inputs = {**props, "project_id": project, self.FIELD: holder, "role": role}
        return ReadResult(id_, self.outputs(inputs), select(inputs, self.all_inputs))

    def change(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Change the role in place."""
        self._place(id_, news)
        if olds.get("role") == news["role"]:
            return {**select(olds, self.OUTPUTS), **select(news, self.all_inputs)}
        return self._ensure(news)

    def unmake(self, id_: str, props: Properties) -> None:
        """Take the role away; the holder stays, with all that it has otherwise."""
        holder, project = self._place(id_, props)
        if self.seen(holder, project) is None or self.session.directory.project_is_gone(project):
            return
        self.holders.remove_grant(holder, project)
        if held := self.held(holder, project):
            what, whom = f"take the role in project {project} away", f"{self.HOLDER} {holder}"
            raise self.not_shown(what, whom, f"still shows the role {held}", self.PAGE)

    def _place(self, id_: str, props: Properties) -> tuple[int, int]:
        """Holder and project of a resource's id, which is of our organization."""
        ref = self.ID.parse(id_)
        self.own_organization(ref.organization, self.whom(props))
        return (ref.team if isinstance(ref, TeamGrantId) else ref.account), ref.project

    def _ensure(self, inputs: Properties) -> Properties:
        """Bring the role to the declared one and return the outputs."""
        project, holder, role = inputs["project_id"], inputs[self.FIELD], inputs["role"]
        if self.held(holder, project) != role:
            self.holders.grant(holder, project, role)
        if (held := self.held(holder, project)) != role:
            what, whom = f"grant {role} in project {project}", f"{self.HOLDER} {holder}"
            raise self.not_shown(what, whom, f"shows {held or 'no role'}", self.PAGE)
        return self.outputs(inputs)
