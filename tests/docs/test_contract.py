"""docs/contract.md: what is known of Mixpanel's API, as code cites it and as the emulator serves it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import pytest

from mixpanel_access.emulator.app import ENDPOINTS
from mixpanel_access.emulator.dialect import alternatives
from mixpanel_access.model.settings import Verb
from mixpanel_access.operations.verifying.statements import STATEMENTS
from scripts.build_site import ROOT

PAGE: Final = (ROOT / "docs" / "contract.md").read_text()
SECTIONS: Final = dict(re.findall(r"^## (\d+)\. (.+)$", PAGE, re.MULTILINE))
STANDINGS: Final = dict(re.findall(r"^\| ([a-z ()]+) \| (.+) \|$", PAGE.partition("\n## 1. ")[0], re.MULTILINE))
ROWS: Final = re.findall(r"^\| (GET|POST|PUT|PATCH|DELETE) \| `(\S+)` \| (.+) \|$", PAGE, re.MULTILINE)
"""The endpoints: method, path, and the other cells, of which the last is the standing."""

CITATION: Final = re.compile(r"\bsections? (\d+(?:(?:, | and )\d+)*)\b")
CITING: Final = sorted(path for folder in ("mixpanel_access", "tests") for path in (ROOT / folder).rglob("*.py"))


def test_every_section_that_code_cites_is_there() -> None:
    """A module names a section as "contract, section 3"; the dialects and `doctor --writes` name theirs by number."""
    cited: dict[str, set[str]] = {}
    for path in CITING:
        text = re.sub(r"RFC \d+,\s+section [\d.]+", "", path.read_text())
        for numbers in CITATION.findall(text):
            cited.setdefault(str(path.relative_to(ROOT)), set()).update(re.findall(r"\d+", numbers))
    assert len(cited) > 60
    cited["dialects"] = {number for known in alternatives().values() for number in known.sections.split(", ")}
    cited["doctor --writes"] = {str(statement.section) for statement in STATEMENTS}
    assert {place: numbers - SECTIONS.keys() for place, numbers in cited.items() if numbers - SECTIONS.keys()} == {}


def test_every_endpoint_of_the_emulator_has_one_row() -> None:
    """And every row is an endpoint that the emulator serves."""
    assert Counter(f"{method} {path}" for method, path, _ in ROWS) == Counter(endpoint.verb for endpoint in ENDPOINTS)


@pytest.mark.parametrize(("method", "path", "cells"), ROWS, ids=str)
def test_every_row_has_a_standing(method: str, path: str, cells: str) -> None:
    """One of the words that section 0 explains; what is known better or worse than the path follows it."""
    standing = cells.rpartition(" | ")[2]
    parts = [re.sub(r"^(body|shapes?|fields|reply) ", "", part) for part in standing.split(", ")]
    assert {*parts} <= STANDINGS.keys(), f"{method} {path}"


def test_every_switch_is_at_its_write() -> None:
    """The name that `mixpanel:allowUndocumented` takes stands once, at a write whose path or body is not known."""
    switches = [(switch, cells) for _, _, cells in ROWS for switch in re.findall(r"\| `(\w+)` \|", cells)]
    assert sorted(switch for switch, _ in switches) == sorted(verb.value for verb in Verb)
    assert [switch for switch, cells in switches if not re.search("assumed|withdrawn", cells)] == []
