"""Ways round the rules by the settings of a stack, whose file many can change: the pack's options win over them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.rules.ways_round.table import AROUND, ENGAGEMENT, ROBIN, Way, roster

PACK: Final = {"domains": ["Example.com"], "approvers": ["ana@example.com", "omar@example.com", "ivy@example.com"]}
AGENCY: Final = replace(AROUND, company_domains=frozenset({"example.com", "agency.example.org"}))
"""A stack that calls the agency the company's own."""
NOBODY: Final = replace(AROUND, company_domains=frozenset())
"""A stack that does not say who is of the company."""


def robin(**changes: Any) -> dict[str, Any]:
    """The roster with a collaborator, but for some of their entry."""
    return roster(people=[{**ROBIN, **changes}])


def engaged(**changes: Any) -> dict[str, Any]:
    """The roster, but for some of the engagement; None takes a field away."""
    values = {**ENGAGEMENT, **changes}
    return roster(engagements={"funnels": {key: value for key, value in values.items() if value is not None}})


WAYS: Final[dict[str, Way]] = {
    "the agency's domain among the stack's, and an admin of theirs": Way(
        "external-not-privileged", robin(organizationRole="admin"), roster(), AGENCY, pack=PACK
    ),
    "the agency's domain among the stack's, and no end": Way(
        "external-access-ends", engaged(starts=None, ends=None), roster(), AGENCY, pack=PACK
    ),
    "the agency's domain among the stack's, and a project to own": Way(
        "collaborator-not-project-owner", robin(projects={"shop": "owner"}), roster(), AGENCY, pack=PACK
    ),
    "no domains in the stack, and an admin of the agency": Way(
        "external-not-privileged", robin(organizationRole="admin"), roster(), NOBODY, pack=PACK
    ),
    "no domains in the stack, and access for years": Way(
        "longest-duration", engaged(ends="2030-12-31"), roster(), NOBODY, pack=PACK
    ),
    "an approver of the agency, whom the stack calls the company's": Way(
        "approver-is-another", engaged(approver="sam@agency.example.org"), roster(), AGENCY, pack=PACK
    ),
    "an approver whom the stack lets approve, and the pack does not": Way(
        "approver-is-another",
        engaged(approver="lee@example.com"),
        roster(),
        replace(AROUND, approvers=frozenset({"lee@example.com", "ana@example.com"})),
        pack=PACK,
    ),
    "a contractor whose address the pack knows and the stack does not": Way(
        "external-not-privileged",
        robin(email="c.robin@example.com", organizationRole="admin"),
        robin(email="robin@example.com", organizationRole="member"),
        pack={**PACK, "externalNames": ["c.*"]},
    ),
}
