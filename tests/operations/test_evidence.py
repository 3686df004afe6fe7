"""The evidence of a period, from made lines: access at both ends, changes, reviews, exceptions, what is not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.evidence.access import AccessHistory, EvidenceScope
from mixpanel_access.operations.evidence.build import period_of
from mixpanel_access.operations.evidence.document import (
    AccessKind,
    AccessRow,
    ChangeRow,
    EvidenceDocument,
    EvidenceSource,
    Period,
)
from mixpanel_access.operations.evidence.exceptions import RulesOfStack, exception_rows, weakened_rules
from mixpanel_access.operations.evidence.reviews import review_rows
from mixpanel_access.operations.evidence.unknown import (
    unknown_of_log,
    unknown_of_sources,
    unknown_of_stacks,
)
from mixpanel_access.operations.policy_check import PolicyConfig
from mixpanel_access.operations.review.packet import ReviewLine
from mixpanel_access.operations.tracker.lines import UNKNOWN, Access, LogEvent, LogLine
from mixpanel_access.rules.catalogue import EXCEPTABLE
from mixpanel_access.rules.facts import Context
from tests.operations.test_timeline import LIVES, ROLELESS, UNTOLD, taken_over_with_another_role
from tests.operations.tracking import World as Emulated
from tests.operations.tracking import world

E = LogEvent
PRODUCTION, STAGING = "production", "staging"
BOTH = EvidenceScope([PRODUCTION, STAGING], all_stacks=True, projects={7: "Shop"})
ANA, BO, NEW = "ana@example.com", "bo@example.com", "bo.new@example.com"
MAY = Period(date(2026, 5, 10), date(2026, 5, 20), datetime(2026, 6, 1, 12, tzinfo=UTC))


def line(at: str, event: str, role: str = "analyst", **more: Any) -> LogLine:
    """What Ana did to Bo's role in project 7 of production, on a day of May and at an hour."""
    day, _, hour = at.partition(" ")
    given = {
        "admin": ANA, "email": BO, "stack": PRODUCTION, "project": 7, "organization": 1, "audit_id": f"e{at}", **more,
    }  # fmt: skip
    return LogLine(date=f"2026-05-{day}T{hour or '12:00:00'}Z", event=event, role=role, **given)


def member(at: str, event: str, **more: Any) -> LogLine:
    """The same for their membership."""
    return line(at, event, "member", project=None, **more)


def moved(day: str) -> LogLine:
    """Bo has another address."""
    return line(day, E.READDRESSED, "", project=None, stack="", email=NEW, email_before=BO, admin=UNKNOWN)


# Access and changes


class World:
    """Who has what, in a model of its own: (person, project) -> the role and the stacks; and the log of it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.at = datetime(2026, 5, 1, tzinfo=UTC)
        self.there: dict[tuple[str, int | None], tuple[str, frozenset[str]]] = {}
        self.lines: list[LogLine] = []
        self.snapshots = [(datetime(1970, 1, 1, tzinfo=UTC), dict(self.there))]

    def live(self, steps: int) -> None:
        for _ in range(steps):
            if self.random.random() < 0.8:
                self.at += timedelta(hours=self.random.randint(1, 30), seconds=self.random.randint(0, 3599))
            if self.random.random() < 0.2:  # the first and the last second of a day
                self.at = self.at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            self.step()
            self.snapshots.append((self.at, dict(self.there)))

    def say(self, event: str, key: tuple[str, int | None], stack: str, role: str) -> None:
        person, project = key
        self.lines.append(
            LogLine(
                date=written(self.at), admin=ANA, event=event, email=person, stack=stack, project=project, role=role,
                organization=1,
            )
        )  # fmt: skip

    def step(self) -> None:
        key = (self.random.choice([ANA, BO]), self.random.choice([None, 7, 8]))
        stack = self.random.choice(["", PRODUCTION, STAGING])
        role = self.random.choice(["member", "admin"] if key[1] is None else ["analyst", "consumer"])
        had, stacks = self.there.get(key, ("", frozenset[str]()))
        if not had:
            self.there[key] = (role, frozenset({stack} - {""}))
            self.say(E.GRANTED, key, stack, role)
        elif stack and stack not in stacks:
            self.there[key] = (had, stacks | {stack})
            self.say(E.IMPORTED, key, stack, had)
        elif stack and self.random.random() < 0.3:
            self.there[key] = (had, stacks - {stack})
            self.say(E.RELEASED, key, stack, had)
        elif stack:
            self.say(E.REVOKED, key, stack, had)
            if stacks == {stack}:
                del self.there[key]
            else:
                self.there[key] = (had, stacks - {stack})
        elif self.random.random() < 0.5 and role != had:
            self.there[key] = (role, stacks)
            for one in sorted(stacks) or [""]:
                self.say(E.CHANGED, key, one, role)
        else:
            self.say(E.REVOKED, key, "", had)
            whole = key[1] is None  # who leaves the organization loses all of it
            gone = {one for one in self.there if one == key or (whole and one[0] == key[0])}
            self.there = {one: held for one, held in self.there.items() if one not in gone}

    def held(self, at: datetime) -> set[tuple[str, int | None, str, str]]:
        """What is there at the end of an instant's second, a row for each stack."""
        (*_, there) = (then for when, then in self.snapshots if when <= at)
        return {(*key, role, stack) for key, (role, stacks) in there.items() for stack in stacks or [""]}


@pytest.mark.parametrize("seed", range(25))
def test_both_ends_agree_with_a_model_and_the_changes_lead_from_one_to_the_other(seed: int) -> None:
    """For every pair of days, with changes in the first and the last second of a day too."""
    world = World(seed)
    world.live(60)
    history = AccessHistory(world.lines, BOTH)
    now = world.at + timedelta(days=3)
    for _ in range(20):
        first, last = sorted(date(2026, 5, 1) + timedelta(days=world.random.randint(0, 40)) for _ in range(2))
        period = Period(first, min(last, now.date()), now)
        ends = [period.before, period.end]
        shown = [{(row.person, row.project, row.role, row.stack) for row in history.at(at)} for at in ends]
        assert shown == [world.held(at) for at in ends], period
        roles = {(row.person, row.project): row.role for row in history.at(period.before)}
        for change in history.changes(period):
            key = (change.person, change.project)
            assert change.role_before == roles.pop(key, None), change
            if change.role_after is not None:
                roles[key] = change.role_after
        assert roles == {(row.person, row.project): row.role for row in history.at(period.end)}


WHY = {
    "engagement": "Funnel review", "sow": "SOW-1", "ticket": "OPS-1", "approver": ANA, "justification": "Funnels",
    "starts": "2026-05-01", "ends": "2026-06-30",
}  # fmt: skip
START, ACCESS = "2026-05-01T12:00:00Z", (7, "analyst", PRODUCTION)
SINCE: dict[str, tuple[list[LogLine], list[tuple[str, str | None, str | None, str]]]] = {
    "given": ([line("01", E.GRANTED)], [(PRODUCTION, "01", "01", ANA)]),
    "given, and the role raised": (
        [line("01", E.GRANTED, "consumer"), line("03", E.CHANGED, admin=BO)], [(PRODUCTION, "01", "03", BO)],
    ),
    "given, and the reasons changed": (
        [line("01", E.GRANTED), line("03", E.CHANGED, admin=BO, ticket="OPS-2")], [(PRODUCTION, "01", "01", ANA)],
    ),
    "given, and accepted": (
        [line("01", E.GRANTED), line("03", E.ACCEPTED, admin=BO)], [(PRODUCTION, "01", "01", ANA)],
    ),
    "given, and accepted in the same second": (
        [line("01", E.GRANTED), line("01", E.ACCEPTED, admin=BO)], [(PRODUCTION, "01", "01", ANA)],
    ),
    "given again": (
        [line("01", E.GRANTED), line("03", E.REVOKED), line("04", E.RESTORED, admin=BO)],
        [(PRODUCTION, "04", "04", BO)],
    ),
    "given by hand, and taken over": (
        [line("01", E.GRANTED, stack="", admin=BO), line("03", E.IMPORTED)], [(PRODUCTION, "01", "01", BO)],
    ),
    "there before the log began": ([line("03", E.IMPORTED)], [(PRODUCTION, None, None, UNKNOWN)]),
    "there before the log began, and changed": (
        [line("03", E.CHANGED)], [(PRODUCTION, None, "03", ANA)],
    ),
    "there until after the period": ([line("25", E.REVOKED)], [("", None, None, UNKNOWN)]),
    "given by nobody knows whom": ([line("01", E.GRANTED, admin="")], [(PRODUCTION, "01", "01", UNKNOWN)]),
    "of two stacks": (
        [line("01", E.GRANTED), line("02", E.IMPORTED, stack=STAGING)],
        [(PRODUCTION, "01", "01", ANA), (STAGING, "01", "01", ANA)],
    ),
    "let go": ([line("01", E.GRANTED), line("02", E.RELEASED)], [("", "01", "01", ANA)]),
    "found": ([line("03", E.FOUND, stack="", admin=UNKNOWN)], [("", None, None, UNKNOWN)]),
    "found by a later update": (
        [line("01", E.FOUND, stack="", email=ANA, project=8), line("03", E.FOUND, stack="", admin=UNKNOWN)],
        [("", None, None, UNKNOWN), ("", None, None, UNKNOWN)],
    ),
    "given by hand, and found before the event was there": (
        [line("03", E.FOUND, stack="", admin=UNKNOWN), line("01", E.GRANTED, stack="", admin=BO)],
        [("", "01", "01", BO)],
    ),
    "of a stack that was renamed later": (
        [line("01", E.GRANTED), line("25", E.RENAMED, stack="prod", email="", project=None, renamed_from=PRODUCTION)],
        [("prod", "01", "01", ANA)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), SINCE.values(), ids=SINCE.keys())
def test_access_says_since_when_and_from_whom(
    lines: list[LogLine], expected: list[tuple[str, str | None, str | None, str]]
) -> None:
    """The beginning of the access, the beginning of its role, and who gave it with that role."""
    rows = AccessHistory(lines, BOTH).at(MAY.before)
    days = [tuple(at and f"{at:%d}" for at in (row.since, row.role_since)) for row in rows]
    assert [(row.stack, *at, row.given_by) for row, at in zip(rows, days, strict=True)] == expected


def test_access_has_its_kind_and_its_reasons() -> None:
    """A role in the organization or a project, a membership in a team, and a team's role; with project and team."""
    lines = [
        line("01", E.GRANTED, **WHY),
        member("01", E.GRANTED),
        line("01", E.GRANTED, "", project=None, team="Data", team_id=9),
        line("01", E.GRANTED, "consumer", email="", team="Data", team_id=9),
    ]
    rows = AccessHistory(lines, BOTH).at(MAY.before)
    assert [(row.person, row.kind, row.project_name, row.team, row.role) for row in rows] == [
        ("", AccessKind.TEAM_ROLE, "Shop", "Data", "consumer"),
        (BO, AccessKind.ORGANIZATION_ROLE, None, "", "member"),
        (BO, AccessKind.TEAM_MEMBERSHIP, None, "Data", ""),
        (BO, AccessKind.PROJECT_ROLE, "Shop", "", "analyst"),
    ]
    (own,) = [row for row in rows if row.kind is AccessKind.PROJECT_ROLE]
    assert {name: getattr(own, name) for name in WHY} == WHY


def test_a_custom_role_has_its_name() -> None:
    """In access and in changes, as far as the states have it."""
    scope = replace(BOTH, roles={(7, "c0ffee"): "Steward"})
    for role, name in (("c0ffee", "Steward"), ("admin", None), ("unheard", None)):
        lines = [line("01", E.GRANTED, role), line("12", E.REVOKED, role), line("12", E.GRANTED, role, project=8)]
        history = AccessHistory(lines, scope)
        assert [row.role_name for row in history.at(MAY.before)] == [name]
        assert [row.role_name for row in history.changes(MAY)] == [name, None]


def test_a_role_that_is_not_known_is_not_the_same_as_none() -> None:
    """A membership in a team has no role; of all other access, one that the log does not say is unknown."""
    team = line("12", E.REVOKED, "", project=None, team="Data", team_id=9)
    history = AccessHistory([line("12", E.CHANGED, "admin"), team], BOTH)
    assert [row.role for row in history.at(MAY.before)] == ["", UNKNOWN]
    assert [(row.role_before, row.role_after) for row in history.changes(MAY)] == [(UNKNOWN, "admin"), ("", None)]


Shown = tuple[str, str, str | None, str | None, str]
CHANGES: dict[str, tuple[list[LogLine], list[Shown]]] = {
    "given in the first second": (
        [line("10 00:00:00", E.GRANTED)], [(E.GRANTED, PRODUCTION, None, "analyst", ANA)],
    ),
    "taken in the last second": (
        [line("01", E.GRANTED), line("20 23:59:59", E.REVOKED)], [(E.REVOKED, PRODUCTION, "analyst", None, ANA)],
    ),
    "a second too early, and one too late": (
        [line("09 23:59:59", E.GRANTED), line("21 00:00:00", E.REVOKED)], [],
    ),
    "there before the log began": ([line("12", E.REVOKED)], [(E.REVOKED, PRODUCTION, "analyst", None, ANA)]),
    "imported, not granted": (
        [line("12", E.IMPORTED)], [(E.IMPORTED, PRODUCTION, "analyst", "analyst", ANA)],
    ),
    "let go, not taken": (
        [line("01", E.GRANTED), line("12", E.RELEASED)], [(E.RELEASED, PRODUCTION, "analyst", "analyst", ANA)],
    ),
    "taken by hand, and found out by the stack": (
        [line("01", E.GRANTED), line("12", E.REVOKED, stack="", admin=BO), line("13", E.REVOKED)],
        [(E.REVOKED, "", "analyst", None, BO), (E.REVOKED, PRODUCTION, None, None, ANA)],
    ),
    "of two stacks, and one lets go": (
        [line("01", E.GRANTED), line("02", E.IMPORTED, stack=STAGING), line("12", E.REVOKED)],
        [(E.REVOKED, PRODUCTION, "analyst", "analyst", ANA)],
    ),
    "ended with the membership": (
        [member("01", E.GRANTED), line("01", E.GRANTED), member("12", E.REVOKED, stack="")],
        [(E.REVOKED, "", "member", None, ANA), (E.REVOKED, "", "analyst", None, ANA)],
    ),
    "ended with the membership, with a line of its own": (
        [member("01", E.GRANTED), line("01", E.GRANTED), member("12", E.REVOKED, stack=""), line("12", E.REVOKED)],
        [(E.REVOKED, "", "member", None, ANA), (E.REVOKED, PRODUCTION, None, None, ANA)],
    ),
    "a renamed stack": (
        [line("01", E.GRANTED), line("12", E.RENAMED, stack="prod", email="", project=None, renamed_from=PRODUCTION)],
        [(E.RENAMED, "prod", None, None, ANA)],
    ),
    "another address": (
        [line("01", E.GRANTED), moved("12"), line("13", E.REVOKED, email=NEW)],
        [(E.READDRESSED, "", None, None, UNKNOWN), (E.REVOKED, PRODUCTION, "analyst", None, ANA)],
    ),
    "found, which changes nothing": ([line("12", E.FOUND, stack="", admin=UNKNOWN)], []),
    "found by a later update": (
        [line("01", E.FOUND, stack="", project=8), line("12", E.FOUND, stack="", admin=UNKNOWN)],
        [(E.FOUND, "", None, "analyst", UNKNOWN)],
    ),
    "changed, and the event names the role before": (
        [line("12", E.CHANGED, "admin", role_before="consumer")],
        [(E.CHANGED, PRODUCTION, "consumer", "admin", ANA)],
    ),
    "by nobody knows whom": ([line("12", E.GRANTED, admin="")], [(E.GRANTED, PRODUCTION, None, "analyst", UNKNOWN)]),
    "a pruned log": ([line("12", E.PRUNED, email="", stack="", project=None)], []),
}  # fmt: skip


def shown(changes: Sequence[ChangeRow]) -> list[Shown]:
    """What a change says: event, stack, the role before and afterwards, and who did it."""
    return [(one.event, one.stack, one.role_before, one.role_after, one.by) for one in changes]


@pytest.mark.parametrize(("lines", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_each_change_of_the_period_is_listed(lines: list[LogLine], expected: list[Shown]) -> None:
    """With the role before and afterwards, and who did it."""
    assert shown(AccessHistory(lines, BOTH).changes(MAY)) == expected


def test_somebody_with_another_address_is_one_person() -> None:
    """By the present address, also before they had it; the change itself names the one before."""
    history = AccessHistory([line("01", E.GRANTED), moved("12"), line("13", E.CHANGED, "admin", email=NEW)], BOTH)
    (start,), (end,) = history.at(MAY.before), history.at(MAY.end)
    assert (start.person, end.person, start.since) == (NEW, NEW, end.since)
    assert [(one.person, one.kind, one.note) for one in history.changes(MAY)] == [
        (NEW, AccessKind.ADDRESS, f"before, the address was {BO}"),
        (NEW, AccessKind.PROJECT_ROLE, ""),
    ]


def test_access_that_ends_with_the_membership_says_so() -> None:
    """It has no reasons of its own, and the change of the membership has no note."""
    lines = [member("01", E.GRANTED), line("01", E.GRANTED), member("12", E.REVOKED, stack="", ticket="OPS-9")]
    assert [(one.kind, one.ticket, one.note) for one in AccessHistory(lines, BOTH).changes(MAY)] == [
        (AccessKind.ORGANIZATION_ROLE, "OPS-9", ""),
        (AccessKind.PROJECT_ROLE, "", "it ended with the membership in the organization"),
    ]


ONE = EvidenceScope([PRODUCTION], all_stacks=False)
OF_ONE: dict[str, tuple[list[LogLine], int, int]] = {
    "of the stack": ([line("01", E.GRANTED), line("12", E.CHANGED, "admin")], 1, 1),
    "of another stack": ([line("01", E.GRANTED, stack=STAGING), line("12", E.REVOKED, stack=STAGING)], 0, 0),
    "outside of the stacks": ([line("01", E.GRANTED, stack=""), line("12", E.REVOKED, stack="")], 0, 0),
    "taken from the stack by hand": ([line("01", E.GRANTED), line("12", E.REVOKED, stack="")], 1, 1),
    "of somebody with another address": ([line("01", E.GRANTED), moved("12")], 1, 1),
    "of another stack, and of somebody with another address": (
        [line("01", E.GRANTED, stack=STAGING), moved("12")],
        0,
        0,
    ),
    "of another stack too": ([line("01", E.GRANTED), line("02", E.IMPORTED, stack=STAGING)], 1, 0),
    "renamed to it": (
        [
            line("01", E.GRANTED, stack="old"),
            line("12", E.RENAMED, email="", project=None, renamed_from="old"),
            line("13", E.REVOKED),
        ],
        1,
        2,
    ),
}


@pytest.mark.parametrize(("lines", "at_start", "changes"), OF_ONE.values(), ids=OF_ONE.keys())
def test_the_document_of_one_stack_has_only_its_access(lines: list[LogLine], at_start: int, changes: int) -> None:
    """Also what somebody took from it by hand, and what it had under an earlier name."""
    history = AccessHistory(lines, ONE)
    assert [row.stack for row in history.at(MAY.before)] == [PRODUCTION] * at_start
    assert len(history.changes(MAY)) == changes


AT_ITS_BEGINNING = (taken_over_with_another_role,)
"""A life that changes a role in the second in which the log begins: at that instant, both roles are true."""


@pytest.mark.parametrize("life", [life for life in LIVES if life not in (*UNTOLD, *AT_ITS_BEGINNING)])
def test_the_access_of_a_life_is_what_the_emulator_had(life: Callable[[Emulated], object]) -> None:
    """At every instant, outside of the stacks too."""
    with world() as made:
        made.update()
        life(made)
        made.update()
        truth = {
            at: {_key(access): role for access, role in held.items()} for at, held in made.truth_by_present_addresses()
        }
        history = AccessHistory(made.lines, EvidenceScope([*made.states], all_stacks=True))
        for at, held in truth.items():
            rows = [(_shown_key(row), row.role) for row in history.at(at)]
            shown = {key: held.get(key) if role == UNKNOWN and life in ROLELESS else role for key, role in rows}
            assert shown == held, at


Key = tuple[str, int | None, bool]


def _key(access: Access) -> Key:
    return access.person, access.project, access.team is not None


def _shown_key(row: AccessRow) -> Key:
    return same_key(row.person), row.project, bool(row.team)


# The period

NOW = datetime(2026, 5, 20, 9, 30, tzinfo=UTC)


def test_a_period_that_ends_today_ends_now() -> None:
    """And one in the past with the last instant of its last day."""
    today = period_of(date(2026, 5, 20), date(2026, 5, 20), NOW)
    assert (today.is_open, today.end) == (True, NOW)
    past = period_of(date(2026, 5, 1), date(2026, 5, 19), NOW)
    assert (past.is_open, past.has(instant("2026-05-19T23:59:59Z"))) == (False, True)
    assert not past.has(instant("2026-05-20T00:00:00Z"))


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 5, 2), date(2026, 5, 1), "the period ends before it begins"),
        (date(2026, 5, 2), date(2026, 5, 21), "today is 2026-05-20 in UTC"),
        (date(2026, 5, 21), date(2026, 5, 21), "today is 2026-05-20 in UTC"),
    ],
)
def test_a_period_that_cannot_be_is_refused(first: date, last: date, words: str) -> None:
    """Its days the wrong way around, or in the future."""
    with pytest.raises(UsageError, match=words):
        period_of(first, last, NOW)


# Reviews


def reviewed(at: str, event: str = "listed", **more: Any) -> ReviewLine:
    """Ana is asked about, or decides on, Bo's role in the shop."""
    given = {
        "review": "2026-Q2", "stack": PRODUCTION, "email": BO, "project": "shop", "engagement": "", "starts": "",
        "role": "analyst", "suggestion": "keep", "suggested_role": "", "reason": "", "reviewer": ANA,
        "organization_role": "member", **more,
    }  # fmt: skip
    return ReviewLine(date=f"2026-05-{at}T12:00:00Z", event=event, **given)


def decided(at: str, decision: str = "keep", **more: Any) -> ReviewLine:
    """The decision."""
    return reviewed(at, "decided", decision=decision, decided=f"2026-05-{at}", **more)


REVIEWS: dict[str, tuple[list[ReviewLine], list[tuple[str, str, str]]]] = {
    "decided in the period": ([reviewed("09"), decided("12")], [("applied", "keep", "12")]),
    "decided before it": ([reviewed("05"), decided("09")], []),
    "decided after it": ([reviewed("09"), decided("21")], [("undecided", "", "")]),
    "listed after it": ([reviewed("21")], []),
    "decided twice": (
        [reviewed("05"), decided("12"), decided("13", "remove", replaces="keep")],
        [("applied", "keep", "12"), ("applied", "remove", "13")],
    ),
    "given again after it was decided": (
        [reviewed("05"), decided("06", "remove"), reviewed("12", listing=2)], [("undecided", "", "")],
    ),
    "listed again before it was decided": ([reviewed("05"), reviewed("12", listing=2)], [("undecided", "", "")]),
    "decided differently by two branches": (
        [reviewed("05"), decided("12"), decided("12", "remove")],
        [("doubtful", "keep", "12"), ("doubtful", "remove", "12"), ("undecided", "", "")],
    ),
    "decided differently by two branches, and then by both": (
        [reviewed("05"), decided("11"), decided("11", "remove"), decided("12", "lower", replaces="keep and remove")],
        [("applied", "keep", "11"), ("applied", "remove", "11"), ("applied", "lower", "12")],
    ),
    "decided in the same way by two branches": (
        [reviewed("05"), decided("12"), decided("12", comment="yes")], [("applied", "keep", "12")],
    ),
    "decided, and never listed": ([decided("12")], [("doubtful", "keep", "12")]),
    "decided, and listed with other facts": (
        [reviewed("05", approver=BO), decided("12", approver=ANA)],
        [("doubtful", "keep", "12"), ("undecided", "", "")],
    ),
    "decided before it was listed": (
        [reviewed("11"), replace(decided("12"), decided="2026-05-10")],
        [("doubtful", "keep", "12"), ("undecided", "", "")],
    ),
    "that replaces a decision that nobody took": (
        [reviewed("05"), decided("12", replaces="remove")], [("doubtful", "keep", "12"), ("undecided", "", "")],
    ),
    "of another stack": ([reviewed("09", stack="other"), decided("12", stack="other")], []),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), REVIEWS.values(), ids=REVIEWS.keys())
def test_decisions_of_the_period_and_what_was_undecided_at_its_end(
    lines: list[ReviewLine], expected: list[tuple[str, str, str]]
) -> None:
    """A decision counts on the day on which it was applied; later lines are not known yet."""
    rows = review_rows(lines, MAY, [PRODUCTION, STAGING])
    assert [(row.status, row.decision, f"{row.applied:%d}" if row.applied else "") for row in rows] == expected


@pytest.mark.parametrize(
    ("lines", "day"),
    [
        pytest.param([reviewed("05"), reviewed("06"), decided("12")], "05", id="listed twice with the same facts"),
        pytest.param([reviewed("05", role="admin"), reviewed("06"), decided("12")], "06", id="with another role first"),
        pytest.param([reviewed("05", role="admin"), reviewed("06")], "06", id="undecided"),
        pytest.param([decided("12")], "", id="never"),
    ],
)
def test_a_review_says_when_it_listed_what_was_decided(lines: list[ReviewLine], day: str) -> None:
    """An earlier listing with another role or other reasons is none of it."""
    (row,) = review_rows(lines, MAY, [PRODUCTION])
    assert (f"{row.listed:%d}" if row.listed else "") == day


# Exceptions

COMPANY = Context(
    date(2026, 5, 20), "production", frozenset({"example.com"}), rules=EXCEPTABLE, stack=PRODUCTION
)  # fmt: skip
EXCEPTION = {
    "rule": "longest-duration", "email": BO, "reason": "the sale", "ticket": "OPS-1", "approver": ANA,
    "starts": "2026-04-15", "ends": "2026-05-12",
}  # fmt: skip


def rules_of(config: Any = None, **changes: Any) -> RulesOfStack:
    """Rules of a stack whose roster has one exception that is changed like this."""
    one = {name: value for name, value in {**EXCEPTION, **changes}.items() if value is not None}
    return RulesOfStack(
        stack=PRODUCTION,
        commit="",
        roster=Roster.model_validate({"environment": "production", "exceptions": [one]}),
        roster_path="production.yaml",
        config=PolicyConfig(config or {}),
        config_path="policies/config/production.json",
        context=COMPANY,
    )


def rows_of(config: Any = None, **changes: Any) -> list[tuple[str, str, str, str]]:
    """Source, rule, person and note of each exception, with one in the roster that is changed like this."""
    rules = rules_of(config, **changes)
    return [(row.source, row.rule, row.person, row.note) for row in exception_rows(rules, MAY)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, BO, id="of a person, in the first days"),
        pytest.param({"email": None}, "", id="of the stack"),
        pytest.param({"ends": "2026-05-10"}, BO, id="until the first day"),
        pytest.param({"ends": "2026-05-09"}, None, id="until the day before"),
        pytest.param({"starts": "2026-05-20", "ends": "2026-06-20"}, BO, id="from the last day on"),
        pytest.param({"starts": "2026-05-21", "ends": "2026-06-20"}, None, id="from the day after"),
    ],
)
def test_an_exception_counts_on_its_days(changes: dict[str, Any], expected: str | None) -> None:
    """One day in the period is enough."""
    assert rows_of(**changes) == ([] if expected is None else [("roster", "longest-duration", expected, "")])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ticket": None}, "it does not count: it has no ticket"),
        ({"starts": None}, "it does not count: it has no starts"),
        ({"approver": BO}, "it does not count: the approver is the person themselves"),
        ({"starts": "2025-05-01"}, "it does not count: it lasts 377 days"),
    ],
)
def test_an_exception_that_does_not_count_says_why(changes: dict[str, Any], words: str) -> None:
    """It is listed all the same."""
    ((*_, note),) = rows_of(**changes)
    assert note.startswith(words)


def test_a_rule_that_the_configuration_weakens_is_no_exception_that_somebody_asked_for() -> None:
    """It is listed apart, for the stack as a whole; a rule that is only stricter is not."""
    config = {"domain-allowed": "disabled", "justified": "advisory", "dormant-account": "mandatory"}
    assert [(row.rule, row.level, row.usual_level) for row in weakened_rules(rules_of(config))] == [
        ("domain-allowed", "disabled", "mandatory"), ("justified", "advisory", "mandatory"),
    ]  # fmt: skip
    assert rows_of(config, ends="2026-05-01") == []


# What is not known

GOOD = [line("01", E.GRANTED), line("12", E.CHANGED, "admin"), line("25", E.GRANTED, project=8)]
OPEN = Period(MAY.first, MAY.last, datetime(2026, 5, 20, 12, tzinfo=UTC))


def _document(lines: list[LogLine], period: Period = MAY, **more: Any) -> EvidenceDocument:
    history = AccessHistory(lines, BOTH)
    parts: dict[str, Any] = dict.fromkeys((one.name for one in fields(EvidenceDocument)), ())
    parts |= {"stacks": BOTH.stacks, "all_stacks": True, "changes": history.changes(period)}
    parts |= {"access_at_start": history.at(period.before), "access_at_end": history.at(period.end), **more}
    return EvidenceDocument(**parts)


def _of_log(lines: list[LogLine], period: Period = MAY, cut: str = "") -> list[str]:
    return [*unknown_of_log(_document(lines, period), lines, cut, period)]


def _of_stacks(stack: str, *more: LogLine, all_stacks: bool = True) -> list[str]:
    lines = [line("01", E.GRANTED, stack=stack), *more]
    found = _document(lines, stacks=BOTH.stacks if all_stacks else [PRODUCTION], all_stacks=all_stacks)
    return [*unknown_of_stacks(found, lines, [PRODUCTION, STAGING])]


def _of_source(**more: Any) -> list[str]:
    return [*unknown_of_sources([EvidenceSource(kind="roster", path="stacks/production.yaml", **more)])]


def _pruned(day: str) -> LogLine:
    why = "3 lines from before this day were removed"
    return line(day, E.PRUNED, email="", stack="", project=None, justification=why)


UNKNOWNS: dict[str, tuple[Callable[[], list[str]], str]] = {
    "nothing of the log": (lambda: _of_log(GOOD), ""),
    "made for a day that no clock says": (
        lambda: _of_log(GOOD, replace(MAY, by_clock=False)), "made for 2026-06-01, by --now or mixpanel:now",
    ),
    "no lines": (lambda: _of_log([]), "has no lines"),
    "begins in the period": (lambda: _of_log(GOOD[1:]), "begins on 2026-05-12"),
    "not brought up to date": (lambda: _of_log(GOOD[:2]), "The newest line of the access log is from 2026-05-12"),
    "not brought up to date, until now": (lambda: _of_log(GOOD[:2], OPEN), "changes until now may be missing"),
    "cut off": (lambda: _of_log(GOOD, cut="12 bytes"), "was cut off, and is left out: 12 bytes."),
    "pruned in the period": (lambda: _of_log([_pruned("12"), *GOOD]), "Who had what before is not complete."),
    "pruned before it": (lambda: _of_log([_pruned("02"), *GOOD]), "and who gave it, may be missing."),
    "given by nobody knows whom": (
        lambda: _of_log([replace(GOOD[0], admin=UNKNOWN), *GOOD[1:]]),
        "who gave 1 of 1 row of access at the start",
    ),
    "a role that nobody knows": (
        lambda: _of_log([replace(GOOD[0], role=""), *GOOD[1:]]), "the role of 1 of 1 row of access at the start",
    ),
    "changed by nobody knows whom": (
        lambda: _of_log([GOOD[0], replace(GOOD[1], admin=""), GOOD[2]]), "who made 1 of 1 change",
    ),
    "found gone": (
        lambda: _of_log([GOOD[0], line("12", E.REVOKED, admin=UNKNOWN, audit_id=""), GOOD[2]]),
        "the time is that at which the access was found gone",
    ),
    "no audit log": (
        lambda: _of_log([replace(one, audit_id="") for one in GOOD]), "No line of the access log names an event",
    ),
    "a change that the audit log does not have": (
        lambda: _of_log([GOOD[0], replace(GOOD[1], audit_id=""), GOOD[2]]), "1 of 1 change names no event",
    ),
    "lines that contradict each other": (
        lambda: _of_log([GOOD[0], *GOOD]), "The access log has a problem: line 2 grants bo@example.com",
    ),
    "since nobody knows when": (
        lambda: _of_log([line("12", E.FOUND, stack=""), *GOOD[2:]]), "the beginning of 1 of 1 row of access",
    ),
    "a log that never read the organization": (
        lambda: _of_stacks(PRODUCTION), "Access outside of the stacks that was there before the access log",
    ),
    "a log that read another organization": (
        lambda: _of_stacks(PRODUCTION, line("01", E.FOUND, stack="", organization=2)),
        "Access outside of the stacks that was there before the access log",
    ),
    "a log that read the organization": (
        lambda: _of_stacks(PRODUCTION, line("01", E.FOUND, stack="")), "What the stacks' accounts could not read",
    ),
    "other stacks": (
        lambda: _of_stacks(PRODUCTION, all_stacks=False),
        "Only the stack production was asked about: access of other stacks",
    ),
    "a stack that is gone": (lambda: _of_stacks("old"), "access of the stack old at the end, and the project no"),
    "nothing of a file": (lambda: _of_source(commit="c0ffee", changed=False), ""),
    "not in git": (lambda: _of_source(note="git is gone"), "No commit can be named for stacks/production.yaml: git"),
    "not committed": (lambda: _of_source(commit="c0ffee", changed=True), "stacks/production.yaml has changes that are"),
}  # fmt: skip


@pytest.mark.parametrize(("sentences", "words"), UNKNOWNS.values(), ids=UNKNOWNS.keys())
def test_what_is_not_known_is_said(sentences: Callable[[], list[str]], words: str) -> None:
    """In one sentence each; and nothing is said where all is known."""
    found = sentences()
    assert [sentence for sentence in found if words in sentence] if words else found == [], found
    assert all(sentence.endswith(".") for sentence in found)
