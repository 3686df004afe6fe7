"""How much a role gives: the four project roles by their order, a custom role by its permissions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.other_access import gives_classified
from mixpanel_access.rules.entry import UNKNOWN, Entry, NotJudged

PRIVILEGED: Final = (roles.OWNER, roles.ADMIN, roles.BILLING_ADMIN)
"""The roles that manage others, or the bill."""

_ADMIN: Final = re.compile(
    r"admin|manage|delete|reset|settings|invite|user_roles|access|service_account|token|secret|integration|pipeline"
    r"|import|billing|transfer|security|audit|classif|approve|owner|permission"
)
"""What is in the code of a permission that project admins have and analysts have not."""
_PEOPLE: Final = re.compile(
    r"(add|assign|change|create|edit|grant|impersonate|promote|purge|remove|share|update)_(\w+_)?"
    r"(user|member|group|team|role|people|project|organization|sso|scim|public)s?(_.*)?|impersonate.*|purge.*|.*_sso|.*_scim"
)
"""The same, of what changes who has access, where an analyst may see the people."""
_CONSUMER: Final = re.compile(r"(view|read|see|list)_.*")
"""The codes of permissions that consumers have. Mixpanel publishes no codes: all others count as an analyst's."""


def height(entry: Entry) -> int:
    """The height of the project role that a resource gives, as `roles.project_rank` has it.

    Raises:
        NotJudged: it is a custom role whose permissions are not known, or the role itself is not.
    """
    role = entry.role
    if not roles.is_custom(role):
        return roles.project_rank(role)
    return max(_height_of(custom, entry) for custom in _custom_roles(entry))


def is_privileged(entry: Entry) -> bool:
    """Whether a member or a grant has a role that manages; a custom role that is not known may.

    Raises:
        NotJudged: the role is not known.
    """
    role = entry.role
    if not roles.is_custom(role):
        return role in PRIVILEGED
    return not entry.custom_roles or height(entry) >= roles.project_rank(roles.ADMIN)


def sees_classified_data(entry: Entry) -> bool:
    """Whether a role lets people see classified data, which custom roles alone can.

    Raises:
        NotJudged: it is a custom role whose permissions are not known, or the role itself is not.
    """
    return roles.is_custom(entry.role) and any(gives_classified(_codes(one, entry)) for one in _custom_roles(entry))


def _custom_roles(entry: Entry) -> Sequence[Entry]:
    """The custom roles of which a resource's role is one."""
    if not entry.custom_roles:
        raise NotJudged(
            f"{entry}: this stack does not declare the custom role, so what it gives is not known",
            entry,
            "Declare the custom role in this stack (customRoles in the roster), or give one of the four roles.",
        )
    return entry.custom_roles


def _codes(custom_role: Entry, entry: Entry) -> list[str]:
    """The permissions of a custom role: those that are declared, and those that Mixpanel adds."""
    declared, added = (custom_role.values.get(name) for name in ("permissions", "base_permissions"))
    if declared is UNKNOWN:
        raise NotJudged(f"{entry}: the permissions of {custom_role.name} are not known before the update", entry)
    return [str(code).lower() for part in (declared, added) if isinstance(part, list) for code in part]


def _height_of(custom_role: Entry, entry: Entry) -> int:
    codes = _codes(custom_role, entry)
    if any(_ADMIN.search(code) or _PEOPLE.fullmatch(code) for code in codes):
        return roles.project_rank(roles.ADMIN)
    reads = all(_CONSUMER.fullmatch(code) for code in codes)
    return roles.project_rank(roles.CONSUMER if reads else roles.ANALYST)
