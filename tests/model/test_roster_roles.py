"""Custom roles and security settings in a roster: what it says, what it declares, and where it is wrong."""

from __future__ import annotations

from datetime import date

import pytest

from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roles import declared_role, is_custom, is_project_role
from mixpanel_access.model.roster.reading import RosterSource, parse

TODAY = date(2026, 5, 4)
COMPLIANT = """\
environment: production
organizationRoles: true
projects:
  shop: { id: 1234567, environment: production }
  warehouse: { id: 1234568, environment: production }
customRoles:
  Support-Desk: { name: Support desk, project: shop, permissions: [share, export, share], description: Answers }
  data: { name: Data, project: warehouse }
security:
  twoFactorRequired: true
  requestAccess: { mode: ask }
people:
  - { email: bo@example.com, projects: { shop: support-desk, warehouse: Data } }
  - { email: cy@example.com, projects: { shop: analyst } }
serviceAccounts:
  etl: { role: consumer, projects: { warehouse: data } }
teams:
  desk: { name: Desk, standard: audit, projects: { shop: Support-Desk, warehouse: } }
"""


def test_what_a_roster_declares() -> None:
    """A role by its key, in any case and spelling; the grants have the word for it, accounts' and teams' too."""
    declared = declaration(parse(COMPLIANT, RosterSource("r")), TODAY)
    assert declared.custom_roles == {
        "Support-Desk": {
            "project_id": 1234567, "name": "Support desk", "description": "Answers",
            "permissions": ["export", "share"], "environment": "production",
        },
        "data": {
            "project_id": 1234568, "name": "Data", "description": "", "permissions": [], "environment": "production",
        },
    }  # fmt: skip
    roles = {place: inputs["role"] for place, inputs in declared.grants.items()}
    assert roles == {
        (1234567, "bo@example.com"): "custom:support_desk",
        (1234568, "bo@example.com"): "custom:data",
        (1234567, "cy@example.com"): "analyst",
    }
    assert declared.account_grants[1234568, "etl"]["role"] == "custom:data"
    assert declared.team_grants[1234567, "desk"]["role"] == "custom:support_desk"
    assert declared.team_grants[1234568, "desk"]["role"] == "consumer"
    assert declared.security == {"two_factor_required": True, "request_access": {"mode": "ask"}}


def test_a_project_as_a_whole_declares_the_same() -> None:
    """By the word for the role too."""
    declared = declaration(
        parse(COMPLIANT.replace("true\n", "true\nauthoritative: true\n", 1), RosterSource("r")), TODAY
    )
    assert declared.project_access[1234567]["grants"] == {
        "bo@example.com": "custom:support_desk",
        "cy@example.com": "analyst",
    }


def test_security_that_says_nothing_is_read_only() -> None:
    """Its facts are outputs all the same; without it, nothing is declared."""
    empty = COMPLIANT.replace("  twoFactorRequired: true\n  requestAccess: { mode: ask }\n", "  {}\n")
    assert declaration(parse(empty, RosterSource("r")), TODAY).security == {}
    none = COMPLIANT.replace("  twoFactorRequired: true\n  requestAccess: { mode: ask }\n", "")
    assert declaration(parse(none, RosterSource("r")), TODAY).security is None


def test_the_word_for_a_role_is_a_custom_role_and_no_role_of_mixpanels() -> None:
    """What judges roles takes it for a custom one; what is sent has its id."""
    word = declared_role("Support-Desk")
    assert (is_custom(word), is_project_role(word)) == (True, False)


SIX = "\n" + "\n".join(f"  r{number}: {{ name: R{number}, project: warehouse }}" for number in range(5))
WRONG: dict[str, tuple[str, str, int, str]] = {
    "a key that every project has": ("  data: {", "  Admin: {", 8, "'Admin' can be no custom role's key"),
    "an id as a key": (
        "  data: {", "  5b0c0c3e-0000-4000-8000-000000000001: {", 8, "can be no custom role's key",
    ),
    "two keys alike": ("  data: {", "  support desk: {", 8, "support desk and Support-Desk are the same"),
    "a name that every project has": ("name: Data", "name: Owner", 8, "data: 'Owner' is a role that every project has"),
    "a blank name": ("name: Data", "name: ' '", 8, "data: ' ' cannot be the name of a custom role"),
    "no name": ("{ name: Data, project", "{ project", 8, "'name' is missing"),
    "no project": ("{ name: Data, project: warehouse }", "{ name: Data }", 8, "'project' is missing"),
    "an unknown project": ("project: warehouse", "project: warehose", 8, "data: 'warehose' is not a project of this"),
    "one name twice": (
        "name: Data, project: warehouse", "name: SUPPORT DESK, project: shop", 8,
        "data: Support-Desk is a custom role SUPPORT DESK of project shop already",
    ),
    "a blank permission": ("export, share]", "export, ' ']", 7, "Support-Desk: ' ' is not a permission"),
    "an unknown key": ("permissions:", "permission:", 7, "'permission' is unknown here (did you mean 'permissions'?)"),
    "more than five": (
        "  data: { name: Data, project: warehouse }", "  data: { name: Data, project: warehouse }" + SIX, 13,
        "r4: a project has at most 5 custom roles, and warehouse has 6 here",
    ),
    "a role of another project": (
        "warehouse: Data", "warehouse: support-desk", 13,
        "bo@example.com: Support-Desk is a custom role of project shop, and not of warehouse",
    ),
    "a role that nobody makes": (
        "shop: support-desk", "shop: suport-desk", 13,
        "is not a project role (did you mean 'support_desk'?); there are owner, admin, analyst, consumer, support_desk",
    ),
    "our own word for a role": (
        "shop: support-desk", "shop: 'custom:bogus'", 13, "bo@example.com: 'custom:bogus' is not a project role",
    ),
    "an account's role": ("warehouse: data }", "warehouse: dada }", 16, "etl: 'dada' is not a project role"),
    "security elsewhere": ("organizationRoles: true\n", "", 8, "only the one roster with organizationRoles: true"),
    "no truth": ("Required: true", "Required: maybe", 10, "twoFactorRequired: 'maybe' cannot be used"),
    "a setting without a value": ("mode: ask", "mode: null", 11, "mode has no value"),
    "a team's role that nobody makes": (
        "shop: Support-Desk,", "shop: Suport-Desk,", 18, "team desk: 'suport_desk' is not a project role (did you mean",
    ),
    "a team's role of another project": (
        "shop: Support-Desk,", "shop: data,", 18,
        "team desk: data is a custom role of project warehouse, and not of shop",
    ),
    "a setting that cannot be sent": ("mode: ask", "mode: 2026-01-01", 11, "mode: 2026-01-01 cannot be sent"),
    "sessions": ("requestAccess:", "sessionTimeout:", 11, "'sessionTimeout' is unknown here"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "line", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_with_its_line(before: str, after: str, line: int, words: str) -> None:
    """Before anything is asked of Mixpanel."""
    assert before in COMPLIANT
    with pytest.raises(RosterError) as refused:
        parse(COMPLIANT.replace(before, after, 1), RosterSource("production.yaml"))
    assert f"production.yaml:{line}: " in str(refused.value)
    assert words in str(refused.value)


def test_five_are_allowed() -> None:
    """In each project."""
    four = "\n".join(SIX.splitlines()[:-1])
    text = COMPLIANT.replace("project: warehouse }", "project: warehouse }" + four, 1)
    assert len(parse(text, RosterSource("r")).custom_roles) == 6


def test_two_custom_roles_of_one_person_in_one_project_are_refused() -> None:
    """Nobody can tell which is higher."""
    text = COMPLIANT.replace("project: warehouse }", "project: shop }").replace("warehouse: data", "shop: data")
    text = text.replace(", warehouse: Data }", " }") + "engagements:\n  more: {}\n"
    again = "  - { email: bo@example.com, engagement: more, projects: { shop: data } }\n"
    text = text.replace("  - { email: cy@", f"{again}  - {{ email: cy@")
    with pytest.raises(RosterError, match="nobody can tell which is higher, custom:data or custom:support_desk"):
        parse(text, RosterSource("r"))
