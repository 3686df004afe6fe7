"""What a run of `revoke` leaves alone, and what the engine would leave alone with it."""

from __future__ import annotations

import json
import subprocess
from typing import Any, cast

import pytest

from mixpanel_access.engine import Pulumi
from mixpanel_access.operations.revoking import engine
from mixpanel_access.operations.revoking.engine import RunScope, preview

ROOT = "urn:pulumi:production::p::mixpanel:index:RosterAccess$pulumi-python:dynamic/mixpanel"
BO, CY, ANY = (f"{ROOT}:Member::{name}@agency.example.org" for name in ("bo", "cy", "*"))
ELSEWHERE, DOMAIN = f"{ROOT}:Member::*@example.com", f"{ROOT}:Member::cy@*"


class Engine:
    """An engine whose previews have these steps, but for what is excluded."""

    def __init__(self, *steps: tuple[str, str]) -> None:
        self.steps, self.asked = steps, list[list[str]]()

    def run(self, *args: str, **_: Any) -> subprocess.CompletedProcess[str]:
        """Preview."""
        excluded = [args[at + 1] for at, word in enumerate(args) if word == "--exclude"]
        self.asked.append(excluded)
        steps = [{"op": op, "urn": urn} for op, urn in self.steps if urn not in excluded]
        return subprocess.CompletedProcess(args, 0, json.dumps({"steps": steps}), "")


CASES: dict[str, tuple[set[str], set[str]]] = {
    "a plain name": ({CY}, {CY}),
    "a sign that takes the one who goes along": ({CY, ANY}, {CY}),
    "a sign elsewhere": ({CY, ELSEWHERE, DOMAIN}, {CY, ELSEWHERE, DOMAIN}),
    "a sign at the end": ({f"{ROOT}:Member::bo@*", CY}, {CY}),
    "two signs": ({f"{ROOT}:Member::**", CY}, {CY}),
}
"""What is to be left alone while bo goes, and what the engine is told to leave alone."""


@pytest.mark.parametrize(("stays", "told"), CASES.values(), ids=CASES.keys())
def test_a_sign_for_any_text_in_a_name_holds_nobody_else(stays: set[str], told: set[str]) -> None:
    """The engine reads `*` in what it is told to exclude as any text: such a name is told only if that takes nobody."""
    engine = Engine(("delete", BO))
    seen = preview(cast("Pulumi", engine), "production", RunScope({BO}, set(), stays))
    assert (seen.excluded, seen.left) == (told, {})
    assert engine.asked == [sorted(told)]


def test_what_the_program_would_change_beside_it_is_left_alone_unless_that_holds_others() -> None:
    """A step beside the run is excluded in a second preview; one whose exclusion would hold others is not."""
    engine = Engine(("delete", BO), ("update", CY), ("update", ANY))
    seen = preview(cast("Pulumi", engine), "production", RunScope({BO}, set(), set()))
    assert (seen.excluded, seen.left) == ({CY}, {CY: "the program would update it"})


COMPONENT = "urn:pulumi:production::p::mixpanel:index:CollaboratorAccess::dee"


def test_what_may_depend_on_something_new_is_left_alone_with_it() -> None:
    """If it does not go itself, and keeps nothing that goes; in the same preview that finds the new one."""
    idle: dict[str, set[str]] = {COMPONENT: set(), BO: set(), DOMAIN: {BO}, ANY: set()}
    engine = Engine(("delete", BO), ("create", CY))
    seen = preview(cast("Pulumi", engine), "production", RunScope({BO}, set(), set(), idle))
    assert (seen.excluded, set(seen.left)) == ({CY, COMPONENT}, {CY})
    assert engine.asked == [[], sorted({CY, COMPONENT})]
    engine = Engine(("delete", BO))
    assert preview(cast("Pulumi", engine), "production", RunScope({BO}, set(), set(), idle)).excluded == set()


def test_a_reason_has_the_providers_words_alone() -> None:
    """Without what the engine puts before them; a line that goes on belongs to the reason before it."""
    printed = "\n".join(
        [
            "Diagnostics:",
            "  pulumi-python:dynamic/mixpanel:TeamGrant (1:team/r):",
            "    error: Exception calling application: cannot list the teams: Mixpanel answered 503.",
            "    Run again later.",
            "  pulumi-python:dynamic/mixpanel:Member (bo@example.com):",
            "    error: Exception calling application: error: cannot remove the member: they own the organization.",
            "  pulumi-python:dynamic/mixpanel:ProjectAccess (project-access/shop):",
            "    error: 1 error occurred:",
            "    \t* cannot change who has project 1: not for 1 of 2 people: cy@example.com: Mixpanel answered 503",
            "  pulumi:pulumi:Stack (production):",
            "    error: update failed",
            "",
            "Resources:",
        ]
    )
    reasons, said = engine._diagnostics(printed)
    assert reasons["1:team/r"] == "cannot list the teams: Mixpanel answered 503. Run again later."
    assert reasons["bo@example.com"] == "cannot remove the member: they own the organization."
    shop = "cannot change who has project 1: not for 1 of 2 people: cy@example.com: Mixpanel answered 503"
    assert reasons["project-access/shop"] == shop
    assert said == []
    whole = engine.failure("production", printed, "", {}).why
    assert whole.startswith("cannot list the teams: Mixpanel answered 503.")
