"""What the audit log adds to the access log: what others did, once; and when and by whom something went."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mixpanel_access.model import audit
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.operations.tracker.lines import LogEvent, LogLine
from mixpanel_access.operations.tracker.update import EVENTS, OF_TEAMS, by_others, during, taken_away

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
ANA, BO, BOT = "ana@example.com", "bo@example.com", "bot.1.mp-service-account"
OWN = frozenset({BOT})
HELD = LogLine(
    date="2026-05-01T12:00:00Z",
    admin=ANA,
    event=LogEvent.GRANTED,
    email=BO,
    stack="production",
    project=7,
    role="analyst",
)


def event(kind: str, **more: object) -> AuditEvent:
    """An event of Bo's in project 7, done by Ana."""
    values = {"actor": ANA, "email": BO, "project": 7, "role": "analyst", **more}
    return AuditEvent("", values.pop("at", AT), kind, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "what"), EVENTS.items())
def test_what_others_do_is_a_line(kind: str, what: LogEvent) -> None:
    """Each kind of event, with who, where and which role; no stack did it."""
    team = {"team": 77, "team_name": "Data"} if kind in OF_TEAMS else {}
    (line,) = by_others([event(kind, **team)], OWN, [], {})
    assert (line.event, line.admin, line.email, line.stack, line.project, line.role) == (
        what,
        ANA,
        BO,
        "",
        7,
        "analyst",
    )
    assert (line.date, line.ticket) == ("2026-05-04T12:00:00Z", "")
    assert (line.team, line.team_id) == (("Data", 77) if team else ("", None))


def test_a_team_that_gets_a_role_is_a_line() -> None:
    """It concerns nobody alone."""
    (line,) = by_others([event(audit.PROJECT_TEAM_ADDED, email="", team=77)], OWN, [], {})
    assert (line.email, line.label, line.what) == ("", "team 77", "analyst in project 7")


LEFT_OUT = {
    "our own doing": event(audit.ROLE_CHANGED, actor=BOT.upper()),
    "about nobody": event(audit.ROLE_CHANGED, email=""),
    "a place in a team that it does not name": event(audit.TEAM_USER_ADDED),
    "a team that it does not name": event(audit.PROJECT_TEAM_ADDED, email=""),
    "a team that gets a role nowhere": event(audit.PROJECT_TEAM_ADDED, email="", team=77, project=None),
    "a team that is deleted": event(audit.TEAM_DELETED, email="", team=77, project=None),
    "a login": event(audit.LOGGED_IN),
    "a sent invitation": event(audit.INVITATION_SENT),
    "added by an invitation that was accepted": event(audit.USER_ADDED, source="invitation"),
}


@pytest.mark.parametrize("left_out", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_is_no_line(left_out: AuditEvent) -> None:
    """What the states have, or what gives and takes nothing."""
    assert list(by_others([left_out], OWN, [], {})) == []


def test_nothing_is_added_twice() -> None:
    """Neither within a page nor after the last time; the oldest comes first; a stack's line is another."""
    first, second = event(audit.PROJECT_USER_ADDED), event(audit.ROLE_CHANGED, at=AT + timedelta(seconds=1))
    lines = list(by_others([second, first, first], OWN, [HELD], {}))
    assert [line.event for line in lines] == [LogEvent.GRANTED, LogEvent.CHANGED]
    assert list(by_others([second, first], OWN, lines, {})) == []


def test_who_did_it_may_be_the_identity_provider() -> None:
    """Then the source says so."""
    (line,) = by_others([event(audit.USER_REMOVED, actor="", source="scim")], OWN, [], {})
    assert line.admin == "scim"


RUN = {"startTime": "2026-05-04T11:59:00Z", "endTime": "2026-05-04T12:01:00Z"}
IN_DATA = replace(HELD, date="2026-05-04T12:00:00Z", project=None, role="", team="Data", team_id=77)
PUT_IN = event(audit.TEAM_USER_ADDED, actor="", project=None, role=None, team=77, team_name="Data", service="scim")
BY_SCIM: dict[str, tuple[AuditEvent, LogLine, list[str]]] = {
    "in a run, at a place of the stack": (PUT_IN, IN_DATA, []),
    "as it goes": (replace(PUT_IN, type=audit.TEAM_USER_REMOVED), replace(IN_DATA, event=LogEvent.REVOKED), []),
    "as it begins, by another clock": (replace(PUT_IN, at=AT - timedelta(minutes=2)), IN_DATA, []),
    "before it": (replace(PUT_IN, at=AT - timedelta(minutes=2, seconds=1)), IN_DATA, ["scim"]),
    "as it ends, by another clock": (replace(PUT_IN, at=AT + timedelta(minutes=2)), IN_DATA, []),
    "after it": (replace(PUT_IN, at=AT + timedelta(minutes=2, seconds=1)), IN_DATA, ["scim"]),
    "at no place of the stack": (PUT_IN, replace(IN_DATA, team_id=78), ["scim"]),
    "at a place of a stack of another organization": (PUT_IN, replace(IN_DATA, stack="staging"), ["scim"]),
    "by somebody": (replace(PUT_IN, actor=ANA), IN_DATA, [ANA]),
    "by another service": (replace(PUT_IN, service="webapp"), IN_DATA, [""]),
    "a person": (
        event(audit.USER_ADDED, actor="", project=None, source="scim"), replace(IN_DATA, team="", team_id=None), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("found", "line", "admins"), BY_SCIM.values(), ids=BY_SCIM.keys())
def test_what_a_stack_does_by_scim_is_its_own(found: AuditEvent, line: LogLine, admins: list[str]) -> None:
    """Such an event names nobody: it is a stack's by time and place, or an identity provider's."""
    assert [one.admin for one in by_others([found], OWN, [line], {"production": [RUN]})] == admins


def test_a_run_that_has_not_ended_lasts() -> None:
    """And of two the one in which it happened, not the one that merely is near."""
    first, second = {**RUN, "endTime": "2026-05-04T12:00:10Z"}, {"startTime": "2026-05-04T12:00:20Z"}
    assert during([second, first], AT) == first
    assert during([second, first], AT + timedelta(hours=1)) == second
    assert during([], AT) is None


GONE = event(audit.PROJECT_USER_REMOVED)
OUT = event(audit.USER_REMOVED, project=None)
MEMBER = replace(HELD, project=None)
PLACE = replace(HELD, project=None, role="", team="Data", team_id=77)
ROLE = replace(HELD, email="", team="Data", team_id=77)
OUT_OF_TEAM = event(audit.TEAM_USER_REMOVED, project=None, team=77)
TEAM_OUT = event(audit.PROJECT_TEAM_REMOVED, email="", team=77)
TEAM_GONE = event(audit.TEAM_DELETED, email="", project=None, team=77)
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
    "a place in a team": ([OUT_OF_TEAM], PLACE, OUT_OF_TEAM),
    "a place in another team": ([replace(OUT_OF_TEAM, team=78)], PLACE, None),
    "another person's place": ([replace(OUT_OF_TEAM, email=ANA)], PLACE, None),
    "a place, with the person": ([OUT], PLACE, OUT),
    "a place, with the team": ([TEAM_GONE], PLACE, TEAM_GONE),
    "a place, and no grant": ([GONE], PLACE, None),
    "a grant, and no place": ([OUT_OF_TEAM], HELD, None),
    "a team's role": ([TEAM_OUT], ROLE, TEAM_OUT),
    "a team's role in another project": ([replace(TEAM_OUT, project=8)], ROLE, None),
    "another team's role": ([replace(TEAM_OUT, team=78)], ROLE, None),
    "a team's role, with the team": ([TEAM_GONE], ROLE, TEAM_GONE),
    "a team's role, and no place in it": ([OUT_OF_TEAM], ROLE, None),
    "a team's role, and nobody": ([OUT], ROLE, None),
}


@pytest.mark.parametrize(("events", "line", "found"), TAKEN.values(), ids=TAKEN.keys())
def test_when_something_was_taken_away(events: list[AuditEvent], line: LogLine, found: AuditEvent | None) -> None:
    """By the event that took it, not before it was given."""
    assert taken_away(events, line) == found
