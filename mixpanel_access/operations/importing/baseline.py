"""The baseline engagement of an import: one reason for the access of everybody whom it finds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from ruamel.yaml.comments import CommentedMap

from mixpanel_access.model.dates import day
from mixpanel_access.model.engagements import DATE_FIELDS, problems_with_metadata
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Engagement, Roster
from mixpanel_access.model.similarity import counted, in_words
from mixpanel_access.operations.invite_entry import OF_EITHER, TERMS

ASKED: Final = ("sow", *OF_EITHER)
"""What the policy rules want to know of an engagement; only people know it."""
_BLANK: Final = "to be filled in"


@dataclass(frozen=True)
class Baseline:
    """The engagement that everybody gets.

    Attributes:
        key: its key in the roster.
        terms: what is known of a new one: type, sow, ticket, approver, justification, starts, ends, sponsor.
    """

    key: str
    terms: Mapping[str, str] = field(default_factory=dict)


def with_engagement(text: str, source: RosterSource, baseline: Baseline, today: date) -> str:
    """The roster's text with the engagement; what is not known of a new one stands there without a value.

    Raises:
        UsageError: a term cannot be used, the engagement is there with other terms, or it gives nothing today.
    """
    roster = parse(text, source)
    if baseline.key in roster.engagements:
        if baseline.terms:
            raise UsageError(
                f"cannot use --{next(iter(baseline.terms))}",
                subject=baseline.key,
                why=f"{source.name} has the engagement already, with terms of its own",
                next_step="Leave the terms out, or name another --engagement.",
            )
    else:
        for name, words in problems_with_metadata(baseline.terms).items():
            raise UsageError(f"cannot use --{name}", subject=baseline.terms[name], why=words, next_step="Correct it.")
        text = editing.add_engagement(text, source, baseline.key, _rows(baseline.terms))
    engagement = parse(text, source).engagements[baseline.key]
    starts, ends = _day(engagement.starts), _day(engagement.ends)
    if (starts and starts > today) or (ends and ends < today):
        days = f"it starts on {starts}" if starts and starts > today else f"it ended on {ends}"
        raise UsageError(
            "cannot import with the engagement",
            subject=baseline.key,
            why=f"{days}, so the roster would declare nobody today, {today}",
            next_step="Correct its days, or name another --engagement.",
        )
    return text


def _rows(terms: Mapping[str, str]) -> CommentedMap:
    """The fields of a new engagement; an unknown one has a comment in place of a value."""
    rows = CommentedMap()
    for name in TERMS:
        if name in terms:
            rows[name] = day(terms[name]) if name in DATE_FIELDS else terms[name]
        elif name in ASKED:
            rows[name] = None
            rows.yaml_add_eol_comment(_BLANK, name, column=0)
    return rows


def _day(value: object) -> date | None:
    return day(str(value)) if value else None


def missing(engagement: Engagement) -> list[str]:
    """What the policy rules want to know of an engagement and it does not say."""
    return [name for name in ASKED if not getattr(engagement, name)]


def stamped(text: str, source: RosterSource, key: str, people: Collection[str], note: str) -> str:
    """The roster's text in which the entries of these people that have no engagement have this one.

    Args:
        text: the roster.
        source: where it is from.
        key: the engagement.
        people: the keys of the addresses.
        note: the comment that an entry without an engagement has, and now loses.
    """
    roster = parse(text, source)
    has_it = {person.key for person in roster.people if person.engagement == key}
    positions = [
        at
        for at, person in enumerate(roster.people)
        if person.engagement is None and person.key in people and person.key not in has_it
    ]
    return editing.set_engagement(text, source, key, positions, note)


def in_words_for(key: str, roster: Roster, file: str) -> list[str]:
    """What to know of the engagement after the import: what it lacks, and what its end means."""
    engagement = roster.engagements[key]
    said = []
    if lacks := missing(engagement):
        said.append(
            f"The engagement {key} in {file} has no {in_words(lacks)} yet: fill that in before you raise rules."
        )
    if engagement.ends:
        people = sum(person.engagement == key for person in roster.people)
        said.append(
            f"The engagement {key} ends on {engagement.ends}: the next `pulumi up` after that day takes the access of "
            f"{counted(people, 'person', 'people')} away, unless their entries name another engagement by then."
        )
    return said
