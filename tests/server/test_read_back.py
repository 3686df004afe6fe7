"""A write that Mixpanel takes, after which nothing can be read: the error says so, and the state has the resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.runtime.proto import provider_pb2, status_pb2

from demo.sandbox import Emulator
from mixpanel_access.api.stopping import STOP
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.resources import BY_NAME
from mixpanel_access.provider.taking import UNREAD
from tests.faults.sampling import MANY
from tests.server.front import EMPTY, FAULT, PAGE, Answer, Front
from tests.server.kinds import ETL, LIVES, NEWER, SHOP, TEAM, WAREHOUSE, lives_on
from tests.server.operation import SERVERS, Held, Operation, config_of, on_ours, plain

NEW, KIM = "new@agency.example.org", "kim@example.com"
INPUTS: dict[str, dict[str, Any]] = {kind: life.inputs for kind, life in LIVES.items()} | {
    "ProjectGrant": {"email": KIM, "project_id": SHOP, "role": "analyst"},
    "OrganizationSecurity": {"two_factor_required": False},
    "Members": {"people": {NEWER: {}}},
}
TAKEN: dict[str, str] = {
    "Member": f"invite {NEW}",
    "Members": f"invite {NEWER}",
    "ProjectGrant": f"grant analyst in project {SHOP} to {KIM}",
    "ProjectAccess": f"change who has project {WAREHOUSE}, for 2 people,",
    "ServiceAccountGrant": f"grant analyst in project {WAREHOUSE} to service account {ETL}",
    "Team": "make the team Loaders",
    "TeamGrant": f"grant analyst in project {SHOP} to team {TEAM}",
    "TeamMember": f"add {KIM} to the team Data",
    "TeamMembers": "add omar@example.com to the team Data",
    "CustomRole": f"make the custom role Reports in project {SHOP}",
    "OrganizationSecurity": "change two_factor_required",
}
"""Kind -> the request that Mixpanel takes."""
READ_NOTHING = ("ServiceAccount", "RemovalBrake")
"""Kinds whose creation reads nothing after its write: they have no such failure."""
NAMED_BY_MIXPANEL = ("Team", "CustomRole")
"""Kinds whose id only Mixpanel's list has: without the list, the state cannot keep them."""
TROUBLES: dict[str, Answer] = {"a fault": FAULT, "a page": PAGE, "an empty list": EMPTY}
WAYS = [(server, trouble) for server in SERVERS for trouble in TROUBLES]
"""Every trouble on ours; of the SDK's server, whose providers are the same, all for `make reliability` alone."""


def kept_in(error: grpc.RpcError) -> Held | None:
    """What the state keeps of a resource that could not be finished."""
    found = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if found is None:
        return None
    details = provider_pb2.ErrorResourceInitFailed()
    status_pb2.Status.FromString(found).details[0].Unpack(details)
    assert list(details.reasons) == [error.details()]
    return Held(details.id, {}, plain(details.properties))


def failed(run: Operation, front: Front, kind: str, trouble: Answer | None) -> tuple[str, Held | None]:
    """The words of a creation that fails after its write, and what the state keeps."""
    inputs = run.check(kind, INPUTS[kind])
    front.arm(trouble)
    with pytest.raises(grpc.RpcError) as caught:
        run.create(kind, inputs)
    front.arm(None)
    held = kept_in(caught.value)
    return caught.value.details(), held and Held(held.id, inputs, held.outputs)


def test_each_kind_is_in_the_table() -> None:
    """A new kind of resource comes into these tests."""
    assert {*TAKEN, *READ_NOTHING} == BY_NAME.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("server", "trouble"), WAYS if MANY else WAYS[: len(TROUBLES) + 1])
def test_what_could_not_be_read_back_is_kept(emulator: EmulatorServer, server: str, trouble: str) -> None:
    """By our server; the SDK's cannot, and the error says that the next `up` adopts it. Nothing is sent twice."""
    held: dict[str, Held | None] = {}
    with Front(emulator) as front:
        with SERVERS[server](front) as run:
            for kind, request in ((kind, TAKEN[kind]) for kind in TAKEN if kind in lives_on(server)):
                run.configure(config_of(front, readBackSeconds="0.1"))
                words, held[kind] = failed(run, front, kind, TROUBLES[trouble])
                assert "Mixpanel took the request" in words, kind
                assert f"Mixpanel took the request to {request} before." in words or " 0.1 seconds later" in words, kind
                keeps = held[kind] is not None
                assert keeps == (server == "ours" and kind not in NAMED_BY_MIXPANEL), (kind, words)
                then = "The state has it, and the next `pulumi up` reads what came of it."
                then = "Run again: nothing is done twice." if "of 2 people: " in words else then  # one next step
                assert (then in words) == keeps, words
                assert ("The next `pulumi up` adopts what it finds of it." in words) != keeps, words
            for kind in READ_NOTHING:
                run.configure(config_of(front))
                inputs = run.check(kind, INPUTS[kind])
                front.arm(TROUBLES[trouble])
                assert UNREAD not in run.create(kind, inputs).outputs
                front.arm(None)
        written = list(front.writes)
        front.arm(None)
        with SERVERS[server](front) as again:
            for kind, one in held.items():
                inputs = again.check(kind, INPUTS[kind], one.inputs if one else None)
                if one is None:
                    assert UNREAD not in again.create(kind, inputs).outputs
                else:
                    assert again.diff(kind, one, inputs).changes == provider_pb2.DiffResponse.DIFF_SOME
                    assert UNREAD not in again.update(kind, one, inputs).outputs
        assert front.writes == written


@pytest.fixture
def may_write_again() -> Iterator[None]:
    """The process may write after a cancelled run."""
    yield
    STOP._asked.clear()


def test_what_is_late_after_a_ctrl_c_is_kept(emulator: EmulatorServer, may_write_again: None) -> None:
    """Nothing is waited for any more, and the error does not say that it was."""
    Emulator(emulator.url).control("POST", "faults", [{"path_prefix": "/", "kind": "stale", "seconds": 600}])
    with Front(emulator) as front, on_ours(front) as run:
        front.after_write = STOP.ask
        for kind, request in TAKEN.items():
            run.configure(config_of(front))
            words, held = failed(run, front, kind, None)
            assert f"Mixpanel took the request to {request} before." in words or (
                "Mixpanel took the request and" in words
                and "since the run was cancelled, it was not looked for" in words
            ), words
            assert "seconds later" not in words
            assert (held is not None) == (kind not in NAMED_BY_MIXPANEL), words
            STOP._asked.clear()


def left_in(emulator: EmulatorServer) -> Any:
    """Who has what in the organization."""
    dump = Emulator(emulator.url).control("GET", "dump")
    accounts = {one["id"]: one["projects"] for one in dump["service_accounts"]}
    return {**{key: dump[key] for key in ("members", "grants", "teams")}, "accounts": accounts}


@pytest.mark.parametrize("kind", [kind for kind in TAKEN if kind not in (*NAMED_BY_MIXPANEL, "OrganizationSecurity")])
def test_what_is_kept_goes_with_its_line(emulator: EmulatorServer, kind: str) -> None:
    """Whoever deletes it from the program before the next `up` leaves no access behind."""
    before = left_in(emulator)
    with Front(emulator) as front:
        with on_ours(front, readBackSeconds="0.1") as run:
            _, held = failed(run, front, kind, PAGE)
        assert left_in(emulator) != before
        assert held is not None
        with on_ours(front) as refresh:
            read = refresh.read(kind, held)
            assert read is not None
            assert UNREAD not in read.outputs
        with on_ours(front) as gone:
            gone.delete(kind, held)
    after = left_in(emulator)
    if kind == "ProjectAccess":  # it has taken the role of the one who had a grant before, and takes it away now
        before["grants"] = [grant for grant in before["grants"] if grant["project"] != WAREHOUSE]
    assert after == before


def test_the_first_role_of_somebody_is_given_back(emulator: EmulatorServer) -> None:
    """An error after a change of the organization role does not lose what the person was before."""
    inputs = {"email": "lee@example.com", "role": "admin", "removal": "never"}
    with Front(emulator) as front:
        with on_ours(front, readBackSeconds="0.1") as run:
            checked = run.check("Member", inputs)
            front.arm(PAGE)
            with pytest.raises(grpc.RpcError) as caught:
                run.create("Member", checked)
            front.arm(None)
        held = kept_in(caught.value)
        assert held is not None
        with on_ours(front) as again:
            held = again.update("Member", held, again.check("Member", inputs, checked))
        assert (held.outputs["previous_role"], held.outputs["adopted"]) == ("member", True)
        with on_ours(front) as gone:
            gone.delete("Member", held)
    people = {one["email"]: one["role"] for one in left_in(emulator)["members"]}
    assert people["lee@example.com"] == "member"
