"""The access report as values: everybody, by which way, how near the end, and what is against the rules."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mixpanel_access.cli.output import json_text
from mixpanel_access.model.access import Invitation
from mixpanel_access.operations.report.model import EndsIn, Report, ReportPerson
from mixpanel_access.operations.report.risk import RiskLevel
from tests.fakes import NOW, PRODUCTION, WAREHOUSE, FakeApi
from tests.operations.reports import LEGACY, PRODUCTION_ROSTER, SANDBOX, STAGING, organization, report

KAY, SAM, ROBIN = "kay@agency.example.org", "sam@agency.example.org", "robin@agency.example.org"


def person(found: Report, email: str) -> ReportPerson:
    """One of the people."""
    return next(one for one in found.people if one.email == email)


def factors(found: Report, email: str) -> set[str]:
    """What gives somebody points."""
    return {reason.factor for reason in person(found, email).risk.reasons}


def test_projects_stand_by_environment() -> None:
    """Production first; what no roster and no state names comes last, without an environment."""
    environments = report().environments
    assert [(one.name, [project.id for project in one.projects]) for one in environments] == [
        ("production", [PRODUCTION, WAREHOUSE]), ("staging", [SANDBOX, STAGING]), (None, [LEGACY]),
    ]  # fmt: skip
    assert (environments[0].projects[0].key, environments[0].projects[0].stack) == ("shop", "production")
    assert (environments[2].projects[0].key, environments[2].projects[0].stack) == (None, None)


def test_a_cell_has_the_highest_role_and_every_way() -> None:
    """A team and a grant, an organization role and a grant to all users."""
    found = report()
    cell = person(found, "lee@example.com").projects[WAREHOUSE]
    assert (cell.role, [(source.role, source.through, source.stack) for source in cell.sources]) == (
        "analyst", [("analyst", "individual", "production"), ("consumer", "team Data", None)],
    )  # fmt: skip
    assert cell.sources[0].why["ticket"] == "OPS-4711"
    kim = person(found, "kim@example.com").projects
    assert (kim[PRODUCTION].role, [source.through for source in kim[PRODUCTION].sources]) == (
        "admin", ["all users", "organization role"],
    )  # fmt: skip
    assert kim.keys() == {PRODUCTION, WAREHOUSE, STAGING, SANDBOX, LEGACY}


def test_everybody_is_there_the_highest_risk_first() -> None:
    """Those of no stack and those who are only invited, too."""
    found = report()
    assert len(found.people) == 13
    scores = [one.risk.score for one in found.people]
    assert scores == sorted(scores, reverse=True)
    assert found.people[0].email == KAY
    assert person(found, "uma@agency.example.org").stacks == []
    assert person(found, "Ito@example.com").risk.level is RiskLevel.LOW


FACTS = {
    KAY: {
        "production-owner", "raised", "outside", "dormant", "admin-has-reason", "ending-soon", "external-within-limit",
        "justified", "production-has-paperwork", "review-due", "role-within-standard",
    },
    SAM: {
        "not-expired", "outside", "production-analyst", "justified", "production-has-paperwork", "review-due",
        "role-within-standard",
    },
    "kim@example.com": {"organization-admin", "unmanaged", "production-analyst", "several-ways"},
    "lee@example.com": {
        "unmanaged-grant", "production-analyst", "several-ways", "justified", "metadata-well-formed", "review-due",
    },
    "ana@example.com": {
        "organization-owner", "admin-has-reason", "no-mutual-approval", "privileged-ends-or-reviewed", "review-due",
    },
    "old@agency.example.org": {"unmanaged", "outside", "production-custom", "dormant"},
    "jo@agency.example.org": {
        "outside", "invitation-expired", "admin-has-reason", "justified", "longest-duration", "metadata-well-formed",
        "review-due",
    },
    ROBIN: {
        "outside", "production-analyst", "admin-has-reason", "justified", "longest-duration", "metadata-well-formed",
        "review-due",
    },
}  # fmt: skip


@pytest.mark.parametrize("email", FACTS)
def test_the_facts_are_found(email: str) -> None:
    """What rosters, states and Mixpanel together say of one person's access."""
    assert factors(report(), email) == FACTS[email]


def test_without_company_domains_nobody_is_outside() -> None:
    """Nor inside: nobody knows."""
    found = report(company=frozenset())
    assert {one.outside for one in found.people} == {None}
    assert "outside" not in factors(found, KAY)


ENDS = [
    (0, EndsIn.SOON), (14, EndsIn.SOON), (15, EndsIn.QUARTER), (90, EndsIn.QUARTER), (91, EndsIn.LATER),
]  # fmt: skip


@pytest.mark.parametrize(("days", "when"), ENDS)
def test_an_ending_is_as_near_as_it_is(days: int, when: EndsIn) -> None:
    """Its last day still belongs to it."""
    ends = (NOW + timedelta(days=days)).date()
    roster = PRODUCTION_ROSTER.replace("ends: 2026-05-10", f"ends: {ends}")
    (one,) = [ending for ending in report(production=roster).endings if ending.email == KAY]
    assert (one.on, one.days, one.when) == (ends, days, when)
    assert one.what == ["admin in shop", "consumer in warehouse"]
    assert one.engagement == "audit-2026"


def test_the_end_of_a_team_is_an_ending_of_who_is_in_it() -> None:
    """Where it comes before the end of the entry."""
    there = PRODUCTION_ROSTER.replace("audit-2026, projects", "audit-2026, teams: [pilot], projects")
    roster = f"{there}teams: {{ pilot: {{ name: Pilot, ends: 2026-05-08 }} }}\n"
    found = [one for one in report(production=roster).endings if one.email in (KAY, "")]
    assert [(str(one.on), one.email, one.what) for one in found] == [
        ("2026-05-08", "", ["the team pilot"]),
        ("2026-05-08", KAY, ["the team pilot"]),
        ("2026-05-10", KAY, ["admin in shop", "consumer in warehouse"]),
    ]  # fmt: skip
    twice = roster.replace("people:\n", f"people:\n  - {{ email: {KAY}, teams: [pilot], ticket: OPS-9 }}\n")
    assert [one.engagement for one in report(production=twice).endings if one.what == ["the team pilot"]] == [
        None,
        None,
    ]


def test_what_is_over_and_still_there_comes_first() -> None:
    """A roster may have dropped it: the state tells it alike. Extended, it is none."""
    first = report().endings[0]
    assert (first.email, first.days, first.when, first.what) == (SAM, -2, EndsIn.OVER, ["analyst in shop"])
    line = next(line for line in PRODUCTION_ROSTER.splitlines() if SAM in line)
    extended = report(production=PRODUCTION_ROSTER.replace("2026-05-02", "2026-05-31"))
    assert [one.on.isoformat() for one in extended.endings if one.email == SAM] == ["2026-05-31"]
    assert "not-expired" not in factors(extended, SAM)
    dropped = report(production=PRODUCTION_ROSTER.replace(line, ""), was=PRODUCTION_ROSTER)
    assert dropped.endings[0] == first
    assert "not-expired" in factors(dropped, SAM)


def test_invitations_that_wait() -> None:
    """The oldest first, with what is to be done; of one that no stack has sent, nothing is known."""
    found = report().invitations
    assert [(one.email, one.state, one.hours, bool(one.steps)) for one in found] == [
        ("jo@agency.example.org", Invitation.EXPIRED, 192, True),
        (ROBIN, Invitation.PENDING, 96, True),
        ("uma@agency.example.org", Invitation.PENDING, None, False),
    ]
    assert found[1].stacks == ["production", "staging"]


def test_findings_are_the_rules_own_with_the_stacks_levels() -> None:
    """What a state holds is judged: access that is over is there; a level that is set counts, and disabling is told."""
    found = report()
    over = [one for one in found.findings if one.rule == "not-expired"]
    assert {(one.stack, one.email, one.level.value) for one in over} == {("production", SAM, "mandatory")}
    quiet = report(policies={"all": "disabled", "not-expired": "advisory"})
    assert {(one.rule, one.level.value) for one in quiet.findings} == {
        ("guards-not-loosened", "mandatory"),
        ("not-expired", "advisory"),
    }
    levels = [one.level.value for one in found.findings]
    assert levels == sorted(levels, key=lambda level: level != "mandatory")


def test_some_stacks_have_their_projects_and_who_reaches_them() -> None:
    """Nothing of the others; a person whom another stack has is not unmanaged."""
    found = report(stacks=("staging",))
    assert (found.stacks, found.whole) == (["staging"], False)
    assert [one.name for one in found.environments] == ["staging"]
    emails = {one.email for one in found.people}
    assert {"ana@example.com", "lee@example.com", ROBIN, "Ito@example.com"} < emails
    assert not {KAY, SAM, "old@agency.example.org", "billing@example.com"} & emails
    assert {(one.kind.value, one.email) for one in found.differences} == {
        ("unmanaged member", "kim@example.com"), ("unmanaged grant", "lee@example.com"),
    }  # fmt: skip
    ana = person(found, "ana@example.com")
    assert (ana.stacks, "unmanaged" in factors(found, "ana@example.com")) == (["production"], False)
    assert {one.stack for one in found.endings} == {"staging"}
    assert report().whole


def test_an_organization_in_order_has_no_problem() -> None:
    """Advice alone is none; an empty organization is a report, too."""
    api = FakeApi()
    api.put("bo@example.com", "member")
    api.people["bo@example.com"] = replace(api.people["bo@example.com"], last_login=NOW)
    api.give(PRODUCTION, "bo@example.com", "consumer")
    roster = PRODUCTION_ROSTER.partition("people:")[0].replace(
        "ticket: OPS-4800", "ticket: OPS-4800, sow: SOW-2026-001"
    )
    roster += (
        "people:\n  - { email: bo@example.com, organizationRole: member, engagement: funnel-review, "
        "projects: { shop: consumer } }\n"
    )
    staging = "environment: staging\npeople: []\n"
    found = report(api, production=roster, staging=staging, policies={"organization-owners": "advisory"})
    assert (found.held_up, found.differences, found.to_do, found.problems) == ([], [], [], 0)
    assert found.findings != []
    empty = report(FakeApi(projects_={}), production="environment: production\npeople: []\n", staging=staging)
    assert (empty.people, empty.environments, empty.endings, empty.invitations) == ([], [], [], [])


def test_the_document_is_the_whole_model() -> None:
    """JSON of it: names in camel case, instants and days as text."""
    read = json.loads(json_text(report()))
    assert (read["organization"], read["now"], read["whole"]) == ("Example", "2026-05-04T12:00:00Z", True)
    kay = next(one for one in read["people"] if one["email"] == KAY)
    assert (kay["ends"], kay["organizationRole"], kay["risk"]["level"]) == ("2026-05-10", "member", "high")
    assert kay["projects"][str(PRODUCTION)]["sources"][0] == {
        "role": "owner", "grantType": "individual", "team": None, "stack": "production",
        "why": {"engagement": "audit-2026", "ticket": "OPS-4800", "approver": "ana@example.com", "ends": "2026-05-10"},
    }  # fmt: skip
    assert {one["kind"] for one in read["differences"]} == {"unmanaged member", "unmanaged grant", "changed grant"}
    assert read["invitations"][1]["invitedAt"] == "2026-04-30T12:00:00Z"
    assert organization().people.keys() == {one["email"].casefold() for one in read["people"]}
