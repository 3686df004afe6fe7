"""What the pack tells the engine of itself, and which configuration it takes."""

from __future__ import annotations

from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel

from mixpanel_access import __version__
from mixpanel_access.rules.catalogue import RULES
from mixpanel_access.rules.pack import NAME, Pack, policies, servicer_of


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
