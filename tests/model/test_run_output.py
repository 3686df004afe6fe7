"""What a run changed, read from what it printed."""

from __future__ import annotations

import pytest

from mixpanel_access.model.run_output import changes_in

STEP = """\
        + pulumi-python:dynamic/mixpanel:Member: (create)
            [urn=urn:pulumi:production::p::mixpanel:index:RosterAccess$pulumi-python:dynamic/mixpanel:Member::bo@example.com]
            email: "bo@example.com"
        ~ pulumi-python:dynamic/mixpanel:ProjectGrant: (update)
            [id=7654321:1:bo@example.com]
            [urn=urn:pulumi:production::p::pulumi-python:dynamic/mixpanel:ProjectGrant::1:bo@example.com]
          ~ role: "analyst" => "admin"
"""
DIFF = f"Previewing update (production):\n{STEP.replace('bo@', 'planned@')}Updating (production):\n{STEP}Resources:\n"
SHORT = """\
Updating (production):
 +  pulumi:pulumi:Stack p-production creating (0s)
 +  pulumi-python:dynamic/mixpanel:Member bo@example.com creating (0s)
 +  pulumi-python:dynamic/mixpanel:Member bo@example.com created (0.1s)
 -  pulumi-python:dynamic/mixpanel:ProjectGrant 1:cy@example.com deleted (0.1s)
"""
REVOKE = """\
stack       who             what                                ended       result
production  bo@example.com  the membership in the organization  2026-05-03  taken away
production  cy@example.com  admin in shop                       2026-05-03  STAYS: the brake stops it

1 thing taken away; 1 thing left, with the reasons above.
"""
OUTPUTS = {
    "a diff: what was done, and not what was planned": (
        DIFF,
        ["create Member bo@example.com", "update ProjectGrant 1:bo@example.com"],
    ),
    "lines: what is done, and not what begins": (
        SHORT,
        ["create Member bo@example.com", "delete ProjectGrant 1:cy@example.com"],
    ),
    "a revocation: what is gone, and what stays": (
        REVOKE,
        [
            "production bo@example.com the membership in the organization 2026-05-03: taken away",
            "production cy@example.com admin in shop 2026-05-03: STAYS: the brake stops it",
        ],
    ),
    "a preview alone": (DIFF.partition("Updating")[0], []),
    "an error": ("error: the stack is currently locked\n", []),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("output", "changes"), OUTPUTS.values(), ids=OUTPUTS)
def test_the_changes_of_a_run(output: str, changes: list[str]) -> None:
    """Each change is one line, and no value of a property is in it."""
    assert changes_in(output) == changes
