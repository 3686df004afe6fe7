"""Empty lists that contradict what this operation has read and written.

An empty list of a project's people, or of the teams, may be true. If it is not, whoever is missing in it would be taken
out of the organization as unused, or forgotten. So an odd one is read a second time, and one that cannot be true is
refused.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from mixpanel_access.model import errors
from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.roles import MANAGING_ROLES

_Rows = Mapping[str, Sequence[Grant]]
"""The grants in a project, by the key of the address."""


class EmptyLists:
    """What has been read of the lists of one operation, and what the operation itself has taken away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Hashable, frozenset[Hashable]] = {}
        self._taken: dict[Hashable, set[Hashable]] = {}
        self._removed: set[Hashable] = set()

    def read(self, part: Hashable, members: Iterable[Hashable]) -> None:
        """Note who or what is in a list; that it is empty is not noted."""
        if found := frozenset(members):
            with self._lock:
                self._held[part] = found

    def take(self, part: Hashable, member: Hashable) -> None:
        """Note that we take somebody or something out of a list."""
        with self._lock:
            self._taken.setdefault(part, set()).add(member)

    def remove(self, emails: Iterable[str]) -> None:
        """Note that we remove people from the organization, and so from every list."""
        with self._lock:
            self._removed |= set(map(same_key, emails))

    def has_removed(self, key: str) -> bool:
        """Whether we remove somebody."""
        with self._lock:
            return key in self._removed

    def is_odd(self, part: Hashable) -> bool:
        """Whether a list was not empty before, and we have not taken all of it: it is worth a second look.

        Another stack or a person may have taken the rest, so that a second empty answer is believed.
        """
        with self._lock:
            left = self._held.get(part, frozenset()) - self._taken.get(part, set()) - self._removed
            if left:
                self._held.pop(part)
        return bool(left)


def by_role(lists: Iterable[_Rows]) -> bool:
    """Whether projects show owners or admins of the organization, who have every project: then each must show them."""
    return any(grant.role in MANAGING_ROLES for grant in _of_kind(GrantType.ORGANIZATION_ROLE, lists))


def through_teams(lists: Iterable[_Rows]) -> bool:
    """Whether projects show that somebody has them through a team: then there is a team."""
    return any(True for _ in _of_kind(GrantType.TEAM, lists))


def _of_kind(kind: GrantType, lists: Iterable[_Rows]) -> Iterator[Grant]:
    return (grant for rows in lists for held in rows.values() for grant in held if grant.grant_type is kind)


def contradiction(what: str, why: str) -> errors.Unintelligible:
    """An empty list that is not believed."""
    return errors.Unintelligible(
        f"cannot {what}",
        why=f"Mixpanel answered with an empty list, and {why}",
        next_step="Nothing was changed on the strength of it. Run again; if it stays so, compare with the product.",
    )
