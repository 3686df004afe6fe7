"""The Pulumi resources: one file each, with its inputs, outputs, check, diff, create, read, update and delete."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mixpanel_access.model.resources import BY_NAME

if TYPE_CHECKING:
    from mixpanel_access.provider.custom_role import CustomRole
    from mixpanel_access.provider.member import Member
    from mixpanel_access.provider.members import Members
    from mixpanel_access.provider.organization import Organization
    from mixpanel_access.provider.organization_security import OrganizationSecurity
    from mixpanel_access.provider.project_access import ProjectAccess
    from mixpanel_access.provider.project_grant import ProjectGrant
    from mixpanel_access.provider.removal_brake import RemovalBrake
    from mixpanel_access.provider.service_account import ServiceAccount
    from mixpanel_access.provider.service_account_grant import ServiceAccountGrant
    from mixpanel_access.provider.team import Team
    from mixpanel_access.provider.team_grant import TeamGrant
    from mixpanel_access.provider.team_member import TeamMember
    from mixpanel_access.provider.team_members import TeamMembers

__all__ = [
    "CustomRole",
    "Member",
    "Members",
    "Organization",
    "OrganizationSecurity",
    "ProjectAccess",
    "ProjectGrant",
    "RemovalBrake",
    "ServiceAccount",
    "ServiceAccountGrant",
    "Team",
    "TeamGrant",
    "TeamMember",
    "TeamMembers",
]


def __getattr__(name: str) -> Any:
    """Import a resource when it is asked for: commands that only need a session need no Pulumi SDK."""
    if name == "Organization":
        return import_module(f"{__name__}.organization").Organization
    if name in BY_NAME:
        return getattr(import_module(f"{__name__}.{BY_NAME[name].module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
