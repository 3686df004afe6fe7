"""The page of the reliability figures: nothing on it but what the run has counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.reliability_lives_page import lived, scripted
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
        lived=lived(figures.get("scripted", {})),
        scripted=scripted(figures.get("scripted", {})),
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
    "people listed twice or invited twice": "double",
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

After {struck} injected faults, one more run without faults made the organization as declared, and invited nobody twice.
After {kills} killed runs, one `pulumi up` finished the work, and nobody lost access.
{lived}

`make reliability` makes this page from bench/results/reliability.json, which has what the tests count while they run.
If a test fails, there are no figures.

{ran} tests ran on {date}, {failed} failed, and {skipped} were skipped. They took {minutes} minutes on {on}, with
{used}.

## Faults

The tests in tests/faults injected {struck} faults into requests of the real client over a real socket, while it
created, changed and removed members, grants, teams, custom roles, settings and service accounts. Some faults hit one
request, others a whole run. After one more run without faults, the organization is as declared. Nobody is invited
twice, nobody else's access changes, and a failed read never counts as an absence.

{faults}

## Random lives

A random life is a sequence of random changes to one organization (tests/faults/test_random_lives.py): people and
teams are added, changed and removed, in the roster or by hand in Mixpanel; invitations expire; faults hit runs and
refreshes. There were {lives} lives with {steps} steps in all. After a run without faults, the organization is as
declared, and a second run changes nothing and sends no e-mail. No step changes the access of people who are not
declared.
{together}{scripted}
## Odd inputs

Each input gives a result or an error in one clear line, never a traceback (tests/fuzz).

{inputs}

The rosters are damaged copies of valid ones, valid ones with values of another type, and random text. The wire
answers have random status, headers and bytes, for every call of every endpoint; up to four are prepared for a call,
which may need only one. The command lines are every command except `emulator` and `engine`, with random options and
arguments, in a folder without a Pulumi project.

## Kills

The test killed the engine and all its plugins (SIGKILL) {kills} times during an update of twenty grants for ten
people, at points from the first grant to the moment when only the state was not written yet
(tests/engine/test_killed.py). Then it ran `pulumi cancel` and one `pulumi up`. "Lost" counts people who lack a grant
after that, "double" those who were invited more than once.

{killed}

## The emulator under {clients} clients

{clients} clients invite, grant, change, remove and read at the same time, in the same project and the same team
(tests/emulator/parallel.py).

{parallel}
"""
