"""`TeamGrant`: one team's role in one project."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Unpack

import pulumi

from mixpanel_access.directory.teams import Teams
from mixpanel_access.model.resources import TeamGrantId
from mixpanel_access.model.rights import Permission
from mixpanel_access.provider import elsewhere
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import Problems, check_right
from mixpanel_access.provider.handler import PROJECT_NAME, Found
from mixpanel_access.provider.holder_grant import HolderGrantHandler
from mixpanel_access.provider.identities import TeamGrantIdentity
from mixpanel_access.provider.policy_outputs import OPEN_TO_ALL, keep_shown_to_all, shown_to_all
from mixpanel_access.provider.properties import Properties, select
from mixpanel_access.provider.resource import AccessResource, Metadata, ProjectRole


class TeamGrantHandler(HolderGrantHandler[TeamGrantId]):
    """What Pulumi's verbs do with a `TeamGrant`; see there."""

    HOLDER: ClassVar[str] = "team"
    FIELD: ClassVar[str] = "team_id"
    PAGE: ClassVar[str] = "Project Settings > Users & Teams"
    ID: ClassVar[type[TeamGrantId]] = TeamGrantId
    INPUTS: ClassVar[tuple[str, ...]] = ("team_id", "project_id", "role", "environment")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = INPUTS
    HINTS: ClassVar[tuple[str, ...]] = (PROJECT_NAME,)
    OUTPUTS: ClassVar[tuple[str, ...]] = (OPEN_TO_ALL,)

    def keep_shown(self, olds: Properties, inputs: Properties) -> None:
        """Keep whether everybody has the project."""
        keep_shown_to_all(olds, inputs)

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge holder, project and role, and show whether everybody has the project anyhow."""
        super().check_live(inputs, problems, olds)
        if not problems:
            inputs |= shown_to_all(self.session, inputs)
            team, project = inputs["team_id"], inputs["project_id"]
            if not olds and self.held(team, project) != inputs["role"]:
                what = f"give team {team} the project {project}"
                check_right(self.session, Permission.ADD_PROJECT_TO_TEAM, what, problems, "team_id")

    def read(self, ref: TeamGrantId, props: Properties) -> Found | None:
        """Read the role, and whether everybody has the project."""
        found = super().read(ref, props)
        if found is None:
            return None
        return found._replace(inputs={**(found.inputs or {}), **select(found.outputs, self.OUTPUTS)})

    def outputs(self, inputs: Properties) -> Properties:
        """With whether everybody has the project."""
        return {**super().outputs(inputs), **shown_to_all(self.session, inputs)}

    @property
    def holders(self) -> Teams:
        """The teams."""
        return self.session.directory.teams

    def identity(self, props: Properties) -> Hashable:
        """The team's role in the project."""
        return TeamGrantIdentity(props.get("team_id"), props.get("project_id"))

    def stacks_that_give(self, ref: TeamGrantId, props: Properties) -> Sequence[str]:
        """The other stacks that give the team a role in the project, as after a move between two rosters."""
        return elsewhere.team_grant(self.session, ref.team, ref.project, props)

    def grant_id(self, project: int, holder: int) -> TeamGrantId:
        """Of a team."""
        return TeamGrantId(self.session.organization, project, holder)

    def absent(self, holder: int) -> str:
        """By its id."""
        return f"no team {holder}"

    def held(self, holder: int, project: int) -> str | None:
        """By the list of teams, which has their projects."""
        team = self.holders.get(holder)
        return team.projects.get(project) if team else None

    seen = held  # the list of teams is there, whatever has gone


class TeamGrantProvider(AccessProvider):
    """The SDK's provider of `TeamGrant`, which states name."""

    HANDLER: ClassVar[type[TeamGrantHandler]] = TeamGrantHandler


class TeamGrant(AccessResource, module="mixpanel", name="TeamGrant"):
    """One team's role in one project: everybody in the team has it.

    A role that is there already is adopted, and another one is changed in place. Deleting the resource takes this role
    away from the team and nothing else.

    Args:
        resource_name: the resource's name in the stack.
        team_id: the team's id: `team_id` of a `Team`.
        project_id: the project's id.
        role: `owner`, `admin`, `analyst`, `consumer`, or a custom role's id.
        environment: the project's environment; must be the stack's (`mixpanel:environment`), which is the default.
        project_name: the project's name: an id is refused if the name is that of another project in Mixpanel. It is not
            kept in the state.
        opts: Pulumi's options.
        metadata: why the access is there; see `Metadata`.
    """

    team_id: pulumi.Output[int]
    project_id: pulumi.Output[int]
    role: pulumi.Output[str]
    environment: pulumi.Output[str | None]
    open_to_all_users: pulumi.Output[bool | None]
    """Whether everybody in the organization has the production project, by a grant to all users; as last read."""

    def __init__(
        self,
        resource_name: str,
        *,
        team_id: pulumi.Input[int],
        project_id: pulumi.Input[int],
        role: pulumi.Input[ProjectRole],
        environment: pulumi.Input[str] | None = None,
        project_name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **metadata: Unpack[Metadata],
    ) -> None:
        props: dict[str, Any] = {
            "team_id": team_id,
            "project_id": project_id,
            "role": role,
            "environment": environment,
            PROJECT_NAME: project_name,
            **metadata,
            **dict.fromkeys(TeamGrantHandler.OUTPUTS),
        }
        super().__init__(TeamGrantProvider(), resource_name, props, opts)
