"""The policy rules without the engine, over a roster or a state; and the findings in the output of a run with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mixpanel_access.files.whole import reason
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import Declaration, DeclaredResource
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.groups import GROUPS
from mixpanel_access.model.resources import ALL_KINDS, BY_NAME, KINDS, ORGANIZATION_SECURITY, REFERENCES
from mixpanel_access.model.settings import Settings, approvers, company_domains
from mixpanel_access.model.similarity import counted
from mixpanel_access.operations.outputs import Outputs
from mixpanel_access.operations.state import State, StateResource, name_of
from mixpanel_access.rules.catalogue import EXCEPTABLE, RULES, find
from mixpanel_access.rules.company import COMPANY_RULE, Company
from mixpanel_access.rules.configuration import ALL, LEVEL, kept_on, problems_of
from mixpanel_access.rules.entry import UNKNOWN, Entry, ExceptionEntry, entries_of, part_names
from mixpanel_access.rules.exception_rules import EXCEPTIONS_COUNT, exception_days
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.hygiene import GUARDED
from mixpanel_access.rules.rule import Level, Rule


@dataclass(frozen=True)
class Violation:
    """One violation that a rule finds.

    Attributes:
        rule: the rule.
        level: what it does in the stack's policy configuration.
        text: the finding, in words.
        email: the address that it concerns, or "".
    """

    rule: Rule
    level: Level
    text: str
    email: str = ""


@dataclass(frozen=True)
class PolicyConfig:
    """The levels and options of the rules, as `pulumi --policy-pack-config` takes them.

    Attributes:
        rules: rule id -> its level, or its options with the level under `enforcementLevel`; the level of `all` is that
            of every rule without one of its own.
    """

    rules: Mapping[str, Any]

    def of(self, rule: Rule) -> tuple[Level, Mapping[str, Any]]:
        """A rule's level and options."""
        options = {name: value for name, value in self._entry(rule.id).items() if name != LEVEL}
        return kept_on(rule.id, self._level(rule)), {**rule.defaults, **options}

    @cached_property
    def ending_days(self) -> int:
        """From how many days before its end on access counts as ending soon: `ending-soon`."""
        return self._days("ending-soon")

    @cached_property
    def idle_days(self) -> int:
        """For how many days people may stay away: `dormant-account`."""
        return self._days("dormant-account")

    @cached_property
    def never_days(self) -> int:
        """Within how many days a first login is expected: `dormant-account`."""
        return self._days("dormant-account", "neverDays")

    @cached_property
    def review_days(self) -> int:
        """How many days lie between two reviews: `review-due`."""
        return self._days("review-due")

    @cached_property
    def pending_hours(self) -> int:
        """For how many hours an invitation may be pending: `invitation-stale`."""
        return self._days("invitation-stale", "remindHours")

    def _days(self, rule: str, option: str = "days") -> int:
        return int(self.of(find(rule))[1][option])

    @property
    def off(self) -> list[str]:
        """The rules that it disables, though one of them says so all the same."""
        return [rule.id for rule in RULES if self._level(rule) is Level.DISABLED]

    def _level(self, rule: Rule) -> Level:
        return Level(self._entry(rule.id).get(LEVEL, self._entry(ALL).get(LEVEL, rule.level)))

    def _entry(self, name: str) -> dict[str, Any]:
        given = self.rules.get(name, {})
        return {LEVEL: given} if isinstance(given, str) else dict(given)


def read_policy_config(file: Path) -> PolicyConfig:
    """The configuration of the policies; where there is no file, every rule is as it comes.

    Raises:
        UsageError: the file cannot be read, or has rules, levels or options that there are not.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return PolicyConfig({})
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(file, [reason(error) if isinstance(error, OSError) else "it is not text in UTF-8"]) from None
    return parse_policy_config(text, file)


def parse_policy_config(text: str, file: Path) -> PolicyConfig:
    """The configuration of the policies from the text of its file.

    Raises:
        UsageError: it has rules, levels or options that there are not.
    """
    try:
        document = json.loads(text.strip() or "{}", parse_float=_number)
    except json.JSONDecodeError as error:
        problems = [f"line {error.lineno}, column {error.colno} is not JSON"]
    except RecursionError:
        problems = ["its brackets are nested too deeply"]
    else:
        problems = list(problems_of(document))
    if problems:
        raise _unusable(file, problems)
    return PolicyConfig(document)


def _unusable(file: Path, problems: Sequence[str]) -> UsageError:
    return UsageError(
        "cannot read the policies' configuration",
        subject=str(file),
        why="; ".join(problems),
        next_step="Fix it and run again; `mixpanel-access policy list` shows the rules.",
    )


def policy_config_file(project: Path, roster: Path) -> Path:
    """Where the policies' configuration of the stack with a roster is, or will be."""
    return project / "policies" / "config" / f"{roster.stem}.json"


def _number(text: str) -> int | float:
    """60.0 is 60, as it is for the engine."""
    value = float(text)
    return int(value) if value.is_integer() else value


def violations(declared: Declaration, around: Context, config: PolicyConfig) -> Iterator[Violation]:
    """What the rules find in what a roster declares; what only Mixpanel knows is not judged."""
    return _judged(stack_of(declared), around, config)


def violations_in(state: State, around: Context, config: PolicyConfig) -> Iterator[Violation]:
    """What the rules find in what a stack's state holds, as `pulumi policy analyze` would; arguments as above."""
    groups = {held.urn: held for kind in GROUPS.values() for held in state.of(kind).values()}
    singles = [held for kind in ALL_KINDS if kind.plural for held in state.of(kind).values()]
    entries = [_part(held, groups[held.urn]) if held.urn in groups else _entry(held) for held in singles]
    entries += [entry for group in groups.values() for entry in _hidden_people(group)]
    exceptions = [ExceptionEntry.of(one) for one in state.facts.get("exceptions") or ()]
    stack = Stack(entries, state.facts.get("organization_roles"), exceptions, state.facts)
    return _judged(stack, around, config)


def _entry(held: StateResource) -> Entry:
    secrets = _secrets(held)
    hidden = {name: UNKNOWN for name in secrets if name not in held.outputs}
    values = {**held.outputs, **hidden} if hidden else held.outputs
    return Entry(held.kind.type, name_of(held.urn), held.urn, values, secrets, encrypted=True)


def _part(held: StateResource, group: StateResource) -> Entry:
    """One person's part of a group. What the group says of its people in a secret, and the part lacks, is hidden."""
    secrets = [part for whole in _secrets(group) for part in (whole, *part_names(group.kind, whole))]
    hidden = dict.fromkeys((name for name in secrets if not held.outputs.get(name)), UNKNOWN)
    name = f"{name_of(group.urn)}:{same_key(held.email)}"
    return Entry(held.kind.type, name, group.urn, {**held.outputs, **hidden}, encrypted=True)


def _hidden_people(group: StateResource) -> list[Entry]:
    """The people of a group that a secret hides: one entry of which nothing is known."""
    if group.kind.parts is None or group.kind.parts.people not in _secrets(group) - group.outputs.keys():
        return []
    values = {**group.outputs, group.kind.parts.people: UNKNOWN}
    return entries_of(group.kind.type, name_of(group.urn), group.urn, values, encrypted=True)


def _secrets(held: StateResource) -> frozenset[str]:
    return held.outputs.secrets if isinstance(held.outputs, Outputs) else frozenset()


def with_company(around: Context, config: PolicyConfig) -> Context:
    """A context with what the configuration says of the company and of the days of exceptions."""
    company = Company.of(config.of(find(COMPANY_RULE))[1])
    domains, approvers = around.company_domains, around.approvers
    around = company.around(around, lambda: domains, lambda: approvers)
    limits = exception_days(config.of(find(EXCEPTIONS_COUNT))[1])
    return replace(around, exception_days=limits, off=config.off)


def active_rules(around: Context, config: PolicyConfig) -> Iterator[tuple[Rule, Level, Context]]:
    """The rules that the configuration leaves on, each with its level and with its options in the context."""
    around = with_company(around, config)
    for rule in RULES:
        level, options = config.of(rule)
        if level is not Level.DISABLED:
            yield rule, level, replace(around, options=options)


def _judged(stack: Stack, around: Context, config: PolicyConfig) -> Iterator[Violation]:
    stack = stack.resolved()
    for rule, level, context in active_rules(around, config):
        try:
            verdict = rule.judge_stack(stack, context)
        except NotApplicable:
            continue
        for finding in (*verdict.findings, *verdict.not_judged):
            yield Violation(rule, level, finding.text, finding.entry.shown("email") if finding.entry else "")


_REFERRED_BY: Final = {"service_account_id": "service_account"}
"""How the rules call an input that refers to a resource of the roster; by default, as the input is called."""


def stack_of(declared: Declaration) -> Stack:
    """The resources of a roster as rules see them, before Mixpanel has said anything of them.

    The people of a group are judged one by one.
    """
    entries = [
        Entry(one.kind.type, one.name, values=_values(one)) for one in declared.ungrouped.resources() if one.kind.plural
    ]
    order = list(KINDS)
    entries.sort(key=lambda entry: order.index(entry.type))
    exceptions = [ExceptionEntry.of(one) for one in declared.facts["exceptions"]]
    return Stack(entries, declared.facts["organization_roles"], exceptions, roster=declared.facts)


def _values(declared: DeclaredResource) -> dict[str, Any]:
    """Its inputs; the key of a team or service account stands for its id, which nobody knows yet."""
    keys = {
        _REFERRED_BY.get(name, name): other.removeprefix(BY_NAME[declared.kind.references[name].kind].prefix)
        for name, other in declared.refers_to.items()
    }
    own = {other.output: declared.key for other in REFERENCES.values() if other.kind == declared.kind.name}
    seen = {"sso": UNKNOWN} if declared.kind is ORGANIZATION_SECURITY else {}
    return {**declared.inputs, **keys, **own, **seen}


_HEAD: Final = re.compile(
    r"\s*(?:- |\S+@v\S+ )\[(?P<level>mandatory|advisory)\]\s+(?:\[severity: \w+\]\s+)?(?P<rule>[\w-]+)\s+"
    r"\((?P<kind>\S+): (?P<resource>[^()]*)\)(?P<rest>.*)"
)
"""The first line of a violation, as the engine shows it with and without --diff."""
_ABOUT: Final = re.compile(r"(?P<email>[^\s@]+@[^\s@:]+)(?P<place>.*?): (?P<text>.*)")
"""A finding about a person: who, with which grant, and what."""
_NOT_RUN: Final = "can't run policy"
"""What a message begins with that has no description before it."""
_STACK: Final = "the stack"
_PACK: Final = re.compile(r"^(?:Policies|Policy Packs run):", re.MULTILINE)
"""The heading under which the engine lists the packs of a run, without and with --diff."""


@dataclass
class _Found:
    """What a rule finds about one person, with all grants that it concerns."""

    level: Level
    rule: str
    text: str
    places: list[str] = field(default_factory=list)

    def order(self) -> tuple[bool, str, str]:
        """Mandatory findings come first."""
        return self.level is not Level.MANDATORY, self.rule, self.text

    def __str__(self) -> str:
        where = f" ({', '.join(sorted(self.places))})" if self.places else ""
        return f"{self.level.value} {self.rule}{where}: {self.text}"


@dataclass(frozen=True)
class Grouped:
    """The findings of a run.

    Attributes:
        about: the person or resource of each group, and its lines; groups with a mandatory finding first.
    """

    about: Sequence[tuple[str, Sequence[str]]]
    levels: Sequence[Level]

    def lines(self, most: int) -> Iterator[str]:
        """The findings as text; of more than `most` lines the rest is counted."""
        mandatory = self.levels.count(Level.MANDATORY)
        yield f"Policy findings: {mandatory} mandatory, {len(self.levels) - mandatory} advisory"
        shown = 0
        for label, found in self.about:
            kept = found[: most - shown]
            if kept:
                yield label
                yield from (f"  {line}" for line in kept)
            shown += len(kept)
        if cut := sum(len(found) for _, found in self.about) - shown:
            yield f"{counted(cut, 'more line')} cut here; the output of the run has all of it"


def findings_in(output: str) -> Grouped:
    """The violations that the output of `pulumi preview`, `up` or `policy analyze` has; a repeated one counts once."""
    names: dict[str, str] = {}
    groups: dict[str, dict[tuple[str, str], _Found]] = {}
    told: dict[tuple[str, str], Level] = {}
    for level, rule, resource, message in _violations(output):
        if (rule, message) in told:
            continue
        told[rule, message] = level
        if person := _ABOUT.match(message):
            label, place, text = person["email"], person["place"].strip(), person["text"]
        else:
            label, place, text = resource.rpartition(":")[2] if "@" in resource else _STACK, "", message
        key = same_key(label)
        names.setdefault(key, label)
        found = groups.setdefault(key, {}).setdefault((rule, text), _Found(level, rule, text))
        found.places += [place] if place else []
    ordered = {key: sorted(group.values(), key=_Found.order) for key, group in sorted(groups.items())}
    about = sorted(ordered.items(), key=lambda pair: pair[1][0].level is not Level.MANDATORY)
    return Grouped([(names[key], list(map(str, found))) for key, found in about], list(told.values()))


def shows_a_pack(output: str) -> bool:
    """Whether the output says that a policy pack ran; a run that fails early shows none."""
    return _PACK.search(output) is not None


def _violations(output: str) -> Iterator[tuple[Level, str, str, str]]:
    """Level, rule, resource and message of each violation: its description comes first, and then what was found."""
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if head := _HEAD.match(line):
            described, said = ([head["rest"]] if head["rest"].strip() else []) + lines[number + 1 : number + 3], ""
            if described:
                no_description = described[0].strip().startswith(_NOT_RUN) or len(described) == 1
                said = described[0 if no_description else 1]
            yield Level(head["level"]), head["rule"], head["resource"], said.strip()


def rules_context(stack: str, settings: Settings, config: Mapping[str, str] | None, today: date) -> Context:
    """What the policy rules know of a stack on a day, but for its resources.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    given = config or {}
    return Context(
        today,
        settings.environment,
        company_domains(given.get("companyDomains", "")),
        rules=EXCEPTABLE,
        approvers=approvers(given.get("approvers", "")),
        settings=None if config is None else {key: given.get(key, "") for key in GUARDED},
        stack=stack,
    )
