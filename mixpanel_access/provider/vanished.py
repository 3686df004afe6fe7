"""People who are in a stack's state and no longer in the organization's list: how many of them a refresh may drop.

A list that lacks many people at once is more likely to be wrong than the organization to be empty. If the state
believed it, the next `up` would invite everybody again, and the end of their entries would reach nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.brakes import Brake
from mixpanel_access.model.errors import Refused
from mixpanel_access.provider.states import people_of

if TYPE_CHECKING:
    from mixpanel_access.provider.session import Session

_RELEASE: Final = (
    "pulumi config set mixpanel:releaseBrakes removalShare; pulumi refresh --run-program; "
    "pulumi config rm mixpanel:releaseBrakes"
)


class Vanished:
    """The people whom one operation has missed while it read resources."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._missed: set[str] = set()
        self._told = False

    def keep(self, session: Session, emails: Iterable[str], props: Mapping[str, Any]) -> bool:
        """Whether a resource stays in the state as it is, since it is about people of whom too many are missing.

        Args:
            session: the operation.
            emails: the people that the resource is about.
            props: the resource's properties, to tell which stack it is of if nobody says.

        Raises:
            Refused: it stays; said once in an operation.
        """
        people = session.directory.people()
        missing = {key for key in map(same_key, emails) if session.directory.person(key) is None}
        if not missing:
            return False
        with self._lock:
            self._missed |= missing
            gone = self._most_gone(session, people, props)
            limits = session.brakes.limits
            before = len(people) + len(gone)
            if len(gone) <= limits.removable(before) or Brake.REMOVAL_SHARE in limits.released:
                return False
            told, self._told = self._told, True
        if told:
            return True
        raise Refused(
            "cannot refresh",
            whom=few(gone),
            why=f"{len(gone)} people of this stack's state are missing from the organization's list, and one refresh "
            f"may drop {limits.removable(before)} ({limits.removal_percent:g} % of {before}, at least "
            f"{limits.removal_minimum}) [{Brake.REMOVAL_SHARE}]; nobody was dropped from the state",
            next_step=f"Compare the list in Organization Settings > Users & Teams. If they have left, run: {_RELEASE}. "
            f"`mixpanel-access revoke`, and `pulumi up` without --refresh, go on without it.",
        )

    def _most_gone(self, session: Session, people: Collection[str], props: Mapping[str, Any]) -> set[str]:
        """Who of the stack's people is missing; if the stack cannot be told, of the stack that misses most."""
        stacks = session.states.of_resource(props)
        gone: list[set[str]] = []
        for resources in stacks.values():
            away = people_of(resources, session.organization) - set(people)
            for key in away:
                session.identify(key)  # who has another address by now is not gone
            gone.append({key for key in away if session.directory.person(key) is None})
        return max((*gone, self._missed), key=len)
