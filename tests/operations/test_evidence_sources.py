"""What the evidence of a period is made from: which roster it reads, what git and the engine know of each source."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mixpanel_access.files.lines import text_of_lines
from mixpanel_access.operations.evidence.build import make_evidence
from mixpanel_access.operations.evidence.document import EvidenceDocument, Period
from mixpanel_access.operations.evidence.exceptions import exception_rows, weakened_rules
from mixpanel_access.operations.evidence.sources import StackEvidence, read_stacks
from mixpanel_access.operations.evidence.unknown import ALWAYS, unknown_of_stack
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.review.packet import ReviewLine
from mixpanel_access.operations.tracker.lines import LogLine
from tests.repositories import FILES, PRODUCTION, Repository, written

ROSTER, CONFIG = "stacks/production.yaml", "policies/config/production.json"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MAY = Period(date(2026, 5, 10), date(2026, 5, 20), NOW)
TODAY = Period(date(2026, 5, 10), NOW.date(), NOW)
EXCEPTION = (
    "exceptions:\n"
    "  - { rule: justified, email: ana@example.com, reason: The sale, approver: omar@example.com, ticket: OPS-1,\n"
    "      starts: 2026-05-01, ends: 2026-05-30 }\n"
)
WITH = PRODUCTION + EXCEPTION
MEMBER = {"urn": "u", "custom": True, "type": "pulumi-python:dynamic/mixpanel:Member", "id": "1:ana@example.com"}


@dataclass
class Engine:
    """An engine that has the stack production, and perhaps others."""

    project: Path
    resources: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    environ: Mapping[str, str] = field(default_factory=dict)
    stacks: Sequence[str] = ("production",)

    def run(self, *args: str) -> SimpleNamespace:
        """Answer."""
        config = {"organizationId": "1", "serviceAccountUsername": "bot", "serviceAccountSecret": "s"}
        answers = {
            "ls": [{"name": stack} for stack in self.stacks],
            "export": {"version": 3, "deployment": {"resources": self.resources}},
            "history": self.updates,
            "--json": {f"mixpanel:{key}": {"value": value} for key, value in config.items()},
        }
        return SimpleNamespace(stdout=json.dumps(answers[args[1]]))


def read(project: Path, period: Period = MAY, **more: Any) -> StackEvidence:
    """What is known of the stack."""
    return read_stacks(PulumiProject(Engine(project, **more)), ["production"], period)["production"]  # type: ignore[arg-type]


def unknown(found: StackEvidence, period: Period = MAY) -> list[str]:
    """The sentences about what is not known of the stack."""
    return [*unknown_of_stack("production", found, period)]


def rules(found: StackEvidence) -> list[str]:
    """The rules with an exception, then those that the configuration weakens."""
    asked_for = [row.rule for row in exception_rows(found.rules, MAY)]
    return asked_for + [row.rule for row in weakened_rules(found.rules)]


Life = Callable[[Repository], object]


def step(day: str, *edits: Callable[[Path], object]) -> Life:
    """Edit the files, and commit that on a day."""

    def do(repository: Repository) -> None:
        for edit in edits:
            edit(repository.folder)
        repository.commit(f"{day}T12:00:00Z")

    return do


def edited(*edits: Callable[[Path], object]) -> Life:
    """Edit the files, and commit nothing."""
    return lambda repository: [edit(repository.folder) for edit in edits]


BROKEN = written(ROSTER, "environment: [\n")
WEAKER = written(CONFIG, json.dumps({"domain-allowed": "disabled"}))
CASES: dict[str, tuple[list[Life], Period, list[str], list[str]]] = {
    "as git had it at the end": (
        [step("2026-05-01", written(ROSTER, WITH), WEAKER), edited(written(ROSTER, PRODUCTION), written(CONFIG, ""))],
        MAY, ["justified", "domain-allowed"], [],
    ),
    "changed after the period": (
        [step("2026-05-01", written(ROSTER, WITH)), step("2026-05-21", written(ROSTER, PRODUCTION))],
        MAY, ["justified"], [],
    ),
    "with rules that were weakened after the period": (
        [step("2026-05-01", written(ROSTER, WITH)), step("2026-05-21", WEAKER)], MAY, ["justified"], [],
    ),
    "changed in the period": (
        [step("2026-05-01", written(ROSTER, WITH)), step("2026-05-12", written(ROSTER, PRODUCTION))],
        MAY, [], ["The roster of the stack production changed in the period"],
    ),
    "changed before the period": (
        [step("2026-05-01"), step("2026-05-02", written(ROSTER, WITH)), step("2026-05-12")], MAY, ["justified"], [],
    ),
    "changed in the period, which has not ended": (
        [step("2026-05-01", written(ROSTER, WITH)), step("2026-05-12", written(ROSTER, PRODUCTION))],
        TODAY, [], ["The roster of the stack production changed in the period"],
    ),
    "the present one, of a period that has not ended": (
        [step("2026-05-01"), edited(written(ROSTER, WITH))], TODAY, ["justified"], [],
    ),
    "first committed in the period": (
        [step("2026-05-12", written(ROSTER, WITH))],
        MAY, ["justified"], ["Git has no commit from before 2026-05-10: which other exceptions the stack production"],
    ),
    "first committed after the period": (
        [step("2026-05-21", written(ROSTER, WITH))],
        MAY, ["justified"], ["of its present roster and not of 2026-05-20: git has no commit of that day."],
    ),
    "without a roster at the end": (
        [step("2026-05-01", lambda folder: (folder / ROSTER).unlink()), step("2026-05-21", written(ROSTER, WITH))],
        MAY, ["justified"], ["of its present roster and not of 2026-05-20: git has no roster of that day."],
    ),
    "that could not be read at the end": (
        [step("2026-05-01", BROKEN), step("2026-05-21", written(ROSTER, WITH))],
        MAY, ["justified"], ["of its present roster and not of 2026-05-20: the roster of commit"],
    ),
    "that git does not have": (
        [
            step("2026-05-01", lambda folder: (folder / ROSTER).unlink()),
            step("2026-05-02"),
            edited(written(ROSTER, WITH)),
        ],
        MAY, ["justified"], ["which others there were in the period is not known: git does not have it"],
    ),
    "none": (
        [step("2026-05-01", lambda folder: (folder / ROSTER).unlink())],
        MAY, [], ["The stack production has no roster: exceptions from policy rules that its program declares are not"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("life", "period", "expected", "words"), CASES.values(), ids=CASES.keys())
def test_the_roster_of_the_end_of_the_period_is_read(
    tmp_path: Path, life: list[Life], period: Period, expected: list[str], words: list[str]
) -> None:
    """With what it includes and the policy configuration of then; where git does not have it, a sentence says so."""
    repository = Repository(tmp_path / "access")
    repository.folder.mkdir()
    repository.git("init", "-q", "-b", "main")
    for name, text in FILES.items():
        written(name, text)(repository.folder)
    for do in life:
        do(repository)
    found = read(repository.folder, period, resources=[MEMBER])
    assert rules(found) == expected
    for sentence, part in zip(unknown(found, period), words, strict=True):
        assert part in sentence, sentence


def test_a_stack_without_a_state_is_named(tmp_path: Path) -> None:
    """What its roster gave is known from the log only."""
    repository = Repository.made(tmp_path / "access")
    (sentence,) = [one for one in unknown(read(repository.folder)) if "state" in one]
    assert sentence.startswith("The stack production has no state: ")
    assert [one for one in unknown(read(repository.folder, resources=[MEMBER])) if "state" in one] == []


ENDED = {"version": 7, "endTime": "2026-05-04T12:00:00Z", "result": "succeeded", "environment": {"git.head": "c0ffee"}}
DIRTY = {**ENDED, "environment": {"git.head": "c0ffee", "git.dirty": "true"}}
NOT_ALL = "it ran on files with changes that were not committed, and the commit does not have these"
UPDATES: dict[str, tuple[list[dict[str, Any]], tuple[int | None, str, str]]] = {
    "numbered": ([ENDED], (7, "c0ffee", "")),
    "not numbered": ([{**ENDED, "version": 0}], (None, "c0ffee", "its backend does not number the updates")),
    "failed": ([{**ENDED, "result": "failed"}, ENDED], (7, "c0ffee", "the newest update ended with: failed")),
    "of changes in no commit": ([DIRTY, ENDED], (7, "c0ffee", NOT_ALL)),
    "running": ([{"version": 8}, ENDED], (7, "c0ffee", "")),
    "without git": ([{**ENDED, "environment": {}}], (7, "", "")),
    "none": ([], (None, "", "the engine knows no update of it")),
}


@pytest.mark.parametrize(("updates", "expected"), UPDATES.values(), ids=UPDATES.keys())
def test_a_state_is_named_by_its_newest_update(
    tmp_path: Path, updates: list[dict[str, Any]], expected: tuple[int | None, str, str]
) -> None:
    """Its number, its end and its commit, as the engine's history has them."""
    repository = Repository.made(tmp_path / "access")
    state = read(repository.folder, updates=updates).sources[0]
    assert (state.kind, state.version, state.commit, state.note) == ("state", *expected)
    assert state.dated == (datetime(2026, 5, 4, 12, tzinfo=UTC) if updates else None)


@pytest.mark.parametrize(
    ("update", "said"),
    [
        pytest.param(ENDED, "", id="of what is in its commit"),
        pytest.param({**DIRTY, "endTime": "2026-05-12T12:00:00Z"}, "(ended 2026-05-12T12:00:00Z)", id="of more"),
        pytest.param({**DIRTY, "endTime": None}, "", id="that lasts"),
        pytest.param({**DIRTY, "endTime": "2026-05-21T12:00:00Z"}, "", id="after the period"),
    ],
)
def test_a_run_of_changes_that_are_in_no_commit_is_named(tmp_path: Path, update: dict[str, Any], said: str) -> None:
    """For each run of the period: git cannot show what it did, or who wants it."""
    repository = Repository.made(tmp_path / "access")
    found = unknown(read(repository.folder, updates=[update]))
    assert [said in one for one in found if "used files with changes" in one] == ([True] if said else [])


def made(repository: Repository, period: Period, *stacks: str) -> EvidenceDocument:
    """The document about production, of a project with these other stacks too."""
    engine = Engine(repository.folder, [MEMBER], [ENDED], stacks=("production", *stacks))
    log = repository.folder / "tracker.jsonl"
    return make_evidence(PulumiProject(engine), log, ["production"], period)  # type: ignore[arg-type]


LINE = LogLine(
    date="2026-05-12T12:00:00Z", admin="ana@example.com", event="granted", email="bo@example.com", stack="production",
    project=1234567, role="analyst",
)  # fmt: skip
REVIEWED = ReviewLine(
    date="2026-05-01T12:00:00Z", event="listed", review="2026-Q2", stack="production", email="bo@example.com",
    project="shop", engagement="", starts="", role="analyst", suggestion="keep", suggested_role="", reason="",
    reviewer="ana@example.com",
)  # fmt: skip


def test_the_document_of_a_past_period(tmp_path: Path) -> None:
    """Its head and its sources; a cut-off review, and that the states of now say nothing of then, are in `unknown`."""
    repository = Repository.made(tmp_path / "access")
    written("tracker.jsonl", text_of_lines([LINE]))(repository.folder)
    written("reviews/2026-Q2/evidence.jsonl", f"{text_of_lines([REVIEWED])}{{")(repository.folder)
    commit = repository.commit("2026-05-15T12:00:00Z")
    then = made(repository, MAY)
    assert [(one.id, one.name) for one in then.organizations] == [(1, "Example")]
    assert [(row.organization, row.project_name, row.role) for row in then.access_at_end] == [(1, "shop", "analyst")]
    assert [(row.status, row.person) for row in then.reviews] == [("undecided", "bo@example.com")]
    assert [(one.kind, one.path, one.lines, one.version) for one in then.sources] == [
        ("access log", "tracker.jsonl", 1, None),
        ("state", "", None, 7),
        ("roster", ROSTER, None, None),
        ("review", "reviews/2026-Q2", 1, None),
    ]
    assert {one.commit for one in then.sources if one.kind in ("access log", "review")} == {commit}
    said = " ".join(then.unknown)
    assert then.differences is None
    assert "The states are those of now and not of 2026-05-20: the access at the end is not compared with them." in said
    assert "The last line of a review's evidence is left out: " in said
    assert then.unknown[-1] == ALWAYS

    now = made(repository, TODAY)
    assert now.differences == [
        "the log shows bo@example.com (analyst in project 1234567, stack production), and the stack's state does not",
        "the stack's state has ana@example.com (member, stack production), and the log does not show it",
    ]
    assert "compared" not in " ".join(now.unknown)


def test_what_review_verify_finds_is_not_known(tmp_path: Path) -> None:
    """For each review with a row, also if its packets cannot be read."""
    decided = replace(
        REVIEWED, date="2026-05-12T12:00:00Z", event="decided", decided="2026-05-12", decision="keep",
        organization_role="member",
    )  # fmt: skip
    other = replace(decided, email="zed@example.com")
    texts = {"tracker.jsonl": "", "reviews/2026-Q2/evidence.jsonl": text_of_lines([REVIEWED, decided, other])}
    repository = Repository.made(tmp_path / "access", {**FILES, **texts})
    found = [one for one in made(repository, MAY).unknown if one.startswith("The review 2026-Q2 has a problem: ")]
    assert any("line 3 decides on zed@example.com as analyst in shop" in one for one in found), found
    written("reviews/2026-Q2/ana.yaml", "items: [")(repository.folder)
    assert any("ana.yaml" in one and one.startswith("The review 2026-Q2") for one in made(repository, MAY).unknown)


def test_the_document_of_some_stacks_says_that_it_is_not_of_all(tmp_path: Path) -> None:
    """It is of all if each of the project is named."""
    repository = Repository.made(tmp_path / "access", {**FILES, "tracker.jsonl": text_of_lines([LINE])})
    for stacks, whole in (((), True), (("staging",), False)):
        found = made(repository, MAY, *stacks)
        assert found.all_stacks is whole
        assert any("Only the stack production was asked about" in one for one in found.unknown) is not whole


def test_what_the_log_says_against_itself_is_no_difference_from_a_state(tmp_path: Path) -> None:
    """It is in `unknown`, and in a past period too."""
    lines = [LINE, replace(LINE, date="2026-05-13T12:00:00Z")]
    repository = Repository.made(tmp_path / "access", {**FILES, "tracker.jsonl": text_of_lines(lines)})
    now, then = made(repository, TODAY), made(repository, MAY)
    assert [one for one in now.differences or () if "line 2" in one] == []
    for found in (now, then):
        assert any(one.startswith("The access log has a problem: line 2 grants") for one in found.unknown)
