"""The page of the reliability figures: nothing on it but what the run has counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mixpanel_access.operations.tables import markdown

FAULT_KINDS: Final = {
    "drop before": "the connection breaks, nothing is applied",
    "drop after": "the connection breaks, the write was applied",
    "delay": "no answer within the time-out, the write was applied",
    "status 200": "a proxy's page instead of an answer",
    "status 429": "too many requests: wait some seconds, until a date, or not said",
    "status 500": "a fault of the server",
    "status 502": "a proxy's error page",
}
"""What the tests inject, as the tally names it, and what it means."""


def page(figures: dict[str, Any]) -> str:
    """The page in Markdown.

    Args:
        figures: what `bench.reliability` has written.
    """
    tests, kills, lives, many = figures["tests"], figures["kills"], figures["lives"], figures["parallel"]
    faults, on = figures["faults"], figures["machine"]
    methods = sorted(faults)
    rows = [
        [kind, meaning, *(f"{faults[method].get(kind, 0):,}" for method in methods)]
        for kind, meaning in FAULT_KINDS.items()
    ]
    return _TEXT.format(
        date=figures["date"],
        on=f"{on['cores']} cores, {on['system']} {on['machine']}",
        used=", ".join(f"{name} {version}" for name, version in figures["versions"].items()),
        ran=f"{tests['tests'] - tests['skipped']:,}",
        failed=tests["failures"] + tests["errors"],
        skipped=tests["skipped"],
        minutes=max(1, round(tests["seconds"] / 60)),
        struck=f"{sum(times for kinds in faults.values() for times in kinds.values()):,}",
        faults=markdown(["fault", "what it is", *methods], rows, numbers=len(methods)),
        lives=f"{lives['lives']:,}",
        steps=f"{lives['steps']:,}",
        together=_together(lives),
        inputs=_counts("input", "made", figures["inputs"]),
        kills=kills["kills"],
        killed=_counts("after the next up", "people", {name: kills[name] for name in ("lost", "double")}),
        clients=many["clients"],
        parallel=_counts("of all clients", "number", {name: many[key] for name, key in _PARALLEL.items()}),
    )


_PARALLEL: Final = {
    "requests": "requests",
    "faults of the server (5xx)": "faults",
    "refusals (4xx)": "refused",
    "lost updates": "lost",
    "people there or invited twice": "double",
    "requests a second": "requests_per_second",
}


def _counts(what: str, number: str, counted: Mapping[str, int]) -> str:
    return markdown([what, number], [[name, f"{times:,}"] for name, times in counted.items()], numbers=1)


def _together(lives: Mapping[str, int]) -> str:
    """Of the lives of two stacks; nothing where none were counted."""
    if not lives.get("lives_together"):
        return ""
    return _TOGETHER.format(lives=f"{lives['lives_together']:,}", steps=f"{lives['steps_together']:,}")


_TOGETHER: Final = """
{lives} lives of {steps} steps in all are lives of two stacks on one organization (tests/faults/test_lives_together.py):
one after the other and at once, with changes by hand in between, targets and excludes, other names, refusals, the end
of entries and of invitations, nightly runs, brakes released and forgotten, refreshes, destructions and revocations, and
faults beside those counted above.
After every step: nobody holds through us what no stack declares; nobody loses what another stack or their own history
gives; an invitation is one e-mail; who is still in Mixpanel is in a state, or was said to be left; and no brake was
weaker than its configuration.
"""

_TEXT: Final = """\
# Reliability

Made by `make reliability` from bench/results/reliability.json: counted while the tests run, none of it written by hand.
Where a test fails there are no figures.

{ran} tests ran, {failed} failed, {skipped} were skipped: on {date}, in {minutes} minutes, on {on}; {used}.

## Faults

{struck} faults have struck requests of the real client over a real socket: all members, grants, teams, custom roles,
settings and service accounts, created, changed and removed, once and for a whole run (tests/faults). One more run
without faults then brings about what is declared. Nobody is invited twice, nobody else is touched, and no refresh takes
a failed read for an absence.

{faults}

## Random lives

{lives} lives of {steps} steps in all (tests/faults/test_random_lives.py): people and teams are declared, changed and
dismissed, also by hand in the product; invitations expire; runs and refreshes meet faults. After a run without faults
there is what is declared, and a second one changes nothing and sends no mail. After every step, whoever is not declared
is as they were.
{together}
## Odd inputs

Each gives a result or one clear error in one line, never a traceback (tests/fuzz).

{inputs}

Rosters are spoiled copies of valid ones, valid ones with values of another kind, and any text. Answers have any status,
headers and bytes, to every call of every endpoint; up to four are made for a call, which may need only one. Command
lines are every command but `emulator` and `engine`, with any options and arguments, in a folder without a Pulumi
project.

## Kills

The engine and all its plugins were killed (SIGKILL) {kills} times on the way through twenty grants of ten people, from
the first of them to the last, when only the state is still to be written (tests/engine/test_killed.py). Then come
`pulumi cancel` and one `up`. Lost is who lacks a grant after it, double who was invited more than once.

{killed}

## The emulator under {clients} clients

They invite, grant, change, take away and read at once, in the same project and the same team
(tests/emulator/parallel.py).

{parallel}
"""
