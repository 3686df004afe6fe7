"""Whatever a roster's text is: a roster, or one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.files.roster import source_of
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.json_schema import json_schema
from mixpanel_access.model.roster.reading import RosterSource, parse
from tests.model.test_roster import documents
from tests.tally import count

ROOT = Path(__file__).parents[2]
STACKS = ROOT / "stacks"
PAGE = (ROOT / "docs" / "roster.md").read_text().partition("```yaml\n")[2].partition("```")[0]
VALID = [PAGE, *(file.read_text() for file in (STACKS / "production.yaml", STACKS / "staging.yaml"))]
"""The rosters that are committed, and the one that shows every field."""
LINES = sorted({line for text in VALID for line in text.splitlines()})
ODD = (
    "x", "~", "", "0", "-5", "1e999", ".nan", ".inf", "0x7", "2026-13-45", "2026-05-04", "9999-12-31T23:59:59-14:00",
    "yes", "[]", "{}", "[[", "- a", "? [1]", "!!int x", "!!binary x", "!!set {a}", "!!omap [a: 1]", "!!timestamp x",
    "!x y", "!!python/name:os.system", "&a", "*a", "&a [*a]", "<<: *a", "<<: [1]", "%YAML 9.9", "---", "...", "\t",
    "\ufeff", "\x85", "|", ">-9", '"\\ud800"', '"\\x00"', "'", "#", ": :", "\u2028", "\U0001f600", "{{ x }}",
    "a" * 300, "9" * 5000,
)  # fmt: skip
"""Pieces of YAML that are seldom meant."""
KEYS = sorted({key for part in (json_schema(), *json_schema()["$defs"].values()) for key in part["properties"]})


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    """A roster with some edits that nobody would make: lines and words out, in, twice, in another place."""
    lines = draw(st.sampled_from(VALID)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(lines) - 1)))
        line = lines[at] if lines else ""
        words = line.split(" ")
        word = draw(st.integers(0, len(words) - 1))
        odd = draw(st.sampled_from(ODD) | st.text(max_size=8))
        edit = draw(st.sampled_from(["drop", "double", "indent", "word", "add", "append", "cut"]))
        new = {
            "drop": [],
            "double": [line, line],
            "indent": [f"  {line}"],
            "word": [" ".join([*words[:word], odd, *words[word + 1 :]])],
            "add": [draw(st.sampled_from(LINES)), line],
            "append": [f"{line} {odd}"],
            "cut": [line[: draw(st.integers(0, len(line)))]],
        }[edit]
        lines[at : at + 1] = new
    return "\n".join(lines)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates().map(str)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def misshapen(draw: st.DrawFn) -> str:
    """A roster in which some value, anywhere, is of another kind than it has to be."""
    document = draw(documents())
    for _ in range(draw(st.integers(1, 3))):
        part: Any = document
        while True:
            keys = list(part) if isinstance(part, dict) else list(range(len(part)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(part[key], (dict, list)) and part[key] and draw(st.booleans()):
                part = part[key]
                continue
            part[key] = draw(_VALUES)
            break
    return json.dumps(document)


TEXTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*LINES, *ODD])).map("\n".join),
    spoiled(),
    misshapen(),
    st.dictionaries(st.sampled_from(KEYS), _VALUES, max_size=6).map(json.dumps),
)


@given(TEXTS)
def test_any_text_is_a_roster_or_one_clear_error(text: str) -> None:
    """It is read in its folder, where it may include what is there; what is a roster can be written as one again."""
    count("inputs of rosters")
    try:
        roster = parse(text, source_of(STACKS / "production.yaml"))
    except RosterError as error:
        assert "\n" not in str(error)  # noqa: PT017  # the one line is the promise
        assert str(error).startswith("cannot use the roster: production.yaml:")  # noqa: PT017
        return
    document = roster.document()
    document.pop("include", None)
    again = json.dumps(document, ensure_ascii=False)
    again.encode()
    assert parse(again, RosterSource("r")).document() == document
