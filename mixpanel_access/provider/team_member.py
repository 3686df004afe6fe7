"""`TeamMember`: one person in one team."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Final, Required, Unpack

import pulumi

from mixpanel_access.directory.snapshot import IN_USERS
from mixpanel_access.model import roles
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import InputError, Invalid, NotFound
from mixpanel_access.model.resource_ids import TeamMemberId
from mixpanel_access.model.rights import Permission
from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.provider import elsewhere, vanished
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import check_email, check_id, check_right
from mixpanel_access.provider.handler import Created, Found, Handler, Problems, Properties, select
from mixpanel_access.provider.identities import TeamMemberIdentity
from mixpanel_access.provider.policy_outputs import TEAM_OUTPUTS, shown_roles
from mixpanel_access.provider.resource import AccessResource, Metadata
from mixpanel_access.provider.taking import Taken, is_unread

MEMBER: Final = "member"
WAITING: Final = "waiting"
LEFT_TO_SCIM: Final = "left_to_scim"


class TeamMemberHandler(Handler[TeamMemberId]):
    """What Pulumi's verbs do with a `TeamMember`; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = ("team_id", "email")
    REPLACES: ClassVar[tuple[str, ...]] = ("email", "team_id")
    OUTPUTS: ClassVar[tuple[str, ...]] = ("status", *TEAM_OUTPUTS)
    SHOWN: ClassVar[tuple[str, ...]] = TEAM_OUTPUTS

    def identity(self, props: Properties) -> Hashable:
        return TeamMemberIdentity(props.get("team_id"), same_key(str(props.get("email", ""))))

    def stacks_that_give(self, ref: TeamMemberId, props: Properties) -> Sequence[str]:
        return elsewhere.team_place(self.session, ref.team, ref.email, props)

    def check(self, inputs: Properties, problems: Problems) -> None:
        check_id("team_id", "team", inputs, problems)
        check_email(inputs, problems)

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge the team, and an organization role that it gives, against our own.

        Whether the person is in the organization is not asked: at preview, a new one is not yet.
        """
        directory = self.session.directory
        team, own = directory.teams.get(inputs["team_id"]), directory.own_role()
        inputs |= shown_roles(team)
        if team is None:
            problems.add("team_id", f"organization {self.session.organization} has no team {inputs['team_id']}")
        elif team.organization_role and own is not None and not roles.may_assign(own, team.organization_role):
            problems.add(
                "team_id",
                f"the team {team.name} makes everybody in it organization {team.organization_role}, which this service "
                f"account, whose own organization role is {own!r}, cannot give to {inputs['email']}",
            )
        elif not (
            olds or directory.teams.is_member(team, inputs["email"]) or directory.provisioning.handles(inputs["email"])
        ):
            what = f"put {inputs['email']} into the team {team.name}"
            check_right(self.session, Permission.ADD_MEMBER_TO_TEAM, what, problems, "team_id")

    def diff(self, olds: Properties, news: Properties) -> bool:
        """People who waited, and have accepted the invitation by now, can join."""
        return super().diff(olds, news) or self._is_ours_now(olds)

    def create(self, inputs: Properties) -> Created:
        """Put the person into the team, or adopt the membership that is there already."""
        id_ = TeamMemberId(self.session.organization, inputs["team_id"], inputs["email"])
        return Created(id_, self._ensure(inputs))

    def read(self, ref: TeamMemberId, props: Properties) -> Found | None:
        """Read whether the person is in the team; where Mixpanel does not show it, the state counts."""
        directory = self.session.directory
        team = directory.teams.get(ref.team)
        if team is None or directory.person(ref.email) is None:
            return None
        inside = directory.teams.is_member(team, directory.spelled(ref.email))
        status, left = props.get("status"), self._is_left(team)
        if inside is False and status != WAITING and not left:
            return None
        # An answer that says nothing puts nobody in.
        unknown = status if status in {WAITING, LEFT_TO_SCIM} else MEMBER
        now = LEFT_TO_SCIM if left else MEMBER if inside else WAITING if inside is False else unknown
        return self.found(self._outputs({"email": ref.email, **props, "team_id": ref.team}, now))

    def update(self, ref: TeamMemberId, olds: Properties, news: Properties) -> Properties:
        """Put somebody in who could not join before; else only the metadata changes."""
        if is_unread(olds) or self._is_ours_now(olds):
            return self._ensure(news)
        return self.unchanged(olds, news)

    def delete(self, ref: TeamMemberId, props: Properties) -> None:
        """Take the person out of the team; they stay in the organization, with all that they hold otherwise."""
        directory = self.session.directory
        team = directory.teams.get(ref.team)
        if team is None:
            return
        person = directory.person(ref.email)
        email = person.email if person else ref.email
        inside, waits = directory.teams.is_member(team, email), props.get("status") == WAITING
        if person is None:  # the list of people may lack somebody: the team tells
            if not inside:
                vanished.hold(self.session, ref.email, props)
                return
            vanished.note_listed(self.session, ref.email)
        if inside is False and not waits:
            return  # who waits may be in, and not listed
        if self._is_left(team):
            self.session.say(f"{ref.email} stays in the team {team.name}: an identity provider says who is in it")
            return
        with self.taking(deletes=True) as taken:
            try:
                directory.teams.remove_member(ref.team, email)
                taken.add(f"take {ref.email} out of the team {team.name}")
            except NotFound:
                if not (waits and person and person.invited):  # Mixpanel did not take them in
                    raise
            after = directory.teams.get(ref.team)
            if after is not None and directory.teams.is_member(after, email):
                what = f"take out of the team {team.name}"
                raise self.not_applied(what, ref.email, "still lists the person in it", IN_USERS)

    def _ensure(self, inputs: Properties) -> Properties:
        """Have the person be in the team, as far as that is ours to say, and return the outputs."""
        directory, email = self.session.directory, inputs["email"]
        team, person = directory.teams.get(inputs["team_id"]), directory.person(email)
        if team is not None and person is None and same_key(email) in self.session.waiting:
            words = (
                f"people who wait for an invitation join the team {team.name} by the first `pulumi up` after accepting"
            )
            self.session.say_once(("waiting", team.id), words)
            return self._outputs(inputs, WAITING)
        if team is not None and person is None and self._has_member(email):
            self.session.say(
                f"{email} is in the state and no longer in the organization: `pulumi up --refresh` invites them again, "
                f"and they join the team {team.name} by the first `pulumi up` after accepting the invitation"
            )
            return self._outputs(inputs, WAITING)
        if team is None or person is None:
            raise InputError(
                f"cannot add to team {inputs['team_id']}",
                subject=email,
                why="the person is not in the organization" if team else "the organization does not have this team",
                next_step="Declare a Member for them, and have this depend on it." if team else "Check the id.",
            )
        if self._is_left(team):
            inside = {True: "is in it", False: "is not in it", None: "may be in it"}[team.is_member(person.email)]
            self.session.say(
                f"{email} is left to the identity provider that feeds the team {team.name}: the person {inside}"
            )
            return self._outputs(inputs, LEFT_TO_SCIM)
        with self.taking(TeamMemberId(self.session.organization, team.id, email)) as taken:
            if self.let_in(email):
                taken.add(f"let {email} in by SCIM")
            return self._put_in(inputs, team, directory.person(email) or person, taken)

    def _put_in(self, inputs: Properties, team: TeamInfo, person: Person, taken: Taken) -> Properties:
        """Have a person of the organization be in a team that is ours to fill, and return the outputs."""
        teams, email = self.session.directory.teams, inputs["email"]
        inside = bool(teams.is_member(team, person.email))
        if not inside and (inside := self._join(team, person, person.email)):
            status = WAITING if person.invited else MEMBER
            taken.add(f"add {email} to the team {team.name}", self._outputs(inputs, status, team))
        after = teams.get(team.id)
        inside_now = teams.is_member(after, person.email) if after else False
        if person.invited and not inside_now and (inside_now is False or not inside):
            self.session.say(
                f"{email} joins the team {team.name} by the first `pulumi up` after accepting the invitation"
            )
            return self._outputs(inputs, WAITING)
        if inside_now is False:
            raise self.not_applied(f"add to the team {team.name}", email, "does not list the person in it", IN_USERS)
        return self._outputs(inputs, MEMBER)

    def _join(self, team: TeamInfo, person: Person, email: str) -> bool:
        """Put the person into the team, and tell whether Mixpanel took them: it may refuse who is only invited."""
        try:
            self.session.directory.teams.add_member(team.id, email)
        except (NotFound, Invalid):
            if not person.invited:
                raise
            return False
        if team.organization_role:
            self.session.say(f"{email} becomes organization {team.organization_role} through the team {team.name}")
        return True

    def _has_member(self, email: str) -> bool:
        """Whether the stack has a `Member` for the person, so that it invites them again after a refresh."""
        return self.session.states.own_member(self.session.organization, same_key(email)) is not None

    def _is_left(self, team: TeamInfo) -> bool:
        """Whether an identity provider says who is in the team, and not we."""
        return self.session.directory.teams.fed_by_others(team)

    def _is_ours_now(self, olds: Properties) -> bool:
        """Whether who waited has accepted the invitation, or who was left to an identity provider is so no longer."""
        directory, status = self.session.directory, olds.get("status")
        if self.session.takes_only:
            return False
        if status == LEFT_TO_SCIM:
            team = directory.teams.get(olds["team_id"])
            return team is not None and not self._is_left(team)
        person = directory.person(str(olds["email"])) if status == WAITING else None
        return person is not None and not person.invited

    def _outputs(self, inputs: Properties, status: str, team: TeamInfo | None = None) -> Properties:
        team = team or self.session.directory.teams.get(inputs["team_id"])
        return {**select(inputs, self.all_inputs), "status": status, **shown_roles(team)}


class TeamMemberProvider(AccessProvider):
    """The SDK's provider of `TeamMember`, which states name."""

    HANDLER = TeamMemberHandler


class TeamMemberInputs(Metadata, total=False):
    """The inputs of a `TeamMember`."""

    team_id: Required[pulumi.Input[int]]
    """The team's id: `team_id` of a `Team`."""
    email: Required[pulumi.Input[str]]
    """The address; the person must be in the organization, so make the resource depend on a `Member`."""


class TeamMember(AccessResource, module="mixpanel", name="TeamMember"):
    """One person in one team, with the roles that the team has.

    It adopts somebody who is in the team already. Deleting the resource takes the person out of the team and nothing
    else. In SCIM mode, people of claimed domains come and go by SCIM. Without a token, nobody is put into a team that
    an identity provider feeds by it, or taken out: the resource says so, and it is not drift.
    """

    team_id: pulumi.Output[int]
    email: pulumi.Output[str]
    status: pulumi.Output[str]
    """`member`; `waiting` for the person to accept the invitation, if Mixpanel adds nobody before, or for `pulumi up
    --refresh` to invite somebody again who was removed by hand; `left_to_scim`."""
    team_projects: pulumi.Output[dict[str, str]]
    """Project id -> the role that everybody in the team has there, whichever stack gave it; as of the last refresh."""
    organization_role: pulumi.Output[str | None]
    """The organization role that everybody in the team has, if any."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[TeamMemberInputs]
    ) -> None:
        super().__init__(TeamMemberProvider(), resource_name, opts, inputs)
