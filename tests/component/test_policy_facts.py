"""What the roster's component says to policies beside its resources."""

from __future__ import annotations

import pulumi

from mixpanel_access.component.policy_facts import policy_facts
from mixpanel_access.model.roster_reading import Source, parse

TEXT = """\
environment: production
projects: { shop: { id: 7, environment: production } }
people:
  - email: Robin@agency.example.org
exceptions:
  - rule: longest-duration
    email: robin@AGENCY.example.org
    project: shop
    reason: r
    approver: ana@example.com
    ends: 2026-05-31

  - { rule: organization-owners, reason: r, approver: ana@example.com, ends: 2026-05-31 }
"""


def facts(config: dict[str, str], secret: list[str], text: str = TEXT) -> dict[str, object]:
    """What is said with this configuration of the stack."""
    pulumi.runtime.set_all_config(config, secret)
    try:
        return policy_facts(parse(text, Source("production.yaml")), "production.yaml", text)
    finally:
        pulumi.runtime.set_all_config({}, [])


def test_each_exception_has_its_line() -> None:
    """Under the words by which the policies name it."""
    assert facts({}, []) == {
        "exception_places": {
            "longest-duration for robin@AGENCY.example.org in project 7": "production.yaml:6",
            "organization-owners for the stack": "production.yaml:13",
        }
    }


def test_secrets_in_plain_text_are_named() -> None:
    """Not their values; one that is encrypted or comes from the environment is fine."""
    plain, token = "mixpanel:serviceAccountSecret", "mixpanel:scimToken"
    text = TEXT.partition("exceptions:")[0]
    assert facts({plain: "x", token: "y"}, [token], text) == {"plain_secrets": ["serviceAccountSecret"]}
    assert facts({plain: "x", token: "y"}, [plain, token], text) == {}
    assert facts({}, [], text) == {}
