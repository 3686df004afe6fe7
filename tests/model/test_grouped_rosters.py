"""`grouped: true` in a roster: which resources it declares, and that they stand for the same as single ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.declaration import (
    Declaration,
    DeclaredResource,
    Kept,
    declaration,
    grant_name,
    kept_text,
    read_kept,
    team_member_name,
)
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.groups import GROUPS, part_properties, single_kind
from mixpanel_access.model.resources import MEMBERS, PROJECT_ACCESS, PROJECT_GRANT, TEAM, TEAM_MEMBER, TEAM_MEMBERS
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.salvage import salvage

TODAY = date(2026, 5, 4)
ORGANIZATION = Path(__file__).parents[1] / "rules" / "an_organization"
ROSTER = """\
environment: production
organizationRoles: true
grouped: true
projects:
  shop: { id: 1, environment: production }
  web: { id: 2, environment: production, authoritative: true }
  apart: { id: 3, environment: production, grouped: false }
  empty: { id: 4, environment: production }
teams:
  data: { name: Data, projects: { shop: analyst } }
  nobody: { name: Nobody }
people:
  - email: Bo@example.com
    organizationRole: admin
    removal: never
    ownership: found
    kind: contractor
    projects: { shop: analyst, web: consumer, apart: consumer }
    teams: [data]
    ticket: OPS-1
  - { email: cy@example.com, projects: { shop: admin }, teams: [data], ends: 2026-06-30 }
  - { email: di@example.com, teams: [data], ticket: OPS-1 }
  - { email: ed@example.com, projects: { shop: admin }, teams: [data], ends: 2020-01-01 }
exceptions:
  - { rule: r, email: cy@example.com, project: shop, reason: Is so, approver: ana@example.com, ends: 2027-01-01 }
  - { rule: r, email: bo@example.com, reason: Is so, approver: ana@example.com, ends: 2027-01-01 }
"""


def declared(text: str = ROSTER) -> Declaration:
    """What a roster declares."""
    return declaration(parse(text, RosterSource("production.yaml")), TODAY)


def by_name(declaration: Declaration) -> dict[str, DeclaredResource]:
    """The resources of a declaration."""
    return {one.name: one for one in declaration.resources()}


def test_a_grouped_roster_is_a_few_resources() -> None:
    """One for the members, one for each project with grants, and one for each team with people."""
    found = by_name(declared())
    assert {
        name: one.kind for name, one in found.items() if one.kind in (MEMBERS, *GROUPS.values(), PROJECT_GRANT)
    } == {
        "members": MEMBERS,
        "3:bo@example.com": PROJECT_GRANT,
        "project-access/1": PROJECT_ACCESS,
        "project-access/2": PROJECT_ACCESS,
        "team-members/data": TEAM_MEMBERS,
    }
    assert found["members"].inputs["people"] == {
        "Bo@example.com": {"role": "admin", "removal": "never", "ownership": "found"},
        "cy@example.com": {"removal": "when_unused"},
        "di@example.com": {"removal": "when_unused"},
    }
    assert found["members"].inputs["reasons"][-1] == {"people": ["di@example.com"], "ticket": "OPS-1"}
    assert found["team-members/data"].inputs["people"] == ["Bo@example.com", "cy@example.com", "di@example.com"]
    assert [found[f"project-access/{id_}"].inputs.get("exclusive") for id_ in (1, 2)] == [False, None]


def test_what_people_have_waits_for_all_members() -> None:
    """And goes before them; a place in a team also waits for the team."""
    found = by_name(declared())
    for name in ("project-access/1", "project-access/2", "team-members/data", "3:bo@example.com"):
        assert found[name].depends_on == ["members"]
    assert found["team-members/data"].refers_to == {"team_id": TEAM.named("data")}


def singles(declaration: Declaration) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The inputs of each person's resources, whatever resource they are in, by kind and name."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for one in declaration.resources():
        if one.kind not in GROUPS.values():
            found[one.kind.name, one.name] = one.inputs
            continue
        single = single_kind(one.kind)
        assert single is not None
        for part in part_properties(one.kind, one.inputs):
            key = part["email"].casefold()
            name = {PROJECT_GRANT: grant_name(one.key, key), TEAM_MEMBER: team_member_name(one.key, key)}
            found[single.name, name.get(single, key)] = part
    return found


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_groups_stand_for_the_same_as_single_resources(stack: str) -> None:
    """For each person of a roster of 40, with the same role, reasons and exceptions; and so does `ungrouped`."""
    roster = read_roster(ORGANIZATION / f"{stack}.yaml")
    alone = declaration(roster.model_copy(update={"grouped": False}), TODAY)
    together = declaration(roster.model_copy(update={"grouped": True}), TODAY)
    assert any(one.kind is MEMBERS for one in together.resources())
    assert singles(together) == singles(alone)
    assert singles(together.ungrouped) == singles(alone)
    assert {one.kind for one in together.ungrouped.resources()}.isdisjoint(GROUPS.values())


def test_the_smaller_roster_too() -> None:
    """With an own role, a kind, and exceptions of a person and of one grant."""
    assert singles(declared()) == singles(declared().ungrouped)
    assert len(singles(declared())) > 8


def test_a_project_can_be_grouped_alone() -> None:
    """Then its grants wait for each of its people."""
    text = ROSTER.replace("grouped: true\n", "").replace("shop: { id: 1,", "shop: { id: 1, grouped: true,")
    found = by_name(declared(text))
    assert found["project-access/1"].depends_on == ["bo@example.com", "cy@example.com"]
    assert found["project-access/1"].inputs["exclusive"] is False
    assert "members" not in found
    assert "team/data:bo@example.com" in found


def test_without_anybody_there_is_no_group() -> None:
    """A `Members` of nobody would be a resource that gives nothing."""
    text = ROSTER.partition("people:")[0]
    assert {one.kind for one in declared(text).resources()} & set(GROUPS.values()) == {PROJECT_ACCESS}
    assert set(declared(text).project_access) == {2}


def test_what_a_run_of_revoke_keeps_can_be_grouped() -> None:
    """Its document comes back as it was."""
    given = declared()
    assert read_kept(kept_text(Kept("production", "production.yaml", given)), "production", "production.yaml") == given


@pytest.mark.parametrize("value", ["maybe", "1", '"true"', "[]"])
def test_another_value_than_true_or_false_is_refused(value: str) -> None:
    """With file and line; a run of `revoke` goes on without it, since it gives nobody access."""
    text = ROSTER.replace("grouped: true", f"grouped: {value}")
    with pytest.raises(RosterError, match=r"production\.yaml:3: grouped: .*neither true nor false"):
        parse(text, RosterSource("production.yaml"))
    assert salvage(text, RosterSource("production.yaml")).roster.people
