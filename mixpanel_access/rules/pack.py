"""The rules as a Pulumi policy pack: what the engine hands over becomes facts, what a rule finds a message."""

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
from mixpanel_access.model.ids import COMPONENT_TYPE, PROJECT_ACCESS_TYPE, PROVIDER_KEY
from mixpanel_access.model.settings import NAMESPACE, approvers, company_domains
from mixpanel_access.rules.catalogue import EXCEPTABLE, RULES
from mixpanel_access.rules.company import COMPANY_RULE, Company
from mixpanel_access.rules.configuration import LEVEL, REMEDIATE, problems_of, problems_with
from mixpanel_access.rules.facts import (
    Context,
    Entry,
    ExceptionEntry,
    Kind,
    NotApplicable,
    Stack,
    entries_of,
)
from mixpanel_access.rules.rule import Control, Finding, Rule, Verdict, unsettled
from mixpanel_access.rules.unknown import UNKNOWN, NotJudged

NAME: Final = "mixpanel-access"

Report = Callable[..., None]

_OURS: Final = "pulumi-python:dynamic/mixpanel:"
"""What the type of each of our resources begins with."""
_PROVIDER: Final = "pulumi:providers:pulumi-python"
"""The resource that carries the stack's configuration: in a program, in a state, in an exported file."""


def policy_pack() -> None:
    """Serve the pack to the engine."""
    pack = Pack()
    sdk._PolicyAnalyzerServicer = servicer_of(pack)  # type: ignore[misc]  # there is no public way
    PolicyPack(NAME, policies(pack), EnforcementLevel.MANDATORY)


@dataclass
class Pack:
    """What all policies share: what the configuration says of the company, from then on."""

    company: Company = field(default_factory=Company)


class Servicer(sdk._PolicyAnalyzerServicer):
    """The SDK's server, of this package's version, which refuses a configuration that the rules do not take."""

    pack: ClassVar[Pack]

    def __init__(self, name: str, _version: str, *more: Any) -> None:
        super().__init__(name, __version__, *more)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        """Take the levels and options, or refuse them."""
        configuration = _configuration(request)
        if problems := list(problems_of(configuration)):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(_bad_configuration("", problems)))
        self.pack.company = Company.of(configuration.get(COMPANY_RULE, {}))
        return super().Configure(request, context)  # type: ignore[no-untyped-call]


def servicer_of(pack: Pack) -> type[Servicer]:
    """The server of a pack; a class, since the SDK looks names up in it."""
    return type(Servicer.__name__, (Servicer,), {"pack": pack})


def _configuration(request: Any) -> dict[str, dict[str, Any]]:
    """The options of all rules as the engine hands them over, apart from defaults.

    Of the levels it has judged all but `remediate`, which it takes and no rule has.
    """
    defaults = {rule.id: rule.defaults for rule in RULES}
    return {
        name: {
            **_apart(_plain(json_format.MessageToDict(given.properties)), defaults.get(name, {})),
            **({LEVEL: REMEDIATE} if given.enforcementLevel == proto.REMEDIATE else {}),
        }
        for name, given in request.policyConfig.items()
    }


def _apart(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are not the defaults, which have every right to be so."""
    return {key: value for key, value in options.items() if value != defaults.get(key)}


def _bad_configuration(rule_id: str, problems: Sequence[str]) -> UsageError:
    return UsageError(
        "cannot use the policies' configuration",
        whom=rule_id,
        why="; ".join(problems),
        next_step="Correct the file of --policy-pack-config and run again.",
    )


def policies(pack: Pack | None = None) -> list[Policy]:
    """One policy a rule.

    A rule about single resources is judged before each of them is written; one about the stack as a whole after the
    preview, or in an exported state.
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
        "remediation_steps": rule.mend,
    }
    if rule.kinds:
        return _ResourcePolicy(rule, pack, given)
    return StackValidationPolicy(validate=_of_stack(rule, pack), **given)


def _framework(controls: Sequence[Control]) -> PolicyComplianceFramework | None:
    """The framework of the first control, and all controls in words: the engine takes one framework a policy."""
    if not controls:
        return None
    first = controls[0]
    every = "; ".join(map(str, controls))
    return PolicyComplianceFramework(first.framework, first.version, first.reference, every)


class _ResourcePolicy(ResourceValidationPolicy):
    """A rule about single resources. Once it meets a value that is not known, it becomes one about the stack as well.

    The engine tells only of the whole stack what an unknown value comes from. The SDK reads all resources anew for each
    rule about the stack, which takes long: so a rule becomes one only where it has to.
    """

    def __init__(self, rule: Rule, pack: Pack, given: Mapping[str, Any]) -> None:
        super().__init__(validate=self._judge, **given)
        self.rule, self.pack = rule, pack

    def _judge(self, args: ResourceValidationArgs, report: Report) -> None:
        kinds = {Kind.GRANT.value} if args.resource_type == PROJECT_ACCESS_TYPE else {args.resource_type}
        if not kinds & set(self.rule.kinds):
            return
        config = args.provider.props if args.provider else {}
        try:
            verdict = self.rule.judge_stack(Stack(_entries(args)), _context(self.rule, self.pack.company, args, config))
        except NotApplicable as reason:
            args.not_applicable(str(reason))
            return
        except NotJudged:  # the configuration
            verdict = Verdict(not_judged=[Finding("")])
        for finding in verdict.findings:
            report(f"{finding.text}. {self.rule.mend}", None)
        if verdict.not_judged:
            self.__class__ = _ResourceAndStackPolicy


class _ResourceAndStackPolicy(_ResourcePolicy, StackValidationPolicy):
    """A rule about single resources, some of whose values are not known: those are judged again with the stack."""

    def validate(self, args: ResourceValidationArgs | StackValidationArgs, report: Report) -> None:
        if not isinstance(args, StackValidationArgs):
            self._judge(args, report)
            return
        for group in _groups(args.resources):
            try:
                context = _context(self.rule, self.pack.company, args, group.config)
                for finding in self._again(group.stack, context):
                    report(finding.text, finding.entry.urn if finding.entry else None)
            except NotApplicable:
                pass  # said with each resource
            except NotJudged as unknown:
                report(unsettled(unknown).text)

    def _again(self, stack: Stack, context: Context) -> Iterator[Finding]:
        """What could not be judged by itself, by what is known of the stack."""
        for alone, among in zip(stack.entries, stack.resolved().entries, strict=True):
            before = self.rule.judge_entry(alone, context)
            if before.not_judged:
                after = self.rule.judge_entry(among, context)
                told = {finding.text for finding in before.findings}
                for finding in after.findings:
                    if finding.text not in told:
                        yield replace(finding, text=f"{finding.text}. {self.rule.mend}")
                yield from after.not_judged


def _of_stack(rule: Rule, pack: Pack) -> Callable[[StackValidationArgs, Report], None]:
    def validate(args: StackValidationArgs, report: Report) -> None:
        groups, reasons, later = _groups(args.resources), [], list[str]()
        for group in groups:
            try:
                verdict = rule.judge_stack(group.stack.resolved(), _context(rule, pack.company, args, group.config))
            except NotApplicable as reason:
                reasons.append(str(reason))
                continue
            except NotJudged as unknown:  # the configuration
                verdict = Verdict(not_judged=[unsettled(unknown)])
            found = [replace(finding, text=f"{finding.text}. {rule.mend}") for finding in verdict.findings]
            for finding in (*found, *verdict.not_judged):
                report(finding.text, finding.entry.urn if finding.entry else None)
            later += verdict.later
        if len(reasons) == len(groups):
            args.not_applicable("; ".join(dict.fromkeys(reasons)) or "the stack has no Mixpanel resources")
        if later:
            raise _Later("; ".join(later))

    return validate


class _Later(UnknownValueError):
    """Has the engine show, as advice whatever the rule's level, what a rule will judge after the update."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)
        self.message = message


def _context(
    rule: Rule, company: Company, args: ResourceValidationArgs | StackValidationArgs, config: Mapping[str, Any]
) -> Context:
    """What is around a rule: its options, and the settings of the provider that its resources have.

    Raises:
        UsageError: an option cannot be used.
        ConfigurationError: the company's domains or the approvers cannot be used.
        NotJudged: a setting is not known before the update.
    """
    options = _plain(args.get_config() or {})
    if problems := list(problems_with(rule, _apart(options, rule.defaults))):
        raise _bad_configuration(rule.id, problems)

    def setting(key: str) -> Any:
        try:
            return _plain(config.get(f"{NAMESPACE}:{key}"))
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
    )
    return company.around(
        context, lambda: company_domains(setting("companyDomains")), lambda: approvers(setting("approvers"))
    )


def _today(now: str) -> date:
    try:
        return dates.today(now)
    except ValueError:
        return dates.today(None)  # the provider says what is wrong with it


@dataclass(frozen=True)
class _Group:
    """Our resources of one provider, and its settings."""

    stack: Stack
    config: Mapping[str, Any]


def _groups(resources: Sequence[Any]) -> list[_Group]:
    """Our resources by their provider: a stack may have several, and other people's dynamic resources have one too."""
    ours: dict[str, list[Any]] = {}
    for one in resources:
        if one.resource_type.startswith(_OURS):
            ours.setdefault(str(one.provider.urn) if one.provider else "", []).append(one)
    if not ours and any(one.resource_type == COMPONENT_TYPE for one in resources):
        ours[""] = []
    return [_group(members, resources, alone=len(ours) == 1) for members in ours.values()]


def _group(members: Sequence[Any], resources: Sequence[Any], *, alone: bool) -> _Group:
    rosters = [one for one in resources if one.resource_type == COMPONENT_TYPE]
    if not alone:
        above = {ancestor.urn for one in members for ancestor in _ancestors(one)}
        rosters = [one for one in rosters if one.urn in above]
    facts = [_values(one.props) for one in rosters]
    owns = [one.get("organization_roles") for one in facts]
    exceptions = [part for one in facts if isinstance(one.get("exceptions"), list) for part in one["exceptions"]]

    def texts(name: str) -> list[str]:
        return [str(part) for one in facts if isinstance(one.get(name), list) for part in one[name]]

    stack = Stack(
        [entry for one in members for entry in _entries(one)],
        UNKNOWN if UNKNOWN in owns else any(owns) if owns else None,
        [ExceptionEntry.of(one) for one in exceptions],
        texts("claimed_twice"),
        texts("contacts_beside"),
        {name: value for one in facts for name, value in one.items()},
    )
    provider = members[0].provider if members else None
    others = [one for one in resources if one.resource_type == _PROVIDER]
    only = others[0].props if len(others) == 1 else {}
    return _Group(stack, provider.props if provider else only)


def _ancestors(resource: Any) -> Iterator[Any]:
    while resource := resource.parent:
        yield resource


def _entries(resource: Any) -> list[Entry]:
    sources = getattr(resource, "property_dependencies", {})  # the engine gives them only for a whole stack
    return entries_of(
        resource.resource_type,
        str(resource.name),
        str(resource.urn),
        _values(resource.props),
        secret_outputs=frozenset(resource.opts.additional_secret_outputs),
        sources={name: [str(one.urn) for one in made] for name, made in sources.items()},
    )


def _values(props: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_items(props))


def _items(props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in props:
        if key != PROVIDER_KEY:
            yield key, _value(props, key)


def _value(props: Mapping[str, Any], key: str) -> Any:
    """A property; of a project's grants, each role is known or not by itself, and so is each part of a reason."""
    try:
        value = props[key]
        if key == "grants" and isinstance(value, Mapping):
            return _values(value)
        if key == "reasons" and isinstance(value, Sequence) and not isinstance(value, str):
            reasons = [_values(one) if isinstance(one, Mapping) else _plain(one) for one in value]
            hidden = any(isinstance(one, Mapping) and one.get("people") is UNKNOWN for one in reasons)
            return UNKNOWN if hidden else reasons
        return _plain(value)
    except UnknownValueError:
        return UNKNOWN


def _plain(value: Any) -> Any:
    """A value without the SDK's proxies: every number comes as floating-point."""
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
