"""Rosters as Pulumi components."""

from mixpanel_access.component.roster_access import RosterAccess, read_roster, roster_program

__all__ = ["RosterAccess", "read_roster", "roster_program"]
