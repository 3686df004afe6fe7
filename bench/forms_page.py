"""The part of docs/figures.md about forms: what the figures mean, the comparison, growth, the limit, many stacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from bench.comparison import COMMANDS, GRANTS, GROUPED, LARGE, MEMBERS, NEW, PEER, SDK, SINGLE
from bench.peer import COMMANDS as PEER_COMMANDS

Row = Sequence[object]
Figure = dict[str, Any]

COMPARISON: Final = (
    "{grants:,} grants of {people} people who are not in the organization yet, without Mixpanel's limit on "
    "invitations. The engine saves the state in a folder with each step, as it does unless you change a setting. The "
    "official provider's words for the commands are {words}. Mixpanel's provider is {peer}."
)
LARGER: Final = (
    "Grouped rosters of people who are members already, two grants each in 20 projects. Growth compares the seconds "
    "with those of the row's command for a tenth of the grants, on the same day: ten times means that each grant costs "
    "the same."
)
LIMIT: Final = (
    "A grouped roster of {people:,} people, of whom {strangers} are not in the organization, with Mixpanel's limit of "
    "about 10 invitations an hour to one e-mail domain. Each run invites as many as it may, gives everybody else their "
    "access, and says when to run again; the next run goes on."
)
STACKS: Final = (
    "{stacks} stacks over one organization of {people:,} people and {projects} projects, each with a grouped roster, "
    "four runs at a time on one machine. Each stack invites new people, and half of them are in another stack, too. "
    "After each round, the bench checks that everybody has what the rosters declare and that nobody was invited twice."
)
LARGE_SECONDS: Final = {"up (create)": 60, "preview (unchanged)": 10, "refresh": 10}
"""The command -> what it may take over the most grants of members."""
UP_REQUESTS, UP_MEGABYTES, HELD_MEGABYTES, GROWTH = 30, 1, 200, 12.0


def meaning(found: dict[str, Any]) -> Iterator[str]:
    """What the figures mean, for people who read no table: three sentences, as far as something was measured."""
    rows = {(one["form"], one["command"]): one["cost"] for one in found["forms"] if one["people"] == NEW}
    ups = [
        f"{_seconds(rows[form, 'up (create)'])} and {rows[form, 'up (create)']['requests']:,} requests {words}"
        for form, words in _WORDS.items()
        if (form, "up (create)") in rows
    ]
    if not ups:
        return
    text = f"To give {GRANTS:,} grants to {GRANTS // 2} new people, `pulumi up` takes {_listed(ups)}."
    if (unchanged := rows.get((GROUPED, "preview (unchanged)"))) is not None:
        text += f" A preview without a change takes {_seconds(unchanged)} and sends {_requests(unchanged)}"
        if (plan := rows.get((PEER, "preview (unchanged)"))) is not None:
            text += f"; Terraform's plan takes {_seconds(plan)} and sends {_requests(plan)}"
        text += "."
    large = [one for one in _grouped_members(found) if one["command"] == "up (create)"]
    if large:
        most = max(large, key=lambda one: one["grants"])
        text += (
            f" {most['grants']:,} grants of {most['grants'] // 2:,} members take {_seconds(most['cost'])} and "
            f"{_requests(most['cost'])}: above 200 people, use a [grouped roster](scale.md)."
        )
    yield text


_WORDS: Final = {
    GROUPED: "with a grouped roster",
    SINGLE: "with one resource for each grant",
    PEER: "with Mixpanel's own Terraform provider",
}


def compared(found: dict[str, Any]) -> tuple[str, list[str], list[Row]]:
    """The comparison: what it means, its columns and its rows, which have no version of their own."""
    rows = [one for one in found["forms"] if one["people"] == NEW]
    forms = [form for form in (PEER, SINGLE, SDK, GROUPED) if any(one["form"] == form for one in rows)]
    by_name = {(one["form"], one["command"]): one for one in rows}
    cells: list[Row] = [
        [command, *(_cell(by_name[form, command]["cost"]) if (form, command) in by_name else "" for form in forms)]
        for command in COMMANDS
    ]
    firsts = [next(one for one in rows if one["form"] == form) for form in forms]
    cells.append(["mixpanel-access", *("" if one["peer"] else one["versions"]["mixpanel-access"] for one in firsts)])
    cells.append(["on", *(one["date"] for one in firsts)])
    peer = next((one["peer"] for one in firsts if one["peer"]), "not measured here")
    words = ", ".join(f"{words[0]}{' -refresh-only' if '-refresh-only' in words else ''}"
                      for words in PEER_COMMANDS.values())  # fmt: skip
    return COMPARISON.format(grants=GRANTS, people=GRANTS // 2, peer=peer, words=words), ["work", *forms], cells


def _cell(cost: Figure) -> str:
    return f"{_seconds(cost)}, {_requests(cost)}" + (f", {_mb(cost)} MB" if cost["requests"] else "")


def larger(found: dict[str, Any]) -> Iterator[tuple[Row, Figure]]:
    """The rows of grouped rosters of members, each with its figure."""
    growth = {(one["grants"], one["command"]): f"x {times:.1f}" for times, one in _growth(found)}
    for one in _grouped_members(found):
        cost = one["cost"]
        costs = cost["requests"], _mb(cost), cost["seconds"], growth.get((one["grants"], one["command"]), "")
        yield [one["grants"], one["command"], *costs, cost["provider_mb"]], one


LARGER_COLUMNS: Final = ("grants", "command", "requests", "MB received", "seconds", "growth", "MB held")


def limit(found: dict[str, Any]) -> Iterator[tuple[Row, Figure]]:
    """The rows of the runs under the limit."""
    for one in found["limit"]:
        cost, says = one["cost"], "yes" if one["says_when"] else "**no**"
        yield [one["run"], cost["requests"], cost["seconds"], one["invitations"], one["twice"], says], one


LIMIT_COLUMNS: Final = ("run", "requests", "seconds", "invitations", "invited twice", "says when to go on")


def stacks(found: dict[str, Any]) -> Iterator[tuple[Row, Figure]]:
    """The rows of many stacks."""
    for one in found["stacks"]:
        cost = one["cost"]
        each = round(cost["requests"] / one["stacks"], 1)
        yield [one["round"], cost["requests"], each, _mb(cost), one["invitations"], cost["seconds"]], one


STACKS_COLUMNS: Final = ("round", "requests", "a stack", "MB received", "invitations", "seconds")


def targets(found: dict[str, Any]) -> Iterator[tuple[str, float, str, float, Figure]]:
    """What was aimed at: about what, the aim, its unit, the figure, and the row that it is of."""
    new = {(one["form"], one["command"]): one for one in found["forms"] if one["people"] == NEW}
    for command in COMMANDS:
        ours, peer = new.get((GROUPED, command)), new.get((PEER, command))
        about = f"{command} of {GRANTS} grants, grouped"
        if ours and peer:
            yield f"{about}, beside the official provider", peer["cost"]["seconds"], "s", ours["cost"]["seconds"], ours
        if ours and command == "up (create)":
            yield about, UP_REQUESTS, "requests", ours["cost"]["requests"], ours
            yield about, UP_MEGABYTES, "MB", round(ours["cost"]["bytes_out"] / 1_000_000, 2), ours
    for one in _grouped_members(found):
        if one["grants"] == max(LARGE) and one["command"] in LARGE_SECONDS:
            about = f"{one['command']} of {one['grants']} grants, grouped"
            yield about, LARGE_SECONDS[one["command"]], "s", one["cost"]["seconds"], one
            if one["cost"]["provider_mb"]:
                yield about, HELD_MEGABYTES, "MB held", one["cost"]["provider_mb"], one
    for times, one in _growth(found):
        if one["command"] == "up (create)":
            yield f"growth of up to {one['grants']} grants, grouped", GROWTH, "times", round(times, 1), one
    for one in found["limit"]:
        yield f"{one['run']} under the limit: people invited twice", 0, "people", one["twice"], one


def _grouped_members(found: dict[str, Any]) -> list[Figure]:
    order = list(COMMANDS)
    rows = [one for one in found["forms"] if (one["form"], one["people"]) == (GROUPED, MEMBERS)]
    return sorted(rows, key=lambda one: (one["grants"], order.index(one["command"])))


def _growth(found: dict[str, Any]) -> Iterator[tuple[float, Figure]]:
    """How many times longer a command takes than for a tenth of the grants, on the same day with the same version."""
    for command in COMMANDS:
        for one, other in pairwise([row for row in _grouped_members(found) if row["command"] == command]):
            same_run = (one["date"], one["versions"]) == (other["date"], other["versions"])
            if same_run and other["grants"] == 10 * one["grants"]:
                yield other["cost"]["seconds"] / one["cost"]["seconds"], other


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, and {parts[-1]}"


def _seconds(cost: Figure) -> str:
    seconds = cost["seconds"]
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"


def _requests(cost: Figure) -> str:
    return f"{cost['requests']:,} requests" if cost["requests"] != 1 else "1 request"


def _mb(cost: Figure) -> str:
    return f"{cost['bytes_out'] / 1_000_000:.2f}"
