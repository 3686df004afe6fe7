"""What our own account may do: by the permissions that Mixpanel lists, or else by its role (contract, section 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mixpanel_access.model import roles


class Permission(StrEnum):
    """Mixpanel's codes of permissions in an organization, as far as we ask for them."""

    ADD_USER = "add_user"
    DELETE_MEMBERS = "delete_members"
    EDIT_USERROLES = "edit_userroles"
    CREATE_TEAM = "create_team"
    DELETE_TEAM = "delete_team"
    ADD_MEMBER_TO_TEAM = "add_member_to_team"
    DELETE_USER_FROM_TEAM = "delete_user_from_team"
    ADD_PROJECT_TO_TEAM = "add_project_to_team"
    DELETE_PROJECT_FROM_TEAM = "delete_project_from_team"
    CREATE_SERVICE_ACCOUNT = "create_service_account"
    VIEW_AUDIT_LOGS = "view_audit_logs"
    DELETE_ORG = "delete_org"
    TRANSFER_PROJECT = "transfer_project"
    DELETE_PROJECT = "delete_project"


OF_OWNERS: Final = frozenset({Permission.DELETE_ORG, Permission.TRANSFER_PROJECT, Permission.DELETE_PROJECT})
"""What only an owner may do, whatever Mixpanel calls the role."""

PEOPLE: Final[Mapping[str, Permission]] = {
    "invite": Permission.ADD_USER,
    "change organization roles": Permission.EDIT_USERROLES,
    "remove": Permission.DELETE_MEMBERS,
}
"""The permissions that every stack needs, with what they allow."""
TEAMS: Final[Mapping[str, Permission]] = {
    "create teams": Permission.CREATE_TEAM,
    "delete teams": Permission.DELETE_TEAM,
    "put people into teams": Permission.ADD_MEMBER_TO_TEAM,
    "take people out of teams": Permission.DELETE_USER_FROM_TEAM,
    "give teams projects": Permission.ADD_PROJECT_TO_TEAM,
    "take projects from teams": Permission.DELETE_PROJECT_FROM_TEAM,
}
"""The permissions that a stack with teams needs."""
SERVICE_ACCOUNTS: Final[Mapping[str, Permission]] = {"create service accounts": Permission.CREATE_SERVICE_ACCOUNT}
"""The permission that a stack with service accounts of its own needs."""

_CODE: Final = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


@dataclass(frozen=True)
class OwnRights:
    """What our own account may do in the organization.

    Attributes:
        word: its organization role as Mixpanel shows it, or None.
        permissions: the codes that Mixpanel lists; a set without any code that we know says nothing.
    """

    word: str | None
    permissions: frozenset[str] = frozenset()

    @property
    def listed(self) -> bool:
        """Whether the permissions say what the account may do."""
        return not self.permissions.isdisjoint(Permission)

    @property
    def role(self) -> str | None:
        """The organization role in effect: Mixpanel may call an owner admin."""
        if not self.permissions.isdisjoint(OF_OWNERS):
            return roles.OWNER
        if self.word not in roles.MANAGING_ROLES and not self.permissions.isdisjoint(PEOPLE.values()):
            return roles.ADMIN
        return self.word

    def may(self, permission: Permission) -> bool | None:
        """Whether the account has a permission; None if neither permissions nor role show it."""
        if self.listed:
            return permission in self.permissions
        if not roles.is_organization_role(self.word):
            return None
        return self.word == roles.OWNER or (self.word == roles.ADMIN and permission not in OF_OWNERS)

    def lacking(self, needed: Mapping[str, Permission]) -> list[str]:
        """The needed permissions that are missing in the listed ones, in words: "remove (delete_members)"."""
        return [f"{what} ({code})" for what, code in needed.items() if self.listed and not self.may(code)]

    def in_words(self, needed: Mapping[str, Permission]) -> str:
        """What the listed permissions say: "may invite: add_user yes; may remove: delete_members no"."""
        told = {what: f"{code} {'yes' if self.may(code) else 'no'}" for what, code in needed.items()}
        return "; ".join(f"may {what}: {words}" for what, words in told.items())


def what_is_needed(words: str) -> str:
    """What to do about a 403, by Mixpanel's words: about the permission that it names, the plan, or a higher role."""
    named = [code for code in dict.fromkeys(_CODE.findall(words)) if _is_permission(code, words)]
    if owners := sorted(OF_OWNERS.intersection(named)):
        return f"Only an organization owner may do this ({', '.join(owners)}): have one do it in the product."
    if named:
        return f"The service account needs the permission {', '.join(named)}: use one with a higher role that has it."
    if re.search(r"\bplan\b", words, re.IGNORECASE):
        return "The organization's plan does not include this: change the plan in Mixpanel, or do without it."
    if re.search(r"\bowners?\b", words, re.IGNORECASE) and not re.search(r"\badmins?\b", words, re.IGNORECASE):
        return "It may need an organization owner, which no service account is: have one do it in the product."
    return (
        "The service account's role may be too low (most calls need an organization admin, some an owner), or the plan "
        "lacks the feature: `mixpanel-access doctor` shows what the account may do."
    )


def _is_permission(code: str, words: str) -> bool:
    """Whether a word with underscores is a permission: a known one, or one that the sentence calls a permission."""
    if code in list(Permission):
        return True
    called = re.search(rf"\b(permission|right)s?\b[^.;]*\b{code}\b", words, re.IGNORECASE)
    return called is not None and code not in roles.ORGANIZATION_ROLES


def unknown_words(shown: Iterable[str | None]) -> dict[str, int]:
    """The organization roles that we do not know, and how many people have each."""
    found = [role for role in shown if role is not None and not roles.is_organization_role(role)]
    return {role: found.count(role) for role in sorted(set(found))}


@dataclass(frozen=True)
class Identity:
    """Our own identity, as Mixpanel shows it.

    Attributes:
        email: the login name of the service account, or a person's address.
        organizations: organization id -> our role there, or None.
        permissions: organization id -> the codes of our permissions there; an empty set is unknown.
    """

    email: str
    organizations: Mapping[int, str | None] = field(default_factory=dict)
    permissions: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def rights(self, organization: int) -> OwnRights:
        """What we may do in an organization."""
        return OwnRights(self.organizations.get(organization), self.permissions.get(organization, frozenset()))
