"""`TeamGrant`: one team's role in one project."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Required, Unpack

import pulumi

from mixpanel_access.directory.teams import Teams
from mixpanel_access.model.resource_ids import TeamGrantId
from mixpanel_access.model.rights import Permission
from mixpanel_access.provider import elsewhere
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import check_right
from mixpanel_access.provider.handler import Problems, Properties
from mixpanel_access.provider.holder_grant import HolderGrantHandler
from mixpanel_access.provider.identities import TeamGrantIdentity
from mixpanel_access.provider.policy_outputs import OPEN_TO_ALL, shown_to_all
from mixpanel_access.provider.resource import AccessResource, InProject, ProjectRole


class TeamGrantHandler(HolderGrantHandler[TeamGrantId]):
    """What Pulumi's verbs do with a `TeamGrant`; see there."""

    HOLDER: ClassVar[str] = "team"
    FIELD: ClassVar[str] = "team_id"
    PAGE: ClassVar[str] = "Project Settings > Users & Teams"
    INPUTS: ClassVar[tuple[str, ...]] = ("team_id", "project_id", "role", "environment")
    REPLACES: ClassVar[tuple[str, ...]] = ("team_id", "project_id")
    OUTPUTS: ClassVar[tuple[str, ...]] = (OPEN_TO_ALL,)
    SHOWN: ClassVar[tuple[str, ...]] = OUTPUTS

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge holder, project and role, and show whether everybody has the project anyhow."""
        super().check_live(inputs, problems, olds)
        if not problems:
            inputs |= shown_to_all(self.session, inputs)
            team, project = inputs["team_id"], inputs["project_id"]
            if not olds and self.held(team, project) != inputs["role"]:
                what = f"give team {team} the project {project}"
                check_right(self.session, Permission.ADD_PROJECT_TO_TEAM, what, problems, "team_id")

    def outputs(self, inputs: Properties) -> Properties:
        return {**super().outputs(inputs), **shown_to_all(self.session, inputs)}

    @property
    def holders(self) -> Teams:
        return self.session.directory.teams

    def identity(self, props: Properties) -> Hashable:
        return TeamGrantIdentity(props.get("team_id"), props.get("project_id"))

    def stacks_that_give(self, ref: TeamGrantId, props: Properties) -> Sequence[str]:
        return elsewhere.team_grant(self.session, ref.team, ref.project, props)

    def held(self, holder: int, project: int) -> str | None:
        """By the list of teams, which has their projects."""
        team = self.holders.get(holder)
        return team.projects.get(project) if team else None

    seen = held  # the list of teams is there, whatever has gone


class TeamGrantProvider(AccessProvider):
    """The SDK's provider of `TeamGrant`, which states name."""

    HANDLER = TeamGrantHandler


class TeamGrantInputs(InProject, total=False):
    """The inputs of a `TeamGrant`."""

    team_id: Required[pulumi.Input[int]]
    """The team's id: `team_id` of a `Team`."""
    role: Required[pulumi.Input[ProjectRole]]
    """`owner`, `admin`, `analyst`, `consumer`, or a custom role's id."""


class TeamGrant(AccessResource, module="mixpanel", name="TeamGrant"):
    """One team's role in one project: everybody in the team has it.

    A role that is there already is adopted, and another one is changed in place. Deleting the resource takes this role
    away from the team and nothing else.
    """

    team_id: pulumi.Output[int]
    project_id: pulumi.Output[int]
    role: pulumi.Output[str]
    environment: pulumi.Output[str | None]
    open_to_all_users: pulumi.Output[bool | None]
    """Whether everybody in the organization has the production project, by a grant to all users; as last read."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[TeamGrantInputs]
    ) -> None:
        super().__init__(TeamGrantProvider(), resource_name, opts, inputs)
