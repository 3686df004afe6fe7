"""`TeamMembers`: many people in one team as one resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Required, Unpack

import pulumi

from mixpanel_access.model.resource_ids import TeamMembersId
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import check_id
from mixpanel_access.provider.group_handler import GroupHandler
from mixpanel_access.provider.group_lifecycle import GroupLifecycle
from mixpanel_access.provider.handler import Created, Found, Problems, Properties
from mixpanel_access.provider.lifecycle import Lifecycle
from mixpanel_access.provider.policy_outputs import TEAM_OUTPUTS
from mixpanel_access.provider.resource import AccessResource, Metadata
from mixpanel_access.provider.team_member import TeamMemberHandler


class TeamMembersHandler(GroupHandler[TeamMembersId]):
    """What Pulumi's verbs do with a `TeamMembers`; see there."""

    SINGLE: ClassVar[type[TeamMemberHandler]] = TeamMemberHandler
    INPUTS: ClassVar[tuple[str, ...]] = ("team_id", "people", "reasons")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ("team_id", "people")
    REPLACES: ClassVar[tuple[str, ...]] = ("team_id",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("members", *TEAM_OUTPUTS)
    SHOWN: ClassVar[tuple[str, ...]] = TEAM_OUTPUTS
    PEOPLE_TYPE: ClassVar[type] = list
    PEOPLE_WORDS: ClassVar[str] = "a list of addresses"

    def label(self, props: Properties) -> str:
        return f"the members of team {props['team_id']}" if "team_id" in props else "the members of a team"

    def listed(self, people: Any) -> list[tuple[Any, Any]]:
        return [(email, {}) for email in people]

    def check_place(self, inputs: Properties, problems: Problems) -> None:
        check_id("team_id", "team", inputs, problems)

    def compared(self, olds: Properties, news: Properties) -> Properties:
        """The order of the people does not count."""
        olds, people = super().compared(olds, news), news.get("people")
        same = isinstance(people, list) and sorted(map(str, olds.get("people") or ())) == sorted(map(str, people))
        return {**olds, "people": people} if same else olds

    def packed(self, people: dict[str, Properties]) -> Any:
        return list(people)

    def create(self, inputs: Properties) -> Created:
        ref = TeamMembersId(self.session.organization, inputs["team_id"])
        return Created(ref, self.change(ref, {}, inputs))

    def read(self, ref: TeamMembersId, props: Properties) -> Found | None:
        """Read who is in the team; a team that the organization no longer has takes its members along."""
        return super().read(ref, {**props, "team_id": ref.team}) if self.session.directory.teams.get(ref.team) else None

    def not_read(self, ref: TeamMembersId) -> Properties:
        """Everybody whom Mixpanel shows in the team."""
        teams = self.session.directory.teams
        team, people = teams.get(ref.team), self.session.directory.people().values()
        return {"people": [one.email for one in people if team is not None and teams.is_member(team, one.email)]}


class TeamMembersProvider(AccessProvider):
    """The SDK's provider of `TeamMembers`, which states name."""

    HANDLER = TeamMembersHandler
    LIFECYCLE: ClassVar[type[Lifecycle]] = GroupLifecycle


class TeamMembersInputs(Metadata, total=False):
    """The inputs of a `TeamMembers`."""

    team_id: Required[pulumi.Input[int]]
    """The team's id: `team_id` of a `Team`."""
    people: Required[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """The addresses; the people must be in the organization, so make the resource depend on a `Members`. None of them
    can be a secret."""
    reasons: pulumi.Input[Sequence[Mapping[str, Any]] | None]
    """The metadata of some of the people, if it differs from that of the resource: a list of entries with `people`
    (addresses) and any of the metadata."""


class TeamMembers(AccessResource, module="mixpanel", name="TeamMembers"):
    """Many people in one team as one resource, with the roles that the team has.

    What a `TeamMember` does, it does for each of them; what fails for one stops nobody else. People in the team who are
    not declared are left alone. A person has a `TeamMember` for a team or is in one `TeamMembers` of it; both are
    refused. It needs the server of mixpanel-access.
    """

    team_id: pulumi.Output[int]
    people: pulumi.Output[list[str]]
    """The declared people whom Mixpanel shows in the team, or who wait to join it."""
    reasons: pulumi.Output[list[dict[str, Any]] | None]
    members: pulumi.Output[dict[str, Any]]
    """Address -> `status`, as of a `TeamMember`."""
    team_projects: pulumi.Output[dict[str, str]]
    """Project id -> the role that everybody in the team has there, whichever stack gave it; as of the last refresh."""
    organization_role: pulumi.Output[str | None]
    """The organization role that everybody in the team has, if any."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[TeamMembersInputs]
    ) -> None:
        super().__init__(TeamMembersProvider(), resource_name, opts, inputs)
