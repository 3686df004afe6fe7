"""Revoke: take away what the states hold and the rosters no longer give."""
