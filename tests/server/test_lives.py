"""The same resources on our server and on the SDK's: the same states, and one goes on where the other has left off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from demo.sandbox import Emulator
from mixpanel_access.emulator.server import EmulatorServer
from tests.server.kinds import LIVES, NEW, NEWER, ON_BOTH, lives_on, organization
from tests.server.operation import SERVERS, Held

OF_THE_RUN = ("created", "login", "token", "role_id", "rotates")
"""Outputs that Mixpanel draws, or that depend on the time of day."""
LEFT = ("grants", "teams", "security")
"""What of the organization is compared in the end, besides people and their roles."""
State = dict[str, Held]
"""Kind -> the resource."""


def comparable(state: State) -> Any:
    """A state without what differs between two organizations."""
    return {
        kind: (held.inputs, {key: value for key, value in held.outputs.items() if key not in OF_THE_RUN})
        for kind, held in state.items()
    }


TROUBLES = [
    {"method": "POST", "path_prefix": "/", "kind": "drop_after", "count": 2},
    {"method": "POST", "path_prefix": "/", "kind": "status", "status": 503},
    {"method": "GET", "path_prefix": "/", "kind": "status", "status": 502},
]
"""What happens to the first requests of a life: answers are lost, and some requests are not applied."""


def lived(servers: tuple[str, str, str]) -> list[Any]:
    """What there is to see of one resource of each kind, in an organization of its own: each run on one of these."""
    seen = list[Any]()
    with EmulatorServer(organization()) as emulator:
        Emulator(emulator.url).control("POST", "faults", TROUBLES)
        with SERVERS[servers[0]](emulator) as up:
            inputs = {kind: up.check(kind, life.inputs) for kind, life in ON_BOTH.items()}
            made = {kind: up.create(kind, inputs[kind]) for kind in ON_BOTH}
        assert Emulator(emulator.url).control("GET", "faults") == []
        with SERVERS[servers[1]](emulator) as change:
            read = {kind: change.read(kind, held) or pytest.fail(kind) for kind, held in made.items()}
            inputs = {kind: change.check(kind, life.changed, read[kind].inputs) for kind, life in ON_BOTH.items()}
            diffs = {kind: change.diff(kind, read[kind], inputs[kind]) for kind in ON_BOTH}
            changed = {kind: change.update(kind, read[kind], inputs[kind]) for kind in ON_BOTH}
        seen += [(diff.changes, list(diff.replaces), diff.deleteBeforeReplace) for diff in diffs.values()]
        with SERVERS[servers[2]](emulator) as destroy:
            last = {kind: destroy.read(kind, held) or pytest.fail(kind) for kind, held in changed.items()}
            for kind, held in reversed(last.items()):
                destroy.delete(kind, held)
        left = Emulator(emulator.url).control("GET", "dump")
        seen += [
            {one["email"]: one["role"] for one in left["members"]},
            left["grants"],
            left["teams"],
            left["security"],
        ]
    return [*seen, *map(comparable, (made, read, changed, last))]


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_what_a_killed_run_has_made_is_adopted_by_the_next(emulator: EmulatorServer, server: str) -> None:
    """No state has any of it: the next run writes nothing, but for the account whose token is lost."""
    with SERVERS[server](emulator) as killed:
        first = {kind: killed.create(kind, killed.check(kind, life.inputs)) for kind, life in lives_on(server).items()}
    Emulator(emulator.url).control("DELETE", "requests")
    with SERVERS[server](emulator) as again:
        second = {kind: again.create(kind, again.check(kind, life.inputs)) for kind, life in lives_on(server).items()}
    made = Emulator(emulator.url).control("GET", "requests")["by_endpoint"]
    assert [endpoint for endpoint in made if not endpoint.startswith("GET ")] == [
        "POST /api/app/organizations/{o}/service-accounts"
    ]
    assert {kind for kind, held in second.items() if held.id != first[kind].id} == {"ServiceAccount"}
    assert second["ServiceAccount"].outputs["token"] != first["ServiceAccount"].outputs["token"]
    invited = [NEW, NEWER] if server == "ours" else [NEW]
    assert [mail["email"] for mail in Emulator(emulator.url).control("GET", "mails")] == invited


@pytest.mark.slow
@pytest.mark.parametrize("other", SERVERS)
def test_two_servers_on_one_stack_do_nothing_twice(emulator: EmulatorServer, other: str) -> None:
    """The engine locks a stack; where two run all the same, one e-mail goes out, and there is one of each kind."""
    kinds = [kind for kind in ON_BOTH if kind != "ServiceAccount"]  # two of one name are two accounts
    with SERVERS["ours"](emulator) as one, SERVERS[other](emulator) as two, ThreadPoolExecutor() as pool:
        runs = [
            (kind, pool.submit(run.create, kind, run.check(kind, LIVES[kind].inputs)))
            for run in (one, two)
            for kind in kinds
        ]
        made = {kind: made.result().id for kind, made in runs}
    assert [mail["email"] for mail in Emulator(emulator.url).control("GET", "mails")] == [NEW]
    with SERVERS["ours"](emulator) as gone:
        left = {kind: gone.import_(kind, id_).id for kind, id_ in made.items()}
    assert left == made


@pytest.mark.slow
def test_the_states_are_the_same_on_both_servers() -> None:
    """Made in spite of troubles, read, changed, read and deleted, though the server changes from run to run."""
    assert lived(("ours", "ours", "ours")) == lived(("the SDK's", "ours", "the SDK's"))
