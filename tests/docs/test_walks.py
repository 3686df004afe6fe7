"""The walks through the code in docs/design.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SECTION = (ROOT / "docs" / "design.md").read_text().partition("\n## Five walks\n")[2].partition("\n## ")[0]
WALKS = {title: text for title, _, text in (part.partition("\n") for part in _SECTION.split("\n### ")[1:])}
_STOP = re.compile(r"^\d+\. ")
_PLACE = re.compile(r"^\d+\. `([\w/]+\.py)`, `([\w.]+)`: ")


def test_there_are_five_walks() -> None:
    """One grant, one rule, one `status`, one import and one `revoke`."""
    assert len(WALKS) == 5


@pytest.mark.parametrize("title", WALKS)
def test_each_stop_of_a_walk_is_in_the_code(title: str) -> None:
    """A walk has at most 12 stops; each names a file of the package, and a function or method in it."""
    stops = [line for line in WALKS[title].splitlines() if _STOP.match(line)]
    assert 1 < len(stops) <= 12
    for stop in stops:
        found = _PLACE.match(stop)
        assert found, stop
        assert found[2] in functions_in(ROOT / "mixpanel_access" / found[1]), stop


def functions_in(file: Path) -> set[str]:
    """The functions of a module, and the methods of its classes as `Class.method`."""
    found = set[str]()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return found
