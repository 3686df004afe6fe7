"""The components of the package: what each takes and gives in any language, and how it is constructed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypedDict

import pulumi

from mixpanel_access.component import CollaboratorAccess, CollaboratorAccessArgs, RosterAccess
from mixpanel_access.component_package.documented import Field, arguments, fields_of

PACKAGE: Final = "mixpanel-access"
"""The package's name. It is not the `mixpanel` of the components' types: see docs/design.md."""


class RosterOutputs(TypedDict):
    """What a program can use of a `RosterAccess`."""

    people: int
    """The number of people that the roster declares today."""
    grants: int
    """The number of their grants in projects."""
    service_account_tokens: Mapping[str, str]
    """The tokens of the service accounts that the stack creates, by name."""


class CollaboratorOutputs(TypedDict):
    """What a program can use of a `CollaboratorAccess`."""

    active: bool
    """Whether the engagement counts today."""
    roles: Mapping[str, str]
    """The project roles that are declared, by project key."""
    status: str | None
    """`pending`, `expired` or `accepted`; absent while the engagement does not count."""


class OrganizationInputs(TypedDict, total=False):
    """What every component takes for another organization than that of the stack's configuration."""

    organization_id: int
    """The organization of the provider that `opts.providers` gives for `pulumi-python`; needed with one, and only
    then."""


@dataclass(frozen=True, kw_only=True)
class PackageComponent:
    """One component of the package.

    Attributes:
        made: its class.
        inputs: what it takes.
        outputs: what it gives.
        secrets: the outputs that are secret.
        construct: creates it, of its name, its inputs by their names in Python, and its options.
        outputs_of: its outputs, by their names in Python.
    """

    made: type[pulumi.ComponentResource]
    inputs: list[Field]
    outputs: list[Field]
    secrets: frozenset[str] = frozenset()
    construct: Callable[[str, Mapping[str, Any], pulumi.ResourceOptions | None], Any]
    outputs_of: Callable[[Any], Mapping[str, Any]]

    @property
    def name(self) -> str:
        """Its name in every language."""
        return self.made.__name__

    @property
    def type(self) -> str:
        """Its type in a program; in the state it has the one that it has in Python."""
        return f"{PACKAGE}:index:{self.name}"


def _roster(name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> RosterAccess:
    return RosterAccess(name, Path.cwd() / inputs["file"], opts, inputs.get("today"))


def _roster_outputs(made: RosterAccess) -> RosterOutputs:
    tokens: Any = made.tokens()
    return RosterOutputs(people=made.counts["people"], grants=made.counts["grants"], service_account_tokens=tokens)


def _collaborator(name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> CollaboratorAccess:
    args = CollaboratorAccessArgs(**{key: value for key, value in inputs.items() if key != "today"})
    return CollaboratorAccess(name, args, opts, inputs.get("today"))


def _collaborator_outputs(made: CollaboratorAccess) -> CollaboratorOutputs:
    status: Any = made.status
    return CollaboratorOutputs(active=made.active, roles=made.roles, status=status)


_TODAY: Final = "today"
_ORGANIZATION: Final = fields_of(OrganizationInputs)

COMPONENTS: Final[Mapping[str, PackageComponent]] = {
    one.type: one
    for one in (
        PackageComponent(
            made=RosterAccess,
            inputs=[*arguments(RosterAccess.__init__, RosterAccess, "file", _TODAY), *_ORGANIZATION],
            outputs=fields_of(RosterOutputs),
            secrets=frozenset({"service_account_tokens"}),
            construct=_roster,
            outputs_of=_roster_outputs,
        ),
        PackageComponent(
            made=CollaboratorAccess,
            inputs=[
                *fields_of(CollaboratorAccessArgs),
                *arguments(CollaboratorAccess.__init__, CollaboratorAccess, _TODAY),
                *_ORGANIZATION,
            ],
            outputs=fields_of(CollaboratorOutputs),
            construct=_collaborator,
            outputs_of=_collaborator_outputs,
        ),
    )
}
"""By their types."""
