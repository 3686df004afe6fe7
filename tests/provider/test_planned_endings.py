"""An end that was in the stack before today is no accident: no share of the brakes holds it, and an edit's it does."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.directory.brakes import Brakes
from mixpanel_access.model.errors import Refused
from mixpanel_access.model.resources import MEMBER_TYPE
from mixpanel_access.provider.command import Command
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from mixpanel_access.provider.run import Run, Scope
from mixpanel_access.provider.session import Session
from tests.fakes import NOW, ORGANIZATION, PRODUCTION, FakeApi, make_session, organization_of

CREW = [f"m{n}@example.com" for n in range(12)]
YESTERDAY, TODAY = "2026-05-03", "2026-05-04"
assert NOW.date().isoformat() == TODAY

ENDS: dict[str, tuple[Any, bool]] = {
    "ended yesterday": (YESTERDAY, True),
    "ended long ago": ("2025-12-31", True),
    "the last day is today": (TODAY, False),
    "ends later": ("2026-06-30", False),
    "no end": (None, False),
    "an end that is not a date": ("soon", False),
}
"""What the state says of twelve people who go in one operation, of whom three may, and whether they go."""


@pytest.fixture
def api() -> FakeApi:
    """Two owners and twelve members, who each have a grant."""
    return organization_of(*CREW)


def person(email: str, ends: Any) -> dict[str, Any]:
    """Somebody as the brake of a state has them; a state of version 0.1.0 has no ends."""
    return {"email": email, "removal": "always", "projects": [PRODUCTION], **({"ends": ends} if ends else {})}


def assert_all_go(brake: RemovalBrakeProvider, verb: str, listed: list[dict[str, Any]], *, goes: bool) -> None:
    """The brake lets all of its people go, who are no longer declared, or holds them together."""
    people = {"people": listed}
    if verb == "check":
        assert (not brake.check(people, {"people": []}).failures) is goes
    elif goes:
        brake.delete(f"{ORGANIZATION}:removal-brake", people)
    else:
        with pytest.raises(Refused, match="would remove 12"):
            brake.delete(f"{ORGANIZATION}:removal-brake", people)


@pytest.mark.parametrize(("ends", "goes"), ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("verb", ["check", "delete"])
def test_the_brake_of_a_stack_counts_edits_alone(api: FakeApi, ends: Any, verb: str, *, goes: bool) -> None:
    """Twelve contractors whose engagement has ended go in one `up` or `destroy`; the same twelve by an edit do not."""
    brake = RemovalBrakeProvider()
    brake.use(make_session(api)[0])
    assert_all_go(brake, verb, [person(email, ends) for email in CREW], goes=goes)


@pytest.mark.parametrize("listed", [None, "2026-12-31"], ids=["a state of version 0.1.0", "a list left alone"])
@pytest.mark.parametrize(("ends", "goes"), ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("verb", ["check", "delete"])
def test_an_end_that_the_brake_was_not_told_is_the_members_own(
    api: FakeApi, ends: Any, listed: Any, verb: str, *, goes: bool
) -> None:
    """The list of the brake has no ends, or old ones: what the state's own `Member` says makes an ending planned."""
    session, _ = make_session(api)
    outputs = {"removal": "always", **({"ends": ends} if ends else {})}
    state: list[dict[str, Any]] = [
        {"urn": f"urn::{email}", "type": MEMBER_TYPE, "id": f"{ORGANIZATION}:{email}", "outputs": outputs}
        for email in CREW
    ]
    session.scope = Scope(lambda: Command("up", excludes=["urn::none"]) if verb == "check" else None, lambda: state)
    brake = RemovalBrakeProvider()
    brake.use(session)
    assert_all_go(brake, verb, [person(email, listed) for email in CREW], goes=goes)


@pytest.mark.parametrize(("ends", "goes"), ENDS.values(), ids=ENDS.keys())
def test_single_members_are_judged_by_their_own_end(api: FakeApi, ends: Any, *, goes: bool) -> None:
    """The twelve go one after the other where their end has passed; else the fourth is held."""
    session, _ = make_session(api)
    held = []
    for email in CREW:
        member = MemberProvider()
        member.use(session)
        try:
            member.delete(f"{ORGANIZATION}:{email}", {"email": email, "removal": "always", "ends": ends})
        except Refused as error:
            held.append(str(error))
    assert len(held) == (0 if goes else 9)


def test_edits_beside_planned_endings_are_judged_for_themselves(api: FakeApi) -> None:
    """With nine whose end has passed, three others may go and a fourth may not; only the edits are named."""
    brake = RemovalBrakeProvider()
    brake.use(make_session(api)[0])
    api.put("extra@example.com")
    ended = [person(email, YESTERDAY) for email in CREW[:9]]
    edited = [person(email, None) for email in (*CREW[9:], "extra@example.com")]
    assert not brake.check({"people": [*ended, *edited[:3]]}, {"people": []}).failures
    (failure,) = brake.check({"people": [*ended, *edited]}, {"people": []}).failures
    assert "would remove 4" in failure.reason
    assert CREW[0] not in failure.reason


@pytest.mark.parametrize("ends", [YESTERDAY, None])
def test_no_plan_takes_the_last_owner_or_ourselves(api: FakeApi, ends: str | None) -> None:
    """These two brakes hold whatever the roster has said for how long."""
    brake = RemovalBrakeProvider()
    brake.use(make_session(api, username="bot")[0])
    api.put("bot")
    owners = [{**person(f"o{n}@example.com", ends), "role": "owner"} for n in range(2)]
    (failure,) = brake.check({"people": owners}, {"people": []}).failures
    assert "without an owner" in failure.reason
    (failure,) = brake.check({"people": [person("bot", ends)]}, {"people": []}).failures
    assert "the provider itself runs as this identity" in failure.reason


@pytest.mark.parametrize(("ends", "goes"), ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("verb", ["check", "update", "delete"])
def test_the_share_of_a_projects_grants_counts_edits_alone(api: FakeApi, ends: Any, verb: str, *, goes: bool) -> None:
    """Twelve of twelve grants go where the reasons in the state say that they have ended, and else none."""
    whole = ProjectAccessProvider()
    whole.use(make_session(api)[0])
    reasons = [{"people": CREW, "ends": ends}] if ends else []
    olds = {"project_id": PRODUCTION, "grants": dict.fromkeys(CREW, "analyst"), "reasons": reasons}
    news = {"project_id": PRODUCTION, "grants": {}}
    id_ = f"{ORGANIZATION}:{PRODUCTION}"

    def act() -> None:
        if verb == "update":
            whole.update(id_, olds, news)
        else:
            whole.delete(id_, olds)

    if verb == "check":
        assert (not whole.check(olds, news).failures) is goes
    elif goes:
        act()
        assert api.rows == []
    else:
        with pytest.raises(Refused, match="would take 12"):
            act()
        assert len(api.rows) == 12


def test_a_run_that_only_takes_gives_nobody_anything(api: FakeApi) -> None:
    """In an authoritative project, the ended grant goes; additions, losses and changes by hand stay as they are."""
    session, _ = make_session(api)
    session.takes_only = True
    whole = ProjectAccessProvider()
    whole.use(session)
    ended, lost, raised, lower, lowered, stranger = CREW[:6]
    olds = {
        "project_id": PRODUCTION,
        "grants": {ended: "analyst", lost: "analyst", raised: "analyst", lower: "analyst", lowered: "analyst"},
    }
    api.rows = [grant for grant in api.rows if grant.email in {ended, lower, lowered, stranger}]
    api.give(PRODUCTION, raised, "admin")
    api.give(PRODUCTION, lower, "consumer")
    api.sent.clear()
    grants = {lost: "analyst", raised: "analyst", lower: "analyst", lowered: "consumer"}
    whole.update(f"{ORGANIZATION}:{PRODUCTION}", olds, {"project_id": PRODUCTION, "grants": grants})
    assert {grant.email: grant.role for grant in api.rows} == {
        raised: "admin",
        lower: "consumer",
        lowered: "consumer",
        stranger: "analyst",
    }
    assert not [sent for sent in api.sent if sent[0] == "invite"]


def moved(session: Session, before: dict[str, Any], after: dict[str, Any], brake_tells: bool) -> str:
    """Check an edit of ends (address -> last day): what holds it, or ""."""
    for email in before.keys() & after.keys():
        member = MemberProvider()
        member.use(session)
        olds, news = ({"email": email, "removal": "always", "ends": ends[email]} for ends in (before, after))
        assert not member.check(olds, news).failures
    brake = RemovalBrakeProvider()
    brake.use(session)
    olds, news = (
        {"people": [person(email, ends if tells else None) for email, ends in of.items()]}
        for of, tells in ((before, brake_tells), (after, True))
    )
    return "; ".join(failure.reason for failure in brake.check(olds, news).failures)


MOVES: dict[str, tuple[Any, Any, int, bool]] = {
    "none to next week": (None, "2026-05-11", 12, True),
    "next year to next week": ("2027-05-01", "2026-05-11", 12, True),
    "next year to today": ("2027-05-01", TODAY, 12, True),
    "next year to 30 days from now": ("2027-05-01", "2026-06-03", 4, True),
    "next year to 31 days from now": ("2027-05-01", "2026-06-04", 12, False),
    "three of them": ("2027-05-01", "2026-05-11", 3, False),
    "to a later day": ("2026-05-11", "2027-05-01", 12, False),
    "to none": ("2026-05-11", None, 12, False),
    "unchanged": ("2026-05-11", "2026-05-11", 12, False),
}
"""The last day before the edit and after it, how many people have it, and whether it is held."""


@pytest.mark.parametrize(("old", "new", "number", "held"), MOVES.values(), ids=MOVES.keys())
@pytest.mark.parametrize("brake_tells", [True, False], ids=["this version's state", "a state of 0.1.0"])
def test_an_edit_of_ends_is_judged_when_it_is_made(
    api: FakeApi, old: Any, new: Any, number: int, *, held: bool, brake_tells: bool
) -> None:
    """What would be an accident as a deletion is one as an end within 30 days; what is farther away is named."""
    session, said = make_session(api)
    crew, steady = CREW[:number], "2027-12-31"
    api.put("steady@example.com")
    before, after = (dict.fromkeys(crew, ends) | {"steady@example.com": steady} for ends in (old, new))
    reason = moved(session, before, after, brake_tells)
    assert ("removalShare" in reason and f"would remove {number}" in reason) is held
    assert bool(reason) is held
    earlier = new is not None and (old is None or new < old)
    if not held:
        assert any(crew[0] in line and str(new) in line for line in said) is earlier


def test_ends_and_deletions_of_one_edit_are_judged_together(api: FakeApi) -> None:
    """Two who go now and two whose end is moved to next week are four."""
    session, _ = make_session(api)
    before = dict.fromkeys(CREW[:4], "2027-05-01")
    after = dict.fromkeys(CREW[:2], "2026-05-11")
    assert "would remove 4" in moved(session, before, after, brake_tells=True)


def test_the_ends_of_a_projects_grants_are_judged_when_they_are_moved(api: FakeApi) -> None:
    """Also of people who stay in the organization: four of twelve are too many, three are not."""
    for number in (3, 4):
        whole = ProjectAccessProvider()
        whole.use(make_session(api)[0])
        grants = {"project_id": PRODUCTION, "grants": dict.fromkeys(CREW, "analyst")}
        olds = {**grants, "reasons": [{"people": CREW, "ends": "2027-05-01"}]}
        moved_ones = {"people": CREW[:number], "ends": "2026-05-11"}
        news = {**grants, "reasons": [moved_ones, {"people": CREW[number:], "ends": "2027-05-01"}]}
        failures = whole.check(olds, news).failures
        assert bool(failures) is (number == 4)
        assert all("grantShare" in failure.reason for failure in failures)


def test_a_preview_says_what_a_brake_will_hold_on_its_day(api: FakeApi) -> None:
    """The second of two owners whose access ends, and ourselves, with the day; nobody else is named."""
    session, said = make_session(api, username="bot")
    api.put("bot")
    brake = RemovalBrakeProvider()
    brake.use(session)
    owners = [{**person(f"o{n}@example.com", f"2026-07-0{n + 1}"), "role": "owner"} for n in range(2)]
    others = [person("bot", "2026-06-30"), *(person(email, "2026-06-30") for email in CREW)]
    assert not brake.check({}, {"people": [*owners, *others]}).failures
    warnings = [line for line in said if "will be held" in line]
    assert len(warnings) == 2
    assert "on 2026-07-01" in warnings[0]
    assert "[ownIdentity]" in warnings[0]
    assert "on 2026-07-03" in warnings[1]
    assert "without an owner [lastOwner]" in warnings[1]


@pytest.mark.parametrize("ends", [YESTERDAY, TODAY, "2026-05-20"])
def test_what_is_ahead_holds_nothing_where_it_cannot_be_told(api: FakeApi, ends: str) -> None:
    """A forecast that needs a project which we may not read is a warning, and the check of the brake passes."""
    session, said = make_session(api)
    brake = RemovalBrakeProvider()
    brake.use(session)
    people = {"people": [{**person(email, ends), "removal": "when_unused", "ownership": "ours"} for email in CREW]}
    api.unreadable = {PRODUCTION}
    assert not brake.check({"people": people["people"][1:]}, people).failures
    assert any("it is unknown what the brakes" in line for line in said)


class StaleRun(Run):
    """A plain `destroy`: the configuration is that of the last `pulumi up`."""

    def fresh(self) -> bool:
        """It is not today's."""
        return False


@pytest.mark.parametrize("stale", [True, False])
def test_a_day_to_come_that_only_the_state_remembers_plans_no_end(api: FakeApi, *, stale: bool) -> None:
    """`mixpanel:now` was set for a test, and removed since: a plain `destroy` still sees it."""
    session, _ = make_session(api, now=NOW.replace(year=9998))
    if stale:
        session.run = StaleRun()
        session.brakes = Brakes(session.directory, session.settings.limits, session.say, "bot", session.run.fresh)
    brake = RemovalBrakeProvider()
    brake.use(session)
    assert_all_go(brake, "delete", [person(email, "9997-06-30") for email in CREW], goes=not stale)
