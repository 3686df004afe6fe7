"""Rosters, and single engagements, as Pulumi components."""

from mixpanel_access.component.collaborator_access import CollaboratorAccess, CollaboratorAccessArgs, ProjectArgs
from mixpanel_access.component.roster_access import RosterAccess, roster_program
from mixpanel_access.model.roster.schema import Engagement

__all__ = [
    "CollaboratorAccess",
    "CollaboratorAccessArgs",
    "Engagement",
    "ProjectArgs",
    "RosterAccess",
    "roster_program",
]
