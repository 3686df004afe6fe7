"""Every rule on its cases, and no rule without them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.groups import GROUPS
from mixpanel_access.rules.catalogue import EXCEPTABLE, RULE_IDS, RULES, find
from mixpanel_access.rules.company import COMPANY_OPTIONS
from mixpanel_access.rules.entry import UNKNOWN, Entry, ExceptionEntry, Type, entries_of
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.rule import Rule
from tests.rules.cases import (
    CASES,
    COMPLIANT,
    ROBIN,
    TODAY,
    Case,
    account_grant,
    grant,
    member,
    team_grant,
    team_member,
)


def test_no_rule_lacks_its_cases() -> None:
    """A passing and a failing one, both sides of the boundary, and every option at work."""
    assert sorted(CASES) == sorted(RULE_IDS)
    for rule in RULES:
        cases = CASES[rule.id]
        assert cases.passes
        assert cases.fails
        assert not cases.boundary[0].words
        assert cases.boundary[1].words
        common = COMPANY_OPTIONS  # every rule has these
        own = {option.name for option in rule.options if option.judged and option not in common}
        assert own == {name for case in cases.configured for name in case.options}
        assert all(case.options for case in cases.configured)


SHORT: dict[str, Any] = {"starts": "2026-05-01", "ticket": "OPS-1"}
"""What an exception has beside the end that matters."""
ALL = [
    pytest.param(rule_id, case, id=f"{rule_id}-{kind}{number}")
    for rule_id, cases in CASES.items()
    for kind in ("passes", "fails", "boundary", "configured")
    for number, case in enumerate(getattr(cases, kind))
]


@pytest.mark.parametrize(("rule_id", "case"), ALL)
def test_each_case(rule_id: str, case: Case) -> None:
    """As many findings as words, each with its words; nothing that could not be judged."""
    try:
        verdict = case.judge(rule_id)
    except NotApplicable:
        assert not case.words
        return
    texts = [finding.text for finding in verdict.findings]
    assert len(texts) == len(case.words), texts
    assert all(words in text for words, text in zip(case.words, texts, strict=True)), texts
    assert not verdict.not_judged


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_options_matter(rule_id: str) -> None:
    """Each configured case comes out otherwise without its options."""
    for case in CASES[rule_id].configured:
        assert texts(replace(case, options={}), rule_id) != texts(case, rule_id)


def texts(case: Case, rule_id: str) -> list[str]:
    """What a rule finds; nothing where it does not apply."""
    try:
        return [finding.text for finding in case.judge(rule_id).findings]
    except NotApplicable:
        return []


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_who_and_how_to_mend(rule: Rule) -> None:
    """A finding about a person names them; every rule says what to do, and what it helps to meet."""
    assert rule.title.endswith(".")
    assert rule.fix
    assert rule.controls
    for case in CASES[rule.id].fails:
        for finding in case.judge(rule.id).findings:
            if finding.entry is not None and finding.entry.text("email") and not rule.id.startswith("exc"):
                assert finding.entry.text("email") in finding.text


def unknown(entry: Entry) -> Entry:
    """The entry with nothing of it known."""
    return replace(entry, values=dict.fromkeys([*entry.values, "exceptions"], UNKNOWN))


NEED_NO_INPUT = {
    *("company-domains-known", "naming", "rosters-apart", "secrets-are-secret", "guards-not-loosened"),
    "review-not-ahead",  # nobody here has been reviewed
    "one-kind",  # nobody here has a kind
    *("dormant-account", "invitation-stale"),  # Mixpanel says it
    *("most-external", "team-in-own-environment"),  # they are few; and no other roster is beside it
    "service-account-contact-left",  # no account has an id
    "no-open-discoverability",  # Mixpanel says it
}
"""What judges the compliant stack by its names, its configuration and its roster."""


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_nothing_is_found_in_unknown_values(rule: Rule) -> None:
    """At preview another resource's output may not be known: no finding, and the rule says what it cannot judge."""
    options = {**rule.defaults, "domains": ["x.example"]}
    context = Context(TODAY, "production", frozenset({"example.com"}), options, EXCEPTABLE)
    entries = [unknown(entry) for entry in COMPLIANT]
    try:
        verdict = rule.judge_stack(Stack(entries, organization_roles=False), context)
    except NotApplicable:
        return
    assert not verdict.findings or rule.id == "naming"  # a name is always known
    assert verdict.not_judged or rule.id in NEED_NO_INPUT
    assert verdict.later or rule.id not in ("dormant-account", "invitation-stale")


def test_an_exception_holds_for_its_rule_person_and_time() -> None:
    """It silences that rule there, and nothing else; after its last day the rule holds again."""
    given = {"rule": "justified", "reason": "r", "approver": "ana@example.com", **SHORT, "ends": "2026-05-04"}
    excepted = grant(justification=None, exceptions=[given])
    assert not Case([excepted]).judge("justified").findings
    assert Case([grant(justification=None, project=2), excepted]).judge("justified").findings[0].text.startswith(ROBIN)
    assert Case([replace(excepted, values={**excepted.values, "role": "admin"})]).judge("admin-has-reason").findings
    late = grant(justification=None, exceptions=[{**given, "ends": "2026-05-03"}])
    assert Case([late]).judge("justified").findings


def test_an_exception_of_the_stack_holds_for_findings_about_the_stack() -> None:
    """The number of owners, for one; a person's own exception holds for findings about them."""
    owner = member("ana@example.com", "owner")
    stack = ExceptionEntry("organization-owners", "One is enough for us", "ana@example.com", "2026-06-01", **SHORT)
    assert not Case([owner], exceptions=[stack]).judge("organization-owners").findings
    alone = grant(
        exceptions=[
            {"rule": "grant-has-member", "reason": "r", "approver": "ana@example.com", **SHORT, "ends": "2026-05-04"}
        ]
    )
    assert not Case([alone]).judge("grant-has-member").findings
    assert Case([alone, grant("x@example.com")]).judge("grant-has-member").findings[0].text.startswith("x@example.com")


OF_NO_PERSON = {
    "service-account-in-one-environment": [account_grant("production"), account_grant("staging", 2)],
    "organization-owners": [member("ana@example.com", "owner")],
}
"""Stacks in which a rule about the stack finds something that is nobody's own."""


@pytest.mark.parametrize("rule_id", OF_NO_PERSON)
def test_an_exception_of_the_stack_holds_for_what_is_no_persons(rule_id: str) -> None:
    """Whatever the resource that it is found in; until its end, and for no other rule."""
    entries, given = OF_NO_PERSON[rule_id], ExceptionEntry(rule_id, "r", "ana@example.com", "2026-05-04", **SHORT)
    assert not Case(entries, exceptions=[given]).judge(rule_id).findings
    for other in (replace(given, ends="2026-05-03"), replace(given, rule="justified")):
        assert len(Case(entries, exceptions=[other]).judge(rule_id).findings) == 1
    (shown,) = Case(entries, exceptions=[given]).judge("exceptions-in-force").findings
    assert shown.text.startswith(f"EXCEPTION from {rule_id} for the stack, until 2026-05-04: r")
    assert not Case(entries, exceptions=[given]).judge("exceptions-count").findings


def test_an_exception_of_the_stack_hides_nothing_about_a_person() -> None:
    """What is somebody's own needs an exception that names them."""
    given = ExceptionEntry("grant-has-member", "r", "ana@example.com", "2026-05-04", **SHORT)
    assert len(Case([grant()], exceptions=[given]).judge("grant-has-member").findings) == 1


def test_no_exception_opens_a_project_to_everybody() -> None:
    """The rule has none: neither a person's nor the stack's."""
    given = [
        {
            "rule": "no-all-users-in-production",
            "reason": "r",
            "approver": "ana@example.com",
            **SHORT,
            "ends": "2026-05-04",
        }
    ]
    stack = [ExceptionEntry("no-all-users-in-production", "r", "ana@example.com", "2026-05-04", **SHORT)]
    case = Case([grant(grant_types=["all_users"], exceptions=given)], exceptions=stack)
    assert [found.entry for found in case.judge("no-all-users-in-production").findings] == [None]
    assert len(case.judge("exceptions-count").findings) == 2


def test_a_resource_of_no_person_has_exceptions_of_its_own() -> None:
    """A program gives them to the resource."""
    given = [
        {
            "rule": "service-account-in-one-environment",
            "reason": "r",
            "approver": "ana@example.com",
            **SHORT,
            "ends": "2026-05-04",
        }
    ]
    last = account_grant("staging", 2)
    excepted = replace(last, values={**last.values, "exceptions": given})
    stack = Case([account_grant("production"), excepted])
    assert not stack.judge("service-account-in-one-environment").findings
    (shown,) = stack.judge("exceptions-in-force").findings
    assert shown.text.startswith("EXCEPTION from service-account-in-one-environment for 2:etl, until 2026-05-04: r")
    assert shown.entry is excepted


def test_exceptions_of_several_resources_are_each_shown() -> None:
    """In the same words too: without an address, each concerns the resource that carries it."""
    given = [{"rule": "justified", "reason": "r", "approver": "ana@example.com", **SHORT, "ends": "2026-05-04"}]
    shown = Case([grant(exceptions=given), team_grant(exceptions=given)]).judge("exceptions-in-force").findings
    assert [finding.text.partition(", until")[0] for finding in shown] == [
        f"EXCEPTION from justified for 1234567:{ROBIN}", "EXCEPTION from justified for 1234567:team/data",
    ]  # fmt: skip


def test_an_exception_cannot_hide_exceptions() -> None:
    """One from the rule that shows them does not count, and they are shown."""
    given = {"reason": "r", "approver": "ana@example.com", **SHORT, "ends": "2026-05-04"}
    sly = [{**given, "rule": rule} for rule in ("exceptions-in-force", "exceptions-count", "justified")]
    shown = Case([grant(justification=None, exceptions=sly)])
    assert len(shown.judge("exceptions-in-force").findings) == 1
    assert len(shown.judge("exceptions-count").findings) == 2


def test_what_is_known_is_judged_beside_what_is_not() -> None:
    """One unknown value takes nothing of what was found before it."""
    open_ended = replace(unknown(grant("y@example.com")), name="later")
    verdict = Case([member(), grant("x@example.com"), open_ended]).judge("grant-has-member")
    assert [finding.text.split()[0] for finding in verdict.findings] == ["x@example.com"]
    assert ["email of later is not known" in finding.text for finding in verdict.not_judged] == [True]


def test_a_rule_that_is_not_there() -> None:
    """The error has what was meant."""
    assert find(" NAMING ").id == "naming"
    with pytest.raises(UsageError, match="did you mean 'justified'"):
        find("justifyed")


def test_a_new_grant_is_not_judged_by_what_it_does_not_have_yet() -> None:
    """Before the update Mixpanel has nothing to say of it: that is advice, of projects one by one."""
    new = grant(grant_types=None, effective_role=None)
    with pytest.raises(NotApplicable, match="the grants do not exist yet"):
        Case([new]).judge("no-redundant-grant")
    assert Case([new]).judge("no-all-users-in-production").later
    for rule_id in ("no-redundant-grant", "no-all-users-in-production"):
        assert not Case([new, grant("x@example.com")]).judge(rule_id).later
    assert not Case([new, grant(project=2)]).judge("no-redundant-grant").later
    (words,) = Case([new, grant(project=2)]).judge("no-all-users-in-production").later
    assert words.startswith("what else gives access in 1234567 is known")
    assert new.type == Type.GRANT


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([UNKNOWN, ROBIN]),
    lambda part: st.lists(part, max_size=2) | st.dictionaries(st.text(max_size=4), part, max_size=2),
    max_leaves=4,
)
FIELDS = sorted({name for entry in COMPLIANT for name in entry.values} | {"exceptions", "reviewed", "service_account"})


@given(
    st.sampled_from(list(Type)),
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
    st.lists(st.dictionaries(st.sampled_from(["rule", "ends", "email", "project", "reason"]), ANYTHING), max_size=2),
)
def test_no_value_makes_a_rule_fail(type_: Type, values: dict[str, object], exceptions: list[object]) -> None:
    """A program of one's own may declare anything: a rule finds something, or nothing, or cannot judge."""
    entries = [Entry(type_, "x", values=values), member(exceptions=exceptions), grant(exceptions=exceptions)]
    for rule in RULES:
        with suppress(NotApplicable):
            Case(entries).judge(rule.id)


PEOPLE = st.lists(st.fixed_dictionaries({"people": ANYTHING, "ticket": ANYTHING}), max_size=2) | st.dictionaries(
    st.sampled_from([ROBIN, "x"]), ANYTHING, max_size=2
)
PARTS = ("people", "grants", "reasons", "project_id", "team_id", "environment", "ticket")
"""Inputs of groups."""


@given(st.sampled_from(list(GROUPS)), st.dictionaries(st.sampled_from(PARTS), PEOPLE | ANYTHING))
def test_no_value_of_a_group_makes_a_rule_fail(type_: str, values: dict[str, object]) -> None:
    """As of single resources."""
    for rule in RULES:
        with suppress(NotApplicable):
            Case(entries_of(type_, "x", "", values)).judge(rule.id)


def test_a_resource_is_named_for_a_message_before_it_is_there() -> None:
    """Where the team's id or the address is not known, by what is known."""
    assert [str(entry) for entry in (team_grant("admin", UNKNOWN), team_member(team_id=UNKNOWN))] == [
        "1234567:team/data as admin in project 1234567",
        "robin@agency.example.org in team/data:robin@agency.example.org",
    ]
    assert (
        str(unknown(grant(role="owner")))
        == "(email not known yet) as (role not known yet) in project (project_id not known yet)"
    )
