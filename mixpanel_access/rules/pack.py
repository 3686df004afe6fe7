"""The policy pack: it reads what the engine sends once, and answers for all policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

import grpc  # type: ignore[import-untyped]
from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Policy, PolicyPack, ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy import policy as sdk
from pulumi_policy.policy import _NotApplicableError, _PolicyAnalyzerServicer
from pulumi_policy.proxy import UnknownValueError

from mixpanel_access import __version__
from mixpanel_access.rules.catalogue import RULES, find
from mixpanel_access.rules.company import COMPANY_RULE, Company
from mixpanel_access.rules.configuration import LEVEL, REMEDIATE, problems_of
from mixpanel_access.rules.exception_rules import EXCEPTIONS_COUNT, exception_days
from mixpanel_access.rules.hygiene import GUARDS
from mixpanel_access.rules.pack_policies import (
    Pack,
    ResourceArgs,
    StackArgs,
    bad_configuration,
    changed_options,
    policies,
)
from mixpanel_access.rules.pack_resources import plain
from mixpanel_access.rules.rule import Rule

NAME: Final = "mixpanel-access"


def policy_pack() -> None:
    """Serve the pack to the engine."""
    pack = Pack()
    sdk._PolicyAnalyzerServicer = servicer_of(pack)  # type: ignore[misc]  # there is no public way
    PolicyPack(NAME, policies(pack), EnforcementLevel.MANDATORY)


class PolicyServicer(_PolicyAnalyzerServicer):
    """The SDK's server, with this package's version; it refuses a configuration with problems.

    The SDK's own `Analyze` and `AnalyzeStack` convert each resource again for each policy: half a minute for 5,000
    resources. Ours convert it once.
    """

    pack: ClassVar[Pack]

    def __init__(self, name: str, _version: str, served: list[Any], *more: Any) -> None:
        super().__init__(name, __version__, served, *more)
        self._served: list[Any] = served

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        """Accept the levels and options, or refuse them."""
        configuration = _configuration(request)
        if problems := list(problems_of(configuration)):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(bad_configuration("", problems)))
        self.pack.company = Company.of(configuration.get(COMPANY_RULE, {}))
        self.pack.off = [rule.id for rule in RULES if _is_disabled(request, rule)]
        if GUARDS in self.pack.off:
            request.policyConfig[GUARDS].enforcementLevel = proto.MANDATORY
        options = {**find(EXCEPTIONS_COUNT).defaults, **configuration.get(EXCEPTIONS_COUNT, {})}
        self.pack.exception_days = exception_days(options)
        return super().Configure(request, context)  # type: ignore[no-untyped-call]

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        """Judge one resource."""
        read = _read(ResourceValidationPolicy, _PolicyAnalyzerServicer.Analyze, request, context)
        return self._judged(ResourceValidationPolicy, ResourceArgs.of(read))

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        """Judge the stack as a whole."""
        read = _read(StackValidationPolicy, _PolicyAnalyzerServicer.AnalyzeStack, request, context)
        return self._judged(StackValidationPolicy, StackArgs.of(read))

    def _judged(self, kind: type[Any], read: ResourceArgs | StackArgs) -> Any:
        """What all policies of a kind find, under their own names and at their own levels."""
        response = proto.AnalyzeResponse()
        for policy in (one for one in self._served if isinstance(one, kind)):
            level = self._get_enforcement_level(policy)
            if level is EnforcementLevel.DISABLED:
                continue
            args = read.configured(self._get_policy_config(policy.name))
            about = response, policy.name, policy.description, level, policy.severity
            try:
                policy.validate(args, self._create_report_violation(*about))
            except UnknownValueError as unknown:
                response.diagnostics.append(_later(policy, unknown.message))
            except _NotApplicableError as one:
                response.not_applicable.add(policy_name=policy.name, reason=one.reason or "")
        return response


def _read(kind: Callable[..., Policy], call: Callable[..., Any], request: Any, context: Any) -> Any:
    """The arguments that the SDK makes of a request for a policy."""
    found: list[Any] = []
    keeps = kind(name="read", description="Keep what is read.", validate=lambda args, _: found.append(args))
    call(_PolicyAnalyzerServicer(NAME, __version__, [keeps], EnforcementLevel.MANDATORY), request, context)
    return found[0]


def _later(policy: Policy, message: str) -> Any:
    """What a policy cannot judge yet, as the SDK says it: advice, at any level of the policy."""
    return proto.AnalyzeDiagnostic(
        policyName=policy.name,
        policyPackName=NAME,
        policyPackVersion=__version__,
        message=f"can't run policy '{policy.name}' from policy pack '{NAME}@v{__version__}' during preview: {message}",
        description=policy.description,
        enforcementLevel=proto.ADVISORY,
    )


def servicer_of(pack: Pack) -> type[PolicyServicer]:
    """The server of a pack, as a class, since the SDK needs one."""
    return type(PolicyServicer.__name__, (PolicyServicer,), {"pack": pack})


def _is_disabled(request: Any, rule: Rule) -> bool:
    given = request.policyConfig
    return rule.id in given and given[rule.id].enforcementLevel == proto.DISABLED


def _configuration(request: Any) -> dict[str, dict[str, Any]]:
    """The options of all rules, without the defaults, which the engine adds.

    The engine has checked the levels, but accepts `remediate`, which no rule has.
    """
    defaults = {rule.id: rule.defaults for rule in RULES}
    return {
        name: {
            **changed_options(plain(json_format.MessageToDict(given.properties)), defaults.get(name, {})),
            **({LEVEL: REMEDIATE} if given.enforcementLevel == proto.REMEDIATE else {}),
        }
        for name, given in request.policyConfig.items()
    }
