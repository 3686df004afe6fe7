"""What the brakes will hold of the endings to come, stack by stack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from mixpanel_access.model.access import WHEN_UNUSED, GrantType, should_remove
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.forecast import Forecast, forecasts
from mixpanel_access.model.roster import Roster
from mixpanel_access.operations.overview import Overview

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


def forecasts_of(overview: Overview) -> Mapping[str, list[Forecast]]:
    """What the brakes will hold, by stack; a stack without any is left out."""
    found = {
        name: forecasts_for(view.roster, overview.today, overview.directory, view.settings.username)
        for name, view in overview.stacks.items()
        if view.roster is not None
    }
    return {name: some for name, some in found.items() if some}


def forecasts_for(roster: Roster, today: date, directory: Directory, username: str) -> list[Forecast]:
    """What the brakes will hold of the endings in one roster.

    Args:
        roster: the roster.
        today: the day (UTC).
        directory: the organization.
        username: our login name, where Mixpanel does not tell who we are.

    Raises:
        MixpanelError: Mixpanel cannot be read.
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
