"""Looking at several stacks: what the engine is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from mixpanel_access.directory import connected
from mixpanel_access.engine import Completed, Engine, Pulumi
from mixpanel_access.files.roster import read_roster
from mixpanel_access.model.access import Person
from mixpanel_access.model.dates import expiry, written
from mixpanel_access.model.errors import ConfigurationError, UsageError
from mixpanel_access.model.settings import load_settings
from mixpanel_access.operations import overview
from mixpanel_access.operations.overview import load_overview, overview_of
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.report.build import make_report
from mixpanel_access.operations.stack_view import StackView
from mixpanel_access.operations.status import statuses
from mixpanel_access.operations.who import of_person
from tests.fakes import NOW, PRODUCTION, FakeApi, make_directory
from tests.operations.held import held_member, held_team_member, state_of_resources
from tests.operations.overviews import BO, ROSTER, person
from tests.operations.overviews import overview as make_overview

STACKS = ("production", "staging")
ACCOUNT = {"MIXPANEL_SERVICE_ACCOUNT": "bot", "MIXPANEL_SERVICE_ACCOUNT_SECRET": "s"}
CONFIG = {"mixpanel:organizationId": {"value": "7654321"}, "mixpanel:environment": {"value": "production"}}


@dataclass(frozen=True)
class Waiting(Pulumi):
    """An engine that answers about one stack only while it is asked about the other."""

    configs: Mapping[str, Any] = field(default_factory=lambda: dict.fromkeys(STACKS, CONFIG))
    both: Barrier = field(default_factory=lambda: Barrier(len(STACKS), timeout=20))

    def run(self, *args: str, **_: Any) -> Completed:
        if args[:2] == ("stack", "ls"):
            return Completed(args, 0, json.dumps([{"name": name} for name in STACKS]), "")
        self.both.wait()
        answer = self.configs[args[-1]] if args[0] == "config" else {"deployment": {"resources": []}}
        return Completed(args, 0, json.dumps(answer), "")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Never started."""
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\nmain: stacks/\n")
    (tmp_path / "stacks").mkdir()
    return Engine(tmp_path, "3.259.0", "path")


def test_the_engine_is_asked_about_all_stacks_at_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend may be far away; the stacks come in their order all the same."""
    monkeypatch.setattr(overview, "connected", lambda _, **__: nullcontext(make_directory(FakeApi())))
    with load_overview(PulumiProject(Waiting(engine, tmp_path, ACCOUNT)), [], None, lambda _: None) as found:
        assert list(found.stacks) == list(STACKS)


def test_a_bad_word_in_a_policy_configuration_stops_only_what_depends_on_it(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the stack whose file it is; who judges nothing goes on."""
    monkeypatch.setattr(overview, "connected", lambda _, **__: nullcontext(make_directory(FakeApi())))
    folder = tmp_path / "policies" / "config"
    folder.mkdir(parents=True)
    (folder / "production.json").write_text('{"ending-soon": {"dayz": 3}}')
    with load_overview(PulumiProject(Waiting(engine, tmp_path, ACCOUNT)), [], None, lambda _: None) as found:
        assert found.changes == {"production": [], "staging": []}
        assert found.stacks["staging"].policies.ending_days == 14
        with pytest.raises(UsageError, match="dayz"):
            _ = found.stacks["production"].policies


def test_what_is_wrong_with_the_first_stack_is_told(engine: Engine, tmp_path: Path) -> None:
    """As it is where they are asked one after the other."""
    pulumi = Waiting(engine, tmp_path, ACCOUNT, {"production": {}, "staging": CONFIG}, Barrier(1))
    with pytest.raises(ConfigurationError, match="organizationId"):
        load_overview(PulumiProject(pulumi), [], None, lambda _: None).__enter__()


def test_the_connections_to_mixpanel_end_with_the_block() -> None:
    """What was not read by then cannot be read."""
    settings = load_settings({"organizationId": "7654321", "environment": "production"}.get, ACCOUNT)
    with connected(settings) as directory:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        directory.people()


SENT, FOUND = NOW - timedelta(days=8), NOW - timedelta(days=5)
AGES: dict[str, tuple[list[dict[str, str]], str, datetime | None]] = {
    "one stack has sent it, and another one found it waiting": (
        [{"invited_at": written(SENT), "expires_at": written(expiry(SENT))}, {"expires_at": written(expiry(FOUND))}],
        "expired",
        expiry(SENT),
    ),
    "both found it waiting": (
        [{"expires_at": written(expiry(SENT))}, {"expires_at": written(expiry(FOUND))}], "pending", expiry(FOUND)
    ),
    "both have sent it": (
        [{"invited_at": written(day), "expires_at": written(expiry(day))} for day in (SENT, FOUND)],
        "pending",
        expiry(FOUND),
    ),
    "nobody knows": ([{}, {}], "pending", None),
}  # fmt: skip


@pytest.mark.parametrize(("members", "state", "ends"), AGES.values(), ids=AGES.keys())
@pytest.mark.parametrize("order", [1, -1])
def test_the_stack_that_sent_an_invitation_knows_its_end(
    members: list[dict[str, str]], state: str, ends: datetime | None, order: int
) -> None:
    """One that found it waiting knows an upper bound, which counts only where no state has sent it."""
    held = {str(number): held_member(BO, None, outputs=one) for number, one in enumerate(members[::order])}
    someone = PersonOverview(BO, BO, members=held, person=Person(BO, "member", invited=True))
    assert (someone.invitation(NOW), someone.expires_at) == (state, ends)


@pytest.mark.parametrize("order", [1, -1])
def test_of_what_two_states_have_the_stronger_claim_counts(order: int) -> None:
    """An organization role, and a place that is the stack's; what the other one knows stays."""
    claims = state_of_resources(
        {BO: held_member(BO, "admin")}, team_members={(7, BO): held_team_member(7, BO, outputs={"status": "member"})}
    )
    plain = state_of_resources(
        {BO: held_member(BO, None, outputs={"user_id": 5})},
        team_members={(7, BO): held_team_member(7, BO, outputs={"status": "left_to_scim"})},
    )
    first, second = (claims, plain)[::order]
    both = first | second
    assert (both.members[BO].role, both.members[BO].outputs["user_id"]) == ("admin", 5)
    assert both.team_members[7, BO].given_by_stack


NEW = "bo.new@example.com"


def moved() -> FakeApi:
    """An organization in which Bo has another address than before, and a grant."""
    api = FakeApi()
    api.put(NEW)
    api.people[NEW] = replace(api.people[NEW], user_id=77)
    api.give(PRODUCTION, NEW, "analyst")
    return api


def view_of(folder: Path, name: str, roster: str | None, state: str | None) -> StackView:
    """A stack that has Bo by one address in its roster and by one in its state; None for neither."""
    before = make_overview(moved(), *([person(state)] if state else []), ids={NEW: 77, BO: 77}).stacks["production"]
    text = ROSTER.format(people=person(roster) if roster else "  []", more="")
    file = folder / f"{name}.yaml"
    file.write_text(text)
    return replace(before, name=name, file=file, roster=read_roster(file))


ONE_PERSON: dict[str, tuple[str, str | None, str | None, str | None, str]] = {
    "the rosters do not follow yet": (BO, BO, BO, BO, "write it into {p}:9 and {s}:9"),
    "one roster follows": (BO, BO, NEW, BO, "write it into {p}:9"),
    "one stack has followed": (BO, BO, NEW, NEW, "write it into {p}:9"),
    "the entry is new to a stack": (BO, None, NEW, BO, "write it into {p}:9"),
    "both rosters follow": (NEW, BO, NEW, BO, "`pulumi up --stack production`"),
    "a state alone has the new address": (BO, BO, None, NEW, "write it into {p}:9"),
    "a single stack": (NEW, BO, None, None, "`pulumi up --stack production`"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "first_state", "second", "second_state", "next_step"), ONE_PERSON.values(), ids=ONE_PERSON.keys()
)
def test_somebody_whose_address_has_changed_is_one_person(
    tmp_path: Path, first: str, first_state: str | None, second: str | None, second_state: str | None, next_step: str
) -> None:
    """In `status`, `who` and the report, whichever address a roster has; the next step is the line to change."""
    views = {
        "production": view_of(tmp_path, "production", first, first_state),
        "staging": view_of(tmp_path, "staging", second, second_state),
    }
    found = overview_of(views, make_directory(moved()), NOW)
    address = NEW if NEW in (first, second) else BO
    assert [one.email for one in found.people] == [address]
    assert found.anybody(BO) is found.anybody(NEW) is found.get(BO) is found.get(NEW)
    (status,) = statuses(found)
    (step,) = {one.next_step for one in status.problems if one.text == f"now has the address {NEW}"}
    names = {name[0]: f"the roster of stack {name}, {name}.yaml" for name in views}
    assert step == next_step.format(**names)
    assert [one.email for one in make_report(found).people] == [address]
    (grant,) = of_person(found, NEW)
    assert (grant.role, grant.stack) == ("analyst", "production" if first_state else "staging")
    assert of_person(found, BO) == [grant]


def test_two_addresses_in_one_roster_are_two_people(tmp_path: Path) -> None:
    """Each has an entry of its own, with access of its own."""
    view = view_of(tmp_path, "production", BO, BO)
    both = make_overview(moved(), person(BO), person(NEW)).stacks["production"].roster
    found = overview_of({"production": replace(view, roster=both)}, make_directory(moved()), NOW)
    assert [one.key for one in found.people] == [NEW, BO]
