"""What the access reviews decided in a period, and what was undecided at its end, by their evidence. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from mixpanel_access.model.dates import instant
from mixpanel_access.operations.evidence.document import Period, ReviewRow
from mixpanel_access.operations.review.packet import EvidenceLine, ReviewEvent
from mixpanel_access.operations.review.record import ReviewRecord, record_of_lines


def review_rows(lines: Sequence[EvidenceLine], period: Period, stacks: Collection[str]) -> Iterator[ReviewRow]:
    """The decisions of one review that were applied in a period, then the items that were undecided at its end."""
    known = [line for line in lines if instant(line.date) <= period.end]
    record = record_of_lines(known)
    for line in record.once:
        if line.event == ReviewEvent.DECIDED and line.stack in stacks and period.has(instant(line.date)):
            yield _row(line, record, "applied")
    for turn, listed in record.listed.items():
        line = listed[-1]
        if record.turn(turn.item_key) == turn and turn not in record.decided and line.stack in stacks:
            yield _row(line, record, "undecided")


def _row(line: EvidenceLine, record: ReviewRecord, status: str) -> ReviewRow:
    listed = record.listed.get(line.turn, ())
    applied = line.event == ReviewEvent.DECIDED
    return ReviewRow(
        review=line.review,
        status=status,
        stack=line.stack,
        person=line.email,
        project=line.project,
        role=line.role,
        engagement=line.engagement,
        starts=line.starts,
        listed=instant(listed[0].date) if listed else None,
        reviewer=line.reviewer,
        decision=line.decision,
        new_role=line.new_role,
        comment=line.comment,
        decided=line.decided,
        applied=instant(line.date) if applied else None,
    )
