"""Access that no stack manages, and that is only shown: what was read of it, and what could not be.

Data views, classified data, service accounts' sensitive flag, MCP and discoverability (contract, section 17).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mixpanel_access.model.address import few, same_key

EVERYBODY: Final = "everybody in the organization"
ORGANIZATION: Final = "the organization"
CLASSIFIED_WORD: Final = "classif"
"""What the code of the permission for classified data is taken to contain: Mixpanel publishes no codes."""


class AccessSource(StrEnum):
    """What kind of access it is."""

    DATA_VIEWS = "data views"
    CLASSIFIED = "classified data"
    ACCOUNTS = "sensitive service accounts"
    MCP = "MCP"
    DISCOVERABILITY = "discoverability"


OF_PEOPLE: Final = (AccessSource.DATA_VIEWS, AccessSource.CLASSIFIED, AccessSource.MCP)
"""The kinds that one person can have."""


class Discoverability(StrEnum):
    """How people of the company's domains, who are not in the organization, come into it."""

    CLOSED = "Closed"
    REQUEST = "Request"
    OPEN = "Open"


@dataclass(frozen=True)
class AccountFlag:
    """What a project's list says of one service account.

    Attributes:
        name: its name, or its id in words.
        role: its role there, or None.
        sensitive: whether it has sensitive access; None where the list does not tell.
    """

    name: str
    role: str | None
    sensitive: bool | None


@dataclass(frozen=True)
class OtherAccess:
    """One thing that somebody has, or that is unknown.

    Attributes:
        source: the kind of access.
        who: an address, or a team, a service account or the organization in words; "" if it is unknown for everybody.
        what: the access, or why it is unknown.
        project: the project's id, or None.
        known: False if it is unknown whether this access exists.
    """

    source: AccessSource
    who: str
    what: str
    project: int | None = None
    known: bool = True

    def concerns(self, email_key: str) -> bool:
        """Whether it concerns the person of that key; what is unknown may."""
        return not self.known or self.who == EVERYBODY or same_key(self.who) == email_key

    def __str__(self) -> str:
        return f"{self.source}: {self.what}" if self.known else f"{self.source}: unknown ({self.what})"


def gives_classified(permissions: Iterable[str]) -> bool:
    """Whether one of these permissions of a custom role lets people see classified data."""
    return any(CLASSIFIED_WORD in code.lower() for code in permissions)


def unknown_access(source: AccessSource, why: str, projects: Collection[int] = ()) -> OtherAccess:
    """What could not be read, in all projects or in some."""
    only = next(iter(projects)) if len(projects) == 1 else None
    where = f" (projects {few([str(one) for one in sorted(projects)])})" if len(projects) > 1 else ""
    return OtherAccess(source, "", why.rstrip(". ") + where, only, known=False)
