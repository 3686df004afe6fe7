"""docs/figures.md, made of bench/results/latest.json: what was measured, next to the aim."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from mixpanel_access.operations.tables import markdown

RESULTS: Final = Path(__file__).parent / "results" / "latest.json"
PAGE: Final = Path(__file__).parents[1] / "docs" / "figures.md"
AIMED: Final = 1000
"""Grants at which a ratio is aimed at."""
RATIOS: Final = {"preview (create)": 1.15, "preview (unchanged)": 1.15, "refresh": 1.15, "up (create)": 1.25}
"""The command -> how many times the floor's seconds it may take."""

CROWD_SECONDS: Final = 4.0
CROWD_MEGABYTES: Final = 250
"""What a command that reads everything may take, and hold, over 5,000 people."""
BEFORE: Final = {
    ("status", "single"): 10.3,
    ("status", "ProjectAccess"): 8.9,
    ("report", "single"): 15.4,
    ("report", "ProjectAccess"): 10.0,
    ("drift", "single"): 8.4,
    ("drift", "ProjectAccess"): 4.3,
}
"""CPU seconds of the commands with that aim on the morning of 2026-11-30, when the engine exported each state."""

_HOW: Final = (
    "Measured by `make bench`, on {cores} cores ({system}, {machine}), with mixpanel-access {mixpanel_access}, engine "
    "{engine} and Python {python}, against the emulator on the same machine. The last column has the day. "
    "Compare seconds only with those of the same day; ratios can be compared across days. This page is made from "
    "`bench/results/latest.json`. [Scale](scale.md) explains what follows from the figures."
)
_FLOOR: Final = (
    "The floor is the same program with providers that do nothing: the time for the engine, its SDK and "
    "reading the roster. The runs of both programs alternate. Requests are those to Mixpanel; a write is a request "
    "that changes something."
)
_MEANING: Final = (
    "MB held is the peak memory of the provider's process. Without checkpoints means `PULUMI_SKIP_CHECKPOINTS=true`."
)
_GROWN: Final = ("command", "checkpoints", "from", "to", "grants", "seconds", "on")
"""Columns of what is there only where two sizes were measured on one day."""
Row = Sequence[object]


def page(found: dict[str, Any]) -> str:
    """The page of some results."""
    figures, versions, machine = found["figures"], found["versions"], found["machine"]
    single = [one for one in figures if one["floor"] is not None or one["command"] == "import"]
    wholes = [one for one in figures if one not in single]
    single.sort(key=lambda one: (one["grants"], not one["checkpoints"]))
    growth = list(_growth(single))
    starts = sorted(found["start"]["commands"].items(), key=lambda pair: -pair[1])
    parts = [
        "# Figures",
        _HOW.format(**machine, **{name.replace("-", "_"): v for name, v in versions.items()}),
        _FLOOR,
        *found.get("remarks", []),
        "## Single grants",
        markdown(
            [
                "grants",
                "checkpoints",
                "command",
                "requests",
                "writes",
                "MB received",
                "seconds",
                "floor",
                "ratio",
                "MB held",
                "on",
            ],
            ([*_costs(one), one["floor"], one["ratio"], one["ours"]["provider_mb"], one["date"]] for one in single),
        ),
        _MEANING,
        "### Targets",
        markdown(["what", "aimed at", "measured", "met"], _targets(figures, found.get("commands", []), starts)),
        *(["### Growth", markdown(_GROWN, growth)] if growth else []),
        "### State",
        markdown(
            ["grants", "resources", "bytes", "bytes a resource", "the floor's", "on"],
            (
                [one["grants"], one["resources"], one["bytes"], *_each(one), one["date"]]
                for one in sorted(found["states"], key=lambda one: one["grants"])
            ),
        ),
        "## `ProjectAccess`",
        markdown(
            ["grants", "command", "requests", "writes", "MB received", "seconds", "MB held", "on"],
            ([*_costs(one)[:1], *_costs(one)[2:], one["ours"]["provider_mb"], one["date"]] for one in wholes),
        ),
        *_servers(found),
        *_commands(found.get("commands", [])),
        "## The rest",
        markdown(
            ["what", "measured", "on"],
            [
                *(
                    [
                        f"policies over {one['resources']} resources",
                        f"{one['seconds']} s, {_per_thousand(one)} s per 1,000",
                        one["date"],
                    ]
                    for one in found["policies"]
                ),
                [
                    f"reading a roster of {found['roster']['people']} people",
                    f"{found['roster']['seconds']} s",
                    found["roster"]["date"],
                ],
                [
                    "the emulator, in a process of its own, with as many clients at once as the provider has",
                    f"{found['emulator']['requests_per_second']} requests a second",
                    found["emulator"]["date"],
                ],
                ["`mixpanel-access --help`", f"{found['start']['commands']['--help']} s", found["start"]["date"]],
                [f"the slowest command to start (`{starts[0][0]}`)", f"{starts[0][1]} s", found["start"]["date"]],
                [
                    "to load Pydantic, ruamel.yaml and Typer, and nothing of ours",
                    f"{found['start']['libraries']} s",
                    found["start"]["date"],
                ],
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _servers(found: dict[str, Any]) -> Iterable[str]:
    if not found.get("servers"):
        return
    yield "## Both servers of the resources"
    starts = [f"{seconds} s for {server}" for server, seconds in found["server_start"].items() if server != "date"]
    yield (
        "The same commands on [our own server and the SDK's](resources.md#import-by-id), in turn, without checkpoints. "
        f"From the start of the process to its port: {', '.join(starts)}."
    )
    yield markdown(
        ["grants", "command", "server", "requests", "writes", "seconds", "MB held", "on"],
        (
            [one["grants"], one["command"], one["server"]]
            + [one["cost"][name] for name in ("requests", "writes", "seconds", "provider_mb")]
            + [one["date"]]
            for one in found["servers"]
        ),
    )


def _commands(commands: list[dict[str, Any]]) -> Iterable[str]:
    if not commands:
        return
    yield "## Commands that read everything"
    yield (
        "One stack in a backend in a folder; each person has one grant. CPU seconds are those of the command and the "
        "engine together; before is the morning of 2026-11-30, when the engine exported each state. It still does in "
        "other backends, with 3 to 4 CPU seconds and 400 to 550 MB for the state of 5,000 people with single grants. "
        "MB held is the peak memory of the command without the engine."
    )
    yield markdown(
        ["people", "grants", "command", "requests", "seconds", "CPU seconds", "before", "MB held", "on"],
        (
            [
                *(one[name] for name in ("people", "grants", "command", "requests", "seconds", "cpu_seconds")),
                BEFORE.get((one["command"], one["grants"])),
                one["megabytes"],
                one["date"],
            ]
            for one in commands
        ),
    )


def _targets(
    figures: list[dict[str, Any]], commands: list[dict[str, Any]], starts: list[tuple[str, float]]
) -> Iterable[Row]:
    for one in figures:
        if one["grants"] == AIMED and one["command"] in RATIOS:
            most = RATIOS[one["command"]]
            yield (
                f"{one['command']} of {AIMED} grants{'' if one['checkpoints'] else ', without checkpoints'}",
                f"{most} of the floor",
                one["ratio"],
                _met(one["ratio"] <= most),
            )
    for one in figures:
        cost = one["ours"]
        if one["grants"] == AIMED and one["checkpoints"] and one["command"] == "refresh":
            about = f"refresh of {AIMED} grants"
            yield about, "10 requests", cost["requests"], _met(cost["requests"] <= 10)
            yield about, "1 MB", _mb(cost["bytes_out"]), _met(cost["bytes_out"] <= 1_000_000)
        if one["command"] == "up (create), ProjectAccess":
            yield (
                f"up of {one['grants']} grants as `ProjectAccess`",
                "20 s",
                cost["seconds"],
                _met(cost["seconds"] < 20),
            )
        if one["command"] == "refresh, ProjectAccess":
            about = f"refresh of {one['grants']} grants as `ProjectAccess`"
            yield about, "15 requests", cost["requests"], _met(cost["requests"] <= 15)
    for one in commands:
        if (one["command"], one["grants"]) in BEFORE:
            about = f"`{one['command']}` of {one['people']} people, grants as {one['grants']}"
            yield about, f"{CROWD_SECONDS:g} s", one["seconds"], _met(one["seconds"] < CROWD_SECONDS)
            yield about, f"{CROWD_MEGABYTES} MB", one["megabytes"], _met(one["megabytes"] < CROWD_MEGABYTES)
    yield "start of any command", "0.4 s", starts[0][1], _met(starts[0][1] < 0.4)


def _growth(figures: list[dict[str, Any]]) -> Iterable[Row]:
    by_command: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for one in figures:
        by_command.setdefault((one["command"], one["checkpoints"]), []).append(one)
    for (command, checkpoints), sizes in by_command.items():
        for one, other in pairwise(sizes):
            more, longer = other["grants"] / one["grants"], other["ours"]["seconds"] / one["ours"]["seconds"]
            if one["date"] == other["date"]:
                named = (command, _yes(checkpoints), one["grants"], other["grants"])
                yield *named, f"x {more:.0f}", f"x {longer:.1f}", one["date"]


def _costs(one: dict[str, Any]) -> list[object]:
    cost = one["ours"]
    name = one["command"].removesuffix(", ProjectAccess")
    head = [one["grants"], _yes(one["checkpoints"]), name, cost["requests"], cost["writes"]]
    return [*head, _mb(cost["bytes_out"]), cost["seconds"]]


def _each(one: dict[str, Any]) -> list[int]:
    return [round(one[size] / one["resources"]) for size in ("bytes", "floor_bytes")]


def _per_thousand(one: dict[str, Any]) -> str:
    return f"{1000 * one['seconds'] / one['resources']:.1f}"


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.2f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _met(value: bool) -> str:
    return "yes" if value else "**no**"


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULTS.read_text())))
