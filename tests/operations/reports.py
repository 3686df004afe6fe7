"""Reports to look at: an organization of two stacks with something of everything, and one of a thousand people."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mixpanel_access.model.access import Discoverability, Grant, GrantType, Project
from mixpanel_access.model.dates import expiry, written
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.operations.overview import overview_of
from mixpanel_access.operations.policy_check import PolicyConfig
from mixpanel_access.operations.report.build import make_report
from mixpanel_access.operations.report.model import Report
from mixpanel_access.operations.stack_view import StackView
from tests.fakes import NOW, PRODUCTION, WAREHOUSE, FakeApi, make_directory, make_session
from tests.operations.held import held_grant, held_member, state_of_resources

STAGING, SANDBOX, LEGACY = 2345678, 2345679, 3456789
DAY = timedelta(days=1)

PRODUCTION_ROSTER = """\
environment: production
organizationRoles: true
organization: { name: Example }
projects:
  shop: { id: 1234567, environment: production, dashboards: { Funnels: "https://mixpanel.com/d/1" } }
  warehouse: { id: 1234568, environment: production }
engagements:
  funnel-review: { type: analytics_review, sow: SOW-1, ticket: OPS-4711, approver: ana@example.com, ends: 2026-06-30 }
  audit-2026: { type: audit, ticket: OPS-4800, approver: ana@example.com, ends: 2026-05-10 }
people:
  - { email: ana@example.com, name: Ana, organizationRole: owner, approver: omar@example.com, projects: {} }
  - { email: omar@example.com, name: Omar, organizationRole: owner, approver: ana@example.com, projects: {} }
  - { email: lee@example.com, name: Lee, engagement: funnel-review, projects: { shop: analyst, warehouse: analyst } }
  - { email: robin@agency.example.org, name: Robin, engagement: funnel-review, projects: { shop: analyst } }
  - { email: kay@agency.example.org, name: Kay, engagement: audit-2026, projects: { shop: admin, warehouse: consumer } }
  - { email: sam@agency.example.org, name: Sam, ends: 2026-05-02, projects: { shop: analyst } }
"""
STAGING_ROSTER = """\
environment: staging
projects:
  shop: { id: 2345678, environment: staging }
  sandbox: { id: 2345679, environment: staging }
engagements:
  tracking-plan: { type: implementation, sow: SOW-1, ticket: OPS-4712, approver: ana@example.com, ends: 2026-12-31 }
people:
  - { email: robin@agency.example.org, name: Robin, engagement: tracking-plan, projects: { shop: admin, sandbox: admin } }
  - { email: jo@agency.example.org, name: Jo, engagement: tracking-plan, projects: { sandbox: admin } }
  - { email: Ito@example.com, name: Itō, engagement: tracking-plan, projects: { shop: consumer } }
"""  # noqa: E501  # a table is read by its rows
NAMES = {
    PRODUCTION: "Shop (production)",
    WAREHOUSE: "Warehouse (production)",
    STAGING: "Shop (staging)",
    SANDBOX: "Sandbox (staging)",
    LEGACY: "Legacy",
}
COMPANY = frozenset({"example.com"})


def view(api: FakeApi, name: str, text: str, was: str, invited: Mapping[str, datetime], applied: datetime) -> StackView:
    """A stack whose state holds what the roster, as it was, declared on a day."""
    roster = parse(text, RosterSource(f"{name}.yaml"))
    declared = declaration(parse(was, RosterSource(f"{name}.yaml")), applied.date())
    members = {}
    for key, values in declared.members.items():
        outputs: dict[str, Any] = dict(values)
        if key in invited:
            outputs |= {"invited_at": written(invited[key]), "expires_at": written(expiry(invited[key]))}
        members[key] = held_member(str(values["email"]), values.get("role"), f"urn::{key}", outputs)
    grants = {
        place: held_grant(place[0], str(values["email"]), str(values["role"]), f"urn::{place[0]}:{place[1]}", values)
        for place, values in declared.grants.items()
    }
    session, _ = make_session(api, environment=name)
    file = Path(f"stacks/{name}.yaml")
    return StackView(name, session.settings, file, roster, state_of_resources(members, grants, facts=declared.facts))


def organization() -> FakeApi:
    """Who is in it, and what they have."""
    api = FakeApi(projects_={id_: Project(id_, name) for id_, name in NAMES.items()})
    api.discoverability_ = Discoverability.OPEN
    for email, role, days in (
        ("ana@example.com", "owner", 1),
        ("omar@example.com", "owner", 120),
        ("kim@example.com", "admin", 3),
        ("lee@example.com", "member", 90),
        ("noor@example.com", "member", None),
        ("billing@example.com", "billing_admin", None),
        ("kay@agency.example.org", "member", 91),
        ("sam@agency.example.org", "member", 12),
        ("ito@example.com", "member", 2),
        ("old@agency.example.org", "member", 400),
    ):
        api.put(email, role)
        api.people[email] = replace(api.people[email], last_login=None if days is None else NOW - days * DAY)
    for email in ("robin@agency.example.org", "jo@agency.example.org", "uma@agency.example.org"):
        api.put(email, invited=True)
    for project, email, role in (
        (PRODUCTION, "lee@example.com", "analyst"),
        (WAREHOUSE, "lee@example.com", "analyst"),
        (STAGING, "lee@example.com", "consumer"),
        (PRODUCTION, "robin@agency.example.org", "analyst"),
        (STAGING, "robin@agency.example.org", "admin"),
        (SANDBOX, "robin@agency.example.org", "admin"),
        (PRODUCTION, "kay@agency.example.org", "owner"),
        (WAREHOUSE, "kay@agency.example.org", "consumer"),
        (PRODUCTION, "sam@agency.example.org", "analyst"),
        (SANDBOX, "jo@agency.example.org", "admin"),
        (STAGING, "ito@example.com", "consumer"),
        (LEGACY, "old@agency.example.org", "5b0c0c3e-0000-4000-8000-000000000001"),
        (LEGACY, "noor@example.com", "consumer"),
    ):
        api.give(project, email, role)
    api.give(WAREHOUSE, "noor@example.com", "analyst", GrantType.TEAM)
    api.rows[-1] = replace(api.rows[-1], team="Data")
    api.rows.append(Grant(WAREHOUSE, "lee@example.com", "consumer", GrantType.TEAM, "Data"))
    api.give(PRODUCTION, "kim@example.com", "analyst", GrantType.ALL_USERS)
    return api


INVITED = {"robin@agency.example.org": NOW - 4 * DAY, "jo@agency.example.org": NOW - 8 * DAY}


def report(
    api: FakeApi | None = None,
    stacks: tuple[str, ...] = ("production", "staging"),
    production: str = PRODUCTION_ROSTER,
    staging: str = STAGING_ROSTER,
    *,
    was: str | None = None,
    company: frozenset[str] = COMPANY,
    policies: Mapping[str, Any] | None = None,
) -> Report:
    """A report of some of the two stacks, whose states are of three days before.

    Args:
        api: the organization.
        stacks: those of the report.
        production: the roster of production.
        staging: the one of staging.
        was: the roster of which the state of production was made, where it is another.
        company: the company's domains.
        policies: the configuration of the policies.
    """
    api = api or organization()
    both = {
        name: view(api, name, text, before or text, INVITED, NOW - 3 * DAY)
        for name, text, before in (("production", production, was), ("staging", staging, None))
    }
    config = PolicyConfig(policies or {})
    settings = {"companyDomains": ",".join(company)}
    both = {name: replace(one, read_policies=lambda: config, config=settings) for name, one in both.items()}
    others = {name: one.state for name, one in both.items() if name not in stacks}
    return make_report(overview_of({name: both[name] for name in stacks}, make_directory(api), NOW, lambda: others))


def crowd(projects: int) -> Report:
    """A report of a hundred people, half of whom are declared, in many projects."""
    people = 100
    ids = range(1, projects + 1)
    api = FakeApi(projects_={id_: Project(id_, f"Project {id_}") for id_ in ids})
    emails = [f"person{number:04}@{'example.com' if number % 3 else 'agency.example.org'}" for number in range(people)]
    half = projects // 2
    roles = ("analyst", "consumer", "admin", "analyst")
    lines: dict[str, list[str]] = {"production": [], "staging": []}
    for number, email in enumerate(emails):
        api.put(email, invited=number % 25 == 7)
        last = NOW - (number % 120) * DAY
        api.people[email] = replace(api.people[email], last_login=last, name=f"Person {number}")
        for id_ in ids:
            api.rows.append(Grant(id_, email, roles[(number + id_) % 4], GrantType.INDIVIDUAL))
        if number % 2:
            for name, own in (("production", ids[:half]), ("staging", ids[half:])):
                held = ", ".join(f"p{id_}: {roles[(number + id_) % 4]}" for id_ in own)
                ends = (NOW + (number % 400) * DAY).date()
                lines[name].append(f"  - {{ email: {email}, engagement: work, ends: {ends}, projects: {{ {held} }} }}")
    rosters = [
        f"environment: {name}\nengagements: {{ work: {{ type: implementation, approver: ana@example.com }} }}\n"
        "projects:\n"
        + "\n".join(f"  p{id_}: {{ id: {id_}, environment: {name} }}" for id_ in own)
        + "\npeople:\n"
        + "\n".join(lines[name])
        + "\n"
        for name, own in (("production", ids[:half]), ("staging", ids[half:]))
    ]
    return report(api, production=rosters[0], staging=rosters[1])


def tenfold(one: Report) -> Report:
    """The report of a crowd with ten times as many people: an address in any text is of the same length."""
    copies = [pickle.loads(pickle.dumps(one).replace(b"person0", b"person%d" % number)) for number in range(10)]
    names = ("people", "endings", "invitations", "differences", "findings")
    parts: dict[str, Any] = {name: [row for copy in copies for row in getattr(copy, name)] for name in names}
    return replace(one, **parts)


HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' autofocus onfocus=alert(1) x='",
    "</style><script>alert(1)</script>", "</title><svg onload=alert(1)>", "{{ 7 * 7 }}", "&lt;b&gt;",
    "javascript:alert(1)",
)  # fmt: skip
"""What nobody is called who means well."""


def called(text: str) -> Report:
    """A report in which everything that people name has the same name; addresses hold it, as a list might."""
    found = report()
    finding = replace(found.findings[0], text=text, title=text, fix=text, rule=text, email=text, stack=text)
    environments = [
        replace(one, name=text, projects=[replace(project, name=text) for project in one.projects])
        for one in found.environments
    ]
    people = [
        replace(
            one,
            email=text,
            name=text,
            stacks=[text],
            organization_role=text,
            projects={
                id_: replace(
                    cell,
                    role=text,
                    sources=[
                        replace(
                            source, role=text, grant_type=GrantType.TEAM, team=text, stack=text, why={"approver": text}
                        )
                        for source in cell.sources
                    ],
                )
                for id_, cell in one.projects.items()
            },
            risk=replace(one.risk, reasons=[replace(reason, text=text) for reason in one.risk.reasons]),
            steps=[replace(step, text=text, next_step=text) for step in one.steps],
        )
        for one in found.people
    ]
    return replace(
        found,
        organization=text,
        stacks=[text],
        environments=environments,
        people=people,
        endings=[replace(one, email=text, stack=text, engagement=text, what=[text]) for one in found.endings],
        invitations=[replace(one, email=text, stacks=[text]) for one in found.invitations],
        differences=[replace(one, email=text, project_name=text, actual=text, team=text) for one in found.differences],
        findings=[finding],
    )
