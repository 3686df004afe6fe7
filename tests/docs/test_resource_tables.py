"""The tables of docs/resources.md are those of the classes, and complete."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mixpanel_access import provider
from mixpanel_access.component_package.components import COMPONENTS
from mixpanel_access.model.resources import BY_NAME
from mixpanel_access.provider import resource
from mixpanel_access.provider.handler import POLICY_FIELDS, Problems
from scripts.resource_tables import DEFAULTS, PAGE, handler_of, inputs_of, replaces, tables
from tests.server.kinds import LIVES

TEXT = PAGE.read_text(encoding="utf-8")
OTHERS: dict[str, Any] = {"expires": "2027-06-30"}
"""A value that differs from every other one of the input, where a text with a letter more is none."""

STACK: Any = SimpleNamespace(settings=SimpleNamespace(environment=None))
"""A session of a stack without an environment, which is the default of that input otherwise."""


def table(name: str, what: str) -> str:
    """A table of the page."""
    return TEXT.partition(f"<!-- {name}: {what} -->")[2].partition("<!-- end -->")[0]


def test_the_tables_are_current() -> None:
    """`make reference` changes nothing."""
    assert tables(TEXT) == TEXT


@pytest.mark.parametrize("kind", BY_NAME.values(), ids=lambda kind: kind.name)
def test_every_input_and_output_is_there(kind: Any) -> None:
    """With its meaning: what the class takes, and what its handler gives."""
    inputs, outputs = table(kind.name, "inputs"), table(kind.name, "outputs")
    known = resource.inputs_of(getattr(provider, kind.name))
    assert {field.name for field in inputs_of(kind)} == set(known) - set(POLICY_FIELDS)
    assert [name for name in set(known) - set(POLICY_FIELDS) if f"| `{name}` |" not in inputs] == []
    assert [name for name, needed in known.items() if needed and not _required(inputs, name)] == []
    assert [name for name in handler_of(kind).OUTPUTS if f"| `{name}` |" not in outputs] == []
    assert "| |\n" not in inputs + outputs  # each has a meaning
    assert {name for name in POLICY_FIELDS if f"| `{name}` |" not in table("Metadata", "inputs")} == set()


def _required(inputs: str, name: str) -> bool:
    return " | required | " in next(line for line in inputs.splitlines() if line.startswith(f"| `{name}` |"))


@pytest.mark.parametrize("kind", BY_NAME.values(), ids=lambda kind: kind.name)
def test_defaults_and_replacements_are_those_of_the_handler(kind: Any) -> None:
    """A check fills in the defaults of the table, and a change of those inputs alone replaces the resource."""
    handler, life = handler_of(kind)(), LIVES[kind.name]
    handler.use(STACK)
    required = {field.name for field in inputs_of(kind) if field.required}
    given = {name: value for name, value in life.inputs.items() if name in required}
    handler.check(checked := dict(given), Problems())
    found = {(kind.name, name): value for name, value in checked.items() if name not in given}
    assert found == {key: value for key, value in DEFAULTS.items() if key[0] == kind.name}
    names = [field.name for field in inputs_of(kind) if field.name not in handler.hints]
    olds = {**dict.fromkeys(names), **life.inputs}
    other = {name: OTHERS.get(name, f"{olds[name]}x") for name in names}
    changed = [name for name in names if handler.replaced(olds, {**olds, name: other[name]}) == [name]]
    assert changed == [name for name in names if name in replaces(kind)]


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=lambda component: component.name)
def test_components_are_there_in_every_language(component: Any) -> None:
    """Each input by its name in Python and elsewhere, each attribute of the class, and each output."""
    for field in component.inputs:
        assert f"| `{field.key}` |" in table(component.name, "inputs")
    for field in component.outputs:
        assert f"| `{field.key}` |" in table(component.name, "outputs")
