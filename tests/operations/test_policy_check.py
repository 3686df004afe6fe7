"""The policy rules over what a roster declares: as the pack would say it, with the stack's own configuration."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.model.declaration import Declaration, declaration, grant_name
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.operations.policy_check import PolicyConfig, read_policy_config, violations, violations_in
from mixpanel_access.rules.catalogue import EXCEPTABLE, RULES, find
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.rule import Level
from tests.operations.held import (
    held_grant,
    held_member,
    held_team,
    held_team_grant,
    held_team_member,
    state_of_resources,
)

TODAY = date(2026, 5, 4)
AROUND = Context(TODAY, "production", frozenset({"example.com"}), rules=EXCEPTABLE)


EXCEPTION = (
    "{ rule: domain-misspelt, email: di@exmaple.com, reason: r, ticket: OPS-1, approver: ana@example.com, "
    "starts: 2026-05-01, ends: 2026-05-30 }"
)


def declared(more: str = "") -> Declaration:
    """One person with a misspelt domain and no paperwork."""
    text = (
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\n"
        f"people: [{{ email: di@exmaple.com, ends: 2026-05-31, projects: {{ shop: consumer }} }}]\n{more}"
    )
    return declaration(parse(text, RosterSource("r")), TODAY)


def found(config: dict[str, Any], more: str = "") -> dict[str, str]:
    """Rule -> level."""
    return {one.rule.id: one.level.value for one in violations(declared(more), AROUND, PolicyConfig(config))}


def test_every_rule_judges_by_its_own_level() -> None:
    """What is not yet known of Mixpanel is not judged."""
    all_of_it = found({})
    assert all_of_it.items() >= {"domain-misspelt": "mandatory", "production-has-paperwork": "mandatory"}.items()
    assert "no-redundant-grant" not in all_of_it


def test_the_configuration_sets_levels_and_options() -> None:
    """As the engine reads it: a level alone, a level with options, one for all."""
    assert "domain-misspelt" not in found({"domain-misspelt": "disabled"})
    options = {"production-has-paperwork": {"enforcementLevel": "advisory", "fields": ["sow"]}}
    assert found(options)["production-has-paperwork"] == "advisory"
    assert (
        found({"production-has-paperwork": {"fields": [], "externalFields": []}}).get("production-has-paperwork")
        is None
    )
    off = {"all": "disabled", "domain-misspelt": "advisory"}
    assert found(off) == {"domain-misspelt": "advisory", "guards-not-loosened": "mandatory"}
    assert found({**off, "guards-not-loosened": "advisory"})["guards-not-loosened"] == "advisory"


@pytest.mark.parametrize(
    ("config", "level"),
    [
        ({}, Level.MANDATORY),
        ({"longest-duration": {"days": 60}}, Level.MANDATORY),
        ({"all": "advisory"}, Level.ADVISORY),
        ({"all": {"enforcementLevel": "advisory"}}, Level.ADVISORY),
        ({"all": "advisory", "longest-duration": {"days": 60}}, Level.ADVISORY),
        ({"all": "advisory", "longest-duration": "disabled"}, Level.DISABLED),
        ({"all": "advisory", "longest-duration": {"enforcementLevel": "mandatory", "days": 60}}, Level.MANDATORY),
        ({"all": {}, "longest-duration": {}}, Level.MANDATORY),
    ],
)
def test_a_level_is_the_rules_own_then_that_of_all_then_of_the_entry(config: dict[str, Any], level: Level) -> None:
    """As the engine sets them one after the other; the options are those of the entry alone."""
    options = config.get("longest-duration", {})
    days = options.get("days", 90) if isinstance(options, dict) else 90
    assert PolicyConfig(config).of(find("longest-duration")) == (
        level,
        {"days": days, "totalDays": 365, "standards": {}},
    )


def test_an_exception_in_the_roster_counts() -> None:
    """For the rule that it names, and no other."""
    kept = found({}, f"exceptions: [{EXCEPTION}]")
    assert "domain-misspelt" not in kept
    assert "production-has-paperwork" in kept


def test_a_state_is_judged_like_the_roster_it_was_made_of() -> None:
    """With the exceptions that it holds; what Mixpanel has told since is judged, too."""
    for more in ("", f"exceptions: [{EXCEPTION}]", "organizationRoles: true"):
        one = declared(more)
        members = {key: held_member(key, None, f"urn::{key}", values) for key, values in one.members.items()}
        grants = {
            place: held_grant(*place, "", f"urn::{grant_name(*place)}", values) for place, values in one.grants.items()
        }
        state = state_of_resources(members, grants, facts=one.facts)
        judged = list(violations_in(state, AROUND, PolicyConfig({})))
        assert judged == list(violations(one, AROUND, PolicyConfig({}))) != []
        assert {each.email for each in judged} <= {"di@exmaple.com", ""}
    ways = {**grants[1, "di@exmaple.com"].outputs, "grant_types": ["individual", "team"], "effective_role": "admin"}
    told = state_of_resources(members, {(1, "di@exmaple.com"): held_grant(1, "di@exmaple.com", "", "urn::x", ways)})
    assert "no-redundant-grant" in {each.rule.id for each in violations_in(told, AROUND, PolicyConfig({}))}


def test_no_file_is_every_rule_as_it_comes(tmp_path: Path) -> None:
    """A project may have no policies of its own."""
    assert read_policy_config(tmp_path / "production.json") == PolicyConfig({})


def test_an_empty_file_is_every_rule_as_it_comes(tmp_path: Path) -> None:
    """As for the engine; and whole numbers are whole, however they are written."""
    file = tmp_path / "production.json"
    file.write_text(" \n")
    assert read_policy_config(file) == PolicyConfig({})
    file.write_text('{ "longest-duration": { "days": 60.0 }, "environments": ["ours"] }')
    assert str(read_policy_config(file).of(find("longest-duration"))[1]["days"]) == "60"


UNUSABLE = {
    "{": "line 1, column 2 is not JSON",
    "[]": "",
    '{"naming": "perhaps"}': "",
    '{"naming": 7}': "",
    "\xff": "it is not text in UTF-8",
    "[" * 99999: "its brackets are nested too deeply",
}


@pytest.mark.parametrize(("text", "why"), UNUSABLE.items(), ids=range(len(UNUSABLE)))
def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path, text: str, why: str) -> None:
    """In one line, without words of Python."""
    file = tmp_path / "production.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=rf"cannot read the policies' configuration for .*production.json: {why}"):
        read_policy_config(file)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """In one line, which says where the rules are listed."""
    file = tmp_path / "production.json"
    file.write_text('{ "longst-duration": "advisory", "ending-soon": { "days": "60" }, "naming": "disabled" }')
    with pytest.raises(UsageError) as told:
        read_policy_config(file)
    assert str(told.value) == (
        f"cannot read the policies' configuration for {file}: there is no rule 'longst-duration' (did you mean "
        "'longest-duration'?); ending-soon: days: \"60\" is not a whole number. Fix it and run again; "
        "`mixpanel-access policy list` shows the rules."
    )


def test_the_committed_configurations_are_read() -> None:
    """Each has a level for every rule."""
    for file in (Path(__file__).parents[2] / "policies" / "config").glob("*.json"):
        config = read_policy_config(file)
        assert config.rules == json.loads(file.read_text())
        assert {rule.id for rule in RULES} == config.rules.keys()


TEAM = "teams: { data: { name: Data, projects: { shop: admin } } }"


def in_a_team(engagement: str) -> Declaration:
    """One person who has a project through a team alone."""
    text = (
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\n"
        f"engagements: {{ look: {{ type: audit, ends: 2026-05-31 }} }}\n{TEAM}\n"
        f"people: [{{ email: di@agency.example.org, teams: [data]{engagement} }}]\n"
    )
    return declaration(parse(text, RosterSource("r")), TODAY)


def test_a_team_is_no_way_around_the_rules() -> None:
    """What somebody has through one is judged as their own, and so is the paperwork of their place in it."""
    judged = list(violations(in_a_team(", engagement: look"), AROUND, PolicyConfig({})))
    told = {one.rule.id: (one.text, one.email) for one in judged if "team" in one.text}
    text, email = told["team-within-standard"]
    assert text.startswith(
        "di@agency.example.org as admin in project 1, through a team: an engagement of type audit needs"
    )
    assert email == "di@agency.example.org"
    assert told["production-has-paperwork"][0].startswith("di@agency.example.org in team data: access to production")
    assert told["admin-has-reason"][0].startswith("team data as admin in project 1: admin needs a reason")
    ids = {one.rule.id for one in violations(in_a_team(""), AROUND, PolicyConfig({}))}
    assert "external-access-ends" in ids


def test_the_teams_of_a_state_are_judged() -> None:
    """By Mixpanel's ids, as the engine hands them over."""
    place = {"email": "di@agency.example.org", "team_id": 77, "engagement_type": "audit", "engagement": "look"}
    state = state_of_resources(
        {},
        {},
        teams={77: held_team("Data", 77, "urn::team/data", {"name": "Data"})},
        team_grants={
            (1, 77): held_team_grant(1, 77, "admin", "urn::1", {"team_id": 77, "project_id": 1, "role": "admin"})
        },
        team_members={(77, "di@agency.example.org"): held_team_member(77, "di@agency.example.org", "urn::2", place)},
    )
    ids = {one.rule.id for one in violations_in(state, AROUND, PolicyConfig({}))}
    assert {"team-within-standard", "admin-has-reason", "grant-has-member", "own-environment"} <= ids
