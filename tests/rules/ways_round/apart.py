"""Ways round the rules that keep production and staging apart, which one stack does not see alone; and round teams."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mixpanel_access.model.declaration import Declaration, declaration
from mixpanel_access.model.neighbours import NEIGHBOURS, Neighbour, neighbour_facts
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.policy_check import stack_of
from mixpanel_access.rules.entry import Entry, Type
from mixpanel_access.rules.facts import Stack
from tests.rules.ways_round.table import AROUND, ENGAGEMENT, ROBIN, TODAY, Way, roster

STAGING: Final[Mapping[str, Any]] = {
    "environment": "staging",
    "projects": {"shop": {"id": 2345678, "environment": "staging"}},
    "engagements": {"funnels": ENGAGEMENT, "tracking": {**ENGAGEMENT, "type": "implementation"}},
}
IN_STAGING: Final = replace(AROUND, environment="staging")
KIM: Final = {"email": "kim@example.com"}
TEAM: Final = {
    "name": "Data",
    "projects": {"shop": "analyst"},
    "justification": "Analyses",
    "approver": "ana@example.com",
}
JOINED: Final = {**ROBIN, "projects": {}, "teams": ["data"]}


def _read(document: Mapping[str, Any], name: str) -> tuple[Roster, Declaration]:
    read = parse(json.dumps(document), RosterSource(name))
    return read, declaration(read, TODAY)


def _side_by_side(own: Mapping[str, Any], other: Mapping[str, Any], unread: Sequence[str] = ()) -> Stack:
    (mine, declared), (theirs, beside) = _read(own, "own.yaml"), _read(other, "other.yaml")
    environments = {project.id: project.environment for project in mine.projects.values()}
    facts = neighbour_facts(declared, environments, [Neighbour("other.yaml", theirs, beside)], unread)
    return stack_of(replace(declared, facts={**declared.facts, NEIGHBOURS: facts}))


def production(other: Mapping[str, Any], unread: Sequence[str] = (), **changes: Any) -> Stack:
    """Production's roster, beside that of staging with some of its sections."""
    return _side_by_side(roster(**changes), {**STAGING, **other}, unread)


def staging(own: Mapping[str, Any], **changes: Any) -> Stack:
    """The roster of staging with some of its sections, beside production's."""
    return _side_by_side({**STAGING, **own}, roster(**changes))


def person(email: str = ROBIN["email"], engagement: str | None = "funnels", **values: Any) -> dict[str, Any]:
    """Somebody in the roster of staging."""
    return {
        "email": email,
        **({"engagement": engagement} if engagement else {}),
        "projects": {"shop": "consumer"},
        **values,
    }


def place(email: str = ROBIN["email"], **values: Any) -> Stack:
    """A program that puts somebody into a team by its id."""
    known = {"email": email, "team_id": 77, "engagement": "funnels", "engagement_type": "analytics_review"}
    return Stack([Entry(Type.TEAM_MEMBER, "place", "urn:place", {**known, **values})])


def shown(role: str, project: int = 1234567, **more: Any) -> Stack:
    """A new team with Robin in it, which is in Mixpanel already, with a role that no stack declares."""
    found = stack_of(_read(roster(people=[JOINED], teams={"data": {**TEAM, "projects": {}}}), "own.yaml")[1])
    told = {"team_projects": {str(project): role}, **more}
    return replace(
        found,
        entries=[
            replace(one, values={**one.values, **told}) if one.type == Type.TEAM else one for one in found.entries
        ],
    )


def account(**values: Any) -> Stack:
    """A program's grant to a service account, beside an account that it makes."""
    grant = {"project_id": 1234567, "role": "analyst", "environment": "production", **values}
    return Stack(
        [
            Entry(Type.SERVICE_ACCOUNT, "etl", "urn:etl", {"username": "etl", "account_id": 9001}),
            Entry(Type.SERVICE_ACCOUNT_GRANT, "etl-shop", "urn:etl-shop", grant),
        ]
    )


def team_role(**values: Any) -> Stack:
    """A team's role in a production project in which nobody has a grant of their own."""
    known = {"team_id": 77, "project_id": 1234567, "role": "analyst", "environment": "production"}
    return Stack([Entry(Type.TEAM_GRANT, "data-shop", "urn:data-shop", {**known, **values})])


def owners(*emails: str) -> Stack:
    """The roster that passes, in an organization with these owners."""
    found = stack_of(_read(roster(), "own.yaml")[1])
    return replace(found, roster={**found.roster, "owners": list(emails)})


ADMIN: Final = {**TEAM, "projects": {"shop": "admin"}}
ANALYSTS: Final = {"teams": {"d": TEAM}}
WAYS: Final[dict[str, Way]] = {
    "one engagement in two rosters": Way(
        "external-in-one-environment",
        production({"people": [person()]}),
        production({"people": [person(engagement="tracking")]}),
    ),
    "one engagement, seen from staging": Way(
        "external-in-one-environment",
        staging({"people": [person()]}),
        staging({"people": [person(engagement="tracking")]}),
        IN_STAGING,
    ),
    "one engagement, and another spelling of the address": Way(
        "external-in-one-environment",
        production({"people": [person("ROBIN@Agency.Example.ORG")]}),
        production({"people": [person("robyn@agency.example.org")]}),
    ),
    "no engagement in either roster": Way(
        "external-in-one-environment",
        production({"people": [person(engagement=None)]}, people=[{**ROBIN, "engagement": None}]),
        production({"people": [person(KIM["email"], None)]}, people=[{**KIM, "projects": {"shop": "analyst"}}]),
    ),
    "one engagement, by a team in the other roster": Way(
        "external-in-one-environment",
        production({**ANALYSTS, "people": [person(projects={}, teams=["d"])]}),
        production({"teams": {"d": {**TEAM, "projects": {}}}, "people": [person(projects={}, teams=["d"])]}),
    ),
    "one engagement, by teams in both rosters": Way(
        "external-in-one-environment",
        production({"people": [person()]}, people=[JOINED], teams={"data": TEAM}),
        production({"people": [person()]}, people=[JOINED], teams={"data": {**TEAM, "projects": {}}}),
    ),
    "another roster that cannot be read": Way(
        "external-in-one-environment",
        production({}, ["staging.yaml:2 cannot be read"]),
        production({}, ["staging.yaml:2 cannot be read"], people=[]),
    ),
    "a team that Mixpanel shows with more": Way("team-within-standard", shown("admin"), shown("analyst")),
    "a team with more in a project that no stack has": Way(
        "team-within-standard", shown("admin", 99), shown("consumer", 99)
    ),
    "a team that makes people organization admins": Way(
        "team-within-standard",
        place(engagement_type=None, team_projects={}, organization_role="admin"),
        place("kim@example.com", engagement_type=None, team_projects={}, organization_role="admin"),
    ),
    "a team of another stack by its id": Way(
        "team-within-standard",
        place(team_projects={"1234567": "owner"}),
        place(team_projects={"1234567": "analyst"}),
    ),
    "a team that another roster raises": Way(
        "team-within-standard",
        production(
            {"teams": {"d": {**TEAM, "name": "DATA", "projects": {"shop": "admin"}}}},
            people=[JOINED],
            teams={"data": TEAM},
        ),
        production(ANALYSTS, people=[JOINED], teams={"data": TEAM}),
    ),
    "a person whom another roster puts into a team that is raised here": Way(
        "team-within-standard",
        production(
            {"teams": {"d": {**TEAM, "projects": {}}}, "people": [person(projects={}, teams=["d"])]},
            teams={"data": ADMIN},
        ),
        production(
            {"teams": {"d": {**TEAM, "projects": {}}}, "people": [person(projects={}, teams=["d"])]},
            teams={"data": TEAM},
        ),
    ),
    "staging puts somebody into a team of production": Way(
        "team-in-own-environment",
        staging({**ANALYSTS, "people": [{**KIM, "teams": ["d"]}]}, teams={"data": TEAM}),
        staging({**ANALYSTS, "people": [{**KIM, "teams": ["d"]}]}, teams={"data": {**TEAM, "name": "Other"}}),
        IN_STAGING,
    ),
    "the same, seen from production": Way(
        "team-in-own-environment",
        production({**ANALYSTS, "people": [{**KIM, "teams": ["d"]}]}, teams={"data": TEAM}),
        production(ANALYSTS, people=[{**KIM, "teams": ["data"]}], teams={"data": TEAM}),
    ),
    "staging puts somebody into a team that reaches what no roster has": Way(
        "team-in-own-environment",
        place(KIM["email"], team_projects={"99": "consumer"}),
        replace(
            place(KIM["email"], team_projects={"99": "consumer"}),
            roster={NEIGHBOURS: {"environments": {"99": "staging"}}},
        ),
        IN_STAGING,
    ),
    "staging puts somebody into a team of admins": Way(
        "team-in-own-environment",
        place(KIM["email"], team_projects={}, organization_role="owner"),
        place(KIM["email"], team_projects={}),
        IN_STAGING,
    ),
    "a service account of another stack by its id": Way(
        "service-account-in-one-environment", account(service_account_id=9002), account(service_account_id=9001)
    ),
    "a project with teams only, which everybody has": Way(
        "no-all-users-in-production", team_role(open_to_all_users=True), team_role(open_to_all_users=False)
    ),
    "owners who are declared nowhere": Way(
        "organization-owners",
        owners("ana@example.com", "omar@example.com", *(f"o{n}@example.com" for n in range(3))),
        owners("ANA@example.com", "omar@example.com", "ivy@example.com"),
    ),
}
