"""Ways round the rules about service accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from mixpanel_access.rules.entry import Entry, Type
from mixpanel_access.rules.facts import Stack
from tests.rules.ways_round.table import AROUND, Way, roster

ETL: Final[dict[str, Any]] = {
    "role": "consumer",
    "purpose": "Loads the events of the shop",
    "contact": "ana@example.com",
    "ticket": "OPS-12",
    "approver": "omar@example.com",
    "expires": "2026-12-31",
    "projects": {"shop": "admin"},
}
STAGING: Final = replace(AROUND, environment="staging")


def robots(**changes: dict[str, Any]) -> dict[str, Any]:
    """A roster with service accounts, each like `ETL` but for its changes; None takes a field away."""
    accounts = {
        name: {key: value for key, value in {**ETL, **given}.items() if value is not None}
        for name, given in changes.items()
    }
    return roster(serviceAccounts=accounts)


def in_staging(**account: Any) -> dict[str, Any]:
    """The same robot in a roster of staging."""
    return {
        **robots(etl={"projects": {"shop": "analyst"}, **account}),
        "environment": "staging",
        "organizationRoles": False,
        "projects": {"shop": {"id": 2345678, "environment": "staging"}},
        "people": [{"email": "ana@example.com", "projects": {"shop": "analyst"}, "justification": "Keeps the robot"}],
        "engagements": {},
    }


def program(*grants: dict[str, Any], **account: Any) -> Stack:
    """A program's account and its grants, as the engine shows them at preview."""
    given = {"username": "etl", "role": "consumer", "justification": "Loads events", "sponsor": "ana@example.com"}
    made = Entry(Type.SERVICE_ACCOUNT, "etl", "urn:etl", {"account_id": 5, **given, **account})
    held = [
        Entry(
            Type.SERVICE_ACCOUNT_GRANT,
            f"grant{number}",
            f"urn:grant{number}",
            {"service_account_id": 5, "project_id": 1234567, "role": "analyst", "environment": "production", **one},
        )
        for number, one in enumerate(grants)
    ]
    return Stack([made, *held], organization_roles=True)


FINE: Final = robots(etl={})
ROBIN: Final = "robin@agency.example.org"
ANA: Final = "ana@example.com"
WAYS: Final[dict[str, Way]] = {
    "a robot without a purpose": Way("service-account-owned", robots(etl={"purpose": None}), FINE),
    "a robot whose purpose is blank": Way("service-account-owned", robots(etl={"purpose": "  "}), FINE),
    "a robot that nobody answers for": Way("service-account-owned", robots(etl={"contact": None}), FINE),
    "a robot of a shared mailbox": Way("service-account-owned", robots(etl={"contact": "team@example.com"}), FINE),
    "a robot of somebody outside": Way("service-account-owned", robots(etl={"contact": ROBIN}), FINE),
    "a robot of a subdomain": Way("service-account-owned", robots(etl={"contact": "ana@lab.example.com"}), FINE),
    "a robot of an external with a company address": Way(
        "service-account-owned", robots(etl={"contact": "ext-robin@example.com"}), FINE
    ),
    "a robot of somebody who has left": Way(
        "service-account-contact-known",
        robots(etl={"contact": "gone@example.com"}),
        robots(etl={"contact": "Ana+robots@Example.com"}),
    ),
    "a robot of a contractor with a company address": Way(
        "service-account-contact-known",
        {**FINE, "people": [*FINE["people"][1:], {**FINE["people"][0], "kind": "contractor"}]},
        FINE,
    ),
    "an admin robot without an approver": Way(
        "service-account-approved", robots(etl={"role": "admin", "approver": None}), robots(etl={"role": "admin"})
    ),
    "a project's admin robot without an approver": Way(
        "service-account-approved", robots(etl={"approver": None}), FINE
    ),
    "a robot whose contact approves it": Way("service-account-approved", robots(etl={"approver": ANA}), FINE),
    "a robot whose contact approves it with a tag": Way(
        "service-account-approved", robots(etl={"role": "admin", "approver": "Ana+ok@EXAMPLE.com"}), FINE
    ),
    "a robot that somebody outside approves": Way(
        "service-account-approved", robots(etl={"approver": "boss@agency.example.org"}), FINE
    ),
    "a robot that a shared mailbox approves": Way(
        "service-account-approved", robots(etl={"approver": "security@example.com"}), FINE
    ),
    "a robot approved by who may not": Way(
        "service-account-approved",
        FINE,
        robots(etl={"approver": "ivy@example.com"}),
        replace(AROUND, approvers=frozenset({"ivy@example.com"})),
    ),
    "a grant of a program without the account's reasons": Way(
        "service-account-approved",
        program({"role": "owner"}, approver="omar@example.com"),
        program({"role": "owner", "justification": "Moves data", "approver": "omar@example.com"}),
    ),
    "a robot in production without a ticket": Way("service-account-has-paperwork", robots(etl={"ticket": None}), FINE),
    "two admin robots": Way(
        "service-accounts-privileged",
        robots(etl={"role": "admin"}, deploy={"role": "admin"}),
        robots(etl={"role": "admin"}, deploy={"role": "analyst"}),
    ),
    "an admin robot and one that owns a project": Way(
        "service-accounts-privileged",
        robots(etl={"role": "admin"}, deploy={"projects": {"shop": "owner"}}),
        robots(etl={"role": "admin", "projects": {"shop": "owner"}}, deploy={}),
    ),
    "a robot that was made admin in the product": Way(
        "service-accounts-privileged",
        replace(program(organization_role="admin"), organization_roles=False),
        replace(program(organization_role="consumer"), organization_roles=False),
    ),
    "staging's admin robot, which reaches production": Way(
        "service-account-own-environment", in_staging(role="admin"), in_staging(role="analyst"), STAGING
    ),
    "staging's admin robot with an exception": Way(
        "service-account-own-environment",
        {
            **in_staging(role="admin"),
            "exceptions": [
                {
                    "rule": "service-account-own-environment",
                    "reason": "Only for a week",
                    "approver": "ana@example.com",
                    "ticket": "OPS-13",
                    "starts": "2026-05-04",
                    "ends": "2026-05-10",
                }
            ],
        },
        in_staging(role="consumer"),
        STAGING,
    ),
    "an admin robot in a stack without an environment": Way(
        "service-account-own-environment",
        program(role="admin"),
        program(role="analyst"),
        replace(AROUND, environment=None),
    ),
    "a program's robot in a project of production": Way(
        "service-account-own-environment", program({}), program({"environment": "staging"}), STAGING
    ),
    "a robot's grant that does not say where": Way(
        "service-account-own-environment", program({"environment": ""}), program({})
    ),
    "a grant for a robot that was made by hand": Way(
        "service-account-declared", program({"service_account_id": 99}), program({"service_account_id": "5"})
    ),
    "a robot without an end": Way("service-account-expires", robots(etl={"expires": None}), FINE),
    "a robot for ten years": Way("service-account-expires", robots(etl={"expires": "2036-05-04"}), FINE),
}
