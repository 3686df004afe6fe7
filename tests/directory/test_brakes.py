"""The brakes of one operation, from many threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from mixpanel_access.api.transport import Transport
from mixpanel_access.api.undocumented import Gate
from mixpanel_access.directory.brakes import Brakes
from mixpanel_access.directory.directory import Directory
from mixpanel_access.model.access import Person
from mixpanel_access.model.brakes import Brake, Limits, PlannedChanges
from mixpanel_access.model.errors import (
    AccessError,
    ConfigurationError,
    Forbidden,
    Invalid,
    NotApplied,
    NotFound,
    RateLimited,
    Refused,
    Unauthorized,
    Unreachable,
)
from mixpanel_access.model.rights import Identity
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Verb
from tests.fakes import ORGANIZATION, FakeApi, make_directory


@pytest.fixture
def api() -> FakeApi:
    """Two owners and eight members: three people may go."""
    api = FakeApi(own_role="owner")
    for n in range(2):
        api.put(f"o{n}@example.com", "owner")
    for n in range(8):
        api.put(f"m{n}@example.com")
    return api


def brakes_for(api: FakeApi, **limits: object) -> tuple[Brakes, list[str]]:
    """Brakes over the fake, and what they say."""
    said: list[str] = []
    return Brakes(make_directory(api), Limits(**limits), said.append), said  # type: ignore[arg-type]


def test_however_many_threads_ask_no_more_than_the_share_may_go(api: FakeApi) -> None:
    """Removals are added up over the whole operation, and those removed still count as people."""
    brakes, _ = brakes_for(api)

    def remove(number: int) -> bool:
        try:
            with brakes.removing(f"m{number}@example.com"):
                return True
        except Refused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(remove, range(8))) == 3


NOT_DONE = (Invalid, Unauthorized, Forbidden, NotFound, RateLimited, NotApplied, Refused, ConfigurationError)


@pytest.mark.parametrize("kind", NOT_DONE)
def test_a_removal_that_failed_does_not_count(api: FakeApi, kind: type[AccessError]) -> None:
    """What the server refused, or what was never sent, leaves room for another."""
    brakes, _ = brakes_for(api, removal_minimum=1)
    with pytest.raises(kind), brakes.removing("m0@example.com"):
        raise kind("cannot remove")
    with brakes.removing("m1@example.com"):
        pass
    with pytest.raises(Refused), brakes.removing("m2@example.com"):
        pass


@pytest.mark.parametrize("kind", NOT_DONE)
def test_a_role_change_that_failed_does_not_count(api: FakeApi, kind: type[AccessError]) -> None:
    """The owner is one still, and another may be demoted."""
    brakes, _ = brakes_for(api)
    with pytest.raises(kind), brakes.changing("o0@example.com", "member"):
        raise kind("cannot change the role")
    with brakes.changing("o1@example.com", "member"):
        pass


def test_who_may_have_gone_counts_whatever_another_try_meets(api: FakeApi) -> None:
    """That a second removal was refused says nothing of the first."""
    brakes, _ = brakes_for(api, removal_minimum=1)
    for error in (Unreachable("no answer"), Forbidden("cannot remove"), Refused("cannot remove")):
        with pytest.raises(type(error)), brakes.removing("m0@example.com"):
            raise error
    with pytest.raises(Refused, match="would remove 2"), brakes.removing("m1@example.com"):
        pass


def test_calls_that_are_not_switched_on_fill_no_share(api: FakeApi) -> None:
    """Each is refused for what it is, and nobody is told to release a brake that has held nobody."""
    brakes, _ = brakes_for(api)
    gate = Gate(Transport("https://mixpanel.com", "bot", Secret("hush-hush")))
    for n in range(8):
        email = f"m{n}@example.com"
        with pytest.raises(Refused, match="removeMembers to mixpanel:allowUndocumented"), brakes.removing(email):
            gate.pass_through(Verb.REMOVE_MEMBERS, "remove from the organization", email)


def test_a_refusal_names_everyone_and_how_to_release(api: FakeApi) -> None:
    """Those before it too: the operation is judged as a whole."""
    brakes, said = brakes_for(api)
    with brakes.removing("o0@example.com"):
        assert said == ["warning: o0@example.com: the organization would be left with 1 owner; have two"]
    with pytest.raises(Refused) as held, brakes.changing("o1@example.com", "member"):
        pass
    assert str(held.value) == (
        "cannot make o1@example.com member: o0@example.com, o1@example.com: the organization would be left without an "
        "owner [lastOwner]. It takes two runs: make somebody else an owner in the first, and do this in the second."
    )


RELEASE = "If it is meant, release it for one run: pulumi config set mixpanel:releaseBrakes"
UNSET = "pulumi config rm mixpanel:releaseBrakes."
WITHOUT = "Without --run-program, the engine uses the configuration of the last `pulumi up`."
WIDER = "removalShare (or raise mixpanel:removalPercent)"


@pytest.mark.parametrize(
    ("brakes", "fresh", "advice"),
    [
        ([Brake.REMOVAL_SHARE], True, f"{RELEASE} {WIDER}; run it again; {UNSET}"),
        (
            [Brake.REMOVAL_SHARE],
            False,
            f"{RELEASE} {WIDER}; pulumi destroy --run-program; {UNSET} {WITHOUT}",
        ),
        ([Brake.OWN_IDENTITY] * 2, True, f"{RELEASE} ownIdentity; run it again; {UNSET}"),
        ([], False, ""),
    ],
)
def test_the_advice_is_what_works_in_that_run(api: FakeApi, brakes: list[Brake], fresh: bool, advice: str) -> None:
    """A release in the configuration reaches a destroy with --run-program alone."""
    told = Brakes(make_directory(api), Limits(), print, fresh=lambda: fresh).how_to_release(*brakes)
    assert told == advice


ADVISED: dict[str, tuple[str, PlannedChanges, list[str], list[str]]] = {
    "the last owner and two more": (
        "owner",
        PlannedChanges(frozenset({"o0@example.com", "o1@example.com", "m0@example.com", "m1@example.com"})),
        ["It takes two runs", "releaseBrakes removalShare"],
        ["lastOwner;", "lastOwner ("],
    ),
    "an owner is removed by an admin": (
        "admin",
        PlannedChanges(frozenset({"o0@example.com"})),
        ["only an owner removes or demotes an owner", "An owner can do it"],
        ["releaseBrakes"],
    ),
    "an owner is demoted by an admin": (
        "admin",
        PlannedChanges(roles={"o0@example.com": "admin"}),
        ["only an owner removes or demotes an owner", "An owner can do it"],
        ["releaseBrakes"],
    ),
    "somebody is raised above us": (
        "admin",
        PlannedChanges(roles={"m0@example.com": "owner"}),
        ["nobody is raised above it", "releaseBrakes aboveOwnRole"],
        ["An owner can do it"],
    ),
    "an owner takes the other's place": (
        "owner",
        PlannedChanges(roles={"o0@example.com": "member", "o1@example.com": "member", "m0@example.com": "owner"}),
        ["o0@example.com, o1@example.com", "It takes two runs"],
        ["releaseBrakes"],
    ),
}
"""Our own role, a plan, what the message has, and what it has not."""


@pytest.mark.parametrize(("own_role", "plan", "told", "untold"), ADVISED.values(), ids=ADVISED)
def test_what_a_release_does_not_help_is_told_otherwise(
    own_role: str, plan: PlannedChanges, told: list[str], untold: list[str]
) -> None:
    """Nobody is advised to leave an organization without an owner, or to try what only an owner may."""
    api = FakeApi(own_role=own_role)
    for n in range(2):
        api.put(f"o{n}@example.com", "owner")
        api.put(f"m{n}@example.com")
    brakes, _ = brakes_for(api)
    with pytest.raises(Refused) as held:
        brakes.hold("cannot go on", plan)
    assert [part for part in told if part not in str(held.value)] == []
    assert [part for part in untold if part in str(held.value)] == []


SWAPS: dict[str, tuple[PlannedChanges, bool]] = {
    "one of two, for another": (PlannedChanges(roles={"o0@example.com": "member", "m0@example.com": "owner"}), True),
    "both, for another": (
        PlannedChanges(roles={"o0@example.com": "member", "o1@example.com": "member", "m0@example.com": "owner"}),
        False,
    ),
    "both are removed, for another": (
        PlannedChanges(frozenset({"o0@example.com", "o1@example.com"}), {"m0@example.com": "owner"}),
        True,
    ),
    "another more": (PlannedChanges(roles={"m0@example.com": "owner"}), True),
}


@pytest.mark.parametrize(("plan", "passes"), SWAPS.values(), ids=SWAPS)
def test_a_swap_of_owners_passes_in_whatever_order_the_engine_makes_it(
    api: FakeApi, plan: PlannedChanges, passes: bool
) -> None:
    """One that depends on the order takes two runs, and is held before the first write; removals come last."""
    brakes, _ = brakes_for(api)
    if not passes:
        with pytest.raises(Refused, match="It takes two runs"):
            brakes.hold("cannot go on", plan)
        return
    brakes.hold("cannot go on", plan)
    for email, role in sorted(plan.roles.items(), reverse=True):  # the demotion first
        with brakes.changing(email, role):
            pass
    for email in plan.removals:
        with brakes.removing(email):
            pass


def test_demotions_of_owners_are_judged_together_as_they_are_asked_about(api: FakeApi) -> None:
    """The first of two may be less; the second is held at preview, whoever is to be an owner beside."""
    brakes, _ = brakes_for(api)
    brakes.hold_demotion("o0@example.com", "member")
    with pytest.raises(Refused, match=r"o0@example\.com, o1@example\.com: the organization would be left without"):
        brakes.hold_demotion("O1@example.com", "admin")


REMEMBERED: dict[str, tuple[dict[str, object], int]] = {
    "the defaults": ({}, 3),
    "every brake released": ({"released": frozenset(Brake)}, 3),
    "a raised share": ({"removal_percent": 100.0}, 3),
    "a raised minimum": ({"removal_minimum": 10}, 3),
    "a lowered minimum": ({"removal_minimum": 1}, 1),
    "both lowered": ({"removal_percent": 0.0, "removal_minimum": 0}, 0),
}
"""With ten people: what only the state says, and how many may go."""


@pytest.mark.parametrize(("limits", "allowed"), REMEMBERED.values(), ids=REMEMBERED)
def test_a_remembered_limit_holds_as_much_as_the_default_or_more(
    api: FakeApi, limits: dict[str, object], allowed: int
) -> None:
    """What only the state remembers releases nothing and raises nothing; what it lowers stays low."""
    brakes = Brakes(make_directory(api), Limits(**limits), print, fresh=lambda: False)  # type: ignore[arg-type]
    gone = [f"m{n}@example.com" for n in range(8)]
    brakes.hold("cannot destroy", PlannedChanges(frozenset(gone[:allowed])))
    with pytest.raises(Refused, match=f"would remove {allowed + 1}"):
        brakes.hold("cannot destroy", PlannedChanges(frozenset(gone[: allowed + 1])))
    with pytest.raises(Refused, match="without an owner"):
        brakes.hold("cannot destroy", PlannedChanges(roles={"o0@example.com": "member", "o1@example.com": "member"}))


PRESENT: dict[str, tuple[dict[str, object] | None, int]] = {
    "cannot be read": (None, 3),
    "the same": ({}, 3),
    "stricter": ({"removal_percent": 0.0, "removal_minimum": 1}, 1),
    "raised, and released": ({"removal_percent": 100.0, "removal_minimum": 10, "released": frozenset(Brake)}, 3),
}


@pytest.mark.parametrize(("present", "allowed"), PRESENT.values(), ids=PRESENT)
def test_a_limit_that_is_stricter_today_counts_without_the_program(
    api: FakeApi, present: dict[str, object] | None, allowed: int
) -> None:
    """What the stack's file says today makes a remembered limit stricter, and never wider."""
    limits = None if present is None else Limits(**present)  # type: ignore[arg-type]
    brakes = Brakes(make_directory(api), Limits(), print, fresh=lambda: False, present=lambda: limits)
    gone = [f"m{n}@example.com" for n in range(8)]
    brakes.hold("cannot destroy", PlannedChanges(frozenset(gone[:allowed])))
    with pytest.raises(Refused, match=f"would remove {allowed + 1}"):
        brakes.hold("cannot destroy", PlannedChanges(frozenset(gone[: allowed + 1])))


def test_a_release_counts_from_when_the_program_has_run(api: FakeApi) -> None:
    """In the refresh phase of `up --refresh` nothing is fresh yet; what is judged after it is."""
    program = [False]
    brakes = Brakes(make_directory(api), Limits(released=frozenset(Brake)), print, fresh=lambda: program[0])
    everybody = PlannedChanges(frozenset(f"m{n}@example.com" for n in range(8)))
    with pytest.raises(Refused):
        brakes.hold("cannot go on", everybody)
    program[0] = True
    brakes.hold("cannot go on", everybody)


def test_a_released_brake_warns_once(api: FakeApi) -> None:
    """It lets go, and says what it found."""
    brakes, said = brakes_for(api, released=frozenset(Brake))
    for _ in range(2):
        brakes.hold("cannot go on", PlannedChanges(frozenset({"o0@example.com", "o1@example.com"})))
    assert said == ["warning: o0@example.com, o1@example.com: the organization would be left without an owner"]


class Meeting:
    """A directory in which a second thread that asks for the people before the first is answered would meet it."""

    def __init__(self, directory: Directory) -> None:
        self._directory, self._both, self.asked, self.met = directory, threading.Barrier(2), 0, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._directory, name)

    def people(self) -> Mapping[str, Person]:
        self.asked += 1
        try:
            self._both.wait(0.2)
            self.met = True
        except threading.BrokenBarrierError:
            pass
        return self._directory.people()


def test_the_people_before_the_first_write_are_taken_once(api: FakeApi) -> None:
    """However many threads begin at once, all are judged by one list: a later one would lack who has gone since."""
    directory = Meeting(make_directory(api))
    brakes = Brakes(cast("Directory", directory), Limits(), print)

    def remove(number: int) -> None:
        with brakes.removing(f"m{number}@example.com"):
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(remove, range(2)))
    assert (directory.asked, directory.met) == (1, False)


def test_a_released_share_is_said_once_for_the_whole_plan(api: FakeApi) -> None:
    """The removals of the plan, as they come one by one, add nothing to it; somebody outside of it does."""
    brakes, said = brakes_for(api, released=frozenset({Brake.REMOVAL_SHARE}))
    plan = [f"m{n}@example.com" for n in range(6)]
    brakes.hold("cannot destroy", PlannedChanges(frozenset(plan)))
    for email in plan:
        with brakes.removing(email):
            pass
    assert said == [f"warning: [removalShare] is released: this removes 6: {', '.join(plan)}"]
    with brakes.removing("m6@example.com"):
        pass
    assert [line.partition(": this")[2].split(":")[0] for line in said] == [" removes 6", " removes 7"]


def test_a_removal_whose_fate_is_unknown_counts(api: FakeApi) -> None:
    """No answer may mean that it was done."""
    brakes, _ = brakes_for(api, removal_minimum=1)
    with pytest.raises(Unreachable), brakes.removing("m0@example.com"):
        raise Unreachable("no answer")
    with pytest.raises(Refused), brakes.removing("m1@example.com"):
        pass


def test_a_removal_that_cannot_be_read_back_counts(api: FakeApi) -> None:
    """Its own answer is lost, and the reading that is refused says nothing of it: three may go, and no fourth."""
    directory = make_directory(api)
    brakes = Brakes(directory, Limits(), print)
    api.applied = True
    for n in range(3):
        directory.forget_people(older_than=-1.0)
        api.faults["remove"] = [Unreachable("cannot remove", why="connection reset")]
        directory.people()
        api.faults["list_users"] = [RateLimited("cannot list the users", why="Mixpanel answered 429")]
        with pytest.raises(Unreachable, match=r"may have been done.*429"), brakes.removing(f"m{n}@example.com"):
            directory.remove(f"m{n}@example.com")
    with pytest.raises(Refused, match="would remove 4"), brakes.removing("m3@example.com"):
        pass
    assert len(api.people) == 7


def test_a_new_owner_counts_from_when_they_are_one(api: FakeApi) -> None:
    """While a promotion is under way, the last owners cannot be demoted on the strength of it."""
    brakes, _ = brakes_for(api)
    with brakes.changing("m0@example.com", "owner"):
        with brakes.changing("o0@example.com", "member"):
            pass
        with pytest.raises(Refused, match="lastOwner"), brakes.changing("o1@example.com", "member"):
            pass
    with brakes.changing("o1@example.com", "member"):
        pass


def test_where_mixpanel_does_not_tell_who_we_are_the_login_name_does(api: FakeApi) -> None:
    """The own identity is braked all the same."""
    api.put("bot.mp-service-account")
    api.read = lambda: Identity("", {ORGANIZATION: "owner"})  # type: ignore[method-assign]
    brakes = Brakes(make_directory(api), Limits(), print, "bot.mp-service-account")
    with pytest.raises(Refused, match="ownIdentity"), brakes.removing("bot.mp-service-account"):
        pass
