"""What the roster's component says to policies beside its resources."""

from __future__ import annotations

import json

import pulumi
import pytest

from mixpanel_access.component.roster_access import policy_facts
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.yaml_text import load

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
        return policy_facts(parse(text, RosterSource("production.yaml")), "production.yaml", text)
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


PLACES = {
    "below people": (TEXT, ["production.yaml:6", "production.yaml:13"]),
    "above people": (
        f"exceptions:{TEXT.partition('exceptions:')[2]}{TEXT.partition('exceptions:')[0]}",
        ["production.yaml:2", "production.yaml:9"],
    ),
    "in one line": (json.dumps(load(TEXT), default=str), ["production.yaml:1"] * 2),
    "with an alias": (
        TEXT.replace("- email:", "- email: &x").replace("email: robin@AGENCY.example.org", "email: *x"),
        ["production.yaml:6", "production.yaml:13"],
    ),
    "with a comment that looks like a key": (
        f"# exceptions: none\n{TEXT}",
        ["production.yaml:7", "production.yaml:14"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), PLACES.values(), ids=PLACES)
def test_the_lines_are_those_of_the_file(text: str, expected: list[str]) -> None:
    """Wherever the exceptions stand in it."""
    places = facts({}, [], text)["exception_places"]
    assert isinstance(places, dict)
    assert list(places.values()) == expected


def test_secrets_in_plain_text_are_named() -> None:
    """Not their values; one that is encrypted or comes from the environment is fine."""
    plain, token = "mixpanel:serviceAccountSecret", "mixpanel:scimToken"
    text = TEXT.partition("exceptions:")[0]
    assert facts({plain: "x", token: "y"}, [token], text) == {"plain_secrets": ["serviceAccountSecret"]}
    assert facts({plain: "x", token: "y"}, [plain, token], text) == {}
    assert facts({}, [], text) == {}
