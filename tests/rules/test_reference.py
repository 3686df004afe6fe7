"""What is told of the rules is what they are."""

from __future__ import annotations

import json
import re

import pytest

from demo.sandbox import ROOT
from mixpanel_access.model.engagements import STANDARD_ROLES
from mixpanel_access.model.errors import UsageError
from mixpanel_access.rules.catalogue import RULE_IDS, RULES, reference
from tests.cli.typed import typed


def test_the_page_is_made_of_the_rules() -> None:
    """`make reference` was run after the last change."""
    assert (ROOT / "docs" / "rules.md").read_text() == reference()


def test_the_standard_roles_are_documented() -> None:
    """Each type with its row."""
    page = (ROOT / "docs" / "policies.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \| (\w+) \| (\d+) \|$", page, re.MULTILINE)
    assert [(kind, org, production, elsewhere, int(days)) for kind, org, production, elsewhere, days in rows] == [
        (kind, one.organization, one.production, one.elsewhere, one.longest_days)
        for kind, one in STANDARD_ROLES.items()
    ]


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_explain(rule: object) -> None:
    """In words and as JSON."""
    assert hasattr(rule, "id")
    shown = typed("policy", "explain", rule.id)
    assert (shown.code, shown.err) == (0, "")
    assert rule.id in shown.out
    document = json.loads(typed("policy", "explain", rule.id, "--json").out)
    assert document["id"] == rule.id
    assert document["fix"] in shown.out


def test_list_and_unknown() -> None:
    """All rules; a rule that is not there is one of our errors."""
    assert len(json.loads(typed("policy", "list", "--json").out)) == len(RULES)
    lines = typed("policy", "list").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(RULE_IDS)
    assert typed("policy", "explain", "x").code == UsageError.exit_code
