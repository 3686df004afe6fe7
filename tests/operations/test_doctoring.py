"""What `doctor` finds on this machine: each thing that can be wrong there ends in a verdict, with nothing hidden."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access import __version__
from mixpanel_access.cli.findings import print_findings
from mixpanel_access.emulator.server import EmulatorServer, demo_document
from mixpanel_access.model.verdict import Cause
from mixpanel_access.operations.doctoring import Examination, clock
from tests.operations.machines import CONFIG, SECRET, Machine


class Terminal(io.StringIO):
    """Somebody looks."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """One on which only the network is missing; its client waits for nothing."""
    with stamina.set_testing(True, attempts=1):
        yield Machine(tmp_path)


def _fails(command: str, words: str) -> Callable[[Machine], None]:
    return lambda machine: machine.answer({command: (255, f"error: {words}")})


def _without(key: str) -> Callable[[Machine], None]:
    rest = {name: {"value": value} for name, value in CONFIG.items() if name != key}
    return lambda machine: machine.answer({"config": (0, json.dumps(rest))})


def _old_virtualenv(machine: Machine) -> None:
    machine.write("Pulumi.yaml", "name: access\nruntime: { name: python, options: { virtualenv: venv } }\n")
    machine.write("venv/bin/python", "")
    machine.write("venv/lib/python3.11/site-packages/mixpanel_access-0.1.0.dist-info/METADATA",
                  "Metadata-Version: 2.1\nName: mixpanel-access\nVersion: 0.1.0\n")  # fmt: skip


WRONG: dict[str, tuple[Callable[[Machine], object], Cause, str]] = {
    "no network": (lambda machine: None, Cause.NETWORK, "Check the network"),
    "a proxy that does not answer": (
        lambda machine: machine.environ.update(HTTP_PROXY="http://127.0.0.1:9"), Cause.PROXY, "docs/proxy.md",
    ),
    "a proxy that is none": (
        lambda machine: machine.environ.update(HTTPS_PROXY="ftp://x"), Cause.PROXY, "Correct the variable",
    ),
    "another folder": (
        lambda machine: (machine.project / "Pulumi.yaml").unlink(), Cause.PROJECT, "name that with --cwd",
    ),
    "no engine": (Machine.remove_engine, Cause.ENGINE, "Install Pulumi"),
    "a virtualenv that is not there": (
        lambda machine: machine.write("Pulumi.yaml", "name: x\nruntime: {name: python, options: {virtualenv: v}}\n"),
        Cause.PACKAGES, "pulumi install",
    ),
    "a virtualenv with another version": (_old_virtualenv, Cause.PACKAGES, f"install mixpanel-access {__version__}"),
    "no login to a backend": (_fails("stack", "PULUMI_ACCESS_TOKEN must be set"), Cause.BACKEND, "pulumi login"),
    "no bucket": (_fails("stack", "could not open bucket s3://of-ana@example.com"), Cause.BACKEND, "pulumi login"),
    "no stack": (lambda machine: machine.answer({"stack": (0, "[]")}), Cause.STACK, "pulumi stack init"),
    "a stack that is gone": (_fails("config", "no stack named 'production' found"), Cause.STACK, "run it again"),
    "a Pulumi.yaml that is not YAML": (
        lambda machine: machine.write("Pulumi.yaml", "name: [\n"), Cause.PROJECT, "Fix it",
    ),
    "no passphrase": (_fails("config", "passphrase must be set"), Cause.PASSPHRASE, "PULUMI_CONFIG_PASSPHRASE"),
    "a wrong passphrase": (_fails("config", "incorrect passphrase"), Cause.PASSPHRASE, "PULUMI_CONFIG_PASSPHRASE"),
    "no secret": (_without("mixpanel:serviceAccountSecret"), Cause.CONFIGURATION, "correct what the error line says"),
    "no organization": (_without("mixpanel:organizationId"), Cause.CONFIGURATION, "correct what the error line says"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "cause", "step"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_here_is_the_verdict(
    machine: Machine, spoil: Callable[[Machine], object], cause: Cause, step: str
) -> None:
    """In words and as JSON, before the error with its own exit code; the words of others are not shown."""
    spoil(machine)
    came = machine.run("doctor")
    assert (came.error, came.code in (2, 3)) == (None, True), came
    assert came.err.splitlines()[-1].startswith("error: ")
    text = " ".join(came.out.split())
    assert "Most likely: " in text
    assert step in text.partition(" Do: ")[2]
    assert [line for line in came.out.splitlines() if len(line) > 100] == []
    document = json.loads(machine.run("doctor", "--json").out)
    assert document["verdict"]["cause"] == cause
    assert "@" not in came.out + json.dumps(document)
    assert SECRET not in came.out + came.err


FILES: dict[str, tuple[str, str, Cause, str]] = {
    "a roster": (
        "production.yaml", "environment: production\npeople: [{ email: nobody }]\n", Cause.ROSTER,
        "mixpanel-access roster production.yaml",
    ),
    "the policies": (
        "policies/config/production.json", '{ "no-such-rule": "mandatory" }', Cause.POLICY_PACK, "policy list",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "cause", "step"), FILES.values(), ids=FILES.keys())
def test_a_mistake_in_a_file_is_told_even_if_the_network_is_the_cause(
    machine: Machine, name: str, text: str, cause: Cause, step: str
) -> None:
    """It is a finding of its own; what it says is not shown, since it may name somebody."""
    machine.write(name, text)
    document = json.loads(machine.run("doctor", "--json").out)
    assert document["verdict"]["cause"] == Cause.NETWORK
    (problem,) = [one for one in document["machine"] if one["call"] == cause]
    assert (problem["finding"], step in problem["nextStep"]) == ("failed", True)
    assert "nobody" not in json.dumps(document)


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    """An organization that answers as expected, for all tests here."""
    with EmulatorServer(demo_document()) as running:
        yield running


ONLINE: dict[str, tuple[dict[str, str], int, Cause, str]] = {
    "nothing": ({}, 0, Cause.NOTHING, "Nothing is wrong that this command can see."),
    "a wrong secret": (
        {"serviceAccountSecret": "wrong"}, 1, Cause.CREDENTIALS,
        "then `pulumi config set --secret mixpanel:serviceAccountSecret --stack production`.",
    ),
    "another organization": (
        {"organizationId": "42"}, 1, Cause.ORGANIZATION,
        "not 42. Do: `pulumi config set mixpanel:organizationId 7654321 --stack production`.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "code", "cause", "end"), ONLINE.values(), ids=ONLINE.keys())
def test_what_mixpanel_answers_ends_in_a_verdict(
    machine: Machine, server: EmulatorServer, changed: dict[str, str], code: int, cause: Cause, end: str
) -> None:
    """In lines that fit, each command in one piece, and with nothing on standard error."""
    machine.online(server.url, changed)
    came = machine.run("doctor")
    assert (came.code, came.err, came.error) == (code, "", None)
    assert " ".join(came.out.split()).endswith(end)
    assert [line for line in came.out.splitlines() if len(line) > 100] == []
    document = json.loads(machine.run("doctor", "--json").out)
    assert document["verdict"]["cause"] == cause
    assert "{" not in "".join(one["nextStep"] for one in document["organizations"][0]["probes"])
    assert {one["call"]: one["finding"] for one in document["machine"]} == dict.fromkeys(
        ("packages", "engine", "stacks", "policy pack", "clock"), "ok"
    )


@pytest.mark.parametrize("ahead", [None, 0.4, -299.0, 301.0, -86_400.0])
def test_a_clock_that_is_far_off_is_wrong(ahead: float | None) -> None:
    """One of which Mixpanel says nothing is unknown, which is not wrong."""
    found = Examination(machine=list(clock(ahead)))
    assert (found.verdict().cause is Cause.CLOCK) is (not found.healthy) is (ahead in (301.0, -86_400.0))
    assert bool(found.machine) is (ahead is not None)


Words = st.lists(st.sampled_from(["a", "wrong", "`pulumi config set mixpanel:region eu --stack production`", "x" * 30,
                                  "somebody.with.a.long.name@agency-of-somebody.example.com"]), min_size=1)  # fmt: skip


@given(Words, st.sampled_from([24, 40, 80, 100, 200]))
def test_a_finding_fits_and_nothing_in_it_is_divided(words: list[str], width: int) -> None:
    """A line is longer than the terminal only where a single command or address is."""
    shown = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", shown)
        patch.setenv("COLUMNS", str(width))
        print_findings("this machine", [("to be confirmed", " ".join(words))])
    _, *lines = shown.getvalue().splitlines()
    text = [line.removeprefix("  to be confirmed").strip() for line in lines]
    assert " ".join(filter(None, text)) == " ".join(words)
    assert [line for line in text if line.count("`") % 2] == []
    too_long = [part for part, line in zip(text, lines, strict=True) if len(line) > min(width, 100)]
    assert set(too_long) <= set(words)
