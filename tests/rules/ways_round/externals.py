"""Ways round the rules about people from outside: to look like a colleague, or to have what only colleagues have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.rules.ways_round.table import AROUND, ENGAGEMENT, ROBIN, Way, roster

COLLEAGUE: Final = {
    "email": "kim@example.com",
    "organizationRole": "member",
    "ticket": "OPS-1",
    "approver": "ana@example.com",
    "justification": "Builds the shop",
    "projects": {"shop": "analyst"},
}
"""An employee, without a statement of work and without an end."""


def kim(**changes: Any) -> dict[str, Any]:
    """The roster with an employee, but for some of their entry; None takes a field away."""
    values = {**COLLEAGUE, **changes}
    return roster(people=[{key: value for key, value in values.items() if value is not None}])


def robin(**changes: Any) -> dict[str, Any]:
    """The roster with a collaborator, but for some of their entry."""
    return roster(people=[{**ROBIN, **changes}])


def admin(name: str, approver: str) -> dict[str, Any]:
    """An entry of an organization admin."""
    return {
        **COLLEAGUE,
        "email": f"{name}@example.com",
        "organizationRole": "admin",
        "approver": f"{approver}@example.com",
    }


def in_team(name: str, approver: str) -> dict[str, Any]:
    """An entry of somebody in the team."""
    return {**COLLEAGUE, "email": f"{name}@example.com", "approver": f"{approver}@example.com", "teams": ["keepers"]}


def keepers(role: str) -> dict[str, Any]:
    """A team with a role in the project."""
    return {
        "name": "Keepers",
        "projects": {"shop": role},
        "approver": "ana@example.com",
        "justification": "Keeps the shop",
    }


def keeper(permissions: list[str]) -> dict[str, Any]:
    """The custom roles of the roster."""
    return {"keeper": {"name": "Keeper", "project": "shop", "permissions": permissions}}


def with_role(permissions: list[str]) -> dict[str, Any]:
    """The roster with a collaborator who has a custom role."""
    return {**robin(projects={"shop": "keeper"}), "customRoles": keeper(permissions)}


def classified_team(justification: str | None) -> dict[str, Any]:
    """Kim in a team that sees classified data."""
    people = [{**COLLEAGUE, "projects": {}, "teams": ["keepers"], "justification": justification}]
    return {
        **roster(people=people, teams={"keepers": keepers("keeper")}),
        "customRoles": keeper(["view_classified_data"]),
    }


UMLAUT: Final = replace(AROUND, company_domains=frozenset({"example.com", "münchen.example"}))

WAYS: Final[dict[str, Way]] = {
    "a contractor with an address of the company as an owner": Way(
        "external-not-privileged",
        kim(kind="contractor", organizationRole="owner"),
        kim(kind="employee", organizationRole="owner"),
    ),
    "an address that the company gives to externals": Way(
        "external-access-ends", kim(email="ext-kim@example.com"), kim(email="kim.exton@example.com")
    ),
    "the same with the mark behind the name and a tag": Way(
        "external-access-ends", kim(email="kim.ext+shop@example.com"), kim(email="kim+shop@example.com")
    ),
    "an address at a subdomain for partners": Way("external-access-ends", kim(email="kim@partners.example.com"), kim()),
    "an agency that says it is employed": Way(
        "external-not-privileged", robin(kind="employee", organizationRole="admin"), robin(kind="employee")
    ),
    "the kind in another entry of the person": Way(
        "external-access-ends",
        roster(people=[COLLEAGUE, {"email": "kim@example.com", "kind": "agency", "engagement": "funnels"}]),
        roster(people=[COLLEAGUE, {"email": "kim@example.com", "kind": "employee", "engagement": "funnels"}]),
    ),
    "a project owned by a contractor with an address of the company": Way(
        "collaborator-not-project-owner",
        kim(kind="contractor", projects={"shop": "owner"}),
        kim(projects={"shop": "owner"}),
    ),
    "no statement of work for an auditor with an address of the company": Way(
        "production-has-paperwork", kim(kind="auditor"), kim()
    ),
    "a consumer mailbox of another country": Way(
        "no-consumer-mail", robin(email="robin@yahoo.co.uk"), robin(email="robin@yahoo.agency.example.org")
    ),
    "a provider's other domain": Way("no-consumer-mail", robin(email="robin@gmx.net"), robin()),
    "a throw-away mailbox under a subdomain": Way(
        "no-consumer-mail", robin(email="robin@shop.mailinator.com"), robin()
    ),
    "a shared mailbox with a number": Way(
        "no-shared-mailbox", robin(email="info2@agency.example.org"), robin(email="dev@agency.example.org")
    ),
    "a shared mailbox between other words": Way(
        "no-shared-mailbox", robin(email="shop-support@agency.example.org"), robin(email="jo.sales@agency.example.org")
    ),
    "a shared mailbox in one word": Way(
        "no-shared-mailbox", robin(email="datateam@agency.example.org"), robin(email="steamer@agency.example.org")
    ),
    "a shared mailbox in full-width letters": Way(
        "no-shared-mailbox", kim(email="\uff49\uff4e\uff46\uff4f@example.com"), kim()
    ),
    "oneself as the approver, with a tag": Way(
        "approver-is-another", kim(approver="kim+boss@example.com"), kim(approver="ana+boss@example.com")
    ),
    "oneself as the approver, with the domain in punycode": Way(
        "approver-is-another",
        kim(email="kim@münchen.example", approver="kim@xn--mnchen-3ya.example"),
        kim(email="kim@münchen.example", approver="ana@xn--mnchen-3ya.example"),
        UMLAUT,
    ),
    "a shared mailbox as the approver": Way("approver-is-another", kim(approver="it-support@example.com"), kim()),
    "an external with an address of the company as the approver": Way(
        "approver-is-another", kim(approver="ext-ana@example.com"), kim()
    ),
    "an approver who is not one of those": Way(
        "approver-is-another",
        roster(engagements={"funnels": {**ENGAGEMENT, "approver": "una@example.com"}}),
        roster(),
        replace(AROUND, approvers=frozenset(f"{name}@example.com" for name in ("ana", "omar", "ivy"))),
    ),
    "an approver who is nobody": Way(
        "approver-known", kim(approver="nobody@example.com"), kim(approver="Omar@example.com")
    ),
    "an approver who is a contractor": Way(
        "approver-known",
        roster(
            people=[
                {**COLLEAGUE, "kind": "contractor"},
                {**COLLEAGUE, "email": "bo@example.com", "approver": "kim@example.com"},
            ]
        ),
        roster(people=[COLLEAGUE, {**COLLEAGUE, "email": "bo@example.com", "approver": "kim@example.com"}]),
    ),
    "two admins who approve each other": Way(
        "no-mutual-approval",
        roster(people=[admin("kim", "bo"), admin("bo", "kim+x")]),
        roster(people=[admin("kim", "bo"), admin("bo", "ana")]),
    ),
    "an admin and the owner of a project who approve each other": Way(
        "no-mutual-approval",
        roster(
            people=[
                admin("kim", "bo"),
                {**COLLEAGUE, "email": "bo@example.com", "approver": "kim@example.com", "projects": {"shop": "owner"}},
            ]
        ),
        roster(people=[admin("kim", "bo"), {**COLLEAGUE, "email": "bo@example.com", "approver": "kim@example.com"}]),
    ),
    "a team of admins and an admin who approve each other": Way(
        "no-mutual-approval",
        {**roster(people=[admin("kim", "bo"), in_team("bo", "kim")]), "teams": {"keepers": keepers("admin")}},
        {**roster(people=[admin("kim", "bo"), in_team("bo", "kim")]), "teams": {"keepers": keepers("analyst")}},
    ),
    "an engagement without a type": Way(
        "role-within-standard",
        roster(engagements={"funnels": {key: value for key, value in ENGAGEMENT.items() if key != "type"}}),
        kim(),
    ),
    "an entry of an agency without an engagement": Way(
        "role-within-standard", robin(engagement=None, ends="2026-06-15"), robin()
    ),
    "an engagement of a type that is for administrators": Way(
        "external-within-limit",
        {**robin(projects={"shop": "admin"}), "engagements": {"funnels": {**ENGAGEMENT, "type": "administration"}}},
        kim(projects={"shop": "admin"}),
    ),
    "a type of one's own with a higher standard, through a team": Way(
        "team-within-standard",
        {**roster(people=[{**ROBIN, "projects": {}, "teams": ["keepers"]}]), "teams": {"keepers": keepers("admin")}},
        {**roster(people=[{**ROBIN, "projects": {}, "teams": ["keepers"]}]), "teams": {"keepers": keepers("analyst")}},
        options={"standards": {"analytics_review": {"production": "admin"}}},
    ),
    "a custom role that manages": Way(
        "external-within-limit", with_role(["edit_user_roles"]), with_role(["export_reports_csv"])
    ),
    "a custom role that nobody declares": Way(
        "external-within-limit", robin(projects={"shop": "5b0c0c3e-0000-4000-8000-000000000001"}), robin()
    ),
    "a custom role that manages, without a reason": Way(
        "admin-has-reason",
        {**kim(projects={"shop": "keeper"}, justification=None), "customRoles": keeper(["manage_pipelines"])},
        {**kim(projects={"shop": "keeper"}, justification=None), "customRoles": keeper(["view_reports"])},
    ),
    "classified data by a custom role, without a reason": Way(
        "classified-data-justified",
        {**kim(projects={"shop": "keeper"}, justification="n/a"), "customRoles": keeper(["view_classified_data"])},
        {**kim(projects={"shop": "keeper"}), "customRoles": keeper(["view_classified_data"])},
    ),
    "classified data through a team, without a reason": Way(
        "classified-data-justified",
        classified_team(justification=None),
        classified_team(justification="Answers requests of data subjects"),
    ),
    "a domain with a Cyrillic letter": Way(
        "domain-misspelt", kim(email="kim@ex\u0430mple.com"), kim(email="kim@example.com")
    ),
    "a subdomain in the approver's address": Way(
        "approver-is-another", kim(approver="ana@partners.example.com"), kim(approver="ana@EXAMPLE.com")
    ),
    "an auditor with an address of the company, without an end": Way(
        "external-access-ends", kim(kind="auditor"), kim(kind="employee")
    ),
    "the same person twice, in full-width letters": Way(
        "no-duplicate-person",
        roster(people=[COLLEAGUE, {**COLLEAGUE, "email": "\uff4b\uff49\uff4d@example.com"}]),
        roster(people=[COLLEAGUE, {**COLLEAGUE, "email": "kai@example.com"}]),
    ),
}
