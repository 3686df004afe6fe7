"""The page of what the emulator covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixpanel_access.emulator.app import ENDPOINTS
from mixpanel_access.emulator.coverage import MARKS, SECTIONS, STANDING, page
from mixpanel_access.emulator.routing import Endpoint

ROOT = Path(__file__).parents[2]


def test_the_page_is_made_of_the_endpoints() -> None:
    """`make reference` was run after the last change, and no endpoint is missing from it."""
    assert (ROOT / "docs" / "emulator-coverage.md").read_text() == page()
    for endpoint in ENDPOINTS:
        assert page().count(f"| {endpoint.method} | `{endpoint.template}` |") == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.template}")
def test_every_endpoint_says_where_it_stands(endpoint: Endpoint) -> None:
    """A section of the contract that has a title, and a standing in the contract's marks."""
    assert endpoint.section in SECTIONS
    assert STANDING.fullmatch(endpoint.standing)
    assert all(part.split()[-1] in MARKS for part in endpoint.standing.split(", "))
