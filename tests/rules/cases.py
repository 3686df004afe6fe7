"""For every rule: what passes, what fails, the two sides of its boundary, and each of its options at work.

The compliant stack passes every rule; each case spoils or mends one thing in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from mixpanel_access.rules.catalogue import EXCEPTABLE, find
from mixpanel_access.rules.entry import UNKNOWN, Entry, ExceptionEntry, Type
from mixpanel_access.rules.facts import Context, Stack
from mixpanel_access.rules.rule import RuleVerdict

TODAY = date(2026, 5, 4)
METADATA = {
    "engagement": "Funnel review",
    "engagement_type": "analytics_review",
    "sow": "SOW-2026-014",
    "ticket": "OPS-4711",
    "approver": "ana@example.com",
    "justification": "Reviews the checkout funnels",
    "starts": "2026-04-01",
    "ends": "2026-06-15",
}
ROBIN = "robin@agency.example.org"
CUSTOM = "5b0c0c3e-0000-4000-8000-000000000001"


def member(email: str = ROBIN, role: str | None = "member", **values: Any) -> Entry:
    """A compliant member, but for what is given; None takes a value away."""
    given = {
        "email": email, "role": role, "removal": "when_unused", "status": "accepted",
        "last_login": "2026-05-01T08:00:00Z", **METADATA, **values,
    }  # fmt: skip
    return Entry(Type.MEMBER, email.casefold(), f"m:{email}", _set(given))


def grant(email: str = ROBIN, role: str = "analyst", project: int = 1234567, **values: Any) -> Entry:
    """A compliant grant, but for what is given."""
    given = {
        "email": email,
        "project_id": project,
        "role": role,
        "environment": "production",
        "grant_types": ["individual"],
        "effective_role": role,
        **METADATA,
        **values,
    }
    return Entry(Type.GRANT, f"{project}:{email.casefold()}", f"g:{project}:{email}", _set(given))


def account(name: str = "etl", **values: Any) -> Entry:
    """A compliant service account, but for what is given."""
    given = {
        "username": f"{name}.1a2b3c.mp-service-account", "role": "consumer", "expires": "2026-12-31T00:00:00Z",
        "token": "t", "status": "active", "created": "2026-04-01T08:00:00Z", "justification": "Loads events",
        "sponsor": "owner0@example.com", "ticket": "OPS-12", "approver": "ana@example.com", **values,
    }  # fmt: skip
    return Entry(Type.SERVICE_ACCOUNT, name, f"s:{name}", _set(given), frozenset({"token"}))


def account_grant(environment: str | None, project: int = 1234567, name: str = "etl", **values: Any) -> Entry:
    """A service account's grant, compliant in its environment but for what is given."""
    given = {
        "service_account": name, "project_id": project, "role": "consumer", "environment": environment, **values,
    }  # fmt: skip
    return Entry(Type.SERVICE_ACCOUNT_GRANT, f"{project}:{name}", f"sg:{project}:{name}", _set(given))


def by_id(id_: int, environment: str = "production") -> Entry:
    """A grant to a service account that a program names by its id."""
    given = {"service_account_id": id_, "project_id": 1234567, "role": "consumer", "environment": environment}
    return Entry(Type.SERVICE_ACCOUNT_GRANT, "1234567:etl", "sg:1234567:id", given)


def custom_role(**values: Any) -> Entry:
    """A compliant custom role, but for what is given."""
    given = {
        "name": "Support", "project_id": 1234567, "permissions": ["export"], "base_permissions": ["view"],
        "environment": "production", **values,
    }  # fmt: skip
    return Entry(Type.CUSTOM_ROLE, "custom-role/support", "r:support", _set(given))


def sensitive(entry: Entry, permissions: Sequence[str] = ("view_classified_data",), added: Sequence[str] = ()) -> Entry:
    """A role that is known to be a custom role with some permissions."""
    return replace(entry, custom_roles=[custom_role(permissions=[*permissions], base_permissions=[*added])])


def security(**values: Any) -> Entry:
    """Compliant security settings, but for what is given."""
    given = {
        "two_factor_required": True, "two_factor_settings": {"twofactor_auth_required": True},
        "sso": {"enabled": False, "required": False}, **values,
    }  # fmt: skip
    return Entry(Type.ORGANIZATION_SECURITY, "organization-security", "o:security", _set(given))


def login(**told: bool) -> dict[str, Any]:
    """What the roster tells people of the login."""
    return {"login": told}


OFF = {"twofactor_auth_required": False}
"""Mixpanel's settings without a second factor."""


def team(name: str, **values: Any) -> Entry:
    """A team."""
    return Entry(Type.TEAM, name, f"t:{name}", {"name": name, **values})


def team_grant(role: str = "analyst", team_id: Any = 77, project: int = 1234567, **values: Any) -> Entry:
    """A compliant role of a team, but for what is given."""
    given = {
        "team_id": team_id, "project_id": project, "role": role, "environment": "production",
        "engagement_type": "analytics_review", "justification": "Reviews", "approver": "ana@example.com", **values,
    }  # fmt: skip
    return Entry(Type.TEAM_GRANT, f"{project}:team/data", f"tg:{project}:{team_id}", _set(given))


def team_member(email: str = ROBIN, team_id: Any = 77, **values: Any) -> Entry:
    """A compliant place in a team, but for what is given."""
    given = {
        "email": email,
        "team_id": team_id,
        "status": "member",
        "team_projects": {"1234567": "analyst"},
        **METADATA,
    }
    given |= values
    return Entry(Type.TEAM_MEMBER, f"team/data:{email.casefold()}", f"tm:{team_id}:{email}", _set(given))


_NAMES = {"admin": "adam"}


def people(*roles: str) -> list[Entry]:
    """Colleagues with these organization roles."""
    return [
        member(f"{_NAMES.get(role, role)}{number}@example.com", role, engagement=None, engagement_type=None)
        for number, role in enumerate(roles)
    ]


def beside(*teams: Mapping[str, Any], environment: str = "staging", **facts: Any) -> dict[str, Any]:
    """What the component says of the roster staging.yaml: what it gives to teams, with the projects that it has."""
    shared = [{"team": "Data", "file": f"{environment}.yaml", "environment": environment, **one} for one in teams]
    return {"neighbours": {"environments": {"2": environment}, "teams": shared, **facts}}


def gives(role: str, project: int = 2) -> dict[str, Any]:
    """A role that another roster gives to the team Data."""
    return {"type": Type.TEAM_GRANT.value, "project_id": project, "role": role}


def puts(email: str = ROBIN, **values: Any) -> dict[str, Any]:
    """Somebody whom another roster puts into the team Data."""
    return {"type": Type.TEAM_MEMBER.value, "email": email, "engagement_type": "analytics_review", **values}


def reaching(engagement: str = "Funnel review", *people: str, environment: str = "staging") -> dict[str, Any]:
    """Whom another roster gives something by one engagement."""
    fact = {"file": f"{environment}.yaml", "environment": environment, "engagement": engagement}
    return {"neighbours": {"reach": [{**fact, "people": list(people or (ROBIN,))}]}}


UNREAD = {"neighbours": {"unread": ["staging.yaml:2 cannot be read (x)"]}}


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


COMPLIANT = [
    *people("owner", "owner", "admin"),
    member(),
    member("ana@example.com", engagement=None, engagement_type=None, approver=None),
    grant(),
    account(),
    account_grant("production"),
    team("Data"),
    team_grant(),
    team_member(),
    custom_role(),
    security(discoverability="Closed"),
]


@dataclass(frozen=True)
class Case:
    """One stack and what a rule says of it.

    Attributes:
        entries: the resources.
        words: what the findings say, one text each; none means that it passes.
        options: the rule's configuration.
        roles: whether the roster declares organization roles; None where there is no roster.
        domains: the company's domains.
        environment: the stack's environment.
        exceptions: the stack's own.
        claimed: what another roster has too, in words.
        approvers: who may approve.
        contacts: the contacts of its service accounts who are in another roster.
        roster: what else the component says of the roster.
        settings: the stack's configuration, of what the guards are.
        plain: the secrets in it that are in plain text.
        off: the rules that are disabled.
    """

    entries: Sequence[Entry]
    words: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    roles: bool | None = True
    domains: str = "example.com"
    environment: str | None = "production"
    exceptions: Sequence[ExceptionEntry] = ()
    claimed: Sequence[str] = ()
    approvers: frozenset[str] = frozenset()
    contacts: Sequence[str] = ()
    roster: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    plain: Sequence[str] = ()
    off: Sequence[str] = ()

    def judge(self, rule_id: str) -> RuleVerdict:
        """What the rule says."""
        rule = find(rule_id)
        context = Context(
            TODAY,
            self.environment,
            frozenset(self.domains.split()),
            {**rule.defaults, **self.options},
            EXCEPTABLE,
            self.approvers,
        )
        context = replace(context, settings=self.settings, stack="production", off=self.off)
        facts = {"claimed_twice": list(self.claimed), "contacts_beside": list(self.contacts), **self.roster}
        facts["plain_secrets"] = self.plain
        return rule.judge_stack(Stack(self.entries, self.roles, self.exceptions, facts), context)


@dataclass(frozen=True)
class Cases:
    """All cases of a rule.

    Attributes:
        passes: they pass.
        fails: they do not.
        boundary: the last that passes and the first that fails.
        configured: options that make a passing one fail or a failing one pass.
    """

    fails: Sequence[Case]
    boundary: tuple[Case, Case]
    configured: Sequence[Case] = ()
    passes: Sequence[Case] = (Case(COMPLIANT),)


def _exception(**values: Any) -> dict[str, Any]:
    given = {
        "rule": "justified", "reason": "Under review", "approver": "ana@example.com", "ticket": "OPS-1",
        "starts": "2026-05-01", "ends": "2026-05-31",
    }  # fmt: skip
    return _set({**given, **values})


def exceptions(*rules: str, **values: Any) -> list[ExceptionEntry]:
    """Complete exceptions of the stack, but for what is given."""
    return [ExceptionEntry.of(_exception(rule=rule, **values)) for rule in rules]


CASES: dict[str, Cases] = {
    "company-domains-known": Cases(
        fails=[Case(COMPLIANT, ["companyDomains is not set"], domains="")],
        boundary=(Case([], domains="example.com"), Case([], ["not set"], domains="")),
    ),
    "domain-allowed": Cases(
        fails=[Case([member("x@other.example")], ["other.example is not an allowed domain"], {"domains": ["a.example"]})],
        boundary=(
            Case([member("x@A.example")], options={"domains": ["a.example"]}),
            Case([member("x@sub.a.example")], ["sub.a.example is not"], {"domains": ["a.example"]}),
        ),
        configured=[
            Case([member(), member("x@B.example")], ["b.example is not"], {"domains": ["Agency.example.org"]}),
        ],
    ),
    "no-consumer-mail": Cases(
        fails=[
            Case([member("robin@gmail.com")], ["gmail.com is a consumer mail provider"]),
            Case([member("robin@yahoo.co.uk"), member("robin@GMX.net")], ["yahoo.co.uk is a con", "gmx.net is a con"]),
            Case([member("robin@x.mailinator.com")], ["x.mailinator.com has throw-away mailboxes"]),
        ],
        boundary=(Case([member("robin@gmail.com.example")]), Case([member("robin@GMAIL.com")], ["consumer"])),
        configured=[
            Case([member()], ["agency.example.org is a consumer"], {"domains": ["agency.example.org"]}),
            Case([member(), member("x@gmail.com")], ["agency", "gmail.com is"], {"domains": ["agency.example.org"]}),
        ],
        passes=[Case(COMPLIANT), Case([member("a@gmx.agency.example"), member("a@yahoo.agency.com")])],
    ),
    "domain-misspelt": Cases(
        fails=[
            Case([member("robin@gmial.com")], ["gmial.com looks like gmail.com misspelt"]),
            Case([member("robin@exmaple.com")], ["exmaple.com looks like example.com misspelt"]),
        ],
        boundary=(Case([member("robin@exampl.co")]), Case([member("robin@exampl.com")], ["looks like example.com"])),
        passes=[Case(COMPLIANT), Case([member("robin@main.com"), member("robin@gmail.com"), member("robin@s.example.com")])],
        configured=[
            Case([member("robin@gmial.com")], options={"domains": ["gmial.com"]}),
            Case([member("robin@partnr.example")], ["like partner.example"], {"domains": ["partner.example"]}),
        ],
    ),
    "no-shared-mailbox": Cases(
        fails=[Case([member("info@agency.example.org")], ["info@ is a shared or robot mailbox"])],
        boundary=(Case([member("infanta@example.com")]), Case([member("Info+x@example.com")], ["info@ is a shared"])),
        configured=[
            Case([member()], ["robin@ is a shared"], {"names": ["Robin"]}),
            Case([member(), member("info@example.com")], ["robin@ is", "info@ is"], {"names": ["robin"]}),
        ],
    ),
    "perhaps-shared-mailbox": Cases(
        fails=[Case([member("dev@agency.example.org")], ["dev@ may be a shared or robot mailbox"])],
        boundary=(Case([member("dev.patel@example.com")]), Case([member("dev.2@example.com")], ["may be a shared"])),
    ),
    "external-not-privileged": Cases(
        fails=[Case([member(role=role)], [f"not be organization {role}"]) for role in ("owner", "admin", "billing_admin")]
        + [Case([member("a@example.com", "owner", kind="contractor")], ["a@example.com as organization owner"])],
        boundary=(
            Case([member("a@example.com", "owner", kind="employee")]),
            Case([member("a@sub.example.com", "owner")], ["somebody outside the company (as sub.example.com is not listed; if employees have it: pulumi config set"]),
        ),
        configured=[Case([member(role="billing_admin")], options={"roles": ["owner", "admin"]})],
    ),
    "organization-owners": Cases(
        fails=[
            Case(people("owner"), ["there are 1 organization owners (owner0@example.com)"]),
            Case([], ["there are 1 organization owners (ana@example.com, not declared here)"], roster={"owners": ["ana@example.com"]}),
            Case(
                [*people("owner", "owner", "owner"), member("kim@example.com", None)],
                ["there are 5 organization owners (owner0@example.com, owner1@example.com, owner2@example.com, kim@example"],
                roster={"owners": ["kim@example.com", "omar@example.com", "owner1@example.com"]},
            ),
        ],
        boundary=(Case(people(*["owner"] * 4)), Case(people(*["owner"] * 5), ["there are 5 organization owners"])),
        configured=[
            Case(people("owner"), options={"minimum": 1}),
            Case(people("owner", "owner"), ["should be 1 to 1"], {"minimum": 1, "maximum": 1}),
        ],
        passes=[
            Case(COMPLIANT),
            Case(people("owner"), roster={"owners": ["OWNER0@example.com", "kim@example.com"]}),
            Case([], roster={"owners": ["ana@example.com", "kim@example.com"]}),
            Case(people("admin", "admin"), roster={"owners": []}),  # where owners are called otherwise
            Case([member("a@example.com", "member"), *people("owner", "owner")], roster={"owners": ["a@example.com"]}),
        ],
    ),
    "organization-admins": Cases(
        fails=[Case(people(*["admin"] * 7), ["there are 7 organization admins"])],
        boundary=(Case(people(*["admin"] * 5)), Case(people(*["admin"] * 6), ["should be at most 5"])),
        configured=[Case(people("admin"), ["should be at most 0"], {"maximum": 0})],
    ),
    "no-duplicate-person": Cases(
        fails=[Case([member(), member("robin+x@agency.example.org")], ["is the same person as robin@agency.example.org"])],
        boundary=(
            Case([member(), member("robin@other.example.org")]),
            Case([member(), member("ROBIN@agency.example.org")], ["is the same person"]),
        ),
    ),
    "one-kind": Cases(
        fails=[
            Case(
                [member("kim@example.com", kind="contractor"), grant("kim@example.com")],
                ["kim@example.com as analyst in project 1234567: contractor in kim@example.com, and without a kind here"],
            ),
            Case(
                [member("kim@example.com")],
                ["contractor in staging.yaml, and without a kind here; write `kind: contractor` here too"],
                roster={"neighbours": {"kinds": [{"file": "staging.yaml", "email": "kim@example.com", "kind": "contractor"}]}},
            ),
        ],
        boundary=(
            Case([member("kim@example.com", kind="contractor"), grant("kim@example.com", kind="agency")]),
            Case([member("kim@example.com", kind="contractor"), grant("kim@example.com", kind="employee")], ["employee here"]),
        ),
        passes=[Case(COMPLIANT), Case([member(kind="agency"), grant()])],
    ),
    "grant-has-member": Cases(
        fails=[
            Case([grant()], ["declares no member for this person"]),
            Case([team_member()], ["robin@agency.example.org in team 77: the stack declares no member"]),
        ],
        boundary=(
            Case([member("ROBIN@agency.example.org"), grant()]),
            Case([member("robi@agency.example.org"), grant()], ["declares no member"]),
        ),
    ),
    "role-within-standard": Cases(
        fails=[
            Case([grant(role="admin")], ["type analytics_review needs analyst at most"]),
            Case([member(role="admin")], ["type analytics_review needs organization member at most"]),
            Case([grant(engagement_type="juggling")], ["'juggling' is not an engagement type; there are analytics_review"]),
            Case([team_grant("admin")], ["team 77 as admin in project 1234567: an engagement of type analytics_review"]),
            Case([team_member(engagement_type="juggling")], ["'juggling' is not an engagement type"]),
            Case([grant(engagement_type=None)], ["the engagement Funnel review has no type, which somebody outside the"]),
            Case([member(engagement=None, engagement_type=None)], ["there is no engagement with a type, which some"]),
        ],
        boundary=(
            Case([grant(role="admin", engagement_type="implementation", environment="staging"), member(role=None)]),
            Case([grant(role="admin", engagement_type="implementation")], ["needs analyst at most"]),
        ),
        configured=[
            Case([grant(role="admin")], options={"standards": {"analytics_review": {"production": "admin"}}}),
            Case([grant(engagement_type="juggling")], ["needs consumer"], {"standards": {"juggling": {}}}),
        ],
        passes=[
            Case(COMPLIANT),
            Case([grant("a@example.com", "owner", engagement_type=None), grant("a@example.com", CUSTOM, engagement_type=None)]),
        ],
    ),
    "external-within-limit": Cases(
        fails=[
            Case([grant(role="admin", engagement_type="administration")], ["outside the company (example.com) has analyst at most here"]),
            Case([grant("a@example.com", "admin", kind="agency")], ["outside the company (kind: agency) has analyst"]),
            Case([grant(role="owner", environment="staging")], ["outside the company (example.com) has admin at most here"]),
            Case([grant(role="admin", kind="agency")], ["(kind: agency) has analyst"], domains=""),
        ],
        boundary=(
            Case([grant(role="admin", environment="staging"), grant("a@example.com", "owner")]),
            Case([grant(role="admin", environment=None)], ["has analyst at most here"]),
        ),
        configured=[
            Case([grant(role="admin")], options={"externalInProduction": "admin"}),
            Case([grant(environment="staging")], ["has consumer at most"], {"externalElsewhere": "consumer"}),
        ],
    ),
    "collaborator-not-project-owner": Cases(
        fails=[Case([grant(role="owner")], ["a collaborator may not own a project"])],
        boundary=(
            Case([grant("ana@example.com", "owner")]),
            Case([grant("ana@example.com", "owner", kind="auditor")], ["may not own"]),
        ),
    ),
    "team-within-standard": Cases(
        fails=[
            Case([team_grant("admin"), team_member()], ["in project 1234567, through a team: an engagement of type anal"]),
            Case(
                [team_grant("owner"), team_member(engagement_type=None)],
                ["robin@agency.example.org as owner in project 1234567, through a team: a collaborator may not own"],
            ),
            Case(
                [team_member(team_projects={"1234567": "admin"})],
                ["as admin in project 1234567, through a team (Mixpanel shows it): an engagement of type analytics_review"],
            ),
            Case(
                [team("Data", team_projects={"9": "owner"}), replace(team_member(team_id=UNKNOWN, team_projects=None), sources={"team_id": ["t:Data"]})],
                ["as owner in project 9, through a team (Mixpanel shows it): a collaborator may not own"],
            ),
            Case(
                [team_member("ana@example.org", engagement_type=None, organization_role="admin")],
                ["ana@example.org as organization admin, through a team (Mixpanel shows it): somebody outside the company"],
            ),
            Case(
                [team("DATA", team_id=77), team_member()],
                ["as admin in project 2, through a team (staging.yaml gives it): an engagement of type analytics"],
                roster=beside(gives("admin")),
            ),
            Case(
                [team("Data", team_id=77), team_grant("admin")],
                ["as admin in project 1234567, through a team (staging.yaml puts them there): an engagement of"],
                roster=beside(puts()),
            ),
        ],
        boundary=(
            Case([team_grant("admin"), team_grant(project=2), team_member(team_id=78), team_member(team_id="data")]),
            Case([team_grant(), team_grant("admin", project=2), team_member()], ["as admin in project 2, through a team"]),
        ),
        passes=[
            Case(COMPLIANT),
            Case([team_grant("analyst"), team_member(team_projects={"1234567": "admin"})]),  # which becomes analyst
            Case([team("Data", team_id=77), team_member()], roster=beside(gives("analyst"))),
            Case(
                [team("Other", team_id=77), team_member(), team_grant()],
                roster=beside(gives("admin"), puts(engagement_type="audit")),
            ),
            Case(
                [team_member(engagement_type="implementation", team_projects={"2": "admin"})],
                roster=beside(),  # staging, where this type may be admin
            ),
            Case([team_member("ana@example.com", engagement_type=None, engagement=None, organization_role="admin")]),
        ],
        configured=[
            Case(
                [team_grant("admin"), team_member()],
                ["somebody outside the company (example.com) has analyst at most here"],
                {"standards": {"analytics_review": {"production": "admin"}}},
            ),
            Case(
                [team_grant("admin"), team_member()],
                options={"standards": {"analytics_review": {"production": "admin"}}, "externalInProduction": "admin"},
            ),
            Case(
                [team_grant("admin", environment="staging"), team_member(engagement_type="implementation")],
                ["somebody outside the company (example.com) has analyst at most here"],
                {"externalElsewhere": "analyst"},
            ),
        ],
    ),
    "admin-has-reason": Cases(
        fails=[
            Case([team_grant("admin", approver=None)], ["team 77 as admin in project 1234567: admin needs a reason"]),
            Case([grant(role="admin", justification=None)], ["admin needs a reason and a named approver; there is no just"]),
            Case([member(role="owner", approver=None, justification=" ")], ["no justification and no approver"]),
        ],
        boundary=(
            Case([grant(role="analyst", approver=None, justification=None)]),
            Case([grant(role="admin", approver=None)], ["there is no approver"]),
        ),
    ),
    "justified": Cases(
        fails=[
            Case([grant(justification=None)], ["analyst and above need a justification"]),
            Case([team_grant(justification=None)], ["analyst and above need a justification"]),
        ],
        boundary=(
            Case([grant(role="consumer", justification=None)]),
            Case([grant(role="analyst", justification="")], ["and there is none"]),
        ),
        configured=[
            Case([grant(justification=None)], options={"lowest": "admin"}),
            Case([grant(role=CUSTOM, justification=None)], ["owner and above"], {"lowest": "owner"}),
        ],
    ),
    "approver-is-another": Cases(
        fails=[
            Case([grant(approver=ROBIN.upper())], ["the approver is the person themselves"]),
            Case([grant(approver="the boss")], ["'the boss' is not an e-mail address"]),
            Case([team_member(approver=ROBIN)], ["the approver is the person themselves"]),
            Case([team_grant(approver="a@agency.example.org")], ["is not of the company"]),
        ],
        boundary=(
            Case([grant(approver=None), member(approver="a@EXAMPLE.com")]),
            Case([grant(approver="a@eu.example.com")], ["a@eu.example.com is not of the company"]),
        ),
    ),
    "approver-known": Cases(
        fails=[
            Case([member(), grant()], ["the approver ana@example.com (of robin@agency.example.org) is not a member that"]),
            Case([team_grant()], ["the approver ana@example.com (of team 77 as analyst in project 1234567) is not a member"]),
            Case([account()], ["the approver ana@example.com (of etl.1a2b3c.mp-service-account) is not a member"]),
            Case(
                [member("ana@example.com", kind="contractor", approver=None), grant(), team_member()],
                ["ana@example.com (of robin@agency.example.org) is declared as contractor, and not of the company"],
            ),
        ],
        boundary=(
            Case([member("Ana@example.com"), grant(), grant(project=2, approver="ana+x@example.com")]),
            Case([member("una@example.com", approver=None), grant()], ["mixpanel:approvers ana@example.com"]),
        ),
        passes=[Case([*COMPLIANT]), Case([grant()], approvers=frozenset({"ana@example.com"}))],
    ),
    "no-mutual-approval": Cases(
        fails=[
            Case(
                [member("a@example.com", "owner", approver="b@example.com"), member("b@example.com", "admin", approver="a@example.com")],
                ["a@example.com as organization owner: approved by b@example.com, whose own b@example.com as organization"],
            ),
            Case(
                [grant("a@example.com", "owner", approver="b@example.com"), team_grant("admin"), team_member("b@example.com", approver="a+x@example.com")],
                ["approved by b@example.com, whose own b@example.com in team 77 they approved"],
            ),
        ],
        boundary=(
            Case(
                [member(f"{one}@example.com", "owner", approver=f"{other}@example.com") for one, other in ("ab", "bc", "ca")]
                + [grant("b@example.com", approver="a@example.com")]
            ),
            Case(
                [grant("a@example.com", "admin", approver="b@example.com"), grant("b@example.com", "admin", approver="a@example.com")],
                ["approved by b@example.com"],
            ),
        ),
    ),
    "no-redundant-grant": Cases(
        fails=[
            Case(
                [grant(grant_types=["team", "individual"], effective_role="admin")],
                ["gives nothing; admin comes through team already"],
            ),
            Case(
                [grant(grant_types=["organization_role", "individual"], effective_role="owner")],
                ["owner comes through organization role"],
            ),
        ],
        boundary=(
            Case([grant(grant_types=["team", "individual"], effective_role="analyst")]),
            Case([grant(role="consumer", grant_types=["team", "individual"], effective_role="analyst")], ["gives nothing"]),
        ),
        passes=[Case(COMPLIANT), Case([grant(role=CUSTOM, grant_types=["team"], effective_role="analyst")])],
    ),
    "admin-needed": Cases(
        fails=[Case([member(role="admin"), grant()], ["the declared grants ask for analyst at most"])],
        boundary=(
            Case([member(role="admin"), grant(), grant(role="admin", project=2)]),
            Case([member(role="admin"), grant(role="consumer"), grant(project=2)], ["ask for analyst"]),
        ),
        passes=[Case(COMPLIANT), Case([member(role="admin")])],
    ),
    "own-environment": Cases(
        fails=[
            Case([grant(environment="staging")], ["the project is staging, and this stack holds production"]),
            Case([team_grant(environment="staging")], ["the project is staging, and this stack holds production"]),
        ],
        boundary=(
            Case([grant(environment="staging"), custom_role(environment="staging")], environment="staging"),
            Case(
                [grant(environment=None), custom_role(environment=None)],
                ["environment is not declared", "custom role Support in project 1234567: the project's environment"],
            ),
        ),
    ),
    "custom-role-permissions": Cases(
        fails=[
            Case(
                [custom_role(permissions=["view_classified_data", "export"], base_permissions=["classified"])],
                ["custom role Support in project 1234567: it gives view_classified_data, classified"],
            )
        ],
        boundary=(
            Case([custom_role(permissions=["view_classifie"]), custom_role(permissions=[], base_permissions=None)]),
            Case([custom_role(permissions=["classified"])], ["it gives classified"]),
        ),
        configured=[
            Case([custom_role()], ["it gives export"], {"denied": ["export.*"]}),
            Case([custom_role(permissions=["classified"])], options={"denied": []}),
        ],
    ),
    "classified-data-justified": Cases(
        fails=[
            Case([sensitive(grant(role=CUSTOM, justification=None))], ["the role lets people see classified data"]),
            Case([sensitive(grant(role=CUSTOM, justification="tbd"))], ["there is no justification"]),
            Case([sensitive(team_grant(CUSTOM, justification=""))], ["team 77 as"]),
            Case([sensitive(account_grant("production", role=CUSTOM))], ["lets people see classified data"]),
            Case(
                [sensitive(team_grant(CUSTOM)), team_member(justification=None, team_projects={"1234567": CUSTOM})],
                ["through a team: the role lets them see classified data, and there is no justification of their place"],
            ),
            Case(
                [sensitive(grant(role=CUSTOM, justification=None), permissions=["export"], added=["See_Classified"])],
                ["the role lets people see classified data"],
            ),
        ],
        passes=[
            Case(COMPLIANT),
            Case([grant(role=CUSTOM)]),
            Case([grant(role="owner", justification=None)]),
            Case([sensitive(team_grant(CUSTOM)), team_member(team_projects={"1234567": CUSTOM})]),
        ],
        boundary=(
            Case([sensitive(grant(role=CUSTOM, justification=None), permissions=["class_data"])]),
            Case([sensitive(grant(role=CUSTOM, justification=None), permissions=["view_classified"])], ["classified"]),
        ),
    ),
    "no-open-discoverability": Cases(
        fails=[Case([security(discoverability="Open")], ["discoverability is Open: anybody with an address"])],
        passes=[Case(COMPLIANT), Case([security(discoverability="Request")]), Case([security()])],
        boundary=(
            Case([security(discoverability="Closed")]),
            Case([security(discoverability="Open")], ["joins it without being invited"]),
        ),
    ),
    "second-factor-required": Cases(
        fails=[
            Case([security(two_factor_required=False)], ["a password alone lets people in"]),
            Case([security(two_factor_required=None, two_factor_settings=OFF)], ["a second factor is not required"]),
            Case(people("owner"), ["no security settings are declared, so nothing shows"]),
            Case([security()], ["login says that a second factor is not required, and it is"], roster=login(mfa_required=False)),
            Case(
                [security(two_factor_required=False, sso={"enabled": True, "required": True})],
                ["login says that a second factor is required, and it is not"],
                roster=login(mfa_required=True, sso_required=True),
            ),
            Case([security()], ["login says that single sign-on is required, and it is not"], roster=login(sso_required=True)),
        ],
        configured=[Case(people("owner"), options={"declared": False})],
        passes=[
            Case(COMPLIANT),
            Case([security()], roster=login(mfa_required=True, sso_required=False)),
            Case(people("admin"), roles=False),
            Case(people("admin"), roles=None),
        ],
        boundary=(
            Case([security(two_factor_required=False, sso={"enabled": True, "required": True})]),
            Case([security(two_factor_required=False, sso={"enabled": True, "required": False})], ["a password alone"]),
        ),
    ),
    "external-in-one-environment": Cases(
        fails=[
            Case(
                [grant(), grant(project=2, environment="staging")],
                ["reaches production and staging through the engagement 'Funnel review'"],
            ),
            Case([grant()], ["reaches production and staging (staging.yaml) through the engagement"], roster=reaching()),
            Case([grant(engagement=None)], ["staging (staging.yaml) without an engagement"], roster=reaching("")),
            Case([team_member()], ["through the engagement 'Funnel review'"], roster=reaching()),
            Case(
                [grant(environment="staging", project=2), team_member(team_projects={"9": "consumer"})],
                ["in project 9: reaches production and staging through"],
                environment="staging",
            ),
        ],
        boundary=(
            Case([grant(), grant(project=2, environment="staging", engagement="Another")], roster=reaching("Another")),
            Case(
                [grant(engagement=None), grant(ROBIN.upper(), project=2, environment="staging", engagement=None)],
                ["without an engagement"],
            ),
        ),
        configured=[
            Case([grant(), grant(project=2, environment="staging")], options={"engagements": ["Funnel review"]})
        ],
        passes=[
            Case(COMPLIANT),
            Case([grant("ana@example.com"), grant("ana@example.com", project=2, environment="staging")]),
            Case([grant("ana@example.com")], roster=reaching("Funnel review", "ana@example.com")),
            Case([grant()], roster=reaching(environment="production")),
            Case([grant()], roster=reaching("Funnel review", "kim@agency.example.org")),
            Case([grant("ana@example.com")], roster=UNREAD),
        ],
    ),
    "team-in-own-environment": Cases(
        fails=[
            Case(
                [team_grant(project=2, environment="staging"), team_member()],
                ["as analyst in project 1234567, through a team (Mixpanel shows it): this is production, and this stack h"],
                environment="staging",
            ),
            Case(
                [team("Data", team_id=77), team_member("ana@example.com", team_projects={})],
                ["in project 1, through a team (production.yaml gives it): this is production"],
                environment="staging",
                roster=beside(gives("consumer", 1), environment="production"),
            ),
            Case(
                [team_member(team_projects={}, organization_role="admin")],
                ["as organization admin, through a team (Mixpanel shows it): this is production"],
                environment="staging",
            ),
            Case(
                [team("Data", team_id=77), team_grant()],
                ["ana@example.com as analyst in project 1234567, through a team (staging.yaml puts them there): that stack"],
                roster=beside(puts("ana@example.com")),
            ),
        ],
        boundary=(
            Case(
                [team_grant(project=2, environment="staging"), team_member(team_projects={"2": "analyst"})],
                environment="staging",
            ),
            Case([team_member(team_projects={"3": "consumer"})], ["this is production, and this"], environment="staging"),
        ),
        passes=[
            Case(COMPLIANT),
            Case([team_member(team_projects={"2": "admin"})], environment="staging", roster=beside()),
            Case([team("Data", team_id=77), team_grant()], roster=beside(puts(), environment="production")),
            Case([team_member(team_projects={}, organization_role="member")], environment="staging"),
        ],
    ),
    "service-account-in-one-environment": Cases(
        fails=[
            Case([account_grant("production"), account_grant("staging", 2)], ["account etl: reaches production and st"]),
            Case([by_id(9001)], ["1234567:etl: this stack does not make service account 9001"]),
        ],
        passes=[Case(COMPLIANT), Case([account(account_id=9001), by_id(9001)])],
        boundary=(
            Case([account_grant("production"), account_grant("staging", 2, "other")]),
            Case([account_grant("production"), account_grant(None, 2)], ["an undeclared environment"]),
        ),
    ),
    "no-all-users-in-production": Cases(
        fails=[
            Case(
                [grant(grant_types=["individual", "all_users"]), grant("a@example.com", grant_types=["all_users"])],
                ["project 1234567: everybody in the organization has access"],
            ),
            Case([team_grant(open_to_all_users=True)], ["project 1234567: everybody in the organization has access"]),
            Case([grant(grant_types=None, open_to_all_users=True)], ["project 1234567: everybody"]),
            Case([grant(open_to_all_users=True)], ["project 1234567: everybody"]),  # who is invited has not all ways yet
        ],
        passes=[
            Case(COMPLIANT),
            Case([team_grant(environment="staging", open_to_all_users=True)]),
            Case([team_grant(open_to_all_users=False), grant(grant_types=None, open_to_all_users=False)]),
        ],
        boundary=(
            Case([grant(environment="staging", grant_types=["all_users"])]),
            Case([grant(environment=None, grant_types=["all_users"])], ["everybody"]),
        ),
    ),
    "production-has-paperwork": Cases(
        fails=[
            Case([grant(ticket=None, sow=None)], ["needs more than it has: there is no ticket, no sow"]),
            Case([team_member(sow=None)], ["needs more than it has: there is no sow"]),
            Case([grant("a@example.com", sow=None, kind="agency")], ["there is no sow"]),
            Case([grant("a@example.com", sow=None)], ["there is no sow"], domains=""),
        ],
        boundary=(
            Case([grant(environment="staging", ticket=None), grant("a@example.com", sow=None)]),
            Case([grant(ticket=" ")], ["there is no ticket"]),
        ),
        configured=[
            Case([grant(ticket=None)], options={"fields": ["approver", "sow"]}),
            Case([grant(sow=None)], options={"externalFields": []}),
            Case([grant("a@example.com", sow=None)], ["there is no sow"], {"fields": ["sow"]}),
            Case([grant()], ["there is no notes"], {"fields": ["notes"]}),
        ],
    ),
    "organization-roles-in-one-stack": Cases(
        fails=[
            Case(people("admin"), ["this stack does not declare organization roles"], roles=False),
            Case([security()], ["organization-security: this stack does not own the organization's"], roles=False),
        ],
        boundary=(
            Case([member(role="member"), member("x@example.com", None)], roles=False),
            Case(people("billing_admin"), ["does not declare"], roles=False),
        ),
    ),
    "rosters-apart": Cases(
        fails=[Case([], ["staging.yaml:2 has it too"], claimed=["production.yaml:2 has it, staging.yaml:2 has it too"])],
        boundary=(
            Case([], exceptions=exceptions("rosters-apart", ends="2026-05-04"), claimed=["x"]),
            Case([], ["x"], exceptions=exceptions("rosters-apart", ends="2026-05-03"), claimed=["x"]),
        ),
    ),
    "external-access-ends": Cases(
        fails=[
            Case([member(ends=None)], ["has access without an end"]),
            Case([grant(ends="")], ["without an end"]),
            Case([team_member(ends=None)], ["without an end"]),
        ],
        boundary=(
            Case([member("ana@example.com", ends=None)]),
            Case([member("ana@xexample.com", ends=None)], ["outside the company"]),
        ),
    ),
    "longest-duration": Cases(
        fails=[
            Case([grant(ends="2027-04-01")], ["it lasts 366 days, from 2026-04-01 to 2027-04-01", ]),
            Case([grant("ana@example.com", ends="2027-04-01")], ["an engagement of type analytics_review lasts at most 90"]),
            Case([member(since="2025-06-15")], ["it lasts 366 days in all, from 2025-06-15, the first day in the state (starts says 2026-04-01"]),
            Case([member(starts=None, since="2026-03-01")], ["it lasts 107 days, from 2026-03-01 to 2026-06-15"]),
        ],
        boundary=(
            Case([grant(starts="2026-04-01", ends="2026-06-29")]),
            Case([grant(starts="2026-04-01", ends="2026-06-30")], ["it lasts 91 days"]),
        ),
        configured=[
            Case([grant(engagement_type=None)], ["external access lasts at most 30"], {"days": 30}),
            Case([grant()], ["at most 10"], {"standards": {"analytics_review": {"longest_days": 10}}}),
            Case([member(since="2026-04-01")], ["it lasts 76 days in all"], {"totalDays": 75}),
        ],
        passes=[
            Case(COMPLIANT),
            Case([grant(starts=None, ends="2026-08-01"), grant("ana@example.com", ends="2036-01-01", engagement_type=None), grant(ends="soon")]),
            Case([member(since="2025-06-16")]),
        ],
    ),
    "not-expired": Cases(
        fails=[Case([member(ends="2026-04-30")], ["the access ended on 2026-04-30 and is still declared"])],
        boundary=(
            Case([grant(ends="2026-05-04"), team("Data", ends="2026-05-04")]),
            Case([grant(ends="2026-05-03"), team("Data", ends="2026-05-03")], ["ended on 2026-05-03"] * 2),
        ),
    ),
    "ending-soon": Cases(
        fails=[
            Case([member(ends="2026-05-04")], ["the access ends today, on 2026-05-04"]),
            Case([team("Data", ends="2026-05-05")], ["Data: the access ends in 1 day, on 2026-05-05"]),
        ],
        boundary=(Case([member(ends="2026-05-19")]), Case([member(ends="2026-05-18")], ["ends in 14 days"])),
        configured=[Case([member(ends="2026-05-18")], options={"days": 13})],
        passes=[Case(COMPLIANT), Case([member(ends="2026-05-03")])],
    ),
    "starts-before-ends": Cases(
        fails=[
            Case([member(starts="2026-07-01")], ["it ends on 2026-06-15, before it starts on 2026-07-01"]),
            Case([team("Data", starts="2026-07-01", ends="2026-06-15")], ["it ends on 2026-06-15, before it starts"]),
        ],
        boundary=(
            Case([grant(starts="2026-05-04", ends="2026-05-04")]),
            Case([grant(starts="2026-05-05", ends="2026-05-04")], ["before it starts"]),
        ),
    ),
    "short-engagement": Cases(
        fails=[Case([grant(starts="2026-05-01", ends="2026-05-03")], ["for 3 days as analyst, sharing a screen"])],
        boundary=(
            Case([grant(starts="2026-05-01", ends="2026-05-14")]),
            Case([grant(starts="2026-05-01", ends="2026-05-13")], ["for 13 days"]),
        ),
        configured=[Case([grant(starts="2026-05-01", ends="2026-05-13")], options={"days": 13})],
        passes=[
            Case(COMPLIANT),
            Case([grant(role="admin", ends="2026-04-02"), grant(role=CUSTOM, ends="2026-04-02"), grant(ends="2026-03-01")]),
        ],
    ),
    "review-due": Cases(
        fails=[
            Case([member(reviewed="2026-01-31")], ["it was reviewed on 2026-01-31, 93 days ago"]),
            Case([member(starts=None)], ["nobody knows when it was last reviewed"]),
            Case([member(reviewed=str(TODAY)), grant(reviewed="2026-01-31")], ["in project 1234567: it was reviewed on"]),
        ],
        boundary=(
            Case([member(starts="2026-02-01")]),
            Case([member(starts="2026-01-31")], ["begun on 2026-01-31, 93 days ago, and not reviewed since"]),
        ),
        configured=[Case([member()], ["due every 30 days"], {"days": 30})],
        passes=[Case(COMPLIANT), Case([member(starts="2025-01-01", reviewed="2026-02-01")])],
    ),
    "review-not-ahead": Cases(
        fails=[Case([member(reviewed="2027-05-04")], ["it was reviewed on 2027-05-04, which is still to come"])],
        boundary=(
            Case([grant(reviewed="2026-05-05")]),
            Case([grant(reviewed="2026-05-06"), team_member(reviewed="2026-05-06")], ["still to come"] * 2),
        ),
    ),
    "privileged-ends-or-reviewed": Cases(
        fails=[
            Case([member("ana@example.com", "admin", starts=None, ends=None)], ["it has no end and was not reviewed; a privileged role ends with"]),
            Case([member("ana@example.com", "owner", ends=None, reviewed="2027-01-01")], ["it has no end and was reviewed on 2027-01-01"]),
            Case([team_grant("admin"), team_member("ana@example.com", starts=None, ends=None)], ["through a team"]),
            Case([grant("ana@example.com", "admin", starts=None, ends="2036-01-01")], ["it ends on 2036-01-01 and was not reviewed"]),
        ],
        boundary=(
            Case([member("ana@example.com", "owner", ends=None, reviewed="2026-02-01")]),
            Case([member("ana@example.com", "owner", ends=None, reviewed="2026-01-31")], ["was reviewed on 2026-01-31; a priv"]),
        ),
        configured=[
            Case([member("ana@example.com", "admin", starts=None)], ["ends within 30 days"], {"endDays": 30}),
            Case([member("ana@example.com", "admin", ends=None, reviewed="2026-01-31")], options={"reviewDays": 93}),
        ],
        passes=[
            Case(COMPLIANT),
            Case([member("ana@example.com", "admin", starts="2026-02-01", ends=None)]),
            Case([member("ana@example.com", "admin", ends="2027-05-04"), member("ana@example.com", ends=None)]),
            Case([grant("ana@example.com", "admin", ends=None, environment="staging"), grant("ana@example.com", ends=None)]),
            Case([member(role="admin", ends=None)]),
        ],
    ),
    "naming": Cases(
        fails=[
            Case([Entry(Type.MEMBER, "Robin Doe", values={"email": ROBIN})], ["'Robin Doe', is not of the form"]),
            Case([account("ETL_Bot")], ["the name of the service account, 'ETL_Bot'"]),
        ],
        boundary=(
            Case([Entry(Type.GRANT, "1:robin+x@a.example", values={"email": ROBIN}), account("e-t-l"), team("D")]),
            Case([Entry(Type.GRANT, "1:robin X", values={"email": ROBIN})], ["the name of the resource, '1:robin X'"]),
        ),
        configured=[
            Case([member()], ["is not of the form x+"], {"resources": "x+"}),
            Case([team("Data")], ["the name of the team, 'Data', is not of the form team-.*"], {"teams": "team-.*"}),
            Case([account("ETL")], options={"serviceAccounts": "[A-Z]+"}),
        ],
    ),
    "service-account-expires": Cases(
        fails=[Case([account(expires=None)], ["it never expires"]), Case([account(expires="never")], ["is not a date"])],
        boundary=(
            Case([account(expires="2027-05-04T00:00:00Z")]),
            Case([account(expires="2027-05-05T00:00:00Z")], ["in 366 days; it may live 365 days"]),
        ),
        configured=[Case([account()], ["it may live 30 days"], {"days": 30})],
    ),
    "secrets-are-secret": Cases(
        fails=[Case([Entry(Type.SERVICE_ACCOUNT, "etl", values={"token": "t"})], ["its token is in the state in plain"])],
        boundary=(
            Case([Entry(Type.SERVICE_ACCOUNT, "etl", values={"token": "[secret]"}), account()]),
            Case([Entry(Type.SERVICE_ACCOUNT, "e", values={"token": "[secret"})], ["in plain text"]),
        ),
        configured=[
            Case([account(key="k")], ["its key is"], {"properties": ["key"]}),
            Case([Entry(Type.SERVICE_ACCOUNT, "etl", values={"token": "t"})], options={"properties": []}),
        ],
    ),
    "metadata-well-formed": Cases(
        fails=[Case([grant(ticket="4711")], ["ticket '4711' is not of the form [A-Z][A-Z0-9]+-[0-9]+, which the option `ticket` of metadata-well-formed"]), Case([member(sow="14")], ["sow '14'"])],
        boundary=(Case([grant(ticket="A1-1", sow=None)]), Case([grant(ticket="A-1")], ["'A-1' is not"])),
        configured=[
            Case([grant(ticket="4711")], options={"ticket": "[0-9]+"}),
            Case([grant()], ["is not of the form x"], {"sow": "x"}),
        ],
    ),
    "dormant-account": Cases(
        fails=[
            Case(
                [member(last_login="2026-01-01T00:00:00Z", starts=None)],
                [f"{ROBIN} as organization member: as of the last refresh, the last login was on 2026-01-01, 123 days ago"],
            ),
            Case([account(last_used="2026-01-01T00:00:00Z")], ["it was last used on 2026-01-01, 123 days ago"]),
            Case([account(created="2026-01-01T00:00:00Z")], ["no use of it is known since it was made on 2026-01-01"]),
        ],
        boundary=(
            Case([member(last_login="2026-02-03T00:00:00Z", starts="2027-01-01"), account(last_used="2026-02-03T23:00:00Z")]),
            Case([member(last_login="2026-02-02T23:59:59Z", starts="2027-01-01")], ["91 days ago"]),
        ),
        configured=[Case([member(starts=None)], ["3 days ago"], {"days": 2})],
        passes=[
            Case(COMPLIANT),
            Case([member(last_login="2026-01-01T00:00:00Z", starts="2026-05-01")]),  # here again
            Case([member(last_login="2026-01-01T00:00:00Z", starts=None, status="pending")]),
            Case([account(created="2026-01-01T00:00:00Z", status="expired")]),
        ],
    ),
    "invitation-stale": Cases(
        fails=[
            Case(
                [member(status="expired", invited_at="2026-05-01T00:00:00Z", first_invited_at="2026-04-01T00:00:00Z")],
                ["the first invitation was sent on 2026-04-01, 33 days ago, and nobody has accepted one"],
            ),
            Case([member(status="pending", invited_at="2026-04-01T00:00:00Z")], ["was sent on 2026-04-01"]),
        ],
        boundary=(
            Case([member(status="pending", invited_at="2026-04-13T00:00:00Z")]),
            Case([member(status="pending", invited_at="2026-04-12T00:00:00Z")], ["22 days ago"]),
        ),
        configured=[Case([member(status="pending", invited_at="2026-05-01T00:00:00Z")], ["3 days ago"], {"days": 2})],
        passes=[Case(COMPLIANT), Case([member(invited_at="2026-01-01T00:00:00Z"), member(status="pending")])],
    ),
    "break-glass-ready": Cases(
        fails=[
            Case(
                [*people("owner"), member("owner1@example.com", "owner", status="pending", ends=None)],
                ["1 organization owner can get in from today until 2026-05-18 (owner1@example.com is pending)"],
            ),
            Case([member("a@example.com", "owner", status="deactivated", ends=None)], ["0 organization owners can get in"]),
        ],
        boundary=(
            Case([member(f"{name}@example.com", "owner", ends="2026-05-18") for name in "ab"]),
            Case([*people("owner"), member("b@example.com", "owner", ends="2026-05-17")], ["1 organization owner can"]),
        ),
        configured=[
            Case(people("owner"), options={"minimum": 1}),
            Case(people("owner", "owner"), ["0 organization owners can get in"], {"days": 60}),
        ],
    ),
    "duties-apart": Cases(
        fails=[
            Case(
                [grant(sponsor="Ana+x@example.com"), grant(project=2, sponsor="ana@example.com"), team_grant()],
                [f"ana@example.com is sponsor and approver of the access of {ROBIN}"],
            ),
            Case([team_grant(sponsor="ana@example.com")], ["of the access of 1234567:team/data"]),
            Case(
                [member(sponsor="ana@example.com"), team_member(sponsor="bo@example.com", approver="bo@example.com")],
                [f"ana@example.com is sponsor and approver of the access of {ROBIN}", "bo@example.com is sponsor"],
            ),
        ],
        boundary=(
            Case([member(sponsor="anna@example.com"), member(approver=None, sponsor="ana@example.com")]),
            Case([member(sponsor="ANA@example.com")], ["ana@example.com is sponsor and approver"]),
        ),
    ),
    "most-external": Cases(
        fails=[Case([member(f"p{n}@agency.example.org") for n in range(30)], ["30 people from outside the company"])],
        boundary=(
            Case([member(f"p{n}@agency.example.org") for n in range(25)] + [member("P1+x@agency.example.org")]),
            Case([member(f"p{n}@agency.example.org") for n in range(26)], ["and there should be at most 25"]),
        ),
        configured=[Case([member()], ["1 people from outside"], {"maximum": 0})],
    ),
    "service-account-owned": Cases(
        fails=[
            Case([account(justification=None, sponsor=" ")], ["it has no purpose and no contact"]),
            Case([account(sponsor="ana")], ["its contact 'ana' is not an e-mail address"]),
            Case([account(sponsor="team@example.com")], ["is a shared mailbox"]),
            Case([account(sponsor=ROBIN)], ["its contact robin@agency.example.org is not of the company: agency.example.org"]),
        ],
        boundary=(Case([account(justification="x")]), Case([account(justification="")], ["it has no purpose"])),
    ),
    "service-account-contact-known": Cases(
        fails=[
            Case([account()], ["its contact owner0@example.com is not a member in this stack"]),
            Case([account(), member("owner0@example.com", kind="contractor")], ["owner0@example.com is contractor"]),
            Case([account(), member("owner0@example.com", status="deactivated")], ["the identity provider keeps them out"]),
            Case([account(), member("owner0@example.com", status="expired")], ["they never accepted the invitation"]),
        ],
        boundary=(
            Case([account(), member("Owner0+x@example.com")]),
            Case([account(), account("old", account_id=5)], ["etl.1a2b3c.mp-service-account: its contact owner0@"]),
        ),
        passes=[
            Case(COMPLIANT),
            Case([account()], contacts=["owner0@example.com"]),
            Case([account()], approvers=frozenset({"owner0@example.com"})),
            Case([account(sponsor=None)]),
            Case([account(), member("owner0@example.com", status="pending")]),
        ],
    ),
    "service-account-contact-left": Cases(
        fails=[
            Case([account(account_id=5)], ["its contact owner0@example.com is not a member in this stack"]),
            Case([account(account_id=5), member("owner0@example.com", kind="agency")], ["owner0@example.com is agency"]),
        ],
        boundary=(
            Case([account(account_id=5)], contacts=["owner0@example.com"]),
            Case([account(account_id=5), account("new")], ["etl.1a2b3c.mp-service-account: its contact owner0@"]),
        ),
    ),
    "service-account-approved": Cases(
        fails=[
            Case([account(role="admin", approver=None)], ["admin needs a purpose and an approver; there is no approver"]),
            Case([account_grant("production", role="owner")], ["there is no purpose and no approver"]),
            Case([account_grant("production", role=CUSTOM, justification="x")], ["there is no approver"]),
            Case([account(approver="Owner0@example.com")], ["its contact owner0@example.com is its approver too"]),
            Case([account(approver=ROBIN)], ["is not of the company"]),
        ],
        boundary=(
            Case([account(approver=None), account_grant("production", role="analyst", approver=ROBIN)]),
            Case([account_grant("production", role="admin", justification="x")], ["admin needs a purpose"]),
        ),
    ),
    "service-account-has-paperwork": Cases(
        fails=[Case([account(ticket=None, approver=None)], ["needs ticket, approver; there is no ticket and no approver"])],
        boundary=(
            Case([account(ticket=None)], environment="staging"),
            Case([account(ticket=None)], ["there is no ticket"]),
        ),
        configured=[Case([account()], ["there is no sow"], {"fields": ["sow"]})],
    ),
    "service-accounts-privileged": Cases(
        fails=[
            Case([account("a", role="admin"), account("b", organization_role="owner")], ["there are 2 service accounts"]),
            Case([account(role="admin")], ["etl is organization admin, and this stack does not declare"], roles=False),
            Case([account(organization_role="admin")], ["etl is organization admin, and this stack"], roles=False),
        ],
        boundary=(
            Case([account(role="admin"), account_grant("production", role="owner")]),
            Case(
                [account("deploy", role="admin"), account(), account_grant("production", role="owner")],
                ["manage the organization or own a project (deploy, etl), and there should be at most 1"],
            ),
        ),
        configured=[Case([account(role="admin")], ["should be at most 0"], {"maximum": 0})],
    ),
    "service-account-own-environment": Cases(
        fails=[
            Case([account_grant("staging")], ["the project is staging, and this stack holds production"]),
            Case([account_grant(None)], ["the project's environment is not declared"]),
        ],
        boundary=(
            Case([account(role="analyst"), account_grant("staging")], environment="staging"),
            Case([account(role="admin")], ["production too, and this stack holds staging"], environment="staging"),
        ),
        passes=[Case(COMPLIANT), Case([account(role="admin")])],
    ),
    "service-account-declared": Cases(
        fails=[Case([account_grant("production")], ["1234567:etl: the stack does not declare the account"])],
        boundary=(
            Case([account(account_id=5), account_grant("production", service_account=None, service_account_id=5)]),
            Case(
                [account(account_id=5), account_grant("production", service_account=None, service_account_id=6)],
                ["does not declare the account"],
            ),
        ),
    ),
    "exceptions-count": Cases(
        fails=[
            Case([member(exceptions=[_exception(rule="nonsense", email=ROBIN)])], [f"nonsense for {ROBIN} does not count: the exception names"]),
            Case([], ["it has no reason, approver, starts, ticket; add `reason: ...`, `approver: ...`, `starts: 2026-05-04`"],
                 exceptions=[ExceptionEntry("justified", ends="2026-05-31")]),
            Case([grant(exceptions=[_exception(ends="soon")])], ["its ends 'soon' is not a date"]),
            Case([grant(exceptions=[_exception(rule="exceptions-in-force")])], ["'exceptions-in-force' has no exceptions"]),
            Case([grant(exceptions=[_exception(rule="justifid")])], ["an unknown rule, 'justifid' (did you mean 'justified'?)"]),
            Case([grant(exceptions=[_exception(starts="2026-06-01")])], ["it ends on 2026-05-31, before it starts on 2026-06-01"]),
            Case([grant("bo@example.com", exceptions=[_exception(approver="Bo+x@example.com")])], ["the approver is the person them"]),
            Case([], ["6 exceptions are in force, and at most 5 may be: admin-needed for the stack; "],
                 exceptions=exceptions("admin-needed", "ending-soon", "justified", "naming", "review-due", "not-expired")),
            Case([grant(exceptions=[_exception(email=ROBIN)])], ["whether its approver ana@example.com is of the com"], domains=""),
        ],
        boundary=(
            Case([], exceptions=exceptions("justified", ends="2026-07-29")),
            Case([], ["it lasts 91 days, and an exception lasts at most 90; set `ends: 2026-07-29`"],
                 exceptions=exceptions("justified", ends="2026-07-30")),
        ),
        configured=[
            Case([], ["lasts at most 7"], {"days": 7}, exceptions=exceptions("justified")),
            Case([], ["from a critical rule lasts at most 7"], {"criticalDays": 7}, exceptions=exceptions("external-access-ends", ends="2026-05-30")),
            Case([], ["1 exception is in force, and at most 0"], {"most": 0}, exceptions=exceptions("justified")),
        ],
    ),
    "exceptions-lapsed": Cases(
        fails=[Case([grant(exceptions=[_exception(ends="2026-05-03", email=ROBIN)])], [f"justified for {ROBIN} ended on 2026-05-03"])],
        boundary=(
            Case([], exceptions=exceptions("justified", ends="2026-05-04")),
            Case([], ["ended on 2026-05-03, and the rule holds again"], exceptions=exceptions("justified", ends="2026-05-03")),
        ),
    ),
    "exceptions-in-force": Cases(
        fails=[
            Case(
                [grant(exceptions=[_exception(project=1234567, email=ROBIN)])] * 2,
                [f"EXCEPTION from justified for {ROBIN} in project 1234567, until 2026-05-31: Under review (ticket: OPS-1, ap"],
            )
        ],
        boundary=(
            Case([grant(exceptions=[_exception(starts="2026-05-05")])]),
            Case([grant(exceptions=[_exception(starts="2026-05-04")])], ["until 2026-05-31"]),
        ),
    ),
    "guards-not-loosened": Cases(
        fails=[
            Case(COMPLIANT, ["Pulumi.production.yaml, mixpanel:releaseBrakes: releases last_owner in every run"],
                 settings={"releaseBrakes": "last_owner"}),
            Case(COMPLIANT, ["mixpanel:now: 2026-05-04 replaces today's date"], settings={"now": "2026-05-04"}),
            Case(COMPLIANT, ["mixpanel:serviceAccountSecret: a secret in plain text"], plain=["serviceAccountSecret"]),
            Case([security(two_factor_required=False)], ["switches the second factor off for everybody; delete the line"]),
            Case([], ["disables guards-not-loosened"], off=["guards-not-loosened", "naming"]),
            Case([], ["disables own-environment, by `all` or by"], off=["own-environment"]),
        ],
        boundary=(
            Case([], settings={"removalPercent": 10, "removalMinimum": "3", "apiUrl": "https://eu.mixpanel.com"}),
            Case([], ["mixpanel:removalPercent: 11 is more than 10", "mixpanel:removalMinimum: 4 is more than 3"],
                 settings={"removalPercent": 11, "removalMinimum": "4"}),
        ),
        configured=[
            Case([], options={"removalPercent": 50}, settings={"removalPercent": "50"}),
            Case([], options={"removalMinimum": 20}, settings={"removalMinimum": 20}),
            Case([], options={"hosts": ["proxy.example.com"]}, settings={"apiUrl": "https://proxy.example.com"}),
            Case([], options={"hosts": ["proxy.example.com"]}, settings={"platformUrl": "https://proxy.example.com"}),
            Case([], ["Pulumi.production.yaml, mixpanel:environment is live, and this policy configuration is for prod"],
                 options={"environment": "production"}, environment="live"),
            Case([], ["mixpanel:environment is not set"], options={"environment": "production"}, environment=None),
        ],
        passes=[
            Case(COMPLIANT),
            Case([], settings={"now": "2026-05-04", "apiUrl": "http://127.0.0.1:8080"}),
            Case([], settings={"now": " ", "releaseBrakes": "[]"}),
            Case([], off=["own-environment"], environment="staging"),
        ],
    ),
}  # fmt: skip
