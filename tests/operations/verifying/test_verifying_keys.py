"""The report of `doctor --writes` has no key of an answer that may be a name or a token."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.api.observed import Exchange
from mixpanel_access.operations.verifying.deciding import pages
from mixpanel_access.operations.verifying.statements import Hidden
from mixpanel_access.operations.verifying.verify import WritesReport, walk_through
from mixpanel_access.operations.verifying.walk import CallResult, WalkEvidence
from tests.emulator.conftest import organization
from tests.in_process import emulating
from tests.operations.verifying.conftest import means, plan_of


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> WritesReport:
    """What comes of a walk."""
    with emulating(organization()) as server:
        folder: Path = tmp_path_factory.mktemp("notes")
        return walk_through(plan_of(server), means(server, folder))


def keys(part: Any) -> set[str]:
    """Every key of a shape."""
    if isinstance(part, dict):
        return set(part).union(*map(keys, part.values()))
    return set().union(*map(keys, part)) if isinstance(part, list) else set()


def test_every_key_that_is_known_is_kept(report: WritesReport) -> None:
    """Of all that is answered in a walk, only maps by id or address have hidden keys."""
    for row in [*report.document["reads"], *report.document["walk"]]:
        if row["answer"] is not None:
            assert ("<key>" in keys(row["answer"])) <= (row.get("read") in ("me", "projects")), row


@pytest.mark.parametrize(
    "key",
    ["Robin", "robin", "robin_agency", "throwaway", "Data", "growth", "tokenabcdefghijkl", "x", "", "id-1",
     "a@b.example", "user Robin", "userRobin", "user_", "_id", "USER", "ünique", "admin\n"],
)  # fmt: skip
def test_a_key_that_may_be_a_name_is_not_shown(report: WritesReport, key: str) -> None:
    """Whatever stands under it, in whatever answer."""
    hidden = Hidden(report.evidence)
    for value in ("member", 1, None, {"id": 1}, [{"display_name": "Robin"}]):
        shape = hidden.shape({"results": {"invited": {key: value}}})
        assert set(shape["results"]["invited"]) == {"<key>"}


def test_a_name_that_is_a_word_is_not_shown_where_an_answer_has_it(report: WritesReport) -> None:
    """A team may be called Members: that the name came in the answer to a write is enough."""
    step = report.evidence.done["invite"]
    answer = Exchange("POST", "/", None, 200, "", {"name": "Members of open"})
    evidence = WalkEvidence(report.evidence.target, done={"invite": replace(step, sent=CallResult([answer]))})
    assert Hidden(evidence).shape({"members": {}, "open": {}, "roles": {}}) == {"roles": {}, "<key>": {}}


def test_pages_of_the_audit_log_are_no_pages_of_lists(report: WritesReport) -> None:
    """A day of more than a hundred events says nothing of how people are listed."""
    events = report.evidence.reads["audit log"]
    answer = {"results": [{}] * 100, "pagination": {"next_cursor": "a"}}
    paged = replace(events, exchanges=[Exchange("POST", "/v1/", {}, 200, "", answer)], value=[1])
    evidence = replace(report.evidence, reads={**report.evidence.reads, "audit log": paged})
    outcome = pages(evidence)
    assert outcome
    assert outcome.dialect == {"page_size": None}
