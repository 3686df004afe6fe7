"""What is due, each at its boundary, and the calendar that says so, read again by the library's parser."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.reminder_calendar import calendar
from mixpanel_access.operations.reminding import Reminder, ReminderKind, reminders
from tests.fakes import NOW, FakeApi
from tests.operations.overviews import BO, overview, person

ENTRY = "engagement: review, projects: { shop: analyst }, starts: 2026-05-01, ends: 2026-06-30"


def read(content: bytes) -> Any:
    """A calendar as a program reads it."""
    return Calendar.from_ical(content)


def found(entry: str = ENTRY, *, days: float = 0, invited: bool = False) -> list[Reminder]:
    """What falls on some day, looked at so many days after 4 May, noon."""
    api = FakeApi()
    api.put(BO, "member", invited=invited)
    now = NOW + timedelta(days=days)
    return reminders(overview(api, person(more=entry), now=now, invited={BO: NOW}))


def of(kind: ReminderKind, among: list[Reminder]) -> Reminder:
    """The one of a kind."""
    (one,) = [reminder for reminder in among if reminder.kind is kind]
    return one


STAGES = [
    ("2026-06-15", None, False), ("2026-06-16", 14, True), ("2026-06-22", 14, True), ("2026-06-23", 7, True),
    ("2026-06-29", 7, True), ("2026-06-30", 0, True),
]  # fmt: skip


@pytest.mark.parametrize(("today", "stage", "due"), STAGES)
def test_an_end_is_told_14_and_7_days_before_and_on_the_day(today: str, stage: int | None, due: bool) -> None:
    """A run that was missed is made up by the next."""
    one = of(ReminderKind.ENDS, found())
    assert (one.on, one.text) == (
        date(2026, 6, 30),
        f"The access of {BO} in stack production (review) ends on 2026-06-30.",
    )
    assert (one.stage(date.fromisoformat(today)), one.due(date.fromisoformat(today))) == (stage, due)


def test_the_end_of_a_team_is_told_to_who_is_in_it() -> None:
    """Where it comes before the end of the entry: a matter of its own, which has its own event in the calendar."""
    entry = f"{ENTRY}, teams: [data, ops, old, same]"
    teams = (
        "teams: { data: { name: Data, ends: 2026-05-18 }, ops: { name: Ops }, old: { name: Old, ends: 2026-05-03 }, "
        "same: { name: Same, ends: 2026-06-30 } }"
    )
    found = [
        one for one in reminders(overview(FakeApi(), person(more=entry), more=teams)) if one.kind is ReminderKind.ENDS
    ]
    assert [(str(one.on), one.email, one.part) for one in found] == [
        ("2026-05-18", "", "data"), ("2026-05-18", BO, "data"), ("2026-06-30", "", "same"), ("2026-06-30", BO, ""),
    ]  # fmt: skip
    assert found[0].text == "The team data in stack production ends on 2026-05-18."
    found = [one for one in found if one.email]
    assert found[0].text == f"The membership in the team data of {BO} in stack production (review) ends on 2026-05-18."
    assert found[0].uid != found[1].uid
    assert (found[0].due(date(2026, 5, 3)), found[0].due(date(2026, 5, 4))) == (False, True)


def test_the_end_of_a_team_is_told_once() -> None:
    """Though two entries put the person into it: by the one that lasts longest."""
    more = "teams: { data: { name: Data, ends: 2026-05-18 } }"
    people = [person(more=f"{ENTRY}, teams: [data]"), person(more="teams: [data], ticket: OPS-2")]
    found = reminders(overview(FakeApi(), *people, more=more))
    told = [one for one in found if one.kind is ReminderKind.ENDS and one.email]
    assert [(str(one.on), one.part, one.engagement) for one in told] == [
        ("2026-05-18", "data", None),
        ("2026-06-30", "", "review"),
    ]
    (end,) = [one for one in told if not one.part]
    assert end.text == f"The access (analyst in shop) of {BO} in stack production (review) ends on 2026-06-30."


def test_what_has_not_begun_or_has_no_end_is_not_told() -> None:
    """What is over and still there is, until it is taken away; and what should have begun."""
    (over,) = found(days=58)
    assert (over.kind, over.on, over.due(over.on)) == (ReminderKind.OVERDUE, date(2026, 6, 30), True)
    assert (
        over.text == f"The access of {BO} in stack production (review) ended on 2026-06-30 and is not yet taken away."
    )
    assert over.next_step == "`mixpanel-access revoke --stack production --yes` takes it away."
    api = FakeApi()
    (late, _) = reminders(overview(api, person(more="projects: { shop: analyst }, starts: 2026-05-03"), applied=False))
    assert (late.kind, late.on, late.next_step) == (
        ReminderKind.LATE, date(2026, 5, 3), "`pulumi up --stack production` gives it.",
    )  # fmt: skip
    assert {one.kind for one in found("starts: 2026-05-05, ends: 2026-06-01")} == {ReminderKind.ENDS}
    assert {one.kind for one in found("starts: 2026-05-05")} == set()
    assert {one.kind for one in found("starts: 2026-05-04")} == {ReminderKind.REVIEW}


def test_an_invitation_is_told_on_the_day_on_which_it_has_waited_72_hours() -> None:
    """And no more once it is accepted, or where nobody knows when it went out."""
    one = of(ReminderKind.PENDING, found(invited=True))
    assert (one.on, one.next_step) == (date(2026, 5, 7), f"`mixpanel-access resend {BO}` sends it again.")
    assert (one.due(date(2026, 5, 6)), one.due(date(2026, 5, 7))) == (False, True)
    assert ReminderKind.PENDING not in {one.kind for one in found()}
    api = FakeApi()
    api.put(BO, "member", invited=True)
    assert ReminderKind.PENDING not in {one.kind for one in reminders(overview(api, person(more=ENTRY)))}


def test_an_expired_invitation_has_the_next_step_of_status() -> None:
    """`pulumi up` sends it again, and so nobody has to."""
    one = of(ReminderKind.PENDING, found(invited=True, days=8))
    assert one.text == f"The invitation to {BO} of 2026-05-04 expired on 2026-05-11."
    assert one.next_step == "`pulumi up --stack production` sends it again."


def test_a_review_is_due_when_the_rule_says_so() -> None:
    """On the 93rd day after the last one, or after the beginning; at once where nobody knows."""
    assert of(ReminderKind.REVIEW, found()).on == date(2026, 5, 1) + timedelta(days=93)
    assert of(ReminderKind.REVIEW, found(f"{ENTRY}, reviewed: 2026-05-03")).on == date(2026, 5, 3) + timedelta(days=93)
    unknown = of(ReminderKind.REVIEW, found("projects: { shop: analyst }"))
    assert (unknown.due(NOW.date()), "as far as anybody knows" in unknown.text) == (True, True)


def events(content: bytes) -> dict[str, Any]:
    """The events of a calendar by UID."""
    return {str(event["uid"]): event for event in read(content).walk("VEVENT")}


def test_the_calendar_is_one_that_outlook_and_google_show() -> None:
    """All-day events, one for each day of reminder; no method, which is for invitations; what RFC 5545 asks for."""
    content = calendar(found(invited=True), NOW)
    made = read(content)
    assert (str(made["version"]), "method" in made, made.walk("VTIMEZONE")) == ("2.0", False, [])
    rows = sorted((str(one["categories"].cats[0]), str(one["dtstart"].dt), str(one["summary"])) for one in made.events)
    end = f"The access of {BO} in stack production (review) ends on 2026-06-30."
    assert rows[:4] == [
        ("ends", "2026-06-16", f"In 14 days: {end}"),
        ("ends", "2026-06-23", f"In 7 days: {end}"),
        ("ends", "2026-06-30", end),
        ("pending", "2026-05-07", f"The invitation to {BO} of 2026-05-04 is not accepted."),
    ]
    assert [kind for kind, *_ in rows[4:]] == ["review"]
    for event in made.events:
        assert event["dtend"].dt - event["dtstart"].dt == timedelta(days=1)
        assert (event["dtstamp"].dt, str(event["status"]), str(event["transp"])) == (NOW, "CONFIRMED", "TRANSPARENT")
        assert [alarm["trigger"].dt for alarm in event.walk("VALARM")] == [timedelta()]
    assert len(events(content)) == 5
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 75


def test_a_later_calendar_updates_an_earlier_one() -> None:
    """The same matter has the same UID whatever its day, and a higher sequence; what stays the same is not touched."""
    first = calendar(found(), NOW)
    later = calendar(found(ENTRY.replace("2026-06-30", "2026-07-31"), days=1), NOW + timedelta(days=1), first)
    before, after = events(first), events(later)
    assert before.keys() == after.keys()
    for uid, event in before.items():
        moved = event["dtstart"].dt != after[uid]["dtstart"].dt
        assert moved is (str(event["categories"].cats[0]) != "review")
        assert (int(after[uid]["sequence"]) > int(event["sequence"])) is moved
        assert int(after[uid]["sequence"]) < 2**31
    assert calendar(found(), NOW + timedelta(days=1), first) == first


GONE = "projects: { shop: analyst }, starts: 2026-05-05"


def test_what_has_ended_is_cancelled() -> None:
    """By the same UID and a higher sequence, even in the same minute; a matter that comes back is confirmed again."""
    first = calendar(found(), NOW)
    gone = calendar(found(GONE), NOW, first)
    for uid, event in events(gone).items():
        assert str(event["status"]) == "CANCELLED"
        assert int(event["sequence"]) > int(events(first)[uid]["sequence"])
        assert not event.walk("VALARM")
    assert events(gone).keys() == events(first).keys()
    back = events(calendar(found(), NOW, gone))
    assert {str(event["status"]) for event in back.values()} == {"CONFIRMED"}
    assert all(int(event["sequence"]) > int(events(gone)[uid]["sequence"]) for uid, event in back.items())
    for days, kept in ((90, 5), (91, 0)):
        assert len(events(calendar(found(GONE), NOW + timedelta(days=days), gone))) == kept


def test_nothing_of_a_stack_that_was_not_read_is_cancelled() -> None:
    """Its events stay as they are; so does what is the organization's, unless all stacks were read."""
    first = calendar(found(invited=True), NOW)
    assert calendar([], NOW, first, lambda stack: stack == "staging") == first
    some = events(calendar([], NOW, first, lambda stack: stack == "production"))
    kinds = {str(one["categories"].cats[0]) for one in some.values() if str(one["status"]) == "CONFIRMED"}
    assert kinds == {"pending"}


ONE = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n%bEND:VEVENT\r\nEND:VCALENDAR\r\n"
TWICE = b"UID:1@mixpanel-access\r\nDTSTAMP:20260504T120000Z\r\nSUMMARY:a\r\nSUMMARY:b\r\n"


@pytest.mark.parametrize(
    "earlier", [b"x", ONE % b"", ONE % TWICE, ONE % TWICE.replace(b"2026", b"0001").replace(b"Z", b""), b"\xff"]
)
def test_a_file_that_is_no_calendar_is_not_updated(earlier: bytes) -> None:
    """Nobody would learn what was cancelled."""
    with pytest.raises(UsageError, match="cannot update the calendar: the file that is there is not a calendar"):
        calendar(found(), NOW, earlier)


def test_no_two_events_of_a_calendar_have_the_same_uid() -> None:
    """Two service accounts; two entries without an engagement; and what ended, next to what the roster dropped."""
    account = "role: consumer, purpose: p, contact: ana@example.com, expires: 2026-07-01"
    more = f"serviceAccounts: {{ etl: {{ {account} }}, ci: {{ {account} }} }}"
    people = [
        person(more="projects: { shop: analyst }, ends: 2026-06-30"),
        person(more="projects: { warehouse: analyst }, starts: 2026-07-05, ends: 2026-07-30"),
    ]
    found = reminders(overview(FakeApi(), *people, more=more))
    assert len([one for one in found if one.kind is ReminderKind.ENDS]) == 4
    assert len({one.uid for one in found}) == len(found)


def test_a_text_with_commas_and_lines_is_escaped() -> None:
    """Whatever an engagement is called."""
    entry = "engagement: review, projects: { shop: analyst }, ends: 2026-06-30"
    one = of(ReminderKind.ENDS, found(entry))
    odd = Reminder(one.kind, one.email, one.stack, one.on, "a, b; c\\d\nBEGIN:VEVENT", "x" * 200, None)
    (event,) = read(calendar([odd], NOW)).walk("VEVENT")
    assert (str(event["summary"]), str(event["description"])) == ("a, b; c\\d\nBEGIN:VEVENT", "x" * 200)
    assert max(map(len, calendar([odd], NOW).split(b"\r\n"))) <= 75
