"""One review that is applied on two branches: Git merges the roster, the packets and the evidence."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.errors import RosterError, UsageError
from mixpanel_access.operations.new_project import TEMPLATES
from mixpanel_access.operations.review.decisions import ItemStatus
from mixpanel_access.operations.review.packet import evidence_file
from tests.cli.typed import typed
from tests.fakes import NOW
from tests.operations.overviews import BO, person
from tests.operations.reviews import ANA, CY, Review
from tests.repositories import Repository

UNION = {".gitattributes": (TEMPLATES / "gitattributes").read_text()}
"""As in a new project."""
LATER = NOW + timedelta(days=1)


class Branches:
    """A repository with a review, which two branches go on with."""

    def __init__(self, folder: Path, *, union: bool = True) -> None:
        self.repository = Repository.made(folder / "project", UNION if union else {"README.md": "Reviews.\n"})
        apart = ["  # one after the other"] * 4
        bo = person(more="engagement: review, projects: { shop: admin }")
        self.review = Review(
            self.repository.folder, bo, *apart, person(CY, f"approver: {ANA}, projects: {{ shop: analyst }}")
        )
        self.review.begin()
        self.repository.commit()

    def branch(self, name: str, *decisions: tuple[str, ...], now: int = 0, reviewer: str | None = None) -> None:
        """A branch on which people are decided on, and that is applied."""

        def edit(_: Path) -> None:
            for email, word in decisions:
                self.review.decide(email, word, reviewer=reviewer)
            assert not self.review.apply(NOW + timedelta(days=now)).stale

        self.repository.branch(edit, name)

    def merge(self, *names: str, take: str = "") -> str:
        """Merge branches into main; where Git has a conflict, take one side."""
        for name in names:
            try:
                self.repository.git("merge", "-q", "--no-edit", name)
            except subprocess.CalledProcessError:
                files = self.repository.git("diff", "--name-only", "--diff-filter=U").splitlines()
                for file in files if take else ():
                    self.repository.git("checkout", f"--{take}", file)
                if not take:
                    return "\n".join(files)
                self.repository.commit()
        return ""


def test_decisions_on_different_people_merge(tmp_path: Path) -> None:
    """Every decision is applied, and each is in the evidence."""
    both = Branches(tmp_path)
    both.branch("a", (BO, "lower=analyst"))
    both.branch("b", (CY, "remove"), now=1)
    assert both.merge("a", "b") == ""
    review = both.review
    assert (review.verify(), list(review.plan(now=LATER).rosters), review.plan(now=LATER).applied) == ([], [], 2)
    assert [(one.email, dict(one.projects)) for one in read_roster(review.file).people] == [(BO, {"shop": "analyst"})]
    assert {one.item.email for one in review.status().still_there} == {BO, CY}
    review.up()
    assert not review.status().is_open


@pytest.mark.parametrize(
    ("word", "more"), [("keep", ()), ("lower=consumer", ()), ("remove", ()), ("remove", ((CY, "keep"),))]
)
def test_the_same_decision_of_two_branches_counts_once(
    tmp_path: Path, word: str, more: tuple[tuple[str, str], ...]
) -> None:
    """Whatever was applied besides, and whichever branch comes first."""
    both = Branches(tmp_path)
    both.branch("a", (BO, word), now=1)
    both.branch("b", (BO, word), *more)
    both.merge("a", "b", take="theirs")
    review = both.review
    assert len([line for line in review.lines() if line.event == "decided"]) == 2 + len(more)
    assert [line.email for line in review.once() if line.event == "decided"] == [BO, *(email for email, _ in more)]
    assert (review.verify(), review.plan().applied, list(review.plan().stale)) == ([], 1 + len(more), [])
    if not more:
        review.decide(CY, "keep")
        review.apply()
    review.up()
    assert not review.status().is_open


CONTRADICTIONS = {
    "kept and removed": ("keep", "remove", "ours"),
    "kept and lowered": ("keep", "lower=analyst", "theirs"),
    "lowered twice": ("lower=analyst", "lower=consumer", "theirs"),
    "removed and kept": ("remove", "keep", "theirs"),
}


@pytest.mark.parametrize(("first", "second", "take"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_different_decisions_of_two_branches_are_named(tmp_path: Path, first: str, second: str, take: str) -> None:
    """Neither counts, whichever side of the conflict was taken: the role is listed again, and decided once."""
    both = Branches(tmp_path)
    both.branch("a", (BO, first))
    both.branch("b", (BO, second), (CY, "keep"))
    both.merge("a", "b", take=take)
    review = both.review
    decided = [word.replace("=", " to ") for word in (first, second)]
    words = f"two branches applied different decisions: {decided[0]} by {ANA} on 2026-05-04 and {decided[1]} by {ANA}"
    assert any(words in problem for problem in review.verify())
    assert [words in one.why for one in review.plan().stale] == [True]
    assert [(one.email, words in one.why) for one in review.status().new] == [(BO, True)]
    review.begin()
    (item,) = [item for item in review.items() if item.email == BO]
    assert (item.decision, item.listing, words in item.reason) == (None, 2, True)
    review.decide(BO, "remove")
    if take == "ours":  # which threw the decision on Cy away
        assert [CY in problem for problem in review.verify()] == [True]
        review.decide(CY, "keep")
    assert not review.apply().stale
    review.up()
    assert (review.status().is_open, review.verify()) == (False, [])


def test_different_decisions_on_what_is_gone_are_settled_by_applying_one(tmp_path: Path) -> None:
    """Removed on one branch and kept on the other, and the merge took the removal."""
    both = Branches(tmp_path)
    both.branch("a", (BO, "keep"))
    both.branch("b", (BO, "remove"), (CY, "keep"))
    both.merge("a", "b", take="theirs")
    review = both.review
    assert len(review.verify()) == 1
    assert [one.item.email for one in review.status().with_status(ItemStatus.WAITING)] == [BO]
    made = review.apply()
    assert (list(made.stale), [line.replaces for line in made.rosters[0].lines]) == ([], ["keep and remove"])
    assert review.verify() == []
    review.up()
    assert not review.status().is_open


def test_a_changed_mind_is_no_contradiction(tmp_path: Path) -> None:
    """One decision after the other on one branch, and the first of them on another branch too."""
    both = Branches(tmp_path)
    both.branch("a", (BO, "keep"))
    both.branch("b", (BO, "keep"))
    both.repository.git("checkout", "-q", "b")
    for word in ("lower=analyst", "lower=consumer"):
        both.review.decide(BO, word)
        both.review.apply()
    both.repository.commit()
    both.repository.git("checkout", "-q", "main")
    both.merge("b", "a", take="ours")
    assert (both.review.verify(), both.review.plan().applied) == ([], 1)
    assert [line.replaces for line in both.review.once() if line.event == "decided"] == ["", "keep", "lower to analyst"]


def test_two_people_may_decide_the_same(tmp_path: Path) -> None:
    """Both are in the evidence, and the packet has either."""
    both = Branches(tmp_path)
    both.branch("a", (BO, "keep"))
    both.branch("b", (BO, "keep"), reviewer="omar@example.com")
    both.merge("a", "b", take="theirs")
    assert (both.review.verify(), both.review.plan().applied) == ([], 1)
    reviewers = [line.reviewer for line in both.review.once() if line.event == "decided"]
    assert reviewers == [ANA, "omar@example.com"]


USES: dict[str, Callable[[Review], object]] = {
    "start": lambda review: review.begin(),
    "decide": lambda review: review.decide(CY, "keep"),
    "status": lambda review: review.status(),
    "apply": lambda review: review.plan(),
    "verify": lambda review: review.verify(),
}


def test_a_conflict_in_the_evidence_is_one_message(tmp_path: Path) -> None:
    """Every command names the file and the line, says what to do, and writes nothing; then all is well."""
    both = Branches(tmp_path, union=False)
    both.branch("a", (BO, "keep"))
    both.branch("b", (CY, "keep"), now=1)
    both.merge("a")
    conflicts = both.merge("b").split()
    assert "reviews/2026-Q2/evidence.jsonl" in conflicts
    file = evidence_file(both.review.folder)
    for other in set(conflicts) - {"reviews/2026-Q2/evidence.jsonl"}:
        both.repository.git("checkout", "--ours", other)
    before = file.read_text()
    words = r"cannot read the review's evidence for .*: line 3 is a conflict marker of git. Keep the lines of both"
    for use in USES.values():
        with pytest.raises(UsageError, match=words):
            use(both.review)
        assert file.read_text() == before
    lines = before.splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith(("<<<<<<<", "=======", ">>>>>>>"))))
    assert both.review.verify() == []


def test_a_conflict_in_a_packet_or_the_roster_is_one_message(tmp_path: Path) -> None:
    """With the line, and what to do."""
    both = Branches(tmp_path)
    both.branch("a", (BO, "keep"))
    both.branch("b", (BO, "remove"))
    both.merge("a")
    assert f"reviews/2026-Q2/{ANA}.yaml" in both.merge("b").split()
    words = r"\.yaml:\d+: it is a conflict marker of git; keep what is right of both branches"
    with pytest.raises(RosterError, match=f"production{words}"):
        both.review.begin()
    both.repository.git("checkout", "--ours", "production.yaml")
    for use in USES.values():
        with pytest.raises(UsageError, match=f"{ANA}{words}"):
            use(both.review)


def test_a_packet_that_both_branches_moved_is_healed_by_start(tmp_path: Path) -> None:
    """One decided, the other moved the undecided role to another reviewer: the decision stays, once."""
    both = Branches(tmp_path)
    both.branch("a", (BO, "keep"))

    def moved(_: Path) -> None:
        both.review.edit("approver: ana@example.com }", "approver: omar@example.com }")
        both.review.begin()

    both.repository.branch(moved, "b")
    both.merge("a", "b", take="ours")
    both.review.begin()
    assert [(item.email, item.decision) for item in both.review.items() if item.email == BO] == [(BO, None)]
    assert both.review.verify() == []


def test_verify_says_what_settles_different_decisions(tmp_path: Path) -> None:
    """Not to take the folder back: that loses one of them."""
    both = Branches(tmp_path)
    (both.repository.folder / "Pulumi.yaml").write_text("name: access\nruntime: python\n")
    both.branch("a", (BO, "keep"))
    both.branch("b", (BO, "lower=analyst"))
    both.merge("a", "b", take="theirs")
    told = typed("review", "verify", "--cwd", str(both.repository.folder))
    assert (told.code, "two branches applied different decisions: keep by" in told.out) == (1, True)
    assert told.out.endswith(
        "1 problem; `mixpanel-access review start` lists again what two branches decided differently.\n"
    )
