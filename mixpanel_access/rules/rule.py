"""A rule: its metadata, its options, and the function that judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, cast

from mixpanel_access.model.address import same_key
from mixpanel_access.model.similarity import counted
from mixpanel_access.rules.entry import PEOPLE, Entry, NotJudged, NotThereYet, Type
from mixpanel_access.rules.exceptions import is_in_force
from mixpanel_access.rules.facts import Context, Stack

PATTERN: Final = "python-regex"
"""The format of a pattern in an option's schema; the engine ignores formats that it does not know."""
DOMAIN: Final = "mail-domain"
COMPANY_DOMAIN: Final = "company-mail-domain"
"""The format of an e-mail domain that can be a company's own."""
ADDRESS: Final = "mail-address"


class Family(StrEnum):
    """What a rule is about."""

    PEOPLE = "people"
    LEAST_PRIVILEGE = "least privilege"
    SERVICE_ACCOUNTS = "service accounts"
    SEPARATION = "separation"
    TIME = "time"
    HYGIENE = "hygiene"

    def rules(self, *rules: Rule) -> tuple[Rule, ...]:
        """These rules, in this family."""
        return tuple(replace(rule, family=self) for rule in rules)


class Level(StrEnum):
    """The effect of a violation: none, a warning, or the end of the operation."""

    DISABLED = "disabled"
    ADVISORY = "advisory"
    MANDATORY = "mandatory"


class Severity(StrEnum):
    """How bad a violation is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Suggestion(StrEnum):
    """What an access review suggests, from the least to the most; `check` if the facts are not enough for more."""

    KEEP = "keep"
    CHECK = "check"
    LOWER = "lower"
    REMOVE = "remove"


@dataclass(frozen=True)
class Option:
    """One setting of a rule.

    Attributes:
        name: its key in the configuration.
        schema: its JSON schema, with default and description.
        judged: whether the rule uses it; otherwise, only commands do.
    """

    name: str
    schema: Mapping[str, Any]
    judged: bool = True

    @property
    def default(self) -> Any:
        """The value unless it is set."""
        return self.schema.get("default")


@dataclass(frozen=True)
class FrameworkControl:
    """A control of a framework."""

    framework: str
    version: str
    reference: str

    def __str__(self) -> str:
        return f"{self.framework} {self.version} {self.reference}"


@dataclass(frozen=True)
class RuleFinding:
    """One violation, of a resource or of the stack."""

    text: str
    entry: Entry | None = None


@dataclass(frozen=True)
class RuleVerdict:
    """The result of a rule.

    Attributes:
        findings: the violations.
        not_judged: violations because an input is not known before the update, with what to do.
        later: what only Mixpanel shows, and only after the update.
    """

    findings: Sequence[RuleFinding] = ()
    not_judged: Sequence[RuleFinding] = ()
    later: Sequence[str] = ()


_NOTHING: Final = RuleVerdict()
JudgeEntry = Callable[[Entry, Context], Iterator[str]]
JudgeStack = Callable[[Stack, Context], Iterator[RuleFinding | NotJudged]]
Highest = Callable[[Entry, Context], str | None]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        id: its name in configuration and output.
        title: what it requires, in one sentence.
        level: the default effect of a violation.
        severity: how bad a violation is.
        fix: how to fix a violation.
        types: the types of the resources that it judges one by one; none means the stack as a whole.
        options: its settings.
        controls: the controls of frameworks that it helps to meet.
        grouped: whether all findings about one person become one.
        exceptable: whether it allows exceptions.
        suggestion: what an access review suggests for a finding; None if a review does not use the rule.
        highest: the highest role that it allows a person; an access review suggests to lower to it.
        family: what it is about.
    """

    id: str
    title: str
    level: Level
    severity: Severity
    fix: str
    judge: JudgeEntry | JudgeStack
    types: Sequence[str] = ()
    options: Sequence[Option] = ()
    controls: Sequence[FrameworkControl] = field(default=())
    grouped: bool = False
    exceptable: bool = True
    suggestion: Suggestion | None = None
    highest: Highest | None = None
    family: Family = Family.PEOPLE

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each option."""
        return {option.name: option.default for option in self.options}

    def advised(self, text: str) -> str:
        """A finding's text, followed by how to fix it."""
        return f"{text}. {self.fix}"

    def judge_entry(self, entry: Entry, context: Context) -> RuleVerdict:
        """Judge one resource; raises NotApplicable if the rule does not concern this stack."""
        if entry.type not in self.types:
            return _NOTHING
        items = _items(cast("JudgeEntry", self.judge), entry, context)
        return self._verdict(items, Stack(), context) if items else _NOTHING

    def judge_stack(self, stack: Stack, context: Context) -> RuleVerdict:
        """Judge a whole stack; raises NotApplicable if the rule does not concern it."""
        if self.types:
            judge = cast("JudgeEntry", self.judge)
            judged = (_items(judge, entry, context) for entry in stack.of(*self.types))
            verdicts = [self._verdict(items, Stack(), context) for items in judged if items]
            return RuleVerdict(
                [finding for one in verdicts for finding in one.findings],
                [finding for one in verdicts for finding in one.not_judged],
                [text for one in verdicts for text in one.later],
            )
        return self._verdict(_settled(cast("JudgeStack", self.judge)(stack, context)), stack, context)

    def _verdict(
        self, items: Iterable[RuleFinding | NotJudged | NotThereYet], stack: Stack, context: Context
    ) -> RuleVerdict:
        """The findings without those that an exception covers."""
        found: list[RuleFinding] = []
        unknown: dict[str, RuleFinding] = {}
        later: list[str] = []
        for item in items:
            if isinstance(item, NotThereYet):
                later.append(str(item))
                continue
            try:
                if self._excepted(item, stack, context):
                    continue
            except NotJudged as error:  # the exceptions are not known, and may cover the finding
                item = error if isinstance(item, RuleFinding) else item  # noqa: PLW2901
            if isinstance(item, RuleFinding):
                found.append(item)
            else:
                unknown.setdefault(str(item), unsettled(item))
        return RuleVerdict(_by_person(found) if self.grouped else found, list(unknown.values()), later)

    def _excepted(self, item: RuleFinding | NotJudged, stack: Stack, context: Context) -> bool:
        """Whether an exception covers it: one of the person's own, or else of the resource or the stack."""
        own = [(one, item.entry) for one in item.entry.exceptions] if item.entry else []
        common = [] if item.entry and item.entry.type in PEOPLE else [(one, None) for one in stack.exceptions]
        return self.exceptable and any(
            one.rule == self.id and is_in_force(one, context, entry) for one, entry in (*own, *common)
        )


def _items(judge: JudgeEntry, entry: Entry, context: Context) -> Sequence[RuleFinding | NotJudged | NotThereYet]:
    """The violations of one resource, with the exception that ends them as the last one; hardly any has one."""
    items: list[RuleFinding | NotJudged | NotThereYet] = []
    try:
        for words in judge(entry, context):
            items.append(RuleFinding(f"{entry}: {words}", entry))  # noqa: PERF401  # those before an error count
    except (NotJudged, NotThereYet) as unknown:
        items.append(unknown)
    return items


def _by_person(findings: Sequence[RuleFinding]) -> list[RuleFinding]:
    """One finding for each person, if possible that of the member, with the number of the others."""
    groups: dict[str, list[RuleFinding]] = {}
    for number, finding in enumerate(findings):
        email = finding.entry.shown("email") if finding.entry else ""
        groups.setdefault(same_key(email) if email else str(number), []).append(finding)
    return [
        replace(first, text=f"{first.text} ({counted(len(more), 'more grant')} of this person: the same)")
        if more
        else first
        for first, *more in (sorted(group, key=_members_first) for group in groups.values())
    ]


def _members_first(finding: RuleFinding) -> tuple[bool, str]:
    return not finding.entry or finding.entry.type != Type.MEMBER, finding.text


def _settled(items: Iterator[RuleFinding | NotJudged]) -> Iterator[RuleFinding | NotJudged | NotThereYet]:
    """The items of a rule, with the exception that ends them as the last one."""
    try:
        yield from items
    except (NotJudged, NotThereYet) as unknown:
        yield unknown


def unsettled(unknown: NotJudged) -> RuleFinding:
    """The violation for something that could not be judged, with what to do."""
    return RuleFinding(f"cannot be judged: {unknown}. {unknown.next_step}", unknown.entry)


def option(name: str, type_: str, default: Any, description: str, **more: Any) -> Option:
    """An option of a simple type."""
    return Option(name, {"type": type_, "default": default, "description": description, **more})


def command_option(name: str, default: int, description: str) -> Option:
    """A number that only commands use, for what the rule cannot see."""
    return replace(option(name, "integer", default, description, minimum=1), judged=False)


def texts(name: str, default: Sequence[str], description: str, **more: Any) -> Option:
    """An option that is a list of texts, with more keys for the schema of each."""
    items = {"type": "string", **more}
    return Option(name, {"type": "array", "items": items, "default": list(default), "description": description})


def pattern(name: str, default: str, description: str) -> Option:
    """An option that is a regular expression of Python."""
    return option(name, "string", default, description, format=PATTERN)


_FRAMEWORKS: Final = {
    "soc2": ("SOC 2", "2017"),
    "iso27001": ("ISO/IEC 27001", "2022"),
    "cis": ("CIS Controls", "8"),
}
"""Word for a framework -> its name and version."""


def controls(*references: str) -> tuple[FrameworkControl, ...]:
    """Controls of frameworks: `soc2 CC6.1` (a trust services criterion), `iso27001 A.5.18` (annex A), `cis 5.5`."""
    split = (reference.split() for reference in references)
    return tuple(FrameworkControl(*_FRAMEWORKS[framework], number) for framework, number in split)
