"""The page that tells which endpoints there are, and how well each is known.

`python -m mixpanel_access.emulator.coverage` prints it.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from mixpanel_access.emulator.app import ENDPOINTS

SECTIONS: Final = {
    3: "Organization users",
    4: "Teams",
    5: "Projects",
    6: "Service accounts",
    7: "Custom roles",
    8: "Organization settings",
    9: "Who am I",
    10: "SCIM 2.0",
    11: "Audit log",
    16: "Platform API",
}
"""The sections of the contract that have endpoints."""

MARKS: Final = {
    "documented": "Mixpanel's documentation or its published service-accounts description",
    "observed": "the official Terraform provider does it, or its tests show it",
    "observed·N": "later source of that provider, not in a release",
    "observed·C": "a community provider, tested against the real API",
    "observed·T": "answers to a session login, as a third party noted them; with Basic they may differ",
    "observed·W": "a description that was visible once and withdrawn: unsupported",
    "assumed": "nobody says; the emulator's own choice",
}

_PART: Final = r"((body|shape|shapes|fields|reply) )?(documented|observed(·[NCW])?|assumed)"
STANDING: Final = re.compile(f"{_PART}(, {_PART})*")
"""How a standing is written: of the path first, then of what is known better or worse than it."""


def page() -> str:
    """The page, in Markdown."""
    lines = [
        "# What the emulator covers",
        "",
        "Made by `make reference` from `mixpanel_access/emulator`. What the emulator decides where nobody says is in",
        "[its own notes](../mixpanel_access/emulator/README.md); how else it can answer is in",
        "[Dialects of Mixpanel](dialects.md). A section is one of the working contract; the",
        "standing says how well an endpoint is known:",
        "",
        "| standing | meaning |",
        "|---|---|",
        *(f"| {mark} | {meaning} |" for mark, meaning in MARKS.items()),
        "",
        "Where it names several, the first is of the path.",
    ]
    for section, title in SECTIONS.items():
        rows = [endpoint for endpoint in ENDPOINTS if endpoint.section == section]
        lines += ["", f"## {title}", "", "| method | path | section | standing |", "|---|---|---|---|"]
        lines += [f"| {row.method} | `{row.template}` | {row.section} | {row.standing} |" for row in rows]
    return "\n".join([*lines, ""])


if __name__ == "__main__":  # pragma: no cover  # the page is tested
    sys.stdout.write(page())
