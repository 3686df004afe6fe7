"""A decision of a review holds for what was reviewed, and for nothing else."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.review.deciding import decided_anew
from mixpanel_access.operations.review.decisions import ItemStatus
from mixpanel_access.operations.review.files import read_packets, write_packet
from mixpanel_access.operations.review.packet import evidence_file
from mixpanel_access.operations.review.record import read_record
from tests.fakes import NOW
from tests.operations.overviews import BO, person
from tests.operations.reviews import ANA, CY, MORE, Review

AGAIN = (
    f"run `mixpanel-access review decide {BO} clear --stack production --project shop --engagement review "
    "--starts 2026-04-01`, then `mixpanel-access review start`"
)
OF_BO = "engagement: review, starts: 2026-04-01, ends: 2026-06-30, justification: funnels"
MUCH = f"""{MORE}
teams: {{ data: {{ name: Data, standard: audit, projects: {{ warehouse: analyst }} }}, ops: {{ name: Ops }} }}
customRoles: {{ desk: {{ name: Desk, project: shop, permissions: [view_data] }} }}
"""


def begun(folder: Path, role: str = "admin", organization: str = "member", teams: str = "data") -> Review:
    """Bo for an engagement, in a project, in the organization and in a team; Cy with one project."""
    bo = person(more=f"{OF_BO}, projects: {{ shop: {role} }}, teams: [{teams}]").replace(
        ": member", f": {organization}"
    )
    made = Review(folder, bo, person(CY, f"approver: {ANA}, projects: {{ warehouse: consumer }}"), more=MUCH)
    made.begin()
    return made


CHANGED: dict[str, tuple[tuple[str, str], str]] = {
    "role raised": (("shop: admin", "shop: owner"), "role changed from admin to owner"),
    "role lowered": (("shop: admin", "shop: consumer"), "role changed from admin to consumer"),
    "end extended": (("ends: 2026-06-30", "ends: 2031-12-31"), "ends changed from 2026-06-30 to 2031-12-31"),
    "end brought forward": (("ends: 2026-06-30", "ends: 2026-05-31"), "ends changed from 2026-06-30 to 2026-05-31"),
    "end deleted": (("ends: 2026-06-30, ", ""), "ends changed from 2026-06-30 to nothing"),
    "start": (("starts: 2026-04-01", "starts: 2026-04-02"), "starts changed from 2026-04-01 to 2026-04-02"),
    "start deleted": (("starts: 2026-04-01, ", ""), "starts changed from 2026-04-01 to nothing"),
    "approver": ((f"approver: {ANA} }}", "approver: omar@example.com }"), f"approver changed from {ANA} to omar"),
    "ticket": (("OPS-1", "OPS-999"), "ticket changed from OPS-1 to OPS-999"),
    "sow": (("ticket: OPS-1", "ticket: OPS-1, sow: SOW-2"), "sow changed from nothing to SOW-2"),
    "sponsor": (("ticket: OPS-1", "ticket: OPS-1, sponsor: Omar"), "sponsor changed from nothing to Omar"),
    "justification": (("justification: funnels", "justification: x"), "justification changed from funnels to x"),
    "engagement renamed": (("review", "audit-2"), "engagement changed from review to audit-2"),
    "engagement deleted": (("engagement: review, ", ""), "engagement changed from review to nothing"),
    "a team more": (("teams: [data]", "teams: [data, ops]"), "to data: analyst in warehouse; ops"),
    "a team less": (("teams: [data]", "teams: []"), "teams changed from data: analyst in warehouse to nothing"),
    "a team's role": (("warehouse: analyst }", "warehouse: admin }"), "to data: admin in warehouse"),
    "a team's end": (("name: Data,", "name: Data, ends: 2026-08-01,"), "in warehouse, until 2026-08-01"),
    "organization role": ((f"{BO}, organizationRole: member", f"{BO}, organizationRole: admin"), "organizationRole"),
    "project's id": (("shop: { id: 1234567", "shop: { id: 7234567"), "projectId changed from 1234567 to 7234567"),
    "two at once": (("admin }, teams: [data]", "owner }"), "admin to owner, teams changed from data"),
}  # fmt: skip


EACH = [("lower=analyst", *row) for row in CHANGED.values()] + [
    (word, *CHANGED[name]) for word in ("keep", "remove") for name in ("role raised", "start", "engagement deleted")
]


@pytest.mark.parametrize(("word", "edit", "words"), EACH)
def test_a_decision_is_not_applied_if_the_access_changed_since(
    tmp_path: Path, word: str, edit: tuple[str, str], words: str
) -> None:
    """Whatever changed and was decided: the change and what to do are named, and the decision on Cy is applied."""
    review = begun(tmp_path)
    review.decide(BO, word, "shop")
    review.decide(CY, "remove")
    review.edit(*edit)
    before = [line for line in review.file.read_text().splitlines() if CY not in line]
    made = review.apply()
    (stale,) = made.stale
    assert (stale.item.email, stale.item.outcome.partition(" ")[0]) == (BO, word.partition("=")[0])
    assert words in stale.why
    assert AGAIN in stale.why
    assert review.file.read_text().splitlines() == before
    assert [line.email for line in review.lines() if line.event == "decided"] == [CY]
    status = review.status()
    assert ([one.why for one in status.items if one.why], status.is_open) == ([stale.why], True)
    assert [one.item.email for one in status.with_status(ItemStatus.STALE)] == [BO]
    assert review.verify() == []


@pytest.mark.parametrize("word", ["keep", "lower=analyst", "remove"])
def test_a_project_under_another_key_is_the_same_project(tmp_path: Path, word: str) -> None:
    """Its access is not gone because its key is."""
    review = begun(tmp_path)
    review.decide(BO, word, "shop")
    review.edit("project: shop", "project: store")
    review.edit("shop: ", "store: ")
    (stale,) = review.apply().stale
    assert f"project changed from shop to store; {AGAIN}" in stale.why
    assert read_roster(review.file).people[0].projects == {"store": "admin"}


@pytest.mark.parametrize("edit", [("", ""), (ANA, ANA.upper()), ("funnels", '"funnels "'), ("Desk", "The desk")])
def test_what_was_not_reviewed_may_change(tmp_path: Path, edit: tuple[str, str]) -> None:
    """And another spelling is no change."""
    review = begun(tmp_path)
    review.decide(BO, "lower=analyst", "shop")
    review.edit(*edit)
    made = review.apply()
    assert (list(made.stale), len(made.rosters)) == ([], 1)


@pytest.mark.parametrize(
    ("edit", "stale"),
    [
        (("[view_data]", "[view_data, edit_data]"), True),
        (("[view_data]", "[]"), True),
        (("name: Desk,", "name: A,"), False),
    ],
)
def test_a_custom_role_is_reviewed_with_its_permissions(tmp_path: Path, edit: tuple[str, str], *, stale: bool) -> None:
    """The packet lists them; whoever changes them changes what was decided on."""
    review = begun(tmp_path, role="desk")
    assert [item.permissions for item in review.items() if item.email == BO] == [["view_data"]]
    review.decide(BO, "keep", "shop")
    review.edit(*edit)
    assert ["permissions changed from view_data to" in one.why for one in review.plan().stale] == [True] * stale


def test_a_custom_role_that_was_lowered_as_decided_is_not_stale(tmp_path: Path) -> None:
    """The permissions went with the role."""
    review = begun(tmp_path, role="desk")
    review.decide(BO, "lower=consumer", "shop")
    review.edit("shop: desk", "shop: consumer")
    made = review.plan()
    assert (list(made.stale), [len(change.lines) for change in made.rosters]) == ([], [1])


def test_an_organization_role_that_was_raised_is_one_change(tmp_path: Path) -> None:
    """It is the role of its item, and a fact of the others."""
    review = begun(tmp_path, organization="admin")
    review.decide(BO, "keep", organization=True)  # type: ignore[arg-type]
    review.edit(f"{BO}, organizationRole: admin", f"{BO}, organizationRole: owner")
    (stale,) = review.plan().stale
    assert stale.why.startswith("since it was listed, role changed from admin to owner; run ")


def test_a_decision_on_an_earlier_listing_is_not_applied(tmp_path: Path) -> None:
    """The packet of another branch has it: the same access was removed, given again and listed again meanwhile."""
    review = begun(tmp_path, teams="")
    review.decide(BO, "remove", "shop")
    packet, roster = review.folder / f"{ANA}.yaml", review.file.read_text()
    other_branch = packet.read_text().replace("decision: remove", "decision: keep")
    review.apply()
    review.file.write_text(roster)
    review.begin()
    packet.write_text(other_branch)
    (stale,) = review.plan().stale
    assert stale.why.startswith("it is listed again; run `mixpanel-access review start`")


def test_one_stale_decision_leaves_the_entry_unreviewed(tmp_path: Path) -> None:
    """The other project of the entry is decided, and the whole entry counts as reviewed when both are."""
    two = person(more="engagement: review, projects: { shop: admin, warehouse: consumer }")
    review = Review(tmp_path, two)
    review.begin()
    review.decide(BO, "keep", "shop")
    review.decide(BO, "remove", "warehouse")
    review.edit("shop: admin", "shop: owner")
    made = review.apply()
    assert [str(one.item) for one in made.stale] == [f"{BO} as admin in shop, stack production"]
    (bo,) = read_roster(review.file).people
    assert (dict(bo.projects), bo.reviewed) == ({"shop": "owner"}, None)


def test_the_organization_role_waits_for_a_project_that_changed(tmp_path: Path) -> None:
    """It goes with the whole entry, which cannot go while one decision does not hold; nothing else is refused."""
    review = begun(tmp_path, organization="admin")
    review.decide(BO, "remove", organization=True)  # type: ignore[arg-type]
    review.decide(BO, "remove", "shop")
    review.decide(CY, "keep")
    review.edit("shop: admin", "shop: owner")
    made = review.apply()
    assert [one.item.project for one in made.stale] == [None, "shop"]
    assert "goes with the whole entry" in made.stale[0].why
    assert [one.reviewed for one in read_roster(review.file).people] == [None, "2026-05-04"]


@pytest.mark.parametrize("by_hand", [True, False])
@pytest.mark.parametrize("word", ["keep", "lower=analyst", "remove"])
def test_a_cleared_decision_is_listed_as_the_access_is_now(tmp_path: Path, word: str, *, by_hand: bool) -> None:
    """What to do in the message is what helps: the new decision holds for the new access."""
    review = begun(tmp_path)
    review.decide(BO, word, "shop")
    review.edit("ends: 2026-06-30", "ends: 2026-12-31")
    assert review.plan().stale
    if by_hand:
        file = review.folder / f"{ANA}.yaml"
        file.write_text(file.read_text().replace(f"decision: {word.partition('=')[0]}", "decision:"))
    else:
        assert review.decide(BO, "clear", "shop").decision is None
    review.begin()
    assert [item.ends for item in review.items() if item.email == BO] == ["2026-12-31"]
    review.decide(BO, "keep", "shop")
    assert not review.apply().stale
    assert review.verify() == []
    assert [line.ends for line in review.lines() if line.email == BO] == ["2026-06-30", "2026-12-31", "2026-12-31"]


def test_an_undecided_role_that_changed_is_shown_as_changed(tmp_path: Path) -> None:
    """Before anybody decides on what is not there any more."""
    review = begun(tmp_path)
    review.edit("ends: 2026-06-30", "ends: 2026-12-31")
    (changed,) = [one.why for one in review.status().items if one.why]
    assert changed == "ends changed from 2026-06-30 to 2026-12-31; run `mixpanel-access review start`"


TWINS = (
    person(more="engagement: review, ends: 2026-02-28, projects: { shop: analyst }"),
    person(more="engagement: review, starts: 2026-03-01, projects: { shop: analyst }"),
    person(more=f"approver: {ANA}, projects: {{ shop: admin }}"),
)


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_one_entry_of_several_goes_alone(tmp_path: Path, gone: int) -> None:
    """A decision to remove is applied if somebody has removed its entry already; another entry is not taken for it."""
    review = Review(tmp_path, *TWINS)
    review.begin()
    starts, engagement = ("2026-03-01" if gone == 1 else ""), ("" if gone == 2 else "review")
    review.decide(BO, "remove", starts=starts, engagement=engagement)
    review.edit(f"{TWINS[gone]}\n", "")
    made = review.apply()
    assert (list(made.stale), [len(change.lines) for change in made.rosters]) == ([], [1])
    assert len(read_roster(review.file).people) == 2


def test_a_decision_on_a_killed_entry_is_finished(tmp_path: Path) -> None:
    """The roster was written and the evidence was not: a project, the organization role and another project."""
    review = begun(tmp_path, organization="admin")
    review.decide(BO, "lower=member", organization=True)  # type: ignore[arg-type]
    review.decide(BO, "lower=consumer", "shop")
    review.decide(CY, "remove")
    (change,) = review.plan().rosters
    review.file.write_text(change.after)
    made = review.apply()
    assert (list(made.stale), len(made.rosters[0].lines)) == ([], 3)
    assert review.file.read_text() == change.after
    assert not review.plan().rosters


def test_decisions_of_this_review_do_not_make_others_stale(tmp_path: Path) -> None:
    """The organization role is lowered first, and the project decided later."""
    review = begun(tmp_path, organization="admin")
    review.decide(BO, "lower=member", organization=True)  # type: ignore[arg-type]
    review.apply()
    review.decide(BO, "keep", "shop")
    assert not review.apply().stale
    assert read_roster(review.file).people[0].reviewed == "2026-05-04"


@pytest.mark.parametrize("days", [0, 56, 57, 58, 400])
def test_the_clock_changes_no_decision(tmp_path: Path, days: int) -> None:
    """The end was reviewed: a decision holds on the last day, and after it."""
    review = begun(tmp_path)
    review.decide(BO, "lower=analyst", "shop")
    made = review.apply(NOW + timedelta(days=days))
    assert (list(made.stale), len(made.rosters)) == ([], 1)


EDITED: dict[str, tuple[tuple[str, str], str]] = {
    "an end": (("ends: '2026-06-30'", "ends: '2031-12-31'"), "ends changed from 2026-06-30 to 2031-12-31"),
    "an approver": ((f"approver: {ANA}\n", "approver: x@example.com\n"), "approver changed"),
    "a role": (("role: admin", "role: owner"), "role changed from admin to owner"),
    "a person": ((f"email: {BO}", "email: di@example.com"), "the evidence does not list it"),
    "a project": (("project: shop", "project: warehouse"), "the evidence does not list it"),
    "an engagement": (("engagement: review\n", "engagement: other\n"), "the evidence does not list it"),
    "a listing": (("    listing: 1\n", ""), ""),
    "a later listing": (("    decision: keep", "    listing: 2\n    decision: keep"), "the evidence does not list it"),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "words"), EDITED.values(), ids=EDITED.keys())
def test_a_packet_that_was_edited_by_hand_decides_nothing(tmp_path: Path, edit: tuple[str, str], words: str) -> None:
    """The evidence lists what was reviewed, whatever the packet and the roster say by now."""
    review = begun(tmp_path)
    review.decide(BO, "keep", "shop")
    review.decide(CY, "keep")
    file = review.folder / f"{ANA}.yaml"
    head, bo, rest = file.read_text().partition(f"    email: {BO}")
    file.write_text(head + (bo + rest).replace(edit[0], edit[1], 1))
    if "ends" in words:
        review.edit("ends: 2026-06-30", "ends: 2031-12-31")
    made = review.plan()
    assert [words in one.why for one in made.stale] == [True] * bool(words)
    assert [words in problem for problem in review.verify()] == [True] * bool(words)
    assert [line.email for line in made.rosters[0].lines][-1] == CY


def as_of_an_earlier_version(review: Review) -> None:
    """Neither the packet nor the evidence has the facts that this version added."""
    new = {"project_id": None, "organization_role": None, "teams": (), "permissions": ()}
    for one in read_packets(review.folder):
        items = [item.model_copy(update=new) for item in one.packet.items]
        write_packet(review.folder, one.packet.model_copy(update={"items": items}))
        assert not any(word in one.file.read_text() for word in ("teams", "organizationRole", "projectId"))
    lines = [line.row() for line in review.lines()]
    old = [{name: value for name, value in row.items() if name in OLD_COLUMNS} for row in lines]
    evidence_file(review.folder).write_text("".join(json.dumps(row) + "\n" for row in old))


OLD_COLUMNS = (
    *("date", "event", "review", "stack", "email", "project", "engagement", "starts", "role", "suggestion"),
    *(
        "suggested_role",
        "reason",
        "reviewer",
        "decided",
        "decision",
        "new_role",
        "comment",
        "roster",
        "before",
        "after",
    ),
)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("", ""), ""),
        (("teams: [data]", "teams: []"), ""),
        (("ends: 2026-06-30", "ends: 2031-12-31"), "ends changed from 2026-06-30"),
        (("shop: admin", "shop: owner"), "role changed from admin to owner"),
        (("OPS-1", "OPS-2"), "ticket changed from OPS-1"),
    ],
)
def test_a_review_of_an_earlier_version_goes_on(tmp_path: Path, edit: tuple[str, str], words: str) -> None:
    """What its packets list is compared, and what they do not have is not."""
    review = begun(tmp_path)
    review.decide(BO, "lower=analyst", "shop")
    as_of_an_earlier_version(review)
    review.edit(*edit)
    made = review.apply()
    assert [words in one.why for one in made.stale] == [True] * bool(words)
    assert review.verify() == []


def test_a_review_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """What is undecided is listed again with all its facts; a decision stays as it was made."""
    review = begun(tmp_path)
    review.decide(BO, "keep", "shop")
    as_of_an_earlier_version(review)
    review.begin(now=NOW + timedelta(days=1))
    facts = {item.email: (item.decision, item.organization_role) for item in review.items()}
    assert facts == {BO: ("keep", None), CY: (None, "member")}
    assert [line.email for line in review.lines() if line.organization_role] == [CY]
    assert not review.apply().stale


def test_a_decision_is_not_older_than_its_listing(tmp_path: Path) -> None:
    """Whoever decided before the access was listed like that decided on something else."""
    review = begun(tmp_path)
    review.edit("ends: 2026-06-30", "ends: 2026-12-31")
    review.begin(now=NOW + timedelta(days=5))
    with pytest.raises(UsageError, match="on 2026-05-04, before it was listed like that on 2026-05-09"):
        review.decide(BO, "keep", "shop")


def test_two_reviewers_decide_for_themselves(tmp_path: Path) -> None:
    """A role that moved to another reviewer's packet is decided there; what the first decided is not applied."""
    review = begun(tmp_path)
    review.decide(BO, "remove", "shop")
    review.edit(f"approver: {ANA} }}", "approver: omar@example.com }")
    review.begin()
    (stale,) = review.plan().stale
    assert f"approver changed from {ANA} to omar@example.com" in stale.why
    file = review.folder / f"{ANA}.yaml"
    file.write_text(file.read_text().replace("decision: remove", "decision:"))
    review.begin()
    assert {path.name for path in review.folder.glob("*@*.yaml")} == {f"{ANA}.yaml", "omar@example.com.yaml"}
    assert review.decide(BO, "keep", "shop").decision == "keep"
    assert [line.reviewer for line in review.apply().rosters[0].lines] == ["omar@example.com"]


def test_a_stack_without_a_roster_blocks_no_other(tmp_path: Path) -> None:
    """A renamed stack has its roster under another name."""
    review = begun(tmp_path)
    review.decide(BO, "keep", "shop")
    review.file.rename(review.file.with_name("prod.yaml"))
    (stale,) = review.plan().stale
    assert stale.why == f"the stack production has no roster; {AGAIN}"


def test_a_fact_that_somebody_deletes_from_a_packet_still_counts(tmp_path: Path) -> None:
    """As if it were a packet of an earlier version; the evidence has the fact."""
    review = begun(tmp_path)
    review.decide(BO, "keep", "shop")
    new = {"project_id": None, "organization_role": None, "teams": (), "permissions": ()}
    for one in read_packets(review.folder):
        items = [item.model_copy(update=new) for item in one.packet.items]
        write_packet(review.folder, one.packet.model_copy(update={"items": items}))
    assert not review.plan().stale
    review.edit("teams: [data]", "teams: [data, ops]")
    (stale,) = review.plan().stale
    assert "teams changed" in stale.why


def test_an_applied_decision_is_not_cleared(tmp_path: Path) -> None:
    """It is in the evidence; another decision can replace it."""
    review = begun(tmp_path)
    review.decide(BO, "keep", "shop")
    review.apply()
    with pytest.raises(
        UsageError, match=r"cannot clear the decision for .*: keep is applied. Nothing was written. Decide"
    ):
        review.decide(BO, "clear", "shop")
    review.decide(BO, "lower=analyst", "shop")
    assert [line.replaces for line in review.apply().rosters[0].lines] == ["keep"]


ANEW: dict[str, tuple[str, str | None, str]] = {
    "kept, then removed": ("keep", None, "remove"),
    "kept, then lowered": ("keep", None, "lower=analyst"),
    "lowered, then kept": ("lower=analyst", None, "keep"),
    "lowered more": ("lower=analyst", None, "lower=consumer"),
    "kept by somebody else": ("keep", None, "keep"),
    "kept, then removed by somebody else": ("keep", "omar@example.com", "remove"),
    "emptied by hand": ("lower=analyst", "omar@example.com", ""),
}


@pytest.mark.parametrize(("first", "decider", "second"), ANEW.values(), ids=ANEW.keys())
def test_clear_puts_the_applied_decision_back(tmp_path: Path, first: str, decider: str | None, second: str) -> None:
    """The packet is as it was when it was applied: the same reviewer, day and comment, and nothing is open."""
    review = begun(tmp_path)
    review.decide(BO, first, "shop", reviewer=decider)
    review.decide(CY, "keep")
    review.apply()
    review.up()
    before = review.items()
    if second:
        review.decide(BO, second, "shop", reviewer=None if decider else "omar@example.com")
        assert review.status().is_open
        assert (review.verify(), len(decided_anew(review.folder, read_record(review.folder)))) == ([], 1)
    else:
        file = review.folder / f"{ANA}.yaml"
        file.write_text(re.sub(r"decision: lower\n    newRole: \w+", "decision:", file.read_text()))
        assert "has another decision than was applied" in review.verify()[0]
    review.decide(BO, "clear", "shop")
    assert review.items() == before
    assert (review.verify(), review.status().is_open) == ([], False)
    assert not review.apply().rosters


def test_a_decision_that_was_made_anew_counts_once_it_is_applied(tmp_path: Path) -> None:
    """Until then, it is no contradiction of the evidence, made by the command or by hand; afterwards, it is in it."""
    review = begun(tmp_path)
    review.decide(BO, "keep", "shop")
    review.decide(CY, "keep")
    review.apply()
    review.decide(BO, "remove", "shop")
    file = review.folder / f"{ANA}.yaml"
    head, item, rest = file.read_text().partition(f"    email: {CY}\n")
    rest = rest.replace("decision: keep", "decision: remove").replace("decided: '2026-05-04'", "decided: '2026-05-05'")
    file.write_text(head + item + rest)
    assert review.verify() == []
    lines = review.apply(now=NOW + timedelta(days=1)).rosters[0].lines
    assert [(line.decision, line.replaces) for line in lines] == [("remove", "keep")] * 2
    assert (review.verify(), decided_anew(review.folder, read_record(review.folder))) == ([], [])
