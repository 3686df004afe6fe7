"""The rules as Pulumi's policies: facts about the engine's resources in, messages of findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from mixpanel_access.model import dates
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.settings import NAMESPACE, approvers, company_domains
from mixpanel_access.rules.catalogue import EXCEPTABLE, RULES
from mixpanel_access.rules.company import Company
from mixpanel_access.rules.configuration import problems_with
from mixpanel_access.rules.entry import EXCEPTION_DAYS, UNKNOWN, NotJudged
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.hygiene import GUARDED, GUARDS
from mixpanel_access.rules.pack_resources import entries_in, groups, plain, settings_in
from mixpanel_access.rules.rule import FrameworkControl, Rule, RuleFinding, RuleVerdict, unsettled

Report = Callable[..., None]


@dataclass
class Pack:
    """What all policies share: the configuration's settings of the company, exceptions and rules."""

    company: Company = field(default_factory=Company)
    exception_days: tuple[int, int] = EXCEPTION_DAYS
    off: Sequence[str] = ()


class Around:
    """What surrounds the resources of one provider, but for a rule's options: the day, and the stack's settings.

    It is read once for all rules.
    """

    def __init__(self, settings: Mapping[str, Any], stack: str = "") -> None:
        self._settings, self._stack = settings, stack
        self._context: Context | None = None

    def context(self, pack: Pack) -> Context:
        """The context of a rule without options.

        Raises:
            ConfigurationError: the company's domains or the approvers cannot be used.
            NotJudged: a setting is not known before the update.
        """
        if self._context is None:
            context = Context(
                today=_today(self._text("now")),
                environment=self._text("environment") or None,
                rules=EXCEPTABLE,
                exception_days=pack.exception_days,
                settings={key: self._settings.get(key) for key in GUARDED},
                stack=self._stack,
                off=pack.off,
            )
            self._context = pack.company.around(
                context,
                lambda: company_domains(self._get("companyDomains")),
                lambda: approvers(self._get("approvers")),
            )
        return self._context

    def _get(self, key: str) -> Any:
        value = self._settings.get(key)
        if value is UNKNOWN:
            raise NotJudged(f"{NAMESPACE}:{key} of the provider is not known before the update")
        return value

    def _text(self, key: str) -> str:
        value = self._get(key)
        return value.strip() if isinstance(value, str) else ""


class ResourceArgs(ResourceValidationArgs):
    """One resource for one policy, read once for all of them."""

    def __init__(
        self, read: ResourceValidationArgs, stack: Stack, around: Around, config: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(
            read.resource_type, read.props, read.urn, read.name, read.opts, read.provider, config, read.stack_tags
        )
        self.stack, self.around = stack, around

    @classmethod
    def of(cls, read: ResourceValidationArgs) -> ResourceArgs:
        """What the SDK has read, without a policy's options."""
        settings = settings_in(read.provider.props) if read.provider else {}
        return cls(read, Stack(entries_in(read)), Around(settings))

    def configured(self, config: Mapping[str, Any] | None) -> ResourceArgs:
        """The same for a policy with these options."""
        return ResourceArgs(self, self.stack, self.around, config)


class StackArgs(StackValidationArgs):
    """All our resources for one policy, by their provider, read once for all of them."""

    def __init__(self, ours: Sequence[tuple[Stack, Around]], config: Mapping[str, Any] | None = None) -> None:
        super().__init__([], config)
        self.ours = ours

    @classmethod
    def of(cls, read: StackValidationArgs) -> StackArgs:
        """What the SDK has read, without a policy's options."""
        return cls([(one.stack, Around(one.settings, one.name)) for one in groups(read.resources)])

    def configured(self, config: Mapping[str, Any] | None) -> StackArgs:
        """The same for a policy with these options."""
        return StackArgs(self.ours, config)


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
    return StackValidationPolicy(validate=cast("Any", _of_stack(rule, pack)), **given)


def _framework(controls: Sequence[FrameworkControl]) -> PolicyComplianceFramework | None:
    """The framework of the first control, with all controls in words: a policy can have one framework."""
    if not controls:
        return None
    first = controls[0]
    every = "; ".join(map(str, controls))
    return PolicyComplianceFramework(first.framework, first.version, first.reference, every)


class _ResourcePolicy(ResourceValidationPolicy):
    """A rule about single resources. When it meets an unknown value, it also becomes a rule about the stack.

    The engine shows where an unknown value comes from only with the whole stack. The rule judges all resources again
    there, so it becomes one only if it must.
    """

    def __init__(self, rule: Rule, pack: Pack, given: Mapping[str, Any]) -> None:
        super().__init__(validate=cast("Any", self._judge), **given)
        self.rule, self.pack = rule, pack

    def _judge(self, args: ResourceArgs, report: Report) -> None:
        if not any(True for _ in args.stack.of(*self.rule.types)):
            return
        try:
            verdict = self.rule.judge_stack(args.stack, _context(self.rule, self.pack, args, args.around))
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

    def validate(self, args: ResourceArgs | StackArgs, report: Report) -> None:  # type: ignore[override]  # our server's
        if not isinstance(args, StackArgs):
            self._judge(args, report)
            return
        for stack, around in args.ours:
            try:
                context = _context(self.rule, self.pack, args, around)
                for finding in self._again(stack, context):
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


def _of_stack(rule: Rule, pack: Pack) -> Callable[[StackArgs, Report], None]:
    def validate(args: StackArgs, report: Report) -> None:
        reasons, later = list[str](), list[str]()
        for stack, around in args.ours:
            try:
                verdict = rule.judge_stack(stack.resolved(), _context(rule, pack, args, around))
            except NotApplicable as reason:
                reasons.append(str(reason))
                continue
            except NotJudged as unknown:  # the configuration
                verdict = RuleVerdict(not_judged=[unsettled(unknown)])
            found = [replace(finding, text=rule.advised(finding.text)) for finding in verdict.findings]
            for finding in (*found, *verdict.not_judged):
                report(finding.text, finding.entry.urn if finding.entry else None)
            later += verdict.later
        if rule.id == GUARDS and args.ours and pack.off:
            later.append(f"disabled in the policies' configuration: {', '.join(pack.off)}")
        if len(reasons) == len(args.ours):
            args.not_applicable("; ".join(dict.fromkeys(reasons)) or "the stack has no Mixpanel resources")
        if later:
            raise _Later("; ".join(later))

    return validate


class _Later(UnknownValueError):
    """Makes the engine show as advice, at any level of the rule, what the rule will judge after the update."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)
        self.message = message


def _context(rule: Rule, pack: Pack, args: ResourceArgs | StackArgs, around: Around) -> Context:
    """The context of a rule: its options, and what surrounds the resources.

    Raises:
        UsageError: an option, the company's domains or the approvers cannot be used.
        NotJudged: a setting is not known before the update.
    """
    options = plain(args.get_config())
    if problems := list(problems_with(rule, changed_options(options, rule.defaults))):
        raise bad_configuration(rule.id, problems)
    return replace(around.context(pack), options={**rule.defaults, **options})


def _today(now: str) -> date:
    try:
        return dates.today(now)
    except ValueError:
        return dates.today(None)  # the provider says what is wrong with it


def changed_options(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from the defaults."""
    return {key: value for key, value in options.items() if value != defaults.get(key)}


def bad_configuration(rule_id: str, problems: Sequence[str]) -> UsageError:
    """The error for a configuration with problems: of one rule, or of all (an empty id)."""
    return UsageError(
        "cannot use the policies' configuration",
        subject=rule_id,
        why="; ".join(problems),
        next_step="Correct the file of --policy-pack-config and run again.",
    )
