"""One sentence and one next step for each kind of pending change, which every command shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from mixpanel_access.cli.revoke import WithinStack, _print_within
from mixpanel_access.operations.overview import Overview, overview_of
from mixpanel_access.operations.pending.change import PendingChange, PendingEvent
from mixpanel_access.operations.reminding import reminders
from mixpanel_access.operations.report.build import make_report
from mixpanel_access.operations.status import statuses
from tests.fakes import NOW, PRODUCTION, FakeApi
from tests.operations.held import changed_state, held_account, held_account_grant, held_team
from tests.operations.overviews import BO, overview, person

ON = date(2026, 5, 4)
REVOKE = "`mixpanel-access revoke --stack s --yes` takes it away"
LOWER = "`mixpanel-access revoke --stack s --yes` lowers it"
SINCE = "; it should have begun on 2026-05-04"
UP = "`pulumi up --stack s` gives it"
LAST = "in stack s ended on 2026-05-03 and"
LET_END = "extend `ends` in the roster, or let it end"
TEAM_ENDS = "extend `ends` of the team in the roster, or let it end"
ROLE = {"projects": {"shop": "analyst"}}
WORDS: dict[str, tuple[PendingEvent, dict[str, Any], str, str]] = {
    "a person ended": (
        PendingEvent.OVERDUE, {"membership": True, **ROLE},
        f"the access of {BO} in stack s ended on 2026-05-03 and is not yet taken away", REVOKE,
    ),
    "a role is no longer in the roster": (
        PendingEvent.REMOVED, {"engagement": "audit", **ROLE},
        f"the access (analyst in shop) of {BO} in stack s (audit) is no longer in the roster and not yet taken away",
        REVOKE,
    ),
    "a role is lower": (
        PendingEvent.REMOVED, {"projects": {"shop": "admin -> consumer"}},
        f"the access (admin -> consumer in shop) of {BO} in stack s is lower in the roster and not yet lowered", LOWER,
    ),
    "a higher role ended": (
        PendingEvent.OVERDUE, {"projects": {"shop": "admin -> consumer"}, "organization_role": "admin -> member"},
        f"the access (organization admin -> member, admin -> consumer in shop) of {BO} {LAST} is not yet lowered",
        LOWER,
    ),
    "a role is higher": (
        PendingEvent.LATE, {"projects": {"shop": "consumer -> admin"}},
        f"the access (consumer -> admin in shop) of {BO} in stack s is in the roster and not yet given", UP,
    ),
    "a team has a lower role": (
        PendingEvent.REMOVED, {"email": "", "teams": ["data"], "projects": {"shop": "admin -> analyst"}},
        "the team data (admin -> analyst in shop) in stack s is lower in the roster and not yet lowered", LOWER,
    ),
    "a service account has a lower role": (
        PendingEvent.REMOVED, {"email": "", "account": "etl", "projects": {"shop": "admin -> analyst"}},
        "the service account etl (admin -> analyst in shop) in stack s is lower in the roster and not yet lowered",
        LOWER,
    ),
    "a role is not given yet": (
        PendingEvent.LATE, ROLE,
        f"the access (analyst in shop) of {BO} in stack s is in the roster and not yet given", UP,
    ),
    "a place should have begun": (
        PendingEvent.LATE, {"teams": ["data"], "days": -2},
        f"the membership in the team data of {BO} in stack s is in the roster and not yet given{SINCE}", UP,
    ),
    "an organization role ends": (
        PendingEvent.ENDS, {"organization_role": "admin -> member", "teams": ["data"]},
        f"the access (organization admin -> member, the team data) of {BO} in stack s ends on 2026-05-03", LET_END,
    ),
    "a person ends": (
        PendingEvent.ENDS, {"membership": True, "teams": ["data"]}, f"the access of {BO} in stack s ends on 2026-05-03",
        LET_END,
    ),
    "a person begins": (
        PendingEvent.BEGINS, {"membership": True}, f"the access of {BO} in stack s begins on 2026-05-04", "",
    ),
    "a team ends": (
        PendingEvent.ENDS, {"email": "", "teams": ["data"], **ROLE},
        "the team data (analyst in shop) in stack s ends on 2026-05-03", TEAM_ENDS,
    ),
    "a place ends with the team or with the entry": (
        PendingEvent.ENDS, {"teams": ["data"]},
        f"the membership in the team data of {BO} in stack s ends on 2026-05-03", LET_END,
    ),
    "a service account expires": (
        PendingEvent.ENDS, {"email": "", "account": "etl"}, "the service account etl in stack s ends on 2026-05-03",
        "extend `expires` in the roster, or let it end",
    ),
    "another service account has replaced one": (
        PendingEvent.ENDS, {"email": "", "account": "etl.1", "replaced_by": "etl"},
        "the service account etl.1 (replaced by etl) in stack s ends on 2026-05-03",
        "use the new token before that day: `mixpanel-access token etl`",
    ),
    "a replaced service account is past its last day": (
        PendingEvent.OVERDUE, {"email": "", "account": "etl.1", "replaced_by": "etl"},
        "the service account etl.1 (replaced by etl) in stack s ended on 2026-05-03 and is not yet taken away", REVOKE,
    ),
    "a service account has expired before it was created": (
        PendingEvent.LATE, {"email": "", "account": "etl", "refused": "`expires` is past"},
        "the service account etl in stack s is in the roster and not yet given, and cannot be: `expires` is past",
        "set a later `expires` in the roster, or delete the account: until then, `pulumi up --stack s` fails",
    ),
    "a service account is no longer in the roster": (
        PendingEvent.REMOVED, {"email": "", "account": "etl", **ROLE},
        "the service account etl (analyst in shop) in stack s is no longer in the roster and not yet taken away",
        REVOKE,
    ),
    "secret grants of a project are no longer in the roster": (
        PendingEvent.REMOVED, {"email": "", "projects": {"shop": "a role"}},
        "the access (a role in shop) in stack s is no longer in the roster and not yet taken away", REVOKE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("event", "what", "sentence", "step"), WORDS.values(), ids=WORDS.keys())
def test_each_kind_of_change_has_its_words(event: PendingEvent, what: dict[str, Any], sentence: str, step: str) -> None:
    """What happens to what, to whom, in which stack, since or on which day; and what to do."""
    change = PendingChange(**{"event": event, "email": BO, "on": ON, **what})
    assert (change.sentence("s"), change.next_step("s")) == (sentence, step)


ENTRY = "projects: {{ shop: analyst }}, {}"
KINDS: dict[str, tuple[str, bool, str]] = {
    "overdue": ("ends: 2026-05-04", True, "overdue"),
    "no longer in the roster": ("", True, "removed"),
    "late": ("starts: 2026-05-03", False, "late"),
    "ending": ("ends: 2026-05-07", True, "ends"),
}


def looked(days: str, applied: bool, event: str) -> Overview:
    """Bo's access, with something pending on the fifth of May."""
    api = FakeApi()
    api.put(BO, "member")
    api.give(PRODUCTION, BO, "analyst")
    now = NOW + timedelta(days=1)
    found = overview(api, person(more=ENTRY.format(days)), applied=applied, now=now)
    if event != "removed":
        return found
    nobody = overview(api, now=now).stacks["production"]
    state = found.stacks["production"].state
    return overview_of({"production": replace(nobody, state=state)}, found.directory, now)


@pytest.mark.parametrize(("days", "applied", "event"), KINDS.values(), ids=KINDS.keys())
def test_every_command_shows_the_same_sentence_and_the_same_step(
    capsys: pytest.CaptureFixture[str], days: str, applied: bool, event: str
) -> None:
    """`status` without the address, which its row has; `remind` as a sentence; the report by person and by stack."""
    seen = looked(days, applied, event)
    (change,) = [one for one in seen.changes["production"] if one.event.value == event]
    sentence, step = change.sentence("production"), change.next_step("production")
    (one,) = statuses(seen)
    assert (sentence.replace(f" of {BO}", ""), step) in [(step.text, step.next_step) for step in one.steps]
    reminded = [(one.text.casefold(), one.next_step.casefold()) for one in reminders(seen)]
    assert (f"{sentence}.".casefold(), f"{step}.".casefold()) in reminded
    report = make_report(seen)
    undone = [(one.text, one.next_step) for one in report.undone if one.event is change.event]
    assert undone == ([] if change.to_come else [(sentence, step)])
    assert [one.on for one in report.endings] == ([change.day] if event in ("overdue", "ends") else [])
    _print_within([WithinStack(stack="production", today=seen.today, changes=[change], held=[], problems=[])], days=14)
    printed = capsys.readouterr().out
    assert sentence in printed
    assert step in printed


def test_what_no_person_has_is_in_the_report_and_in_the_reminders() -> None:
    """A service account and a team without people that the roster no longer has: two problems."""
    api = FakeApi()
    now = overview(api)
    view = now.stacks["production"]
    state = changed_state(
        view.state,
        accounts={500: held_account("etl", 500, "urn::service-account/etl")},
        account_grants={(PRODUCTION, 500): held_account_grant(PRODUCTION, 500, "admin")},
        teams={100: held_team("Data", 100, "urn::team/data")},
    )
    seen = overview_of({"production": replace(view, state=state)}, now.directory, NOW)
    report = make_report(seen)
    assert {one.text.partition(" in stack")[0] for one in report.undone} == {
        "the service account etl (admin in shop)", "the team data",
    }  # fmt: skip
    assert report.problems - len(report.held_up) - len(report.differences) == 2
    assert {one.text[:1] for one in reminders(seen)} == {"T"}
    assert len(reminders(seen)) == 2
