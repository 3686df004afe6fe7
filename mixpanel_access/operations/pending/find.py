"""Finds the pending changes of a stack.

Every command that says "overdue", "removed", "late", "ends" or "begins" asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from mixpanel_access.model.roster.salvage import NOTHING, Unread
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.pending.change import PendingChange, joined
from mixpanel_access.operations.pending.later import changes_later
from mixpanel_access.operations.pending.now import changes_now
from mixpanel_access.operations.state import State, changed_addresses

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory

_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


def pending_changes(
    roster: Roster | None,
    state: State,
    today: date,
    days: int | None,
    unread: Unread = NOTHING,
    renamed: Mapping[str, str] = _NOBODY,
) -> list[PendingChange]:
    """What `pulumi up` changes now, and what it will take away or give within days, without an edit.

    Args:
        roster: the stack's roster; None where it has none, so that only what the state says has ended is known.
        state: the stack's state: whoever is in it beyond the end is overdue.
        today: the day, UTC.
        days: how far to look ahead; 0 is what is due today, None is everything.
        unread: what the unreadable parts of the roster may be about: of these people nothing is taken.
        renamed: key of an address in the state -> key of the address that the person has in Mixpanel now.

    Returns:
        The changes by day, then by address. Access ends after the last day: it goes on the day after.
    """
    parts = chain(changes_now(roster, state, today, unread, renamed), changes_later(roster, state, today, unread))
    found = [change for change in joined(parts, today) if days is None or change.days <= days]
    return sorted(found, key=lambda change: (change.on, change.email.casefold()))


def renamed_in(state: State, directory: Directory) -> dict[str, str]:
    """Whose address has changed in Mixpanel: the key in the state -> the key there."""
    return changed_addresses({key: one.outputs for key, one in state.members.items()}, directory.people())
