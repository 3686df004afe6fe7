"""An import by id reads everything from Mixpanel, and the program that declares the same changes nothing."""

from __future__ import annotations

import json

import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.runtime.proto import provider_pb2

from demo.sandbox import Emulator
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.resources import BY_NAME, DYNAMIC_TYPE, PROVIDER_KEY
from tests.server.kinds import LEE, LIVES, NEW, SHOP, SUPPORT, WAREHOUSE
from tests.server.operation import on_ours, with_provider

REASONS = {"ticket": "OPS-1"}


@pytest.mark.parametrize("kind", LIVES)
def test_what_was_imported_previews_without_a_change(emulator: EmulatorServer, kind: str) -> None:
    """All inputs come from Mixpanel, with the defaults of the others, and the provider that a program pickles."""
    life = LIVES[kind]
    with on_ours(emulator) as run:
        held = run.import_(kind, life.id)
    with on_ours(emulator) as preview:
        inputs = preview.check(kind, life.declared, held.inputs)
        diff = preview.diff(kind, held, inputs)
        assert (diff.changes, dict(diff.detailedDiff)) == (provider_pb2.DiffResponse.DIFF_NONE, {})
        assert preview.read(kind, held) == held
    assert held.id == life.id
    assert held.inputs == {
        key: value for key, value in inputs.items() if key != "owners"
    }  # a list that only a brake shows
    assert held.outputs[PROVIDER_KEY] == with_provider(kind, {})[PROVIDER_KEY]


@pytest.mark.parametrize("kind", [kind for kind in LIVES if kind != "RemovalBrake"])
def test_reasons_are_added_without_a_request(emulator: EmulatorServer, kind: str) -> None:
    """Mixpanel knows no tickets: the next `up` puts them into the state, and nothing else."""
    life = LIVES[kind]
    with on_ours(emulator) as run:
        held = run.import_(kind, life.id)
    with on_ours(emulator) as up:
        inputs = up.check(kind, {**life.declared, **REASONS}, held.inputs)
        diff = up.diff(kind, held, inputs)
        assert {path: one.kind for path, one in diff.detailedDiff.items()} == {"ticket": provider_pb2.PropertyDiff.ADD}
        read = {name: value for name, value in held.outputs.items() if name != "imported"}  # now somebody declares it
        assert up.update(kind, held, inputs).outputs == {**read, **REASONS}


def test_another_spelling_of_an_expiry_is_no_change(emulator: EmulatorServer) -> None:
    """Mixpanel has an instant, and the program the last day."""
    with on_ours(emulator) as run:
        held = run.import_("ServiceAccount", LIVES["ServiceAccount"].id)
    with on_ours(emulator) as up:
        declared = {**LIVES["ServiceAccount"].declared, "expires": "2026-12-31"}
        inputs = up.check("ServiceAccount", declared, held.inputs)
        assert up.diff("ServiceAccount", held, inputs).changes == provider_pb2.DiffResponse.DIFF_NONE
        inputs = up.check("ServiceAccount", {**declared, **REASONS}, held.inputs)
        assert list(up.diff("ServiceAccount", held, inputs).detailedDiff) == ["ticket"]


BAD = {
    "malformed": ("Member", "kim@example.com", "cannot read the id of a member for kim@example.com"),
    "of another kind": ("ProjectGrant", "7654321:kim@example.com", "it has the form ORG:PROJECT:EMAIL"),
    "another organization": ("Member", "1:kim@example.com", "the stack is configured for organization 7654321"),
    "no such person": ("Member", f"7654321:{NEW}", "7654321 does not have a member with this id"),
    "no such grant": ("ProjectGrant", f"7654321:{WAREHOUSE}:kim@example.com", "does not have a grant with this id"),
    "no such project": ("ProjectGrant", "7654321:99:kim@example.com", "does not have a grant with this id"),
    "no such account": ("ServiceAccount", "7654321:4", "does not have a service account with this id"),
    "no such account's grant": (
        "ServiceAccountGrant",
        f"7654321:{SHOP}:4",
        "does not have a service account's grant with this id",
    ),
    "no such team": ("Team", "7654321:4", "does not have a team with this id"),
    "nobody in the team": ("TeamMember", "7654321:77:kim@example.com", "does not have a team's member with this id"),
    "no such team's grant": ("TeamGrant", f"7654321:{SHOP}:77", "does not have a team's grant with this id"),
    "no such role": (
        "CustomRole",
        f"7654321:{SHOP}:00000000-0000-4000-8000-000000000000",
        "does not have a custom role with this id",
    ),
    "no such project's access": ("ProjectAccess", "7654321:99", "does not have a project's access with this id"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_id_is_one_line(emulator: EmulatorServer, case: str) -> None:
    """What is wrong with it, and the form that it must have; without what the SDK puts before an error."""
    kind, id_, words = BAD[case]
    with on_ours(emulator) as run, pytest.raises(grpc.RpcError) as failed:
        run.import_(kind, id_)
    said = failed.value.details()
    assert words in said
    assert BY_NAME[kind].id.FORM in said
    assert said.startswith("cannot ")
    assert "\n" not in said


SPELLED_OTHERWISE = {
    "a zero before the organization": ("Member", "07654321:kim@example.com", "its usual spelling is 7654321:kim@"),
    "a zero before the project": ("ProjectGrant", f"7654321:0{SHOP}:{LEE}", f"its usual spelling is 7654321:{SHOP}:"),
    "a zero before the team": ("Team", "7654321:077", "its usual spelling is 7654321:77"),
    "a zero before all": ("OrganizationSecurity", "07654321", "its usual spelling is 7654321"),
    "a role in capitals": ("CustomRole", f"7654321:{SHOP}:{SUPPORT.upper()}", f":{SUPPORT}"),
    "a blank": ("Member", "7654321: kim@example.com", "there are blanks around the address"),
    "an end of the line": ("TeamMember", f"7654321:77:{LEE}\n", "there are blanks around the address"),
}


@pytest.mark.parametrize("case", SPELLED_OTHERWISE)
def test_an_id_has_one_spelling(emulator: EmulatorServer, case: str) -> None:
    """The state keeps it, and the brakes of a refresh and of a delete find the organization in it."""
    kind, id_, words = SPELLED_OTHERWISE[case]
    with on_ours(emulator) as run, pytest.raises(grpc.RpcError) as failed:
        run.import_(kind, id_)
    assert failed.value.details().startswith(f"cannot import {id_!r}: ")
    assert words in failed.value.details()


def test_the_schema_names_each_kind_and_its_inputs(emulator: EmulatorServer) -> None:
    """The engine asks for it after `pulumi import`, and without one ends with an error after a good import."""
    with on_ours(emulator) as run:
        schema = json.loads(run.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert schema["name"] == "pulumi-python"
    assert schema["language"]["python"] == {  # so that the code reads `mixpanel_access.provider … .Member(…)`
        "packageName": "mixpanel_access.provider",
        "moduleNameOverrides": {"dynamic/mixpanel": ""},
    }
    assert schema["resources"].keys() == {BY_NAME[kind].type for kind in LIVES}
    settings = schema["provider"]["inputProperties"].items()
    assert {key for key, one in settings if one["secret"]} == {"mixpanel:serviceAccountSecret", "mixpanel:scimToken"}
    for kind, life in LIVES.items():
        assert life.inputs.keys() <= schema["resources"][BY_NAME[kind].type]["inputProperties"].keys()


def test_nobody_is_lowered_whose_role_is_not_declared(emulator: EmulatorServer) -> None:
    """A stack that declares no organization roles imports an admin, who stays one."""
    with on_ours(emulator) as run:
        held = run.import_("Member", "7654321:kim@example.com")
    with on_ours(emulator) as up:
        inputs = up.check("Member", {"email": "kim@example.com"}, held.inputs)
        assert "role" not in up.update("Member", held, inputs).outputs
        people = {one["email"]: one["role"] for one in Emulator(emulator.url).control("GET", "dump")["members"]}
    assert people["kim@example.com"] == "admin"


def test_another_packages_type_cannot_be_imported(emulator: EmulatorServer) -> None:
    """Only a program knows its provider: one line names the types that can be imported."""
    with on_ours(emulator) as run, pytest.raises(grpc.RpcError) as failed:
        run.import_("pulumi-python:dynamic/theirs:Thing", "1")
    assert "cannot import by id for pulumi-python:dynamic/theirs:Thing" in failed.value.details()


def test_a_misspelled_kind_is_not_taken_for_another_packages(emulator: EmulatorServer) -> None:
    """Its type begins as ours do: the line says that no resource has this name, and which one is meant."""
    with on_ours(emulator) as run, pytest.raises(grpc.RpcError) as failed:
        run.import_(f"{DYNAMIC_TYPE}Membr", "7654321:kim@example.com")
    assert (
        f"cannot import by id for {DYNAMIC_TYPE}Membr: no resource has this name (did you mean 'Member'?)"
        in failed.value.details()
    )
