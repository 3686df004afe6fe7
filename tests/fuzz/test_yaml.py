"""Whatever a YAML text is: we read it as the library does, though with less work for each part."""

from __future__ import annotations

import warnings
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mixpanel_access.model.roster.yaml_text import BadYaml, in_plain_words, load
from tests.fuzz.test_rosters import ODD, TEXTS
from tests.tally import count

PIECES = (
    "a: &a {x: 1, y: text}", "b: {<<: *a, y: other}", "c: *a", "- &l [1, 2]", "- *l", "<<: [*a, *b]", "? [1, 2]\n: x",
    "? {a: 1}\n: y", "k: !!set {a, b}", "k: !!omap [a: 1, b: 2]", "k: !!pairs [a: 1]", "k: !!binary aGk=", "7: x",
    "7: y", "a: 1", "a: 2", "2026-05-04: z", "true: q", "~: n", "x: [a, b, [c, d: {e: f, e: g}]]", "  z: 1", "= : 3",
    "x:\n  <<: *a\n  <<: *b", "%YAML 1.1\n---", "d: &d {<<: *b, q: 1}", "e:\n  f: &g {x: 3}\n  h: {<<: *g, x: 4}",
    "t: 2026-05-04T08:00:00Z", "t: 12:30:45", "n: no", "!!map {a: 1}", "!!seq [1]", "!!str 5", "? !!set {a}\n: b",
)  # fmt: skip
"""What takes another path than plain texts, lists and mappings."""


def as_the_library(text: str) -> tuple[Any, ...]:
    """The document with the objects that it has in several places, or the library's error and its line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "read", shape(YAML(typ="safe").load(text), {})
    except MarkedYAMLError as error:
        words = in_plain_words(str(error.problem or error.context or error))
        return "refused", " ".join(words.split()), error.problem_mark.line + 1 if error.problem_mark else 1
    except (YAMLError, ValueError, RecursionError):
        return ("refused",)


def as_we_do(text: str) -> tuple[Any, ...]:
    """The same of what we read."""
    try:
        return "read", shape(load(text), {})
    except BadYaml as error:
        return "refused", str(error), error.line


def shape(value: Any, seen: dict[int, int]) -> Any:
    """A value with the types of its parts; what it has in several places is a number there."""
    if not isinstance(value, (dict, list)):
        return repr(value)
    if id(value) in seen:
        return seen[id(value)]
    seen[id(value)] = len(seen)
    parts = (
        [(repr(key), shape(part, seen)) for key, part in value.items()]
        if isinstance(value, dict)
        else [shape(part, seen) for part in value]
    )
    return type(value), parts


@given(TEXTS | st.lists(st.sampled_from([*PIECES, *ODD]), min_size=1, max_size=7).map("\n".join))
@example("\n".join(PIECES[:3]))
@example("a: {b: {c: {d: 1, d: 2}}}\ne: 1\ne: 2\n")
def test_any_text_is_read_as_the_library_reads_it(text: str) -> None:
    """With the same values, the same objects behind aliases, and the same error, in plain words, on the same line."""
    count("inputs of rosters")
    ours, theirs = as_we_do(text), as_the_library(text)
    if ours[0] == "refused" and ("conflict marker" in ours[1] or "aliases written out" in ours[1]):
        return  # which is ours
    assert ours[: len(theirs)] == theirs
