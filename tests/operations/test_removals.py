"""What a state holds and a roster no longer gives: exactly that goes, and nothing is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import (
    Declaration,
    Kept,
    declaration,
    grant_name,
    kept_text,
    read_kept,
    team_member_name,
)
from mixpanel_access.model.errors import InputError, RosterError
from mixpanel_access.model.resource_ids import BRAKE_NAME
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.salvage import salvage
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.revoking.engine import declaration_without
from mixpanel_access.operations.revoking.removals import Removal, RosterToday, removals
from mixpanel_access.operations.revoking.rows import StateRow, rows_of
from tests.grouped import FORMS, Form

ORG = 7654321
DAY, NEXT = date(2026, 6, 30), date(2026, 7, 1)
ROOT = "urn:pulumi:production::mixpanel-access::"
COMPONENT = f"{ROOT}{kinds.COMPONENT_TYPE}::roster"


def declared(people: list[dict[str, Any]], today: date = DAY, **more: Any) -> Declaration:
    """What a roster declares on a day."""
    return declaration(parse(text_of(people, **more), RosterSource("r")), today)


def text_of(people: list[dict[str, Any]], **more: Any) -> str:
    """A roster with two projects, of which the second is authoritative."""
    document: dict[str, Any] = {
        "environment": "production",
        "organizationRoles": True,
        "projects": {
            "shop": {"id": 1, "environment": "production"},
            "web": {"id": 2, "environment": "production", "authoritative": True},
        },
        "teams": {"data": {"name": "Data", "projects": {"shop": "analyst"}}},
        "people": people,
    }
    return json.dumps(document | more)


def rows(of: Declaration) -> list[StateRow]:
    """The state that an `up` of a declaration leaves."""
    found: list[StateRow] = []

    def add(type_: str, name: str, id_: str, inputs: Mapping[str, Any], **outputs: Any) -> None:
        urn = f"{ROOT}{kinds.COMPONENT_TYPE}${type_}::{name}"
        found.append(StateRow(urn, type_, f"{ORG}:{id_}", inputs, {**inputs, **outputs}, COMPONENT))

    together = of.grouped_members or {"people": {}}
    if of.grouped_members is not None:
        add(kinds.MEMBERS_TYPE, kinds.MEMBERS.prefix, kinds.MEMBERS.prefix, together)
    for name, inputs in of.members.items():
        if inputs["email"] not in together["people"]:
            add(kinds.MEMBER_TYPE, name, inputs["email"], inputs)
    for (project, name), inputs in of.single_grants.items():
        add(kinds.GRANT_TYPE, grant_name(project, name), f"{project}:{inputs['email']}", inputs)
    for project, inputs in of.project_access.items():
        add(kinds.PROJECT_ACCESS_TYPE, kinds.PROJECT_ACCESS.named(project), str(project), inputs)
    team_ids = {key: 100 + n for n, key in enumerate(sorted(of.teams))}
    for key, inputs in of.teams.items():
        add(kinds.TEAM_TYPE, kinds.TEAM.named(key), str(team_ids[key]), inputs)
    for (project, key), inputs in of.team_grants.items():
        add(kinds.TEAM_GRANT_TYPE, grant_name(project, kinds.TEAM.named(key)), f"{project}:{team_ids[key]}", inputs)
    for key, inputs in of.grouped_teams.items():
        add(kinds.TEAM_MEMBERS_TYPE, kinds.TEAM_MEMBERS.named(key), str(team_ids[key]), inputs)
    for (key, name), inputs in of.team_members.items():
        if key in of.grouped_teams:
            continue
        add(kinds.TEAM_MEMBER_TYPE, team_member_name(key, name), f"{team_ids[key]}:{inputs['email']}", inputs)
    account_ids = {name: 200 + n for n, name in enumerate(sorted(of.accounts))}
    for name, inputs in of.accounts.items():
        add(kinds.SERVICE_ACCOUNT_TYPE, kinds.SERVICE_ACCOUNT.named(name), str(account_ids[name]), inputs)
    for (project, name), inputs in of.account_grants.items():
        id_ = f"{project}:{account_ids[name]}"
        add(kinds.SERVICE_ACCOUNT_GRANT_TYPE, grant_name(project, kinds.SERVICE_ACCOUNT.named(name)), id_, inputs)
    add(kinds.BRAKE_TYPE, BRAKE_NAME, "removal-brake", {"people": list(of.people)})
    return found


def what(found: list[Removal]) -> set[tuple[str, str]]:
    """Whose what goes."""
    return {(one.email, one.what) for one in found}


BO = {"email": "bo@example.com"}
CASES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], set[str]]] = {
    "the entry has ended": ([{**BO, "projects": {"shop": "analyst"}, "ends": "2026-06-30"}], [], {"in", "shop"}),
    "the entry is gone": ([{**BO, "projects": {"shop": "analyst"}}], [], {"in", "shop"}),
    "one grant is gone": (
        [{**BO, "projects": {"shop": "analyst", "web": "analyst"}}],
        [{**BO, "projects": {"web": "analyst"}}],
        {"shop"},
    ),
    "a grant of an authoritative project is gone": (
        [{**BO, "projects": {"shop": "analyst", "web": "analyst"}}],
        [{**BO, "projects": {"shop": "analyst"}}],
        {"web"},
    ),
    "a lower role": (
        [{**BO, "projects": {"shop": "admin"}}],
        [{**BO, "projects": {"shop": "analyst"}}],
        {"-> analyst"},
    ),
    "a lower role in an authoritative project": (
        [{**BO, "projects": {"web": "admin"}}],
        [{**BO, "projects": {"web": "analyst"}}],
        {"-> analyst"},
    ),
    "a higher role": ([{**BO, "projects": {"shop": "analyst"}}], [{**BO, "projects": {"shop": "admin"}}], set()),
    "a new grant": ([{**BO}], [{**BO, "projects": {"shop": "analyst", "web": "analyst"}}], set()),
    "a lower organization role": (
        [{**BO, "organizationRole": "admin"}],
        [{**BO, "organizationRole": "member"}],
        {"admin -> member"},
    ),
    "no organization role any more": ([{**BO, "organizationRole": "admin"}], [{**BO}], {"admin -> what"}),
    "member is the least": ([{**BO, "organizationRole": "member"}], [{**BO}], set()),
    "a higher organization role": (
        [{**BO, "organizationRole": "member"}],
        [{**BO, "organizationRole": "admin"}],
        set(),
    ),
    "a place in a team is gone": ([{**BO, "teams": ["data"]}], [{**BO}], {"the team Data"}),
    "another spelling": (
        [{**BO, "projects": {"shop": "analyst"}}],
        [{"email": "Bo@Example.COM", "projects": {"shop": "analyst"}}],
        set(),
    ),
    "another reason": ([{**BO, "ticket": "OPS-1"}], [{**BO, "ticket": "OPS-2"}], set()),
    "a custom role, by an edit": (
        [{**BO, "projects": {"shop": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}}],
        [{**BO, "projects": {"shop": "analyst"}}],
        set(),  # nobody can tell which is higher, so it waits for `pulumi up`
    ),
    "a custom role that has ended": (
        [{**BO, "projects": {"shop": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}, "ends": "2026-06-30"}],
        [{**BO, "projects": {"shop": "analyst"}}],
        {"-> analyst"},
    ),
}
_WORDS = {"in": "the membership in the organization", "shop": "analyst in shop", "web": "analyst in web"}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("before", "after", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_no_longer_given_goes(
    before: list[dict[str, Any]], after: list[dict[str, Any]], expected: set[str], form: Form
) -> None:
    """Grants, roles and places that are less today than in the state; what is more waits."""
    found = removals(form(rows(declared(before))), RosterToday(declared(after, NEXT), NEXT))
    assert len(found) == len(expected)
    for words in expected:
        assert any(_WORDS.get(words, words) in one.what for one in found), (words, found)


WAITS: dict[str, tuple[str, str | None, set[str]]] = {
    "an ended admin": ("admin", "2026-06-30", {"admin in {}"}),
    "an ended consumer": ("consumer", "2026-06-30", {"consumer in {}"}),
    "an ended custom role": ("0" * 8 + "-0000" * 3 + "-" + "0" * 12, "2026-06-30", {"in {}"}),
    "the last day is today": ("admin", "2026-07-01", set()),
    "an edit: nobody can tell which is higher": ("admin", None, set()),
}
"""The role before, its last day, and what goes where a custom role follows that is not made yet."""


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("project", ["shop", "web"], ids=["a single grant", "an authoritative project"])
@pytest.mark.parametrize(("role", "ends", "expected"), WAITS.values(), ids=WAITS.keys())
def test_an_ended_role_does_not_wait_for_the_custom_role_that_follows(
    role: str, ends: str | None, expected: set[str], project: str, form: Form
) -> None:
    """Only `up` can make the role and give it; what has ended goes all the same."""
    roles_of = {"customRoles": {"desk": {"name": "Support desk", "project": project}}}
    state = form(rows(declared([{**BO, "projects": {project: role}, **({"ends": ends} if ends else {})}])))
    gives = declared([{**BO, "projects": {project: "desk"}}], NEXT, **roles_of)
    found = removals(state, RosterToday(gives, NEXT))
    assert len(found) == len(expected)
    assert all(words.format(project) in found[0].what and not found[0].lowers for words in expected)
    stays = declaration_without(state, found, {}, gives)
    assert removals(rows(stays), RosterToday(gives, NEXT)) == []


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_team_that_ends_goes_with_its_roles_and_places(form: Form) -> None:
    """A team that only gets another key or name stays."""
    team = {"name": "Data", "projects": {"shop": "analyst"}}
    people = [{**BO, "teams": ["data"]}]
    state = form(rows(declared(people, teams={"data": {**team, "ends": "2026-06-30"}})))
    found = removals(state, RosterToday(declared(people, NEXT, teams={"data": {**team, "ends": "2026-06-30"}}), NEXT))
    assert {one.type for one in found} == {kinds.TEAM_TYPE, kinds.TEAM_GRANT_TYPE, kinds.TEAM_MEMBER_TYPE}
    assert all(one.planned for one in found)
    renamed = declared([{**BO, "teams": ["d"]}], NEXT, teams={"d": {**team, "name": "data"}})
    assert removals(state, RosterToday(renamed, NEXT)) == []
    assert removals(state, RosterToday(declared(people, NEXT, teams={"data": {**team, "name": "Facts"}}), NEXT)) == []


def test_how_the_grants_of_a_project_are_declared_does_not_matter() -> None:
    """Single grants become one resource, or the reverse: nobody loses anything before `pulumi up` has done it."""
    people = [{**BO, "projects": {"shop": "analyst", "web": "analyst"}}]
    one_by_one, whole = declared(people, authoritative=False), declared(people, authoritative=True)
    for form in FORMS.values():
        assert removals(form(rows(one_by_one)), RosterToday(whole, DAY)) == []
        assert removals(form(rows(whole)), RosterToday(one_by_one, DAY)) == []


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_changed_address_is_the_same_person(form: Form) -> None:
    """The state has the old address, the roster the new one, and Mixpanel says that they are one."""
    state = form(rows(declared([{**BO, "projects": {"shop": "analyst"}}])))
    new = declared([{"email": "bo@new.example.com", "projects": {"shop": "analyst"}}])
    assert removals(state, RosterToday(new, DAY, renamed={"bo@example.com": "bo@new.example.com"})) == []
    assert len(removals(state, RosterToday(new, DAY))) == 2


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_has_ended_has_the_rosters_last_day(form: Form) -> None:
    """Of a person, a role, a place and a team: as `status` and `remind` have it, though the state has another day."""

    def roster(last: str) -> Roster:
        people = [
            {**BO, "projects": {"shop": "analyst"}, "teams": ["data"], "organizationRole": "admin", "ends": last},
            {"email": "cy@example.com", "projects": {"shop": "admin"}, "engagement": "e", "ends": last},
            {"email": "cy@example.com", "projects": {"shop": "consumer"}},
        ]
        team = {"name": "Data", "projects": {"shop": "consumer"}, "ends": last}
        return parse(text_of(people, teams={"data": team}, engagements={"e": {}}), RosterSource("r"))

    state = form(rows(declaration(roster("2026-07-10"), DAY)))
    moved, today = roster("2026-07-20"), date(2026, 7, 22)
    given = RosterToday(declaration(moved, today), today, roster=moved)
    found = removals(state, given)
    assert {str(one.last) for one in found} == {"2026-07-20"}
    assert {one.ends for one in found} == {"2026-07-10"}
    assert len(found) == 6
    dropped = parse(text_of([], teams={}), RosterSource("r"))
    gone = removals(state, RosterToday(declaration(dropped, today), today, roster=dropped))
    assert {str(one.last) for one in gone if one.planned} == {"2026-07-10"}


def test_service_accounts_lose_what_they_are_no_longer_given() -> None:
    """The account, and each of its roles."""
    robot = {"role": "consumer", "purpose": "p", "contact": "ana@example.com", "projects": {"shop": "admin"}}
    state = rows(declared([], serviceAccounts={"etl": robot}))
    assert len(removals(state, RosterToday(declared([]), DAY))) == 2
    lower = declared([], serviceAccounts={"etl": {**robot, "projects": {"shop": "consumer"}}})
    assert what(removals(state, RosterToday(lower, DAY))) == {
        ("", "admin -> consumer of the service account etl in shop")
    }


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_without_a_roster_only_what_has_ended_by_the_state_goes(form: Form) -> None:
    """A grant, a place in a team, a whole person and a grant of an authoritative project, by their own last days."""
    people: list[dict[str, Any]] = [
        {"email": "a@example.com", "projects": {"shop": "analyst", "web": "consumer"}, "ends": "2026-06-30"},
        {"email": "b@example.com", "teams": ["data"], "projects": {"web": "analyst"}, "ends": "2026-07-01"},
        {"email": "c@example.com", "organizationRole": "admin"},
    ]
    robot = {"role": "consumer", "purpose": "p", "contact": "ana@example.com", "projects": {"shop": "admin"}}
    state = form(rows(declared(people, serviceAccounts={"etl": robot})))
    nothing = declaration(parse(text_of([], teams={}), RosterSource("r")), DAY)
    by_day = {
        today: {(one.email, one.what) for one in removals(state, RosterToday(nothing, today, ended_only=True))}
        for today in (DAY, NEXT, date(2026, 7, 2))
    }
    assert by_day[DAY] == set()
    assert {email for email, _ in by_day[NEXT]} == {"a@example.com"}
    assert len(by_day[NEXT]) == 3
    assert {email for email, _ in by_day[date(2026, 7, 2)]} == {"a@example.com", "b@example.com"}
    assert len(by_day[date(2026, 7, 2)]) == 6
    assert len(removals(state, RosterToday(nothing, DAY))) > 6


EMAILS = [f"p{n}@example.com" for n in range(4)]
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"email": st.sampled_from(EMAILS)},
        optional={
            "organizationRole": st.sampled_from(["admin", "member"]),
            "projects": st.dictionaries(st.sampled_from(["shop", "web"]), st.sampled_from(["admin", "analyst"])),
            "teams": st.just(["data"]),
            "ends": st.sampled_from(["2026-06-30", "2026-12-31"]),
        },
    ),
    max_size=4,
    unique_by=lambda entry: str(entry["email"]),
)


@pytest.mark.parametrize("grouped", [False, True], ids=FORMS)
@drawn(before=ENTRIES, after=ENTRIES, today=st.sampled_from([DAY, NEXT]))
def test_a_run_takes_the_difference_and_gives_nothing(
    grouped: bool, before: list[dict[str, Any]], after: list[dict[str, Any]], today: date
) -> None:
    """For any two rosters: what is kept is the lower of what the state has and what the roster gives today."""
    had, gives = declared(before, grouped=grouped), declared(after, today, grouped=grouped)
    state = rows(had)
    found = removals(state, RosterToday(gives, today))
    stays = declaration_without(state, found, {}, gives)
    assert stays.members.keys() == had.members.keys() & gives.members.keys()
    for name, inputs in stays.members.items():
        old, new = (of.members[name].get("role") for of in (had, gives))
        assert roles.organization_rank(inputs.get("role")) <= roles.organization_rank(old)
        assert inputs.get("role") in (old, new)
    if grouped:
        assert set((stays.grouped_members or {"people": ()})["people"]) == stays.members.keys()
    held = {place: inputs["role"] for place, inputs in stays.single_grants.items()}
    held |= {
        (project, same_key(email)): role
        for project, inputs in stays.project_access.items()
        for email, role in inputs["grants"].items()
    }
    ranks = {"admin": 2, "analyst": 1}
    assert held == {
        place: min(had.grants[place]["role"], gives.grants[place]["role"], key=ranks.__getitem__)
        for place in had.grants.keys() & gives.grants.keys()
    }
    assert stays.team_members.keys() == had.team_members.keys() & gives.team_members.keys()
    assert {same_key(person["email"]) for person in stays.people} == stays.members.keys()
    again = removals(rows(stays), RosterToday(gives, today))
    assert again == [], "a second run has nothing to do"
    text = kept_text(Kept("production", "production.yaml", stays))
    assert kept_text(Kept("production", "production.yaml", read_kept(text, "production", "production.yaml"))) == text


@pytest.mark.parametrize(("stack", "roster"), [("staging", "production.yaml"), ("production", "other.yaml")])
def test_a_program_of_another_roster_is_refused(stack: str, roster: str) -> None:
    """What is kept was worked out for one stack and one roster."""
    text = kept_text(Kept("production", "production.yaml", declared([])))
    with pytest.raises(InputError, match="cannot revoke with this program"):
        read_kept(text, stack, roster)
    with pytest.raises(InputError, match="is not one of `mixpanel-access revoke`"):
        read_kept("{}", "production", "production.yaml")


def test_what_waits_for_its_deletion_is_read_as_such() -> None:
    """After a run that was killed between a replacement and its deletion."""
    exported = {"deployment": {"resources": [{"urn": "u", "type": kinds.MEMBER_TYPE, "id": "1:a@b.c", "delete": True}]}}
    (row,) = rows_of(exported)
    assert row.going
    assert removals([row], RosterToday(declared([]), DAY)) == []


def test_a_secret_is_known_by_its_id_and_never_shown() -> None:
    """In a program of one's own an address, a role, or all grants of a project may be secrets."""
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    resources = [
        {"type": kinds.MEMBER_TYPE, "id": f"{ORG}:bo@example.com", "outputs": {"email": secret, "removal": "always"}},
        {"type": kinds.GRANT_TYPE, "id": f"{ORG}:1:bo@example.com", "outputs": {"email": secret, "role": secret}},
        {"type": kinds.PROJECT_ACCESS_TYPE, "id": f"{ORG}:2", "outputs": {"project_id": 2, "grants": secret}},
    ]
    state = rows_of({"deployment": {"resources": [{"urn": f"{ROOT}x::n", **one} for one in resources]}})
    gives = declared([], projects={"shop": {"id": 1, "environment": "production"}}, teams={})
    found = removals(state, RosterToday(gives, DAY))
    assert what(found) == {
        ("bo@example.com", "the membership in the organization"),
        ("bo@example.com", "a role in shop"),
        ("", "the grants in project 2"),
    }


def test_a_state_as_the_engine_exports_it_becomes_a_document() -> None:
    """What is read from it can be written down for the program."""
    inputs = {"email": "bo@example.com", "role": "member", "removal": "always", "__provider": "x"}
    resource = {
        "urn": f"{ROOT}{kinds.COMPONENT_TYPE}${kinds.MEMBER_TYPE}::bo@example.com",
        "type": kinds.MEMBER_TYPE, "id": f"{ORG}:bo@example.com", "inputs": inputs, "outputs": inputs,
    }  # fmt: skip
    state = rows_of({"deployment": {"resources": [resource]}})
    stays = declaration_without(state, [], {"environment": "production"}, declared([]))
    again = read_kept(kept_text(Kept("production", "r.yaml", stays)), "production", "r.yaml")
    assert again.members == {"bo@example.com": {"email": "bo@example.com", "role": "member", "removal": "always"}}


@pytest.mark.parametrize("after", [[], [{**BO, "projects": {}}]], ids=["nobody", "somebody without a grant"])
def test_an_authoritative_project_without_anybody_left_stays_in_the_state(after: list[dict[str, Any]]) -> None:
    """Its last grants go by a change and not by a deletion, which could take what others were given since."""
    state = rows(declared([{**BO, "projects": {"web": "analyst"}, "ends": "2026-06-30"}]))
    gives = declared(after, NEXT)
    found = [one for one in removals(state, RosterToday(gives, NEXT)) if one.in_group]
    assert what(found) == {("bo@example.com", "analyst in web")}
    stays = declaration_without(state, found, {}, gives)
    assert stays.project_access[2]["grants"] == {} == gives.project_access[2]["grants"]


CY = {"email": "cy@example.com", "projects": {"shop": "analyst", "web": "analyst"}, "ends": "2026-06-30"}
BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any], set[str]]] = {
    "a role": ({"email": "di@example.com", "projects": {"shop": "analist"}}, {}, {"cy"}),
    "a field": ({"email": "di@example.com", "organisationRole": "admin"}, {}, {"cy"}),
    "a date": ({"email": "di@example.com", "ends": "2026-06-31"}, {}, {"cy"}),
    "an unknown project": ({"email": "di@example.com", "projects": {"shopp": "analyst"}}, {}, {"cy"}),
    "an unknown engagement": ({"email": "di@example.com", "engagement": "none"}, {}, {"cy"}),
    "an address: it may be anybody's": ({"email": "di at example.com"}, {}, {"cy"}),
    "an engagement": ({"email": "di@example.com", "engagement": "e"}, {"engagements": {"e": {"type": "none"}}}, {"cy"}),
    "a team": (
        {"email": "di@example.com", "teams": ["t"]},
        {"teams": {"data": {"name": "Data", "projects": {"shop": "analyst"}}, "t": {"name": "T", "removal": "x"}}},
        {"cy"},
    ),
    "an exception": (
        {"email": "di@example.com"},
        {"exceptions": [{"rule": "r", "reason": "x", "approver": "a@example.com", "ends": "soon"}]},
        {"cy", "di"},
    ),
    "a fact of the organization": ({"email": "di@example.com"}, {"organization": {"url": "ftp"}}, {"cy", "di"}),
    "their own other entry": ({"email": "cy@example.com", "engagement": "none"}, {}, {"di"}),
}
"""An entry beside the one that has ended, and who loses something: di's grants are in the state too."""


@pytest.mark.parametrize(("entry", "more", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_an_error_in_one_entry_keeps_nobody_elses_ended_access(
    entry: dict[str, Any], more: dict[str, Any], expected: set[str]
) -> None:
    """What cannot be read is neither absence nor permission: only those keep something whom it may be about."""
    di = {"email": "di@example.com", "projects": {"shop": "analyst"}}
    state = rows(declared([CY, di]))
    text = text_of([CY, entry], **more)
    read = salvage(text, RosterSource("r"))
    assert read.problem.startswith("r:")
    assert read.problem.endswith("; fix it")
    assert "run again" not in read.problem
    for key in read.unread.people:
        assert f"the entry of {key} cannot be read, so {key} keeps what the state has" in read.problem
    found = removals(state, RosterToday(declaration(read.roster, NEXT), NEXT, read.unread))
    assert {one.email.partition("@")[0] for one in found} == expected


OTHERS = '{"bad": {"ends": "2026-06-31"}, "good": {"ends": "2026-12-31"}}'
INCLUDED: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "a date in an engagement that nobody uses": (f'{{"engagements": {OTHERS}}}', {}, {"cy", "di"}),
    "a date in somebody's engagement": (f'{{"engagements": {OTHERS}}}', {"engagement": "bad"}, {"cy"}),
    "a date beside somebody's engagement": (f'{{"engagements": {OTHERS}}}', {"engagement": "good"}, {"cy", "di"}),
    "a type": ('{"engagements": {"bad": {"type": 5}}}', {"engagement": "bad"}, {"cy"}),
    "a field of a service account": ('{"serviceAccounts": {"etl": {"nvironment": "x"}}}', {}, {"cy", "di"}),
    "a date that YAML reads otherwise": ("engagements: { bad: { type: sow, name: 010 } }", {}, {"cy", "di"}),
}
"""A file that the roster includes, what di's entry gives today, and who loses something: both had an analyst's role."""


@pytest.mark.parametrize(("file", "entry", "expected"), INCLUDED.values(), ids=INCLUDED.keys())
def test_an_error_in_an_included_file_keeps_nobody_elses_ended_access(
    file: str, entry: dict[str, Any], expected: set[str]
) -> None:
    """A bad part of an included file is left out as the roster's own is: only those wait who refer to it."""
    di = {"email": "di@example.com", "projects": {"shop": "analyst"}}
    state = rows(declared([CY, di]))
    text = text_of([CY, {"email": "di@example.com", **entry}], include=["common.yaml"])
    read = salvage(text, RosterSource("r", lambda name: file))
    assert "common.yaml:1" in read.problem
    found = removals(state, RosterToday(declaration(read.roster, NEXT), NEXT, read.unread))
    assert {one.email.partition("@")[0] for one in found} == expected


@pytest.mark.parametrize("file", ["engagements: {", "[]", '{"people": []}'])
def test_an_included_file_that_is_broken_as_a_whole_is_refused(file: str) -> None:
    """Nobody can tell what it brings."""
    with pytest.raises(RosterError):
        salvage(text_of([CY], include=["common.yaml"]), RosterSource("r", lambda name: file))


@pytest.mark.parametrize(
    "text",
    ["people: [", "[]", '{"people": []}', text_of([], projets={}), text_of([], include="none.yaml")],
    ids=["no YAML", "a list", "no environment", "an unknown section", "an include that is not there"],
)
def test_a_roster_that_is_broken_as_a_whole_is_refused(text: str) -> None:
    """Nobody can tell what it gives."""
    with pytest.raises(RosterError):
        salvage(text, RosterSource("r"))
