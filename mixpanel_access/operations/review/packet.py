"""The packet of one reviewer, and the review's evidence, to which commands only add lines."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from mixpanel_access.files.lines import FileLine
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.roster.schema import IsoDate
from mixpanel_access.rules.rule import Suggestion

DECISIONS: Final = (Suggestion.KEEP, Suggestion.LOWER, Suggestion.REMOVE)
"""What can be decided."""
ORGANIZATION: Final = "the organization"
"""What an item is about that is about no project, for people."""


class EntryKey(NamedTuple):
    """Which entry of which roster: a person has one an engagement, or several one after the other."""

    stack: str
    key: str
    engagement: str | None
    starts: str | None


class ItemKey(NamedTuple):
    """What an item is about: an entry's role in one project, or in the organization (None)."""

    entry: EntryKey
    project: str | None


class ListingKey(NamedTuple):
    """One listing of a role in a review, which is decided once."""

    item_key: ItemKey
    listing: int


class RoleListing:
    """What an item of a packet and a line of the evidence have in common: the role, and what was decided.

    What is not known or not there is null in a packet, and "" in the evidence.

    Attributes:
        stack: the stack.
        email: the address of the person.
        engagement: the engagement's key, if there is one.
        starts: the first day by the roster, if there is one.
        project: the key of the project in the roster; none for the organization role, or for an entry without projects.
        role: the role that the entry gave when it was listed, as the roster has it.
        organization_role: the organization role that the entry gave; none in a file of an earlier version.
        ends: the last day, if there is one.
        approver: who approved the access, if anybody.
        ticket: the ticket that asks for it, if there is one.
        sow: the statement of work, if there is one.
        justification: why the person needs it, if the roster says so.
        sponsor: who sponsors the engagement, if anybody.
        teams: the teams of the entry, with what each of them gives.
        permissions: the permissions of the role, if it is a custom role of the roster.
        project_id: Mixpanel's id of the project; none for the organization role.
        suggestion: the suggested decision.
        suggested_role: the role to lower to, if that is suggested.
        reason: the reason for the suggestion.
        listing: which listing of this role in the review it is: 2 if the access was given again or raised after the
            first decision was applied.
        decision: `keep`, `lower` or `remove`; none if it is undecided.
        new_role: the role to lower to, for the decision `lower`.
        comment: the reviewer's comment, if there is one.
    """

    if TYPE_CHECKING:
        stack: str
        email: str
        engagement: str | None
        starts: str | None
        project: str | None
        role: str
        listing: int
        decision: str | None
        new_role: str | None

    @property
    def key(self) -> str:
        """The address in the form in which two spellings are the same."""
        return same_key(self.email)

    @property
    def entry(self) -> EntryKey:
        """The roster's entry that gives it."""
        return EntryKey(self.stack, self.key, self.engagement or None, self.starts or None)

    @property
    def item_key(self) -> ItemKey:
        """The role, in whichever listing."""
        return ItemKey(self.entry, self.project or None)

    @property
    def listing_key(self) -> ListingKey:
        """The role, and which listing of it this is."""
        return ListingKey(self.item_key, self.listing)

    @property
    def lowered_to(self) -> str:
        """The role to lower to, as the roster has it, or ""."""
        return roles.normalized(self.new_role or "")

    @property
    def outcome(self) -> str:
        """The decision in words; "" if it is undecided."""
        return f"{self.decision} to {self.lowered_to}" if self.decision and self.new_role else self.decision or ""

    def __str__(self) -> str:
        return f"{self.email} as {self.role} in {self.project or ORGANIZATION}, stack {self.stack}"


def _nothing(value: object) -> object:
    """An empty list for a key without a value."""
    return () if value is None else value


class PacketPart(BaseModel):
    """Any part of a packet."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class Item(RoleListing, PacketPart):
    """One role of one entry, with what is known of it, and what was decided.

    Attributes:
        name: the person's name, or None.
        project_name: its name, or None.
        since: the day since which the stack has it, or None if it does not have it.
        changed: the day on which the stack last changed it, if that is another day.
        state: whether the entry is `current`, `ends soon` or `over`.
        last_active: the day of the last login; `never`, `invited`, `not in the organization` or `unknown`.
        reviewed: the day of the previous review, or None.
        custom_roles: the keys of the custom roles that the roster makes in the project, which one can lower to.
        sources: every grant through which the person has a role there, as Mixpanel shows it.
        other_access: access of the person that no stack manages, in the project or in no project.
        unassigned: why the item has no reviewer; only in the packet without a reviewer.
        reviewer: who decided, if not the packet's reviewer.
        decided: the day of the decision; None for the day on which it is applied.
        replaces: the applied decision that `review decide` replaced with this one, or None.
    """

    stack: str
    email: str
    name: str | None = None
    engagement: str | None = None
    starts: IsoDate = None
    project: str | None = None
    project_name: str | None = None
    role: str
    since: IsoDate = None
    changed: IsoDate = None
    sow: str | None = None
    ticket: str | None = None
    justification: str | None = None
    approver: str | None = None
    sponsor: str | None = None
    ends: IsoDate = None
    project_id: int | None = None
    organization_role: str | None = None
    teams: Annotated[Sequence[str], BeforeValidator(_nothing)] = ()
    permissions: Annotated[Sequence[str], BeforeValidator(_nothing)] = ()
    state: str
    last_active: Annotated[str, BeforeValidator(lambda value: value if isinstance(value, str) else str(value))]
    reviewed: IsoDate = None
    custom_roles: Annotated[Sequence[str], BeforeValidator(_nothing)] = ()
    sources: Annotated[
        Sequence[str],
        BeforeValidator(_nothing),
        Field(validation_alias=AliasChoices("sources", "ways")),  # packets of earlier versions have `ways`
    ] = ()
    other_access: Annotated[Sequence[str], BeforeValidator(_nothing)] = ()
    suggestion: str
    suggested_role: str | None = None
    reason: str
    unassigned: str | None = None
    listing: int = 1
    decision: str | None = None
    new_role: str | None = None
    comment: str | None = None
    reviewer: str | None = None
    decided: IsoDate = None
    replaces: str | None = None

    def decided_on(self, today: date) -> date:
        """The day of the decision: today, if the packet has none."""
        return day(self.decided) if self.decided else today

    @property
    def options(self) -> str:
        """The options of `review decide` that select it among the person's items."""
        named = {"stack": self.stack, "project": self.project, "engagement": self.engagement, "starts": self.starts}
        words = [word for name, value in named.items() if value for word in (f"--{name}", value)]
        return shlex.join([*words, *([] if self.project else ["--organization"])])


FILLED_IN: Final = ("decision", "new_role", "comment", "reviewer", "decided")
"""What a reviewer fills in."""


class Unmanaged(PacketPart):
    """An individual grant that no roster gives: the packet lists it, and nobody decides it here.

    Attributes:
        stack: the stack whose roster has the project.
        email: the address of the person.
        project: the project's key.
        role: the role.
        note: what is wrong, and what to do about it.
    """

    stack: str
    email: str
    project: str
    role: str
    note: str


class Packet(PacketPart):
    """What one reviewer gets.

    Attributes:
        review: the review's name.
        made: the day on which it was begun.
        reviewer: who decides; None for what has no reviewer.
        items: what the reviewer decides.
        unknown: what of the access that no stack manages could not be read, and why.
        unmanaged: what no roster gives; only in the packet of what has no reviewer.
    """

    review: str
    made: IsoDate
    reviewer: str | None = None
    unknown: Annotated[Sequence[str], BeforeValidator(_nothing)] = ()
    items: Annotated[Sequence[Item], BeforeValidator(_nothing)] = ()
    unmanaged: Annotated[Sequence[Unmanaged], BeforeValidator(_nothing)] = ()

    def reviewer_of(self, item: Item) -> str:
        """Who decides, or decided; "" where nobody is named."""
        return item.reviewer or self.reviewer or ""


EVIDENCE_FILE: Final = "evidence.jsonl"
"""Its name in the review's folder."""


class ReviewEvent(StrEnum):
    """What a line says happened."""

    LISTED = "listed"
    DECIDED = "decided"


@dataclass(frozen=True, kw_only=True)
class ReviewLine(RoleListing, FileLine):
    """One line of the evidence.

    Attributes:
        date: when it was written (ISO 8601, UTC).
        event: `listed` when the packets were made, `decided` when the decision was applied to the roster.
        review: the review.
        reviewer: the person who was asked, or who decided.
        decided: the day of the decision, or "".
        roster: the name of the roster's file, or "".
        before: the hash (SHA-256) of that file before the decisions were applied, or "".
        after: the hash of the file with the decisions.
        replaces: the decision on this listing that was applied before and that this one replaces, or ""; of two
            branches, both of them.
    """

    file_is: ClassVar[str] = "the review's evidence"

    date: str
    event: str
    review: str
    stack: str
    email: str
    project: str
    engagement: str
    starts: str
    role: str
    suggestion: str
    suggested_role: str
    reason: str
    reviewer: str
    decided: str = ""
    decision: str = ""
    new_role: str = ""
    comment: str = ""
    roster: str = ""
    before: str = ""
    after: str = ""
    organization_role: str = ""
    ends: str = ""
    approver: str = ""
    ticket: str = ""
    sow: str = ""
    justification: str = ""
    sponsor: str = ""
    teams: str = ""
    permissions: str = ""
    project_id: str = ""
    listing: int = 1
    replaces: str = ""

    @property
    def says(self) -> tuple[str, str, str, str]:
        """Role, decision and reviewer; if one of them differs, it is another decision."""
        return self.role, self.decision, self.new_role, same_key(self.reviewer)


def evidence_file(folder: Path) -> Path:
    """The evidence of a review."""
    return folder / EVIDENCE_FILE
