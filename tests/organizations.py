"""A large organization as it grows by hand: all roles, spellings, teams, invitations, owners without a single grant."""

from __future__ import annotations

from typing import Any

ORGANIZATION = 7654321
PRODUCTION, STAGING = (1234567, 1234568), (2345678, 2345679)
PROJECT_NAMES = ("Shop (production)", "Warehouse (production)", "Shop (staging)", "Warehouse (staging)")
ROLES = ("analyst", "consumer", "admin", "owner")
NOW = "2026-05-04T12:00:00Z"


def grown_organization(people: int, service_account: dict[str, Any]) -> dict[str, Any]:
    """An organization document.

    Args:
        people: how many there are, at least 20.
        service_account: the account that logs in.
    """
    members: list[dict[str, Any]] = []
    grants: list[dict[str, Any]] = []
    teams: dict[int, list[str]] = {77: [], 78: []}
    for number in range(people):
        email = f"person{number:04}@{'example.com' if number % 3 else 'agency.example.org'}"
        member: dict[str, Any] = {"email": email, "role": "member"}
        kind = number % 20
        if kind == 0:  # an owner by organization role, without any grant
            member["role"] = "owner" if number < 60 else "admin"
        elif kind == 1:
            member["role"] = "billing_admin"
        elif kind == 2:  # through a team alone
            teams[77].append(email)
        elif kind == 3:  # a pending invitation, with a grant
            member["invited_at"] = "2026-05-03T12:00:00Z"
        elif kind == 4:  # an expired one
            member["invited_at"] = "2026-03-03T12:00:00Z"
        elif kind == 5:  # both: a team and a grant
            teams[78].append(email)
        elif kind == 6:
            member["email"] = email.replace("person", "Person").replace("example", "Example")
        elif kind == 7:
            member["name"] = f"Person #{number}: the “{number}th”"
        members.append(member)
        if kind not in (0, 1, 2):
            # Written otherwise than in the list: a grant knows its person by the address in any spelling.
            spelled = email.upper() if number % 7 == 0 else email
            held = (*PRODUCTION[: 1 + number % 2], *STAGING[: number % 3])
            grants += [{"project": id_, "email": spelled, "role": ROLES[(number + id_) % 4]} for id_ in held]
    names = dict(zip((*PRODUCTION, *STAGING), PROJECT_NAMES, strict=True))
    return {
        "now": NOW,
        "organization": {"id": ORGANIZATION, "name": "Grown"},
        "members": members,
        "projects": [{"id": id_, "name": name} for id_, name in names.items()],
        "grants": grants,
        "teams": [
            {"id": 77, "name": "Data", "members": teams[77], "projects": [{"id": PRODUCTION[0], "role": "analyst"}]},
            {"id": 78, "name": "Web", "members": teams[78], "projects": [{"id": STAGING[0], "role": "admin"}]},
        ],
        "service_accounts": [service_account],
        "mails": [],
    }
