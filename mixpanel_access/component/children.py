"""The resources below a component, which another component of the program may have as well.

They are named for what they stand for, and known under each other component's name too. A resource's URN has its
parents' types in it, and not their names: below two components of one type, two resources of one name are one to the
engine, which refuses the second in words of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime.settings import get_monitor

from mixpanel_access.model import dates
from mixpanel_access.model.errors import ConfigurationError
from mixpanel_access.model.resources import DYNAMIC_TYPE
from mixpanel_access.model.settings import NAMESPACE, UNUSABLE
from mixpanel_access.provider import Member
from mixpanel_access.provider.program import program_providers


def child_options(
    parent: pulumi.Resource,
    before: str,
    before_type: str,
    depends_on: Sequence[pulumi.Resource] | None = None,
    former: Iterable[str] = (),
) -> pulumi.ResourceOptions:
    """Options of a child that another type of component may have had before: such a move changes nothing.

    Args:
        parent: the component.
        before: the child's name below the other component; "" for a child that it never has.
        before_type: the other component's type.
        depends_on: the resources that must exist before it, and are deleted after it.
        former: names that earlier versions gave it below the same component.
    """
    prefix = name_prefix(parent)
    urn = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{before_type}::any"
    aliases: list[pulumi.Input[str | pulumi.Alias]] = (
        [pulumi.Alias(name=f"{prefix}{before}", parent=urn)] if before else []
    )
    aliases += [pulumi.Alias(name=f"{prefix}{name}") for name in former]
    return pulumi.ResourceOptions(parent=parent, depends_on=list(depends_on or ()), aliases=aliases)


def another_organization(component: pulumi.Resource) -> tuple[str, pulumi.Input[int]] | None:
    """The provider's name and the id of the organization that a component is in; None for that of the stack."""
    return program_providers().another(component.get_provider(DYNAMIC_TYPE))


def name_prefix(component: pulumi.Resource) -> str:
    """What the names of a component's resources begin with."""
    other = another_organization(component)
    return f"{other[0]}/" if other else ""


def configured_day() -> date:
    """The day (UTC) for which entries count: of `mixpanel:now`, else of the clock.

    Raises:
        ConfigurationError: `mixpanel:now` is not an instant.
    """
    now = pulumi.Config(NAMESPACE).get("now")
    try:
        return dates.today(now)
    except ValueError:
        raise ConfigurationError(
            UNUSABLE,
            why=f"mixpanel:now is {now!r}, which is not an ISO 8601 instant",
        ) from None


@dataclass
class DeclaredComponents:
    """What is declared in one organization below components whose parents have one type.

    Attributes:
        rosters: the name of the `RosterAccess`, if there is one.
        members: the key of an address -> the component that has the member, the member, its inputs.
        grants: the name of a grant -> the component that has it.
    """

    rosters: list[str] = field(default_factory=list)
    members: dict[str, tuple[str, Member, Mapping[str, Any]]] = field(default_factory=dict)
    grants: dict[str, str] = field(default_factory=dict)


_declared: WeakKeyDictionary[Any, dict[tuple[str, str], DeclaredComponents]] = WeakKeyDictionary()
"""By the engine's monitor: a process may run several programs."""


def declared_components(component: pulumi.Resource, opts: pulumi.ResourceOptions | None) -> DeclaredComponents:
    """What the program has declared so far, below components that would give the same URNs."""
    parent = opts.parent if opts else None
    place = name_prefix(component), parent.pulumi_resource_type if parent is not None else ""
    return _declared.setdefault(get_monitor(), {}).setdefault(place, DeclaredComponents())
