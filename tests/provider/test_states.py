"""Reading what the project's stacks hold by the engine's command line: what cannot be read is unknown, never absent."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.model.brakes import Limits
from mixpanel_access.model.resources import GRANT_TYPE, MEMBER_TYPE, PROJECT_ACCESS_TYPE
from mixpanel_access.provider.command import Command
from mixpanel_access.provider.exported_states import project_states
from mixpanel_access.provider.states import States, members, people_of
from tests.fakes import ORGANIZATION

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def resource(type_: str, id_: str, **outputs: Any) -> dict[str, Any]:
    """One resource of an exported state."""
    return {"type": type_, "urn": f"urn::{id_}", "id": id_, "outputs": {"__provider": "pickled", **outputs}}


EXPORT = {
    "deployment": {
        "resources": [
            {"type": "pulumi:pulumi:Stack", "urn": "urn::stack"},
            resource(MEMBER_TYPE, f"{ORGANIZATION}:Cy@Example.com", email="Cy@Example.com", origin="invited"),
            resource(MEMBER_TYPE, f"{ORGANIZATION}:di@example.com", email=SECRET, origin="found"),
            resource(MEMBER_TYPE, "1:other@example.com", email="other@example.com"),
            resource(GRANT_TYPE, f"{ORGANIZATION}:3:bo@example.com", email="bo@example.com"),
            resource(PROJECT_ACCESS_TYPE, f"{ORGANIZATION}:4", grants={"Ed@Example.com": "analyst"}),
        ]
    }
}


def engine(folder: Path, script: str, stack: str | None = "production", verb: str = "up") -> States:
    """The states as a `pulumi` of our own tells them."""
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    environ = {"PATH": f"{folder}:/usr/bin:/bin"}
    return project_states(lambda: stack, environ, command=lambda: Command(verb))


def answers(export: str) -> str:
    """A `pulumi` with the stacks production and staging, of which the second has this state."""
    return (
        'case "$*" in\n'
        '*"stack ls"*) echo \'[{"name": "production"}, {"name": "acme/staging"}]\' ;;\n'
        f"*staging*) {export} ;;\n"
        f"*) cat <<'END'\n{json.dumps(EXPORT)}\nEND\n;;\nesac"
    )


CONFIG = {"mixpanel:removalMinimum": {"value": "1", "secret": False}, "mixpanel:scimToken": {"secret": True}}
LIMITS: dict[str, tuple[str, Limits | None]] = {
    "set": (f"echo '{json.dumps(CONFIG)}'", Limits(removal_minimum=1)),
    "malformed": ('echo \'{"mixpanel:removalMinimum": {"value": "few"}}\'', Limits()),
    "not set": ("echo '{}'", Limits()),
    "no configuration": ("echo []", None),
    "no answer": ("exit 1", None),
}


@pytest.mark.parametrize(("answer", "expected"), LIMITS.values(), ids=LIMITS.keys())
def test_the_limits_of_today_are_read_from_the_configuration(
    answer: str, expected: Limits | None, tmp_path: Path
) -> None:
    """Of the stack that the run names, or of the selected one; once a process."""
    script = f'echo "$*" >> {tmp_path}/asked\n{answer}'
    for stack in ("production", None):
        states = engine(tmp_path, script, stack)
        assert states.present_limits() == states.present_limits() == expected
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.partition("config ")[2] for line in asked] == ["--json --stack production", "--json"]


def test_the_states_of_all_stacks_are_read(tmp_path: Path) -> None:
    """The own one is told from the others; an encrypted address is in the id; other organizations are left out."""
    states = engine(tmp_path, answers("echo '{\"deployment\": null}'"))
    own = states.own()
    assert own is not None
    assert members(own, ORGANIZATION).keys() == {"cy@example.com", "di@example.com"}
    assert people_of(own, ORGANIZATION) == {"cy@example.com", "di@example.com", "bo@example.com", "ed@example.com"}
    assert states.own_member(ORGANIZATION, "cy@example.com") == {"email": "Cy@Example.com", "origin": "invited"}
    others = states.others()
    assert (list(others.stacks), list(others.stacks.values()), others.why) == (["acme/staging"], [()], "")


UNREADABLE = {
    "no engine": (None, "cannot be run"),
    "refused": ("echo 'error: no passphrase' >&2; exit 1", "failed: error: no passphrase"),
    "no JSON": ("echo nothing", "wrote no JSON"),
    "another shape": ("echo '{\"a\": 1}'", "does not list stacks"),
}


@pytest.mark.parametrize(
    ("verb", "stack", "known"), [("preview", "production", True), ("preview", None, False), ("up", "production", False)]
)
def test_only_a_preview_uses_again_what_was_read_of_its_stack(
    verb: str, stack: str | None, known: bool, tmp_path: Path
) -> None:
    """A preview changes no state, so its brakes take the rows that its members have read; nothing is read for that."""
    states = engine(tmp_path, answers("echo '{\"deployment\": {}}'"), stack, verb)
    assert states.previewed() is None
    assert list(states.all().stacks) == ["production", "acme/staging"]
    assert (states.previewed() == EXPORT["deployment"]["resources"]) is known


@pytest.mark.parametrize(("script", "why"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_unknown(tmp_path: Path, script: str | None, why: str) -> None:
    """No stack counts as one that has nobody, and it is said why."""
    states = engine(tmp_path, script or "")
    if script is None:
        (tmp_path / "pulumi").unlink()
    assert states.own() is None
    assert states.others().stacks == {}
    assert why in states.others().why != ""


@pytest.mark.parametrize("export", ["exit 1", "echo nothing", "echo '[1]'", 'echo \'{"deployment": {"resources": [{"id": 1, "type": 2}, 3]}}\''])  # fmt: skip  # noqa: E501
def test_one_stack_that_cannot_be_read_hides_no_other(tmp_path: Path, export: str) -> None:
    """What is known of the rest stands, and the reason names the stack."""
    states = engine(tmp_path, answers(export))
    assert len(states.own() or ()) == 5
    assert (states.others().stacks, "acme/staging" in states.others().why) == ({}, True)


ROSTER = """\
environment: production
projects: {shop: {id: 1, environment: production}}
people:
  - {email: Cy@Example.com, projects: {shop: analyst}, ends: 2026-06-30}
"""


BAD = f"{ROSTER}  - {{email: di@example.com, projects: {{shop: boss}}}}\n"


@pytest.mark.parametrize("who", [("cy@example.com", True), ("di@example.com", None), ("ed@example.com", False)])
@pytest.mark.parametrize("nobody", [False, True])
def test_an_error_in_a_roster_hides_only_whom_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: tuple[str, bool | None], nobody: bool
) -> None:
    """Where an entry does not say whose it is, nobody is known not to be declared."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "staging.yaml").write_text(f"{BAD}  - {{projects: {{shop: analyst}}}}\n" if nobody else BAD)
    states = project_states(lambda: "production", {"PATH": ""})
    said = states.declares("acme/staging", who[0], date(2026, 6, 1))
    assert said is (None if nobody and not who[1] else who[1])


@pytest.mark.parametrize(
    ("text", "day", "declared"),
    [(ROSTER, 30, True), (ROSTER, 29, True), (None, 30, None), ("people: 3", 30, None), ("people: [", 30, None)],
)
def test_a_roster_beside_the_program_says_whom_its_stack_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, day: int, declared: bool | None
) -> None:
    """On that day; one that is not there, or cannot be used, leaves it unknown."""
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "staging.yaml").write_text(text)
    states = project_states(lambda: "production", {"PATH": ""})
    assert states.declares("acme/staging", "cy@example.com", date(2026, 6, day)) is declared
    after = states.declares("acme/staging", "cy@example.com", date(2026, 7, 1))
    assert after is (None if declared is None else False)
