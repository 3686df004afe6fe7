"""What the brakes will hold of the endings that are to come in a stack."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson, Forecast, forecasts
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.ownership import WHEN_UNUSED, should_remove
from mixpanel_access.model.roster.schema import Roster

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


def forecasts_for(roster: Roster, today: date, directory: Directory, username: str) -> list[Forecast]:
    """What the brakes will hold of the endings in one roster.

    Where Mixpanel does not say who we are, `username` is our login name.
    """
    people, declared = directory.people(), declaration(roster, today)
    own = directory.identity().email or username

    def goes(person: DeclaredPerson) -> bool:
        key = same_key(person["email"])
        if key not in people:
            return False
        # What somebody else holds matters for nobody but ourselves: an owner is lowered where they do not leave.
        access = directory.reached_projects(person["email"]) if key == same_key(own) else {}
        left = [
            grant
            for project, grants in access.items()
            for grant in grants
            if grant.grant_type is not GrantType.INDIVIDUAL or project not in person.get("projects", ())
        ]
        return should_remove(person.get("removal", WHEN_UNUSED), people[key], person.get("role"), left)

    role_ends = {key: inputs.get("ends") for key, inputs in declared.members.items()}
    return forecasts(people, declared.people, role_ends, goes, own)
