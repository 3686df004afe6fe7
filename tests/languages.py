"""What programs in other languages than Python need: where it is missing, their tests are skipped, and fail in CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from tools.engine.languages import REQUIRED_VARIABLE


def missing(what: str) -> NoReturn:
    """End a test for which something is missing."""
    if os.environ.get(REQUIRED_VARIABLE) == "required":
        pytest.fail(what)
    pytest.skip(what)
