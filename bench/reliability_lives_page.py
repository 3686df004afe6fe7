"""The section on scripted lives of the page of the reliability figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mixpanel_access.operations.tables import markdown

_LIVED: Final = {
    "lives": "lives",
    "days": "days",
    "days after which every command was compared": "checked",
    "events: edits, runs, changes by hand, accepted invitations": "events",
    "runs: `pulumi up` and `mixpanel-access revoke`": "runs",
    "comparisons of what a command says with the model": "comparisons",
}
"""Row of the table -> the figure."""


def lived(lives: Mapping[str, Any]) -> str:
    """How many lives ended with a disagreement, in a sentence; nothing where no lives were lived."""
    if not lives:
        return ""
    shapes = lives["shapes"].values()
    number, failed = sum(one["lives"] for one in shapes), sum(len(one["failed"]) for one in shapes)
    return (
        f"In {number} [scripted lives](#scripted-lives) of up to 60 days each, the commands said what an independent "
        f"model says, except for {failed} disagreement{'' if failed == 1 else 's'}."
    )


def scripted(lives: Mapping[str, Any]) -> str:
    """The section; nothing where no lives were lived."""
    if not lives:
        return ""
    shapes: Mapping[str, Mapping[str, Any]] = lives["shapes"]
    rows = [[row, *(f"{shape[figure]:,}" for shape in shapes.values())] for row, figure in _LIVED.items()]
    rows += _counts(shapes, "drawn", "drawn")
    rows.append(["**lives that ended with a disagreement**", *(str(len(one["failed"])) for one in shapes.values())])
    rows += _counts(shapes, "disagreements", "disagreement")
    rows.append(["minutes of one core", *(str(round(one["seconds"] / 60)) for one in shapes.values())])
    few = {shape: one for shape, one in shapes.items() if one["lives"] < lives["wanted"][shape]}
    return _SECTION.format(
        table=markdown([f"on {lives['date']}", *shapes], rows, numbers=len(shapes)),
        stopped="".join(
            f"\nThe run ended after {one['lives']} of {lives['wanted'][shape]} lives with {shape}: its time was up.\n"
            for shape, one in few.items()
        ),
        failed=_failed(shapes),
    )


def _counts(shapes: Mapping[str, Mapping[str, Any]], figure: str, word: str) -> list[list[str]]:
    """A row for each thing that was counted in any shape."""
    names = sorted({name for one in shapes.values() for name in one[figure]})
    return [[f"{word}: {name}", *(f"{one[figure].get(name, 0):,}" for one in shapes.values())] for name in names]


def _failed(shapes: Mapping[str, Mapping[str, Any]]) -> str:
    """The lives that ended with a disagreement."""
    rows = [
        [shape, str(life["seed"]), str(life["day"]), "; ".join(life["kinds"])]
        for shape, one in shapes.items()
        for life in one["failed"]
    ]
    return f"\n{markdown(['life', 'seed', 'day', 'disagreement'], rows)}\n" if rows else ""


_SECTION: Final = """
## Scripted lives

A scripted life is 60 days of two stacks on one organization (tests/lives): people come, get other roles and leave by
edits of the rosters and engagements; teams, custom roles and service accounts begin, change and end; in some lives an
identity provider adds and deactivates people by SCIM; people change their addresses; somebody changes roles, teams,
people and names by hand; and nightly runs are late or missed. A model in plain Python follows from the script alone who
has what at each instant. `status`, `remind`, `revoke --within`, `drift`, `diagnose`, `who`, `report`, the preview and
the access log are compared with the model: who is overdue, ending, waiting, missing and unmanaged and why, what the
next `pulumi up` and `revoke` do, who had what after each event, and who did it. A life ends at its first disagreement.

{table}
{stopped}
With **8 days busy**, the other days have at most a nightly run and accepted invitations, as in most organizations.
`make test` lives 20 with 6 busy days; these have other seeds, so no test was fitted to them. What they show is that the
commands stay right while only the clock changes something, and after weeks without a run.

With **all days busy**, edits, changes by hand and runs meet on every day, which is more than an organization sees in a
year. Every day is checked, so a wrong state has little time to be corrected before a command reads it. What they
show is how the rules work together; a disagreement in one of them needs several unlikely changes within days.
{failed}
The lives cannot show what Mixpanel does otherwise than [the contract](contract.md) says, since the emulator follows it,
and they have no failing calls; the random lives above do. What no event shows is left out of the comparison
until the next `mixpanel-access tracker update`: that an invitation was taken back, and that somebody was deactivated or
activated. So is, for now, who became a consumer when a custom role was deleted, which the access log does not read.
"""
