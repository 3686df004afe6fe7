"""Who comes into a stack, who does not, and what the roster then says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mixpanel_access.model.access import (
    AccessInProject,
    Grant,
    GrantType,
    Person,
    Project,
    SingleSignOn,
    access_in_project,
)
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import Forbidden, UsageError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.operations.importing.plan import (
    NO_GRANT,
    TO_BE_FILLED_IN,
    Candidate,
    ImportFilter,
    OrganizationSnapshot,
    choose_projects,
    plan_import,
    project_rows,
)
from mixpanel_access.operations.importing.teams import ExistingTeam, read_teams
from mixpanel_access.operations.roles_there import keys_there
from mixpanel_access.operations.state import EMPTY, State
from tests.fake_scim import with_scim
from tests.fakes import FakeApi, make_directory
from tests.operations.held import changed_state, held_grant, held_member, held_team_member, state_of_resources

SHOP, WAREHOUSE = 1, 2
TODAY = date(2026, 5, 4)
ANA, BO, CY = "ana@example.com", "Bo@Example.com", "cy@agency.example.org"
ROBIN = "robin@agency.example.org"
CUSTOM = "5b0c0c3e-0000-4000-8000-000000000001"
EMPTY_ROSTER = """\
environment: production
organizationRoles: true
projects:
  shop: { id: 1, environment: production }
  warehouse: { id: 2, environment: production }
people: []
"""
MEMBERS_ONLY = EMPTY_ROSTER.replace("organizationRoles: true\n", "")


def reading(
    *people: Person, grants: tuple[Grant, ...] = (), blind: frozenset[int] = frozenset()
) -> OrganizationSnapshot:
    """An organization of two projects, both the stack's."""
    by_key = {person.key: person for person in people}
    keys = {*by_key, *(grant.key for grant in grants)}
    access: dict[int, dict[str, AccessInProject]] = {}
    for project in (SHOP, WAREHOUSE):
        access[project] = {}
        for key in keys:
            person = by_key.get(key)
            rows = [grant for grant in grants if grant.project == project and grant.key == key]
            access[project][key] = access_in_project(rows, person.role if person and not person.invited else None)
    projects = {SHOP: Project(SHOP, "Shop"), WAREHOUSE: Project(WAREHOUSE, "Warehouse")}
    return OrganizationSnapshot(by_key, projects, access, blind)


def person(email: str, role: str | None = "member", *, invited: bool = False, name: str | None = None) -> Person:
    """Somebody of the organization."""
    return Person(email, role, invited, name)


def individual(email: str, role: str = "analyst", project: int = SHOP) -> Grant:
    """An individual grant."""
    return Grant(project, email, role, GrantType.INDIVIDUAL)


def one(found: OrganizationSnapshot, text: str = EMPTY_ROSTER, state: State = EMPTY, email: str = BO) -> Candidate:
    """What becomes of one person."""
    (candidate,) = plan_import(found, text, RosterSource("r.yaml"), state, ImportFilter([email]), TODAY).candidates
    return candidate


def test_a_person_comes_with_their_grants() -> None:
    """As Mixpanel writes the address, with name, organization role, project roles, and what is to be filled in."""
    found = reading(
        person(BO, name="Bo"),
        grants=(individual("bo@example.com", "analyst"), individual("BO@example.com", CUSTOM, WAREHOUSE)),
    )
    plan = plan_import(found, EMPTY_ROSTER, RosterSource("r.yaml"), EMPTY, ImportFilter(), TODAY)
    assert plan.text == EMPTY_ROSTER.replace(
        "people: []\n",
        f"""\
people:
  - email: Bo@Example.com
    name: Bo
    organizationRole: member
    projects:
      shop: analyst
      warehouse: {CUSTOM}
    # {TO_BE_FILLED_IN}
""",
    )
    assert plan.roster == parse(plan.text, RosterSource("r.yaml"))
    assert plan.members == {"bo@example.com"}
    assert plan.grants == {(SHOP, "bo@example.com"), (WAREHOUSE, "bo@example.com")}
    assert plan.candidates[0].left_out == []


def test_people_come_in_a_stable_order() -> None:
    """By address without regard to case, whatever the order in which Mixpanel lists them."""
    people = [person(email) for email in ("zoe@example.com", BO, ANA, CY)]
    texts = {
        plan_import(reading(*order), EMPTY_ROSTER, RosterSource("r"), EMPTY, ImportFilter(), TODAY).text
        for order in (people, people[::-1])
    }
    assert len(texts) == 1
    emails = [entry.email for entry in parse(texts.pop(), RosterSource("r")).people]
    assert emails == [ANA, BO, CY, "zoe@example.com"]


WAYS: dict[str, tuple[OrganizationSnapshot, str, bool, list[str]]] = {
    "a team": (
        reading(person(BO), grants=(Grant(SHOP, BO, "admin", GrantType.TEAM, "Data"),)),
        EMPTY_ROSTER,
        True,
        ["1: admin through the team Data is not an individual grant"],
    ),
    "the organization role, inherited": (
        reading(person(BO, "admin")),
        EMPTY_ROSTER,
        True,
        [f"{project}: admin through the organization role is not an individual grant" for project in (1, 2)],
    ),
    "the organization role, listed": (
        reading(person(BO, "owner"), grants=(Grant(SHOP, BO, "owner", GrantType.ORGANIZATION_ROLE),)),
        EMPTY_ROSTER,
        True,
        [f"{project}: owner through the organization role is not an individual grant" for project in (1, 2)],
    ),
    "all users": (
        reading(person(BO), grants=(Grant(SHOP, BO, "consumer", GrantType.ALL_USERS),)),
        EMPTY_ROSTER,
        True,
        ["1: consumer through a grant to all users is not an individual grant"],
    ),
    "a team, where the stack has no organization roles": (
        reading(person(BO), grants=(Grant(SHOP, BO, "admin", GrantType.TEAM, "Data"),)),
        MEMBERS_ONLY,
        False,
        ["1: admin through the team Data is not an individual grant", "no individual grant in this stack's projects"],
    ),
    "nothing, where the stack has no organization roles": (
        reading(person(BO)),
        MEMBERS_ONLY,
        False,
        ["no individual grant in this stack's projects"],
    ),
    "a role that no roster can name": (
        reading(person(BO), grants=(individual(BO, "superviewer"),)),
        MEMBERS_ONLY,
        False,
        ["1: the role 'superviewer' is none that a roster can name", "no individual grant in this stack's projects"],
    ),
    "an organization role that the list does not tell": (
        reading(person(BO, None)),
        EMPTY_ROSTER,
        True,
        ["the organization role, which Mixpanel's list does not show: it stays with the product"],
    ),
    "an organization role that no roster can name": (
        reading(person(BO, "guest")),
        EMPTY_ROSTER,
        True,
        ["the organization role 'guest', which no roster can name: it stays with the product"],
    ),
    "an invited person where such grants are hidden": (
        reading(person(BO, invited=True), blind=frozenset({WAREHOUSE})),
        EMPTY_ROSTER,
        True,
        ["2: an individual grant, if any, cannot be seen before the invitation is accepted"],
    ),
    "somebody who is deactivated": (
        reading(replace(person(BO, "admin"), deactivated=True), grants=(individual(BO),)),
        EMPTY_ROSTER,
        False,
        ["deactivated: they cannot log in, and what they hold is not taken over"],
    ),
    "somebody whom only a project lists": (
        reading(person(ANA), grants=(individual(BO),)),
        EMPTY_ROSTER,
        False,
        ["a project lists this address, and the organization does not"],
    ),
}


@pytest.mark.parametrize(("found", "text", "member", "reasons"), WAYS.values(), ids=WAYS.keys())
def test_what_is_left_out_and_why(found: OrganizationSnapshot, text: str, member: bool, reasons: list[str]) -> None:
    """No way but the individual grant becomes a grant; each thing that is not taken has its reason."""
    candidate = one(found, text)
    assert (candidate.member, candidate.grants) == (member, {})
    assert [f"{left.project}: {left.reason}" if left.project else left.reason for left in candidate.left_out] == reasons


OWN_ROLE = EMPTY_ROSTER + "customRoles:\n  Desk: { name: Support desk, project: warehouse }\n"


def test_a_role_that_the_roster_makes_is_written_by_its_key() -> None:
    """For somebody new and for somebody who stands there; the grant itself has the id, as Mixpanel has it."""
    grants = (individual(BO, CUSTOM, WAREHOUSE), individual(BO, CUSTOM), individual(ANA, CUSTOM, WAREHOUSE))
    found = replace(reading(person(BO), person(ANA), grants=grants), own_roles={(WAREHOUSE, CUSTOM): "Desk"})
    text = OWN_ROLE.replace("people: []", "people:\n  - { email: ana@example.com, projects: { shop: analyst } }")
    plan = plan_import(found, text, RosterSource("r"), EMPTY, ImportFilter(), TODAY)
    ana, bo = plan.roster.people
    assert ana.projects == {"shop": "analyst", "warehouse": "desk"}
    assert bo.projects == {"shop": CUSTOM, "warehouse": "desk"}  # the other project's role is none of the roster's
    assert "warehouse: Desk" in plan.text
    assert plan.candidates[1].grants == {SHOP: CUSTOM, WAREHOUSE: CUSTOM}


TEAMS = MEMBERS_ONLY + "teams: { data: { name: Data }, ops: { name: Ops } }\n"
ONLY_BO = frozenset({"bo@example.com"})
IN_DATA = ExistingTeam("data", TeamInfo(7, "Data", {}, ONLY_BO), ONLY_BO)
IN_OPS = ExistingTeam("ops", TeamInfo(8, "OPS", {}, ONLY_BO), ONLY_BO)
THROUGH_DATA = Grant(SHOP, BO, "admin", GrantType.TEAM, "DATA")


def in_teams(*teams: ExistingTeam) -> OrganizationSnapshot:
    """Bo, who has a role through the team Data."""
    return replace(reading(person(BO), grants=(THROUGH_DATA,)), teams=teams)


def test_a_person_comes_with_their_places_in_the_rosters_teams() -> None:
    """Though they hold nothing else in the stack; what they have through such a team is not left out."""
    found = in_teams(IN_DATA, IN_OPS)
    plan = plan_import(found, TEAMS, RosterSource("r"), EMPTY, ImportFilter(), TODAY)
    (bo,) = plan.roster.people
    assert (bo.teams, bo.projects) == (["data", "ops"], {})
    assert plan.members == {"bo@example.com"}
    assert plan.candidates[0].left_out == []


def test_an_entry_gets_the_places_that_it_lacks() -> None:
    """Those that it gives stay, and one that is in the state and no longer in the roster does not come back."""
    found = in_teams(IN_DATA, IN_OPS)
    text = TEAMS.replace("people: []", "people:\n  - { email: Bo@example.com, teams: [ops] }")
    plan = plan_import(found, text, RosterSource("r"), EMPTY, ImportFilter(), TODAY)
    assert plan.text == text.replace("[ops]", '[ops, "data"]')
    held = changed_state(EMPTY, team_members={(7, "bo@example.com"): held_team_member(7, BO)})
    assert plan_import(found, text, RosterSource("r"), held, ImportFilter(), TODAY).text == text


STRAY = "1: admin through the team DATA is not an individual grant"
NOT_OURS: dict[str, tuple[ExistingTeam, list[str]]] = {
    "an identity provider gives it": (
        replace(IN_DATA, fed=True),
        ["the membership in the team Data, which an identity provider feeds", STRAY, NO_GRANT],
    ),
    "another roster gives it": (
        replace(IN_DATA, elsewhere={"bo@example.com": "staging.yaml"}),
        ["the membership in the team Data, which staging.yaml gives", STRAY, NO_GRANT],
    ),
    "somebody else's": (replace(IN_DATA, inside=frozenset({"x@example.com"})), [STRAY, NO_GRANT]),
}


@pytest.mark.parametrize(("team", "reasons"), NOT_OURS.values(), ids=NOT_OURS.keys())
def test_a_place_that_is_not_ours_is_left_out(team: ExistingTeam, reasons: list[str]) -> None:
    """It would end with the entry, and be somebody else's to give."""
    candidate = one(in_teams(team), TEAMS)
    assert (candidate.member, candidate.teams) == (False, [])
    assert [f"{left.project}: {left.reason}" if left.project else left.reason for left in candidate.left_out] == reasons


AWAY = "the membership in the team Data, which the roster has from {} to {}"
NOT_TODAY = {
    "it has ended": ("ends: 2026-03-31", AWAY.format("the beginning", "2026-03-31")),
    "it has not begun": ("starts: 2026-05-05", AWAY.format("2026-05-05", "no end")),
}
ENTRIES = [
    "people: []",
    *(f"people: [{{ email: {BO}{more} }}]" for more in ("", ", starts: 2026-04-15", ", teams: [data]")),
]


@pytest.mark.parametrize("people", ENTRIES)
@pytest.mark.parametrize(("days", "reason"), NOT_TODAY.values(), ids=NOT_TODAY.keys())
def test_a_place_in_a_team_outside_of_its_days_is_left_out(days: str, reason: str, people: str) -> None:
    """The roster declares no place in it, whatever the person's own days are; it stays as it is."""
    text = TEAMS.replace("{ name: Data }", f"{{ name: Data, {days} }}").replace("people: []", people)
    api = FakeApi()
    api.put(BO)
    api.teams.put("Data", BO)
    found = in_teams(*read_teams(make_directory(api), parse(text, RosterSource("r")), {}, TODAY))
    plan = plan_import(found, text, RosterSource("r"), EMPTY, ImportFilter(), TODAY)
    assert (plan.text, list(plan.candidates[0].teams), plan.candidates[0].member) == (text, [], people != ENTRIES[0])
    assert [left.reason for left in plan.candidates[0].left_out][:1] == [reason]


@pytest.mark.parametrize(
    ("ends", "elsewhere"), [("2026-05-03", {}), ("2026-05-04", {"bo@example.com": "staging.yaml"})]
)
def test_a_team_that_is_over_elsewhere_gives_nothing_there(ends: str, elsewhere: dict[str, str]) -> None:
    """Though the entry there goes on."""
    api = FakeApi()
    api.teams.put("Data", BO)
    other = (
        f"environment: staging\nteams: {{ d: {{ name: Data, ends: {ends} }} }}\npeople: [{{ email: {BO}, teams: [d] }}]"
    )
    others = {"staging.yaml": parse(other, RosterSource("s"))}
    (found,) = read_teams(make_directory(api), parse(TEAMS, RosterSource("r")), others, TODAY)
    assert found.elsewhere == elsewhere


def test_teams_are_read_with_who_is_in_them_elsewhere() -> None:
    """By name in any case; an entry that is over gives nothing any more; one that is not there is not told."""
    api = FakeApi()
    api.teams.put("DATA", BO)
    other = "environment: staging\nteams: { d: { name: data }, x: { name: X } }\npeople:\n"
    entries = "  - { email: BO@example.com, teams: [d] }\n  - { email: cy@example.com, teams: [d], ends: 2026-05-03 }\n"
    others = {"staging.yaml": parse(other + entries + "  - { email: x@example.com, teams: [x] }\n", RosterSource("s"))}
    roster = parse(TEAMS, RosterSource("r"))
    (found,) = read_teams(make_directory(api), roster, others, TODAY)
    assert (found.key, found.team.id, found.elsewhere) == ("data", 77, {"bo@example.com": "staging.yaml"})
    api.calls.clear()
    assert read_teams(make_directory(api), parse(EMPTY_ROSTER, RosterSource("r")), others, TODAY) == []
    assert api.calls == {}


@pytest.mark.parametrize("hidden", [False, True], ids=["listed", "the group tells"])
@pytest.mark.parametrize("token", [False, True], ids=["fed by others", "fed by us"])
def test_who_is_in_a_fed_team_is_read(token: bool, hidden: bool) -> None:
    """In SCIM mode it is ours; where the list hides people, the group tells of those who come by SCIM."""
    api = FakeApi(security=SingleSignOn(domains=frozenset({"example.com"})))
    for email in (BO, ANA, ROBIN):
        api.put(email)
    api.teams.put("Data", BO, ROBIN, scim_managed=True)
    api.teams.hides_members = hidden
    (found,) = read_teams(make_directory(with_scim(api) if token else api), parse(TEAMS, RosterSource("r")), {}, TODAY)
    seen = {(False, False): {BO, ROBIN}, (False, True): set(), (True, False): {BO, ROBIN}, (True, True): {BO}}
    assert (found.fed, set(found.inside)) == (not token, {same_key(email) for email in seen[token, hidden]})


def test_own_roles_are_read_by_their_names() -> None:
    """Those that are there; where the plan has none, none is."""
    api = FakeApi(projects_={SHOP: Project(SHOP, "Shop"), WAREHOUSE: Project(WAREHOUSE, "Warehouse")})
    roster = parse(OWN_ROLE + "  other: { name: Other, project: shop }\n", RosterSource("r"))
    desk = api.custom_roles.put(WAREHOUSE, "SUPPORT DESK")
    api.custom_roles.put(SHOP, "Support desk")
    assert keys_there(make_directory(api), roster) == {(WAREHOUSE, desk.id): "Desk"}
    api.faults["custom_roles"] = [Forbidden("cannot") for _ in range(2)]
    assert keys_there(make_directory(api), roster) == {}


@pytest.mark.parametrize("email", ["etl.1a2b3c.mp-service-account", "ETL@x.MP-Service-Account", "no address"])
def test_who_is_no_person_is_left_out(email: str) -> None:
    """Service accounts, and addresses that no roster can hold."""
    candidate = one(reading(person(email), grants=(individual(email),)), email=email)
    assert (candidate.member, candidate.grants, len(candidate.left_out)) == (False, {}, 1)


def test_an_invited_person_comes_like_any_other() -> None:
    """Pending or expired: Mixpanel's list does not show which."""
    candidate = one(reading(person(BO, invited=True), grants=(individual(BO),)), MEMBERS_ONLY)
    assert (candidate.member, candidate.grants, candidate.left_out) == (True, {SHOP: "analyst"}, [])


HAND_MADE = """\
# ours
environment: production
projects:
  shop: { id: 1, environment: production } # the shop
  warehouse: { id: 2, environment: production }
people:
  - { email: bo@EXAMPLE.com, projects: { shop: owner } } # by hand
"""


def test_what_stands_in_the_roster_stays() -> None:
    """Its role, spelling and comment; only what Mixpanel has besides is added."""
    found = reading(person(BO), grants=(individual(BO, "analyst"), individual(BO, "consumer", WAREHOUSE)))
    plan = plan_import(found, HAND_MADE, RosterSource("r"), EMPTY, ImportFilter(), TODAY)
    assert plan.text == HAND_MADE.replace("shop: owner", 'shop: owner, "warehouse": "consumer"')
    assert plan.members == {"bo@example.com"}
    assert plan.grants == {(SHOP, "bo@example.com"), (WAREHOUSE, "bo@example.com")}


BOS = held_member(BO, None)


def test_what_is_in_the_state_is_not_taken_again() -> None:
    """Only the grant that is new is."""
    found = reading(person(BO), grants=(individual(BO, "owner"), individual(BO, "consumer", WAREHOUSE)))
    state = state_of_resources({"bo@example.com": BOS}, {(SHOP, "bo@example.com"): held_grant(SHOP, BO, "owner")})
    plan = plan_import(found, HAND_MADE, RosterSource("r"), state, ImportFilter(), TODAY)
    assert not plan.members
    assert plan.grants == {(WAREHOUSE, "bo@example.com")}
    everything = changed_state(
        state, grants={**state.grants, (WAREHOUSE, "bo@example.com"): held_grant(2, BO, "consumer")}
    )
    again = plan_import(found, HAND_MADE, RosterSource("r"), everything, ImportFilter(), TODAY)
    assert (again.members, again.grants, again.text) == (frozenset(), frozenset(), HAND_MADE)


def test_who_was_taken_out_of_the_roster_does_not_come_back() -> None:
    """A person in the state and no longer in the roster is about to lose the access; nor does a deleted grant."""
    found = reading(person(BO), grants=(individual(BO),))
    state = state_of_resources({"bo@example.com": BOS}, {(SHOP, "bo@example.com"): held_grant(SHOP, BO, "analyst")})
    gone = plan_import(found, EMPTY_ROSTER, RosterSource("r"), state, ImportFilter(), TODAY)
    assert (gone.text, gone.members, gone.grants) == (EMPTY_ROSTER, frozenset(), frozenset())
    assert "takes the access away" in gone.candidates[0].left_out[0].reason
    ungranted = HAND_MADE.replace("{ shop: owner }", "{}")
    assert plan_import(found, ungranted, RosterSource("r"), state, ImportFilter(), TODAY).text == ungranted


def test_only_who_is_wanted_comes() -> None:
    """Patterns over addresses, in any case, minus the excluded."""
    found = reading(person(ANA), person(BO), person(CY))
    plan = plan_import(
        found, EMPTY_ROSTER, RosterSource("r"), EMPTY, ImportFilter(["*@EXAMPLE.com", "cy@*"], [" BO@* "]), TODAY
    )
    assert [entry.email for entry in plan.roster.people] == [ANA, CY]
    assert [candidate.person.email for candidate in plan.candidates] == [ANA, CY]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (
            ImportFilter(["anna@example.com"]),
            "by --email for anna@example.com: it matches none of the organization's 2 ",
        ),
        (ImportFilter([], ["*@agency.*"]), "by --exclude for *@agency.*"),
    ],
)
def test_a_pattern_that_matches_nobody_is_an_error(wanted: ImportFilter, words: str) -> None:
    """It is misspelt: with what was meant, where that can be guessed."""
    with pytest.raises(UsageError) as caught:
        plan_import(reading(person(ANA), person(BO)), EMPTY_ROSTER, RosterSource("r"), EMPTY, wanted, TODAY)
    assert words in str(caught.value)
    assert ("did you mean 'ana@example.com'" in str(caught.value)) == bool(wanted.emails)


PROJECTS = {3: Project(3, "Shop (staging)"), 1: Project(1, "Shop (production)"), 2: Project(2, "12")}


@pytest.mark.parametrize(
    ("patterns", "ids"),
    [(["1"], [1]), (["*staging*", "1"], [1, 3]), (["SHOP*"], [1, 3]), (["2"], [2]), (["12"], [2]), (["*"], [1, 2, 3])],
)
def test_projects_by_id_or_name(patterns: list[str], ids: list[int]) -> None:
    """Each once, in the order of the ids."""
    assert [project.id for project in choose_projects(patterns, PROJECTS)] == ids


@pytest.mark.parametrize("pattern", ["[PROD] Shop", "[prod]*", "*[PROD]*", "[*] S?op"])
def test_a_bracket_in_a_pattern_is_itself(pattern: str) -> None:
    """As names have them; only * and ? stand for anything."""
    projects = {1: Project(1, "[PROD] Shop"), 2: Project(2, "P Shop"), 3: Project(3, "prod")}
    assert [project.id for project in choose_projects([pattern], projects)] == [1]
    wanted = ImportFilter([pattern.replace(" ", "")])
    assert [text for text in ("[PROD]Shop", "P", "PShop") if wanted.takes(text)] == ["[PROD]Shop"]


def test_a_project_that_is_not_there() -> None:
    """The error lists those that are."""
    with pytest.raises(UsageError, match=r"for web: .*1 Shop \(production\); 2 12; 3 Shop \(staging\)"):
        choose_projects(["1", "web"], PROJECTS)


def test_short_keys_for_projects() -> None:
    """The words of the name without the environment's; never one that is taken."""
    roster = parse("environment: production\nprojects: {shop: {id: 9, environment: production}}", RosterSource("r"))
    projects = [
        Project(1, "Shop (production)"),
        Project(2, "Ünï Web: App!"),
        Project(3, "production"),
        Project(4, ""),
        Project(5, "web App"),
    ]
    rows = project_rows(projects, roster)
    assert rows == {
        "shop-1": {"id": 1, "name": "Shop (production)", "environment": "production"},
        "n-web-app": {"id": 2, "name": "Ünï Web: App!", "environment": "production"},
        "project": {"id": 3, "name": "production", "environment": "production"},
        "project-4": {"id": 4, "environment": "production"},
        "web-app": {"id": 5, "name": "web App", "environment": "production"},
    }


@pytest.mark.parametrize("dates", ["ends: 2026-05-03", "starts: 2026-05-05"])
def test_an_entry_that_declares_nothing_today_takes_nothing(dates: str) -> None:
    """Its access has ended, or has not begun: what Mixpanel has is not taken back for it."""
    found = reading(person(BO), grants=(individual(BO), individual(BO, "consumer", WAREHOUSE)))
    text = HAND_MADE.replace("{ email", f"{{ {dates}, email")
    plan = plan_import(found, text, RosterSource("r"), EMPTY, ImportFilter(), TODAY)
    assert (plan.text, plan.members, plan.grants) == (text, frozenset(), frozenset())
    assert "declares nothing today" in plan.candidates[0].left_out[0].reason
