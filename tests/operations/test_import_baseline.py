"""What an import leaves behind for CI: one engagement for everybody, and a policy configuration to start with."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.operations.importing.baseline import ASKED, Baseline, in_words_for, stamped, with_engagement
from mixpanel_access.operations.importing.plan import TO_BE_FILLED_IN
from mixpanel_access.operations.importing.starting_policies import (
    MANDATORY,
    STEPS,
    starting_policies,
    steps_in_markdown,
)
from mixpanel_access.operations.policy_check import parse_policy_config
from mixpanel_access.rules.catalogue import RULES
from mixpanel_access.rules.rule import Level

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 5, 4)
SOURCE = RosterSource("production.yaml")
KEY = "before-code"
ENTRIES = {
    "a block with our note": f"  - email: bo@example.com\n    # mine\n    # {TO_BE_FILLED_IN}\n",
    "one line": "  - { email: bo@example.com, projects: {} }\n",
    "another engagement": "  - email: bo@example.com\n    engagement: audit\n",
    "two entries": "  - email: bo@example.com\n    engagement: audit\n  - email: bo@example.com\n",
    "somebody else": "  - email: cy@example.com\n",
}
AFTER = {
    "a block with our note": (f"  - email: bo@example.com\n    # mine\n    engagement: {KEY}\n", [KEY]),
    "one line": (f"  - {{ email: bo@example.com, projects: {{}}, engagement: {KEY} }}\n", [KEY]),
    "another engagement": (ENTRIES["another engagement"], ["audit"]),
    "two entries": (ENTRIES["two entries"] + f"    engagement: {KEY}\n", ["audit", KEY]),
    "somebody else": (ENTRIES["somebody else"], [None]),
}


def roster(people: str = "", engagements: str = "audit: {}") -> str:
    """A roster with these entries."""
    return f"environment: production\nengagements:\n  {engagements}\npeople:{people and chr(10)}{people or ' []'}\n"


@pytest.mark.parametrize("kind", ENTRIES)
def test_who_has_no_engagement_gets_the_baseline(kind: str) -> None:
    """Everything else in the entry stays, but for the note that asked for an engagement; again, nothing changes."""
    text = with_engagement(roster(ENTRIES[kind]), SOURCE, Baseline(KEY), TODAY)
    after = stamped(text, SOURCE, KEY, {"bo@example.com"}, TO_BE_FILLED_IN)
    entries, engagements = AFTER[kind]
    assert after == text.replace(ENTRIES[kind], entries)
    assert [person.engagement for person in parse(after, SOURCE).people] == engagements
    assert stamped(after, SOURCE, KEY, {"bo@example.com"}, TO_BE_FILLED_IN) == after


@pytest.mark.parametrize("known", [{}, {"ticket": "OPS-1", "starts": "2026-05-04", "type": "audit"}])
def test_what_is_not_known_is_left_open_and_named(known: dict[str, str]) -> None:
    """Each field that a rule asks for stands in the roster, without a value unless somebody gave one."""
    text = with_engagement(roster(), SOURCE, Baseline(KEY, known), TODAY)
    engagement = parse(text, SOURCE).engagements[KEY]
    said = engagement.model_dump(mode="json", exclude_none=True)
    assert {name: str(value) for name, value in said.items()} == known
    unknown = [name for name in ASKED if name not in known]
    assert [name for name in ASKED if f"    {name}: # to be filled in\n" in text] == unknown
    (words,) = in_words_for(KEY, parse(text, SOURCE), SOURCE.name)
    assert all(name in words for name in unknown)


def test_the_end_of_the_baseline_says_whom_it_takes_out() -> None:
    """An end that is given for everybody is never silent."""
    known = {**dict.fromkeys(ASKED, "x"), "starts": "2026-05-04", "ends": "2026-05-04"}
    text = with_engagement(roster(ENTRIES["one line"]), SOURCE, Baseline(KEY, known), TODAY)
    after = parse(stamped(text, SOURCE, KEY, {"bo@example.com"}, TO_BE_FILLED_IN), SOURCE)
    (words,) = in_words_for(KEY, after, SOURCE.name)
    assert "ends on 2026-05-04" in words
    assert "1 people" not in words
    assert "1 person" in words


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        (Baseline("audit", {"ticket": "OPS-1"}), "cannot use --ticket for audit: production.yaml has the engagement"),
        (Baseline(KEY, {"ends": "soon"}), "cannot use --ends for soon: 'soon' is not a date"),
        (Baseline(KEY, {"starts": "2026-05-05"}), "it starts on 2026-05-05, so the roster would declare nobody today"),
        (Baseline("old"), "it ended on 2026-05-03, so the roster would declare nobody today"),
    ],
)
def test_an_engagement_that_cannot_be_given_is_refused(baseline: Baseline, words: str) -> None:
    """With the reason; an entry that declares nothing would be no import."""
    text = roster(engagements="audit: {}\n  old: { ends: 2026-05-03 }")
    with pytest.raises(UsageError, match=words):
        with_engagement(text, SOURCE, baseline, TODAY)


def test_only_three_rules_hold_after_an_import(tmp_path: Path) -> None:
    """The rest is advice, and the guard holds the stack to its environment."""
    found = starting_policies(tmp_path, tmp_path / "stacks/production.yaml", "production")
    config = parse_policy_config(found.text, found.file)
    levels = {rule.id: config.of(rule)[0] for rule in RULES}
    assert {rule for rule, level in levels.items() if level is Level.MANDATORY} == set(MANDATORY)
    assert {rule for rule, level in levels.items() if level is Level.DISABLED} == set()
    assert json.loads(found.text)["guards-not-loosened"]["environment"] == "production"
    found.write()
    again = starting_policies(tmp_path, tmp_path / "stacks/production.yaml", "production")
    again.write()
    assert again.before == again.file.read_bytes() == found.text.encode()
    assert all(line in again.page.read_text() for line in steps_in_markdown())


def test_a_configuration_that_somebody_chose_is_not_loosened(tmp_path: Path) -> None:
    """That of a new project is replaced, and any other refused."""
    file = tmp_path / "policies/config/production.json"
    file.parent.mkdir(parents=True)
    ours = (ROOT / "policies/config/production.json").read_text()
    for text, refused in ((ours, False), (ours.replace("mandatory", "advisory", 1), True), ("{}", True)):
        file.write_text(text)
        if refused:
            with pytest.raises(UsageError, match="levels that somebody has chosen"):
                starting_policies(tmp_path, tmp_path / "stacks/production.yaml", None)
        else:
            assert starting_policies(tmp_path, tmp_path / "stacks/production.yaml", None).before == ours.encode()
        assert file.read_text() == text


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """Before anything is written."""
    made = starting_policies(tmp_path, tmp_path / "stacks/production.yaml", None)
    (tmp_path / "policies").write_text("a file")
    with pytest.raises(UsageError, match=r"cannot write the policy configuration for .*production\.json"):
        made.write()


def test_every_rule_of_a_new_project_has_its_turn() -> None:
    """The steps and the three rules are exactly what a new project has as mandatory, each once; the page has them."""
    config = json.loads((ROOT / "policies/config/production.json").read_text())
    mandatory = [rule for rule, entry in config.items() if entry["enforcementLevel"] == "mandatory"]
    assert sorted([*MANDATORY, *(rule for step in STEPS for rule in step.rules)]) == sorted(mandatory)
    page = (ROOT / "docs/import.md").read_text()
    assert "\n".join(steps_in_markdown()) in page
