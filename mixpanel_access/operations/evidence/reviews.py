"""What the access reviews decided in a period, and what was undecided at its end, by their evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.evidence.document import EvidenceSource, Period, ReviewRow
from mixpanel_access.operations.evidence.sources import file_source
from mixpanel_access.operations.review.deciding import verify
from mixpanel_access.operations.review.files import FOLDER
from mixpanel_access.operations.review.packet import ReviewEvent, ReviewLine, evidence_file
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
    unknown: list[str] = []
    for folder in sorted(path for path in (project / FOLDER).glob("*") if evidence_file(path).is_file()):
        cut: list[str] = []
        record = read_record(folder, cut.append)
        unknown += (f"The last line of a review's evidence is left out: {words}." for words in cut)
        if own := [*review_rows(record.lines, period, stacks)]:
            rows += own
            sources.append(file_source(project, folder, "review", lines=len(record.lines)))
            unknown += (f"The review {folder.name} has a problem: {words}." for words in _problems(folder, record))
    return ReviewsOfPeriod(rows, sources, unknown)


def _problems(folder: Path, record: ReviewRecord) -> list[str]:
    """What `review verify` finds."""
    try:
        return [*verify(folder, record)]
    except UsageError as error:
        return [f"{error}".removesuffix(".")]


def review_rows(lines: Sequence[ReviewLine], period: Period, stacks: Collection[str]) -> Iterator[ReviewRow]:
    """The decisions of one review that were applied in a period, then the items that were undecided at its end."""
    record = record_of_lines([line for line in lines if instant(line.date) <= period.end])
    for line in record.counted:
        if line.event == ReviewEvent.DECIDED and line.stack in stacks and period.has(instant(line.date)):
            yield _row(line, record, "applied" if _counts(line, record) else "doubtful")
    for listing_key, listed in record.listed.items():
        is_decided = any(_counts(line, record) for line in record.decided.get(listing_key, ()))
        if record.latest_key(listing_key.item_key) == listing_key and not is_decided and listed[-1].stack in stacks:
            yield _row(listed[-1], record, "undecided")


def _counts(line: ReviewLine, record: ReviewRecord) -> bool:
    """Whether a decision follows from the lines before it, and no other branch decided otherwise."""
    found = record.decided.get(line.listing_key, ())
    return line not in record.doubtful and (line not in found or len({one.outcome for one in found}) == 1)


def _row(line: ReviewLine, record: ReviewRecord, status: str) -> ReviewRow:
    same = record.same_listings(line)
    return ReviewRow(
        review=line.review,
        status=status,
        stack=line.stack,
        person=line.email,
        project=line.project,
        role=line.role,
        engagement=line.engagement,
        starts=line.starts,
        listed=instant(same[0].date) if same else None,
        reviewer=line.reviewer,
        decision=line.decision,
        new_role=line.new_role,
        comment=line.comment,
        decided=line.decided,
        applied=instant(line.date) if line.event == ReviewEvent.DECIDED else None,
    )
