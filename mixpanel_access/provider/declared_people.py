"""The people of a state as the brakes have to know them: with all that a stack gives them, however it declares that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.ownership import FOUND, OURS, WHEN_UNUSED, is_ours


class InState(Protocol):
    """One resource of a state."""

    @property
    def type(self) -> str:
        """Its type."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the state holds of it; a secret is encrypted, or left out."""


def declared_people(
    going: Iterable[InState], organization: int, state: Iterable[InState], team_name: Callable[[int], str | None]
) -> dict[str, DeclaredPerson]:
    """Everybody who has a `Member` among the resources that go, by the key of the address, and what goes with it.

    Args:
        going: the resources that go.
        organization: the organization's id; what is another one's does not count.
        state: the whole state, which knows the teams that stay too.
        team_name: the name of a team that the state does not have.
    """
    held = [one for one in going if _of(organization, one)]
    found = {key: person for one in held if one.type == kinds.MEMBER_TYPE for key, person in [_person(one)]}
    projects: dict[str, list[int]] = {key: [] for key in found}
    teams: dict[str, list[str]] = {key: [] for key in found}
    names = {
        kinds.TeamId.parse(one.id).team: name
        for one in state
        if one.type == kinds.TEAM_TYPE and _of(organization, one) and isinstance(name := one.outputs.get("name"), str)
    }
    for one in held:
        if one.type == kinds.GRANT_TYPE:
            grant = kinds.GrantId.parse(one.id)
            projects.get(same_key(grant.email), []).append(grant.project)
        elif one.type == kinds.PROJECT_ACCESS_TYPE:
            for key in _granted(one.outputs.get("grants"), found):
                projects.get(key, []).append(kinds.ProjectAccessId.parse(one.id).project)
        elif one.type == kinds.TEAM_MEMBER_TYPE:
            place = kinds.TeamMemberId.parse(one.id)
            if (key := same_key(place.email)) in teams and (name := names.get(place.team) or team_name(place.team)):
                teams[key].append(name)
    for key, person in found.items():
        person["projects"] = projects[key]
        if teams[key]:
            person["teams"] = teams[key]
    return found


def _of(organization: int, one: InState) -> bool:
    return one.id.startswith(f"{organization}:")


def _person(member: InState) -> tuple[str, DeclaredPerson]:
    email, outputs = kinds.MemberId.parse(member.id).email, member.outputs
    person = DeclaredPerson(email=email, removal=WHEN_UNUSED)
    given = {key: value for key in ("role", "removal", "ends") if isinstance(value := outputs.get(key), str)}
    person.update(given)  # type: ignore[typeddict-item]
    if (ours := is_ours(outputs)) is not None:
        person["ownership"] = OURS if ours else FOUND
    return same_key(email), person


def _granted(grants: Any, everybody: Iterable[str]) -> Iterable[str]:
    """The keys of those who have an individual grant; everybody's, where a secret hides whose they are."""
    if not isinstance(grants, Mapping) or kinds.SIGNATURE in grants:
        return everybody
    return {same_key(email) for email in grants}
