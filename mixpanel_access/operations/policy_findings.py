"""What a policy run has found, read from its output and grouped by person: for a comment, where not all fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from mixpanel_access.model.address import same_key
from mixpanel_access.model.words import counted
from mixpanel_access.rules.rule import Level

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
        about: whom or what each group of lines is about, those with a mandatory finding first; with its lines.
        levels: the level of each finding.
    """

    about: Sequence[tuple[str, Sequence[str]]]
    levels: Sequence[Level]

    def lines(self, most: int) -> Iterator[str]:
        """The findings as text; of more than `most` lines the rest is counted."""
        mandatory = self.levels.count(Level.MANDATORY)
        yield f"Policy findings: {mandatory} mandatory, {len(self.levels) - mandatory} advisory"
        shown = 0
        for whom, found in self.about:
            kept = found[: most - shown]
            if kept:
                yield whom
                yield from (f"  {line}" for line in kept)
            shown += len(kept)
        if cut := sum(len(found) for _, found in self.about) - shown:
            yield f"{counted(cut, 'more line')} cut here; the output of the run has all of it"


def findings_in(output: str) -> Grouped:
    """The violations that the output of `pulumi preview`, `up` or `policy analyze` has; one told twice counts once."""
    names: dict[str, str] = {}
    groups: dict[str, dict[tuple[str, str], _Found]] = {}
    told: dict[tuple[str, str], Level] = {}
    for level, rule, resource, message in _violations(output):
        if (rule, message) in told:
            continue
        told[rule, message] = level
        if person := _ABOUT.match(message):
            whom, place, text = person["email"], person["place"].strip(), person["text"]
        else:
            whom, place, text = resource.rpartition(":")[2] if "@" in resource else _STACK, "", message
        key = same_key(whom)
        names.setdefault(key, whom)
        found = groups.setdefault(key, {}).setdefault((rule, text), _Found(level, rule, text))
        found.places += [place] if place else []
    about = [
        (names[key], [str(one) for one in sorted(group.values(), key=_Found.order)])
        for key, group in sorted(groups.items(), key=lambda pair: (_lowest(pair[1].values()), pair[0]))
    ]
    return Grouped(about, list(told.values()))


def shows_a_pack(output: str) -> bool:
    """Whether the output says that a policy pack ran; a run that fails early shows none."""
    return _PACK.search(output) is not None


def _lowest(found: Iterable[_Found]) -> bool:
    return all(one.level is not Level.MANDATORY for one in found)


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
