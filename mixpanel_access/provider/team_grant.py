"""`TeamGrant`: one team's role in one project."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar, Final, Unpack

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource

from mixpanel_access.model import roles
from mixpanel_access.model.errors import NotApplied
from mixpanel_access.model.ids import TeamGrantId
from mixpanel_access.provider.base import (
    GONE,
    AccessProvider,
    Metadata,
    Problems,
    Properties,
    changed,
    inspect_environment,
    inspect_id,
    inspect_project_role,
    inspect_reach,
    known,
    select,
)

_PLACE: Final = ("team_id", "project_id")
"""Inputs whose change means another grant."""


class TeamGrantProvider(AccessProvider):
    """Gives `TeamGrant` its life; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = (*_PLACE, "role", "environment")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = INPUTS

    def whom(self, props: Properties) -> str:
        """The team and the project."""
        return f"team {props.get('team_id')} in project {props.get('project_id')}"

    def subject(self, props: Properties) -> Hashable:
        """The team's role in the project."""
        return "team grant", props.get("team_id"), props.get("project_id")

    def inspect(self, inputs: Properties, problems: Problems) -> None:
        """Judge both ids, the role word, and that the project's environment is the stack's."""
        inspect_id("team_id", "team", inputs, problems)
        inspect_id("project_id", "project", inputs, problems)
        inspect_project_role(inputs, problems)
        inspect_environment(self.session.settings.environment, f"team {inputs.get('team_id')}", inputs, problems)

    def inspect_online(self, inputs: Properties, problems: Problems, olds: Properties) -> None:  # noqa: ARG002
        """Judge team, project and role against the organization and our own role."""
        directory, project, team = self.session.directory, inputs["project_id"], inputs["team_id"]
        if project not in directory.projects():
            problems.add(
                "project_id",
                f"organization {self.session.organization} has no project {project} that the service account sees; "
                f"check the id for the grant to team {team}",
            )
        if directory.teams.of(team) is None:
            problems.add("team_id", f"organization {self.session.organization} has no team {team}")
        own = directory.own_role()
        if own in roles.MANAGING_ROLES and not roles.may_assign_in_project(own, inputs["role"]):
            inspect_reach(f"team {team}", inputs["role"], own, problems)

    def compare(self, olds: Properties, news: Properties) -> DiffResult:
        """Another team or project is another grant; another role is a change in place."""
        replaces = [field for field in _PLACE if known(news.get(field)) and olds.get(field) != news.get(field)]
        return DiffResult(changes=changed(self.INPUTS, olds, news), replaces=replaces)

    def make(self, inputs: Properties) -> CreateResult:
        """Give the role, or adopt the one that is there already."""
        id_ = TeamGrantId(self.session.organization, inputs["project_id"], inputs["team_id"])
        return CreateResult(str(id_), self._ensure(inputs))

    def look(self, id_: str, props: Properties) -> ReadResult:
        """Read the role; a team or project that the organization no longer has takes it along."""
        ref = TeamGrantId.parse(id_)
        self.own_organization(ref.organization, self.whom(props))
        role = self._held(ref.team, ref.project)
        if role is None:
            return GONE
        inputs = {**props, "project_id": ref.project, "team_id": ref.team, "role": role}
        selected = select(inputs, self.all_inputs)
        return ReadResult(id_, selected, selected)

    def change(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Change the role in place."""
        self.own_organization(TeamGrantId.parse(id_).organization, self.whom(news))
        return news if olds.get("role") == news["role"] else self._ensure(news)

    def unmake(self, id_: str, props: Properties) -> None:
        """Take the role away; the team stays, with its people and all that it holds otherwise."""
        ref = TeamGrantId.parse(id_)
        self.own_organization(ref.organization, self.whom(props))
        directory = self.session.directory
        if self._held(ref.team, ref.project) is None or directory.project_is_gone(ref.project):
            return
        directory.teams.remove_grant(ref.team, ref.project)
        if held := self._held(ref.team, ref.project):
            raise NotApplied(
                f"cannot take the role in project {ref.project} away",
                whom=f"team {ref.team}",
                why=f"Mixpanel took the request and still shows the role {held}",
                next_step="Run again; if it stays so, do it in Project Settings > Users & Teams.",
            )

    def _ensure(self, inputs: Properties) -> Properties:
        """Bring the role to the declared one and return the outputs."""
        project, team, role = inputs["project_id"], inputs["team_id"], inputs["role"]
        if self._held(team, project) != role:
            self.session.directory.teams.grant(team, project, role)
        if (held := self._held(team, project)) != role:
            raise NotApplied(
                f"cannot grant {role} in project {project}",
                whom=f"team {team}",
                why=f"Mixpanel took the request and shows {held or 'no role'}",
                next_step="Run again; if it stays so, look at the team in Project Settings > Users & Teams.",
            )
        return select(inputs, self.all_inputs)

    def _held(self, team: int, project: int) -> str | None:
        found = self.session.directory.teams.of(team)
        return found.projects.get(project) if found else None


class TeamGrant(Resource, module="mixpanel", name="TeamGrant"):
    """One team's role in one project: everybody in the team has it.

    A role that is there already is adopted, and another one is changed in place. Deleting the resource takes this role
    away from the team and nothing else.

    Args:
        resource_name: the resource's name in the stack.
        team_id: the team's id: `team_id` of a `Team`.
        project_id: the project's id.
        role: `owner`, `admin`, `analyst`, `consumer`, or a custom role's id.
        environment: the project's environment; must be the stack's (`mixpanel:environment`), which is the default.
        opts: Pulumi's options.
        metadata: why the access is there; see `Metadata`.
    """

    team_id: pulumi.Output[int]
    project_id: pulumi.Output[int]
    role: pulumi.Output[str]
    environment: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        team_id: pulumi.Input[int],
        project_id: pulumi.Input[int],
        role: pulumi.Input[str],
        environment: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **metadata: Unpack[Metadata],
    ) -> None:
        props: dict[str, Any] = {
            "team_id": team_id,
            "project_id": project_id,
            "role": role,
            "environment": environment,
            **metadata,
        }
        super().__init__(TeamGrantProvider(), resource_name, props, opts)
