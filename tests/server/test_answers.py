"""What the engine gets from our server besides states: differences by path, errors, and lines for the user."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import dill  # type: ignore[import-untyped]
import grpc  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.dynamic import CreateResult, DiffResult, ResourceProvider
from pulumi.runtime.proto import provider_pb2

from demo.sandbox import ROOT, Emulator
from demo.sandbox import SECRET as ACCOUNT_SECRET
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.errors import DEBUG_VARIABLE, InputError
from mixpanel_access.model.resources import PROVIDER_KEY, SIGNATURE
from mixpanel_access.server.changes import detailed
from mixpanel_access.server.providers import Providers
from tests.python_engine import values
from tests.server.kinds import LEE, LIVES, WAREHOUSE
from tests.server.operation import SERVERS, Held, Line, Operation, config_of, engine_log, on_ours, urn_of

KIND = provider_pb2.PropertyDiff
DIFF = provider_pb2.DiffResponse
SECRET = "1b47061264138c4ac30d75fd1eb44270"
CANARY = "canary@agency.example.org"


def secret(value: object) -> dict[str, object]:
    """A secret as the engine sends it."""
    return {SIGNATURE: SECRET, "value": value}


DIFFERENCES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "nothing": ({"role": "admin"}, {"role": "admin"}, {}),
    "a value": ({"role": "admin"}, {"role": "member"}, {"role": KIND.UPDATE}),
    "a new one": ({}, {"role": "member"}, {"role": KIND.ADD}),
    "one that went": ({"role": "member", "x": None}, {"x": None}, {"role": KIND.DELETE}),
    "of a mapping": (
        {"grants": {"a@b.c": "admin", "d@e.f": "admin", "plain": 1}},
        {"grants": {"a@b.c": "owner", 'g"h': "admin", "plain": 2}},
        {
            'grants["a@b.c"]': KIND.UPDATE,
            'grants["d@e.f"]': KIND.DELETE,
            'grants["g\\"h"]': KIND.ADD,
            "grants.plain": KIND.UPDATE,
        },
    ),
    "of a list": ({"list": ["a", "b", "c"]}, {"list": ["a", "c", "d"]}, {"list[1]": KIND.DELETE, "list[2]": KIND.ADD}),
    "of a list, in one place": ({"list": ["a", "b"]}, {"list": ["a", "c"]}, {"list[1]": KIND.UPDATE}),
    "a person of a reason": (
        {"list": [{"people": ["a", "b", "c"], "ticket": "1"}]},
        {"list": [{"people": ["b", "c", "d"], "ticket": "1"}]},
        {"list[0].people[0]": KIND.DELETE, "list[0].people[2]": KIND.ADD},
    ),
    "a reason that goes, and a person of the one behind it": (
        {"list": [{"people": ["a"], "ticket": "1"}, {"people": ["b", "c"], "ticket": "2"}]},
        {"list": [{"people": ["c"], "ticket": "2"}]},
        {"list[0]": KIND.DELETE, "list[1].people[0]": KIND.DELETE},
    ),
    "a person who gets another reason": (
        {"list": [{"people": ["a", "b"], "ticket": "1"}, {"people": ["c"], "ticket": "2"}]},
        {"list": [{"people": ["b"], "ticket": "1"}, {"people": ["a", "c"], "ticket": "2"}]},
        {"list[0].people[0]": KIND.DELETE, "list[1].people[0]": KIND.ADD},
    ),
    "a reason's value, and a person": (
        {"list": [{"people": ["a", "b"], "ticket": "1"}]},
        {"list": [{"people": ["b"], "ticket": "2"}]},
        {"list[0].people[0]": KIND.DELETE, "list[0].ticket": KIND.UPDATE},
    ),
    "a reason that moved to where another one went": (
        {"list": [{"people": ["a"], "ticket": "1"}, {"people": ["b", "c"], "ticket": "2"}]},
        {"list": [{"people": ["c", "d"], "ticket": "2"}]},
        {
            "list[0].people[0]": KIND.UPDATE,
            "list[0].people[1]": KIND.ADD,
            "list[0].ticket": KIND.UPDATE,
            "list[1]": KIND.DELETE,
        },
    ),
    "only moved": ({"list": ["a", "b"]}, {"list": ["b", "a"]}, {"list": KIND.UPDATE}),
    "what counts for nothing": ({"role": 1, "other": 1}, {"role": 1, "other": 2}, {}),
}
FIELDS = ("role", "grants", "list")


@given(*[st.lists(st.sets(st.sampled_from("abcd"), min_size=1), max_size=4)] * 2, st.permutations(range(4)))
def test_each_part_of_a_difference_is_where_the_engine_looks_for_it(
    olds: list[set[str]], news: list[set[str]], tickets: list[int]
) -> None:
    """Nothing that came or went is missing, and nothing is shown twice: else a preview hides somebody."""
    before = [{"people": sorted(some), "ticket": ticket} for some, ticket in zip(olds, tickets, strict=False)]
    after = [{"people": sorted(some), "ticket": ticket} for ticket, some in enumerate(news)]
    found = detailed(FIELDS, {"list": before}, {"list": after}, ())
    assert not any(path != other and other.startswith((f"{path}[", f"{path}.")) for path in found for other in found)
    shown: dict[str, set[tuple[Any, int]]] = {"gone": set(), "come": set()}
    for path, kind in found.items():
        for side, reasons, other in (("gone", before, KIND.ADD), ("come", after, KIND.DELETE)):
            if path != "list" and kind != other:
                shown[side] |= _in_path(path, reasons)
    was, now = (set[tuple[Any, int]]().union(*map(_explained, reasons)) for reasons in (before, after))
    assert was - now <= shown["gone"]
    assert now - was <= shown["come"]


def _explained(reason: Mapping[str, Any]) -> set[tuple[Any, int]]:
    """The people of a reason, each with its ticket."""
    return {(one, reason["ticket"]) for one in reason["people"]}


def _in_path(path: str, reasons: list[dict[str, Any]]) -> set[tuple[Any, int]]:
    """The people that the engine finds at a path, each with the ticket of their reason."""
    place, _, part = path.removeprefix("list[").partition("]")
    reason = reasons[int(place)]
    if part in ("", ".ticket"):
        return _explained(reason)
    return {(reason["people"][int(part.removeprefix(".people[").removesuffix("]"))], reason["ticket"])}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_a_difference_names_the_part_that_differs(case: str) -> None:
    """Keys of mappings and items of lists; what replaces the resource is marked, and a secret has no parts."""
    olds, news, expected = DIFFERENCES[case]
    assert detailed(FIELDS, olds, news, ()) == expected
    differing = {path.partition("[")[0].partition(".")[0] for path in expected}
    marked = detailed(FIELDS, olds, news, differing)
    assert marked.keys() == expected.keys()
    assert set(marked.values()) <= {KIND.ADD_REPLACE, KIND.DELETE_REPLACE, KIND.UPDATE_REPLACE}
    assert detailed(FIELDS, olds, news, FIELDS) == {}  # such as a rotation that is due: its days are the same
    hidden = detailed(FIELDS, olds, news, (), FIELDS)
    assert hidden.keys() <= set(FIELDS)
    assert bool(hidden) == bool(expected)


def changed(run: Operation, kind: str, held: Held, declared: Mapping[str, Any]) -> dict[str, str]:
    """The difference of a resource and what is declared: path -> kind."""
    diff = run.diff(kind, held, run.check(kind, declared, held.inputs))
    return {path: KIND.Kind.Name(one.kind) for path, one in diff.detailedDiff.items()}


def test_one_person_and_one_permission_show(emulator: EmulatorServer) -> None:
    """Of a project's grants the person, of a role the permission, and of another address that it replaces."""
    with on_ours(emulator) as run:
        role = run.import_("CustomRole", LIVES["CustomRole"].id)
        wanted = ["create_reports", "export_reports_csv"]
        shown = changed(run, "CustomRole", role, {**LIVES["CustomRole"].declared, "permissions": wanted})
        assert shown == {"permissions[0]": "ADD"}
        grant = run.import_("ProjectGrant", LIVES["ProjectGrant"].id)
        declared = {**LIVES["ProjectGrant"].declared, "email": "noor@example.com"}
        assert changed(run, "ProjectGrant", grant, declared) == {"email": "UPDATE_REPLACE"}
    with on_ours(emulator) as run:
        access = run.import_("ProjectAccess", LIVES["ProjectAccess"].id)
        grants = {LEE: "admin", "noor@example.com": "consumer"}
        shown = changed(run, "ProjectAccess", access, {"project_id": WAREHOUSE, "grants": grants})
        assert shown == {f'grants["{LEE}"]': "ADD", 'grants["noor@example.com"]': "UPDATE"}


def test_a_secret_has_no_parts_and_stays_one(emulator: EmulatorServer) -> None:
    """The paths of a difference are printed; and whatever was a secret in a request is one in the answer."""
    with on_ours(emulator) as run:
        first = run.check("ProjectAccess", {"project_id": WAREHOUSE, "grants": {CANARY: "admin"}, "notes": "none"})
        sent = {**first, "grants": secret({CANARY: "admin"}), "notes": secret("none")}
        request = provider_pb2.CreateRequest(urn=urn_of("ProjectAccess"), properties=values.message(sent))
        made = run.stub.Create(request).properties
        assert made.fields["grants"].struct_value.fields[SIGNATURE].string_value == SECRET
        assert made.fields["notes"].struct_value.fields["value"].string_value == "none"
        assert made.fields["project_id"].number_value == WAREHOUSE
        news = values.message({**first, "grants": secret({CANARY: "owner"})})
        request = provider_pb2.DiffRequest(urn=urn_of("ProjectAccess"), id=f"7654321:{WAREHOUSE}", olds=made, news=news)
        assert sorted(run.stub.Diff(request).detailedDiff) == ["grants"]


def test_an_error_is_one_line(emulator: EmulatorServer) -> None:
    """Without the SDK's words in front of it."""
    with on_ours(emulator) as run:
        held = run.import_("Member", LIVES["Member"].id)
        with pytest.raises(grpc.RpcError) as failed:
            run.delete("Member", Held("1:kim@example.com", held.inputs, held.outputs))
        assert failed.value.details().startswith("cannot use this resource's state for kim@example.com: it belongs to")
        assert run.log.lines == [Line("WARNING", "", run.log.lines[0].text)]  # of the clock


def test_a_line_is_logged_on_its_resource_with_its_severity(emulator: EmulatorServer) -> None:
    """What a server prints has neither."""
    with on_ours(emulator) as run:
        run.create("Team", run.check("Team", {"name": "Data"}))
    clock, adopted = run.log.lines
    assert (clock.severity, clock.text.partition(" ")[0]) == ("WARNING", "mixpanel:now")
    assert (adopted.severity, adopted.urn) == ("INFO", urn_of("Team"))
    assert adopted.text.startswith("the team Data is there already and is adopted")


@pytest.mark.parametrize(("server", "debug"), [("ours", "0"), ("ours", "1"), ("the SDK's", "0")])
def test_no_secret_is_said(emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch, server: str, debug: str) -> None:
    """Neither in a line nor in an error, with its traceback too: not ours, whoever echoes it, and not a new token."""
    monkeypatch.setenv(DEBUG_VARIABLE, debug)
    body = json.dumps({"error": f"bad secret {ACCOUNT_SECRET}"})
    with SERVERS[server](emulator) as run:
        account = run.create("ServiceAccount", run.check("ServiceAccount", LIVES["ServiceAccount"].inputs))
        fault = {"method": "POST", "path_prefix": "/", "kind": "status", "status": 400, "body": body}
        Emulator(emulator.url).control("POST", "faults", [fault])
        with pytest.raises(grpc.RpcError) as failed:
            run.create("Team", run.check("Team", LIVES["Team"].inputs))
    said = "\n".join([failed.value.details(), str(failed.value.trailing_metadata()), *map(str, run.log.lines)])
    assert "Mixpanel answered 400 (bad secret" in said
    assert ("Traceback" in said) == (debug == "1")
    assert not [secret for secret in (ACCOUNT_SECRET, account.outputs["token"]) if secret in said]


class Theirs(ResourceProvider):
    """A provider of somebody else's, which prints and may fail."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        sys.stdout.write("made by theirs\n")
        if props.get("fails"):
            raise ValueError("not today")
        return CreateResult("theirs-1", {**props, "made": True})


def test_other_peoples_dynamic_resources_are_served_too(emulator: EmulatorServer) -> None:
    """As the SDK's server does: the provider is unpickled; what it prints and its tracebacks are logged."""
    kind, pickled = "pulumi-python:dynamic:Resource", base64.b64encode(dill.dumps(Theirs(), byref=False)).decode()
    with on_ours(emulator) as run:
        inputs = run.check(kind, {PROVIDER_KEY: pickled, "a": 1})
        assert inputs == {PROVIDER_KEY: pickled, "a": 1}
        held = run.create(kind, inputs)
        assert (held.id, held.outputs) == ("theirs-1", {PROVIDER_KEY: pickled, "a": 1, "made": True})
        assert not run.diff(kind, held, inputs).hasDetailedDiff
        with pytest.raises(grpc.RpcError) as failed:
            run.create(kind, {**inputs, "fails": True})
        assert failed.value.details() == "ValueError: not today"


class Differs(ResourceProvider):
    """A provider of somebody else's, which answers a diff with any value."""

    def __init__(self, changes: Any) -> None:
        self.changes = changes

    def diff(self, _id: str, _olds: Any, _news: Any) -> DiffResult:
        return DiffResult(changes=self.changes)


ANSWERS: list[tuple[Any, int]] = [
    (None, DIFF.DIFF_UNKNOWN), (True, DIFF.DIFF_SOME), (2, DIFF.DIFF_SOME), ("x", DIFF.DIFF_SOME),
    (["a"], DIFF.DIFF_SOME), ({"a"}, DIFF.DIFF_SOME), (False, DIFF.DIFF_NONE), (0, DIFF.DIFF_NONE),
    ("", DIFF.DIFF_NONE), ([], DIFF.DIFF_NONE), (set(), DIFF.DIFF_NONE),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), ANSWERS)
def test_a_difference_of_theirs_may_be_any_value(emulator: EmulatorServer, changes: Any, expected: int) -> None:
    """As the SDK's server takes it, such as the list of what differs: only None is unknown."""
    kind, pickled = (
        "pulumi-python:dynamic:Resource",
        base64.b64encode(dill.dumps(Differs(changes), byref=False)).decode(),
    )
    held = Held("theirs-1", {}, {PROVIDER_KEY: pickled})
    with on_ours(emulator) as run:
        assert run.diff(kind, held, {PROVIDER_KEY: pickled, "a": 1}).changes == expected


class Prints(ResourceProvider):
    """A provider of somebody else's, which uses the standard output in each way that a file has."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        import subprocess
        import sys
        import threading

        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        sys.stdout.buffer.write(b"as bytes\n")
        sys.stdout.buffer.flush()
        subprocess.run(["echo", "by a child"], check=True)
        subprocess.run(["echo", "by a child with it"], stdout=sys.stdout, check=True)
        thread = threading.Thread(target=lambda: sys.stdout.write("by a thread\n"))
        thread.start()
        thread.join()
        return CreateResult("prints-1", {**props, "encoding": sys.stdout.encoding})


def test_the_standard_output_is_that_of_the_process(emulator: EmulatorServer) -> None:
    """Other people's providers may use it as a file: the engine shows what the process prints."""
    kind, pickled = "pulumi-python:dynamic:Resource", base64.b64encode(dill.dumps(Prints(), byref=False)).decode()
    with engine_log() as (log, address):
        command = [sys.executable, "-u", str(ROOT / "plugins" / "pulumi-python"), address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            run = Operation(int(process.stdout.readline()), config_of(emulator), log, address)
            try:
                assert run.create(kind, {PROVIDER_KEY: pickled}).outputs["encoding"] == "utf-8"
            finally:
                run.channel.close()
                process.kill()
            printed = process.stdout.read()
    assert printed.splitlines() == ["as bytes", "by a child", "by a child with it", "by a thread"]


OTHERS: dict[str, tuple[bytes, bytes]] = {
    "of a module": (b"provider.member", b"provider.nember"),
    "of a class": (b"MemberProvider", b"NemberProvider"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_state_of_another_version_is_one_line(emulator: EmulatorServer, case: str) -> None:
    """It may have a kind of resource that this version does not know: the line says so, and what to install."""
    with on_ours(emulator) as run:
        held = run.import_("Member", LIVES["Member"].id)
        pickled = base64.b64decode(held.outputs[PROVIDER_KEY]).replace(*OTHERS[case])
        held.outputs[PROVIDER_KEY] = base64.b64encode(pickled).decode()
        with pytest.raises(grpc.RpcError) as failed:
            run.read("Member", held)
    said = failed.value.details()
    assert said.startswith("cannot use this resource's state: another version of mixpanel-access has written it")
    assert said.endswith("Install the version that has, or a later one, into the project's virtualenv.")


@pytest.mark.parametrize("people", [1.5, True, "lee@example.com", {"email": LEE}])
def test_people_of_a_brake_that_are_no_list_are_one_failure(emulator: EmulatorServer, people: object) -> None:
    """A mistake in the program is a failure of the input, not an error of Python."""
    with on_ours(emulator) as run:
        (failure,) = run.checked("RemovalBrake", {"people": people}).failures
    assert failure.reason.startswith("this is the list of the people that the stack declares, not ")


def test_a_damaged_provider_is_one_line() -> None:
    """Wherever a part of it is missing; a module that cannot be found is told by its name, as for other packages."""
    providers = Providers("mixpanel-access")
    pickled = base64.b64decode(providers.pickled_of("pulumi-python:dynamic/mixpanel:Member"))
    parts = [pickled[:at] + pickled[end:] for at in range(len(pickled)) for end in (at + 1, len(pickled))]
    for part in parts:
        with suppress(ModuleNotFoundError), pytest.raises(InputError, match="cannot use this resource's state"):
            providers.get(base64.b64encode(part).decode())
