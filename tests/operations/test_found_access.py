"""Access that no stack has and no event explains: the access log has it too, and says that nobody knows since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from mixpanel_access.files.lines import append_lines
from mixpanel_access.model.access import Grant, GrantType, Person, Project
from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.operations.drift import OrganizationAccess
from mixpanel_access.operations.state import State
from mixpanel_access.operations.tracker.lines import Access, LogLine
from mixpanel_access.operations.tracker.merging import LineOfLog, merged
from mixpanel_access.operations.tracker.pruning import prune
from mixpanel_access.operations.tracker.reading import Absence, OrganizationReading, Presence, read_in_mixpanel
from mixpanel_access.operations.tracker.replay import replay
from tests.emulator.conftest import ORG, P, Q
from tests.fakes import FakeApi, make_directory, make_session
from tests.operations.test_timeline import LATER_WHY, MERGER, Row, row
from tests.operations.tracking import ANA, LEE, START, TEAM, World, grant, problems, team_grant, world

EVERYBODY = {
    "ana: organization role owner", "omar: organization role owner",
    "kim: organization role admin", "lee: organization role member",
    f"lee: analyst in project {P}", "lee: member of team Data", f"team data: admin in project {P}",
}  # fmt: skip
GRANT = f"lee: analyst in project {P}"


def test_the_first_update_writes_a_line_for_all_access_that_no_stack_has() -> None:
    """Replayed at the first instant, the log has everybody; nobody is named for it."""
    with world() as there:
        there.update()
        assert {row(line)[2] for line in there.lines} == EVERYBODY
        assert {(line.event, line.admin, line.stack, line.audit_id) for line in there.lines} == {
            ("found", "unknown", "", "")
        }
        first = {access: one.role for access, one in replay(there.lines).at(START - timedelta(days=365)).items()}
        assert first == there.held()
        assert there.update() == []


def taken_over(world: World) -> list[Row]:
    """By a stack: it did not give it."""
    with world.run("production"):
        world.has("production", grant(LEE, **LATER_WHY, **world.times()))
    return [("imported", MERGER, GRANT, "production", "OPS-2")]


def taken_away(world: World) -> list[Row]:
    """By hand."""
    world.give(LEE, None)
    return [("revoked", ANA, GRANT, "", "")]


def changed(world: World) -> list[Row]:
    """By hand."""
    world.give(LEE, "admin")
    return [("changed", ANA, f"lee: admin in project {P}", "", "")]


def removed(world: World) -> list[Row]:
    """All access of the person ends, and each of it has its line."""
    world.remove(LEE)
    what = ["lee: organization role member", GRANT, "lee: member of team Data"]
    return [("revoked", ANA, one, "", "") for one in what]


def raised_by_a_stack(world: World) -> list[Row]:
    """A team's role, by a stack that has it from then on."""
    body = {"teams": [{"id": TEAM, "projects": [{"id": P, "role": "consumer"}]}], "add_default_projects": False}
    with world.run("production"):
        world.client.post(f"/organizations/{ORG}/add-projects-to-teams/", json=body)
        world.has("production", team_grant("consumer", P, outputs={"ticket": "OPS-1"}, **world.times()))
    what = f"consumer in project {P}"
    return [
        ("changed", MERGER, f"team data: {what}", "", ""),
        ("imported", MERGER, f"team 77: {what}", "production", "OPS-1"),
    ]


@pytest.mark.parametrize("fate", [taken_over, taken_away, changed, removed, raised_by_a_stack])
def test_what_becomes_of_found_access_has_its_own_line(fate: Callable[[World], list[Row]]) -> None:
    """With who did it; and the log says the same as the truth at every instant."""
    with world() as there:
        there.update()
        there.later(minutes=5)
        expected, known = fate(there), len(there.lines)
        there.update()
        assert sorted(row(line) for line in there.lines[known:]) == sorted(expected)
        assert there.faults() == []
        assert there.update() == []
        assert problems(there.lines, there.states) == []


@pytest.mark.parametrize("seconds", [240, 2, 0, -2], ids=lambda seconds: f"{seconds} seconds before it was found")
def test_an_event_that_comes_late_says_since_when_and_by_whom(seconds: int) -> None:
    """The update that found the access came before the event was in the audit log, or read at the same time."""
    with world(lag=timedelta(minutes=30)) as there:
        there.later(hours=1)
        there.give(LEE, "consumer", Q)
        given = there.clock.at
        there.clock.at += timedelta(seconds=seconds - 1)
        there.update()
        assert f"lee: consumer in project {Q}" in {row(line)[2] for line in there.lines if line.event == "found"}
        there.lag = timedelta()
        there.clock.at = given + timedelta(hours=1)
        (new,) = there.update()
        assert row(new)[:4] == ("granted", ANA, f"lee: consumer in project {Q}", "")
        log = replay(there.lines)
        (one,) = [one for one in log.held.values() if one.access.project == Q]
        assert one.begins is not None
        assert abs(one.begins - given) <= timedelta(seconds=3)
        assert there.update() == []


def test_a_log_that_has_everybody_does_not_take_what_a_stack_gave_for_older() -> None:
    """The event is not in the audit log yet, and the access was not there at the update before."""
    with world() as there:
        there.update()
        there.later(minutes=5)
        there.lag = timedelta(minutes=30)
        with there.run("production"):
            there.client.grant(LEE, "consumer", Q)
            there.has("production", grant(LEE, "consumer", Q, **LATER_WHY, **there.times()))
        (new,) = there.update()
        assert row(new)[:2] == ("granted", MERGER)
        there.lag = timedelta()
        there.update()
        assert there.faults() == []


def test_what_a_later_update_finds_was_not_there_before() -> None:
    """Without an audit log: the update before it read the whole organization."""
    with world(route="none") as there:
        there.update()
        there.later(hours=1)
        there.give(LEE, "consumer", Q)
        (new,) = there.update()
        assert (new.event, new.admin, new.project) == ("found", "unknown", Q)
        assert there.faults(at_updates=True) == []


def test_the_roles_before_the_first_change_are_those_that_the_event_names() -> None:
    """Where somebody changed a role before the log began."""
    with world() as there:
        there.later(minutes=5)
        there.give(LEE, "admin")
        there.update()
        (line,) = [line for line in there.lines if line.event == "changed"]
        assert (line.role_before, line.role) == ("analyst", "admin")
        assert there.faults() == []


def logs_of(there: World, *steps: Callable[[], object]) -> list[list[LogLine]]:
    """A log of a branch for each step, to which an update after that step has added."""
    logs: list[list[LogLine]] = []
    for step in steps:
        step()
        there.lines = []
        there.update()
        logs.append(there.lines)
        there.later(minutes=5)
    return logs


def union_of(logs: Sequence[Sequence[LogLine]]) -> list[LogLine]:
    """The lines of the merged log."""
    sides = [[LineOfLog(line, Path("x"), number, side) for number, line in enumerate(lines, 1)]
             for side, lines in enumerate(logs)]  # fmt: skip
    return [*merged(sides, Path("x")).lines]


def test_what_two_branches_found_stays_once() -> None:
    """Whichever log the other one is merged into."""
    with world() as there:
        logs = logs_of(there, lambda: None, lambda: None)
        assert union_of(logs) == union_of(logs[::-1]) == logs[0]


def test_what_one_branch_found_and_the_other_knows_was_given_is_what_was_given() -> None:
    """The event came too late for the first branch."""
    with world(lag=timedelta(minutes=30)) as there:
        there.later(hours=1)

        def catch_up() -> None:
            there.later(hours=1)
            there.lag = timedelta()

        logs = logs_of(there, lambda: there.give(LEE, "consumer", Q), catch_up)
        there.lines = union_of(logs)
        assert there.lines == union_of(logs[::-1])
        own = [line.event for line in there.lines if line.project == Q]
        assert own == ["granted"]
        assert there.faults() == []
        assert there.update() == []


def test_what_another_branch_found_with_another_role_is_that_role_from_then_on() -> None:
    """Nobody knows since when."""
    with world(route="none") as there:
        logs = logs_of(there, lambda: None, lambda: there.give(LEE, "admin"))
        there.lines = union_of(logs)
        assert there.lines == union_of(logs[::-1])
        assert there.faults(at_updates=True) == []
        assert there.update() == []


def test_a_pruned_log_still_knows_since_when_it_has_everybody(tmp_path: Path) -> None:
    """What was found later was not there before, though all that was found first has ended."""
    first = LogLine(
        date="2026-01-01T00:00:00Z", admin="unknown", event="found", email=LEE, stack="", project=P, role="analyst",
        organization=ORG,
    )  # fmt: skip
    gone = LogLine(**{**first.row(), "date": "2026-01-02T00:00:00Z", "event": "revoked"})
    later = LogLine(**{**first.row(), "date": "2026-05-01T00:00:00Z", "email": ANA})
    file = tmp_path / "tracker.jsonl"
    append_lines(file, [first, gone, later], [])
    before = replay([first, gone, later]).at(START - timedelta(days=30))
    prune(file, date(2026, 1, 15), START, print, act=True)
    kept = prune(file, date(2026, 2, 1), START, print, act=True).kept
    assert {one.email for one in before.values()} == set()
    assert replay(kept).held.keys() == replay([first, gone, later]).held.keys()
    assert ANA not in {one.email for one in replay(kept).at(START - timedelta(days=30)).values()}


def reading(people: dict[str, Person], teams: dict[int, TeamInfo] | None) -> OrganizationReading:
    """An organization in which Bo has a grant."""
    grants = {(P, "bo@x"): Grant(P, "Bo@x", "analyst", GrantType.INDIVIDUAL)}
    there = OrganizationAccess(people, {P: Project(P, "Shop")}, grants, teams=teams)
    return OrganizationReading(id=ORG, presence=Presence(there))


BO, CY = Person("Bo@x", "member", invited=False), Person("cy@x", "admin", invited=True)
DATA = TeamInfo(7, "Data", {P: "consumer"}, frozenset({"bo@x", "dee@x"}))
UNREAD: dict[str, tuple[OrganizationReading, list[str]]] = {
    "everything": (
        reading({"bo@x": BO, "cy@x": CY}, {7: DATA}),
        ["Bo@x member", "cy@x admin", f"Bo@x analyst {P}", "Bo@x Data", f"consumer {P} Data"],
    ),
    "teams that cannot be read": (reading({"bo@x": BO}, None), ["Bo@x member", f"Bo@x analyst {P}"]),
    "a team whose members are not shown": (
        reading({"bo@x": BO}, {7: TeamInfo(7, "Data", {}, None)}),
        ["Bo@x member", f"Bo@x analyst {P}"],
    ),
    "a list of people that is not complete": (reading({"cy@x": CY}, {}), ["cy@x admin"]),
    "a role that is not shown": (reading({"cy@x": Person("cy@x", None, invited=False)}, {}), ["cy@x"]),
    "somebody who is deactivated": (
        reading({"bo@x": Person("Bo@x", "member", invited=False, deactivated=True)}, {}),
        [],
    ),
}


@pytest.mark.parametrize(("there", "expected"), UNREAD.values(), ids=UNREAD.keys())
def test_only_what_is_read_is_found(there: OrganizationReading, expected: list[str]) -> None:
    """Nothing is invented for what Mixpanel does not show."""
    said = [(line.email, line.role, str(line.project or ""), line.team) for line in there.lines(START)]
    assert [" ".join(filter(None, words)) for words in said] == expected


def test_an_update_of_some_stacks_does_not_say_what_no_stack_has() -> None:
    """Another stack may have it: the next update of all stacks says so."""
    with world(route="none") as there:
        there.update(all_stacks=False)
        assert there.lines == []
        there.later(hours=1)
        there.update()
        assert {row(line)[2] for line in there.lines} == EVERYBODY


def test_what_is_there_again_names_its_team() -> None:
    """Also where the place ended with the membership, whose line names no team."""
    with world(route="none") as there:
        there.update()
        for active in (False, True):
            there.later(hours=1)
            there.server.store.set_profile(LEE, name="Lee", active=active, scim=None)
            there.update()
        assert "lee: member of team Data" in {row(line)[2] for line in there.lines if line.event == "restored"}


@pytest.mark.parametrize("readable", [True, False])
def test_what_is_in_a_project_that_is_out_of_sight_is_not_gone(readable: bool) -> None:
    """Whether Mixpanel answers for the project or refuses; the update adds what else there is."""
    api = FakeApi(unlisted={P}, unreadable=set() if readable else {P})
    api.put(LEE)
    reading = read_in_mixpanel(make_directory(api), [make_session(api)[0].settings], State(), (START, START), print)
    assert reading.presence.role(Access(None, P, LEE, None)) is Absence.UNSEEN
