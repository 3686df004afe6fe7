"""Roles: their words, their order, what they give (contract, sections 2 and 13), and custom roles (section 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

OWNER: Final = "owner"
ADMIN: Final = "admin"
ANALYST: Final = "analyst"
CONSUMER: Final = "consumer"
BILLING_ADMIN: Final = "billing_admin"
MEMBER: Final = "member"

PROJECT_ROLES: Final = (OWNER, ADMIN, ANALYST, CONSUMER)
"""The four project roles, highest first."""

ORGANIZATION_ROLES: Final = (OWNER, ADMIN, BILLING_ADMIN, MEMBER)
"""The four organization roles; a `billing_admin` manages nobody."""

SERVICE_ACCOUNT_ROLES: Final = (ADMIN, ANALYST, CONSUMER)
"""The roles of a new service account: words of project roles for its organization role (contract, section 2)."""

MANAGING_ROLES: Final = (OWNER, ADMIN)
"""The organization roles that may invite, remove and change people."""

PRIVILEGED_ROLES: Final = (OWNER, ADMIN, BILLING_ADMIN)
"""The roles that manage others, or the bill."""

_NO_ROLE_WORDS: Final = ("", "no_role")
_PROJECT_RANK: Final = {OWNER: 4, ADMIN: 3, ANALYST: 2, CONSUMER: 1}
_ORGANIZATION_RANK: Final = {OWNER: 3, ADMIN: 2, BILLING_ADMIN: 1, MEMBER: 1}
_DECLARED: Final = "custom:"
_CUSTOM_ROLE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@lru_cache(maxsize=1 << 12)
def normalized(word: str) -> str:
    """A role in lower case, with underscores for blanks and hyphens ("Billing Admin" -> "billing_admin").

    A custom role's id (UUID) keeps its hyphens, and an unknown word stays.
    """
    word = word.strip().lower()
    if _CUSTOM_ROLE.fullmatch(word):
        return word
    return re.sub(r"[\s\-]+", "_", word)


def is_no_role(word: str | None) -> bool:
    """Whether Mixpanel's word means no role: `no role`, an empty text or null (contract, section 2)."""
    return normalized(word or "") in _NO_ROLE_WORDS


def organization_role(word: str | None) -> str:
    """The organization role for a word of Mixpanel, a roster or a state; an unknown word stays, as `normalized`.

    Mixpanel's documentation calls a person without an organization role a member (contract, section 2).
    """
    return MEMBER if is_no_role(word) else normalized(str(word))


def is_organization_role(role: str | None) -> bool:
    """Whether this is one of the four organization roles, so that we know what it gives."""
    return role in ORGANIZATION_ROLES


class RoleChange(Enum):
    """What happens to a declared organization role, by the role that Mixpanel shows."""

    NONE = "none"
    """Mixpanel shows the declared role."""
    WRITE = "write"
    """The declared role replaces the role that Mixpanel shows."""
    KEEP = "keep"
    """Mixpanel shows a word that this version does not know. It may mean the declared role, so it stays."""
    REFUSE = "refuse"
    """As for `KEEP`, but another role is declared now. Only `member` is certain to be no more than the unknown word."""

    @property
    def replaces(self) -> bool:
        """Whether the declared role takes the place of the one that Mixpanel shows, where the check has passed."""
        return self in (RoleChange.WRITE, RoleChange.REFUSE)


def role_change(role: str, shown: str, before: str | None) -> RoleChange:
    """Decide what happens to a declared organization role.

    Args:
        role: the organization role that is declared.
        shown: the one that Mixpanel shows.
        before: the declared one that the state has; None if none was declared.
    """
    if shown == role:
        return RoleChange.NONE
    if is_organization_role(shown):
        return RoleChange.WRITE
    if before in (None, role):
        return RoleChange.KEEP
    return RoleChange.WRITE if role == MEMBER else RoleChange.REFUSE


def contradicts(role: str | None, shown: str | None) -> bool:
    """Whether Mixpanel shows another role than this one; a word that we do not know may mean this one."""
    return role is not None and shown != role and is_organization_role(shown)


def is_kept_word(shown: str | None, before: str | None) -> bool:
    """Whether Mixpanel still shows the unknown word that it showed before, which is not drift."""
    return shown is not None and shown == before and not is_organization_role(shown)


@lru_cache(maxsize=1024)
def is_role_id(role: str) -> bool:
    """Whether the word is a custom role's id (a UUID)."""
    return _CUSTOM_ROLE.fullmatch(role.strip()) is not None


def declared_role(key: str) -> str:
    """The word for a custom role of a roster, by its key there; Mixpanel gives it an id when it creates the role."""
    return f"{_DECLARED}{normalized(key)}"


@lru_cache(maxsize=1024)
def is_custom(role: str) -> bool:
    """Whether this is a custom role: an id (a UUID), or the word for one that a roster declares."""
    return is_role_id(role) or role.startswith(_DECLARED)


def is_project_role(role: str) -> bool:
    """Whether this can be a project role: one of the four, or a custom role's id."""
    return role in PROJECT_ROLES or is_role_id(role)


def project_rank(role: str | None) -> int:
    """The height of a project role: 4 for owner down to 1 for consumer, 0 for none, unknown or custom."""
    return _PROJECT_RANK.get(role or "", 0)


def is_higher(role: str, other: str) -> bool:
    """Whether a project role is, or may be, higher than another one: custom roles have no rank."""
    return role != other and (is_custom(role) or (not is_custom(other) and project_rank(role) > project_rank(other)))


def organization_rank(role: str | None) -> int:
    """The height of an organization role: 3 owner, 2 admin, 1 billing admin and member, 0 none or unknown."""
    return _ORGANIZATION_RANK.get(role or "", 0)


def project_role_of(organization_role: str | None) -> str | None:
    """The project role that an organization role gives in every project, or None (contract, section 13)."""
    return organization_role if organization_role in MANAGING_ROLES else None


def may_assign(own: str | None, role: str) -> bool:
    """Whether a person with the organization role `own` may give `role`: owners and admins, up to their own role."""
    return own in MANAGING_ROLES and organization_rank(role) <= organization_rank(own)


def may_assign_in_project(own: str | None, role: str) -> bool:
    """Whether a person with the organization role `own` may give this project role: owners and admins, up to it."""
    return own in MANAGING_ROLES and project_rank(role) <= project_rank(project_role_of(own))


def highest(roles: list[str]) -> str | None:
    """The highest of these project roles, or None; of custom roles alone, the first in alphabetical order."""
    return max(sorted(roles), key=project_rank, default=None)


MOST_CUSTOM_ROLES: Final = 5
"""The most custom roles that a project can have (contract, section 13)."""


def problem_with_role_name(name: object) -> str | None:
    """Why this cannot be the name of a custom role, in words, or None if it can."""
    if not isinstance(name, str) or not name.strip():
        return f"{name!r} cannot be the name of a custom role"
    if is_project_role(normalized(name)):
        return f"{name!r} is a role that every project has; give the custom role another name"
    return None


def problem_with_permissions(permissions: object) -> str | None:
    """Why these cannot be permissions, in words, or None if they can; only Mixpanel knows the codes."""
    if not isinstance(permissions, (list, tuple)):
        return f"{permissions!r} is not a list of permissions"
    wrong = [code for code in permissions if not isinstance(code, str) or not code.strip()]
    return f"{wrong[0]!r} is not a permission, which is a code of Mixpanel's" if wrong else None


def as_set(permissions: Iterable[str]) -> list[str]:
    """Permissions, each once and in order, so that equal sets are equal lists."""
    return sorted({code.strip() for code in permissions})


def base_of(
    held: Iterable[str], wanted: Iterable[str], added: Iterable[str] | None, catalogue: Iterable[str] | None
) -> frozenset[str]:
    """The permissions of a role that the server added, and that are not drift.

    Args:
        held: the role's permissions.
        wanted: the declared ones; the server did not add those.
        added: what the server added when the role was last written, if known.
        catalogue: the permissions that can be switched, if known: only the server can have added any other.
    """
    extra = frozenset(held) - frozenset(wanted)
    if added is not None:
        return extra & frozenset(added)
    return frozenset() if catalogue is None else extra - frozenset(catalogue)


@dataclass(frozen=True)
class CustomRoleInfo:
    """A custom role of a project (Enterprise). Its id can stand wherever a project role can.

    Attributes:
        permissions: Mixpanel's codes; None if it does not show them.
    """

    project: int
    id: str
    name: str
    description: str = ""
    permissions: frozenset[str] | None = None
