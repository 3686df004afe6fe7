"""The summary of a review: a line a person, the worst first, and everybody with `--all`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mixpanel_access.cli.review_shown import MOST_PEOPLE, print_begun, print_progress
from mixpanel_access.operations.review.starting import Begun
from mixpanel_access.operations.review.summary import left_to_do, to_review
from tests.fakes import NOW, PRODUCTION, WAREHOUSE
from tests.operations.overviews import BO, person
from tests.operations.reviews import ANA, CY, Review

DI, EVE, FAY = (f"{name}@example.com" for name in ("di", "eve", "fay"))
NAMED = f"approver: {ANA}, engagement: review"


@pytest.fixture
def review(tmp_path: Path) -> Review:
    """Bo has too high a role, Cy no engagement, Di ended, Eve nobody to review her, and nobody objects to Fay."""
    made = Review(
        tmp_path,
        person(FAY, f"{NAMED}, projects: {{ shop: consumer }}"),
        person(CY, f"approver: {ANA}, projects: {{ shop: consumer }}"),
        person(BO, f"{NAMED}, projects: {{ shop: admin, warehouse: consumer }}"),
        person(DI, f"{NAMED}, ends: 2026-05-03, projects: {{ shop: consumer }}"),
        person(EVE, "projects: { shop: consumer }"),
    )
    for email in (DI, EVE, FAY):
        made.api.put(email)
    return made


def test_each_person_has_a_line_the_worst_first(review: Review) -> None:
    """Access that no roster gives and roles that nobody reviews come before all suggestions."""
    review.api.give(WAREHOUSE, FAY, "owner")
    assert [one.line() for one in to_review(review.begin())] == [
        f"{FAY}: no roster gives owner in warehouse; keep consumer in shop",
        f"{EVE}: nobody reviews consumer in shop: the roster names no approver",
        f"{DI}: remove consumer in shop",
        f"{BO}: lower admin in shop to consumer; keep consumer in warehouse",
        f"{CY}: check consumer in shop",
    ]


def test_what_is_left_is_a_line_a_person_too(review: Review) -> None:
    """Access that must be gone is the worst, then what no longer holds; what is done is not there."""
    review.api.give(PRODUCTION, DI, "consumer")
    review.begin()
    review.decide(DI, "remove")
    review.apply()
    review.decide(BO, "keep", "shop")
    review.decide(CY, "keep")
    review.decide(FAY, "keep")
    review.edit("shop: admin", "shop: owner")
    lines = [one.line() for one in left_to_do(review.status())]
    assert lines == [
        f"{DI}: still has consumer in shop: `mixpanel-access drift --stack production`",
        f"{BO}: decide again: admin in shop; undecided: keep consumer in warehouse",
        f"{EVE}: undecided: check consumer in shop",
        f"{CY}: apply: keep: consumer in shop",
        f"{FAY}: apply: keep: consumer in shop",
    ]


def test_the_rest_of_a_long_line_is_counted(review: Review) -> None:
    """Nobody reads more than a few things about one person."""
    (bo,) = (one for one in to_review(review.begin()) if one.email == BO)
    many = replace(bo, todos=[*bo.todos, *bo.todos, *bo.todos])
    assert many.line().endswith("; and 3 more")
    assert many.line(None).count(";") == len(many.todos) - 1


def shown(begun: Begun, capsys: pytest.CaptureFixture[str], *, everybody: bool) -> str:
    """What `review start` prints."""
    print_begun(begun, {}, everybody=everybody)
    return capsys.readouterr().out


def test_a_person_can_take_in_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At most so many people, who need attention; the others are counted, and `--all` shows them."""
    ending = [person(f"p{number}@example.com", f"{NAMED}, ends: 2026-05-03, projects: {{ shop: consumer }}")
              for number in range(MOST_PEOPLE + 5)]  # fmt: skip
    fine = [person(f"q{number}@example.com", f"{NAMED}, projects: {{ shop: consumer }}") for number in range(3)]
    review = Review(tmp_path, *fine, *ending, more="")
    review.api.rows.clear()
    begun = review.begin()
    some, all_of_it = (shown(begun, capsys, everybody=everybody) for everybody in (False, True))
    assert some.count(": remove consumer in shop\n") == MOST_PEOPLE
    assert "q0@" not in some
    assert "8 other people with less to do: --all shows everybody.\n" in some
    assert (all_of_it.count(": remove consumer in shop\n"), all_of_it.count(": keep consumer in shop\n")) == (25, 3)
    assert "--all" not in all_of_it
    print_progress(review.status(), review.folder, NOW.date(), everybody=False)
    status = capsys.readouterr().out
    assert status.count(": undecided: remove consumer in shop\n") == MOST_PEOPLE
    assert status.endswith("\n28 roles undecided in the review 2026-Q2.\n")
