"""The schema of the package: what editors and other languages know of our components."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from mixpanel_access.component import CollaboratorAccess, CollaboratorAccessArgs, RosterAccess
from mixpanel_access.component_package.components import COMPONENTS
from mixpanel_access.component_package.documented import fields_of
from mixpanel_access.component_package.schema import schema
from mixpanel_access.model.resources import COLLABORATOR_TYPE, COMPONENT_TYPE

SCHEMA = schema()
ROSTER, COLLABORATOR = SCHEMA["resources"].values()


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each input and output of each component and of each record."""
    for token, one in {**SCHEMA["resources"], **SCHEMA["types"]}.items():
        for part in ("inputProperties", "properties"):
            for key, value in one.get(part, {}).items():
                yield f"{token}.{part}.{key}", value


@pytest.mark.parametrize(("name", "value"), list(properties()))
def test_everything_is_documented_and_typed(name: str, value: dict[str, Any]) -> None:
    """Each property has a description, which begins and ends as a sentence, and a type that the schema knows."""
    assert value["description"][0].isupper() or value["description"][0] == "`", name
    assert value["description"].endswith("."), name
    reference = value.get("$ref", "")
    assert value.get("type") in ("string", "integer", "boolean", "object") or reference == "pulumi.json#/Any"
    assert reference.removeprefix("#/types/") in ("", "pulumi.json#/Any", *SCHEMA["types"])


def test_it_takes_what_the_classes_take() -> None:
    """Each argument of a class in Python is an input, and an argument without a default is required."""
    assert list(ROSTER["inputProperties"]) == ["file", "today", "organizationId"]
    assert ROSTER["requiredInputs"] == ["file"]
    camel = {field.name: field.key for field in fields_of(CollaboratorAccessArgs)}
    assert [*inspect.signature(CollaboratorAccessArgs).parameters] == list(camel)
    assert list(COLLABORATOR["inputProperties"]) == [*camel.values(), "today", "organizationId"]
    assert COLLABORATOR["requiredInputs"] == ["email", "engagementName", "engagement"]


def test_secrets_are_marked() -> None:
    """The tokens, and nothing else."""
    secret = [name for name, value in properties() if value.get("secret")]
    assert secret == ["mixpanel-access:index:RosterAccess.properties.serviceAccountTokens"]


def test_only_the_id_of_a_project_may_come_from_another_resource() -> None:
    """A component decides by all its other inputs what it declares, so they must be plain."""
    later = [name for name, value in properties() if ".inputProperties." in name and not value.get("plain")]
    project = SCHEMA["types"]["mixpanel-access:index:Project"]["properties"]
    assert later + [key for key, value in project.items() if not value.get("plain")] == ["id"]


def test_the_names_are_those_of_no_other_package() -> None:
    """`mixpanel` is what a bridged Terraform provider is called; the types in a state stay as they are."""
    assert SCHEMA["name"] == "mixpanel-access"
    assert {type_.partition(":")[0] for type_ in (*SCHEMA["resources"], *SCHEMA["types"])} == {"mixpanel-access"}
    assert [one.made for one in COMPONENTS.values()] == [RosterAccess, CollaboratorAccess]
    assert (COMPONENT_TYPE, COLLABORATOR_TYPE) == ("mixpanel:index:RosterAccess", "mixpanel:index:CollaboratorAccess")
