"""What a run changed, from its output: that of `pulumi up`, in either form, or of `mixpanel-access revoke`."""

from __future__ import annotations

import re
from typing import Final

_UPDATING: Final = re.compile(r"^(?:Updating|Destroying) \(.*\):?\s*$", re.MULTILINE)
"""The heading after which the engine shows what it does; before it, it only plans."""
_WORDS: Final = {"created": "create", "updated": "update", "deleted": "delete", "replaced": "replace"}
_DONE: Final = re.compile(
    r"^\s*\S{1,2}\s+(?:pulumi-python:dynamic/)?mixpanel:(?P<kind>\w+) (?P<name>.+?) "
    rf"(?P<word>{'|'.join(_WORDS)})\b"
)
"""A resource that is done, without `--diff`."""
_STEP: Final = re.compile(
    rf"^\s*\S{{1,2}} (?:pulumi-python:dynamic/)?mixpanel:(?P<kind>\w+): \((?P<word>{'|'.join(_WORDS.values())})\)"
)
_REMOVED: Final = re.compile(r"^(?P<words>\S.*?)\s+(?P<result>taken away|lowered|STAYS: .+?)\s*$")
"""A row of the table of `revoke --yes`."""


def changes_in(output: str) -> list[str]:
    """The changes, one line each, once each, in their order; no values of any property."""
    headings = [*_UPDATING.finditer(output)]
    of_engine = bool(headings)
    lines = (output[headings[-1].end() :] if headings else output).splitlines()
    found: list[str] = []
    for number, line in enumerate(lines):
        if of_engine and (done := _DONE.match(line)):
            found.append(f"{_WORDS[done['word']]} {done['kind']} {done['name']}")
        elif of_engine and (step := _STEP.match(line)):
            below = lines[number + 1 : number + 4]
            urn = next((text for text in below if text.strip().startswith("[urn=")), "")
            name = urn.strip().removesuffix("]").rpartition("::")[2]
            found.append(f"{step['word']} {step['kind']} {name}".rstrip())
        elif not of_engine and (row := _REMOVED.match(line)):
            found.append(f"{' '.join(row['words'].split())}: {row['result']}")
    return list(dict.fromkeys(found))
