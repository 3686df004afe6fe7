"""The Pulumi resources: one file each, with its inputs, outputs, check, diff, create, read, update and delete."""

from mixpanel_access.provider.member import Member
from mixpanel_access.provider.project_grant import ProjectGrant
from mixpanel_access.provider.removal_brake import RemovalBrake

__all__ = ["Member", "ProjectGrant", "RemovalBrake"]
