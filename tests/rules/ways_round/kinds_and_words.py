"""Ways round the rules about externals by what only one place says, and round words that they look for."""

from __future__ import annotations

from typing import Any, Final

from mixpanel_access.rules.entry import Entry, Type
from mixpanel_access.rules.facts import Stack
from tests.rules.ways_round.apart import production
from tests.rules.ways_round.externals import COLLEAGUE, kim, robin, with_role
from tests.rules.ways_round.table import Way

KIM: Final = "kim@example.com"
METADATA: Final = {"engagement": "funnels", "engagement_type": "implementation", "ends": "2026-06-15"}


def program(member: dict[str, Any], grant: dict[str, Any]) -> Stack:
    """A program that declares Kim as a member, with a grant."""
    told = {"project_id": 1234567, "role": "admin", "environment": "production"}
    return Stack(
        [
            Entry(Type.MEMBER, "kim", "urn:kim", {"email": KIM, **METADATA, **member}),
            Entry(Type.GRANT, "kim-shop", "urn:kim-shop", {"email": KIM, **METADATA, **told, **grant}),
        ]
    )


def in_staging(kind: str) -> Stack:
    """Kim as a colleague in production, beside what staging says of the same person."""
    person = {"email": KIM, "kind": kind, "engagement": "tracking", "projects": {"shop": "admin"}}
    return production({"people": [person]}, people=[COLLEAGUE])


def shown(email: str, **values: Any) -> Stack:
    """A member whose organization role Mixpanel shows."""
    return Stack([Entry(Type.MEMBER, email, f"urn:{email}", {"email": email, "organization_role": "admin", **values})])


WAYS: Final[dict[str, Way]] = {
    "a kind that only the member of a program has": Way(
        "one-kind", program({"kind": "contractor"}, {}), program({"kind": "employee"}, {})
    ),
    "a kind that the grant of a program contradicts": Way(
        "one-kind",
        program({"kind": "agency"}, {"kind": "employee"}),
        program({"kind": "agency"}, {"kind": "contractor"}),
    ),
    "a contractor of staging as an employee in production": Way(
        "one-kind", in_staging("contractor"), in_staging("employee")
    ),
    "an external whom somebody made an admin in the product": Way(
        "external-not-privileged",
        shown("robin@agency.example.org"),
        shown("robin@agency.example.org", role="member"),
    ),
    "an external's custom role that changes who is in the project": Way(
        "external-within-limit", with_role(["edit_project_members"]), with_role(["view_project_members"])
    ),
    "an external's custom role that assigns roles": Way(
        "external-within-limit", with_role(["assign_roles"]), with_role(["export_reports_csv"])
    ),
    "an external's custom role for single sign-on": Way(
        "external-within-limit", with_role(["edit_sso"]), with_role(["edit_cohorts"])
    ),
    "an external's custom role that purges": Way(
        "external-within-limit", with_role(["purge_data"]), with_role(["create_reports"])
    ),
    "an external with a number behind the mark": Way(
        "external-access-ends", kim(email="kim.ext2@example.com"), kim(email="kim.2@example.com")
    ),
    "an external with another word before the @": Way(
        "external-access-ends", kim(email="kim.consultant@example.com"), kim(email="kim.consul@example.com")
    ),
    "a mailbox named after the product": Way(
        "no-shared-mailbox", robin(email="mixpanel@agency.example.org"), robin(email="jo.mixpanel@agency.example.org")
    ),
    "a mailbox of a function with two words": Way(
        "no-shared-mailbox", robin(email="data.science@agency.example.org"), robin(email="data.jo@agency.example.org")
    ),
    "an external with another dash": Way(
        "external-access-ends", kim(email="ext\u2010kim@example.com"), kim(email="kim\u2010exton@example.com")
    ),
    "an external behind a plus sign": Way(
        "external-access-ends", kim(email="+ext-kim@example.com"), kim(email="+kim@example.com")
    ),
    "a role in a program in capital letters": Way(
        "external-within-limit",
        program({"kind": "contractor"}, {"kind": "contractor", "role": "Admin"}),
        program({"kind": "contractor"}, {"kind": "contractor", "role": "Analyst"}),
    ),
    "a relay of mail": Way("no-consumer-mail", robin(email="x7@privaterelay.appleid.com"), robin()),
}
