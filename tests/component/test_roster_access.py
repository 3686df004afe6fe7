"""`RosterAccess`: what a roster becomes, by Pulumi's own mocks."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mixpanel_access.component import RosterAccess, roster_program
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.declaration import DRAFTS_VARIABLE
from mixpanel_access.model.errors import RosterError
from tests.component.mocks import registered

ROSTER = """\
environment: production
organizationRoles: true
projects:
  shop: { id: 1234567, environment: production }
people:
  - email: Bo@example.com
    organizationRole: member
    removal: never
    projects: { shop: analyst }
    ticket: OPS-1
  - email: cy@example.com
"""


def test_a_roster_becomes_members_grants_and_a_brake(tmp_path: Path) -> None:
    """Children are named by address and project id, and carry the metadata."""
    file = tmp_path / "production.yaml"
    file.write_text(ROSTER)

    def declare() -> Any:
        access = RosterAccess("roster", file)
        assert (set(access.members), set(access.grants)) == (
            {"bo@example.com", "cy@example.com"},
            {(1234567, "bo@example.com")},
        )
        return pulumi.Output.all(*(member.urn for member in access.members.values()))

    assert registered(declare) == {
        "RosterAccess roster": {},
        "Member bo@example.com": {
            "email": "Bo@example.com",
            "role": "member",
            "removal": "never",
            "ticket": "OPS-1",
        },
        "Member cy@example.com": {"email": "cy@example.com", "removal": "when_unused"},
        "ProjectGrant 1234567:bo@example.com": {
            "project_id": 1234567,
            "email": "Bo@example.com",
            "role": "analyst",
            "environment": "production",
            "ticket": "OPS-1",
        },
        "RemovalBrake removal-brake": {
            "people": [
                {"email": "Bo@example.com", "removal": "never", "projects": [1234567], "role": "member"},
                {"email": "cy@example.com", "removal": "when_unused", "projects": []},
            ]
        },
    }


WHOLE = """\
environment: production
authoritative: true
projects:
  shop: { id: 1234567, environment: production }
  web: { id: 1234568, environment: production, authoritative: false }
  new: { id: 1234569, environment: production }
engagements:
  review: { sow: SOW-1, approver: ana@example.com, ends: 2027-01-01 }
people:
  - { email: Bo@example.com, engagement: review, projects: { shop: analyst, web: consumer } }
  - { email: cy@example.com, engagement: review, projects: { shop: consumer } }
  - { email: di@example.com, projects: { shop: admin }, ticket: OPS-1 }
  - { email: ed@example.com, projects: { shop: admin }, ends: 2020-01-01 }
exceptions:
  - { rule: r, email: cy@example.com, project: shop, reason: Is so, approver: ana@example.com, ends: 2027-01-01 }
"""


def test_a_project_that_the_roster_alone_says_is_one_resource(tmp_path: Path) -> None:
    """With everybody who counts today, each reason once; one without anybody is declared too; others are as ever."""
    file = tmp_path / "production.yaml"
    file.write_text(WHOLE)
    found = registered(lambda: RosterAccess("roster", file, today=date(2026, 5, 4)))
    why = {"engagement": "review", "sow": "SOW-1", "approver": "ana@example.com", "ends": "2027-01-01"}
    exception = {
        "rule": "r", "reason": "Is so", "approver": "ana@example.com", "ends": "2027-01-01",
        "email": "cy@example.com", "project": 1234567,
    }  # fmt: skip
    assert {name: one for name, one in found.items() if "Project" in name} == {
        "ProjectAccess project-access/1234567": {
            "project_id": 1234567,
            "grants": {"Bo@example.com": "analyst", "cy@example.com": "consumer", "di@example.com": "admin"},
            "environment": "production",
            "reasons": [
                {"people": ["cy@example.com"], **why, "exceptions": [exception]},
                {"people": ["Bo@example.com"], **why},
                {"people": ["di@example.com"], "ticket": "OPS-1"},
            ],
        },
        "ProjectAccess project-access/1234569": {
            "project_id": 1234569, "grants": {}, "environment": "production", "reasons": [],
        },
        "ProjectGrant 1234568:bo@example.com": {
            "project_id": 1234568, "email": "Bo@example.com", "role": "consumer", "environment": "production", **why,
        },
    }  # fmt: skip


def test_a_roster_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """No file, no text, no roster: the engine shows the text alone."""
    binary, includes = tmp_path / "binary.yaml", tmp_path / "includes.yaml"
    binary.write_bytes(b"\xff\xfe\xff")
    includes.write_text(f"include: [binary.yaml]\n{ROSTER}")
    for file, words in (
        (tmp_path / "missing.yaml", "No such file"),
        (binary, "byte 1 is not UTF-8"),
        (includes, r"includes.yaml:1: binary.yaml cannot be included: byte 1 is not UTF-8"),
    ):
        with pytest.raises(RosterError, match=words):
            read_roster(file)
        with pytest.raises(pulumi.RunError, match=words):
            registered(lambda file=file: roster_program(file))  # type: ignore[misc]  # bound for the loop


@pytest.mark.parametrize("now", ["soon", "2026-13-01"])
def test_a_clock_that_cannot_be_read_is_one_line(tmp_path: Path, now: str) -> None:
    """It names the setting."""
    file = tmp_path / "production.yaml"
    file.write_text(ROSTER)
    with pytest.raises(pulumi.RunError, match=r"mixpanel:now is '.*', which is not an ISO 8601 instant"):
        registered(lambda: roster_program(file), {"mixpanel:now": now})


def test_a_draft_counts_in_a_preview_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update takes the roster itself, whatever the environment says."""
    file, drafts = tmp_path / "production.yaml", tmp_path / "drafts"
    drafts.mkdir()
    file.write_text(ROSTER)
    (drafts / file.name).write_text(ROSTER.replace("cy@", "di@"))
    monkeypatch.setenv(DRAFTS_VARIABLE, str(drafts))
    for preview, email in ((True, "di@example.com"), (False, "cy@example.com")):
        assert f"Member {email}" in registered(lambda: roster_program(file), preview=preview)
    (drafts / file.name).unlink()
    assert "Member cy@example.com" in registered(lambda: roster_program(file), preview=True)


ROBOTS = (
    ROSTER
    + """\
serviceAccounts:
  etl:
    { purpose: Loads, contact: ana@example.com, role: consumer, expires: 2027-01-01, rotateAfter: 90,
      projects: { shop: analyst }, ticket: OPS-2, approver: ana@example.com }
  known: { purpose: Is only known }
"""
)


def test_a_roster_makes_its_service_accounts(tmp_path: Path) -> None:
    """With their roles in projects, and why they are there; who is only known is not made."""
    file = tmp_path / "production.yaml"
    file.write_text(ROBOTS)
    why = {"justification": "Loads", "sponsor": "ana@example.com", "ticket": "OPS-2", "approver": "ana@example.com"}
    found = registered(lambda: RosterAccess("roster", file))
    assert found["ServiceAccount service-account/etl"] == {
        "username": "etl", "role": "consumer", "expires": "2027-01-01", "rotate_after": 90, **why,
    }  # fmt: skip
    grant = found["ServiceAccountGrant 1234567:service-account/etl"]
    assert {"project_id": 1234567, "role": "analyst", "environment": "production", **why}.items() <= grant.items()
    assert [name for name in found if "known" in name] == []


TEAMS = (
    ROSTER.replace("  - email: cy@example.com\n", "  - { email: cy@example.com, teams: [data], ticket: OPS-3 }\n")
    + """\
teams:
  data:
    { name: Data, standard: audit, projects: { shop: }, removal: always, ticket: OPS-2, approver: ana@example.com,
      justification: Looks }
  ops: { name: Ops, projects: { shop: admin } }
"""
)


def test_a_roster_makes_its_teams(tmp_path: Path) -> None:
    """With the standard roles of their type, and the people of the day; the brake knows what goes with the stack."""
    file = tmp_path / "production.yaml"
    file.write_text(TEAMS)
    why = {
        "engagement_type": "audit", "ticket": "OPS-2", "approver": "ana@example.com", "justification": "Looks",
    }  # fmt: skip
    found = registered(lambda: RosterAccess("roster", file))
    assert found["Team team/data"] == {"name": "Data", "removal": "always", "beside": ["team/ops"], **why}
    assert found["Team team/ops"] == {"name": "Ops", "removal": "when_unused", "beside": ["team/data"]}
    grant = found["TeamGrant 1234567:team/data"]
    assert {"project_id": 1234567, "role": "consumer", "environment": "production", **why}.items() <= grant.items()
    assert found["TeamGrant 1234567:team/ops"]["role"] == "admin"
    member = found["TeamMember team/data:cy@example.com"]
    assert {"email": "cy@example.com", "ticket": "OPS-3"}.items() <= member.items()
    assert [name for name in found if name.startswith("TeamMember")] == ["TeamMember team/data:cy@example.com"]
    people = {one["email"]: one for one in found["RemovalBrake removal-brake"]["people"]}
    assert people["cy@example.com"]["teams"] == ["Data"]
    assert "teams" not in people["Bo@example.com"]


OWN_ROLES = (
    ROSTER
    + """\
customRoles:
  support: { name: Support, project: shop, permissions: [share, export] }
security: { twoFactorRequired: true }
teams:
  desk: { name: Desk, projects: { shop: support } }
serviceAccounts:
  etl: { role: consumer, projects: { shop: support } }
"""
).replace("analyst", "support", 1)


def test_a_roster_makes_its_custom_roles_and_security_settings(tmp_path: Path) -> None:
    """A grant of such a role has its id, which is known once it is made."""
    file = tmp_path / "production.yaml"
    file.write_text(OWN_ROLES)
    found = registered(lambda: RosterAccess("roster", file))
    assert found["CustomRole custom-role/support"] == {
        "project_id": 1234567, "name": "Support", "description": "", "permissions": ["export", "share"],
        "environment": "production",
    }  # fmt: skip
    assert found["OrganizationSecurity organization-security"] == {"two_factor_required": True}
    role = "custom-role/support-role"
    assert found["ProjectGrant 1234567:bo@example.com"]["role"] == role
    assert found["TeamGrant 1234567:team/desk"]["role"] == role
    assert found["ServiceAccountGrant 1234567:service-account/etl"]["role"] == role


def test_a_project_that_the_roster_alone_says_has_its_custom_roles(tmp_path: Path) -> None:
    """Beside the roles that every project has."""
    file = tmp_path / "production.yaml"
    other = "email: cy@example.com\n    projects: { shop: admin }"
    file.write_text("authoritative: true\n" + OWN_ROLES.replace("email: cy@example.com", other))
    found = registered(lambda: RosterAccess("roster", file))
    assert found["ProjectAccess project-access/1234567"]["grants"] == {
        "Bo@example.com": "custom-role/support-role", "cy@example.com": "admin",
    }  # fmt: skip


CLAIMED = {"environment": "staging", "organizationRoles": True, "projects": {"shop": {"id": 2345678}}}


def beside_it(tmp_path: Path, **other: Any) -> Path:
    """The roster of production, beside that of staging."""
    (tmp_path / "production.yaml").write_text(ROSTER)
    (tmp_path / "staging.yaml").write_text(json.dumps(CLAIMED | other))
    return tmp_path / "production.yaml"


def test_a_project_of_another_roster_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is declared, in one line that names both places; not where it is another organization's.

    The stack's organization may be in the environment.
    """
    file = beside_it(tmp_path, projects={"shop": {"id": 1234567}})
    own = {"mixpanel:organizationId": "7"}
    with pytest.raises(pulumi.RunError, match=r"production.yaml:4 \(project shop\).* so has staging.yaml:1"):
        registered(lambda: RosterAccess("roster", file), own)
    (tmp_path / "Pulumi.staging.yaml").write_text('config: { "mixpanel:organizationId": "8" }')
    assert "ProjectGrant 1234567:bo@example.com" in registered(lambda: RosterAccess("roster", file), own)
    monkeypatch.setenv("MIXPANEL_ORGANIZATION_ID", "7")
    assert "ProjectGrant 1234567:bo@example.com" in registered(lambda: RosterAccess("roster", file))


def test_what_two_rosters_claim_is_said_and_shown_to_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Organization roles in both are a warning, and so is a roster that cannot be read."""
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda words, *_: said.append(words))
    file = beside_it(tmp_path)
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr(
        pulumi.ComponentResource, "register_outputs", lambda _, found: outputs.extend([found] if found else [])
    )
    registered(lambda: RosterAccess("roster", file))
    assert said[0].startswith("production.yaml:2 has organizationRoles: true, and so has staging.yaml:1")
    assert outputs[0]["claimed_twice"] == said
    said.clear()
    (tmp_path / "staging.yaml").write_text("environment: {")
    assert "Member bo@example.com" in registered(lambda: RosterAccess("roster", file))
    assert said[0].startswith("staging.yaml:2 cannot be read")
    assert "claimed_twice" not in outputs[1]


def test_the_contacts_who_are_in_another_roster_are_shown_to_policies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the stack's own accounts, and nobody else of the other roster."""
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr(
        pulumi.ComponentResource, "register_outputs", lambda _, found: outputs.extend([found] if found else [])
    )
    file = beside_it(
        tmp_path, organizationRoles=False, people=[{"email": f"{who}@example.com"} for who in ("ana", "cy")]
    )
    robots = [f"  {who}: {{ role: consumer, contact: {who}@example.com }}" for who in ("ana", "bo")]
    file.write_text("\n".join([ROSTER.rstrip(), "serviceAccounts:", *robots, ""]))
    registered(lambda: RosterAccess("roster", file))
    assert outputs[0]["contacts_beside"] == ["ana@example.com"]


def test_the_name_of_a_project_is_told_to_be_checked(tmp_path: Path) -> None:
    """Every resource of the project has it, and no other one."""
    file = tmp_path / "production.yaml"
    named = ROSTER.replace("id: 1234567", "id: 1234567, name: Shop")
    more = "teams: { t: { name: T, projects: { shop: analyst } } }\n"
    more += "serviceAccounts: { etl: { role: consumer, projects: { shop: analyst } } }\n"
    more += "customRoles: { c: { name: C, project: shop } }\n"
    for text, kind in ((named, "ProjectGrant"), (named + "authoritative: true\n", "ProjectAccess")):
        file.write_text(text + more)
        found = registered(lambda: RosterAccess("roster", file))
        kinds = {name.partition(" ")[0] for name, inputs in found.items() if inputs.get("project_name") == "Shop"}
        assert kinds == {kind, "TeamGrant", "ServiceAccountGrant", "CustomRole"}
