"""The life of access under every alternative of the contract, and under random combinations of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from mixpanel_access.api.transport import READ_ATTEMPTS
from mixpanel_access.emulator.app import ENDPOINTS
from mixpanel_access.emulator.dialect import DEFAULT, Dialect, read
from tests.dialects.alternatives import ALONE, ALTERNATIVES, MISSING, combination, parts_of
from tests.dialects.expected import EXPECTED, expected
from tests.dialects.operations import NAMES, PARTS, lives, parts_for
from tests.dialects.page import EXAMPLE, page
from tests.dialects.walk import Outcome
from tests.faults.conftest import World, opened, organization

COMBINATIONS = 30
FILE_VARIABLE = "MIXPANEL_ACCESS_DIALECT"
"""The environment variable with the file of a dialect, or of a report of `doctor --writes`; else the page's example."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One server for the whole module, which limits invitations; each walk seeds it."""
    with (
        opened(organization()) as server,
        stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True),
    ):
        made = World(server)
        yield made
        made.close()
        made.client.close()


@pytest.mark.parametrize("name", ["the default", *ALONE])
def test_each_alternative_alone(world: World, name: str) -> None:
    """Each operation is done, and a second run has nothing to do; or it is what the page says, with its line."""
    fields = ALONE.get(name, {})
    lived = set()
    for operation, (outcome, line) in lives(world, fields, parts_for(world, fields)):
        wanted, words = expected(name, operation)
        assert (operation, outcome, line) == (operation, wanted, line)
        assert words in line
        lived.add(operation)
    assert {expected(name, operation)[0] for operation in {*NAMES} - lived} <= {Outcome.OK}


@pytest.mark.parametrize("seed", range(COMBINATIONS))
def test_combinations(world: World, seed: int) -> None:
    """What no part of a dialect forbids is done under the whole; what one does may be refused, and never half done."""
    fields = combination(seed)
    for operation, (outcome, line) in lives(world, fields, [PARTS[seed % len(PARTS)]]):
        forbidden = [part for part in parts_of(fields) if expected(part, operation)[0] is not Outcome.OK]
        assert outcome is Outcome.OK or forbidden, (fields, operation, line)


def test_the_dialect_of_a_file(world: World) -> None:
    """As one organization answers, by its report: each operation is done, or refused with a line; never half done."""
    file = os.environ.get(FILE_VARIABLE)
    dialect = read(json.loads(Path(file).read_text()) if file else EXAMPLE)
    for operation, (outcome, line) in lives(world, dialect.model_dump(exclude_defaults=True)):
        assert outcome is Outcome.OK or line, operation


def test_every_field_is_tried() -> None:
    """Each field has its alternatives here, none of which is the default; the verbs are those that there are."""
    assert list(ALTERNATIVES) == list(Dialect.model_fields)
    defaults = DEFAULT.model_dump()
    for field, values in ALTERNATIVES.items():
        assert values
        assert defaults[field] not in values
    assert set(MISSING) <= {endpoint.verb for endpoint in ENDPOINTS}
    drawn = {part for seed in range(COMBINATIONS) for part in parts_of(combination(seed))}
    assert drawn == set(ALONE)
    assert set(EXPECTED) <= set(ALONE)
    assert {operation for cells in EXPECTED.values() for operation in cells} <= set(NAMES)


def test_the_page_is_made_of_what_the_tests_hold() -> None:
    """`make reference` was run after the last change, and its example can be used."""
    assert (Path(__file__).parents[2] / "docs" / "dialects.md").read_text() == page()
    assert read(EXAMPLE) != DEFAULT
