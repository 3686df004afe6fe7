"""The evidence of a review: what was listed, and who decided what, in lines that are only added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final

from mixpanel_access.files.lines import FileLine
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import written
from mixpanel_access.operations.review.packet import EntryKey, Item, ItemKey

FILE: Final = "evidence.jsonl"
"""Its name in the review's folder."""


class ReviewEvent(StrEnum):
    """What a line says happened."""

    LISTED = "listed"
    DECIDED = "decided"


@dataclass(frozen=True, kw_only=True)
class EvidenceLine(FileLine):
    """One line of the evidence.

    Attributes:
        date: when it was written (ISO 8601, UTC).
        event: `listed` when the packets were made, `decided` when the decision was applied to the roster.
        review: the review.
        stack: the stack.
        email: the person's address.
        project: the project's key; "" for the organization role.
        engagement: the engagement's key, or "".
        starts: the entry's first day, or "".
        role: the role at that time.
        suggestion: what was suggested.
        suggested_role: the role to lower to, or "".
        reason: why it was suggested.
        reviewer: the person who was asked, or who decided.
        decided: the day of the decision, or "".
        decision: `keep`, `lower` or `remove`, or "".
        new_role: the role that it was lowered to, or "".
        comment: the reviewer's comment.
        roster: the name of the roster's file, or "".
        before: the hash (SHA-256) of that file before the decisions were applied, or "".
        after: the hash of the file with the decisions.
    """

    file_is: ClassVar[str] = "the evidence"

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

    @property
    def item_key(self) -> ItemKey:
        """The item that it is about."""
        entry = EntryKey(self.stack, same_key(self.email), self.engagement or None, self.starts or None)
        return ItemKey(entry, self.project or None)

    @property
    def says(self) -> tuple[str, str, str, str]:
        """Role, decision and reviewer; if one of them differs, it is another decision."""
        return self.role, self.decision, self.new_role, same_key(self.reviewer)


def listed(item: Item, review: str, reviewer: str, now: datetime) -> EvidenceLine:
    """The line that says that a reviewer was asked about an item."""
    return EvidenceLine(
        date=written(now),
        event=ReviewEvent.LISTED.value,
        review=review,
        stack=item.stack,
        email=item.email,
        project=item.project or "",
        engagement=item.engagement or "",
        starts=item.starts or "",
        role=item.role,
        suggestion=item.suggestion,
        suggested_role=item.suggested_role or "",
        reason=item.reason,
        reviewer=reviewer,
    )


def file_of(folder: Path) -> Path:
    """The evidence of a review."""
    return folder / FILE
