"""What is open of a review: `review start` lists it, and `review status` ends with 1 until it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mixpanel_access.model.access import GrantType
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.resources import PROJECT_GRANT
from mixpanel_access.operations.overview import overview_of
from mixpanel_access.operations.review.decisions import ItemStatus
from mixpanel_access.operations.review.progress import progress_by_files, progress_of
from tests.fakes import NOW, PRODUCTION
from tests.operations.overviews import BO, person
from tests.operations.reviews import ANA, CY, Review
from tests.operations.test_review_holds import begun


def decided(folder: Path, word: str) -> Review:
    """The review of `begun`, with decisions on Bo and Cy that are applied and done by `pulumi up`."""
    review = begun(folder, teams="" if word == "remove" else "data")
    review.decide(BO, word, "shop")
    review.decide(CY, "keep")
    assert not review.apply().stale
    review.up()
    return review


def bo(more: str = "ends: 2026-06-30", role: str = "analyst", teams: str = "data", **other: str) -> str:
    """Bo's entry as somebody writes it."""
    ticket = f"ticket: {other['ticket']}, " if other else ""
    facts = f"{ticket}{more}, justification: funnels, projects: {{ shop: {role} }}, teams: [{teams}]"
    return person(more=f"engagement: review, starts: 2026-04-01, {facts}")


AGAIN: dict[str, tuple[str, str, str]] = {
    "removed and given again": ("remove", bo(role="admin", teams=""), "given again after the decision to remove it"),
    "removed and given again with less": ("remove", bo(role="consumer", teams=""), "given again"),
    "lowered and raised": ("lower=analyst", bo(role="admin"), "role changed from analyst to admin"),
    "kept and raised": ("keep", bo(role="owner"), "role changed from admin to owner"),
    "kept and a custom role": ("keep", bo(role="desk"), "role changed from admin to desk"),
    "lowered and extended": ("lower=analyst", bo("ends: 2026-12-31"), "ends changed from 2026-06-30 to 2026-12-31"),
    "kept without an end": ("keep", bo("notes: x", role="admin"), "ends changed from 2026-06-30 to nothing"),
    "lowered and a team more": ("lower=analyst", bo(teams="data, ops"), "teams changed"),
    "kept for another ticket": ("keep", bo(role="admin", ticket="OPS-9"), "ticket changed from OPS-1 to OPS-9"),
}


@pytest.mark.parametrize(("word", "entry", "words"), AGAIN.values(), ids=AGAIN.keys())
def test_access_given_again_or_raised_is_listed_as_new(tmp_path: Path, word: str, entry: str, words: str) -> None:
    """Once, by the next `start` of the same review; the evidence keeps the first decision, and a new one counts."""
    review = decided(tmp_path, word)
    assert not review.status().is_open
    before = review.lines()
    text = review.file.read_text()
    rest = [line for line in text.splitlines() if f"email: {BO}, org" not in line]
    review.file.write_text("\n".join(rest).replace("people:\n", f"people:\n{entry}\n") + "\n")
    status = review.status()
    assert [(one.email, words in one.why) for one in status.new] == [(BO, True)]
    assert status.is_open
    assert not review.plan().rosters
    for _ in range(2):
        review.begin(now=NOW)
        (item,) = [item for item in review.items() if item.email == BO]
        assert (item.decision, item.listing, words in item.reason, item.suggestion) == (None, 2, True, item.suggestion)
        assert item.suggestion != "keep"
    assert [line.listing for line in review.lines()[len(before) :]] == [2]
    assert review.lines()[: len(before)] == before
    status = review.status()
    assert (len(status.with_status(ItemStatus.UNDECIDED)), list(status.new)) == (1, [])
    review.decide(BO, word if word != "lower=analyst" else "lower=consumer", "shop")
    made = review.apply()
    assert (list(made.stale), len(made.rosters[0].lines)) == ([], 1)
    review.up()
    assert not review.status().is_open
    assert review.verify() == []


LESS: dict[str, tuple[str, str]] = {
    "as it was": ("keep", bo(role="admin")),
    "lowered": ("keep", bo(role="consumer")),
    "as decided": ("lower=analyst", bo()),
    "ends earlier": ("lower=analyst", bo("ends: 2026-06-01")),
    "no team": ("keep", bo(role="admin", teams="")),
}


@pytest.mark.parametrize(("word", "entry"), LESS.values(), ids=LESS.keys())
def test_access_that_only_shrank_is_not_listed_again(tmp_path: Path, word: str, entry: str) -> None:
    """A review takes away; what gives no more than was decided is done."""
    review = decided(tmp_path, word)
    rest = [line for line in review.file.read_text().splitlines() if f"email: {BO}, org" not in line]
    review.file.write_text("\n".join(rest).replace("people:\n", f"people:\n{entry}\n") + "\n")
    review.up()
    assert not review.status().is_open
    before = review.lines()
    review.begin()
    assert review.lines() == before


def another_person(review: Review) -> None:
    """Di gets access."""
    review.edit("people:\n", f"people:\n{person('di@example.com', f'approver: {ANA}, projects: {{ shop: owner }}')}\n")


def another_project(review: Review) -> None:
    """Cy gets a second project."""
    review.edit("warehouse: consumer }", "warehouse: consumer, shop: analyst }")


def another_engagement(review: Review) -> None:
    """Cy gets a second entry."""
    review.edit(
        "people:\n", f"people:\n{person(CY, f'approver: {ANA}, engagement: review, projects: {{ shop: admin }}')}\n"
    )


def raised_in_the_organization(review: Review) -> None:
    """Cy manages the organization."""
    review.edit(f"{CY}, organizationRole: member", f"{CY}, organizationRole: admin")


NEW: dict[str, tuple[Callable[[Review], None], set[tuple[str, str | None]]]] = {
    "a person": (another_person, {("di@example.com", "shop")}),
    "a project": (another_project, {(CY, "shop")}),
    "an entry": (another_engagement, {(CY, "shop")}),
    "an organization role": (raised_in_the_organization, {(CY, None), (CY, "warehouse")}),
}


@pytest.mark.parametrize(("edit", "new"), NEW.values(), ids=NEW.keys())
def test_access_that_was_never_listed_is_new(
    tmp_path: Path, edit: Callable[[Review], None], new: set[tuple[str, str | None]]
) -> None:
    """`status` names it before `start` lists it."""
    review = decided(tmp_path, "keep")
    edit(review)
    status = review.status()
    assert {(one.email, one.project) for one in status.new} == new
    assert status.is_open
    review.begin()
    assert {(item.email, item.project) for item in review.items() if item.decision is None} == new
    assert not review.status().new


def test_access_that_begins_tomorrow_is_new_tomorrow(tmp_path: Path) -> None:
    """And neither listed nor open today."""
    review = decided(tmp_path, "keep")
    review.edit(
        "people:\n", f"people:\n{person(CY, 'engagement: review, starts: 2026-05-05, projects: { shop: admin }')}\n"
    )
    assert not review.status().is_open
    assert [one.role for one in review.status(NOW + timedelta(days=1)).new] == ["admin"]


def hold(review: Review, role: str | None) -> None:
    """Bo's individual grant in Mixpanel."""
    review.api.rows = [row for row in review.api.rows if row.email != BO]
    if role:
        review.api.give(PRODUCTION, BO, role)


STILL: dict[str, tuple[str, bool, str | None, tuple[str, str] | None]] = {
    "removed, no up": ("remove", False, "admin", ("admin", "admin")),
    "removed, taken by hand": ("remove", False, None, ("admin", "")),
    "removed, given by hand": ("remove", True, "consumer", ("", "consumer")),
    "removed and done": ("remove", True, None, None),
    "lowered, no up": ("lower=analyst", False, "admin", ("admin", "admin")),
    "lowered, up failed in Mixpanel": ("lower=analyst", True, "admin", ("", "admin")),
    "lowered and done": ("lower=analyst", True, "analyst", None),
    "lowered, taken by hand": ("lower=analyst", True, None, None),
    "kept, no up": ("keep", False, "admin", None),
    "kept, taken by hand": ("keep", True, None, None),
}


@pytest.mark.parametrize(("word", "up", "role", "there"), STILL.values(), ids=STILL.keys())
def test_an_applied_decision_is_open_until_the_access_is_gone(
    tmp_path: Path, word: str, role: str | None, there: tuple[str, str] | None, *, up: bool
) -> None:
    """From the state and from Mixpanel; it says which, and what to run."""
    review = begun(tmp_path, teams="")
    review.decide(BO, word, "shop")
    review.decide(CY, "keep")
    review.apply()
    if up:
        review.up()
    hold(review, role)
    status = review.status()
    assert [(one.state, one.mixpanel) for one in status.still_there] == ([there] if there else [])
    assert status.is_open == bool(there)
    for one in status.still_there:
        assert ("pulumi up --stack production" in str(one)) == bool(there and there[0])


def test_access_that_another_entry_gives_is_not_waited_for(tmp_path: Path) -> None:
    """Nor access that comes by a team: the decision was on one entry's own grant."""
    review = Review(
        tmp_path,
        person(more="engagement: review, projects: { shop: admin }"),
        person(more=f"approver: {ANA}, projects: {{ shop: analyst }}"),
    )
    review.begin()
    review.decide(BO, "remove", engagement="review")
    review.decide(BO, "keep", engagement="")
    review.apply()
    assert [one.state for one in review.status().still_there] == ["admin"]
    review.up()
    review.api.give(PRODUCTION, BO, "owner", GrantType.TEAM)
    assert not review.status().is_open


def test_a_whole_entry_is_waited_for_with_its_organization_role(tmp_path: Path) -> None:
    """Until neither the state nor Mixpanel has it; a plain member may stay in the organization."""
    admin = person(more=f"projects: {{ shop: admin }}, approver: {ANA}").replace(": member", ": admin")
    review = Review(tmp_path, admin)
    review.api.put(BO, role="admin")
    review.begin()
    review.decide(BO, "remove", organization=True)  # type: ignore[arg-type]
    review.decide(BO, "remove", "shop")
    review.apply()
    assert [(one.state, one.mixpanel) for one in review.status().still_there] == [("admin", "admin")] * 2
    review.up()
    assert [(one.state, one.mixpanel) for one in review.status().still_there] == [("", "admin")]
    review.api.put(BO, role="member")
    assert not review.status().is_open


def test_the_clock_past_the_end_closes_nothing(tmp_path: Path) -> None:
    """What is undecided or not applied stays open after its end; what was lowered and ended is done."""
    review = begun(tmp_path)
    review.decide(CY, "keep")
    late = NOW + timedelta(days=100)
    assert {one.status for one in review.status(late).items} == {ItemStatus.UNDECIDED, ItemStatus.WAITING}
    review.decide(BO, "lower=analyst", "shop")
    review.apply()
    review.up()
    assert not review.status(late).is_open


def test_a_stack_that_is_gone_leaves_nothing_undecided(tmp_path: Path) -> None:
    """A renamed stack's roles are listed under its new name; a decision under the old one is named."""
    review = begun(tmp_path)
    review.decide(CY, "keep")
    file = review.folder / f"{ANA}.yaml"
    file.write_text(file.read_text().replace("stack: production", "stack: old"))
    text = (review.folder / "evidence.jsonl").read_text()
    (review.folder / "evidence.jsonl").write_text(text.replace('"stack": "production"', '"stack": "old"'))
    begin_all = review.begin(existing=["production"])
    assert {(item.stack, item.email, item.decision) for item in review.items()} == {
        ("old", CY, "keep"), ("production", BO, None), ("production", CY, None),
    }  # fmt: skip
    assert begin_all.packets
    (problem,) = [one for one in review.status().items if one.why]
    assert problem.why.startswith("the stack old has no roster")


def test_a_killed_start_lists_nothing_twice(tmp_path: Path) -> None:
    """The evidence was written and the packets were not: the next `start` finishes them."""
    review = decided(tmp_path, "remove")
    packets = {file: file.read_bytes() for file in review.folder.glob("*.*") if file.suffix != ".jsonl"}
    review.edit("people:\n", f"people:\n{bo(role='admin', teams='')}\n")
    review.begin()
    done = {file: file.read_bytes() for file in review.folder.iterdir()}
    for file, content in packets.items():
        file.write_bytes(content)
    assert review.status().is_open
    review.begin()
    assert {file: file.read_bytes() for file in review.folder.iterdir()} == done


def test_a_deactivated_person_has_no_access_in_mixpanel(tmp_path: Path) -> None:
    """Their grants there give nothing; the state is another matter."""
    review = begun(tmp_path, teams="")
    review.decide(BO, "remove", "shop")
    review.decide(CY, "keep")
    review.apply()
    review.api.people[BO] = replace(review.api.people[BO], deactivated=True)
    assert [(one.state, one.mixpanel) for one in review.status().still_there] == [("admin", "")]


@pytest.mark.parametrize(("role", "open_"), [("billing_admin", False), ("admin", True), ("member", False)])
def test_an_organization_role_of_another_entry_may_stay(tmp_path: Path, role: str, *, open_: bool) -> None:
    """The entry of an admin goes, and another one gives `billing_admin`."""
    admin = person(more="engagement: review, projects: {}").replace(": member", ": admin")
    other = person(more=f"approver: {ANA}, projects: {{}}").replace(": member", ": billing_admin")
    review = Review(tmp_path, admin, other)
    review.begin()
    review.decide(BO, "remove", engagement="review")
    review.decide(BO, "keep", engagement="")
    review.apply()
    review.up()
    review.api.put(BO, role=role)
    assert review.status().is_open == open_


@pytest.mark.parametrize("in_mixpanel", [True, False])
def test_places_in_teams_go_with_the_whole_entry(tmp_path: Path, *, in_mixpanel: bool) -> None:
    """They have no item of their own, and are waited for with the organization role."""
    review = begun(tmp_path, teams="data")
    review.decide(BO, "remove", "shop")
    review.decide(CY, "keep")
    review.apply()
    review.begin()
    review.decide(BO, "remove", organization=True)  # type: ignore[arg-type]
    assert not review.apply().stale
    hold(review, None)
    review.api.teams.put("Data", *([BO] if in_mixpanel else []))
    found = {one.item.project: (one.state, one.mixpanel) for one in review.status().still_there}
    place = "a membership in Data"
    assert found == {"shop": ("admin", ""), None: (f"member, {place}", place if in_mixpanel else "")}
    review.up()
    found = {one.item.project: (one.state, one.mixpanel) for one in review.status().still_there}
    assert found == ({None: ("", place)} if in_mixpanel else {})


@pytest.mark.parametrize("up", [True, False])
def test_a_custom_role_is_compared_by_its_key(tmp_path: Path, *, up: bool) -> None:
    """The state has our word for it, and Mixpanel its id."""
    review = begun(tmp_path, teams="")
    role = review.api.custom_roles.put(PRODUCTION, "Desk")
    review.begin()
    review.decide(BO, "lower=desk", "shop")
    review.decide(CY, "keep")
    assert not review.apply().stale
    if up:
        review.up()
    hold(review, role.id)
    assert [one.state for one in review.status().still_there] == ([] if up else ["admin"])
    assert review.status().is_open != up


@pytest.mark.parametrize(("word", "state"), [("remove", ["a secret role"]), ("lower=analyst", [])])
def test_a_role_that_is_a_secret_in_the_state_is_still_there(tmp_path: Path, word: str, state: list[str]) -> None:
    """Removed, it is waited for; whether it was lowered, only Mixpanel shows."""
    review = begun(tmp_path, teams="")
    review.decide(BO, word, "shop")
    review.decide(CY, "keep")
    review.apply()
    hold(review, None)
    found = review.overview()
    (view,) = found.stacks.values()
    grants = {key: replace(one, outputs={"email": one.email}) for key, one in view.state.grants.items()}
    secret = replace(view, state=replace(view.state, resources={**view.state.resources, PROJECT_GRANT: grants}))
    told = overview_of({"production": secret}, found.directory, NOW)
    assert [one.state for one in progress_of(review.folder, told, []).still_there] == state


@pytest.mark.parametrize("applied", [True, False])
def test_what_apply_refuses_is_open_and_named(tmp_path: Path, *, applied: bool) -> None:
    """A decision that is none, and a role that stands in the packets twice: `status` and `verify` say so too."""
    review = begun(tmp_path)
    if applied:
        review.decide(BO, "keep", "shop")
        review.decide(CY, "keep")
        review.apply()
    file = review.folder / f"{ANA}.yaml"
    text = file.read_text()
    (review.folder / "copy.yaml").write_text(text)
    words = f"{ANA}.yaml already has it; delete one of them"
    status = review.status()
    assert ([one.why for one in status.items if one.why], status.is_open) == ([words] * 2, True)
    assert [words in problem for problem in review.verify()] == [True] * 2
    (review.folder / "copy.yaml").unlink()
    file.write_text(text.replace("decision: keep" if applied else "decision:", "decision: perhaps", 1))
    status = review.status()
    assert ["'perhaps' is not a decision" in one.why for one in status.with_status(ItemStatus.WRONG)] == [True]
    assert (status.is_open, status.with_status(ItemStatus.STALE), status.with_status(ItemStatus.WAITING)) == (
        True,
        [],
        [],
    )
    assert any("'perhaps' is not a decision" in problem for problem in review.verify())
    with pytest.raises(UsageError, match="'perhaps' is not a decision"):
        review.plan()


@pytest.mark.parametrize("stacks", [[], ["production"]])
def test_without_states_and_mixpanel_the_rest_is_shown_as_ever(tmp_path: Path, stacks: list[str]) -> None:
    """The packets, the evidence and the rosters are files; what is only in the states and Mixpanel keeps it open."""
    review = begun(tmp_path)
    review.edit("people:\n", f"people:\n{person('di@example.com', f'approver: {ANA}, projects: {{ shop: owner }}')}\n")
    review.edit("ends: 2026-06-30", "ends: 2026-12-31")
    review.decide(CY, "remove")
    for _ in range(2):
        alone = progress_by_files(review.folder, lambda stack: tmp_path / f"{stack}.yaml", stacks, NOW.date(), "no key")
        assert replace(alone, unknown="") == replace(review.status(), still_there=())
        assert (alone.unknown, alone.is_open) == ("no key", True)
        review.apply()


def test_what_is_unknown_is_not_done(tmp_path: Path) -> None:
    """With everything decided and applied, a review stays open until somebody can see the access."""
    review = decided(tmp_path, "lower=analyst")
    alone = progress_by_files(review.folder, lambda _: review.file, [], NOW.date(), "no key")
    assert not review.status().is_open
    assert (list(alone.new), alone.is_open) == ([], True)
