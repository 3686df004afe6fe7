"""Pulumi's resource options on our resources and components."""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mixpanel_access import provider
from mixpanel_access.component import CollaboratorAccess, RosterAccess
from mixpanel_access.model.resources import ALL_KINDS
from mixpanel_access.provider import Member, ProjectAccess, ProjectGrant, RemovalBrake, ServiceAccount
from mixpanel_access.provider.resource import inputs_of
from tests.component.mocks import registered
from tests.component.test_collaborator_access import ARGS, IN

PAGE = Path(__file__).parents[2] / "docs/resources.md"
EMAIL = "bo@example.com"


def member(opts: pulumi.ResourceOptions) -> Any:
    """A member."""
    return Member("bo", email=EMAIL, opts=opts)


def grant(opts: pulumi.ResourceOptions) -> Any:
    """A grant."""
    return ProjectGrant("bo", project_id=1, email=EMAIL, role="analyst", environment="staging", opts=opts)


def whole(opts: pulumi.ResourceOptions) -> Any:
    """All grants of a project."""
    return ProjectAccess("bo", project_id=1, grants={EMAIL: "analyst"}, environment="staging", opts=opts)


def brake(opts: pulumi.ResourceOptions) -> Any:
    """A brake."""
    return RemovalBrake("bo", people=[], opts=opts)


def account(opts: pulumi.ResourceOptions) -> Any:
    """A service account."""
    return ServiceAccount("bo", username="etl", opts=opts)


def rotating(opts: pulumi.ResourceOptions) -> Any:
    """One that rotates."""
    return ServiceAccount("bo", username="etl", rotate_after=90, opts=opts)


def expiring(opts: pulumi.ResourceOptions) -> Any:
    """One that expires."""
    return ServiceAccount("bo", username="etl", expires="2027-01-01", opts=opts)


def collaborator(opts: pulumi.ResourceOptions) -> Any:
    """A component of one person."""
    return CollaboratorAccess("bo", replace(ARGS, projects={}), opts=opts, today=IN)


def roster(opts: pulumi.ResourceOptions, folder: Path) -> Any:
    """A component of nobody."""
    file = folder / "staging.yaml"
    file.write_text("environment: staging\n")
    return RosterAccess("bo", file, opts=opts)


REFUSED: dict[str, tuple[Callable[[pulumi.ResourceOptions], Any], dict[str, Any], str]] = {
    "the brake, retained": (brake, {"retain_on_delete": True}, "retain_on_delete would keep it from judging"),
    "the brake, protected": (brake, {"protect": True}, "protect would keep it from judging"),
    "the brake, ignoring": (brake, {"ignore_changes": ["people"]}, "ignore_changes would keep it from judging"),
    "a rotating account, retained": (rotating, {"retain_on_delete": True}, "the account that a rotation replaces"),
    "an expiring account, retained": (expiring, {"retain_on_delete": True}, "the account that a rotation replaces"),
}
WARNED: dict[str, tuple[Callable[[pulumi.ResourceOptions], Any], dict[str, Any], str]] = {
    "a member, retained": (member, {"retain_on_delete": True}, "access stays in Mixpanel"),
    "a grant, retained": (grant, {"retain_on_delete": True}, "access stays in Mixpanel"),
    "an account, retained": (account, {"retain_on_delete": True}, "access stays in Mixpanel"),
    "a component, retained": (collaborator, {"retain_on_delete": True}, "access stays in Mixpanel"),
    "a role, ignored": (grant, {"ignore_changes": ["role"]}, "ignore_changes keeps role as the state has it"),
    "one grant of many, ignored": (whole, {"ignore_changes": ['grants["x"]', "grants.y"]}, "keeps grants"),
    "everything, ignored": (member, {"ignore_changes": ["*"]}, "ignore_changes keeps * as"),
    "a component, ignoring": (collaborator, {"ignore_changes": ["role"]}, "changes nothing for its resources"),
}
SILENT: dict[str, tuple[Callable[[pulumi.ResourceOptions], Any], dict[str, Any]]] = {
    "protected": (member, {"protect": True}),
    "a note, ignored": (member, {"ignore_changes": ["notes"]}),
    "retained no more": (grant, {"retain_on_delete": False}),
    "nothing of it": (brake, {"protect": False, "ignore_changes": []}),
}


@pytest.mark.parametrize("make", [member, grant, whole, brake, account, collaborator])
def test_deleted_with_is_refused_everywhere(make: Callable[[pulumi.ResourceOptions], Any]) -> None:
    """The engine would forget the access, and Mixpanel keep it."""

    def program() -> None:
        make(pulumi.ResourceOptions(deleted_with=Member("ana", email="ana@example.com")))

    with pytest.raises(pulumi.RunError, match="bo: deleted_with is not supported"):
        registered(program)


def test_deleted_with_is_refused_on_a_roster(tmp_path: Path) -> None:
    """Its resources would inherit it."""

    def program() -> None:
        roster(pulumi.ResourceOptions(deleted_with=Member("ana", email="ana@example.com")), tmp_path)

    with pytest.raises(pulumi.RunError, match="RosterAccess bo: deleted_with is not supported"):
        registered(program)


@pytest.mark.parametrize(("make", "options", "words"), REFUSED.values(), ids=REFUSED)
def test_an_option_that_breaks_a_promise_is_refused(
    make: Callable[[pulumi.ResourceOptions], Any], options: dict[str, Any], words: str
) -> None:
    """By name, before anything is made."""
    with pytest.raises(pulumi.RunError, match=words):
        registered(lambda: make(pulumi.ResourceOptions(**options)))


@pytest.mark.parametrize(("make", "options", "words"), WARNED.values(), ids=WARNED)
def test_an_option_that_leaves_access_is_warned_of(
    make: Callable[[pulumi.ResourceOptions], Any],
    options: dict[str, Any],
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At each run, with the resource's name."""
    with caplog.at_level(logging.WARNING):
        registered(lambda: make(pulumi.ResourceOptions(**options)))
    assert [message for message in caplog.messages if words in message and " bo: " in message] != []


@pytest.mark.parametrize(("make", "options"), SILENT.values(), ids=SILENT)
def test_other_options_are_pulumis_own(
    make: Callable[[pulumi.ResourceOptions], Any], options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """They pass without a word."""
    with caplog.at_level(logging.WARNING):
        registered(lambda: make(pulumi.ResourceOptions(**options)))
    assert [message for message in caplog.messages if " bo: " in message] == []


def test_the_page_has_every_option() -> None:
    """One row for each of the SDK's options, and none besides but those that only newer SDKs have."""
    section = PAGE.read_text().split("## Resource options")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    known = set(inspect.signature(pulumi.ResourceOptions).parameters) - {"self"}
    assert sorted(rows) == sorted(known | {"state_migrations"})


@pytest.mark.parametrize("kind", [kind.name for kind in ALL_KINDS])
def test_a_misspelled_or_missing_input_is_a_type_error(kind: str) -> None:
    """As if each input were an argument of its own: where the program stands, even without the engine."""
    resource = getattr(provider, kind)
    required = {name: "?" for name, is_required in inputs_of(resource).items() if is_required}
    outputs = [name for name in vars(resource).get("__annotations__", {}) if name not in inputs_of(resource)]
    for name in ("justificaton", *outputs):
        with pytest.raises(TypeError, match=rf"^{kind}\(\) has no input {name}; "):
            resource("one", **required, **{name: "?"})
    for name in required:
        with pytest.raises(TypeError, match=rf"^{kind}\(\) needs {name}$"):
            resource("one", **{other: "?" for other in required if other != name})


def test_a_misspelled_input_names_the_one_that_is_like_it() -> None:
    """An editor would have underlined it; that the right one is missing follows from it."""
    with pytest.raises(TypeError, match=r"^Member\(\) has no input emial; did you mean email\?$"):
        Member("jane", emial=EMAIL)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", [kind.name for kind in ALL_KINDS])
def test_a_program_may_give_every_input_that_the_provider_reads(kind: str) -> None:
    """The inputs of the class for programs are those of the handler, with reasons and facts for the policies."""
    resource = getattr(provider, kind)
    handler = getattr(sys.modules[resource.__module__], f"{kind}Provider")().handler
    assert set(handler.INPUTS) <= inputs_of(resource).keys()
