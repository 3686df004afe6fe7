"""docs/figures.md, made of bench/results/latest.json: what was measured, next to the aim."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from bench import forms_page as forms
from bench.comparison import GROUPED
from bench.record import runs_in
from mixpanel_access.operations.tables import markdown

RESULTS: Final = Path(__file__).parent / "results" / "latest.json"
PAGE: Final = Path(__file__).parents[1] / "docs" / "figures.md"
AIMED: Final = 1000
"""Grants at which a ratio is aimed at."""
RATIOS: Final = {"preview (create)": 1.15, "preview (unchanged)": 1.15, "refresh": 1.15, "up (create)": 1.25}
"""The command -> how many times the floor's seconds it may take."""
CROWD_COMMANDS: Final = ("status", "report", "drift")
CROWD: Final = 5000
CROWD_SECONDS: Final = 4.0
CROWD_MEGABYTES: Final = 250
"""What each of these may take, and hold, over so many people."""
FEW_COMMANDS: Final = ("status", "who")
FEW: Final = 1000
FEW_SECONDS: Final = 1.5
"""What each of these may take of processors over 1,000 people."""
START_SECONDS: Final = 0.35
"""What the start of any command may take."""
POLICY_SECONDS: Final = 3.0
"""What the policies may take over a grouped roster."""
ROSTER: Final = 20_000
ROSTER_SECONDS: Final = 5.0
"""What reading a roster of so many people may take."""

Row = Sequence[object]
Figure = dict[str, Any]
_RUN: Final = ("version", "on")
"""The last columns of every table: the version that was measured, and the day."""

_HOW: Final = (
    "`make bench` measures these figures against the emulator on the same machine, here {cores} cores ({system}, "
    "{machine}), and makes this page from `bench/results/latest.json`. Parts are measured apart, so that each row has "
    "the version of mixpanel-access and the day of its run. Compare seconds only with those of the same day: the "
    "machine is shared, and its speed changes within minutes. [Scale](scale.md) explains what follows from the figures."
)
_SINGLE: Final = (
    "Each command runs twice: with our provider, and with providers that do nothing, which is the floor: the time for "
    "the engine, its SDK and reading the roster. The ratio says how much longer ours takes; both are of one run, in "
    "turn, so that you can compare ratios across days and versions. The import is that of `mixpanel-access import`, "
    "which has no floor. Requests are those to Mixpanel, writes are those "
    "of them that change something, and MB held is the most memory of the provider's process. Without checkpoints "
    "means `PULUMI_SKIP_CHECKPOINTS=true`: the engine saves the state only at the end."
)
_TARGETS: Final = "What we aim at, and the latest figure for it. A target is met if the figure is at most the aim."
_GROWTH: Final = (
    "How a command grows if there are ten times as many grants. Ten times the seconds means that each grant costs the "
    "same. Only sizes that were measured on one day with one version are compared."
)
_STATE: Final = (
    "How large the stack's state is after `up`, as compact JSON. The floor's state has the same resources with no more "
    "than their inputs. With checkpoints, the engine writes all of it at each step."
)
_WHOLE: Final = (
    "The same people with one `ProjectAccess` for each of five projects, instead of one resource for each grant. All "
    "of them are members already, so that only grants are written. Compare it with the single grants above."
)
_SERVERS: Final = (
    "The stack runs once on [our own server](resources.md#import-by-id), which the stanza in `Pulumi.yaml` starts, and "
    "once on the SDK's, in turn and without checkpoints. Requests and the state should be the same or smaller with "
    "ours; seconds are mostly the engine's. The start is the time from the start of the server's process to its port, "
    "which each command of the engine waits for."
)
_COMMANDS: Final = (
    "The commands that read a whole stack, in a backend in a folder; each person has one grant. CPU seconds are those "
    "of the command and the engine together: on a quiet machine they are close to the seconds. MB held is the most "
    "memory of the command without the engine. In other backends, the engine exports the state, which takes 3 to 4 "
    "more CPU seconds for single grants."
)
_REST: Final = (
    "What needs no stack. The policies run as `pulumi policy analyze` runs them; the emulator answers as many clients "
    "at once as the provider has. The start of a command is the time until it says that it is not in a project."
)


def page(found: dict[str, Any]) -> str:
    """The page of some results."""
    figures = found["figures"]
    single = sorted(
        (one for one in figures if one["floor"] is not None or one["command"] == "import"),
        key=lambda one: (one["grants"], not one["checkpoints"]),
    )
    parts = [
        "# Figures",
        *_meaning(found),
        _HOW.format(**found["machine"]),
        *_runs(found),
        *_compared(found),
        *_forms("### Grouped rosters of members", forms.LARGER, forms.LARGER_COLUMNS, forms.larger(found)),
        *_forms("### The hourly limit on invitations", forms.LIMIT, forms.LIMIT_COLUMNS, forms.limit(found)),
        *_forms("### Many stacks", forms.STACKS, forms.STACKS_COLUMNS, forms.stacks(found)),
        *_section("## Targets", _TARGETS, ("what", "aimed at", "measured", "met"), _targets(found)),
        *_section("## Single grants", _SINGLE, _SINGLE_COLUMNS, map(_single, single)),
        *_section("### Growth", _GROWTH,
                  ("command", "checkpoints", "from", "to", "grants", "seconds"),
                  _growth(single)),
        *_section("### State", _STATE, ("grants", "resources", "bytes", "bytes a resource", "the floor's"),
                  map(_state, sorted(found["states"], key=lambda one: one["grants"]))),
        *_section("## `ProjectAccess`", _WHOLE,
                  ("grants", "command", "requests", "writes", "MB received", "seconds", "MB held"),
                  (_whole(one) for one in figures if one not in single)),
        *_section("## Both servers of the resources", _SERVERS,
                  ("grants", "command", "server", "requests", "writes", "seconds", "bytes of the state", "MB held"),
                  _servers(found)),
        *_section("## Commands that read everything", _COMMANDS,
                  ("people", "grants", "command", "requests", "seconds", "CPU seconds", "MB held"),
                  map(_command, found["commands"])),
        *_section("## The rest", _REST, ("what", "measured"), _rest(found)),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _meaning(found: dict[str, Any]) -> Iterator[str]:
    """What the figures mean, and how many targets they meet."""
    for text in forms.meaning(found):
        met = [row[3] == "yes" for row in _targets(found)]
        yield f"{text} {sum(met)} of {len(met)} [targets](#targets) are met." if met else text


def _section(title: str, meaning: str, columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A table with what it means; nothing where nothing was measured."""
    if found := list(rows):
        yield from (title, meaning, markdown([*columns, *_RUN], found))


def _compared(found: dict[str, Any]) -> Iterator[str]:
    """The comparison of the forms; each column has its own version and day."""
    if found["forms"]:
        about, columns, rows = forms.compared(found)
        yield from ("## Grouped, single, and the official provider", about, markdown(columns, rows))


def _forms(title: str, about: str, columns: Sequence[str], rows: Iterable[tuple[Row, Figure]]) -> Iterator[str]:
    """A table of rows that come with their figures, of whose names the text may speak."""
    if pairs := list(rows):
        text = about.format(**pairs[0][1])
        yield from _section(title, text, columns, ([*row, *_run(one)] for row, one in pairs))


def _run(one: Figure) -> list[object]:
    """The version that was measured, and the day."""
    return [one["versions"]["mixpanel-access"], one["date"]]


def _runs(found: dict[str, Any]) -> Iterator[str]:
    """With what each version was measured, and when."""
    days: dict[tuple[str, ...], set[str]] = {}
    for one in runs_in(found):
        versions = tuple(one["versions"][name] for name in ("mixpanel-access", "engine", "python"))
        days.setdefault(versions, set()).add(one["date"])
    rows = [[*versions, ", ".join(sorted(on))] for versions, on in sorted(days.items())]
    yield markdown(["mixpanel-access", "engine", "Python", "on"], rows)


_SINGLE_COLUMNS: Final = (
    "grants", "checkpoints", "command", "requests", "writes", "MB received", "seconds", "floor", "ratio", "MB held",
)  # fmt: skip


def _single(one: Figure) -> Row:
    cost = one["ours"]
    return [
        *(one["grants"], _yes(one["checkpoints"]), one["command"], cost["requests"], cost["writes"]),
        *(_mb(cost["bytes_out"]), cost["seconds"], one["floor"], one["ratio"], cost["provider_mb"]),
        *_run(one),
    ]


def _whole(one: Figure) -> Row:
    cost, name = one["ours"], one["command"].removesuffix(", ProjectAccess")
    costs = cost["requests"], cost["writes"], _mb(cost["bytes_out"]), cost["seconds"], cost["provider_mb"]
    return [one["grants"], name, *costs, *_run(one)]


def _state(one: Figure) -> Row:
    each = (round(one[size] / one["resources"]) for size in ("bytes", "floor_bytes"))
    return [one["grants"], one["resources"], one["bytes"], *each, *_run(one)]


def _servers(found: dict[str, Any]) -> Iterator[Row]:
    for one in found["servers"]:
        costs = (one["cost"][name] for name in ("requests", "writes", "seconds"))
        yield [
            *(one["grants"], one["command"], one["server"], *costs, one["state_bytes"], one["cost"]["provider_mb"]),
            *_run(one),
        ]
    if starts := found.get("server_start"):
        for server, seconds in starts["seconds"].items():
            yield ["", "start", server, "", "", seconds, "", "", *_run(starts)]


def _command(one: Figure) -> Row:
    names = ("people", "grants", "command", "requests", "seconds", "cpu_seconds", "megabytes")
    return [*(one[name] for name in names), *_run(one)]


def _targets(found: dict[str, Any]) -> Iterator[Row]:
    for target in forms.targets(found):
        yield _target(*target)
    for one in found["figures"]:
        yield from _targets_of(one)
    for one in found["commands"]:
        if one["command"] in CROWD_COMMANDS and one["people"] == CROWD:
            about = f"`{one['command']}` of {one['people']} people, grants as {one['grants']}"
            yield _target(about, CROWD_SECONDS, "s", one["seconds"], one)
            yield _target(about, CROWD_MEGABYTES, "MB", one["megabytes"], one)
        if one["command"] in FEW_COMMANDS and one["people"] == FEW:
            about = f"`{one['command']}` of {FEW} people, grants as {one['grants']}"
            yield _target(about, FEW_SECONDS, "s of CPU", one["cpu_seconds"], one)
    for one in found["policies"]:
        if one["form"] == GROUPED:
            about = f"policies over {one['people']} members with a grant each, {one['form']}"
            yield _target(about, POLICY_SECONDS, "s", one["seconds"], one)
    for one in found["rosters"]:
        if one["people"] == ROSTER:
            yield _target(f"reading a roster of {ROSTER} people", ROSTER_SECONDS, "s", one["seconds"], one)
    if starts := found.get("start"):
        yield _target("start of any command", START_SECONDS, "s", max(starts["commands"].values()), starts)


def _targets_of(one: Figure) -> Iterator[Row]:
    """The targets of a command over some grants."""
    cost = one["ours"]
    if one["grants"] == AIMED and one["command"] in RATIOS:
        about = f"{one['command']} of {AIMED} grants{'' if one['checkpoints'] else ', without checkpoints'}"
        yield _target(about, RATIOS[one["command"]], "of the floor", one["ratio"], one)
    if one["grants"] == AIMED and one["checkpoints"] and one["command"] == "refresh":
        yield _target(f"refresh of {AIMED} grants", 10, "requests", cost["requests"], one)
        yield _target(f"refresh of {AIMED} grants", 1, "MB", round(cost["bytes_out"] / 1_000_000, 2), one)
    whole = f"of {one['grants']} grants as `ProjectAccess`"
    if one["command"] == "up (create), ProjectAccess":
        yield _target(f"up {whole}", 20, "s", cost["seconds"], one)
    if one["command"] == "refresh, ProjectAccess":
        yield _target(f"refresh {whole}", 15, "requests", cost["requests"], one)
    if one["command"] == "destroy, ProjectAccess":
        yield _target(f"destroy {whole}", one["grants"], "writes", cost["writes"], one)


def _target(what: str, aim: float, unit: str, measured: float, one: Figure) -> Row:
    return [what, f"{aim:g} {unit}", measured, "yes" if measured <= aim else "**no**", *_run(one)]


def _growth(figures: Sequence[Figure]) -> Iterator[Row]:
    by_command: dict[tuple[str, bool], list[Figure]] = {}
    for one in figures:
        by_command.setdefault((one["command"], one["checkpoints"]), []).append(one)
    for (command, checkpoints), sizes in by_command.items():
        for one, other in pairwise(sizes):
            more, longer = other["grants"] / one["grants"], other["ours"]["seconds"] / one["ours"]["seconds"]
            if (one["date"], one["versions"]) == (other["date"], other["versions"]):
                named = (command, _yes(checkpoints), one["grants"], other["grants"])
                yield [*named, f"x {more:.0f}", f"x {longer:.1f}", *_run(one)]


def _rest(found: dict[str, Any]) -> Iterator[Row]:
    for one in found["policies"]:
        yield [
            f"policies over {one['people']} members with a grant each, {one['form']}",
            f"{one['seconds']} s",
            *_run(one),
        ]
    for one in found["rosters"]:
        yield [f"reading a roster of {one['people']} people", f"{one['seconds']} s", *_run(one)]
    if one := found.get("emulator"):
        yield ["the emulator", f"{one['requests_per_second']} requests a second", *_run(one)]
    if one := found.get("start"):
        slowest, seconds = max(one["commands"].items(), key=lambda pair: pair[1])
        yield ["`mixpanel-access --help`", f"{one['commands']['--help']} s", *_run(one)]
        yield [f"the slowest command to start (`{slowest}`)", f"{seconds} s", *_run(one)]
        yield ["to load Pydantic, ruamel.yaml and Typer, and nothing of ours", f"{one['libraries']} s", *_run(one)]


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.2f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULTS.read_text())))
