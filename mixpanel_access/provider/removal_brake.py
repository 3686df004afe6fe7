"""`RemovalBrake`: judges all removals and role changes of a stack together, before the first of them is written.

The engine hands a provider one resource at a time, and on destroy it runs no program. This resource knows everybody
that its stack declares: its check sees who is no longer there, and since it depends on all of them, it is the first to
be deleted.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult

from mixpanel_access.model.access import WHEN_UNUSED, Grant, GrantType, leaves
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson, Plan, has_ended
from mixpanel_access.model.errors import Refused
from mixpanel_access.model.teams import same_name
from mixpanel_access.provider.base import AccessProvider, Problems, Properties, changed
from mixpanel_access.provider.resource import AccessResource


class RemovalBrakeProvider(AccessProvider):
    """Gives `RemovalBrake` its life; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = ("people",)
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = ("people",)

    def subject(self, props: Properties) -> Hashable:  # noqa: ARG002  # it stands for nothing
        """Nothing of it is in Mixpanel."""
        return None

    def inspect(self, inputs: Properties, problems: Problems) -> None:
        """Nothing: the values are the component's own."""

    def inspect_online(self, inputs: Properties, problems: Problems, olds: Properties) -> None:
        """Hold what the stack would remove and change, all together."""
        before, after = _by_key(olds), _by_key(inputs)
        gone = [person for key, person in before.items() if key not in after]
        people = self.session.directory.people()
        new_roles = {
            key: person["role"]
            for key, person in after.items()
            if person.get("role") and key in people and people[key].role not in (None, person["role"])
        }
        try:
            self.session.brakes.hold("cannot go on", Plan(self.leaving(gone), new_roles, self._planned(gone)))
        except Refused as held:
            problems.add("", str(held))

    def compare(self, olds: Properties, news: Properties) -> DiffResult:
        """Another list of people is a change in place."""
        return DiffResult(changes=changed(self.INPUTS, olds, news), replaces=[])

    def make(self, inputs: Properties) -> CreateResult:
        """Keep the list of people."""
        return CreateResult(f"{self.session.organization}:removal-brake", inputs)

    def look(self, id_: str, props: Properties) -> ReadResult:
        """Nothing of it is in Mixpanel."""
        return ReadResult(id_, props, {"people": props.get("people", [])})

    def change(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002  # nothing to compare
        """Keep the new list of people."""
        return news

    def unmake(self, id_: str, props: Properties) -> None:  # noqa: ARG002  # the id says nothing
        """Hold the removal of everybody in the list whom the program does not declare; on destroy there is no program.

        Raises:
            Refused: a brake holds it; nothing has been removed.
        """
        gone = [person for key, person in _by_key(props).items() if key not in self.session.declared]
        self.session.brakes.hold("cannot destroy", Plan(self.leaving(gone), planned=self._planned(gone)))

    def leaving(self, people: Sequence[DeclaredPerson]) -> frozenset[str]:
        """Who of them would leave the organization once their grants of this stack are gone."""
        return frozenset(same_key(person["email"]) for person in people if self._leaves(person))

    def _planned(self, people: Sequence[DeclaredPerson]) -> frozenset[str]:
        """Whose end was in the stack before today."""
        today = self.session.now().date()
        return frozenset(same_key(person["email"]) for person in people if has_ended(person.get("ends"), today))

    def _leaves(self, person: DeclaredPerson) -> bool:
        there = self.session.directory.person(person["email"])
        if there is None:
            return False
        return leaves(person.get("removal", WHEN_UNUSED), there, person.get("role"), self._left(person))

    def _left(self, person: DeclaredPerson) -> Iterator[Grant]:
        """What the person holds apart from this stack's grants and teams; read only when it is asked for."""
        own, teams = set(person.get("projects", [])), person.get("teams", [])
        for project, grants in self.session.directory.other_access(person["email"]).items():
            for grant in grants:
                ours = grant.grant_type is GrantType.INDIVIDUAL and project in own
                if not ours and not (grant.grant_type is GrantType.TEAM and self._goes_with(grant.team, teams)):
                    yield grant

    def _goes_with(self, name: str | None, teams: Sequence[str]) -> bool:
        """Whether what comes through a team goes with this stack; a team that is not told may be any of its own."""
        if name is None:
            return bool(teams)
        known = self.session.directory.teams
        team = known.named(name) if any(same_name(name, one) for one in teams) else None
        return team is not None and not known.fed_by_others(team)


def _by_key(props: Properties) -> dict[str, DeclaredPerson]:
    return {same_key(person["email"]): person for person in props.get("people", [])}


class RemovalBrake(AccessResource, module="mixpanel", name="RemovalBrake"):
    """Holds a change that would take too much away, before anything is written.

    It judges the brakes of `mixpanel_access.model.brakes` over all people of a stack at once: at preview and up over
    those who are no longer declared and those whose organization role changes, on destroy over everybody. One that is
    renamed or dropped from the program holds nothing up while its people stay declared. A `Member` alone is braked
    too, but only as the removals come, one after the other. `RosterAccess` has one.

    Args:
        resource_name: the resource's name in the stack.
        people: everybody that the stack declares.
        opts: Pulumi's options; it must depend on all the members and grants, so that it is deleted before them.
    """

    people: pulumi.Output[list[dict[str, Any]]]

    def __init__(
        self, resource_name: str, *, people: Sequence[DeclaredPerson], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props: dict[str, Any] = {"people": [dict(person) for person in people]}
        super().__init__(RemovalBrakeProvider(), resource_name, props, opts)
