"""The mistakes that people make most often: what they do wrong, and the command that shows it.

docs/mistakes.md has the message of each, which `test_mistakes.py` compares with what the command says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ROSTER: Final = """\
include: common.yaml
environment: production
organizationRoles: true
projects:
  shop: { id: 1234567, environment: production, platform: web }
  warehouse: { id: 1234568, environment: production }
people:
  - email: robin@agency.example.org
    name: Robin
    organizationRole: member
    engagement: funnel-review
    projects:
      shop: analyst
      warehouse: consumer
"""
"""The roster of the stack production, before the mistake."""
COMMON: Final = """\
organization:
  name: Example
  url: https://mixpanel.com/organization/7654321
  login: { ssoRequired: false, mfaRequired: true }
  contacts: { access: ana@example.com }
engagements:
  funnel-review:
    type: analytics_review
    ticket: OPS-4711
    approver: ana@example.com
    starts: 2026-01-12
    ends: 2030-12-31
"""
"""What it includes."""

CHECK: Final = "mixpanel-access roster stacks/production.yaml"
STATUS: Final = "mixpanel-access status --stack production"
SECRETS: Final = "mixpanel-access status --stack secrets"
PREVIEW: Final = "pulumi preview --stack production"
REFRESH: Final = "pulumi refresh --stack production"
INVITE: Final = "mixpanel-access invite kim@agency.example.org --stack production --engagement funnel-review --no-ask"
NAME: Final = "    name: Robin\n"
SHOP: Final = "      shop: analyst\n"


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake.

    Attributes:
        what: what somebody did, in words.
        command: the command that shows it, as it is typed.
        code: its exit code.
        roster: a part of the roster, and what they wrote in its place.
        settings: more configuration of the stack.
        environ: environment variables; "" for one that is not set.
        file: another file of the project, and its content.
        provider: what is wrong with the server of the resources, or with a provider in the state.
    """

    what: str
    command: str
    code: int = 2
    roster: tuple[str, str] = ("", "")
    settings: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, str] = ("", "")
    provider: str = ""


IN_A_ROSTER: Final = (
    Mistake("A field is misspelt", CHECK, roster=(NAME, "    nmae: Robin\n")),
    Mistake("A role does not exist", CHECK, roster=(SHOP, "      shop: analist\n")),
    Mistake("A project is misspelt", CHECK, roster=(SHOP, "      shopp: analyst\n")),
    Mistake("An engagement is misspelt", CHECK, roster=("funnel-review", "funel-review")),
    Mistake("A team is not in the roster", CHECK, roster=(NAME, "    teams: [reviewers]\n")),
    Mistake("A date has another form", CHECK, roster=(NAME, "    ends: 31.12.2030\n")),
    Mistake("A date does not exist", CHECK, roster=(NAME, "    ends: 2030-02-30\n")),
    Mistake("A date has a time", CHECK, roster=(NAME, "    ends: 2030-06-30T12:00:00\n")),
    Mistake("The last day is before the first", CHECK, roster=(NAME, "    starts: 2026-06-01\n    ends: 2026-05-01\n")),
    Mistake("An entry ends after its engagement", CHECK, roster=(NAME, "    ends: 2031-01-31\n")),
    Mistake("An address is not one", CHECK, roster=("robin@agency", "robin.agency")),
    Mistake(
        "A person has two entries for one engagement",
        CHECK,
        roster=("people:\n", "people:\n  - { email: robin@agency.example.org, engagement: funnel-review }\n"),
    ),
    Mistake(
        "An address is spelled differently in another entry",
        CHECK,
        roster=("people:\n", "people:\n  - { email: Robin@agency.example.org, projects: { shop: analyst } }\n"),
    ),
    Mistake("A project has no role, and there is no engagement", CHECK, roster=(
        "    engagement: funnel-review\n    projects:\n      shop: analyst\n", "    projects:\n      shop:\n",
    )),
    Mistake("A project belongs to another environment", CHECK, roster=(
        "environment: production, platform", "environment: staging, platform",
    )),
    Mistake("Another roster declares organization roles", CHECK, roster=("organizationRoles: true\n", "")),
    Mistake("A ticket begins with #, without quotes", CHECK, roster=(NAME, "    ticket: #4711\n")),
    Mistake("An id begins with 0", CHECK, roster=("id: 1234567", "id: 0123")),
    Mistake("An id is the project's name", CHECK, roster=("id: 1234567", "id: Shop")),
    Mistake("The indentation has a tab", CHECK, roster=(NAME, "\tname: Robin\n")),
    Mistake("A brace is not closed", CHECK, roster=("platform: web }", "platform: web")),
    Mistake("A text has a colon, without quotes", CHECK, roster=(NAME, "    justification: Funnels: the shop\n")),
    Mistake("A colon has no space after it", CHECK, roster=(NAME, "    name:Robin\n")),
    Mistake("People are not a list", CHECK, roster=("  - email", "    email")),
    Mistake("Projects are a list", CHECK, roster=(
        "projects:\n      shop: analyst\n      warehouse: consumer\n", "projects: [shop]\n",
    )),
    Mistake("A conflict of Git is not resolved", CHECK, roster=(NAME, "<<<<<<< HEAD\n    name: Robin\n=======\n")),
    Mistake("An included file does not exist", CHECK, roster=("common.yaml", "comon.yaml")),
    Mistake("A roster is not there", "mixpanel-access roster stacks/prod.yaml"),
)  # fmt: skip

ON_THE_COMMAND_LINE: Final = (
    Mistake("A command is misspelt", "mixpanel-access inivte"),
    Mistake("An option is misspelt", "mixpanel-access status --stak production"),
    Mistake("A date has another form", "mixpanel-access revoke --now 31.12.2026"),
    Mistake("A period ends before it begins", "mixpanel-access evidence --from 2026-06-01 --to 2026-05-31",
            file=("tracker.jsonl", "")),
    Mistake("A stack is misspelt", "mixpanel-access status --stack prodution"),
    Mistake("No stack is selected", "mixpanel-access invite kim@agency.example.org --no-ask"),
    Mistake("The project is in another folder", "mixpanel-access status --cwd /"),
    Mistake("Somebody has an entry already", (
        "mixpanel-access invite robin@agency.example.org --stack production --engagement funnel-review --project shop "
        "--no-ask"
    )),
    Mistake("An invitation names a role that does not exist", f"{INVITE} --project shop=analist"),
    Mistake("An invitation names a project of another stack", f"{INVITE} --project sandbox"),
    Mistake("An invitation has an end in the past", f"{INVITE} --project shop --ends 2025-01-01"),
    Mistake("Somebody is welcomed after their engagement has ended", (
        "mixpanel-access welcome robin@agency.example.org --now 2031-01-01"
    )),
    Mistake("An invitation is sent again to somebody who has accepted", "mixpanel-access resend ana@example.com"),
    Mistake("Nobody has this address", "mixpanel-access who nobody@agency.example.org"),
    Mistake("A reminder is posted without a webhook", "mixpanel-access remind --post"),
    Mistake("A policy rule is misspelt", "mixpanel-access report", file=(
        "policies/config/production.json", '{"longest-durations": {"days": 60}}',
    )),
)  # fmt: skip

IN_THE_CONFIGURATION: Final = (
    Mistake("A setting is misspelt", STATUS, settings={"enviroment": "production"}),
    Mistake("The organization's id is its name", STATUS, settings={"organizationId": "example"}),
    Mistake("The organization's id is that of another", STATUS, 3, settings={"organizationId": "42"}),
    Mistake("The secret is missing", STATUS, environ={"MIXPANEL_SERVICE_ACCOUNT_SECRET": ""}),
    Mistake("The secret is wrong, or the organization is in another region", STATUS, 3,
            environ={"MIXPANEL_SERVICE_ACCOUNT_SECRET": "wrong"}),
    Mistake("The region does not exist", STATUS, settings={"region": "europe"}),
    Mistake("The API's address has a path", STATUS, environ={"MIXPANEL_BASE_URL": "https://eu.mixpanel.com/api/app"}),
    Mistake("A gateway is only in the stack's configuration", STATUS, settings={"apiUrl": "https://api.example.com"},
            environ={"MIXPANEL_BASE_URL": ""}),
    Mistake("An undocumented write is misspelt", STATUS, settings={"allowUndocumented": "inviteMember"}),
    Mistake("A project is not in the organization", PREVIEW, 1, roster=("id: 1234567", "id: 999")),
    Mistake("The stack has another environment than its roster", PREVIEW, 1, settings={"environment": "staging"}),
    Mistake("Both owners are made members", PREVIEW, 1, roster=("people:\n", (
        "people:\n  - { email: ana@example.com, organizationRole: member }\n"
        "  - { email: omar@example.com, organizationRole: member }\n"
    ))),
)  # fmt: skip

AROUND_IT: Final = (
    Mistake("The network, or Mixpanel, cannot be reached", STATUS, 3,
            environ={"MIXPANEL_BASE_URL": "http://127.0.0.1:9"}),
    Mistake("A proxy opens TLS with a certificate that is not trusted", STATUS, 3,
            environ={"MIXPANEL_BASE_URL": "UNTRUSTED"}),
    Mistake("The certificate authorities are in no such file", STATUS, environ={"SSL_CERT_FILE": "/no/company.pem"}),
    Mistake("The proxy is a SOCKS proxy", STATUS, environ={"HTTPS_PROXY": "socks5://proxy.example.com:1080"}),
    Mistake("Pulumi is not logged in", STATUS, environ={"PULUMI_BACKEND_URL": ""}),
    Mistake("The backend has no such folder", STATUS, environ={"PULUMI_BACKEND_URL": "file:///no/states"}),
    Mistake("The backend is another one", STATUS, environ={"PULUMI_BACKEND_URL": "EMPTY"}),
    Mistake("The passphrase is not set", SECRETS, environ={"PULUMI_CONFIG_PASSPHRASE": ""}),
    Mistake("The passphrase is wrong", SECRETS, environ={"PULUMI_CONFIG_PASSPHRASE": "wrong"}),
    Mistake("`pulumi` is not on PATH, and cannot be downloaded", "mixpanel-access engine", environ={
        "PATH": "/no/bin", "HTTPS_PROXY": "http://127.0.0.1:9", "MIXPANEL_ACCESS_CACHE": "/no/cache",
    }),
    Mistake("The Python on PATH does not have the package", PREVIEW, 1, provider="started by another Python"),
    Mistake("The state is from a newer version of the package", REFRESH, 1, provider="of a newer version"),
    Mistake("The state was edited, and a provider in it is damaged", REFRESH, 1, provider="damaged"),
)  # fmt: skip

SECTIONS: Final[Mapping[str, tuple[Mistake, ...]]] = {
    "In a roster": IN_A_ROSTER,
    "On the command line": ON_THE_COMMAND_LINE,
    "In the configuration": IN_THE_CONFIGURATION,
    "Network, engine and state": AROUND_IT,
}
