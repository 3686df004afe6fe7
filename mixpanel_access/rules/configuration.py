"""Problems of the policies' configuration: rules, levels and options, by the options' schemas.

The engine checks types at its start; the pack refuses unknown rules and options, and invalid patterns and domains.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mixpanel_access.model.setting_values import addresses_in, company_domains_in, domains_in
from mixpanel_access.model.similarity import did_you_mean, unknown, with_article
from mixpanel_access.rules.catalogue import RULE_IDS, RULES
from mixpanel_access.rules.hygiene import GUARDS
from mixpanel_access.rules.rule import ADDRESS, COMPANY_DOMAIN, DOMAIN, PATTERN, Level, Rule

ALL: Final = "all"
"""The entry that sets the level of every rule without one of its own."""
LEVEL: Final = "enforcementLevel"
"""The key of the level in an entry with options."""
_ENVIRONMENTS: Final = "environments"
"""An entry of the engine's own, in which Pulumi Cloud keeps further settings."""

REMEDIATE: Final = "remediate"
"""A level of the engine that no rule has: the pack never changes a declaration."""

_MOST: Final = 100_000
"""The highest number of an option; that many days from today is still a date."""
_LEVELS: Final = tuple(level.value for level in Level)
_BY_ID: Final[Mapping[str, Rule]] = {rule.id: rule for rule in RULES}
_EITHER: Final = "true or false"
_KINDS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "integer": (
        "whole number",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0,
    ),
    "boolean": (_EITHER, lambda value: isinstance(value, bool)),
    "string": ("text", lambda value: isinstance(value, str)),
    "array": ("list", lambda value: isinstance(value, list)),
    "object": ("object", lambda value: isinstance(value, Mapping)),
}
"""The types of the options' schemas, in words and as functions."""
_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    DOMAIN: domains_in,
    COMPANY_DOMAIN: company_domains_in,
    ADDRESS: addresses_in,
}
"""The formats of texts that options and settings have in common."""


def kept_on(rule_id: str, level: Level) -> Level:
    """The level of a rule; the rule that reports disabled rules cannot be disabled."""
    return Level.MANDATORY if rule_id == GUARDS and level is Level.DISABLED else level


def problems_of(document: Any) -> Iterator[str]:
    """The problems of a configuration: rule id -> level, or an object of options with `enforcementLevel`."""
    if not isinstance(document, Mapping):
        yield "it is not an object of rules"
        return
    names: dict[str, list[str]] = {}
    for name, given in document.items():
        if name in _BY_ID or name == ALL:
            for words in _entry(_BY_ID.get(name), given):
                names.setdefault(words, []).append(name)
        elif name != _ENVIRONMENTS:
            yield f"there is no rule {name!r}{did_you_mean(name, (*RULE_IDS, ALL))}"
    for words, concerned in names.items():  # the engine copies the level of `all` to each rule
        yield f"{ALL if ALL in concerned else ', '.join(concerned)}: {words}"


def problems_with(rule: Rule | None, options: Mapping[str, Any]) -> Iterator[str]:
    """The problems of the options of one rule, or of `all`, which has none."""
    known = {option.name: option for option in rule.options} if rule else {}
    for name, value in options.items():
        if name in known:
            yield from _misfits(value, known[name].schema, name)
        else:
            yield unknown(name, "option of it", known)


def _entry(rule: Rule | None, given: Any) -> Iterator[str]:
    if not isinstance(given, str | Mapping):
        yield f"{_shown(given)} is neither a level nor an object of options"
        return
    entry = {LEVEL: given} if isinstance(given, str) else given
    if entry.get(LEVEL) == REMEDIATE:
        yield ("the level 'remediate' is refused: no rule changes access; set 'mandatory'")
    elif LEVEL in entry and entry[LEVEL] not in _LEVELS:
        yield unknown(_shown(entry[LEVEL]).strip('"'), "level", _LEVELS)
    yield from problems_with(rule, {name: value for name, value in entry.items() if name != LEVEL})


def _misfits(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    words, fits = _KINDS[schema["type"]]
    if not fits(value):
        yield f"{path}: {_shown(value)} is not {words if words == _EITHER else with_article(words)}"
    elif value not in schema.get("enum", (value,)):
        yield f"{path}: {unknown(value, 'choice', schema['enum'])}"
    elif "minimum" in schema and value < schema["minimum"]:
        yield f"{path}: {value} is less than {schema['minimum']}"
    elif schema["type"] == "integer" and value > _MOST:
        yield f"{path}: {value} is more than {_MOST}"
    elif schema.get("format") == PATTERN:
        yield from _no_pattern(value, path)
    elif read := _READERS.get(schema.get("format", "")):
        yield from _not_in(read, value, path)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _misfits(part, schema["items"], f"{path}.{index}")
    elif isinstance(value, Mapping):
        for name, part in value.items():
            each = schema.get("properties", {}).get(name, schema["additionalProperties"])
            if each is False:
                yield f"{path}: {unknown(name, 'part of it', schema['properties'])}"
            else:
                yield from _misfits(part, each, f"{path}.{name}")


def _no_pattern(text: str, path: str) -> Iterator[str]:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        yield f"{path}: {text!r} is not a pattern ({error})"


def _not_in(read: Callable[[object], object], text: str, path: str) -> Iterator[str]:
    try:
        read(text)
    except ValueError as error:
        yield f"{path}: {error}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
