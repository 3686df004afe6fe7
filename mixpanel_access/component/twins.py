"""What the components of one program have declared: two of them may be about one person, or want one name.

A resource's URN has its parents' types in it, and not their names: below two components of one type, two resources of
one name are one to the engine, which refuses the second in words of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime.settings import get_monitor

from mixpanel_access.provider import Member


@dataclass
class DeclaredComponents:
    """What is declared below components whose parents have one type.

    Attributes:
        rosters: the name of the `RosterAccess`, if there is one.
        members: the key of an address -> the component that has the member, the member, its inputs.
        grants: the name of a grant -> the component that has it.
    """

    rosters: list[str] = field(default_factory=list)
    members: dict[str, tuple[str, Member, Mapping[str, Any]]] = field(default_factory=dict)
    grants: dict[str, str] = field(default_factory=dict)


_declared: WeakKeyDictionary[Any, dict[str, DeclaredComponents]] = WeakKeyDictionary()
"""By the engine's monitor: a process may run several programs."""


def declared_beside(opts: pulumi.ResourceOptions | None) -> DeclaredComponents:
    """What the program has declared so far, below components that would give the same URNs."""
    parent = opts.parent if opts else None
    place = parent.pulumi_resource_type if parent is not None else ""
    return _declared.setdefault(get_monitor(), {}).setdefault(place, DeclaredComponents())
