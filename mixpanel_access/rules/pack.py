"""The rules as a Pulumi policy pack: what the engine hands over becomes facts, what a rule finds a message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

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
from pulumi_policy.proxy import UnknownValueError

from mixpanel_access.model import dates
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.ids import COMPONENT_TYPE, PROJECT_ACCESS_TYPE
from mixpanel_access.model.settings import NAMESPACE, company_domains
from mixpanel_access.rules.catalogue import EXCEPTABLE, RULES
from mixpanel_access.rules.configuration import problems_with
from mixpanel_access.rules.facts import (
    UNKNOWN,
    Context,
    Entry,
    ExceptionEntry,
    Kind,
    NotApplicable,
    Stack,
    entries_of,
)
from mixpanel_access.rules.rule import Rule, Verdict

NAME: Final = "mixpanel-access"

Report = Callable[..., None]

_KINDS: Final = frozenset((*(kind.value for kind in Kind), PROJECT_ACCESS_TYPE))
_PROVIDER: Final = "pulumi:providers:pulumi-python"
"""The resource that carries the stack's configuration: in a program, in a state, in an exported file."""


def policy_pack() -> None:
    """Serve the pack to the engine."""
    PolicyPack(NAME, policies(), EnforcementLevel.MANDATORY)


def policies() -> list[Policy]:
    """One policy a rule.

    A rule about single resources is judged before each of them is written; one about the stack as a whole after the
    preview, or in an exported state.
    """
    return [_policy(rule) for rule in RULES]


def _policy(rule: Rule) -> Policy:
    first = rule.controls[0] if rule.controls else None
    given: dict[str, Any] = {
        "name": rule.id,
        "description": rule.title,
        "enforcement_level": EnforcementLevel(rule.level.value),
        "config_schema": PolicyConfigSchema({option.name: dict(option.schema) for option in rule.options}),
        "severity": Severity(rule.severity.value),
        "framework": first and PolicyComplianceFramework(first.framework, first.version, first.reference),
        "tags": [rule.family.value, *map(str, rule.controls)],
        "remediation_steps": rule.mend,
    }
    if rule.kinds:
        return ResourceValidationPolicy(validate=_of_resource(rule), **given)
    return StackValidationPolicy(validate=_of_stack(rule), **given)


def _of_resource(rule: Rule) -> Callable[[ResourceValidationArgs, Report], None]:
    def validate(args: ResourceValidationArgs, report: Report) -> None:
        kinds = {Kind.GRANT.value} if args.resource_type == PROJECT_ACCESS_TYPE else {args.resource_type}
        if not kinds & set(rule.kinds):
            return
        config = args.provider.props if args.provider else {}
        _judge(rule, args, config, report, lambda context: rule.judge_stack(Stack(_entries(args)), context))

    return validate


def _of_stack(rule: Rule) -> Callable[[StackValidationArgs, Report], None]:
    def validate(args: StackValidationArgs, report: Report) -> None:
        config = next((one.props for one in args.resources if one.resource_type == _PROVIDER), {})
        _judge(rule, args, config, report, lambda context: rule.judge_stack(_stack(args.resources), context))

    return validate


def _judge(
    rule: Rule,
    args: ResourceValidationArgs | StackValidationArgs,
    config: Mapping[str, Any],
    report: Report,
    judge: Callable[[Context], Verdict],
) -> None:
    options = {key: _plain(value) for key, value in (args.get_config() or {}).items()}
    given = {key: value for key, value in options.items() if value != rule.defaults.get(key)}
    if problems := list(problems_with(rule, given)):
        raise UsageError(
            "cannot use the policies' configuration",
            whom=rule.id,
            why="; ".join(problems),
            next_step="Mend the file of --policy-pack-config and run again.",
        )
    try:
        verdict = judge(_context(rule, config, options))
    except NotApplicable as reason:
        args.not_applicable(str(reason))
        return
    for finding in verdict.findings:
        report(f"{finding.text}. {rule.mend}", finding.entry.urn if finding.entry and not rule.kinds else None)
    if verdict.not_judged:
        raise _NotJudged("; ".join(verdict.not_judged))


class _NotJudged(UnknownValueError):
    """Has the engine show, as advice whatever the rule's level, that a rule could not be judged."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)
        self.message = message


def _context(rule: Rule, config: Mapping[str, Any], options: Mapping[str, Any]) -> Context:
    def setting(key: str) -> str:
        value = _plain(config.get(f"{NAMESPACE}:{key}"))
        return value.strip() if isinstance(value, str) else ""

    return Context(
        today=_today(setting("now")),
        environment=setting("environment") or None,
        company_domains=company_domains(_plain(config.get(f"{NAMESPACE}:companyDomains"))),
        options={**rule.defaults, **options},
        rules=EXCEPTABLE,
    )


def _today(now: str) -> date:
    try:
        return dates.today(now)
    except ValueError:
        return dates.today(None)  # the provider says what is wrong with it


def _stack(resources: Sequence[Any]) -> Stack:
    roster = next((one for one in resources if one.resource_type == COMPONENT_TYPE), None)
    facts = _values(roster.props) if roster else {}
    exceptions = facts.get("exceptions")
    return Stack(
        [entry for one in resources if one.resource_type in _KINDS for entry in _entries(one)],
        facts.get("organization_roles"),
        [ExceptionEntry.of(one) for one in exceptions] if isinstance(exceptions, list) else [],
        [str(words) for words in claimed] if isinstance(claimed := facts.get("claimed_twice"), list) else [],
    )


def _entries(resource: Any) -> list[Entry]:
    return entries_of(
        resource.resource_type,
        str(resource.name),
        str(resource.urn),
        _values(resource.props),
        frozenset(resource.opts.additional_secret_outputs),
    )


def _values(props: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_items(props))


def _items(props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in props:
        if key != "__provider":
            yield key, _value(props, key)


def _value(props: Mapping[str, Any], key: str) -> Any:
    """A property; of a project's grants, each role is known or not by itself."""
    try:
        value = props[key]
        return dict(_items(value)) if key == "grants" and isinstance(value, Mapping) else _plain(value)
    except UnknownValueError:
        return UNKNOWN


def _plain(value: Any) -> Any:
    """A value without the SDK's proxies: every number comes as floating-point."""
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
