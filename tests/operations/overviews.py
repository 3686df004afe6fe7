"""Pictures over a fake organization: rosters as text, states as what an `up` would have left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mixpanel_access.files.roster import OtherRosters
from mixpanel_access.model.dates import expiry, written
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.operations.overview import Overview, overview_of
from mixpanel_access.operations.stack_view import StackView
from tests.fakes import NOW, FakeApi, make_directory, make_session
from tests.operations.held import (
    held_grant,
    held_member,
    held_team,
    held_team_grant,
    held_team_member,
    state_of_resources,
)

ROSTER = """\
environment: production
organizationRoles: true
projects:
  shop: {{ id: 1234567, environment: production }}
  warehouse: {{ id: 1234568, environment: production }}
engagements:
  review: {{ type: audit, ticket: OPS-1, approver: ana@example.com }}
people:
{people}
{more}
"""

BO = "bo@example.com"


def person(email: str = BO, more: str = "projects: { shop: analyst }") -> str:
    """One entry."""
    return f"  - {{ email: {email}, organizationRole: member, {more} }}"


def overview(
    api: FakeApi,
    *people: str,
    now: datetime = NOW,
    invited: Mapping[str, datetime] | None = None,
    applied: bool = True,
    more: str = "",
    found: OtherRosters | None = None,
    ids: Mapping[str, int] | None = None,
    company: str = "example.com",
    text: str | None = None,
) -> Overview:
    """An overview of the stack production.

    Args:
        api: the organization.
        people: the roster's entries.
        now: the instant that counts.
        invited: who was invited by an `up`, and when.
        applied: whether the state holds what the roster declares at `NOW`.
        more: other parts of the roster.
        found: what is known of the rosters beside it.
        ids: Mixpanel's ids of people as the state has them.
        company: the company's domains.
        text: the whole roster, instead of its parts.
    """
    text = text or ROSTER.format(people="\n".join(people) or "  []", more=more)
    roster = parse(text, RosterSource("production.yaml"))
    declared = declaration(roster, NOW.date())
    members, grants = {}, {}
    for key, values in declared.members.items() if applied else ():
        outputs: dict[str, Any] = dict(values)
        if invited and key in invited:
            outputs |= {"invited_at": written(invited[key]), "expires_at": written(expiry(invited[key]))}
        if ids and key in ids:
            outputs["user_id"] = ids[key]
        members[key] = held_member(str(values["email"]), values.get("role"), f"urn::{key}", outputs)
    for place, values in declared.grants.items() if applied else ():
        grants[place] = held_grant(place[0], str(values["email"]), str(values["role"]), outputs=values)
    numbers = {key: number for number, key in enumerate(declared.teams, 100)} if applied else {}
    teams = {
        id_: held_team(declared.teams[key]["name"], id_, f"urn::team/{key}", declared.teams[key])
        for key, id_ in numbers.items()
    }
    places = {
        (numbers[team], key): held_team_member(numbers[team], str(values["email"]), f"urn::team/{team}:{key}", values)
        for (team, key), values in declared.team_members.items()
        if numbers
    }
    roles = {
        (project, numbers[key]): held_team_grant(project, numbers[key], values["role"], outputs=values)
        for (project, key), values in declared.team_grants.items()
        if numbers
    }
    session, _ = make_session(api)
    settings = replace(session.settings, now=now)
    state = state_of_resources(members, grants, teams=teams, team_members=places, team_grants=roles)
    file, config = Path("stacks/production.yaml"), {"companyDomains": company}
    view = StackView("production", settings, file, roster, state, found or OtherRosters(), config=config)
    return overview_of({"production": view}, make_directory(api), now)
