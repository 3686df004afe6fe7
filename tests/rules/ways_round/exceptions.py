"""Ways round the rules by exceptions, by guards that are loosened, and by dates that are moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from mixpanel_access.rules.entry import Entry, ExceptionEntry, Type
from mixpanel_access.rules.facts import Stack
from tests.rules.ways_round.table import AROUND, ENGAGEMENT, ROBIN, Way, roster

SOUND: Final[dict[str, Any]] = {
    "rule": "longest-duration",
    "email": "robin@agency.example.org",
    "reason": "The other system is down",
    "ticket": "OPS-4712",
    "approver": "omar@example.com",
    "starts": "2026-05-01",
    "ends": "2026-05-30",
}
"""An exception that counts."""
RULES: Final = ("admin-needed", "ending-soon", "justified", "naming", "review-due", "short-engagement")
COUNT: Final = "exceptions-count"


def excepted(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The roster that passes, with an exception for each of some changes; None takes a field away."""
    entries = [{**SOUND, **change} for change in changes]
    exceptions = [{name: value for name, value in entry.items() if value is not None} for entry in entries]
    return roster(**more, exceptions=exceptions)


CONTROL: Final = excepted({})
LONG: Final = {"engagements": {"funnels": {**ENGAGEMENT, "ends": "2027-04-01"}}}


YEAR: Final = {"engagement_type": "analytics_review", "starts": "2026-04-20", "ends": "2027-04-01"}


def without_exceptions(rule: str, person: dict[str, Any] | None = None, **more: Any) -> Way:
    """An exception from a rule that has none: the rule speaks all the same."""
    people = [{**ROBIN, **(person or {})}]
    return Way(rule, excepted({"rule": rule}, people=people, **more), CONTROL)


def person(**values: Any) -> Entry:
    """A member of a program."""
    return Entry(Type.MEMBER, "x", "urn:x", {"email": "robin@agency.example.org", **values})


def guarded(plain: list[str] | None = None, off: list[str] | None = None, **settings: Any) -> Way:
    """A stack whose configuration loosens a guard; the control is one with nothing of it."""
    allowed = replace(AROUND, settings={}, stack="production")
    tried, control = Stack([person()], roster={"plain_secrets": plain or []}), Stack([person()])
    around = replace(allowed, settings=settings, off=off or [])
    return Way("guards-not-loosened", tried, control, around, around_control=allowed)


EXCEPTIONS: Final[dict[str, Way]] = {
    "approved by somebody outside": Way(COUNT, excepted({"approver": "kim@agency.example.org"}), CONTROL),
    "approved by the person": Way(
        COUNT,
        excepted({"email": "omar@example.com"}),
        excepted({"email": "omar@example.com", "approver": "ana@example.com"}),
    ),
    "approved by the person with a tag": Way(
        COUNT, excepted({"email": "omar@example.com", "approver": "Omar+x@Example.com"}), CONTROL
    ),
    "approved by a word": Way(COUNT, excepted({"approver": "the team"}), CONTROL),
    "approved by a shared mailbox": Way(COUNT, excepted({"approver": "info@example.com"}), CONTROL),
    "approved by one who is not named": Way(
        COUNT,
        CONTROL,
        excepted({"approver": "ana@example.com"}),
        replace(AROUND, approvers=frozenset({"ana@example.com"})),
    ),
    "two who approve each other": Way(
        COUNT,
        excepted(
            {"email": "ana@example.com", "approver": "omar@example.com"},
            {"email": "omar@example.com", "approver": "ana@example.com"},
        ),
        excepted(
            {"email": "ana@example.com", "approver": "omar@example.com"},
            {"email": "omar@example.com", "approver": "ivy@example.com"},
        ),
    ),
    "a program names somebody else in the exception": Way(
        "longest-duration",
        Stack([person(**YEAR, email="omar@example.com", exceptions=[SOUND])]),
        Stack([person(**YEAR, email="ivy@example.com", exceptions=[{**SOUND, "email": None}])]),
    ),
    "no start": Way(COUNT, excepted({"starts": None}), CONTROL),
    "no ticket": Way(COUNT, excepted({"ticket": None}), CONTROL),
    "a blank reason": Way(COUNT, excepted({"reason": " "}), CONTROL),
    "ninety-one days": Way(COUNT, excepted({"ends": "2026-07-30"}), excepted({"ends": "2026-07-29"})),
    "until the last day of all": Way(COUNT, excepted({"ends": "2099-12-31"}), CONTROL),
    "thirty-one days from a critical rule": Way(
        COUNT,
        excepted({"rule": "external-access-ends", "ends": "2026-05-31"}),
        excepted({"rule": "external-access-ends", "ends": "2026-05-30"}),
    ),
    "an exception that is too long, where nothing judges the stack": Way(
        "longest-duration",
        excepted({"ends": "2026-12-31"}, **LONG),
        excepted({}, **LONG),
    ),
    "one after the other": Way(
        COUNT,
        excepted({"ends": "2026-05-31"}, {"starts": "2026-06-02", "ends": "2026-08-15"}),
        excepted({"ends": "2026-05-31"}, {"starts": "2026-06-02", "ends": "2026-06-15"}),
    ),
    "one after the other that has ended": Way(
        COUNT,
        excepted({"starts": "2026-02-01", "ends": "2026-05-01"}, {"starts": "2026-05-03", "ends": "2026-05-30"}),
        excepted({"starts": "2026-02-01", "ends": "2026-03-01"}, {"starts": "2026-05-03", "ends": "2026-05-30"}),
    ),
    "six at once": Way(
        COUNT, excepted(*({"rule": rule} for rule in RULES)), excepted(*({"rule": rule} for rule in RULES[:5]))
    ),
    "it hides itself": Way(COUNT, excepted({"rule": COUNT}), CONTROL),
    "a rule that is not there": Way(COUNT, excepted({"rule": "longest-durations"}), CONTROL),
    "it has ended": Way(
        "longest-duration",
        excepted({"ends": "2026-05-03"}, **LONG),
        excepted({}, **LONG),
    ),
    "it has not begun": Way(
        "longest-duration",
        excepted({"starts": "2026-05-05"}, **LONG),
        excepted({}, **LONG),
    ),
    "an organization admin from outside": without_exceptions("external-not-privileged", {"organizationRole": "admin"}),
    "a project owner from outside": without_exceptions(
        "collaborator-not-project-owner", {"projects": {"shop": "owner"}}
    ),
    "oneself as approver": without_exceptions("approver-is-another", {"approver": "robin@agency.example.org"}),
    "a project of staging": Way(
        "own-environment",
        Stack(
            [Entry(Type.GRANT, "x", values={**person().values, "environment": "staging", "project_id": 1})],
            exceptions=[ExceptionEntry.of({**SOUND, "rule": "own-environment", "email": None})],
        ),
        Stack([Entry(Type.GRANT, "x", values={**person().values, "environment": "production", "project_id": 1})]),
    ),
    "a project for everybody": Way(
        "no-all-users-in-production",
        Stack(
            [Entry(Type.GRANT, "x", values={**person().values, "project_id": 1, "grant_types": ["all_users"]})],
            exceptions=[ExceptionEntry.of({**SOUND, "rule": "no-all-users-in-production", "email": None})],
        ),
        Stack([Entry(Type.GRANT, "x", values={**person().values, "project_id": 1, "grant_types": ["individual"]})]),
    ),
    "a token in plain text": Way(
        "secrets-are-secret",
        Stack(
            [Entry(Type.SERVICE_ACCOUNT, "etl", values={"token": "t"})],
            exceptions=[ExceptionEntry.of({**SOUND, "rule": "secrets-are-secret", "email": None})],
        ),
        Stack([Entry(Type.SERVICE_ACCOUNT, "etl", values={"token": "t"}, secret_outputs=frozenset({"token"}))]),
    ),
}
GUARDS: Final[dict[str, Way]] = {
    "the clock is set back": guarded(now="2026-05-04"),
    "the clock is encrypted": guarded(now={"ciphertext": "v1:x"}),
    "another host": guarded(apiUrl="https://mixpanel.example.org"),
    "a host that looks like Mixpanel's": guarded(apiUrl="https://mixpanel.com.example.org"),
    "a host behind a user": guarded(apiUrl="https://mixpanel.com@example.org"),
    "a host with a port as its user": guarded(apiUrl="https://mixpanel.com:443@example.org"),
    "another host of the Platform API": guarded(platformUrl="https://platform-us.mixpanel.com.example.org"),
    "brakes are released": guarded(releaseBrakes="removalShare"),
    "brakes are released in a list": guarded(releaseBrakes='["removalShare"]'),
    "all may be removed": guarded(removalPercent="100"),
    "a share that is not a number": guarded(removalPercent="nan"),
    "a thousand may be removed": guarded(removalMinimum=1000),
    "a secret in plain text": guarded(plain=["serviceAccountSecret"]),
    "all rules are disabled": guarded(off=["naming", "guards-not-loosened"]),
    "the rules without exceptions are disabled": guarded(off=["external-not-privileged"]),
}


def owner(**values: Any) -> dict[str, Any]:
    """The roster with one more who administers the organization."""
    admin = {"email": "kim@example.com", "organizationRole": "admin", "justification": "Runs it", "ticket": "OPS-2"}
    return roster(people=[ROBIN, {**admin, "approver": "ana@example.com", **values}])


MOVED: Final = {"email": "kim@example.com", "role": "admin", "starts": "2026-04-20"}
MANAGES: Final = "privileged-ends-or-reviewed"
DATES: Final[dict[str, Way]] = {
    "reviewed in a year": Way(
        "review-not-ahead",
        roster(people=[{**ROBIN, "reviewed": "2027-05-04"}]),
        roster(people=[{**ROBIN, "reviewed": "2026-05-04"}]),
    ),
    "an admin for ever": Way(MANAGES, owner(), owner(reviewed="2026-05-01")),
    "an admin whose starts is moved each quarter": Way(
        MANAGES,
        Stack([Entry(Type.MEMBER, "kim", values={**MOVED, "since": "2025-05-01"})]),
        Stack([Entry(Type.MEMBER, "kim", values={**MOVED, "since": "2026-03-01"})]),
    ),
    "an admin for ten years": Way(MANAGES, owner(ends="2036-05-01"), owner(ends="2027-05-01")),
    "an admin reviewed in a year": Way(
        "privileged-ends-or-reviewed", owner(reviewed="2027-05-04"), owner(reviewed="2026-05-04")
    ),
    "an admin reviewed long ago": Way(
        "privileged-ends-or-reviewed", owner(reviewed="2026-01-31"), owner(reviewed="2026-02-01")
    ),
    "starts is moved each quarter": Way(
        "longest-duration",
        Stack([person(starts="2026-04-20", ends="2026-06-15", since="2025-05-01")]),
        Stack([person(starts="2026-04-20", ends="2026-06-15", since="2026-01-05")]),
    ),
    "starts is taken away": Way(
        "longest-duration", Stack([person(ends="2026-06-15", since="2026-03-01")]), Stack([person(ends="2026-06-15")])
    ),
    "an employee's review of a year": Way(
        "longest-duration",
        roster(
            people=[ROBIN, {"email": "kim@example.com", "engagement": "long", "projects": {"shop": "analyst"}}],
            engagements={"funnels": ENGAGEMENT, "long": {**ENGAGEMENT, "ends": "2027-04-01"}},
        ),
        roster(people=[ROBIN, {"email": "kim@example.com", "engagement": "funnels", "projects": {"shop": "analyst"}}]),
    ),
}
WAYS: Final[dict[str, Way]] = {**EXCEPTIONS, **GUARDS, **DATES}
