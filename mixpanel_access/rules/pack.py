"""The rules as a Pulumi policy pack: it turns the engine's resources into facts, and findings into messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar, Final

import grpc  # type: ignore[import-untyped]
from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime import proto
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    PolicyPack,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import policy as sdk
from pulumi_policy.proxy import UnknownValueError

from mixpanel_access import __version__
from mixpanel_access.model import dates
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.resources import PROJECT_ACCESS_TYPE
from mixpanel_access.model.settings import NAMESPACE, approvers, company_domains
from mixpanel_access.rules.catalogue import EXCEPTABLE, RULES, find
from mixpanel_access.rules.company import COMPANY_RULE, Company
from mixpanel_access.rules.configuration import LEVEL, REMEDIATE, problems_of, problems_with
from mixpanel_access.rules.entry import EXCEPTION_DAYS, NotJudged, Type
from mixpanel_access.rules.exception_rules import EXCEPTIONS_COUNT, exception_days
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.hygiene import GUARDED, GUARDS
from mixpanel_access.rules.pack_resources import entries_in, groups, plain, plain_or_unknown
from mixpanel_access.rules.rule import FrameworkControl, Rule, RuleFinding, RuleVerdict, unsettled

NAME: Final = "mixpanel-access"

Report = Callable[..., None]


def policy_pack() -> None:
    """Serve the pack to the engine."""
    pack = Pack()
    sdk._PolicyAnalyzerServicer = servicer_of(pack)  # type: ignore[misc]  # there is no public way
    PolicyPack(NAME, policies(pack), EnforcementLevel.MANDATORY)


@dataclass
class Pack:
    """What all policies share: the configuration's settings of the company, exceptions and rules."""

    company: Company = field(default_factory=Company)
    exception_days: tuple[int, int] = EXCEPTION_DAYS
    off: Sequence[str] = ()


class PolicyServicer(sdk._PolicyAnalyzerServicer):
    """The SDK's server, with this package's version; it refuses a configuration with problems."""

    pack: ClassVar[Pack]

    def __init__(self, name: str, _version: str, *more: Any) -> None:
        super().__init__(name, __version__, *more)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        """Accept the levels and options, or refuse them."""
        configuration = _configuration(request)
        if problems := list(problems_of(configuration)):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(_bad_configuration("", problems)))
        self.pack.company = Company.of(configuration.get(COMPANY_RULE, {}))
        self.pack.off = [rule.id for rule in RULES if _is_disabled(request, rule)]
        if GUARDS in self.pack.off:
            request.policyConfig[GUARDS].enforcementLevel = proto.MANDATORY
        options = {**find(EXCEPTIONS_COUNT).defaults, **configuration.get(EXCEPTIONS_COUNT, {})}
        self.pack.exception_days = exception_days(options)
        return super().Configure(request, context)  # type: ignore[no-untyped-call]


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
            **_apart(plain(json_format.MessageToDict(given.properties)), defaults.get(name, {})),
            **({LEVEL: REMEDIATE} if given.enforcementLevel == proto.REMEDIATE else {}),
        }
        for name, given in request.policyConfig.items()
    }


def _apart(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from the defaults."""
    return {key: value for key, value in options.items() if value != defaults.get(key)}


def _bad_configuration(rule_id: str, problems: Sequence[str]) -> UsageError:
    return UsageError(
        "cannot use the policies' configuration",
        subject=rule_id,
        why="; ".join(problems),
        next_step="Correct the file of --policy-pack-config and run again.",
    )


def policies(pack: Pack | None = None) -> list[Policy]:
    """One policy for each rule.

    The engine judges a rule about single resources before it writes each of them, and a rule about the stack as a whole
    after the preview, or in an exported state.
    """
    shared = pack or Pack()
    return [_policy(rule, shared) for rule in RULES]


def _policy(rule: Rule, pack: Pack) -> Policy:
    given: dict[str, Any] = {
        "name": rule.id,
        "description": rule.title,
        "enforcement_level": EnforcementLevel(rule.level.value),
        "config_schema": PolicyConfigSchema({option.name: dict(option.schema) for option in rule.options}),
        "severity": Severity(rule.severity.value),
        "framework": _framework(rule.controls),
        "tags": [rule.family.value, *map(str, rule.controls)],
        "remediation_steps": rule.fix,
    }
    if rule.types:
        return _ResourcePolicy(rule, pack, given)
    return StackValidationPolicy(validate=_of_stack(rule, pack), **given)


def _framework(controls: Sequence[FrameworkControl]) -> PolicyComplianceFramework | None:
    """The framework of the first control, with all controls in words: a policy can have one framework."""
    if not controls:
        return None
    first = controls[0]
    every = "; ".join(map(str, controls))
    return PolicyComplianceFramework(first.framework, first.version, first.reference, every)


class _ResourcePolicy(ResourceValidationPolicy):
    """A rule about single resources. When it meets an unknown value, it also becomes a rule about the stack.

    The engine shows where an unknown value comes from only with the whole stack. The SDK reads all resources again for
    each rule about the stack, which takes long, so a rule becomes one only if it must.
    """

    def __init__(self, rule: Rule, pack: Pack, given: Mapping[str, Any]) -> None:
        super().__init__(validate=self._judge, **given)
        self.rule, self.pack = rule, pack

    def _judge(self, args: ResourceValidationArgs, report: Report) -> None:
        types = {Type.GRANT.value} if args.resource_type == PROJECT_ACCESS_TYPE else {args.resource_type}
        if not types & set(self.rule.types):
            return
        config = args.provider.props if args.provider else {}
        try:
            verdict = self.rule.judge_stack(Stack(entries_in(args)), _context(self.rule, self.pack, args, config))
        except NotApplicable as reason:
            args.not_applicable(str(reason))
            return
        except NotJudged:  # the configuration
            verdict = RuleVerdict(not_judged=[RuleFinding("")])
        for finding in verdict.findings:
            report(self.rule.advised(finding.text), None)
        if verdict.not_judged:
            self.__class__ = _ResourceAndStackPolicy


class _ResourceAndStackPolicy(_ResourcePolicy, StackValidationPolicy):
    """A rule about single resources that judges those with unknown values again, with the stack."""

    def validate(self, args: ResourceValidationArgs | StackValidationArgs, report: Report) -> None:
        if not isinstance(args, StackValidationArgs):
            self._judge(args, report)
            return
        for group in groups(args.resources):
            try:
                context = _context(self.rule, self.pack, args, group.config)
                for finding in self._again(group.stack, context):
                    report(finding.text, finding.entry.urn if finding.entry else None)
            except NotApplicable:
                pass  # reported with each resource
            except NotJudged as unknown:
                report(unsettled(unknown).text)

    def _again(self, stack: Stack, context: Context) -> Iterator[RuleFinding]:
        """The findings in resources that could not be judged alone."""
        for alone, among in zip(stack.entries, stack.resolved().entries, strict=True):
            before = self.rule.judge_entry(alone, context)
            if before.not_judged:
                after = self.rule.judge_entry(among, context)
                told = {finding.text for finding in before.findings}
                for finding in after.findings:
                    if finding.text not in told:
                        yield replace(finding, text=self.rule.advised(finding.text))
                yield from after.not_judged


def _of_stack(rule: Rule, pack: Pack) -> Callable[[StackValidationArgs, Report], None]:
    def validate(args: StackValidationArgs, report: Report) -> None:
        ours, reasons, later = groups(args.resources), [], list[str]()
        for group in ours:
            try:
                context = _context(rule, pack, args, group.config, group.name)
                verdict = rule.judge_stack(group.stack.resolved(), context)
            except NotApplicable as reason:
                reasons.append(str(reason))
                continue
            except NotJudged as unknown:  # the configuration
                verdict = RuleVerdict(not_judged=[unsettled(unknown)])
            found = [replace(finding, text=rule.advised(finding.text)) for finding in verdict.findings]
            for finding in (*found, *verdict.not_judged):
                report(finding.text, finding.entry.urn if finding.entry else None)
            later += verdict.later
        if rule.id == GUARDS and ours and pack.off:
            later.append(f"disabled in the policies' configuration: {', '.join(pack.off)}")
        if len(reasons) == len(ours):
            args.not_applicable("; ".join(dict.fromkeys(reasons)) or "the stack has no Mixpanel resources")
        if later:
            raise _Later("; ".join(later))

    return validate


class _Later(UnknownValueError):
    """Makes the engine show as advice, at any level of the rule, what the rule will judge after the update."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)
        self.message = message


def _context(
    rule: Rule,
    pack: Pack,
    args: ResourceValidationArgs | StackValidationArgs,
    config: Mapping[str, Any],
    stack: str = "",
) -> Context:
    """The context of a rule: its options, and the settings of its resources' provider.

    Raises:
        UsageError: an option, the company's domains or the approvers cannot be used.
        NotJudged: a setting is not known before the update.
    """
    options = plain(args.get_config() or {})
    if problems := list(problems_with(rule, _apart(options, rule.defaults))):
        raise _bad_configuration(rule.id, problems)

    def setting(key: str) -> Any:
        try:
            return plain(config.get(f"{NAMESPACE}:{key}"))
        except UnknownValueError:
            raise NotJudged(f"{NAMESPACE}:{key} of the provider is not known before the update") from None

    def text(key: str) -> str:
        value = setting(key)
        return value.strip() if isinstance(value, str) else ""

    context = Context(
        today=_today(text("now")),
        environment=text("environment") or None,
        options={**rule.defaults, **options},
        rules=EXCEPTABLE,
        exception_days=pack.exception_days,
        settings={key: plain_or_unknown(config, f"{NAMESPACE}:{key}") for key in GUARDED},
        stack=stack,
        off=pack.off,
    )
    return pack.company.around(
        context, lambda: company_domains(setting("companyDomains")), lambda: approvers(setting("approvers"))
    )


def _today(now: str) -> date:
    try:
        return dates.today(now)
    except ValueError:
        return dates.today(None)  # the provider says what is wrong with it
