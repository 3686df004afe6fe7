"""What the engine was asked to do, by its command line and the stack's state."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mixpanel_access.provider.command import Command, Process, deleted, find, of_ps, parse, process_of

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
    "another command with a verb in it": ("pulumi stack rm up", None),
    "a verb as a value": ("pulumi -s preview destroy", Command("destroy", stack="preview")),
    "a verb as a long value": ("pulumi --stack up preview", Command("preview", stack="up")),
    "a verb as a folder": ("pulumi -C destroy up", Command("up")),
    "a verb as a long folder": ("pulumi --cwd destroy --color never up", Command("up")),
    "a verb as a message": ("pulumi up -m destroy", Command("up")),
    "a verb as what an unknown flag takes": ("pulumi --new destroy up", Command("up")),
    "a switch before the verb": ("pulumi -e --logtostderr -Q up", Command("up")),
    "a flag of the verb before it takes a word": ("pulumi -y preview destroy", Command("destroy")),
    "values that look like flags": ("pulumi up -m -t -c --exclude --config-file -x", Command("up")),
    "a value in the same word": ("pulumi up -m-t --message=-t -p4 -C=-x", Command("up")),
    "a stack that looks like a flag": ("pulumi up -s -t", Command("up", stack="-t")),
    "the last stack": ("pulumi up -s dev --stack=prod", Command("up", stack="prod")),
    "a cluster": (f"pulumi up -yt {A}", Command("up", targets=(A,))),
    "a cluster with its value": (f"pulumi up -yft{A}", Command("up", targets=(A,))),
    "a cluster with an equals sign": (f"pulumi up -yx={A}", Command("up", excludes=(A,))),
    "a cluster that ends in a value": ("pulumi up -ymt", Command("up")),
    "a cluster of switches": ("pulumi up -yfdrj", Command("up")),
    "a switch with a value": (f"pulumi up -y=false -r=true -t {A}", Command("up", targets=(A,))),
    "a refresh takes no word": (f"pulumi up --refresh -t {A}", Command("up", targets=(A,))),
    "after the end of flags": (f"pulumi up -- -t {A}", Command("up")),
    "a template": ("pulumi up https://example.com/t", Command("up")),
    "protected, in other words": ("pulumi destroy --exclude-protected=T", Command("destroy", exclude_protected=True)),
    "not protected": ("pulumi destroy --exclude-protected --exclude-protected=false", Command("destroy")),
    "an unknown letter": ("pulumi up -Z", Command("up", unclear=True)),
    "an unknown letter in a cluster": (f"pulumi up -yZt {A}", Command("up", unclear=True)),
    "an unknown letter beside a target": (f"pulumi up -Z -t {A}", Command("up", targets=(A,), unclear=True)),
    "an unknown flag that sounds like it": (f"pulumi destroy --target-only {A}", Command("destroy", unclear=True)),
    "an unknown flag": ("pulumi up --new --newer=x word", Command("up")),
    "as Automation API asks": (
        f"pulumi up --yes --skip-preview --target {A} --exec-kind auto.local --event-log /tmp/up --stack dev",
        Command("up", targets=(A,), stack="dev"),
    ),
    "a flag without its verb": ("pulumi --stack up", None),
    "none": ("pulumi", None),
}


@pytest.mark.parametrize(("line", "command"), LINES.values(), ids=LINES)
def test_a_command_line_says_the_verb_and_what_is_left_alone(line: str, command: Command | None) -> None:
    """As the engine reads it; what may be about other resources than it seems is unclear."""
    assert parse(Process(line.split(), 1)) == command


def test_only_what_leaves_something_alone_is_partial() -> None:
    """A plain command, and one with dependents alone, are about everything; an unclear one may not be."""
    for name, (_, command) in LINES.items():
        leaves = command and (command.targets or command.excludes or command.exclude_protected or command.unclear)
        assert bool(command and command.partial) is bool(leaves), name


SHOWN: dict[str, tuple[str, str, Command | None]] = {
    "plain": ("pulumi up --yes", "pulumi", Command("up")),
    "a target": (f"pulumi up -t {A}", "pulumi", Command("up", targets=(A,))),
    "a path with a blank": (
        "/My Tools/pulumi destroy",
        "/My Tools/pulumi",
        Command("destroy", program="/My Tools/pulumi"),
    ),
    "the name without its path": ("/opt/pulumi up", "pulumi", Command("up", program="/opt/pulumi")),
    "a folder with a blank": ("pulumi -C my folder up", "pulumi", Command("up")),
    "a name with a blank": (f"pulumi up -t {A} b", "pulumi", Command("up", targets=(A,), unclear=True)),
    "a message": ("pulumi up -m two words", "pulumi", Command("up")),
    "a message that sounds like a target": ("pulumi up -m not -t x", "pulumi", Command("up", targets=("x",))),
    "a message of one word": (f"pulumi up -m word -t {A}", "pulumi", Command("up", targets=(A,))),
    "another program": ("bash -c pulumi up", "bash", None),
}


@pytest.mark.parametrize(("line", "program", "command"), SHOWN.values(), ids=SHOWN)
def test_a_command_line_that_is_split_at_its_blanks_is_unclear_where_that_matters(
    line: str, program: str, command: Command | None
) -> None:
    """Where only `ps` tells it: a part of a value may look like a flag or like a verb."""
    started = "Sun-Nov-29-20-01-34-2026"
    process = of_ps(f"  812 Sun Nov 29 20:01:34 2026     {line}".strip(), program)
    assert process is not None
    assert (process.parent, process.started) == (812, started)
    message = command is not None and "-m" in line and bool(command.targets)
    expected = command and replace(command, pid=9, started=started, unclear=command.unclear or message)
    assert find(9, {9: process}.get) == expected


@pytest.mark.parametrize("told", ["", "812", "x Sun Nov 29 20:01:34 2026 pulumi up", "1 Sun Nov 29"])
def test_what_ps_does_not_tell_is_unknown(told: str) -> None:
    """Such as of a process that has ended."""
    assert of_ps(told, "pulumi") is None


def test_a_process_is_known_by_its_start_too() -> None:
    """Both sides of a run read the same of the engine, and of what started at another time something else."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        assert cat.stdin is not None
        assert cat.stdout is not None
        cat.stdin.write(b"\n")
        cat.stdin.flush()
        cat.stdout.readline()  # it has begun: before, it has no command line
        first, again, own = process_of(cat.pid), process_of(cat.pid), process_of(os.getpid())
        assert first is not None
        assert own is not None
        assert first == again
        assert (list(first.words), first.parent) == (["cat"], os.getpid())
        assert first.started not in ("", own.started)


PROCESSES: dict[str, tuple[Mapping[int, Process], str | None]] = {
    "its parent": ({9: Process(["pulumi", "up"], 1)}, "up"),
    "through a shell": ({9: Process(["sh", "-c"], 8), 8: Process(["/x/pulumi.exe", "destroy"], 1)}, "destroy"),
    "the nearest of two": ({9: Process(["pulumi", "up"], 8), 8: Process(["pulumi", "destroy"], 1)}, "up"),
    "none": ({9: Process(["python", "pulumi"], 8), 8: Process(["bash"], 1)}, None),
    "unreadable": ({}, None),
    "an endless chain": ({9: Process(["sh"], 9)}, None),
    "a process without a command line": ({9: Process([], 1)}, None),
}


@pytest.mark.parametrize(("processes", "verb"), PROCESSES.values(), ids=PROCESSES)
def test_the_engine_is_the_nearest_parent_of_its_name(processes: Mapping[int, Process], verb: str | None) -> None:
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
