"""The review: packets of all there is, decisions checked and applied to the roster's text, evidence of both."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.review.applying import carry_out
from mixpanel_access.operations.review.deciding import SeveralRoles, Wish, decide, verify
from mixpanel_access.operations.review.decisions import ItemStatus
from mixpanel_access.operations.review.files import file_name, newest, quarter, read_packets, text_of, write_packet
from mixpanel_access.operations.review.packet import ReviewLine, evidence_file
from mixpanel_access.operations.review.record import record_of_lines
from tests.fakes import NOW, PRODUCTION, WAREHOUSE
from tests.faults.sampling import MANY
from tests.operations.overviews import BO, person
from tests.operations.reviews import ANA, CY, MORE, Review


@pytest.fixture
def review(tmp_path: Path) -> Review:
    """One that is begun."""
    made = Review(tmp_path)
    made.begin()
    return made


def test_a_packet_tells_who_what_why_and_what_is_suggested(tmp_path: Path) -> None:
    """Each role of each entry, with every way to it; the file reads as it was written; the page has it all."""
    made = Review(tmp_path)
    made.api.people[BO] = replace(made.api.people[BO], last_login=NOW - timedelta(days=3))
    made.api.give(PRODUCTION, BO, "analyst", GrantType.TEAM)
    begun = made.begin()
    (one,) = begun.packets
    assert (one.packet.reviewer, one.packet.review, one.packet.made) == (ANA, "2026-Q2", "2026-05-04")
    shop = next(item for item in one.packet.items if (item.email, item.project) == (BO, "shop"))
    assert (shop.role, shop.engagement, shop.ticket, shop.approver) == ("admin", "review", "OPS-1", ANA)
    assert (shop.last_active, shop.state, shop.suggestion, shop.suggested_role) == (
        "2026-05-01", "current", "lower", "consumer",
    )  # fmt: skip
    assert shop.sources == ["admin through an individual grant", "analyst through a team"]
    cy = next(item for item in one.packet.items if item.email == CY)
    assert (cy.suggestion, cy.last_active) == ("check", "never")
    assert [text_of(again.packet) for again in read_packets(made.folder)] == [text_of(one.packet)]
    page = one.file.with_suffix(".md").read_text()
    for words in (BO, "OPS-1", ANA, "admin through an individual grant; analyst through a team", "lower to consumer"):
        assert words in page
    assert [(line.event, line.email, line.reviewer) for line in made.lines()] == [
        ("listed", BO, ANA), ("listed", BO, ANA), ("listed", CY, ANA),
    ]  # fmt: skip


UNASSIGNED = {
    "nobody": (person(), "approver", "the roster names no approver"),
    "no manager": (person(more="engagement: review, projects: { shop: admin }"), "manager", "names no manager"),
    "no address": (person(more="approver: The boss, projects: { shop: admin }"), "approver", "not an e-mail address"),
    "themselves": (
        person(more="approver: BO@example.com, projects: { shop: admin }"), "approver", "review their own access",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "by", "words"), UNASSIGNED.values(), ids=UNASSIGNED.keys())
def test_what_nobody_can_review_is_told(tmp_path: Path, entry: str, by: str, words: str) -> None:
    """It is in a packet of its own, with the reason, and somebody else may decide; never the person."""
    made = Review(tmp_path, entry)
    begun = made.begin(by)
    assert [words in (item.unassigned or "") for item in begun.unassigned] == [True]
    assert begun.packets[0].file.name == "unassigned.yaml"
    with pytest.raises(UsageError, match="nobody is named who decided"):
        made.decide(BO, "keep")
    with pytest.raises(UsageError, match="cannot decide on their own access"):
        made.decide(BO, "keep", reviewer="Bo@Example.com")
    assert made.decide(BO, "keep", reviewer=CY).reviewer == CY


def test_grants_that_no_roster_gives_are_told(tmp_path: Path) -> None:
    """By hand, and those whose entry went; not those that come by a team."""
    made = Review(tmp_path)
    made.api.put("di@example.com")
    made.api.give(WAREHOUSE, "di@example.com", "owner")
    made.api.give(WAREHOUSE, CY, "consumer")
    made.api.give(PRODUCTION, "di@example.com", "owner", GrantType.TEAM)
    begun = made.begin()
    assert [(one.email, one.project, one.role) for one in begun.unmanaged] == [
        (CY, "warehouse", "consumer"), ("di@example.com", "warehouse", "owner"),
    ]  # fmt: skip
    assert not begun.unassigned


def test_what_has_not_begun_is_left_out_and_what_is_over_is_there(tmp_path: Path) -> None:
    """Tomorrow is not yet, today is; what ended yesterday is to be taken out."""
    starts = "projects: { shop: analyst }, starts: 2026-05-0"
    made = Review(tmp_path, person(more=f"{starts}4"), person(CY, f"{starts}5"))
    made.begin()
    assert [item.email for item in made.items()] == [BO]
    made.write(person(more="projects: { shop: analyst }, ends: 2026-05-03"))
    made.begin()
    assert [(item.state, item.suggestion) for item in made.items()] == [("over", "remove")]


def test_beginning_again_keeps_what_was_filled_in(review: Review) -> None:
    """A decision stays as it was made, a comment moves on, what is new comes in, what is gone goes."""
    review.decide(BO, "lower=analyst", "shop")
    file = review.folder / f"{ANA}.yaml"
    file.write_text(file.read_text().replace("    comment:\n", "    comment: ask\n"))
    review.write(
        person(more="engagement: review, projects: { shop: consumer, warehouse: analyst }"),
        person("di@example.com", f"projects: {{ shop: analyst }}, approver: {CY}"),
    )
    review.begin(now=NOW + timedelta(days=9))
    found = {(item.email, item.project): item for item in review.items()}
    assert set(found) == {(BO, "shop"), (BO, "warehouse"), ("di@example.com", "shop")}
    shop, warehouse = found[BO, "shop"], found[BO, "warehouse"]
    assert (shop.role, shop.decision, shop.new_role, shop.decided) == ("admin", "lower", "analyst", "2026-05-04")
    assert (warehouse.role, warehouse.decision, warehouse.comment) == ("analyst", None, "ask")
    assert {one.packet.made for one in read_packets(review.folder)} == {"2026-05-04"}
    before = {path: path.read_text() for path in review.folder.iterdir()}
    review.begin(now=NOW + timedelta(days=9))
    assert {path: path.read_text() for path in review.folder.iterdir()} == before


def test_a_packet_in_which_nothing_is_left_goes(review: Review) -> None:
    """Whoever is no longer asked has no packet any more."""
    review.write(person(more=f"projects: {{ shop: analyst }}, approver: {CY}"))
    review.api.rows = [grant for grant in review.api.rows if grant.email == BO]
    review.begin()
    assert sorted(path.name for path in review.folder.iterdir()) == [f"{CY}.md", f"{CY}.yaml", "evidence.jsonl"]


WRONG = {
    "a word": ("shop", "decision: yep", "'yep' is not a decision"),
    "no role": ("shop", "decision: lower", "lower needs a role"),
    "a role": ("shop", "decision: lower\n    newRole: analist", "did you mean 'analyst'"),
    "the same": ("shop", "decision: lower\n    newRole: admin", "admin is not lower than admin"),
    "higher": ("shop", "decision: lower\n    newRole: Owner", "owner is not lower than admin"),
    "a role to keep": ("shop", "decision: keep\n    newRole: analyst", "newRole is for the decision lower"),
    "a role alone": ("shop", "newRole: analyst", "there is a newRole and no decision"),
    "no address": ("shop", "decision: keep\n    reviewer: Ana", "is not an e-mail address"),
    "themselves": ("shop", f"decision: keep\n    reviewer: {BO.upper()}", "cannot decide on their own access"),
    "no date": ("shop", "decision: keep\n    decided: May", "'May' is not a date"),
    "to come": (
        "shop",
        "decision: keep\n    decided: 2026-05-05",
        "2026-05-05, which is in the future (today is 2026-05-04)",
    ),
    "before": ("shop", "decision: keep\n    decided: 2026-05-03", "before the review was started"),
}


def fill_in(review: Review, project: str, text: str, name: str = f"{ANA}.yaml") -> int:
    """Fill in Bo's item by hand; the line on which it stands."""
    file = review.folder / name
    head, item, rest = file.read_text().partition(f"    project: {project}\n")
    names = [line.partition(":")[0] for line in text.split("\n    ")]
    for name in names:
        rest = rest.replace(f"    {name.strip()}:\n", "", 1)
    file.write_text(f"{head}{item}    {text}\n{rest}")
    return head.count("\n") + 2


@pytest.mark.parametrize(("project", "text", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_decision_is_told_with_file_and_line(review: Review, project: str, text: str, words: str) -> None:
    """And with all the others; nothing is applied."""
    line = fill_in(review, project, text)
    fill_in(review, "warehouse", "decision: nope")
    before = review.file.read_text()
    with pytest.raises(UsageError) as told:
        review.plan()
    assert words in told.value.why
    assert any(f"{ANA}.yaml:{line + more}: " in told.value.why for more in (0, 1))
    assert "'nope' is not a decision" in told.value.why
    assert review.file.read_text() == before


BROKEN = {
    "yaml": ("items:\n", "items: [\n", "1"),
    "a field": ("    decision:\n", "    descision:\n", "'descision' is unknown here"),
    "a list": ("    decision:\n", "    decision: [keep]\n", "decision: ['keep'] cannot be used"),
    "missing": ("review: 2026-Q2\n", "", "'review' is missing"),
}


@pytest.mark.parametrize(("old", "new", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_packet_that_cannot_be_read_is_told(review: Review, old: str, new: str, words: str) -> None:
    """With file and line, by whatever reads it."""
    file = review.folder / f"{ANA}.yaml"
    file.write_text(file.read_text().replace(old, new, 1))
    for use in (review.plan, review.begin, review.status):
        with pytest.raises(UsageError, match=rf"cannot use the review: {ANA}.yaml:\d+: ") as told:
            use()
        assert words in str(told.value)


def test_decisions_come_into_the_roster_once(review: Review) -> None:
    """Kept is reviewed, lowered is lowered, removed is gone; the second time there is nothing to do."""
    fill_in(review, "shop", "decision: lower\n    newRole: Analyst\n    comment: too much")
    review.decide(BO, "keep", "warehouse")
    review.decide(CY, "remove")
    before = review.file.read_text()
    made = review.plan(now=NOW + timedelta(days=2))
    (change,) = made.rosters
    assert list(change.meaning) == [
        f"{BO}: admin in shop becomes analyst",
        f"{CY} has nothing any more",
        f"{BO} (review): reviewed on 2026-05-06",
    ]
    assert review.file.read_text() == before
    carry_out(made)
    gone = next(line for line in before.splitlines(keepends=True) if CY in line)
    assert review.file.read_text() == before.replace(gone, "").replace("shop: admin", "shop: analyst").replace(
        "warehouse: consumer } }", "warehouse: consumer }, reviewed: 2026-05-06 }"
    )
    decided = [line for line in review.lines() if line.event == "decided"]
    assert [(line.project, line.decision, line.new_role, line.decided, line.comment) for line in decided] == [
        ("shop", "lower", "analyst", "2026-05-06", "too much"),
        ("warehouse", "keep", "", "2026-05-04", "so"),
        ("shop", "remove", "", "2026-05-04", "so"),
    ]
    assert {line.suggestion for line in decided} == {"lower", "keep", "check"}
    assert len({(line.before, line.after) for line in decided}) == 1
    assert decided[0].before != decided[0].after
    again = review.plan(now=NOW + timedelta(days=9))
    assert (again.rosters, again.applied, again.undecided) == ([], 3, 0)
    (progress,) = review.status().packets
    assert (len(progress.undecided), len(progress.waiting), len(progress.applied)) == (0, 0, 3)


OWN_ROLES = f"{MORE}\ncustomRoles: {{ Support-Desk: {{ name: Support desk, project: shop }} }}"


def own_roles(folder: Path) -> Review:
    """Bo has the roster's own custom role by its key, and Cy can get it; Di has it by hand."""
    bo = person(more="engagement: review, projects: { shop: support desk, warehouse: consumer }")
    made = Review(folder, bo, person(CY, f"projects: {{ shop: admin }}, approver: {ANA}"), more=OWN_ROLES)
    held = made.api.custom_roles.put(PRODUCTION, "Support desk")
    for email in (BO, "di@example.com"):
        made.api.put(email)
        made.api.give(PRODUCTION, email, held.id)
    made.begin()
    return made


def test_a_custom_role_of_the_roster_has_its_key_in_the_packet(tmp_path: Path) -> None:
    """As the roster gives it and as Mixpanel shows it, declared or not: nobody compares ids and words."""
    made = own_roles(tmp_path)
    shop = next(item for item in made.items() if (item.email, item.project) == (BO, "shop"))
    assert (shop.role, shop.sources) == ("support_desk", ["support_desk through an individual grant"])
    assert [item.custom_roles for item in made.items() if item.project == "warehouse"] == [()]
    assert [item.custom_roles for item in made.items() if item.project == "shop"] == [["Support-Desk"]] * 2
    rows = [row for one in read_packets(made.folder) for row in one.packet.unmanaged]
    assert [(row.email, row.role) for row in rows] == [("di@example.com", "support_desk")]


def test_a_custom_role_of_the_roster_is_decided_on_by_its_key(tmp_path: Path) -> None:
    """Lowered from and lowered to, in the roster's own words; another project's, or none, is refused."""
    made = own_roles(tmp_path)
    for wrong, project in (("suport-desk", "shop"), ("custom:support_desk", "shop"), ("support-desk", "warehouse")):
        with pytest.raises(UsageError, match="is not a project role"):
            made.decide(BO, f"lower={wrong}", project)
    with pytest.raises(UsageError, match="support_desk is not lower than support_desk"):
        made.decide(BO, "lower=Support-Desk", "shop")
    made.decide(BO, "lower=consumer", "shop")
    made.decide(CY, "lower=Support Desk", "shop")
    (change,) = made.plan().rosters
    assert [words for words in change.meaning if "becomes" in words] == [
        f"{BO}: support_desk in shop becomes consumer",
        f"{CY}: admin in shop becomes support_desk",
    ]
    carry_out(made.plan())
    roster = read_roster(made.file)
    assert {one.email: one.projects["shop"] for one in roster.people} == {BO: "consumer", CY: "support_desk"}
    assert declaration(roster, NOW.date()).grants[PRODUCTION, CY]["role"] == "custom:support_desk"
    assert not made.plan().rosters


def test_a_custom_role_that_went_since_is_not_touched(tmp_path: Path) -> None:
    """What was decided on is no longer what stands there."""
    made = own_roles(tmp_path)
    made.decide(BO, "keep", "shop")
    made.file.write_text(made.file.read_text().replace("shop: support desk", "shop: analyst"))
    (stale,) = made.plan().stale
    assert "role changed from support_desk to analyst" in stale.why


def test_an_entry_counts_as_reviewed_once_all_of_it_is_decided(review: Review) -> None:
    """Until then what is decided is applied, and told what is missing."""
    review.decide(BO, "keep", "shop")
    made = review.plan()
    (change,) = made.rosters
    assert change.before == change.after
    assert "counts as reviewed once warehouse is decided too" in change.notes[0]
    carry_out(made)
    review.decide(BO, "remove", "warehouse")
    carry_out(review.plan(now=NOW + timedelta(days=1)))
    bo = read_roster(review.file).people[0]
    assert (dict(bo.projects), bo.reviewed) == ({"shop": "admin"}, "2026-05-04")


TEAMS = f"{MORE}\nteams: {{ data: {{ name: Data, projects: {{ warehouse: analyst }} }} }}"


def in_a_team(folder: Path) -> Review:
    """Bo has one project, and a membership in a team, which no item is about."""
    bo = person(more="engagement: review, projects: { shop: admin }, teams: [data], reviewed: 2026-01-02")
    made = Review(folder, bo, more=TEAMS)
    made.begin()
    return made


def test_a_place_in_a_team_stays_where_only_projects_were_decided_on(tmp_path: Path) -> None:
    """The entry stays without its projects, is not reviewed yet, and what is left is told and listed."""
    made = in_a_team(tmp_path)
    made.decide(BO, "remove")
    before = made.file.read_text()
    (change,) = made.plan().rosters
    assert list(change.meaning) == [f"{BO}: admin in shop is taken away"]
    assert list(change.notes) == [
        f"{BO} counts as reviewed once the organization role is decided too (`review start` lists what is new)"
    ]
    assert change.after == before.replace("projects: { shop: admin }", "projects: {}")
    made.file.write_text(change.after)  # and no more: the run died
    (again,) = made.plan().rosters
    assert (again.before == again.after, list(again.notes)) == (True, list(change.notes))
    carry_out(made.plan())
    assert not made.plan().rosters
    made.write(*(line for line in made.file.read_text().splitlines() if BO in line and "rule" not in line))
    made.begin()
    assert [(item.project, item.role, item.decision) for item in made.items()] == [
        (None, "member", None), ("shop", "admin", "remove"),
    ]  # fmt: skip


@pytest.mark.parametrize(("word", "left"), [("keep", [("2026-05-04", ["data"])]), ("remove", [])])
def test_the_rest_of_an_entry_is_decided_on_as_the_organization(
    tmp_path: Path, word: str, left: list[tuple[str, list[str]]]
) -> None:
    """Kept is reviewed; removed goes, with the membership in the team."""
    made = in_a_team(tmp_path)
    made.decide(BO, "remove")
    carry_out(made.plan())
    made.write(*(line for line in made.file.read_text().splitlines() if BO in line and "rule" not in line))
    made.begin()
    decide(made.folder, Wish(BO, word, organization=True), NOW.date())
    carry_out(made.plan())
    assert [(one.reviewed, list(one.teams)) for one in read_roster(made.file).people] == left


def test_a_run_that_died_is_finished_by_running_again(review: Review) -> None:
    """The roster was written, the evidence was not."""
    for email, word, project in ((BO, "lower=analyst", "shop"), (BO, "remove", "warehouse"), (CY, "remove", None)):
        review.decide(email, word, project)
    (change,) = review.plan().rosters
    review.file.write_text(change.after)
    again = review.plan()
    assert [one.before == one.after for one in again.rosters] == [True]
    assert len(carry_out(again)) == 3
    assert not review.plan().rosters


def test_the_organization_role_is_an_item_of_its_own_where_it_is_above_member(tmp_path: Path) -> None:
    """It is lowered alone, and goes with the whole entry only."""
    admin = person(more=f"projects: {{ shop: admin }}, approver: {ANA}").replace(": member", ": admin")
    made = Review(tmp_path, admin, person(CY, f"approver: {ANA}"))
    made.begin()
    assert [(item.email, item.project, item.role) for item in made.items()] == [
        (BO, None, "admin"), (BO, "shop", "admin"), (CY, None, "member"),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="they have 2 such roles"):
        made.decide(BO, "keep")
    with pytest.raises(UsageError, match="'delete' is not a decision"):  # before it is asked which of their roles
        made.decide(BO, "delete")
    decide(made.folder, Wish(BO, "remove", organization=True), NOW.date())
    made.decide(CY, "remove")
    with pytest.raises(UsageError, match="the organization role goes with the whole entry"):
        made.plan()
    decide(made.folder, Wish(BO, "lower", "member", organization=True), NOW.date())
    made.decide(BO, "remove", "shop")
    carry_out(made.plan())
    (bo,) = read_roster(made.file).people
    assert (bo.organization_role, dict(bo.projects), bo.reviewed) == ("member", {}, "2026-05-04")


SHOP = f"projects: {{ shop: analyst }}, approver: {ANA}"
ENTRIES = {
    "": person(more=f"{SHOP}, engagement: review, ends: 2026-02-28"),
    "2026-03-01": person(more=f"{SHOP}, engagement: review, starts: 2026-03-01, ends: 2026-04-30"),
    "2026-05-01": person(more=f"{SHOP}, engagement: review, starts: 2026-05-01"),
}


SEVERAL = {
    "with an engagement and without": [person(more=SHOP), person(more=f"engagement: review, {SHOP}")],
    "one after the other": [*ENTRIES.values()],
    "an organization role": [person(more=SHOP).replace(": member", ": admin")],
}


@pytest.mark.parametrize("entries", SEVERAL.values(), ids=SEVERAL.keys())
def test_a_decision_that_could_be_on_several_roles_says_how_to_select_each(tmp_path: Path, entries: list[str]) -> None:
    """The options in the message select one role each."""
    made = Review(tmp_path, *entries)
    made.begin()
    roles = [item for item in made.items() if item.email == BO]
    with pytest.raises(SeveralRoles, match=f"they have {len(roles)} such roles in this review") as told:
        made.decide(BO, "keep")
    for number, words in enumerate(told.value.choices, 1):
        rest = iter(shlex.split(words.replace("--organization", "--organization True")))
        made.decide(BO, "keep", **{name.removeprefix("--"): value for name, value in zip(rest, rest, strict=True)})
        assert len([item for item in made.items() if item.decision]) == number
    assert number == len(roles)


def test_a_first_day_that_no_entry_has_is_refused(tmp_path: Path) -> None:
    """And what is not a date."""
    made = Review(tmp_path, *ENTRIES.values())
    made.begin()
    with pytest.raises(UsageError, match=r"no packet in .* has such a role of theirs"):
        made.decide(BO, "keep", starts="2026-03-02")
    for wrong in ("May", "20260301", "2026-02-30"):
        with pytest.raises(UsageError, match=f"cannot use --starts for {wrong}: it is not a date"):
            made.decide(BO, "keep", starts=wrong)


def test_half_a_character_is_refused_before_anything_is_written(review: Review) -> None:
    """No file can hold it: packets and pages stay as they were."""
    before = {file: file.read_bytes() for file in review.folder.iterdir()}
    wish = Wish(CY, "keep", comment="so: caf\udce9")
    with pytest.raises(UsageError, match=r"cannot write the packet for .*: UTF-8 cannot hold the end of .*caf\\udce9"):
        decide(review.folder, wish, NOW.date())
    assert {file: file.read_bytes() for file in review.folder.iterdir()} == before


def test_a_packet_is_written_whole(review: Review) -> None:
    """The new one takes the place of the old one, which nobody has seen half of, and nothing else is left there."""
    files = sorted(path for path in review.folder.iterdir() if path.suffix != ".jsonl")
    names = sorted(path.name for path in review.folder.iterdir())
    before = [path.read_text() for path in files]
    old = [review.file.with_name(path.name) for path in files]
    for path, link in zip(files, old, strict=True):
        link.hardlink_to(path)
    review.decide(CY, "keep")
    assert [link.read_text() for link in old] == before
    assert all(path.read_text() != text for path, text in zip(files, before, strict=True))
    assert sorted(path.name for path in review.folder.iterdir()) == names


def test_two_packets_cannot_have_the_same(review: Review) -> None:
    """A copied packet would decide twice."""
    review.decide(CY, "keep")
    file = review.folder / f"{ANA}.yaml"
    (review.folder / "copy.yaml").write_text(file.read_text())
    with pytest.raises(UsageError, match=f"{ANA}.yaml already has it"):
        review.plan()


def applied(review: Review) -> list[ReviewLine]:
    """The evidence of a review in which everything was decided and applied."""
    for email, word, project in ((BO, "lower=analyst", "shop"), (BO, "remove", "warehouse"), (CY, "keep", None)):
        review.decide(email, word, project)
    carry_out(review.plan())
    return review.lines()


OTHER = f"{ANA}.yaml has another decision than was applied on"
Lines = list[ReviewLine]
TOUCHED: dict[str, tuple[Callable[[Lines], Lines], list[str]]] = {
    "as it was": (lambda lines: lines, []),
    "another decision": (
        lambda lines: [replace(line, decision="keep") if line.decision == "remove" else line for line in lines],
        [f"{OTHER} bo@example.com as consumer in warehouse, stack production: keep"],
    ),
    "another role": (
        lambda lines: [replace(line, role="consumer") if line.decision == "keep" else line for line in lines],
        [f"line 6 decides on {CY} as consumer in shop, stack production, which no line before it lists",
         f"{OTHER} {CY} as consumer in shop, stack production: keep"],
    ),
    "no listing": (
        lambda lines: [line for line in lines if line.event == "decided" or line.email != CY],
        [f"line 5 decides on {CY} as analyst in shop, stack production, which no line before it lists"],
    ),
    "a decision on nothing that a packet has": (
        lambda lines: [*lines, *(replace(line, stack="staging") for line in lines if line.email == CY)],
        [f"no packet has the decision that was applied on {CY} as analyst in shop, stack staging: keep"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("touch", "expected"), TOUCHED.values(), ids=TOUCHED.keys())
def test_evidence_is_compared_with_what_was_decided_on(
    review: Review, touch: Callable[[Lines], Lines], expected: list[str]
) -> None:
    """Each decision follows the listing of that role, and the packets have the decisions that were applied."""
    assert list(verify(review.folder, record_of_lines(touch(applied(review))))) == expected


def test_a_packet_that_was_changed_after_it_was_applied_shows(review: Review) -> None:
    """The evidence has what was applied, and the packet something else."""
    lines = applied(review)
    file = review.folder / f"{ANA}.yaml"
    file.write_text(file.read_text().replace("decision: keep", "decision: remove"))
    assert list(verify(review.folder, record_of_lines(lines))) == [
        f"{OTHER} {CY} as analyst in shop, stack production: keep"
    ]


def test_the_evidence_of_0_1_0_is_read(review: Review) -> None:
    """Its hashes are ignored."""
    lines, file = applied(review), evidence_file(review.folder)
    old = [{**line.row(), "previous": "0" * 64, "hash": "f" * 64} for line in lines]
    file.write_text("".join(json.dumps(row) + "\n" for row in old))
    assert review.lines() == lines
    assert not review.plan().rosters


def test_other_stacks_are_left_alone(review: Review) -> None:
    """One stack is applied; what a packet has of a stack that is not looked at stays in it."""
    review.decide(CY, "keep")
    assert not review.plan(["staging"]).rosters
    file = review.folder / f"{ANA}.yaml"
    file.write_text(file.read_text().replace("stack: production", "stack: staging"))
    review.begin()
    assert sorted({item.stack for item in review.items()}) == ["production", "staging"]
    assert len(review.items()) == 6


def test_a_wrong_decision_refuses_its_own_stack_alone(review: Review) -> None:
    """The others are applied; `review status` shows it."""
    review.decide(CY, "keep")
    (review.folder / "other.yaml").write_text(
        (review.folder / f"{ANA}.yaml").read_text().replace("stack: production", "stack: staging")
    )
    fill_in(review, "shop", "decision: yep", "other.yaml")
    assert [len(one.lines) for one in review.plan(["production"]).rosters] == [1]
    with pytest.raises(UsageError, match=r"other.yaml:\d+: .*'yep' is not a decision"):
        review.plan(["staging"])
    status = review.status()
    assert [one.item.stack for one in status.with_status(ItemStatus.WRONG)] == ["staging"]
    assert (status.refused, status.ready) == (["staging"], {"production": 1})


def test_the_names_of_files_and_reviews(tmp_path: Path) -> None:
    """No address leads out of the folder, no two to the same file; a review is a quarter, the newest is taken."""
    assert file_name("Ana@Example.com") == "ana@example.com"
    assert file_name(None) == "unassigned"
    odd = {file_name(email) for email in ("a/b@example.com", "a-b@example.com", "a b@example.com", "a!b@example.com")}
    assert len(odd) == 4
    assert not any("/" in name for name in odd)
    quarters = [quarter(datetime(2026, month, 1, tzinfo=UTC).date()) for month in (1, 3, 4, 6, 7, 9, 10, 12)]
    assert quarters == [f"2026-Q{number}" for number in (1, 1, 2, 2, 3, 3, 4, 4)]
    with pytest.raises(UsageError, match="cannot find a review"):
        newest(tmp_path)
    for name in ("2025-Q4", "2026-Q1", "empty"):
        (tmp_path / "reviews" / name).mkdir(parents=True)
    for name in ("2025-Q4", "2026-Q1"):
        (tmp_path / "reviews" / name / "unassigned.yaml").write_text("")
    assert newest(tmp_path).name == "2026-Q1"


@pytest.mark.parametrize(
    ("begun", "newest_one"),
    [
        ({"2026-Q2": 4, "soc2-2025": 3}, "2026-Q2"),
        ({"2026-Q2": 4, "iso": 5, "soc2-2025": 3}, "iso"),
        ({"2026-Q2": 4, "a": 4, "soc2-2025": 4}, "soc2-2025"),
        ({"2026-Q2": 4, "2026-Q1": 5}, "2026-Q2"),
    ],
    ids=["a quarter", "another", "one day", "quarters"],
)
def test_the_newest_review_is_the_last_begun_where_not_all_are_quarters(
    tmp_path: Path, begun: dict[str, int], newest_one: str
) -> None:
    """Of one day, and of quarters, the last by name; a date that was written by hand is one, too."""
    made = Review(tmp_path)
    for name, day in begun.items():
        made.folder = tmp_path / "reviews" / name
        made.begin(now=datetime(2026, 5, day, tzinfo=UTC))
    assert newest(tmp_path).name == newest_one
    for file in tmp_path.glob("reviews/*/*.yaml"):
        file.write_text(file.read_text().replace("made: '", "made: ").replace("'\nreviewer", "\nreviewer"))
    assert newest(tmp_path).name == newest_one


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


@settings(max_examples=300 if MANY else 10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=3, max_size=3))
def test_whatever_is_written_is_read(review: Review, texts: list[str]) -> None:
    """A comment, a reason and a name of any text come back as they were."""
    (one,) = read_packets(review.folder)
    item = one.packet.items[0].model_copy(update=dict(zip(("comment", "justification", "name"), texts, strict=True)))
    packet = one.packet.model_copy(update={"items": [item]})
    odd = review.folder.parent / "odd"
    odd.mkdir(exist_ok=True)
    (odd / "x.yaml").write_text(text_of(packet), encoding="utf-8")
    assert [text_of(again.packet) for again in read_packets(odd)] == [text_of(packet)]
    read = read_packets(odd)[0].packet.items[0]
    assert [read.comment, read.justification, read.name] == texts


def test_a_packet_of_an_earlier_version_is_read(review: Review) -> None:
    """It calls the sources of a role `ways`; what is written next has the new name."""
    file = next(review.folder.glob("*.yaml"))
    new = file.read_text()
    file.write_text(new.replace("sources:", "ways:"))
    (old,) = read_packets(review.folder)
    assert (old.packet.items[0].sources, text_of(old.packet)) == (["admin through an individual grant"], new)


ENTRY = st.sampled_from(["admin", "analyst", "consumer"])


@settings(max_examples=300 if MANY else 8, deadline=None)
@given(roles=st.lists(st.tuples(ENTRY, ENTRY), min_size=1, max_size=4), reviewed=st.booleans())
def test_keeping_everything_changes_only_the_day_of_the_review(
    tmp_path_factory: pytest.TempPathFactory, roles: list[tuple[str, str]], reviewed: bool
) -> None:
    """Whatever the roster: parsed before and after, it differs in `reviewed` alone."""
    before = ", reviewed: 2026-01-01" if reviewed else ""
    made = Review(
        tmp_path_factory.mktemp("review"),
        *(
            person(
                f"{'bo' if n == 0 else f'p{n}'}@example.com",
                f"approver: {ANA}, projects: {{ shop: {a}, warehouse: {b} }}{before}",
            )
            for n, (a, b) in enumerate(roles)
        ),
    )
    made.begin()
    kept = {"decision": "keep", "decided": NOW.date().isoformat()}
    for one in read_packets(made.folder):
        items = [item.model_copy(update=kept) for item in one.packet.items]
        write_packet(made.folder, one.packet.model_copy(update={"items": items}))
    old = read_roster(made.file).model_dump()
    carry_out(made.plan())
    new = read_roster(made.file).model_dump()
    assert {one.pop("reviewed") for one in new["people"]} == {"2026-05-04"}
    for one in old["people"]:
        one.pop("reviewed")
    assert new == old
