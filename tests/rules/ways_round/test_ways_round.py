"""Each way round the rules is stopped by the rule that says so, and what is like it and allowed passes that rule."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from mixpanel_access.rules.catalogue import WAYS_ROUND
from tests.rules.ways_round.table import BASE, Way

_HERE: Final = Path(__file__).parent
WAYS: Final[dict[str, Way]] = {
    f"{module}: {name}": way
    for module in sorted(one.stem for one in _HERE.glob("*.py"))
    if module not in ("table", "test_ways_round", "__init__")
    for name, way in import_module(f"tests.rules.ways_round.{module}").WAYS.items()
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_way_round_is_stopped(way: Way) -> None:
    """By a mandatory finding of its rule, which the control does not get."""
    assert way.rule in way.stopped_by(way.tried)
    assert way.rule not in way.stopped_by(way.control)


def test_the_roster_that_the_rows_change_passes() -> None:
    """Else a row could be stopped by what it did not change."""
    assert next(iter(WAYS.values())).stopped_by(BASE) == set()


def test_the_page_has_their_number() -> None:
    """`WAYS_ROUND` of mixpanel_access/rules/catalogue.py is that of the rows, of which the page is made."""
    assert len(WAYS) == WAYS_ROUND, f"set WAYS_ROUND to {len(WAYS)}, then make reference"
    assert f"{WAYS_ROUND} ways around" in (Path(__file__).parents[3] / "docs" / "rules.md").read_text()
