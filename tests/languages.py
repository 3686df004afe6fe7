"""What programs in other languages than Python need: where it is missing, their tests are skipped, and fail in CI."""

from __future__ import annotations

import os
from typing import Final, NoReturn

import pytest

REQUIRED_VARIABLE: Final = "MIXPANEL_ACCESS_LANGUAGES"
"""Set to `required`, it makes what is missing a failure, as CI=true does."""


def missing(what: str) -> NoReturn:
    """End a test for which something is missing."""
    if os.environ.get(REQUIRED_VARIABLE) == "required":
        pytest.fail(what)
    pytest.skip(what)
