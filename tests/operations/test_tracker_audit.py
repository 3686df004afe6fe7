"""What the audit log adds to the access log: what others did, once; and when and by whom something went."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mixpanel_access.model import audit
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.operations.tracker_audit import EVENTS, by_others, taken_away
from mixpanel_access.operations.tracker_lines import Event, Line

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
ANA, BO, BOT = "ana@example.com", "bo@example.com", "bot.1.mp-service-account"
OWN = frozenset({BOT})
HELD = Line("2026-05-01T12:00:00Z", ANA, Event.GRANTED, BO, "production", 7, "analyst")


def event(kind: str, **more: object) -> AuditEvent:
    """An event of Bo's in project 7, done by Ana."""
    values = {"actor": ANA, "email": BO, "project": 7, "role": "analyst", **more}
    return AuditEvent("", values.pop("at", AT), kind, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "what"), EVENTS.items())
def test_what_others_do_is_a_line(kind: str, what: Event) -> None:
    """Each kind of event, with who, where and which role; no stack did it."""
    (line,) = by_others([event(kind)], OWN, [])
    assert (line.event, line.admin, line.email, line.stack, line.project, line.role) == (
        what,
        ANA,
        BO,
        "",
        7,
        "analyst",
    )
    assert (line.date, line.ticket) == ("2026-05-04T12:00:00Z", "")


LEFT_OUT = {
    "our own doing": event(audit.ROLE_CHANGED, actor=BOT.upper()),
    "about nobody": event(audit.ROLE_CHANGED, email=""),
    "a login": event(audit.LOGGED_IN),
    "a sent invitation": event(audit.INVITATION_SENT),
    "added by an invitation that was accepted": event(audit.USER_ADDED, source="invitation"),
}


@pytest.mark.parametrize("left_out", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_is_no_line(left_out: AuditEvent) -> None:
    """What the states have, or what gives and takes nothing."""
    assert list(by_others([left_out], OWN, [])) == []


def test_nothing_is_added_twice() -> None:
    """Neither within a page nor after the last time; the oldest comes first; a stack's line is another."""
    first, second = event(audit.PROJECT_USER_ADDED), event(audit.ROLE_CHANGED, at=AT + timedelta(seconds=1))
    lines = list(by_others([second, first, first], OWN, [HELD]))
    assert [line.event for line in lines] == [Event.GRANTED, Event.CHANGED]
    assert list(by_others([second, first], OWN, lines)) == []


def test_who_did_it_may_be_the_identity_provider() -> None:
    """Then the source says so."""
    (line,) = by_others([event(audit.USER_REMOVED, actor="", source="scim")], OWN, [])
    assert line.admin == "scim"


GONE = event(audit.PROJECT_USER_REMOVED)
OUT = event(audit.USER_REMOVED, project=None)
MEMBER = replace(HELD, project=None)
TAKEN = {
    "the grant": ([GONE], HELD, GONE),
    "with the person": ([OUT], HELD, OUT),
    "the newest": ([OUT, GONE], HELD, OUT),
    "another project": ([replace(GONE, project=8)], HELD, None),
    "another person": ([replace(GONE, email=ANA)], HELD, None),
    "before it was given": ([replace(GONE, at=AT - timedelta(days=3, seconds=1))], HELD, None),
    "as it was given": ([replace(GONE, at=AT - timedelta(days=3))], HELD, replace(GONE, at=AT - timedelta(days=3))),
    "the membership": ([OUT], MEMBER, OUT),
    "only a grant": ([GONE], MEMBER, None),
    "nothing": ([], HELD, None),
}


@pytest.mark.parametrize(("events", "line", "found"), TAKEN.values(), ids=TAKEN.keys())
def test_when_something_was_taken_away(events: list[AuditEvent], line: Line, found: AuditEvent | None) -> None:
    """By the event that took it, not before it was given."""
    assert taken_away(events, line) == found
