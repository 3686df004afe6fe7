"""Each person in a group is judged exactly as a single resource: every case of every rule, in both forms."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mixpanel_access.rules.catalogue import RULE_IDS
from mixpanel_access.rules.facts import NotApplicable
from tests.rules.cases import CASES, Case
from tests.rules.groups import Group, as_judged, grouped, names
from tests.rules.test_unknown import hidden

ALL = [
    pytest.param(rule_id, case, id=f"{rule_id}-{kind}{number}")
    for rule_id, cases in CASES.items()
    for kind in ("passes", "fails", "boundary", "configured")
    for number, case in enumerate(getattr(cases, kind))
]


Judged = tuple[list[str], Counter[str], Counter[str]]
"""The texts of the findings, what cannot be judged, and what comes later."""


def judged(case: Case, rule_id: str) -> Judged | None:
    """What a rule says of single resources; None where it does not apply."""
    try:
        verdict = case.judge(rule_id)
    except NotApplicable:
        return None
    unknown = Counter(one.text.partition(" of ")[0] for one in verdict.not_judged)
    return sorted(one.text for one in verdict.findings), unknown, Counter(verdict.later)


def judged_in_groups(case: Case, rule_id: str) -> Judged | None:
    """What it says of groups, with the names of the single resources."""
    found = judged(replace(case, entries=as_judged(case.entries)), rule_id)
    if found is None:
        return None
    singles = names(case.entries)

    def renamed(text: str) -> str:
        for name, single in singles.items():
            text = text.replace(name, single)
        return text

    findings, unknown, later = ([renamed(text) for text in texts.elements()] for texts in map(Counter, found))
    return sorted(findings), Counter(unknown), Counter(later)


OF_MIXPANEL = ("dormant-account", "invitation-stale")
"""Rules that judge what Mixpanel alone says, and nothing where a preview does not know of whom."""
HIDE_MORE = ("email", "grant_types", "effective_role")
"""What a group has in one part with something else: the people with their roles, and all other sources of access."""


@pytest.mark.parametrize(("rule_id", "case"), ALL)
def test_each_case_is_judged_the_same_in_groups(rule_id: str, case: Case) -> None:
    """In the same words."""
    assert judged_in_groups(case, rule_id) == judged(case, rule_id)


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_what_is_not_known_hides_the_same_in_groups(rule_id: str) -> None:
    """Each failing case with each property hidden; where a group hides more with it, the rule says so."""
    for type_, name, case in hidden(rule_id):
        alone, together = judged(case, rule_id), judged_in_groups(case, rule_id)
        if name not in HIDE_MORE:
            assert together == alone, (type_, name)
        elif alone and any(alone) and rule_id not in OF_MIXPANEL:
            assert together, (type_, name)
            assert any(together), (type_, name)


def test_most_cases_have_groups() -> None:
    """Else the other tests would compare single resources with themselves."""
    cases = [case for every in CASES.values() for case in (*every.passes, *every.fails, *every.boundary)]
    groups = [one for case in cases for one in grouped(case.entries) if isinstance(one, Group)]
    assert {group.kind.name for group in groups} == {"Members", "ProjectAccess", "TeamMembers"}
    assert sum(len(group.singles) > 1 for group in groups) > 50


def test_a_finding_names_the_person_and_shows_at_the_group() -> None:
    """The engine shows it at the group's resource."""
    case = CASES["collaborator-not-project-owner"].fails[0]
    verdict = replace(case, entries=as_judged(case.entries)).judge("collaborator-not-project-owner")
    for finding in verdict.findings:
        assert finding.entry is not None
        assert finding.entry.urn.startswith("group:")
        assert finding.text.startswith(finding.entry.email)
