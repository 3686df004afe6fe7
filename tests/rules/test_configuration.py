"""The configuration of the policies, held against what the rules take."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from mixpanel_access.rules.catalogue import RULE_IDS, RULES
from mixpanel_access.rules.configuration import problems_of, problems_with
from mixpanel_access.rules.rule import ADDRESS, COMPANY_DOMAIN, DOMAIN, PATTERN, Option, Rule
from tests.rules.cases import CASES

DAYS = "longest-duration"
WRONG: dict[str, tuple[Any, list[str]]] = {
    "no-object": ([], ["it is not an object of rules"]),
    "rule": ({"longst-duration": "advisory"}, ["no rule 'longst-duration' (did you mean 'longest-duration'?)"]),
    "case": ({"Naming": {}}, ["no rule 'Naming' (did you mean 'naming'?)"]),
    "level": (
        {DAYS: "mandatry"},
        [f"{DAYS}: 'mandatry' is not a level (did you mean 'mandatory'?); there are d"],
    ),
    "level-of-all": ({"all": "never"}, ["all: 'never' is not a level"]),
    "remediate": (
        {DAYS: "remediate"},
        [f"{DAYS}: the level 'remediate' is refused: no rule changes access"],
    ),
    "remediate-all": (
        {DAYS: "remediate", "all": "remediate", "naming": {"enforcementLevel": "remediate"}},
        ["all: the level 'remediate' is refused"],
    ),
    "same-for-two": ({DAYS: "never", "naming": "never"}, [f"{DAYS}, naming: 'never' is not a level"]),
    "level-inside": ({DAYS: {"enforcementLevel": None}}, [f"{DAYS}: 'null' is not a level"]),
    "entry": ({DAYS: 7, "naming": None}, [f"{DAYS}: 7 is neither a level nor", "naming: null is neither a level nor"]),
    "option": (
        {DAYS: {"dayz": 6}},
        [f"{DAYS}: 'dayz' is not an option of it (did you mean 'days'?); there are days, totalDays, st"],
    ),
    "no-options": ({"grant-has-member": {"days": 6}}, ["'days' is not an option of it; there are none"]),
    "option-of-all": ({"all": {"days": 6}}, ["all: 'days' is not an option of it; there are none"]),
    "text-for-number": ({DAYS: {"days": "60"}}, [f'{DAYS}: days: "60" is not a whole number']),
    "truth-for-number": ({DAYS: {"days": True}}, ["days: true is not a whole number"]),
    "half": ({DAYS: {"days": 1.5}}, ["days: 1.5 is not a whole number"]),
    "null": ({DAYS: {"days": None}}, ["days: null is not a whole number"]),
    "minimum": ({DAYS: {"days": 0}}, ["days: 0 is less than 1"]),
    "more days than dates have": ({DAYS: {"days": 10**9}}, ["days: 1000000000 is more than 100000"]),
    "text-for-list": ({"domain-allowed": {"domains": "a.example"}}, ['domains: "a.example" is not a list']),
    "number-in-list": ({"domain-allowed": {"domains": ["a.example", 1]}}, ["domains.1: 1 is not a text"]),
    "enum": ({"justified": {"lowest": "analist"}}, ["lowest: 'analist' is not a choice (did you mean 'analyst'?)"]),
    "pattern": (
        {"metadata-well-formed": {"ticket": "["}},
        ["ticket: '[' is not a pattern (unterminated character set"],
    ),
    "huge-pattern": ({"naming": {"teams": "a{99999999999}"}}, ["teams: 'a{99999999999}' is not a pattern ("]),
    "pattern-in-list": ({"custom-role-permissions": {"denied": ["("]}}, ["denied.0: '(' is not a pattern"]),
    "domain": (
        {"domain-allowed": {"domains": ["@A.example", "kim@a.example"]}},
        ["domain-allowed: domains.1: 'kim@a.example' is not an e-mail domain like example.com; write a.example"],
    ),
    "address": (
        {"company-domains-known": {"approvers": ["ana@example.com", "omar"]}},
        ["company-domains-known: approvers.1: 'omar' is not an e-mail address ("],
    ),
    "no-company": (
        {"company-domains-known": {"domains": ["example.com", "co.uk"]}},
        ["company-domains-known: domains.1: co.uk is a public suffix"],
    ),
    "neither true nor false": (
        {"second-factor-required": {"declared": 0}},
        ["second-factor-required: declared: 0 is not true or false"],
    ),
    "no-row": ({DAYS: {"standards": {"audit": 7}}}, ["standards.audit: 7 is not an object"]),
    "row-part": (
        {DAYS: {"standards": {"audit": {"longest_dayz": 7}}}},
        ["standards.audit: 'longest_dayz' is not a part of it (did you mean 'longest_days'?)"],
    ),
    "row-value": (
        {DAYS: {"standards": {"audit": {"longest_days": "x", "production": "boss"}}}},
        [
            'standards.audit.longest_days: "x" is not a whole number',
            "standards.audit.production: 'boss' is not a choice",
        ],
    ),
}


@pytest.mark.parametrize(("document", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(document: Any, words: list[str]) -> None:
    """All of it, each with its place and what may have been meant."""
    problems = list(problems_of(document))
    assert len(problems) == len(words), problems
    assert all(part in problem for part, problem in zip(words, problems, strict=True)), problems


def test_what_is_right_has_no_problem() -> None:
    """Levels, options, one level for all, and the engine's own entry beside the rules."""
    good: dict[str, Any] = {"all": "advisory", "environments": ["ours/settings"], DAYS: {"days": 60.0}, "naming": {}}
    good["role-within-standard"] = {"enforcementLevel": "disabled", "standards": {"juggling": {"elsewhere": "admin"}}}
    assert list(problems_of(good)) == []


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_the_defaults_and_the_cases_fit(rule: Rule) -> None:
    """Else a rule would refuse what it comes with."""
    for options in (rule.defaults, *(case.options for case in CASES[rule.id].configured)):
        assert list(problems_with(rule, options)) == []


OPTIONS = [pytest.param(rule, option, id=f"{rule.id}-{option.name}") for rule in RULES for option in rule.options]
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 2.0, 2.5, "", "admin", "[", [], ["a"], [1], ["["], {}, {"x": {}}, {"x": 1},
    {"x": {"organization": "owner"}}, {"x": {"organization": "analyst"}}, {"x": {"longest_days": 0}}, {"x": {"y": 1}},
)  # fmt: skip


@pytest.mark.parametrize(("rule", "option"), OPTIONS)
def test_it_is_as_strict_as_the_schema_and_the_patterns(rule: Rule, option: Option) -> None:
    """The engine holds the same schemas against the options, by a library of its own."""
    validator = Draft7Validator(dict(option.schema))
    form = option.schema.get("format", option.schema.get("items", {}).get("format"))
    refused = {
        ADDRESS: (["a"], ["["]),
        COMPANY_DOMAIN: (["a"], ["["]),
        PATTERN: ("[", ["["]),
        DOMAIN: ("a", ["a"], "[", ["["]),
    }.get(form, ())
    for value in VALUES:
        try:
            validator.validate(value)
            fits = value not in refused
        except ValidationError:
            fits = False
        assert (not list(problems_with(rule, {option.name: value}))) is fits, value
