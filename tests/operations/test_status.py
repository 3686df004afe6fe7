"""How everybody stands, and what is next: each finding at its boundary."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from mixpanel_access.cli.status import _print, _role
from mixpanel_access.files.roster import OtherRosters
from mixpanel_access.model.access import GrantType, Invitation
from mixpanel_access.model.neighbours import About, Conflict
from mixpanel_access.operations.next_steps import SETTLE, hours
from mixpanel_access.operations.overview import overview_of
from mixpanel_access.operations.reminding import reminders
from mixpanel_access.operations.roles_there import lost_roles
from mixpanel_access.operations.status import Status, statuses
from tests.fakes import NOW, PRODUCTION, WAREHOUSE, FakeApi, make_directory
from tests.operations.held import changed_state, held_custom_role, held_grant, held_team
from tests.operations.overviews import BO, overview, person

HOUR = timedelta(hours=1)


def settled(*, invited: bool = False) -> FakeApi:
    """An organization in which Bo has what the roster gives."""
    api = FakeApi()
    api.put(BO, "member", invited=invited)
    api.give(PRODUCTION, BO, "analyst")
    return api


def the_one(found: list[Status]) -> Status:
    """The only person."""
    (one,) = found
    return one


def said(status: Status) -> list[tuple[str, bool]]:
    """What is said, and whether it is a finding."""
    return [(step.text, step.problem) for step in status.steps]


def test_who_has_what_is_declared_has_nothing_to_do() -> None:
    """Accepted, with the roles of the roster."""
    one = the_one(statuses(overview(settled(), person())))
    assert (one.invitation, one.organization_role.declared, one.organization_role.actual, one.ends) == (
        Invitation.ACCEPTED, "member", "member", None,
    )  # fmt: skip
    assert [(role.name, role.declared, role.actual) for role in one.projects] == [("shop", "analyst", "analyst")]
    assert one.steps == []


AGES = [
    (72 * HOUR, []),
    (72 * HOUR + timedelta(seconds=1), [("the invitation is pending for 72 h", True)]),
    (120 * HOUR, [("the invitation is pending for 120 h", True), ("the invitation expires in 48 h", True)]),
    (120 * HOUR - timedelta(seconds=1), [("the invitation is pending for 119 h", True)]),
    (168 * HOUR, [("the invitation expired on 2026-05-11 12:00 UTC", True)]),
]


@pytest.mark.parametrize(("age", "expected"), AGES)
def test_an_invitation_grows_old(age: timedelta, expected: list[tuple[str, bool]]) -> None:
    """After 72 hours somebody should look; 48 hours before its end it is about to expire; then it is expired."""
    one = the_one(statuses(overview(settled(invited=True), person(), now=NOW + age, invited={BO: NOW})))
    assert said(one) == expected
    assert one.invitation is (Invitation.EXPIRED if age >= 168 * HOUR else Invitation.PENDING)
    for step in one.steps:
        again = "`pulumi up --stack production` sends it again"
        assert f"mixpanel-access resend {BO}" in step.next_step or step.next_step == again


@pytest.mark.parametrize("age", [100 * HOUR, 200 * HOUR])
def test_an_invitation_of_who_has_no_access_any_more_is_not_to_be_sent_again(age: timedelta) -> None:
    """No update would; what has ended goes, in `status` and in `remind`."""
    entry = person(more="projects: { shop: analyst }, ends: 2026-05-05")
    looked = overview(settled(invited=True), entry, now=NOW + age, invited={BO: NOW})
    texts = [*(text for text, _ in said(the_one(statuses(looked)))), *(one.text for one in reminders(looked))]
    assert len(texts) == 2
    assert all("ended on 2026-05-05" in text for text in texts)


@pytest.mark.parametrize(("hours_", "words"), [(335, "335 h"), (336, "336 h"), (337, "14 days"), (518, "21 days")])
def test_a_long_time_is_shown_in_days(hours_: int, words: str) -> None:
    """From two weeks on."""
    assert hours(hours_ * HOUR) == words


def test_an_invitation_of_unknown_age_is_only_pending() -> None:
    """It was found waiting: nothing tells when it went out."""
    one = the_one(statuses(overview(settled(invited=True), person(), now=NOW + 500 * HOUR)))
    assert (one.invitation, one.steps) == (Invitation.PENDING, [])


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


BLOCKS = """\
bo@example.com: accepted, organization member, until 2026-05-18
  ! is admin in shop, and analyst is declared:
    `pulumi up --stack production --refresh`
  - the access in stack production ends on 2026-05-18:
    extend `ends` in the roster, or let it end
  shop: analyst (is admin)
  warehouse: consumer through the team Pilot
  team pilot: warehouse consumer

cy.with.a.long.name@agency.example.org: pending, invited 144 h ago, organization member
  ! the invitation is pending for 144 h:
    ask whether it arrived (spam, allow-list), then
    `mixpanel-access resend cy.with.a.long.name@agency.example.org`
  ! the invitation expires in 24 h:
    `mixpanel-access resend cy.with.a.long.name@agency.example.org`
  shop: analyst (not shown)

2 of 2 people of production with something to do, 2026-05-10 12:00 UTC.
"""
SHOWN = {
    80: BLOCKS.replace("144 h ago, organization member", "144 h ago, organization\n  member"),
    100: BLOCKS,
    150: BLOCKS.replace("then\n    `mix", "then `mix"),
}


@pytest.mark.parametrize(("width", "expected"), SHOWN.items())
def test_a_person_is_a_block(monkeypatch: pytest.MonkeyPatch, width: int, expected: str) -> None:
    """Who it is, what to do and to know, then the roles; no line is too long, and no word or command is cut."""
    cy, api = "cy.with.a.long.name@agency.example.org", settled()
    api.rows.clear()
    api.give(PRODUCTION, BO, "admin")
    api.put(cy, "member", invited=True)
    api.put("ana@example.com", "owner")
    api.teams.put("Pilot", BO, id_=100, projects={WAREHOUSE: "consumer"})
    team = "teams: { pilot: { name: Pilot, projects: { warehouse: consumer } } }"
    entries = person(more="projects: { shop: analyst }, teams: [pilot], ends: 2026-05-18"), person(cy)
    found = overview(api, *entries, more=team, now=NOW + 144 * HOUR, invited={cy: NOW})
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setenv("COLUMNS", str(width))
    _print(statuses(found), found, clear=False)
    assert shown.getvalue() == expected


def test_who_is_declared_and_not_there_is_told() -> None:
    """The next step is the update of the stack."""
    one = the_one(statuses(overview(FakeApi(), person(), applied=False)))
    assert [(step.text, step.next_step) for step in one.steps] == [
        ("the access in stack production is in the roster and not yet given", "`pulumi up --stack production` gives it")
    ]


def test_who_is_deactivated_is_told() -> None:
    """They are declared, and cannot come in."""
    api = settled()
    api.people[BO] = replace(api.people[BO], deactivated=True)
    assert said(the_one(statuses(overview(api, person())))) == [("is deactivated, and cannot log in", True)]


ROLES = {
    "lower": ("consumer", "is consumer in shop, and analyst is declared"),
    "higher": ("admin", "is admin in shop, and analyst is declared"),
    "none": (None, "has no grant in shop, and analyst is declared"),
}


@pytest.mark.parametrize(("actual", "text"), ROLES.values(), ids=ROLES.keys())
def test_another_role_than_the_declared_is_told(actual: str | None, text: str) -> None:
    """A refresh shows it, and the update mends it."""
    api = FakeApi()
    api.put(BO, "member")
    if actual:
        api.give(PRODUCTION, BO, actual)
    (step,) = the_one(statuses(overview(api, person()))).steps
    assert (step.text, step.next_step) == (text, "`pulumi up --stack production --refresh`")


@pytest.mark.parametrize("name", ["Desk", "Desk by hand"])
def test_a_custom_role_is_the_one_that_the_state_has(name: str) -> None:
    """Somebody may have renamed it in Mixpanel; who has it, has what is declared."""
    api = settled()
    role = api.custom_roles.put(PRODUCTION, name)
    api.rows.clear()
    api.give(PRODUCTION, BO, role.id)
    own = "customRoles: { desk: { name: Desk, project: shop, permissions: [export] } }"
    looked = overview(api, person(more="projects: { shop: desk }"), more=own)
    view = looked.stacks["production"]
    state = changed_state(
        view.state,
        grants={(PRODUCTION, BO): held_grant(PRODUCTION, BO, role.id)},
        custom_roles={(PRODUCTION, role.id): held_custom_role(PRODUCTION, role.id, "urn::custom-role/desk")},
    )
    found = overview_of({"production": replace(view, state=state)}, looked.directory, NOW)
    one = the_one(statuses(found))
    assert ([(role.declared, role.actual) for role in one.projects], one.problems) == ([(role.id, role.id)], [])
    assert lost_roles(found.anybody(BO), found) == []
    api.rows.clear()
    api.give(PRODUCTION, BO, "consumer")
    (step,) = the_one(
        statuses(overview_of({"production": replace(view, state=state)}, make_directory(api), NOW))
    ).problems
    assert step.text == "is consumer in shop, and custom:desk is declared"


def test_a_grant_of_who_is_invited_may_be_hidden() -> None:
    """No grant in the list proves nothing before the invitation is accepted."""
    api = FakeApi()
    api.put(BO, "member", invited=True)
    one = the_one(statuses(overview(api, person())))
    assert one.steps == []
    assert [_role(role) for role in one.projects] == ["shop: analyst (not shown)"]


@pytest.mark.parametrize("readable", [True, False])
def test_a_project_that_mixpanel_does_not_list_for_the_account_hides_its_grants(readable: bool) -> None:
    """Only a project that is deleted has none."""
    api = FakeApi(unlisted={PRODUCTION}, unreadable=set() if readable else {PRODUCTION})
    api.put(BO, "member")
    one = the_one(statuses(overview(api, person())))
    assert one.steps == []
    assert [_role(role) for role in one.projects] == ["shop: analyst (not shown)"]
    del api.projects_[PRODUCTION]
    api.unreadable.clear()
    gone = the_one(statuses(overview(api, person())))
    assert [step.text for step in gone.steps] == ["has no grant in shop, and analyst is declared"]
    assert [_role(role) for role in gone.projects] == ["shop: analyst (missing)"]


def test_an_update_may_not_see_that_an_invited_person_lost_a_grant() -> None:
    """Another project shows that Mixpanel lists invited people; an update knows only what its own projects show."""
    api = FakeApi()
    api.put(BO, "member", invited=True)
    api.put("cy@example.com", "member", invited=True)
    api.give(WAREHOUSE, "cy@example.com", "consumer")
    (step,) = the_one(statuses(overview(api, person()))).steps
    assert step.text == "has no grant in shop, and analyst is declared"
    assert step.next_step.startswith("`pulumi up --stack production --refresh`; if it plans nothing")


def test_another_organization_role_is_told() -> None:
    """Only where the roster declares one and Mixpanel tells it."""
    api = settled()
    api.put(BO, "admin")
    texts = [text for text, problem in said(the_one(statuses(overview(api, person())))) if problem]
    assert texts == ["is organization admin, and member is declared"]
    api.put(BO, None)
    assert the_one(statuses(overview(api, person()))).steps == []


def test_access_in_a_project_that_only_a_state_has_is_a_finding() -> None:
    """The roster has dropped the project; the finding names a stack all the same."""
    api = settled()
    api.put("ana@example.com")
    api.give(WAREHOUSE, "ana@example.com", "admin")
    api.give(WAREHOUSE, BO, "consumer")
    looked = overview(api, person())
    view = looked.stacks["production"]
    held = {**view.state.grants, (WAREHOUSE, "ana@example.com"): held_grant(WAREHOUSE, "ana@example.com", "admin")}
    stacks = {"production": replace(view, state=changed_state(view.state, grants=held))}
    found = statuses(replace(overview_of(stacks, looked.directory, NOW), projects={PRODUCTION: ("shop", "production")}))
    (step,) = next(one for one in found if one.email == BO).steps
    assert step.text == "has consumer in P1234568, which no roster gives"
    assert step.next_step == "`mixpanel-access drift --stack production`"


def test_access_that_a_state_still_has_goes_with_revoke() -> None:
    """The entry is taken out of the roster and not brought about yet: drift would not tell of it."""
    api = settled()
    api.give(WAREHOUSE, BO, "consumer")
    looked = overview(api, person())
    view = looked.stacks["production"]
    held = {**view.state.grants, (WAREHOUSE, BO): held_grant(WAREHOUSE, BO, "consumer")}
    stacks = {"production": replace(view, state=changed_state(view.state, grants=held))}
    (step,) = the_one(statuses(overview_of(stacks, looked.directory, NOW))).steps
    assert step.text == f"the access (consumer in warehouse) {REMOVED}"
    assert step.next_step == "`mixpanel-access revoke --stack production --yes` takes it away"


def test_access_by_other_ways_is_worth_knowing_and_access_of_no_roster_is_a_finding() -> None:
    """A team gives more; a project that no entry names is somebody's hand."""
    api = settled()
    api.give(PRODUCTION, BO, "admin", GrantType.TEAM)
    api.give(WAREHOUSE, BO, "consumer")
    assert said(the_one(statuses(overview(api, person())))) == [
        ("has consumer in warehouse, which no roster gives", True),
        ("has admin in shop through a team", False),
    ]


SOURCES = {
    "a team": (GrantType.TEAM, None, "a team"),
    "all users": (GrantType.ALL_USERS, None, "a grant to all users"),
    "an organization role": (None, "admin", "the organization role"),
    "an organization role that the project lists": (GrantType.ORGANIZATION_ROLE, "admin", "the organization role"),
}


@pytest.mark.parametrize("invited", [False, True])
@pytest.mark.parametrize(("kind", "role", "words"), SOURCES.values(), ids=SOURCES.keys())
def test_a_higher_role_names_what_gives_it(kind: GrantType | None, role: str | None, words: str, invited: bool) -> None:
    """Whoever is only invited will have it, too."""
    api = settled()
    api.put(BO, role or "member", invited=invited)
    if kind:
        for project in (PRODUCTION, WAREHOUSE):
            api.give(project, BO, "admin", kind)
    one = the_one(statuses(overview(api, person())))
    assert (one.projects[0].effective, one.projects[0].through) == ("admin", words)
    assert (f"has admin in shop through {words}", False) in said(one)


ENDS = [
    ("2026-05-18", [("the access in stack production ends on 2026-05-18", False)]),
    ("2026-05-19", []),
    ("2026-05-05", [("the access in stack production ends on 2026-05-05", False)]),
    ("2026-05-04", [("the access in stack production ends on 2026-05-04", False)]),
]


@pytest.mark.parametrize(("ends", "expected"), ENDS)
def test_the_end_is_near(ends: str, expected: list[tuple[str, bool]]) -> None:
    """From fourteen days before; it is no finding, for it is what was meant."""
    api = settled()
    api.put("ana@example.com", "owner")
    one = the_one(statuses(overview(api, person(more=f"projects: {{ shop: analyst }}, ends: {ends}"))))
    assert said(one) == expected
    assert str(one.ends) == ends


def test_the_end_of_a_team_is_near() -> None:
    """Where it comes before the end of the entry."""
    teams = "teams: { data: { name: Data, ends: 2026-05-18 }, ops: { name: Ops, ends: 2026-05-19 } }"
    entry = person(more="projects: { shop: analyst }, teams: [data, ops]")
    texts = said(the_one(statuses(overview(settled(), entry, more=teams))))
    assert ("the membership in the team data in stack production ends on 2026-05-18", False) in texts
    assert not any("team ops" in text for text, _ in texts)
    both = [entry, person(more="engagement: review, projects: { shop: analyst }, teams: [data]")]
    twice = said(the_one(statuses(overview(settled(), *both, more=teams))))
    assert [text for text, _ in twice if "the team" in text] == [text for text, _ in texts if "the team" in text]


@pytest.mark.parametrize("conflicts", [[], [About.PROJECT]])
def test_access_that_is_over_and_still_there_is_told(conflicts: list[About]) -> None:
    """Until it is taken away, by the command that does so even where another roster has the project too."""
    entry = person(more="projects: { shop: analyst }, ends: 2026-05-04")
    found = OtherRosters([Conflict(about, "both") for about in conflicts])
    one = the_one(statuses(overview(settled(), entry, found=found, now=NOW + 24 * HOUR)))
    steps = {step.text: step.next_step for step in one.problems}
    over = "the access in stack production ended on 2026-05-04 and is not yet taken away"
    assert steps[over] == REVOKE
    later = person(more="projects: { shop: analyst }, starts: 2026-05-10")
    begins = the_one(statuses(overview(FakeApi(), later, applied=False)))
    assert said(begins) == [("the access in stack production begins on 2026-05-10", False)]


PILOT = "teams: {{ pilot: {{ name: Pilot, projects: {{ shop: admin }}{} }} }}"
IN_PILOT = person(more="teams: [pilot], projects: { warehouse: consumer }")


def in_pilot(*members: str, projects: dict[int, str] | None = None, name: str = "Pilot") -> FakeApi:
    """An organization with the team, and Bo with a grant of their own."""
    api = FakeApi()
    api.put(BO, "member")
    api.put("ana@example.com", "owner")
    api.give(WAREHOUSE, BO, "consumer")
    if name:
        api.teams.put(name, *members, id_=100, projects={PRODUCTION: "admin"} if projects is None else projects)
    return api


UP, REVOKE = (
    "`pulumi up --stack production --refresh`",
    "`mixpanel-access revoke --stack production --yes` takes it away",
)
LOWERED = "`mixpanel-access revoke --stack production --yes` lowers it"
ENDED_IN_PRODUCTION = "in stack production ended on 2026-05-04 and is not yet taken away"
REMOVED = "in stack production is no longer in the roster and not yet taken away"
DRIFT = "`mixpanel-access drift --stack production`"
TEAMS: dict[str, tuple[FakeApi, str, list[tuple[str, str]]]] = {
    "as declared": (in_pilot(BO), "", []),
    "the place was taken away": (in_pilot(), "", [("has no membership in the team Pilot, and it is declared", UP)]),
    "the team is not there": (
        in_pilot(name=""), "",
        [
            ("has no membership in the team Pilot, and it is declared", UP),
            ("the team Pilot is declared, and not in the organization", UP),
            ("the team Pilot has no role in shop, and admin is declared", UP),
        ],
    ),
    "the team's role was lowered": (
        in_pilot(BO, projects={PRODUCTION: "consumer"}), "",
        [("the team Pilot has consumer in shop, and admin is declared", UP)],
    ),
    "the team's role was taken away": (
        in_pilot(BO, projects={}), "", [("the team Pilot has no role in shop, and admin is declared", UP)],
    ),
    "the team has a role more": (
        in_pilot(BO, projects={PRODUCTION: "admin", WAREHOUSE: "owner"}), "",
        [("the team Pilot has owner in warehouse, which no roster gives", DRIFT)],
    ),
    "the team has another name": (in_pilot(BO, name="Pilots"), "", [("the team Pilot is now called Pilots", UP)]),
    "the team ended": (
        in_pilot(BO), ", ends: 2026-05-04",
        [(f"the membership in the team pilot {ENDED_IN_PRODUCTION}", REVOKE)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("api", "days", "expected"), TEAMS.values(), ids=TEAMS.keys())
def test_places_in_teams_and_what_they_give_are_seen(api: FakeApi, days: str, expected: list[tuple[str, str]]) -> None:
    """What is missing, what has changed by hand, and what is past its end; each with what to do."""
    looked = overview(api, IN_PILOT, more=PILOT.format(days), now=NOW + timedelta(hours=24))
    one = next(one for one in statuses(looked) if one.email == BO)
    assert [(step.text, step.next_step) for step in one.problems] == expected


def with_grant(role: str, *, organization: str = "member") -> FakeApi:
    """An organization in which Bo has another role than the state, in the shop or in the organization."""
    api = FakeApi()
    api.put("ana@example.com", "owner")
    api.put(BO, organization)
    if role:
        api.give(PRODUCTION, BO, role)
    return api


ADMIN_TEAM, PLAIN = PILOT.format(""), person()
NOT_GIVEN = person(more="projects: { warehouse: consumer }")
LOWER, ENDED = person(more="projects: { shop: consumer }"), person(more="projects: { shop: analyst }, ends: 2026-05-04")
ADMIN = f"  - {{ email: {BO}, organizationRole: admin, projects: {{ shop: analyst }} }}"
Roster = tuple[str, str]
ONLY_IN_THE_STATE: dict[str, tuple[FakeApi, Roster, str, list[Roster]]] = {
    "a missing person": (FakeApi(), (ENDED, ""), "is declared, and not in the organization", [("", "")]),
    "a missing grant": (
        with_grant(""), (ENDED, ""), "has no grant in shop, and analyst is declared", [(NOT_GIVEN, ""), (LOWER, "")],
    ),
    "another role": (
        with_grant("admin"), (ENDED, ""), "is admin in shop, and analyst is declared", [(NOT_GIVEN, ""), (LOWER, "")],
    ),
    "the role that the roster has now": (
        with_grant("consumer"), (PLAIN, ""), "is consumer in shop, and analyst is declared", [(LOWER, "")],
    ),
    "another organization role": (
        with_grant("analyst", organization="owner"), (ADMIN, ""), "is organization owner, and admin is declared",
        [(PLAIN, "")],
    ),
    "a missing place": (
        in_pilot(), (IN_PILOT, ADMIN_TEAM), "has no membership in the team Pilot, and it is declared",
        [(NOT_GIVEN, ADMIN_TEAM), (NOT_GIVEN, ""), (IN_PILOT, PILOT.format(", ends: 2026-05-04"))],
    ),
    "a missing team": (
        in_pilot(name=""), (IN_PILOT, ADMIN_TEAM), "the team Pilot is declared, and not in the organization",
        [(NOT_GIVEN, ""), (IN_PILOT, PILOT.format(", ends: 2026-05-04"))],
    ),
    "a team with another name": (
        in_pilot(BO, name="Pilots"), (IN_PILOT, ADMIN_TEAM), "the team Pilot is now called Pilots", [(NOT_GIVEN, "")],
    ),
    "a missing role of a team": (
        in_pilot(BO, projects={}), (IN_PILOT, ADMIN_TEAM), "the team Pilot has no role in shop, and admin is declared",
        [(NOT_GIVEN, ""), (IN_PILOT, ADMIN_TEAM.replace("admin", "consumer"))],
    ),
    "another role of a team": (
        in_pilot(BO, projects={PRODUCTION: "owner"}), (IN_PILOT, ADMIN_TEAM),
        "the team Pilot has owner in shop, and admin is declared",
        [(NOT_GIVEN, ""), (IN_PILOT, ADMIN_TEAM.replace("admin", "analyst"))],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("api", "applied", "text", "edits"), ONLY_IN_THE_STATE.values(), ids=ONLY_IN_THE_STATE.keys())
def test_what_only_the_state_has_is_not_called_declared(
    api: FakeApi, applied: Roster, text: str, edits: list[Roster]
) -> None:
    """An entry that has ended, or an edit that no update has applied: the pending change is all there is to do."""
    was = overview(api, applied[0], more=applied[1])
    steps = [step.text for one in statuses(was) for step in one.problems]
    assert text in steps
    tomorrow = NOW + timedelta(hours=24)
    for people, more in [*edits, *([applied] if "ends" in applied[0] else [])]:
        now = overview(api, *filter(None, [people]), more=more, now=tomorrow)
        view = replace(now.stacks["production"], state=was.stacks["production"].state)
        one = next(
            one for one in statuses(overview_of({"production": view}, now.directory, tomorrow)) if one.email == BO
        )
        assert text not in [step.text for step in one.problems]
        assert {step.next_step for step in one.problems} & {REVOKE, LOWERED}


def test_a_team_whose_name_the_state_hides_is_missed_too() -> None:
    """What a secret hides is declared all the same."""
    looked = overview(in_pilot(name=""), IN_PILOT, more=ADMIN_TEAM)
    view = looked.stacks["production"]
    state = changed_state(view.state, teams={100: held_team("", 100, "urn::team/pilot")})
    found = statuses(overview_of({"production": replace(view, state=state)}, looked.directory, NOW))
    one = next(one for one in found if one.email == BO)
    assert {step.next_step for step in one.problems} == {UP}
    assert len(one.problems) == 3


def test_what_the_roster_gives_and_no_state_has_is_not_called_unmanaged() -> None:
    """A member, a grant, a place and a role of a team: the next update adopts each."""
    api = in_pilot(BO)
    api.give(PRODUCTION, BO, "admin")
    entry = person(more="teams: [pilot], projects: { warehouse: consumer, shop: analyst }")
    looked = overview(api, entry, more=ADMIN_TEAM, applied=False)
    view = looked.stacks["production"]
    with_team = changed_state(view.state, teams={100: held_team("Pilot", 100, "urn::team/pilot")})
    stacks = {"production": replace(view, state=with_team)}
    one = next(one for one in statuses(overview_of(stacks, looked.directory, NOW)) if one.email == BO)
    assert {step.next_step for step in one.problems} == {"`pulumi up --stack production` gives it"}


def test_the_roles_and_the_place_of_a_team_that_no_roster_gives_any_more_go_with_revoke() -> None:
    """The entry no longer names the team; or the team gives less; or it is gone from the roster."""
    was = overview(in_pilot(BO), IN_PILOT, more=PILOT.format(""))
    alone = person(more="projects: { warehouse: consumer }")
    for people, more, text in (
        ([alone], PILOT.format(""), "the membership in the team pilot in stack production is no longer in the roster"),
        ([IN_PILOT], PILOT.format("").replace("admin", "analyst"), "the team pilot (admin -> analyst in shop)"),
        ([alone], "", "the membership in the team pilot in stack production is no longer in the roster"),
    ):
        now = overview(in_pilot(BO), *people, more=more)
        view = replace(now.stacks["production"], state=was.stacks["production"].state)
        looked = overview_of({"production": view}, now.directory, NOW)
        steps = next(one for one in statuses(looked) if one.email == BO).problems
        assert any(step.text.startswith(text) for step in steps), steps
        assert {step.next_step for step in steps} == {LOWERED if "->" in text else REVOKE}


def test_a_status_lists_the_places_in_teams() -> None:
    """Declared and actual, and what the team gives; unknown where Mixpanel does not say who is in."""
    api = in_pilot(BO)
    (place,) = next(one for one in statuses(overview(api, IN_PILOT, more=PILOT.format(""))) if one.email == BO).teams
    assert (place.team, place.stack, place.declared, place.actual) == ("pilot", "production", True, True)
    assert place.projects == {"shop": "admin"}
    api.teams.hides_members = True
    (place,) = next(one for one in statuses(overview(api, IN_PILOT, more=PILOT.format(""))) if one.email == BO).teams
    assert (place.declared, place.actual) == (True, None)


def test_an_organization_role_past_its_end_is_told() -> None:
    """Another entry keeps the person in."""
    api = settled()
    api.put(BO, "admin")
    api.put("ana@example.com", "owner")
    admin = f"  - {{ email: {BO}, engagement: review, organizationRole: admin, ends: 2026-05-04 }}"
    plain = f"  - {{ email: {BO}, projects: {{ shop: analyst }} }}"
    one = the_one(statuses(overview(api, admin, plain, now=NOW + 24 * HOUR)))
    text = "the access (organization admin -> member) in stack production (review) ended on 2026-05-04"
    assert [step.text.startswith(text) for step in one.problems] == [True]


LATE = [("2026-05-03", "; it should have begun on 2026-05-03"), ("2026-05-04", ""), ("", "")]


@pytest.mark.parametrize(("starts", "since"), LATE)
def test_what_should_have_begun_is_told(starts: str, since: str) -> None:
    """In the roster, and not in the state: who is in the organization, and who is not."""
    entry = person(more="projects: { shop: analyst }" + (f", starts: {starts}" if starts else ""))
    api = FakeApi()
    api.put(BO)
    (step,) = the_one(statuses(overview(api, entry, applied=False))).steps
    assert step.text == f"the access in stack production is in the roster and not yet given{since}"
    assert step.next_step == "`pulumi up --stack production` gives it"
    (step,) = the_one(statuses(overview(FakeApi(), entry, applied=False))).steps
    assert step.text == f"the access in stack production is in the roster and not yet given{since}"


def test_the_longest_engagement_says_when_it_ends() -> None:
    """One without an end has none."""
    first = person(more="engagement: review, projects: { shop: analyst }, ends: 2026-12-31")
    second = person(more="projects: { shop: analyst }")
    assert str(the_one(statuses(overview(settled(), first))).ends) == "2026-12-31"
    assert the_one(statuses(overview(settled(), first, second))).ends is None


def off() -> FakeApi:
    """Bo has another project role than the roster gives, and another organization role."""
    api = FakeApi()
    api.put(BO, "admin")
    api.give(PRODUCTION, BO, "consumer")
    return api


@pytest.mark.parametrize("invited", [True, False])
@pytest.mark.parametrize("applied", [True, False])
def test_no_update_is_recommended_where_two_rosters_have_a_project(*, invited: bool, applied: bool) -> None:
    """Whatever is the matter with somebody: one stack would work against the other."""
    found = OtherRosters([Conflict(About.PROJECT, "both")])
    nobody, there = FakeApi(), off()
    there.put(BO, "admin", invited=invited)
    for api in (nobody, there):
        one = the_one(statuses(overview(api, person(), found=found, applied=applied, now=NOW + 400 * HOUR)))
        steps = [step.next_step for step in one.problems]
        assert steps
        assert not [step for step in steps if "pulumi up" in step]
        assert SETTLE in steps


def test_an_organization_role_that_two_rosters_declare_is_not_put_back() -> None:
    """What else is the matter is."""
    found = OtherRosters([Conflict(About.ORGANIZATION_ROLES, "both")])
    one = the_one(statuses(overview(off(), person(), found=found)))
    assert {step.text.partition(",")[0]: step.next_step for step in one.problems} == {
        "is organization admin": SETTLE,
        "is consumer in shop": "`pulumi up --stack production --refresh`",
    }


def test_somebody_with_a_new_address_is_still_there() -> None:
    """The state knows Mixpanel's id of them: they are not told as missing, and their access shows."""
    api = FakeApi()
    api.put("bo.new@example.com")
    api.people["bo.new@example.com"] = replace(api.people["bo.new@example.com"], user_id=502)
    api.give(PRODUCTION, "bo.new@example.com", "analyst")
    unknown = overview(api, person()).get(BO)
    assert unknown is not None
    assert unknown.person is None
    found = overview(api, person(), ids={BO: 502}).get(BO)
    assert found is not None
    assert found.person is not None
    assert (found.person.email, found.access[PRODUCTION].individual) == ("bo.new@example.com", "analyst")
