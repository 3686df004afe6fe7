"""What the engine was asked to do, by its command line and the stack's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mixpanel_access.provider.command import Command, deleted, find, parse

A, B = "urn:pulumi:p::x::t:Member::a", "urn:pulumi:p::x::t:Member::b"

LINES: dict[str, tuple[str, Command | None]] = {
    "all": ("pulumi up --yes", Command("up")),
    "an old name": ("pulumi update", Command("up")),
    "down": ("/opt/pulumi/pulumi --non-interactive down", Command("destroy", program="/opt/pulumi/pulumi")),
    "two targets": (
        f"pulumi destroy --target {A} --target={B} -s dev",
        Command("destroy", targets=(A, B), stack="dev"),
    ),
    "short ones": (f"pulumi up -t {A} -x{B} -s=dev", Command("up", targets=(A,), excludes=(B,), stack="dev")),
    "to replace": (f"pulumi up --target-replace {A}", Command("up", targets=(A,))),
    "dependents alone": ("pulumi up --target-dependents", Command("up")),
    "excluded": (f"pulumi destroy --exclude {A}", Command("destroy", excludes=(A,))),
    "protected": ("pulumi destroy --exclude-protected", Command("destroy", exclude_protected=True)),
    "protected all the same": ("pulumi destroy --ignore-protect", Command("destroy", ignore_protect=True)),
    "a flag without its value": ("pulumi up --target", Command("up")),
    "another command": ("pulumi stack export", None),
    "none": ("pulumi", None),
}


@pytest.mark.parametrize(("line", "command"), LINES.values(), ids=LINES)
def test_a_command_line_says_the_verb_and_what_is_left_alone(line: str, command: Command | None) -> None:
    """As the engine reads it."""
    assert parse(line.split()) == command


def test_only_what_leaves_something_alone_is_partial() -> None:
    """A plain command, and one with dependents alone, are about everything."""
    partial = {name for name, (_, command) in LINES.items() if command and command.partial}
    assert partial == {"two targets", "short ones", "to replace", "excluded", "protected"}


PROCESSES: dict[str, tuple[Mapping[int, tuple[Sequence[str], int]], str | None]] = {
    "its parent": ({9: (["pulumi", "up"], 1)}, "up"),
    "through a shell": ({9: (["sh", "-c"], 8), 8: (["/x/pulumi.exe", "destroy"], 1)}, "destroy"),
    "the nearest of two": ({9: (["pulumi", "up"], 8), 8: (["pulumi", "destroy"], 1)}, "up"),
    "none": ({9: (["python", "pulumi"], 8), 8: (["bash"], 1)}, None),
    "unreadable": ({}, None),
    "an endless chain": ({9: (["sh"], 9)}, None),
    "a process without a command line": ({9: ([], 1)}, None),
}


@pytest.mark.parametrize(("processes", "verb"), PROCESSES.values(), ids=PROCESSES)
def test_the_engine_is_the_nearest_parent_of_its_name(
    processes: Mapping[int, tuple[Sequence[str], int]], verb: str | None
) -> None:
    """What cannot be found or read is unknown."""
    command = find(9, processes.get)
    assert (command.verb if command else None) == verb


def resource(name: str, **more: Any) -> dict[str, Any]:
    """A resource of a state."""
    return {"urn": f"urn:pulumi:p::x::t::{name}", **more}


def urns(*names: str) -> list[str]:
    """Their URNs."""
    return [f"urn:pulumi:p::x::t::{name}" for name in names]


STATE = [
    resource("roster"),
    resource("provider"),
    resource("kim", parent=urns("roster")[0], provider=f"{urns('provider')[0]}::id", protect=True),
    resource("lee", parent=urns("roster")[0]),
    resource("kim-grant", dependencies=urns("kim")),
    resource("lee-grant", propertyDependencies={"email": urns("lee"), "role": None}),
    resource("with-lee", deletedWith=urns("lee")[0]),
    resource("replaced", replaceWith=urns("lee")),
    resource("kept", retainOnDelete=True),
    resource("brake", dependencies=urns("kim", "lee", "kim-grant", "lee-grant")),
]

DELETED: dict[str, tuple[Command, set[str]]] = {
    "a target, with its dependents": (
        Command("destroy", targets=urns("kim"), ignore_protect=True),
        {"kim", "kim-grant", "brake"},
    ),
    "a target that is protected": (Command("destroy", targets=urns("kim")), {"kim-grant", "brake"}),
    "a target by a property": (
        Command("destroy", targets=urns("lee")),
        {"lee", "lee-grant", "with-lee", "replaced", "brake"},
    ),
    "a grant": (Command("destroy", targets=urns("kim-grant")), {"kim-grant", "brake"}),
    "two, by a pattern": (Command("destroy", targets=["**::*-grant"]), {"kim-grant", "lee-grant", "brake"}),
    "a star stops at a colon": (Command("destroy", targets=["urn:*grant"]), set()),
    "a dot is a dot": (Command("destroy", targets=["**::k.m"]), set()),
    "one that there is not": (Command("destroy", targets=urns("bo")), set()),
    "excluded, with what it needs": (
        Command("destroy", excludes=urns("kim-grant")),
        {"lee", "lee-grant", "with-lee", "replaced", "brake"},
    ),
    "protected": (
        Command("destroy", exclude_protected=True),
        {"lee", "kim-grant", "lee-grant", "with-lee", "replaced", "brake"},
    ),
    "an exclusion of nothing": (
        Command("destroy", excludes=urns("bo")),
        {one["urn"].rsplit("::")[-1] for one in STATE} - {"kim", "kept"},
    ),
}


@pytest.mark.parametrize(("command", "names"), DELETED.values(), ids=DELETED)
def test_what_a_command_deletes_is_what_the_engine_deletes(command: Command, names: set[str]) -> None:
    """Targets take along what depends on them, exclusions keep what they depend on."""
    assert deleted(STATE, command) == set(urns(*names))
