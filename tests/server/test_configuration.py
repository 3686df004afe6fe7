"""The inputs of an explicit provider are judged at a preview, before any resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.resources import SIGNATURE
from mixpanel_access.provider.run import Scope
from mixpanel_access.server.configuration import failures
from tests.python_engine import values
from tests.server.operation import on_ours

URN = "urn:pulumi:production::mixpanel-access::pulumi:providers:pulumi-python::"
SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": "hush-hush"}
GOOD = {"organizationId": "8765432", "serviceAccountUsername": "bot", "serviceAccountSecret": SECRET}
OLD, NEW = "8765432", "9876543"
HELD = {
    "urn": "urn:pulumi:production::mixpanel-access::pulumi-python:dynamic/mixpanel:RemovalBrake::brake",
    "type": "pulumi-python:dynamic/mixpanel:RemovalBrake",
    "id": f"{OLD}:removal-brake",
    "provider": f"{URN}second::0123",
}
OWN = "cannot use the Mixpanel configuration: "
CASES: dict[str, tuple[Mapping[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "a number": ({"organizationId": 8765432.0}, []),
    "a list": ({"releaseBrakes": ["lastOwner"]}, []),
    "a bad id": (
        {"organizationId": "acme"},
        [f"{OWN}the organization's id is 'acme', which is not a positive whole number: set organization_id of the Org"],
    ),
    "no secret": (
        {"serviceAccountSecret": ""},
        [f"{OWN}the service account's secret is missing: set service_account_secret of the Organization second"],
    ),
    "an unknown key": ({"regoin": "eu"}, ["mixpanel:regoin is not a setting; did you mean mixpanel:region?"]),
    "a misspelled secret": (
        {"serviceAccountSecre": "hush-hush"},
        ["mixpanel:serviceAccountSecre is not a setting; did you mean mixpanel:serviceAccountSecret?"],
    ),
    "a strange key": ({"x": "1"}, ["mixpanel:x is not a setting; they are mixpanel:organizationId, "]),
    "a bad list": ({"releaseBrakes": "all"}, [f"{OWN}mixpanel:releaseBrakes cannot be used, it names all, not any of"]),
    "an id that is not known yet": ({"organizationId": rpc.UNKNOWN, "region": "mars"}, []),
}


@pytest.mark.parametrize("case", CASES)
def test_each_problem_is_one_line(emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """It says what to set in the program: no variable of the environment counts. The secret stays one."""
    monkeypatch.setenv("MIXPANEL_SERVICE_ACCOUNT_SECRET", "of the stack's own")
    changes, expected = CASES[case]
    inputs = {f"mixpanel:{key}": value for key, value in {**GOOD, **changes}.items()}
    with on_ours(emulator) as run:
        news = values.message(inputs)
        answer = run.stub.CheckConfig(provider_pb2.CheckRequest(urn=f"{URN}second", news=news))
    said = [failure.reason for failure in answer.failures]
    assert not any(failure.property for failure in answer.failures), "the engine would print the value"
    assert [words.startswith(start) for words, start in zip(said, expected, strict=True)] == [True] * len(expected)
    assert not any("\n" in words or "hush" in words for words in said)
    assert answer.inputs == news


def test_the_stacks_own_configuration_is_left_to_the_verbs(emulator: EmulatorServer) -> None:
    """It may have other packages' keys, and what is missing can be in the environment."""
    with on_ours(emulator) as run:
        request = provider_pb2.CheckRequest(urn=f"{URN}default", news=values.message({"aws:region": "eu-west-1"}))
        assert not run.stub.CheckConfig(request).failures


MOVED: dict[str, tuple[tuple[str, str], list[dict[str, str]] | None, str]] = {
    "with resources there": (
        (OLD, NEW),
        [HELD],
        "cannot change from 8765432 to 9876543: the stack has 1 resource there.",
    ),
    "with a state that cannot be read": ((OLD, NEW), None, "the stack may have resources there"),
    "with none": ((OLD, NEW), [], ""),
    "with none of this provider": ((OLD, NEW), [{**HELD, "provider": f"{URN}third::1"}], ""),
    "with one in the new organization": ((OLD, NEW), [{**HELD, "id": f"{NEW}:removal-brake"}], ""),
    "to the same one, as a number": ((OLD, f"{OLD}.0"), [HELD], ""),
    "of a new provider": (("", NEW), None, ""),
    "to one that is not known yet": ((OLD, rpc.UNKNOWN), [HELD], ""),
}


@pytest.mark.parametrize("case", MOVED)
def test_an_organization_keeps_its_id_while_it_has_resources(case: str) -> None:
    """Whatever names they get in the same step: the preview says so, since their deletions would fail."""
    (old, new), rows, expected = MOVED[case]
    before, after = ({**GOOD, "organizationId": _number(id_)} for id_ in (old, new))
    olds, news = (values.message({f"mixpanel:{key}": value for key, value in each.items()}) for each in (before, after))
    reasons = [failure.reason for failure in failures(f"{URN}second", olds, news, Scope(state=lambda: rows))]
    assert [expected in reason for reason in reasons] == [True] * bool(expected)


def _number(id_: str) -> str | float:
    return float(id_) if id_.endswith(".0") else id_


def test_another_configuration_replaces_nothing(emulator: EmulatorServer) -> None:
    """So a resource moves to another provider of its organization without a change."""
    olds, news = values.message({"mixpanel:region": "us"}), values.message({"mixpanel:region": "eu"})
    with on_ours(emulator) as run:
        request = provider_pb2.DiffRequest(urn=f"{URN}second", olds=olds, old_inputs=olds, news=news)
        answer = run.stub.DiffConfig(request)
    assert (answer.changes, list(answer.replaces)) == (provider_pb2.DiffResponse.DIFF_SOME, [])
