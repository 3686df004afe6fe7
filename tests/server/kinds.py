"""One resource of each kind, on the organization of `conftest`: to be made, to be changed, and to be imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mixpanel_access.emulator.server import demo_document

SHOP, WAREHOUSE = 1234567, 1234568
ETL, TEAM = 9100, 77
SUPPORT = "7b1c3f52-0d3e-4c84-9a55-2f6f0f4f0a01"
NEW, NEWER, LEE, NOOR = "new@agency.example.org", "newer@agency.example.org", "lee@example.com", "noor@example.com"
REASONS = {"ticket": "OPS-1", "kind": "agency"}


def organization() -> dict[str, Any]:
    """The demo organization, with a custom role and a service account more."""
    document = demo_document()
    role = {"role_id": SUPPORT, "name": "Support", "description": "Answers", "permissions": ["export_reports_csv"]}
    document["projects"][0]["custom_roles"] = [role]
    account = {
        "username": "etl.9f8e7d.mp-service-account", "secret": "etl-secret", "role": "admin", "id": ETL,
        "expires": "2027-01-01T00:00:00Z", "projects": [{"id": SHOP, "role": "consumer"}],
    }  # fmt: skip
    document["service_accounts"].append(account)
    document["grants"].append({"project": WAREHOUSE, "email": "noor@example.com", "role": "admin"})
    document["security"]["request_access"] = {"mode": "ask"}
    return document


@dataclass(frozen=True)
class Life:
    """What a test does with a resource of one kind.

    Attributes:
        inputs: what a program declares first.
        changed: what it declares then.
        id: the id of one that is there without us.
        declared: what a program declares for that one, which changes nothing.
    """

    inputs: dict[str, Any]
    changed: dict[str, Any]
    id: str
    declared: dict[str, Any]


LIVES: dict[str, Life] = {
    "Member": Life(
        {"email": NEW, "role": "member", **REASONS},
        {"email": NEW, "role": "admin", **REASONS},
        "7654321:kim@example.com",
        {"email": "kim@example.com", "role": "admin"},
    ),
    "Members": Life(
        {"people": {NOOR: {"role": "member"}, NEWER: {}}, **REASONS},
        {"people": {NOOR: {"role": "admin"}, NEWER: {}}, **REASONS},
        "7654321:members",
        {"people": {one["email"]: {"role": one["role"]} for one in organization()["members"]}},
    ),
    "ProjectGrant": Life(
        {"email": NEW, "project_id": SHOP, "role": "analyst", **REASONS},
        {"email": NEW, "project_id": SHOP, "role": "consumer", **REASONS},
        f"7654321:{SHOP}:{LEE}",
        {"email": LEE, "project_id": SHOP, "role": "analyst"},
    ),
    "ProjectAccess": Life(
        {"project_id": WAREHOUSE, "grants": {LEE: "analyst", "noor@example.com": "consumer"}},
        {"project_id": WAREHOUSE, "grants": {LEE: "admin", "kim@example.com": "consumer"}},
        f"7654321:{WAREHOUSE}",
        {"project_id": WAREHOUSE, "grants": {"noor@example.com": "admin"}},
    ),
    "ServiceAccount": Life(
        {"username": "loader", "role": "consumer"},
        {"username": "loader", "role": "consumer", "rotate_after": 90},
        f"7654321:{ETL}",
        {"username": "etl", "role": "admin", "expires": "2027-01-01T00:00:00Z"},
    ),
    "ServiceAccountGrant": Life(
        {"service_account_id": ETL, "project_id": WAREHOUSE, "role": "analyst"},
        {"service_account_id": ETL, "project_id": WAREHOUSE, "role": "consumer"},
        f"7654321:{SHOP}:{ETL}",
        {"service_account_id": ETL, "project_id": SHOP, "role": "consumer"},
    ),
    "Team": Life({"name": "Loaders"}, {"name": "Loading"}, f"7654321:{TEAM}", {"name": "Data"}),
    "TeamGrant": Life(
        {"team_id": TEAM, "project_id": SHOP, "role": "analyst"},
        {"team_id": TEAM, "project_id": SHOP, "role": "consumer"},
        f"7654321:{WAREHOUSE}:{TEAM}",
        {"team_id": TEAM, "project_id": WAREHOUSE, "role": "analyst"},
    ),
    "TeamMember": Life(
        {"team_id": TEAM, "email": "kim@example.com"},
        {"team_id": TEAM, "email": "kim@example.com", "ticket": "OPS-2"},
        f"7654321:{TEAM}:{LEE}",
        {"team_id": TEAM, "email": LEE},
    ),
    "TeamMembers": Life(
        {"team_id": TEAM, "people": ["omar@example.com"]},
        {"team_id": TEAM, "people": ["omar@example.com", "billing@example.com"]},
        f"7654321:{TEAM}",
        {"team_id": TEAM, "people": [LEE, NOOR]},
    ),
    "CustomRole": Life(
        {"project_id": SHOP, "name": "Reports", "permissions": ["create_reports"]},
        {"project_id": SHOP, "name": "Reports", "permissions": ["export_reports_csv"], "description": "Exports"},
        f"7654321:{SHOP}:{SUPPORT}",
        {"project_id": SHOP, "name": "Support", "description": "Answers", "permissions": ["export_reports_csv"]},
    ),
    "OrganizationSecurity": Life(
        {"two_factor_required": True, "request_access": {"mode": "ask"}},
        {"two_factor_required": False, "request_access": {"mode": "ask"}},
        "7654321",
        {"two_factor_required": True, "request_access": {"mode": "ask"}},
    ),
    "RemovalBrake": Life(
        {"people": [{"email": LEE, "removal": "when_unused"}]},
        {"people": [{"email": LEE, "removal": "when_unused"}, {"email": "kim@example.com", "removal": "never"}]},
        "7654321:removal-brake",
        {"people": []},
    ),
}
"""Kind -> what a test does with it."""
ON_BOTH: dict[str, Life] = {kind: life for kind, life in LIVES.items() if kind not in ("Members", "TeamMembers")}
"""Those that the SDK's server can serve too."""


def lives_on(server: str) -> dict[str, Life]:
    """Those that a server can serve."""
    return LIVES if server == "ours" else ON_BOTH
