"""What the access log takes from Mixpanel's audit log: which events, who did them, and each of them once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mixpanel_access.model import audit
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.dates import written
from mixpanel_access.operations.tracker.audit_facts import CHANGES, AuditFacts, facts_of
from mixpanel_access.operations.tracker.authors import Authors
from mixpanel_access.operations.tracker.lines import UNKNOWN, Access, LogEvent, LogLine
from mixpanel_access.operations.tracker.reading import StackReading
from mixpanel_access.operations.tracker.replay import Replay, replay
from mixpanel_access.operations.tracker.runs import during, runs_of

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
ANA, BO, BOT = "ana@example.com", "bo@example.com", "bot.1.mp-service-account"
OF_NOBODY = (audit.PROJECT_TEAM_ADDED, audit.PROJECT_TEAM_REMOVED, audit.TEAM_DELETED, audit.CUSTOM_ROLE_DELETED)
TEAMS = [kind for kind in CHANGES if "team" in kind]


def event(kind: str, **more: Any) -> AuditEvent:
    """An event of Bo's in project 7, done by Ana."""
    values = {"actor": ANA, "email": BO, "project": 7, "role": "analyst", **more}
    return AuditEvent("", values.pop("at", AT), kind, **values)


@pytest.mark.parametrize("kind", CHANGES)
def test_an_event_that_gives_changes_or_takes_access_is_a_fact(kind: str) -> None:
    """Of the person, of the person in the team, of the team, or of whoever has the custom role in the project."""
    of_a_team = {"team": 77} if kind in TEAMS else {}
    (fact,) = facts_of([event(kind, **of_a_team)], 1, Replay([]))
    person = "" if kind in OF_NOBODY else BO
    team = of_a_team.get("team")
    project = None if (team and person) or kind == audit.TEAM_DELETED else 7
    assert fact.access == Access(None, project, person, team)
    assert (fact.change, fact.email) == (CHANGES[kind], person)


LEFT_OUT = {
    "about nobody": event(audit.ROLE_CHANGED, email=""),
    "a membership of a team that it does not name": event(audit.TEAM_USER_ADDED),
    "a team that it does not name": event(audit.PROJECT_TEAM_ADDED, email=""),
    "a team that gets a role nowhere": event(audit.PROJECT_TEAM_ADDED, email="", team=77, project=None),
    "a custom role of no project": event(audit.CUSTOM_ROLE_DELETED, email="", project=None),
    "a custom role that it does not name": event(audit.CUSTOM_ROLE_DELETED, email="", role=None),
    "a login": event(audit.LOGGED_IN),
}


@pytest.mark.parametrize("left_out", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_an_event_that_does_not_name_what_it_is_about_says_nothing(left_out: AuditEvent) -> None:
    """And a login gives no access."""
    assert list(facts_of([left_out], 1, Replay([]))) == []


RUN: dict[str, Any] = {
    "kind": "update",
    "startTime": "2026-05-04T11:59:00Z",
    "endTime": "2026-05-04T12:01:00Z",
    "environment": {"git.author.email": "merger@example.com"},
}
DIRTY = {**RUN, "environment": {**RUN["environment"], "git.dirty": "true"}}
CLEAN = {**RUN, "environment": {**RUN["environment"], "git.dirty": "false"}}
MINUTES = timedelta(minutes=1)
BY_BOT, BY_SCIM = event(audit.PROJECT_USER_ADDED, actor=BOT.upper()), event(audit.USER_ADDED, actor="", service="scim")
HAVING, ELSEWHERE = {"production"}, set[str]()
DOERS: dict[str, tuple[AuditEvent, dict[str, Any], set[str], str]] = {
    "our account in a run": (BY_BOT, RUN, HAVING, "merger@example.com"),
    "our account in a run, at access that no stack has": (BY_BOT, RUN, ELSEWHERE, "merger@example.com"),
    "in a run that does not name its author": (BY_BOT, {**RUN, "environment": {}}, HAVING, BOT.upper()),
    "in a run of what is in its commit": (BY_BOT, CLEAN, HAVING, "merger@example.com"),
    "in a run of changes that are in no commit": (BY_BOT, DIRTY, HAVING, BOT.upper()),
    "by SCIM in a run of changes that are in no commit": (BY_SCIM, DIRTY, HAVING, UNKNOWN),
    "in a refresh, which writes nothing": (BY_BOT, {**RUN, "kind": "refresh"}, HAVING, BOT.upper()),
    "as the run begins, by another clock": (replace(BY_BOT, at=AT - 2 * MINUTES), RUN, HAVING, "merger@example.com"),
    "before it": (replace(BY_BOT, at=AT - 2.1 * MINUTES), RUN, HAVING, BOT.upper()),
    "as the run ends, by another clock": (replace(BY_BOT, at=AT + 2 * MINUTES), RUN, HAVING, "merger@example.com"),
    "after it": (replace(BY_BOT, at=AT + 2.1 * MINUTES), RUN, HAVING, BOT.upper()),
    "by SCIM in a run, at access of the stack": (BY_SCIM, RUN, HAVING, "merger@example.com"),
    "by SCIM in a run that does not name its author": (BY_SCIM, {**RUN, "environment": {}}, HAVING, UNKNOWN),
    "by SCIM in a run, at access that it does not have": (BY_SCIM, RUN, ELSEWHERE, "scim"),
    "by SCIM, and no stack runs": (replace(BY_SCIM, at=AT + 3 * MINUTES), RUN, HAVING, "scim"),
    "somebody during a run": (event(audit.ROLE_CHANGED), RUN, HAVING, ANA),
    "Mixpanel's staff": (event(audit.ROLE_CHANGED, by_staff=True), RUN, HAVING, f"{ANA} (Mixpanel's staff)"),
    "nobody knows who": (event(audit.ROLE_CHANGED, actor=""), RUN, HAVING, UNKNOWN),
}


@pytest.mark.parametrize(("found", "run", "having", "admin"), DOERS.values(), ids=DOERS.keys())
def test_who_did_it(found: AuditEvent, run: dict[str, Any], having: set[str], admin: str) -> None:
    """The author of the commit for a run of the stack; else the actor, the source, or nobody known."""
    stack = StackReading(name="production", organization=1, held={}, runs=runs_of([run]))
    doers = Authors(frozenset({BOT}), {"production": stack})
    assert doers.of(found, having).admin == admin


def test_a_line_that_an_earlier_version_signed_by_the_commit_is_of_its_run() -> None:
    """Also if the run was of changes that are in no commit."""
    stack = StackReading(name="production", organization=1, held={}, runs=runs_of([DIRTY]))
    doers = Authors(frozenset({BOT}), {"production": stack})
    assert [doers.made_in_a_run(line(0, G, admin=admin)) for admin in ("merger@example.com", ANA)] == [True, False]


def test_a_run_that_has_not_ended_lasts() -> None:
    """And of two the one in which it happened, not the one that merely is near."""
    first, second = runs_of([{**RUN, "endTime": "2026-05-04T12:00:10Z"}, {"startTime": "2026-05-04T12:00:20Z"}])
    assert during([second, first], AT) == first
    assert during([second, first], AT + timedelta(hours=1)) == second
    assert during([], AT) is None


def line(minutes: float, kind: LogEvent, role: str = "analyst", **more: Any) -> LogLine:
    """A line of an earlier version about Bo's grant, so long after noon."""
    values = {"stack": "production", "admin": ANA, "email": BO, "project": 7, **more}
    return LogLine(date=written(AT + minutes * MINUTES), event=kind.value, role=role, **values)


ADDED, GONE = event(audit.PROJECT_USER_ADDED), event(audit.PROJECT_USER_REMOVED)
ADMIN = event(audit.ROLE_CHANGED, role="admin")
OUT, TEAM_GONE = event(audit.USER_REMOVED, project=None), event(audit.TEAM_DELETED, email="", project=None, team=77)
G, C, R = LogEvent.GRANTED, LogEvent.CHANGED, LogEvent.REVOKED
KNOWN: dict[str, tuple[list[AuditEvent], list[LogLine], int]] = {
    "nothing yet": ([ADDED], [], 1),
    "of the same second": ([ADDED], [line(0, G)], 0),
    "of the same second, with another role": ([ADDED], [line(0, G, "admin")], 1),
    "of the same event": ([replace(ADDED, id="a1")], [line(9, C, "admin", audit_id="a1")], 0),
    "by the state, as the engine noted it": ([ADDED], [line(0.1, G)], 0),
    "by the state, with the engine's clock behind": ([ADDED], [line(-0.9, G)], 0),
    "by the state, long before": ([ADDED], [line(-1.1, G)], 1),
    "by the state, as it was changed last": ([ADDED], [line(900, G)], 0),
    "and taken away in between": ([ADDED, replace(GONE, at=AT + MINUTES)], [line(900, G)], 2),
    "and taken away with the person": ([ADDED, replace(OUT, at=AT + MINUTES)], [line(900, G)], 2),
    "another person": ([ADDED], [line(0, G, email=ANA)], 1),
    "another project": ([ADDED], [line(0, G, project=8)], 1),
    "another role": ([ADDED], [line(1, G, "admin")], 1),
    "a change": ([ADMIN], [line(2, C, "admin")], 0),
    "a change to another role": ([ADMIN], [line(2, C, "consumer")], 1),
    "found gone later": ([GONE], [line(900, R)], 0),
    "found gone before": ([GONE], [line(-900, R)], 1),
    "gone, and given again in between": ([GONE, replace(ADDED, at=AT + MINUTES)], [line(900, R)], 2),
    "the person": ([OUT], [line(0, R, "member", project=None)], 0),
    "a team": ([TEAM_GONE], [line(0, R, team_id=77, email="")], 0),
    "from before a day from which on the log was pruned": (
        [ADDED], [LogLine(date=written(AT + MINUTES), admin="", event="pruned", email="", stack="", project=None,
                          role="")], 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("events", "lines", "expected"), KNOWN.values(), ids=KNOWN.keys())
def test_an_event_that_the_log_has_is_not_added_again(
    events: list[AuditEvent], lines: list[LogLine], expected: int
) -> None:
    """Not even if a line of an earlier version has it without its id, and with the engine's time."""
    assert len(AuditFacts([*facts_of(events, 1, Replay([]))], lines, replay(lines, {"production": 1})).new) == expected
