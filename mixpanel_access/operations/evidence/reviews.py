"""What the access reviews decided in a period, and what was undecided at its end, by their evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mixpanel_access.model.dates import instant
from mixpanel_access.operations.evidence.document import EvidenceSource, Period, ReviewRow
from mixpanel_access.operations.evidence.sources import file_source
from mixpanel_access.operations.review.files import FOLDER
from mixpanel_access.operations.review.packet import EvidenceLine, ReviewEvent, evidence_file
from mixpanel_access.operations.review.record import ReviewRecord, read_record, record_of_lines


@dataclass(frozen=True)
class ReviewsOfPeriod:
    """The reviews of a project that have something to say about a period.

    Attributes:
        rows: their decisions and undecided items.
        sources: their folders.
        unknown: what of them could not be known, each in a sentence.
    """

    rows: Sequence[ReviewRow]
    sources: Sequence[EvidenceSource]
    unknown: Sequence[str]


def read_reviews(project: Path, stacks: Sequence[str], period: Period) -> ReviewsOfPeriod:
    """Read the evidence of all reviews of a project.

    Raises:
        UsageError: it cannot be read.
    """
    rows: list[ReviewRow] = []
    sources: list[EvidenceSource] = []
    cut: list[str] = []
    for folder in sorted(path for path in (project / FOLDER).glob("*") if evidence_file(path).is_file()):
        lines = read_record(folder, cut.append).lines
        if own := [*review_rows(lines, period, stacks)]:
            rows += own
            sources.append(file_source(project, folder, "review", lines=len(lines)))
    unknown = [f"The last line of a review's evidence is left out: {words}." for words in cut]
    return ReviewsOfPeriod(rows, sources, unknown)


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
