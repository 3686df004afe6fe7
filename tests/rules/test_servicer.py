"""What the pack tells the engine of itself, and which configuration it takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel

from mixpanel_access import __version__
from mixpanel_access.rules.catalogue import RULES, find
from mixpanel_access.rules.pack import NAME, servicer_of
from mixpanel_access.rules.pack_policies import Pack, policies
from tests.rules.cases import CASES
from tests.rules.states import state_of_case


class Aborted(Exception):
    """The call was refused."""


class Call:
    """A gRPC call."""

    def abort(self, code: grpc.StatusCode, text: str) -> None:
        raise Aborted(f"{code.name}: {text}")


def servicer() -> Any:
    """One that is not configured yet."""
    pack = Pack()
    return servicer_of(pack)(NAME, "0.0.1", policies(pack), EnforcementLevel.MANDATORY)


def request(**entries: Any) -> Any:
    """A configuration: the level and the options of each rule."""
    made = proto.ConfigureAnalyzerRequest()
    for name, (level, options) in entries.items():
        properties = struct_pb2.Struct()
        properties.update(options)
        entry = proto.PolicyConfig(enforcementLevel=level, properties=properties)
        made.policyConfig[name.replace("_", "-")].CopyFrom(entry)
    return made


def configure(**entries: Any) -> None:
    """Give a servicer a configuration."""
    servicer().Configure(request(**entries), Call())


def test_every_control_of_every_framework_is_metadata() -> None:
    """The engine takes one framework a policy: that has all controls in words, and the tags have them one by one."""
    told = {one.name: one for one in servicer().GetAnalyzerInfo(None, None).policies}
    assert set(told) == {rule.id for rule in RULES}
    for rule in RULES:
        assert rule.controls, f"{rule.id} helps with nothing"
        controls = [str(control) for control in rule.controls]
        assert told[rule.id].framework.specification.split("; ") == controls
        assert set(controls) < set(told[rule.id].tags)
    known = {control.framework for rule in RULES for control in rule.controls}
    assert known == {"SOC 2", "ISO/IEC 27001", "CIS Controls"}


def test_it_has_the_version_of_the_package() -> None:
    """In its own words and in each finding; policies/PulumiPolicy.yaml has the same."""
    assert servicer().GetAnalyzerInfo(None, None).version == __version__


def test_remediate_is_refused_with_a_reason() -> None:
    """For one rule, and so for all, which the engine sends one by one; the other levels are taken."""
    for level in (proto.ADVISORY, proto.MANDATORY, proto.DISABLED):
        configure(naming=(level, {}))
    with pytest.raises(Aborted, match=r"INVALID_ARGUMENT: .*naming: the level 'remediate' is refused: .*'mandatory'"):
        configure(naming=(proto.REMEDIATE, {}), justified=(proto.ADVISORY, {}))


ABOUT_THE_STACK = [rule.id for rule in RULES if not rule.types]


def analyzed(state: dict[str, Any], rule_id: str) -> list[Any]:
    """What one rule says of a state, in the messages that the engine shows."""
    pack = Pack()
    alone = [policy for policy in policies(pack) if policy.name == rule_id]
    server: Any = servicer_of(pack)(NAME, "0.0.1", alone, EnforcementLevel.MANDATORY)
    return list(server.AnalyzeStack(as_sent(state), None).diagnostics)


def as_sent(state: dict[str, Any]) -> Any:
    """A state as the engine sends it."""
    resources = state["deployment"]["resources"]
    provider = next(one for one in resources if one["type"].startswith("pulumi:providers:"))
    made = proto.AnalyzeStackRequest()
    for one in resources:
        told = made.resources.add(type=one["type"], urn=one["urn"], name=one["urn"].rpartition("::")[2])
        told.properties.update(one.get("outputs", {}))
        if one.get("provider"):
            told.provider.type, told.provider.urn = provider["type"], provider["urn"]
            told.provider.name = "default"
            told.provider.properties.update(provider["inputs"])
        told.options.additionalSecretOutputs.extend(one.get("additionalSecretOutputs", []))
    return made


class Counted:
    """A message that counts how often its properties are read."""

    def __init__(self, message: Any) -> None:
        self._message, self.reads = message, 0

    def __getattr__(self, name: str) -> Any:
        self.reads += name == "properties"
        return getattr(self._message, name)


def test_the_properties_of_a_resource_are_read_once_for_all_policies() -> None:
    """To read them again for each policy takes half a minute for 5,000 resources."""
    sent = as_sent(state_of_case(CASES["organization-owners"].fails[0]))
    read = [Counted(one) for one in sent.resources]
    told = servicer().AnalyzeStack(SimpleNamespace(resources=read), None)
    assert [one.reads for one in read] == [1] * len(read)
    assert list(told.diagnostics) == list(servicer().AnalyzeStack(sent, None).diagnostics) != []
    alone = Counted(proto.AnalyzeRequest(type=sent.resources[-1].type, properties=sent.resources[-1].properties))
    servicer().Analyze(alone, None)
    assert alone.reads == 1


@pytest.mark.parametrize("rule_id", ABOUT_THE_STACK)
def test_each_rule_about_the_stack_is_told_to_the_engine(rule_id: str) -> None:
    """Its failing case, from the state to the engine's message: with its words, its description and its level."""
    case, rule = CASES[rule_id].fails[0], find(rule_id)
    told = analyzed(state_of_case(case), rule_id)
    level = proto.ADVISORY if rule.level.value == "advisory" else proto.MANDATORY
    assert {(one.policyName, one.description, one.enforcementLevel) for one in told} == {(rule_id, rule.title, level)}
    assert all(words in "\n".join(one.message for one in told) for words in case.words)
    (policy,) = (one for one in servicer().GetAnalyzerInfo(None, None).policies if one.name == rule_id)
    assert policy.remediation_steps == rule.fix
