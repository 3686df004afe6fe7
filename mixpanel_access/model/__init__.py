"""Roles, members, grants, dates and rosters as pure values: no input, no output."""
