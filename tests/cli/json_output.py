"""What commands print with `--json`, against docs/json.md; every test that runs one checks it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from scripts.json_page import document_of, validator


def must_be_documented(words: Sequence[str], code: int, out: str) -> str | None:
    """Hold JSON with a key, a type or a value that the page does not have; return the document's name."""
    if code not in (0, 1) or (command := document_of(words)) is None:
        return None
    validator(command).validate(json.loads(out))
    return command
