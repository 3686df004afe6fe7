"""The resources below a component: named for what they stand for, and known under each other component's name too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import pulumi

from mixpanel_access.model import dates
from mixpanel_access.model.errors import ConfigurationError
from mixpanel_access.model.settings import NAMESPACE


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
        depends_on: what is to be there before it, and to go after it.
        former: names that earlier versions gave it below the same component.
    """
    # A resource's URN has its parents' types in it, and not their names.
    urn = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{before_type}::any"
    aliases: list[pulumi.Input[str | pulumi.Alias]] = [pulumi.Alias(name=before, parent=urn)] if before else []
    aliases += [pulumi.Alias(name=name) for name in former]
    return pulumi.ResourceOptions(parent=parent, depends_on=list(depends_on or ()), aliases=aliases)


def configured_day() -> date:
    """The day (UTC) for which entries count: of `mixpanel:now`, else of the clock.

    Raises:
        ConfigurationError: `mixpanel:now` is no instant.
    """
    now = pulumi.Config(NAMESPACE).get("now")
    try:
        return dates.today(now)
    except ValueError:
        raise ConfigurationError(
            "the Mixpanel configuration cannot be used",
            why=f"mixpanel:now is {now!r}, which is not an ISO 8601 instant",
        ) from None
