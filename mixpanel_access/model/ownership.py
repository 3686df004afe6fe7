"""Whether a stack brought a person or found them, and whether it removes them when it no longer declares them.

The outputs of a `Member` say how the person joined (`origin`) and what they were before (`previous_role`); the input
`ownership` overrides the first. A state of version 0.1.0 has neither: its `adopted` says that a person was already in
the organization, but not whether they were imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Grant, GrantType, Person

OURS: Final = "ours"
FOUND: Final = "found"
OWNERSHIPS: Final = (OURS, FOUND)
"""The values of the input `ownership`, and of the roster's field."""


class Origin(StrEnum):
    """How a person joined the organization, from the point of view of one stack."""

    INVITED = "invited"
    """This stack invited them."""
    FOUND = "found"
    """They were members when the stack first declared them, and no other stack of the project had brought them."""
    IMPORTED = "imported"
    """`mixpanel-access import` imported them."""
    SHARED = "shared"
    """Another stack of the project invited or imported them."""


def is_ours(member: Mapping[str, Any]) -> bool | None:
    """Whether the person leaves with the last stack that declares them; None if the `Member`'s state does not say."""
    if member.get("ownership") in OWNERSHIPS:
        return bool(member["ownership"] == OURS)
    if member.get("origin") in list(Origin):
        return bool(member["origin"] != Origin.FOUND)
    return True if member.get("adopted") is False else None


def role_before(member: Mapping[str, Any]) -> str:
    """The organization role that the person had before the stack gave them one, or `member`."""
    before = member.get("previous_role")
    return str(before) if before in roles.ORGANIZATION_ROLES else roles.MEMBER


def lowered(current: str | None, before: str, elsewhere: Iterable[str] = ()) -> str | None:
    """The organization role that a person gets back when a stack no longer gives them one; None to change nothing.

    Args:
        current: their present role; an unknown one does not change.
        before: their role before.
        elsewhere: the roles that other stacks declare for them; the new role is not lower.
    """
    target = min((before, *elsewhere), key=_step, default=before)
    if current not in roles.ORGANIZATION_ROLES or _step(current) >= _step(target):
        return None
    return target


def _step(role: str) -> int:
    """How far a role is below owner. A billing admin and a member differ here, so that nobody is raised."""
    known = roles.ORGANIZATION_ROLES
    return known.index(role) if role in known else len(known)


KEEPING: Final = frozenset({GrantType.INDIVIDUAL, GrantType.TEAM})
"""The grants that somebody gave to this person: with one of them, the person is not unused."""


def holds_others_role(person: Person, declared: str | None) -> bool:
    """Whether somebody else gave this person an organization role above member.

    An unknown role does not count: access that has ended does not stay because of a word.
    """
    return declared is None and roles.is_organization_role(person.role) and person.role != roles.MEMBER


WHEN_UNUSED: Final = "when_unused"
ALWAYS: Final = "always"
NEVER: Final = "never"
REMOVALS: Final = (WHEN_UNUSED, ALWAYS, NEVER)
"""What happens to a person when their last entry has ended; see `should_remove`."""


def should_remove(
    removal: str,
    person: Person,
    declared: str | None,
    left: Iterable[Grant],
    *,
    ours: bool | None = None,
    elsewhere: Callable[[], bool] = lambda: False,
) -> bool:
    """Whether to remove a person from the organization when their last entry has ended.

    Args:
        removal: one of `REMOVALS`; `when_unused` keeps people that the stack found, and people with other access.
        person: the person in Mixpanel.
        declared: the organization role that was declared, or None.
        left: the grants that remain after the declared ones; evaluated only if it matters.
        ours: whether a stack of the project brought the person (see `is_ours`); None if that is unknown.
        elsewhere: whether another stack declares the person; called only if it matters.
    """
    if removal != WHEN_UNUSED:
        return removal == ALWAYS
    if ours is False or holds_others_role(person, declared):
        return False
    return not any(grant.grant_type in KEEPING for grant in left) and not elsewhere()
