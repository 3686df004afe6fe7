"""Runs that do not come to their end: a failure half-way, a cancellation, and an engine that is killed."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dill  # type: ignore[import-untyped]
import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.dynamic import CreateResult, ResourceProvider
from pulumi.runtime.proto import provider_pb2, status_pb2

from demo.sandbox import ROOT, Emulator
from mixpanel_access.api.stopping import STOP
from mixpanel_access.api.transport import MAX_PARALLEL
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.resources import PROVIDER_KEY, SIGNATURE
from mixpanel_access.server.ending import THREADS
from tests.python_engine import values
from tests.server.front import Front
from tests.server.kinds import LEE, LIVES, SHOP, WAREHOUSE
from tests.server.operation import Held, Operation, config_of, engine_log, named, on_ours
from tests.server.test_answers import SECRET, secret

NO_ROLE = "00000000-0000-4000-8000-000000000000"
NOOR, KIM = "noor@example.com", "kim@example.com"


def kept(error: grpc.RpcError) -> tuple[str, dict[str, Any]]:
    """The id and outputs that the engine gets for a resource that could not be finished."""
    found = dict(error.trailing_metadata())["grpc-status-details-bin"]
    details = provider_pb2.ErrorResourceInitFailed()
    status_pb2.Status.FromString(found).details[0].Unpack(details)
    assert list(details.reasons) == [error.details()]
    return details.id, dict(details.properties.fields)


def test_grants_that_were_given_are_kept(emulator: EmulatorServer) -> None:
    """Where one of three fails, the state has the other two, and the next run gives the third."""
    grants = {LEE: "analyst", NOOR: "consumer", KIM: NO_ROLE}
    declared = {"project_id": WAREHOUSE, "grants": grants}
    with on_ours(emulator) as run:
        inputs = run.check("ProjectAccess", declared)
        sent = values.message({**inputs, "notes": secret("hush")})
        with pytest.raises(grpc.RpcError) as failed:
            run.stub.Create(provider_pb2.CreateRequest(**named("ProjectAccess"), properties=sent))
    id_, outputs = kept(failed.value)
    assert id_ == f"7654321:{WAREHOUSE}"
    assert dict(outputs["grants"].struct_value) == {LEE: "analyst", NOOR: "consumer"}
    assert list(outputs["lost"].list_value) == [KIM]
    assert outputs[PROVIDER_KEY].string_value == inputs[PROVIDER_KEY]
    assert outputs["notes"].struct_value.fields[SIGNATURE].string_value == SECRET
    held = Held(id_, inputs, {key: values._value(value) for key, value in outputs.items() if key != "notes"})
    with on_ours(emulator) as again:
        inputs = again.check("ProjectAccess", {**declared, "grants": {**grants, KIM: "admin"}}, inputs)
        assert again.diff("ProjectAccess", held, inputs).changes
        assert again.update("ProjectAccess", held, inputs).outputs["grants"] == inputs["grants"]


@pytest.fixture
def cancels() -> Iterator[Any]:
    """Cancels a run; the process may write again after the test."""
    yield lambda run: run.stub.Cancel(empty_pb2.Empty())
    STOP._asked.clear()


def slow(emulator: EmulatorServer, seconds: float, count: int = 1) -> None:
    """Have the next write be answered late."""
    fault = {"method": "POST", "path_prefix": "/", "kind": "delay", "seconds": seconds, "count": count}
    Emulator(emulator.url).control("POST", "faults", [fault])


def test_a_cancelled_run_waits_for_the_write_under_way_and_sends_no_other(
    emulator: EmulatorServer, cancels: Any
) -> None:
    """Ctrl-C: what is under way is done, and in the state; what comes after it says that it was not sent."""
    with on_ours(emulator) as run, ThreadPoolExecutor() as pool:
        slow(emulator, 0.5)
        grant = pool.submit(run.create, "TeamGrant", run.check("TeamGrant", LIVES["TeamGrant"].inputs))
        while not STOP.under_way():
            assert not grant.done()
        cancels(run)
        assert grant.result().outputs["role"] == "analyst"
        with pytest.raises(grpc.RpcError) as failed:
            run.create("Team", run.check("Team", {"name": "Loaders"}))
    assert failed.value.details() == (
        "cannot make the team Loaders: the run was cancelled before this was sent. Run `pulumi up` again for the rest."
    )
    assert all(team["name"] != "Loaders" for team in Emulator(emulator.url).control("GET", "dump")["teams"])


def test_a_cancellation_waits_for_no_verb(emulator: EmulatorServer, cancels: Any) -> None:
    """However many of them the engine asks for at once."""
    with on_ours(emulator) as run, ThreadPoolExecutor(2 * THREADS) as pool:
        fault = {"method": "GET", "path_prefix": "/", "kind": "delay", "seconds": 1.0}
        Emulator(emulator.url).control("POST", "faults", [fault])
        life = LIVES["Team"]
        reads = [pool.submit(run.import_, "Team", life.id) for _ in range(2 * THREADS)]
        while Emulator(emulator.url).control("GET", "faults"):
            assert not any(read.done() for read in reads)
        cancels(run)
        assert not any(read.done() for read in reads)


UNKNOWN = {
    "TeamGrant": f"grant analyst in project {SHOP} to team 77. Run `pulumi refresh`, then `pulumi up`: what is done is "
    "not done twice.",
    "ServiceAccount": "make the service account loader. It may have been made, its token is lost, and the list of "
    "accounts does not show it: look for a new loader in Organization Settings > Service Accounts, delete it, then run "
    "again.",
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_write_without_an_answer_is_named_as_unknown(emulator: EmulatorServer, cancels: Any, kind: str) -> None:
    """On its resource, once it was waited for long enough, with what to do."""
    with on_ours(emulator, grace_seconds=0.1) as run, ThreadPoolExecutor() as pool:
        inputs = run.check(kind, LIVES[kind].inputs)
        slow(emulator, 1.0)
        made = pool.submit(run.create, kind, inputs)
        while not STOP.under_way():
            assert not made.done()
        cancels(run)
        error = made.exception()
    assert isinstance(error, grpc.RpcError)
    assert error.details() == (
        "cancelled: Mixpanel has not answered within 0.1 seconds, so it is unknown whether this was done: "
        f"{UNKNOWN[kind]}"
    )


def test_what_was_not_sent_says_so_though_another_write_has_no_answer(emulator: EmulatorServer, cancels: Any) -> None:
    """Neither what waits for a connection, nor what waits for the batch before it, is among the unknown."""
    kinds = ("TeamGrant", "TeamMember", "ServiceAccountGrant", "CustomRole", "ProjectGrant")
    with on_ours(emulator, grace_seconds=0.1) as run, ThreadPoolExecutor() as pool:
        inputs = {kind: run.check(kind, LIVES[kind].inputs) for kind in kinds}
        later = run.check("TeamGrant", {**LIVES["TeamGrant"].inputs, "project_id": WAREHOUSE, "role": "admin"})
        slow(emulator, 3.0, count=MAX_PARALLEL)
        made = [pool.submit(run.create, kind, inputs[kind]) for kind in kinds]
        while Emulator(emulator.url).control("GET", "faults"):
            assert not any(one.done() for one in made)
        made.append(pool.submit(run.create, "TeamGrant", later))
        cancels(run)
        said = [error.details() for one in made if isinstance(error := one.exception(), grpc.RpcError)]
        assert STOP.under_way()  # all have their answers before Mixpanel has given its own
    unknown = [words for words in said if "it is unknown whether this was done" in words]
    unsent = [words for words in said if "the run was cancelled before this was sent" in words]
    assert (len(unknown), len(unsent)) == (MAX_PARALLEL, len(made) - MAX_PARALLEL)


def test_a_write_that_waits_for_a_connection_is_not_sent(emulator: EmulatorServer, cancels: Any) -> None:
    """Three requests go out at once: after a Ctrl-C, only their writes are under way, and no other follows."""
    kinds = ("TeamGrant", "TeamMember", "ServiceAccountGrant", "CustomRole", "Team")
    with on_ours(emulator) as run, ThreadPoolExecutor() as pool:
        inputs = {kind: run.check(kind, LIVES[kind].inputs) for kind in kinds}
        slow(emulator, 1.0, count=MAX_PARALLEL)
        made = [pool.submit(run.create, kind, inputs[kind]) for kind in kinds]
        while Emulator(emulator.url).control("GET", "faults"):
            assert not any(one.done() for one in made)
        assert len(STOP.under_way()) == MAX_PARALLEL
        cancels(run)
        failed = [error.details() for one in made if isinstance(error := one.exception(), grpc.RpcError)]
    assert len(failed) == len(kinds) - MAX_PARALLEL
    assert all("the run was cancelled before this was sent" in words for words in failed)


LOST = {
    "ProjectGrant": "It may have been done all the same, and the run was cancelled before Mixpanel showed it.",
    "ServiceAccount": "It may have been made, its token is lost, and the list of accounts does not show it",
}


@pytest.mark.parametrize("kind", LOST)
def test_a_write_whose_answer_was_lost_is_not_said_to_be_unsent(
    emulator: EmulatorServer, cancels: Any, kind: str
) -> None:
    """Where Ctrl-C comes before its second attempt: Mixpanel may have done the first one, and shows it late."""
    inputs = {**LIVES[kind].inputs, **({"email": KIM} if kind == "ProjectGrant" else {})}
    with on_ours(emulator, readBackSeconds="5") as run, ThreadPoolExecutor() as pool:
        inputs = run.check(kind, inputs)
        control = Emulator(emulator.url).control
        control("POST", "faults", [{"path_prefix": "/", "kind": "stale", "seconds": 600}])
        control("POST", "faults", [{"method": "POST", "path_prefix": "/", "kind": "drop_after"}])
        made = pool.submit(run.create, kind, inputs)
        while any(fault["kind"] == "drop_after" for fault in control("GET", "faults")):
            assert not made.done()
        cancels(run)
        failed = made.exception()
    assert isinstance(failed, grpc.RpcError)
    assert LOST[kind] in failed.details()


def test_an_account_stays_for_its_overlap_though_the_list_fails_after_the_new_one(emulator: EmulatorServer) -> None:
    """The state has the new one's token, and how long the old one stays: the next `up` ends neither."""
    declared = {"username": "loader", "role": "consumer", "rotate_after": 30, "overlap": 5}
    with on_ours(emulator) as run:
        old = run.create("ServiceAccount", run.check("ServiceAccount", declared))
    with on_ours(emulator, now="2027-06-20T12:00:00Z") as run, ThreadPoolExecutor() as pool:
        inputs = run.check("ServiceAccount", declared, old.inputs)
        assert list(run.diff("ServiceAccount", old, inputs).replaces) == ["rotate_after"]
        slow(emulator, 1.0)
        made = pool.submit(run.create, "ServiceAccount", inputs)
        while Emulator(emulator.url).control("GET", "faults"):
            assert not made.done()
        fault = {"method": "GET", "path_prefix": "/", "kind": "status", "status": 500, "count": 50}
        Emulator(emulator.url).control("POST", "faults", [fault])
        new = made.result().outputs
    assert new["token"]
    assert [row["account_id"] for row in new["retiring"]] == [old.outputs["account_id"]]


class Slow(ResourceProvider):
    """A provider of somebody else's, which needs its time."""

    def __init__(self, port: int) -> None:
        self.port = port

    def create(self, props: dict[str, Any]) -> CreateResult:
        with socket.create_connection(("127.0.0.1", self.port)) as until_it_ends:
            until_it_ends.recv(1)
        return CreateResult("slow-1", props)


@pytest.mark.parametrize("ours_waits", [False, True])
def test_another_packages_resource_has_all_its_time(
    emulator: EmulatorServer, cancels: Any, *, ours_waits: bool
) -> None:
    """After a Ctrl-C, the seconds count for Mixpanel alone: no work of another package's provider is ended."""
    kind = "pulumi-python:dynamic:Resource"
    with socket.create_server(("127.0.0.1", 0)) as door, ThreadPoolExecutor() as pool:
        pickled = base64.b64encode(dill.dumps(Slow(door.getsockname()[1]), byref=False)).decode()
        with on_ours(emulator, grace_seconds=0.1) as run:
            theirs = pool.submit(run.create, kind, {PROVIDER_KEY: pickled})
            working, _ = door.accept()
            if ours_waits:
                inputs = run.check("TeamGrant", LIVES["TeamGrant"].inputs)
                slow(emulator, 1.0)
                ours = pool.submit(run.create, "TeamGrant", inputs)
                while not STOP.under_way():
                    assert not ours.done()
            cancels(run)
            assert not ours_waits or isinstance(ours.exception(), grpc.RpcError)
            assert not theirs.done()
            working.close()
            assert theirs.result().id == "slow-1"


def test_a_read_without_an_answer_is_no_write(emulator: EmulatorServer, cancels: Any) -> None:
    """Nothing is unknown then."""
    with on_ours(emulator, grace_seconds=0.1) as run, ThreadPoolExecutor() as pool:
        fault = {"method": "GET", "path_prefix": "/", "kind": "delay", "seconds": 1.0}
        Emulator(emulator.url).control("POST", "faults", [fault])
        team = pool.submit(run.import_, "Team", LIVES["Team"].id)
        while Emulator(emulator.url).control("GET", "faults"):
            assert not team.done()
        cancels(run)
        error = team.exception()
    assert isinstance(error, grpc.RpcError)
    assert error.details().startswith("cannot read team: the run was cancelled, and Mixpanel had not answered")


def test_an_account_whose_token_was_lost_is_named_after_a_ctrl_c(emulator: EmulatorServer, cancels: Any) -> None:
    """It may not be deleted any more, and nobody else knows of it."""
    with Front(emulator) as front, on_ours(front) as run:
        inputs = run.check("ServiceAccount", LIVES["ServiceAccount"].inputs)
        front.loses, front.after_write = True, STOP.ask
        with pytest.raises(grpc.RpcError) as failed:
            run.create("ServiceAccount", inputs)
    (account,) = [
        one for one in Emulator(emulator.url).control("GET", "dump")["service_accounts"] if "loader" in one["username"]
    ]
    words = (
        f"The answer with its token was lost: delete {account['username']} ({account['id']}) in Organization Settings"
    )
    assert words in failed.value.details()


def test_an_interrupt_of_the_process_itself_is_a_ctrl_c(emulator: EmulatorServer) -> None:
    """What is under way is answered, nothing else is sent, and the process ends."""
    with engine_log() as (log, address), ThreadPoolExecutor() as pool:
        command = [sys.executable, "-u", str(ROOT / "plugins" / "pulumi-python"), address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            run = Operation(int(process.stdout.readline()), config_of(emulator), log, address)
            grant, team = run.check("TeamGrant", LIVES["TeamGrant"].inputs), run.check("Team", LIVES["Team"].inputs)
            slow(emulator, 1.0)
            made = pool.submit(run.create, "TeamGrant", grant)
            while Emulator(emulator.url).control("GET", "faults"):
                assert not made.done()
            process.send_signal(signal.SIGINT)
            assert made.result().outputs["role"] == "analyst"
            with pytest.raises(grpc.RpcError):
                run.create("Team", team)
            assert process.wait(60) == 1
            run.channel.close()
    assert all(team["name"] != "Loaders" for team in Emulator(emulator.url).control("GET", "dump")["teams"])


def test_the_process_ends_with_its_engine() -> None:
    """A killed engine ends none of its plugins, and a server that stays keeps 50 MB."""
    with engine_log() as (_, address):
        command = [sys.executable, "-u", str(ROOT / "plugins" / "pulumi-python"), address]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert server.stdout is not None
        assert int(server.stdout.readline())
        assert server.poll() is None
    with server:
        assert server.wait(60) == 1
