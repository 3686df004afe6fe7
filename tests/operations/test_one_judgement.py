"""What counts as soon, idle, due or too long pending is decided in one place: the options of the policy rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.policy_check import PolicyConfig
from mixpanel_access.operations.reminding import ReminderKind, reminders
from mixpanel_access.operations.report.build import make_report
from mixpanel_access.operations.report.model import EndsIn
from mixpanel_access.operations.review.listing import listed_roles
from mixpanel_access.operations.status import statuses
from tests.fakes import NOW, PRODUCTION, FakeApi
from tests.operations.overviews import overview

KIM = "kim@example.com"
ENTRY = "  - { email: kim@example.com, projects: { shop: analyst }, ends: 2026-05-24, starts: 2026-03-20 }"
"""Ends in twenty days, and began 45 days ago."""


def seen(policies: dict[str, Any], *, invited_hours: int | None = None, idle_days: int = 1) -> Overview:
    """One person's access under some policies."""
    api = FakeApi()
    api.put(KIM, invited=invited_hours is not None)
    api.people[KIM] = replace(
        api.people[KIM], last_login=NOW - timedelta(days=idle_days) if not invited_hours else None
    )
    api.give(PRODUCTION, KIM, "analyst")
    sent = {KIM: NOW - timedelta(hours=invited_hours)} if invited_hours else None
    found = overview(api, ENTRY, invited=sent, company="")
    views = {name: replace(view, read_policies=lambda: PolicyConfig(policies)) for name, view in found.stacks.items()}
    return replace(found, stacks=views)


def status_says(found: Overview, words: str) -> bool:
    """Whether `status` shows a step."""
    return any(words in step.text for one in statuses(found) for step in one.steps)


def remind_says(found: Overview, kind: ReminderKind) -> bool:
    """Whether `remind` has something due."""
    return any(one.kind is kind and one.due(found.today) for one in reminders(found))


def report_of(found: Overview) -> Any:
    """The report."""
    return make_report(found)


def review_item(found: Overview) -> Any:
    """The project role in a review."""
    return next(one.item for one in listed_roles(found, "approver") if one.item.project)


def says_soon(found: Overview) -> dict[str, bool]:
    """Who says that the access ends soon."""
    return {
        "status": status_says(found, "ends on 2026-05-24"),
        "remind": remind_says(found, ReminderKind.ENDS),
        "report": [one.when for one in report_of(found).endings] == [EndsIn.SOON],
        "review": review_item(found).state == "ends soon",
    }


def says_idle(found: Overview) -> dict[str, bool]:
    """Who says that somebody stays away."""
    return {
        "report": any(one.factor == "dormant" for one in report_of(found).people[0].risk.reasons),
        "review": "the last login was" in review_item(found).reason,
    }


def says_pending(found: Overview) -> dict[str, bool]:
    """Who says that an invitation waits too long."""
    return {
        "status": status_says(found, "the invitation is pending"),
        "remind": remind_says(found, ReminderKind.PENDING),
        "report": any(one.steps for one in report_of(found).invitations),
    }


def says_review(found: Overview) -> dict[str, bool]:
    """Who says that a review is due."""
    return {
        "remind": remind_says(found, ReminderKind.REVIEW),
        "report": any(one.rule == "review-due" for one in report_of(found).findings),
    }


CASES: dict[str, tuple[Callable[[Overview], dict[str, bool]], dict[str, Any], str, str, int, int]] = {
    "ending soon": (says_soon, {}, "ending-soon", "days", 19, 20),
    "idle": (says_idle, {"idle_days": 40}, "dormant-account", "days", 40, 39),
    "pending too long": (says_pending, {"invited_hours": 50}, "invitation-stale", "remindHours", 80, 49),
    "review due": (says_review, {}, "review-due", "days", 45, 44),
}


@pytest.mark.parametrize(("who_says", "facts", "rule", "option", "silent", "speaks"), CASES.values(), ids=CASES.keys())
def test_one_option_is_followed_by_every_command(
    who_says: Callable[[Overview], dict[str, bool]],
    facts: dict[str, Any],
    rule: str,
    option: str,
    silent: int,
    speaks: int,
) -> None:
    """On one side of the boundary all of them speak, on the other none does."""
    assert set(who_says(seen({rule: {option: silent}}, **facts)).values()) == {False}
    assert set(who_says(seen({rule: {option: speaks}}, **facts)).values()) == {True}


def test_the_defaults_are_those_of_the_rules() -> None:
    """A stack without a configuration has what docs/rules.md says."""
    config = PolicyConfig({})
    assert (config.ending_days, config.idle_days, config.never_days, config.review_days, config.pending_hours) == (
        14, 90, 30, 92, 72,
    )  # fmt: skip


@pytest.mark.parametrize(("days", "stages"), [(0, [0]), (5, [0, 5]), (7, [0, 7]), (14, [0, 7, 14]), (30, [0, 7, 30])])
def test_the_first_reminder_of_an_end_comes_when_it_counts_as_soon(days: int, stages: list[int]) -> None:
    """And the later ones a week before and on the day."""
    (one,) = [one for one in reminders(seen({"ending-soon": {"days": days}})) if one.kind is ReminderKind.ENDS]
    assert one.stages == stages
