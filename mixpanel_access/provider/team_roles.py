"""What Mixpanel shows that a team gives, as outputs of `Team` and `TeamMember` that the policies judge.

Whoever is in a team has all of it, whichever stack gave it. A new resource has it at the first preview already: its
check reads the list of teams anyhow. Afterwards a refresh brings it up to date; nothing else asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.provider.properties import Properties

TEAM_PROJECTS: Final = "team_projects"
"""Project id, as a text -> the role that everybody in the team has there."""
ORGANIZATION_ROLE: Final = "organization_role"
"""The organization role that everybody in the team has; left out where there is none, or it is not told."""
SHOWN: Final = (TEAM_PROJECTS, ORGANIZATION_ROLE)


def shown_roles(team: TeamInfo | None) -> Properties:
    """What a team gives; nothing for one that is not there yet."""
    if team is None:
        return {TEAM_PROJECTS: {}}
    shown: Properties = {TEAM_PROJECTS: {str(project): role for project, role in sorted(team.projects.items())}}
    if team.organization_role:
        shown[ORGANIZATION_ROLE] = team.organization_role
    return shown


def keep_shown_roles(olds: Mapping[str, Any], inputs: Properties) -> None:
    """Keep what was shown before where this check has not read it: at a preview, an update has nothing but inputs."""
    if TEAM_PROJECTS not in inputs and olds.get(TEAM_PROJECTS) is not None:
        inputs |= {name: olds[name] for name in SHOWN if olds.get(name) is not None}
