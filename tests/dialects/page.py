"""docs/dialects.md: `python -m tests.dialects.page` prints it, of the emulator's model and of what the tests hold."""

from __future__ import annotations

import json
import sys
from typing import Final

from mixpanel_access.emulator.dialect import DEFAULT, Dialect, alternatives
from mixpanel_access.operations.tables import markdown
from tests.dialects.alternatives import ALTERNATIVES, name_of
from tests.dialects.expected import EXPECTED, expected
from tests.dialects.operations import NAMES
from tests.dialects.walk import Outcome

EXAMPLE: Final = {"organization_role": "no role", "page_size": 50, "missing": ["POST /organizations/{o}/add-users/"]}
"""A file for `emulator --dialect`."""

_WORDS: Final = {
    Outcome.OK: "ok",
    Outcome.STOPPED: "stops before the first write",
    Outcome.REFUSED: "Mixpanel refuses the write, nothing changes",
    Outcome.ENDED: "the access ends, and a line says what is left",
}

_TEXT: Final = """\
# Dialects of Mixpanel

Much of Mixpanel's access API is not documented. The emulator has a setting for each answer that is not known, or that
is known to differ. A set of these settings is a dialect. Without a dialect, the emulator uses the defaults below.

`make reference` makes this page from `mixpanel_access/emulator/dialect.py` and from the tables in `tests/dialects`.

## Run the emulator in a dialect

Write the fields that differ from the default into a JSON file, and pass it to the emulator:

```json
{example}
```

```console
$ mixpanel-access emulator --demo --dialect dialect.json
```

`GET /_emulator/dialect` shows how a running emulator answers; `POST /_emulator/dialect` changes it.

## The fields

The standing says how well we know an alternative. [The contract](contract.md#0-how-to-read-it) explains the words; the
column "section" refers to its sections.

{fields}

## What works in which dialect

The tests take a person through every operation below in each dialect that differs in one field, and through random
combinations of them. After each operation, access is as declared and a second run changes nothing. If a dialect does
not allow an operation, the operation is not half done, and the error says in one line what to do.

The operations: {operations}.

{matrix}

These lines name the person and the project, and say:

{lines}
"""


def page() -> str:
    """The page, in Markdown."""
    fields = [
        [
            f"`{name}`",
            known.meaning,
            f"`{json.dumps(DEFAULT.model_dump()[name])}`",
            ", ".join(f"`{json.dumps(value)}`" for value in ALTERNATIVES[name]) if name != "missing" else "any verbs",
            known.sections,
            known.standing,
        ]
        for name, known in alternatives().items()
    ]
    names = [name_of(field, value) for field, values in ALTERNATIVES.items() for value in values]
    rows = [[f"`{name}`", _cell(name)] for name in names]
    lines = {line: None for cells in EXPECTED.values() for _, line in cells.values()}
    return _TEXT.format(
        example=json.dumps(EXAMPLE, indent=2),
        fields=markdown(["field", "what it changes", "default", "others", "section", "standing"], fields),
        operations=", ".join(NAMES),
        matrix=markdown(["dialect", "operations"], rows),
        lines="\n".join(f"- {line.rstrip('.')}." for line in lines),
    )


def _cell(name: str) -> str:
    """What becomes of the operations under one alternative."""
    kinds: dict[Outcome, list[str]] = {}
    for operation in NAMES:
        kinds.setdefault(expected(name, operation)[0], []).append(operation)
    if set(kinds) == {Outcome.OK}:
        return "all ok"
    odd = [f"{_WORDS[kind]}: {', '.join(found)}" for kind, found in kinds.items() if kind is not Outcome.OK]
    return "; ".join([*odd, "the others ok"])


if __name__ == "__main__":
    Dialect.model_validate(EXAMPLE)
    sys.stdout.write(page())
