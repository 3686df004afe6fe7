"""`Team`: one team of the organization."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Final, Required, Unpack

import pulumi

from mixpanel_access.directory.snapshot import IN_USERS
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import NotApplied
from mixpanel_access.model.ownership import REMOVALS, WHEN_UNUSED
from mixpanel_access.model.resource_ids import TeamId
from mixpanel_access.model.rights import Permission
from mixpanel_access.model.similarity import in_words
from mixpanel_access.model.teams import TeamInfo as MixpanelTeam
from mixpanel_access.model.teams import problem_with_team_name, what_it_gives, why_accounts_keep_it, why_it_stays
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.checks import check_right
from mixpanel_access.provider.handler import Created, Found, Problems, Properties, known, select
from mixpanel_access.provider.identities import TeamIdentity
from mixpanel_access.provider.named import NamedHandler
from mixpanel_access.provider.policy_outputs import TEAM_OUTPUTS, shown_roles
from mixpanel_access.provider.renames import Named, temporary
from mixpanel_access.provider.resource import AccessResource, Metadata
from mixpanel_access.provider.taking import Taken, is_unread

TEAMS: Final = "teams"
"""The space of their names."""


class TeamHandler(NamedHandler[TeamId]):
    """What Pulumi's verbs do with a `Team`; see there."""

    KIND: ClassVar[str] = "team"
    INPUTS: ClassVar[tuple[str, ...]] = ("name", "removal")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ("name",)
    OUTPUTS: ClassVar[tuple[str, ...]] = ("team_id", "adopted", "scim_managed", *TEAM_OUTPUTS)
    SHOWN: ClassVar[tuple[str, ...]] = TEAM_OUTPUTS

    def objects(self, props: Properties) -> Named:  # the same for all teams
        teams = self.session.directory.teams
        return Named(TEAMS, lambda: {id_: team.name for id_, team in teams.all().items()})

    def label(self, props: Properties) -> str:
        return f"team {props.get('name')}"

    def identity(self, props: Properties) -> Hashable:
        return TeamIdentity(same_key(str(props.get("name", ""))))

    def check(self, inputs: Properties, problems: Problems) -> None:
        name = inputs.get("name")
        if known(name) and (reason := problem_with_team_name(name)):
            problems.add("name", reason)
        removal = inputs.setdefault("removal", WHEN_UNUSED)
        if known(removal) and removal not in REMOVALS:
            problems.add("removal", f"{removal!r} is not a choice; there are {', '.join(REMOVALS)}")

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Judge that the name is free, or that its team can be adopted under this name."""
        teams, name = self.session.directory.teams, inputs["name"]
        before = teams.by_name(str(olds["name"])) if known(olds.get("name")) and olds.get("name") else None
        team = before or teams.by_name(name)
        inputs |= shown_roles(team)
        if team and team.scim_managed and team.name != name and (teams.fed_by_others(team) or before is None):
            problems.add(
                "name",
                f"{name!r} is not what the identity provider that feeds the team {team.name} calls it; declare it by "
                f"the name {team.name!r}",
            )
            return
        if team is None:
            check_right(self.session, Permission.CREATE_TEAM, f"create the team {name}", problems, "name")
        self.check_name(inputs, olds, problems)

    def create(self, inputs: Properties) -> Created:
        teams, renames, name = self.session.directory.teams, self.session.renames, inputs["name"]
        with renames.one_at_a_time(), self.taking() as taken:
            there = teams.by_name(name)
            waits = there is not None and self.is_anothers(inputs, there.id)
            team, new = teams.create(temporary(name) if waits else name, lambda: taken.add(f"make the team {name}"))
            adopted = not new and not waits
            renames.made(self.identity(inputs), self.label(inputs), TEAMS, team.id, name, adopted=adopted)
            if adopted:
                adopted = self._found(team)
            taken.ref = TeamId(self.session.organization, team.id)
            taken.outputs = self._outputs({**inputs, "name": team.name}, team, {"adopted": adopted})
            return Created(taken.ref, self._ensure(inputs, team, taken, adopted=adopted))

    def _found(self, team: MixpanelTeam) -> bool:
        """Whether no stack of the project made a team that is there; says what is adopted."""
        left = self.session.handed_over.get(self.identity({"name": team.name}))
        before = [left] if left and left.get("team_id") == team.id else []
        states = self.session.states
        own = [one.outputs for one in self.resources_of(states.own() or (), team.id, TEAMS)]
        if not (before or own):
            fed = "; an identity provider says who is in it" if self.session.directory.teams.fed_by_others(team) else ""
            self.session.say(
                f"the team {team.name} is there already and is adopted: it gives {what_it_gives(team)}{fed}"
            )
        theirs = [
            one.outputs for held in states.all().stacks.values() for one in self.resources_of(held, team.id, TEAMS)
        ]
        return all(outputs.get("adopted", True) for outputs in (*before, *own, *theirs))

    def read(self, ref: TeamId, props: Properties) -> Found | None:
        team = self.session.directory.teams.get(ref.team)
        if team is None:
            return None
        return self.found(self._outputs({"removal": WHEN_UNUSED, **props, "name": team.name}, team, props))

    def update(self, ref: TeamId, olds: Properties, news: Properties) -> Properties:
        if olds.get("name") == news["name"] and not is_unread(olds):
            return self.unchanged(olds, news)
        team = self.session.directory.teams.get(ref.team)
        if team is None:
            next_step = "Run `pulumi refresh`, then run again to create it."
            label = f"team {news['name']}"
            raise NotApplied("cannot name a team", subject=label, why="it is no longer there", next_step=next_step)
        with self.taking(ref) as taken:
            return self._ensure(news, team, taken, adopted=bool(olds.get("adopted", True)))

    def delete(self, ref: TeamId, props: Properties) -> None:
        """Delete the team, unless `removal`, an identity provider or what hangs on it says that it stays."""
        teams = self.session.directory.teams
        teams.forget()  # decide on what is so now
        team = teams.get(ref.team)
        if team is None:
            return
        removal = props.get("removal", WHEN_UNUSED)
        adopted, fed = bool(props.get("adopted", True)), teams.fed_by_others(team)
        stays = why_it_stays(removal, team, adopted=adopted, fed=fed)
        if not stays and removal == WHEN_UNUSED:
            stays = why_accounts_keep_it(teams.service_accounts_of(team.id)) or self._why_others_keep_it(team)
        if stays:
            self.session.say(f"the team {team.name} stays (removal: {removal}): {'; '.join(stays)}")
            return
        unknown = "whoever is in it, which Mixpanel does not show"
        if who := unknown if team.members is None else ", ".join(sorted(team.members)):
            self.session.say(f"the team {team.name} is deleted: {what_it_gives(team)} goes for {who}")
        with self.taking(deletes=True) as taken:
            teams.delete(team.id)
            taken.add(f"delete the team {team.name}")
            if teams.get(ref.team) is not None:
                raise self.not_applied("delete", f"team {team.name}", "still lists the team", IN_USERS)
        self.session.renames.free(self.objects(props), team.name)

    def _why_others_keep_it(self, team: MixpanelTeam) -> list[str]:
        """Why a team that nobody uses is kept all the same: another stack of the project has it."""
        states = self.session.states
        others = self.stacks_with(states.others(), team.id, TEAMS)
        # Where nobody says which stack this is, as at a destroy, one of them is it.
        others = others if states.own() is not None or len(others) > 1 else []
        return [f"it is declared in stack {in_words(others)} too"] if others else []

    def _ensure(self, inputs: Properties, team: MixpanelTeam, taken: Taken, *, adopted: bool) -> Properties:
        """Bring the name to the declared one, or as near as it can be, and return the outputs."""
        teams, name = self.session.directory.teams, inputs["name"]

        def send(free: str) -> None:
            teams.rename(team.id, free)
            taken.add(f"rename the team {team.name} to {free}")

        waits = team.name != name and self.give_name(team.id, inputs, send)
        after = teams.get(team.id)
        if after is None or (after.name != name and not waits):
            shows = f"shows {after.name if after else 'no such team'}"
            raise self.not_applied("name a team", f"team {name}", shows, IN_USERS)
        return self._outputs({**inputs, "name": after.name}, after, {"adopted": adopted})

    def _outputs(self, inputs: Properties, team: MixpanelTeam, history: Properties) -> Properties:
        outputs = select(inputs, self.all_inputs)
        outputs |= {
            "team_id": team.id,
            "adopted": bool(history.get("adopted", True)),
            "scim_managed": self.session.directory.teams.fed_by_others(team),
        }
        return {**outputs, **shown_roles(team)}


class TeamProvider(AccessProvider):
    """The SDK's provider of `Team`, which states name."""

    HANDLER = TeamHandler


class TeamInputs(Metadata, total=False):
    """The inputs of a `Team`."""

    name: Required[pulumi.Input[str]]
    """The team's name; no other team may have it, in any case."""
    removal: pulumi.Input[str]
    """What happens to the team when the resource is deleted. `when_unused` (the default) deletes it only if the
    project's stacks created it, no other stack has it, and it has no person, role or service account that this stack
    does not declare. `always` deletes it and says who loses what. `never` keeps it."""
    beside: Sequence[str] | None
    """The names of the program's other `Team` resources, for a new team that takes the name of a renamed one; it is not
    kept in the state."""


class Team(AccessResource, module="mixpanel", name="Team"):
    """One team of the organization: a name, under which people come by roles in projects together.

    It adopts a team of that name that is there already, with its people and projects; another name is given in place.
    Deleting the resource deletes the team as `removal` says: `when_unused` (the default) only if this resource made it
    and nobody and nothing is left in it that is not declared in this stack; `always`, which says who loses what; or
    `never`. A team that an identity provider feeds by SCIM is never deleted or renamed, but in SCIM mode, where its
    group is renamed with it.
    """

    name: pulumi.Output[str]
    removal: pulumi.Output[str]
    team_id: pulumi.Output[int]
    """Mixpanel's id, which `TeamGrant` and `TeamMember` take."""
    adopted: pulumi.Output[bool]
    """Whether the team existed before any stack of the project declared it; renaming the resource does not change
    this."""
    organization_role: pulumi.Output[str | None]
    """The organization role that Mixpanel gives everybody in it, if any."""
    scim_managed: pulumi.Output[bool]
    """Whether an identity provider, and not the stack, decides who is in it; never in SCIM mode."""
    team_projects: pulumi.Output[dict[str, str]]
    """Project id -> the role that everybody in it has there, whichever stack gave it; as of the last refresh."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[TeamInputs]
    ) -> None:
        super().__init__(TeamProvider(), resource_name, opts, inputs)
