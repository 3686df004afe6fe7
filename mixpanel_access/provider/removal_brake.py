"""`RemovalBrake`: judges all removals and role changes of a stack together, before the first of them is written.

The engine hands a provider one resource at a time, and on destroy it runs no program. This resource knows everybody
that its stack declares: its check sees who is missing, and since it depends on all of them, the engine deletes it
first.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final, Required, TypedDict, Unpack

import pulumi

from mixpanel_access.model import roles
from mixpanel_access.model.access import Person, remaining_access
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson, PlannedChanges, brought_forward, forecasts, is_near
from mixpanel_access.model.errors import MixpanelError, Refused
from mixpanel_access.model.resource_ids import RemovalBrakeId
from mixpanel_access.model.resources import COLLABORATOR_TYPE
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.handler import Created, Found, Handler, Problems, Properties, known
from mixpanel_access.provider.leaving import leaving, removal_plan, roles_given_back
from mixpanel_access.provider.resource import AccessResource
from mixpanel_access.provider.run import declared_people
from mixpanel_access.provider.states import members

OWNERS: Final = "owners"


class RemovalBrakeHandler(Handler[RemovalBrakeId]):
    """What Pulumi's verbs do with a `RemovalBrake`; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = ("people",)
    OUTPUTS: ClassVar[tuple[str, ...]] = (OWNERS,)
    SHOWN: ClassVar[tuple[str, ...]] = OUTPUTS
    JUDGES: ClassVar[bool] = True

    def label(self, props: Properties) -> str:
        return "the RemovalBrake"

    def identity(self, props: Properties) -> Hashable:  # it stands for nothing
        return None

    def check(self, inputs: Properties, problems: Problems) -> None:
        """Only that it is a list: the values are the component's own."""
        people = inputs.get("people", [])
        if known(people) and not isinstance(people, list):
            problems.add("people", f"this is the list of the people that the stack declares, not {people!r}")

    def check_live(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Hold what the stack would remove and change, all together.

        People who stay for now, since the run leaves their resources alone, stay in the list: the run in which they go
        judges them.
        """
        before, after = self._before(olds), _by_key(inputs)
        if before is None or after is None:
            self.session.say("RemovalBrake: the declared people are not known yet; `pulumi up` checks them")
            return
        elsewhere = self.session.declared  # by other resources of the program, which have been checked before
        gone = {key: person for key, person in before.items() if key not in after and key not in elsewhere}
        session, scope = self.session, self.session.scope
        going = scope.people(session.organization, session.team_name) if scope.partial else None
        if going is not None:
            inputs["people"] = [*inputs["people"], *(person for key, person in gone.items() if key not in going)]
            gone = {key: person for key, person in gone.items() if key in going}
        people = self.session.directory.people()
        inputs[OWNERS] = _owners(people.values())
        new_roles = {
            key: person["role"]
            for key, person in after.items()
            if person.get("role")
            and key in people
            and (shown := people[key].role) is not None
            and roles.role_change(person["role"], shown, before.get(key, {}).get("role")).replaces
        }
        no_role = [
            one for key, one in before.items() if one.get("role") and key in after and not after[key].get("role")
        ]
        new_roles |= roles_given_back(self.session, no_role)
        plan = removal_plan(self.session, list(gone.values()), say=True)
        try:
            self.session.brakes.hold("cannot go on", replace(plan, roles={**plan.roles, **new_roles}))
            self._hold_ends(before, after, list(gone.values()))
        except Refused as held:
            problems.add("", str(held))
        role_ends = {key: ends for key, (_, ends) in self.session.ends.items()}
        declared, own = list(after.values()), self.session.brakes.own_address()
        try:
            for one in forecasts(people, declared, role_ends, lambda person: bool(self.leaving([person])), own):
                self.session.say(f"warning: {one}")
        except MixpanelError as error:  # nothing depends on what is ahead
            self.session.say(f"warning: it is unknown what the brakes will hold in the next days: {error}")

    def _hold_ends(
        self,
        before: Mapping[str, DeclaredPerson],
        after: Mapping[str, DeclaredPerson],
        gone: Sequence[DeclaredPerson],
    ) -> None:
        """Judge an edit that moves ends to an earlier day; when that day comes, the ending is planned.

        Raises:
            Refused: together with those who go now, more would leave within 30 days than one operation may remove.
        """
        told = any("ends" in person for person in before.values())  # not in states of version 0.1.0

        def last_day(key: str) -> str | None:
            return before[key].get("ends") if told else self.session.ends.get(key, (None, None))[0]

        moved = [
            (person, last_day(key), person["ends"])
            for key, person in after.items()
            if key in before and person.get("ends") and brought_forward(last_day(key), person["ends"])
        ]
        if not moved:
            return
        near = [person for person, _, ends in moved if is_near(ends, self.session.now().date())]
        planned = removal_plan(self.session, gone).planned
        self.session.brakes.hold_share(
            "cannot move these ends to an earlier day, at most 30 days away",
            PlannedChanges(self.leaving([*gone, *near]), planned=planned),
        )
        ends_in_words = ", ".join(f"{one['email']} on {new} instead of {old or 'never'}" for one, old, new in moved)
        self.session.say(f"the access of these people ends earlier than before: {ends_in_words}")

    def _before(self, olds: Properties) -> dict[str, DeclaredPerson] | None:
        """Whom the stack has had until now: by the list; if a partial `destroy` has taken that, by the state.

        A `CollaboratorAccess` that the program declares may be checked later: its people are not in the list of any
        brake, and are judged as they go.
        """
        if olds:
            return _by_key(olds)
        held = [one for one in self.session.scope.resources or () if f"{COLLABORATOR_TYPE}$" not in one.urn]
        return declared_people(held, self.session.organization, held, self.session.team_name)

    def diff(self, olds: Properties, news: Properties) -> bool:
        """Name the people who still hold something that could not be taken away."""
        if self.session.directory.provisioning.on and not self.session.scope.partial:
            self._say_what_is_left()
        return super().diff(olds, news)

    def create(self, inputs: Properties) -> Created:
        return Created(RemovalBrakeId(self.session.organization), inputs)

    def read(self, ref: RemovalBrakeId, props: Properties) -> Found | None:
        """Who owns the organization; nothing else of it is in Mixpanel."""
        shown = {"people": props.get("people", [])}
        if shown["people"]:  # whose members this refresh reads anyhow
            shown[OWNERS] = _owners(self.session.directory.people().values())
        return Found({**props, **shown}, shown)

    def update(self, ref: RemovalBrakeId, olds: Properties, news: Properties) -> Properties:  # nothing to compare
        return news

    def delete(self, ref: RemovalBrakeId, props: Properties) -> None:  # the id says nothing
        """Hold the removal of the people in the list that the program does not declare; a destroy has no program.

        Raises:
            Refused: a brake holds it; nothing has been removed.
        """
        if self.session.judged:
            return  # the run leaves some of them alone, and those who go have been judged
        gone = [person for key, person in (_by_key(props) or {}).items() if not self.session.declares(key)]
        self.session.brakes.hold("cannot destroy", removal_plan(self.session, gone))
        self.session.judged_by_list = True

    def _say_what_is_left(self) -> None:
        """Name those who are deactivated and still in the state: not everything could be taken away from them."""
        own, directory = self.session.states.own() or (), self.session.directory
        for key in members(own, self.session.organization):
            person = None if self.session.declares(key) else directory.person(key)
            if person is not None and person.deactivated:
                role = f"organization {person.role}; " if person.role else ""
                access = remaining_access(directory.reached_projects(person.email))
                self.session.say(
                    f"{person.email} is deactivated, and `pulumi up` tries again to take away: {role}{access}"
                )

    def leaving(self, people: Sequence[DeclaredPerson]) -> frozenset[str]:
        """The keys of those who would leave the organization once their grants of this stack are gone."""
        return leaving(self.session, people)


def _owners(people: Iterable[Person]) -> list[str]:
    return sorted(person.email for person in people if person.role == roles.OWNER)


def _by_key(props: Properties) -> dict[str, DeclaredPerson] | None:
    """The people by the key of their address; None if one of them is not known yet."""
    people = props.get("people", [])
    if not known(people) or not all(isinstance(person, dict) and known(person["email"]) for person in people):
        return None
    found: dict[str, DeclaredPerson] = {}
    for person in people:
        key = same_key(person["email"])
        found[key] = _together(found[key], person) if key in found else person
    return found


def _together(one: DeclaredPerson, other: DeclaredPerson) -> DeclaredPerson:
    """One person of two engagements: the stack gives them what both say, until the later end."""
    ends = [one.get("ends"), other.get("ends")]
    merged = DeclaredPerson(**{**other, **one})
    merged["projects"] = [*one.get("projects", []), *other.get("projects", [])]
    merged["teams"] = [*one.get("teams", []), *other.get("teams", [])]
    merged.pop("ends", None)
    if all(ends):
        merged["ends"] = max(str(end) for end in ends)
    return merged


class RemovalBrakeProvider(AccessProvider):
    """The SDK's provider of `RemovalBrake`, which states name."""

    HANDLER = RemovalBrakeHandler


class RemovalBrakeInputs(TypedDict, total=False):
    """The input of a `RemovalBrake`."""

    people: Required[pulumi.Input[Sequence[pulumi.Input[DeclaredPerson]]]]
    """Everybody that the program declares."""


class RemovalBrake(AccessResource, module="mixpanel", name="RemovalBrake"):
    """Holds a change that would take too much away, before anything is written.

    It judges the brakes of `mixpanel_access.model.brakes` over all people of a stack at once: at preview and up over
    those who are no longer declared and those whose organization role changes, on destroy over everybody. One that is
    renamed or dropped from the program holds nothing up while its people stay declared. A `Member` alone is braked
    too, but only as the removals come, one after the other. `RosterAccess` has one.

    Args:
        resource_name: the resource's name in the stack.
        people: everybody that the stack declares. If somebody's address is not known at preview, `pulumi up` judges who
            is gone.
        opts: Pulumi's options; it must depend on all the members and grants, so that it is deleted before them.
    """

    people: pulumi.Output[list[dict[str, Any]]]
    owners: pulumi.Output[list[str]]
    """The organization's owners in Mixpanel, declared or not, when last read."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[RemovalBrakeInputs]
    ) -> None:
        super().__init__(RemovalBrakeProvider(), resource_name, opts, inputs)
