"""Whether a stack brought a person or found them, and whether they are removed once it no longer declares them.

The outputs of a `Member` say how the person came in (`origin`) and what they were before (`previous_role`); the input
`ownership` overrides the first. A state of version 0.1.0 has neither: its `adopted` says who was in the organization
already, but not who of them was imported.
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
"""What the input `ownership` and the roster field of that name may say."""


class Origin(StrEnum):
    """How a person came into the organization, as seen from one stack."""

    INVITED = "invited"
    """This stack invited them."""
    FOUND = "found"
    """They were there when the stack first declared them, and no other stack of the project had brought them."""
    IMPORTED = "imported"
    """`mixpanel-access import` took them over."""
    SHARED = "shared"
    """Another stack of the project invited or imported them."""


def is_ours(member: Mapping[str, Any]) -> bool | None:
    """Whether the person leaves with the last stack that declares them; None if the state does not say.

    Args:
        member: inputs and outputs of the `Member`.
    """
    if member.get("ownership") in OWNERSHIPS:
        return bool(member["ownership"] == OURS)
    if member.get("origin") in list(Origin):
        return bool(member["origin"] != Origin.FOUND)
    return True if member.get("adopted") is False else None


def role_before(member: Mapping[str, Any]) -> str:
    """The organization role that the person had before the stack gave them one; `member` if the state has none."""
    before = member.get("previous_role")
    return str(before) if before in roles.ORGANIZATION_ROLES else roles.MEMBER


def lowered(current: str | None, before: str, elsewhere: Iterable[str] = ()) -> str | None:
    """The organization role that somebody gets back when a stack no longer gives them one; None to leave it as it is.

    Args:
        current: the role that they have; an unknown one is left alone.
        before: the role that they had before.
        elsewhere: the roles that other stacks declare for them, below which nobody is lowered.
    """
    target = min((before, *elsewhere), key=_step, default=before)
    if current not in roles.ORGANIZATION_ROLES or _step(current) >= _step(target):
        return None
    return target


def _step(role: str) -> int:
    """How far below owner a role is: nobody may be raised, so a billing admin and a member are two steps here."""
    known = roles.ORGANIZATION_ROLES
    return known.index(role) if role in known else len(known)


KEEPING: Final = frozenset({GrantType.INDIVIDUAL, GrantType.TEAM})
"""The ways that somebody has given this person: while one is left, they are not unused."""


def holds_others_role(person: Person, declared: str | None) -> bool:
    """Whether somebody else gave this person an organization role above member: it is none that is declared here.

    A role that we do not know is not held against them: access that has ended does not stay because of a word.
    """
    return declared is None and roles.is_organization_role(person.role) and person.role != roles.MEMBER


WHEN_UNUSED: Final = "when_unused"


ALWAYS: Final = "always"


NEVER: Final = "never"


REMOVALS: Final = (WHEN_UNUSED, ALWAYS, NEVER)
"""What becomes of a person who is no longer declared; see `should_remove`."""


def should_remove(
    removal: str,
    person: Person,
    declared: str | None,
    left: Iterable[Grant],
    *,
    ours: bool | None = None,
    elsewhere: Callable[[], bool] = lambda: False,
) -> bool:
    """Whether to remove a person who is no longer declared from the organization.

    Args:
        removal: one of `REMOVALS`; `when_unused` keeps whom the stack found, and whom somebody else still gives
            something.
        person: the person as the organization has them.
        declared: the organization role that was declared, or None.
        left: the grants that are left once the declared ones are gone; only asked for where it matters.
        ours: whether a stack of the project brought the person (see `ownership.is_ours`); None if that is unknown.
        elsewhere: whether another stack declares the person; only asked for where it matters.
    """
    if removal != WHEN_UNUSED:
        return removal == ALWAYS
    if ours is False or holds_others_role(person, declared):
        return False
    return not any(grant.grant_type in KEEPING for grant in left) and not elsewhere()
