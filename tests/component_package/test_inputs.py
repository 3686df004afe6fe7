"""The inputs that a program in another language gives to a component."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import date
from typing import Any, TypeVar

import pulumi
import pytest
from pulumi.output import UNKNOWN

from mixpanel_access.component import Engagement, ProjectArgs
from mixpanel_access.component_package.components import COMPONENTS
from mixpanel_access.component_package.inputs import read_inputs, resolved

T = TypeVar("T")
GOOD: dict[str, Any] = {
    "email": "robin@agency.example.org",
    "engagementName": "review",
    "engagement": {"type": "analytics_review", "ticket": "OPS-4711"},
}


def awaited(work: Coroutine[Any, Any, T]) -> T:
    """What comes of it, in a loop of its own: `asyncio.run` would leave the thread without the one of other tests."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def read(given: Mapping[str, Any], component: str = "CollaboratorAccess") -> dict[str, Any]:
    """What a component is given in Python."""
    found = COMPONENTS[f"mixpanel-access:index:{component}"]

    async def known() -> dict[str, Any]:
        return {key: await resolved(value() if callable(value) else value) for key, value in given.items()}

    return read_inputs(f"{component} robin", found.inputs, awaited(known()))


def test_inputs_are_those_of_python() -> None:
    """Names, dates and records are as in Python; what is left out, or null, keeps its default."""
    standard = {"review": {"production": "admin"}}
    given = {**GOOD, "standardRoles": standard, "today": "2026-05-01", "kind": None, "projects": {"shop": {"id": 1.0}}}
    assert read(given) == {
        "email": "robin@agency.example.org",
        "engagement_name": "review",
        "engagement": Engagement(type="analytics_review", ticket="OPS-4711"),
        "standard_roles": standard,
        "today": date(2026, 5, 1),
        "projects": {"shop": ProjectArgs(1)},
    }


@pytest.mark.parametrize("whole", [False, True])
def test_the_id_of_a_project_may_be_an_output(*, whole: bool) -> None:
    """Of another resource, known or not, whether the output is the id or has it."""

    async def found(value: Any) -> tuple[bool, bool]:
        inputs = {**GOOD, "projects": await resolved(value())}
        fields = COMPONENTS["mixpanel-access:index:CollaboratorAccess"].inputs
        id_ = read_inputs("CollaboratorAccess robin", fields, inputs)["projects"]["shop"].id
        if not isinstance(id_, pulumi.Output):
            return True, False
        return await id_.is_known(), await id_.is_secret()

    if whole:
        assert awaited(found(lambda: pulumi.Output.from_input({"shop": {"id": 1}}))) == (True, False)
    else:
        assert awaited(found(lambda: {"shop": {"id": pulumi.Output.from_input(UNKNOWN)}})) == (False, False)
        assert awaited(found(lambda: {"shop": {"id": UNKNOWN}})) == (False, False)
        assert awaited(found(lambda: {"shop": {"id": pulumi.Output.secret(1)}})) == (True, True)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown input": ({"emial": "a"}, "CollaboratorAccess robin has no input emial; did you mean email?"),
    "one that is like none": ({"xyz": 1}, "CollaboratorAccess robin has no input xyz; its inputs are email, "),
    "an unknown input of a record": (
        {"engagement": {"tickt": "OPS-1"}},
        "CollaboratorAccess robin has no input engagement.tickt; did you mean engagement.ticket?",
    ),
    "one in a list of records": ({"projects": {"shop": {"id": 1, "roel": "admin"}}}, "no input projects.shop.roel"),
    "none that is required": ({"email": None}, "CollaboratorAccess robin needs the input email: The address."),
    "none in a record": ({"projects": {"shop": {}}}, "needs the input projects.shop.id: Mixpanel's id of the project."),
    "another type": ({"email": 1}, "CollaboratorAccess robin: email must be text"),
    "a fraction": ({"projects": {"shop": {"id": 1.5}}}, "projects.shop.id must be a whole number"),
    "a text for a record": ({"engagement": "review"}, "engagement must be an object"),
    "no date": ({"today": "1 May"}, "today is '1 May', which is not a date of the form YYYY-MM-DD"),
    "a value that is not known": ({"email": UNKNOWN}, "CollaboratorAccess robin: email is not known yet."),
    "an output that is not known": (
        {"email": lambda: pulumi.Output.from_input(UNKNOWN)},
        "CollaboratorAccess robin: email is not known yet. Give it a plain value.",
    ),
    "a secret": (
        {"email": lambda: pulumi.Output.secret("a@example.com")},
        "CollaboratorAccess robin: email is a secret, which would be in the state in plain text",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused(case: str) -> None:
    """With the component, the input and what is wrong, and never the value of a secret."""
    wrong, words = REFUSED[case]
    with pytest.raises(pulumi.RunError) as refused:
        read({**GOOD, **wrong})
    assert words in str(refused.value)
    assert "a@example.com" not in str(refused.value)
