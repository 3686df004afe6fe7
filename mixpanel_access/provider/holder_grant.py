"""One role in one project, of a holder that has an id of its own: what service accounts and teams have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Protocol, TypeVar

from mixpanel_access.model.resource_ids import HolderGrantId
from mixpanel_access.provider.checks import (
    check_environment,
    check_id,
    check_project,
    check_project_reach,
    check_project_role,
)
from mixpanel_access.provider.handler import Created, Found, Handler, Problems, Properties, select
from mixpanel_access.provider.taking import is_unread

Ref = TypeVar("Ref", bound=HolderGrantId)


class HolderRoles(Protocol):
    """The holders of an organization, and the writes of their roles."""

    def get(self, id_: int, /) -> object | None:
        """The one of this id; None where there is none."""

    def grant(self, id_: int, project: int, role: str, /) -> None:
        """Give a role in a project, or another one."""

    def remove_grant(self, id_: int, project: int, /) -> None:
        """Take the role in a project away."""


class HolderGrantHandler(Handler[Ref]):
    """The base of the providers whose resource is such a role."""

    HOLDER: ClassVar[str]
    """What the holder is."""
    FIELD: ClassVar[str]
    """The input with its id."""
    PAGE: ClassVar[str]
    """Where in Mixpanel one sees its role."""

    # What subclasses say

    @property
    @abstractmethod
    def holders(self) -> HolderRoles:
        """Those of the organization."""

    @abstractmethod
    def held(self, holder: int, project: int) -> str | None:
        """The role; None for none. The project is there."""

    @abstractmethod
    def seen(self, holder: int, project: int) -> str | None:
        """The role; None for none, or for a holder or a project that the organization no longer has."""

    def grant_id(self, project: int, holder: int) -> Ref:
        """The id of the resource for a holder in a project."""
        return self.parse(f"{self.session.organization}:{project}:{holder}")

    def outputs(self, inputs: Properties) -> Properties:
        """The outputs of a role that is there."""
        return select(inputs, self.all_inputs)

    # The life of the resource

    def label(self, props: Properties) -> str:
        return f"{self.HOLDER} {props.get(self.FIELD)} in project {props.get('project_id')}"

    def check(self, inputs: Properties, problems: Problems) -> None:
        check_id(self.FIELD, self.HOLDER, inputs, problems)
        check_id("project_id", "project", inputs, problems)
        check_project_role(inputs, problems)
        label = f"{self.HOLDER} {inputs.get(self.FIELD)}"
        check_environment(self.session.settings.environment, label, inputs, problems)

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        holder = inputs[self.FIELD]
        label = f"{self.HOLDER} {holder}"
        check_project(self.session, inputs["project_id"], problems, f" for the grant to {label}")
        if self.holders.get(holder) is None:
            problems.add(self.FIELD, f"organization {self.session.organization} has no {label}")
        check_project_reach(self.session, label, inputs["role"], problems)

    def create(self, inputs: Properties) -> Created:
        ref = self.grant_id(inputs["project_id"], inputs[self.FIELD])
        return Created(ref, self._ensure(inputs))

    def read(self, ref: Ref, props: Properties) -> Found | None:
        """Read the role; a holder or project that the organization no longer has takes it along."""
        holder, project = ref.holder, ref.project
        role = self.seen(holder, project)
        if role is None:
            return None
        inputs = {**props, "project_id": project, self.FIELD: holder, "role": role}
        return self.found(self.outputs(inputs))

    def update(self, ref: Ref, olds: Properties, news: Properties) -> Properties:
        if olds.get("role") == news["role"] and not is_unread(olds):
            return self.unchanged(olds, news)
        return self._ensure(news)

    def delete(self, ref: Ref, props: Properties) -> None:
        """Take the role away; the holder stays, with all that it has otherwise."""
        holder, project = ref.holder, ref.project
        if self.seen(holder, project) is None or self.session.directory.project_is_gone(project):
            return
        label = f"{self.HOLDER} {holder}"
        with self.taking(deletes=True) as taken:
            self.holders.remove_grant(holder, project)
            taken.add(f"take the role in project {project} from {label}")
            if held := self.held(holder, project):
                what = f"take the role in project {project} away"
                raise self.not_applied(what, label, f"still shows the role {held}", self.PAGE)

    def _ensure(self, inputs: Properties) -> Properties:
        """Bring the role to the declared one and return the outputs."""
        project, holder, role = inputs["project_id"], inputs[self.FIELD], inputs["role"]
        if self.held(holder, project) == role:
            return self.outputs(inputs)
        what, label = f"grant {role} in project {project}", f"{self.HOLDER} {holder}"
        with self.taking(self.grant_id(project, holder)) as taken:
            self.holders.grant(holder, project, role)
            taken.add(f"{what} to {label}", select(inputs, self.all_inputs))
            held = self.held(holder, project)
            if held != role:
                raise self.not_applied(what, label, f"shows {held or 'no role'}", self.PAGE)
            return self.outputs(inputs)
