"""Outputs that exist for the policies: what a policy judges, and no input says.

A new resource has them at its first preview, since its check reads the list that they come from. A refresh brings them
up to date. At a preview of an update the engine knows only the inputs, so each check keeps what was shown before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import day_or_none
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.errors import MixpanelError
from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.provider.handler import Properties
from mixpanel_access.provider.session import Session

OPEN_TO_ALL: Final = "open_to_all_users"
"""Whether a production project has a grant to all users; left out where that is not known."""
TEAM_PROJECTS: Final = "team_projects"
"""Project id, as a text -> the role that everybody in the team has there."""
ORGANIZATION_ROLE: Final = "organization_role"
"""The organization role that everybody in the team has; left out where there is none or Mixpanel does not show it."""
TEAM_OUTPUTS: Final = (TEAM_PROJECTS, ORGANIZATION_ROLE)
"""What a team gives to everybody in it, whichever stack gave it to the team."""


def first_day(olds: Mapping[str, Any], news: Mapping[str, Any], today: date) -> str | None:
    """The first day of somebody's access, so that a later `starts` does not hide it.

    None where `starts` is the first day, or the access has no end.
    """
    if olds and same_key(str(olds.get("email"))) != same_key(str(news.get("email"))):
        olds = {}
    known = [found for name in ("since", "starts") if (found := day_or_none(olds.get(name)))]
    starts = day_or_none(news.get("starts"))
    if known:
        first = min(known)
        return None if starts and starts <= first else first.isoformat()
    extended = not olds or olds.get("ends") != news.get("ends")
    return today.isoformat() if not news.get("starts") and news.get("ends") and extended else None


def shown_to_all(session: Session, inputs: Properties) -> Properties:
    """Whether everybody has a production project, by the list of who has it: one reading a project and operation."""
    if inputs.get("environment") != PRODUCTION:
        return {}
    try:
        return {OPEN_TO_ALL: session.directory.open_to_all(inputs["project_id"])}
    except MixpanelError:  # another check reports a list that this service account may not see
        return {}


def shown_roles(team: TeamInfo | None) -> Properties:
    """What a team gives; no projects for a team that does not exist yet."""
    if team is None:
        return {TEAM_PROJECTS: {}}
    shown: Properties = {TEAM_PROJECTS: {str(project): role for project, role in sorted(team.projects.items())}}
    if team.organization_role:
        shown[ORGANIZATION_ROLE] = team.organization_role
    return shown
