"""`ServiceAccount`: one service account of the organization, with its token as a secret output."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import pulumi

from mixpanel_access.model import roles
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.resource import AccessResource, Metadata, ServiceAccountRole
from mixpanel_access.provider.service_account_handler import OUTPUTS, TOKEN, ServiceAccountHandler


class ServiceAccountProvider(AccessProvider):
    """The SDK's provider of `ServiceAccount`, which states name."""

    HANDLER: ClassVar[type[ServiceAccountHandler]] = ServiceAccountHandler


class ServiceAccount(AccessResource, module="mixpanel", name="ServiceAccount"):
    """One service account of the organization, for a program that works with Mixpanel.

    Mixpanel makes the name longer (`deploy-bot` becomes the login `deploy-bot.1a2b3c.mp-service-account`), and tells
    the token once, when the account is made: it is kept as a secret output. There is no verb to change an account: for
    another name, role or expiry another one is made, before the old one is deleted, and so it is once `rotate_after`
    has come.

    Args:
        resource_name: the resource's name in the stack.
        username: the name wanted, without what Mixpanel adds.
        role: `admin`, `analyst` or `consumer` (the default): the account's organization role, in Mixpanel's words.
        expires: the last day on which it is good (an ISO 8601 date, UTC), or the instant from which on it is refused;
            None for never.
        rotate_after: days after which another account takes its place; None for never.
        overlap: days for which an account that is rotated, or whose `expires` has moved, stays beside the new one with
            its grants; fewer than `rotate_after`. None deletes it at once, as another name or role always does.
        opts: Pulumi's options.
        metadata: why the account is there; see `Metadata`.
    """

    username: pulumi.Output[str]
    role: pulumi.Output[str]
    expires: pulumi.Output[str | None]
    rotate_after: pulumi.Output[int | None]
    overlap: pulumi.Output[int | None]
    account_id: pulumi.Output[int]
    """Mixpanel's id of the account, which a `ServiceAccountGrant` takes."""
    login: pulumi.Output[str]
    """The login name."""
    token: pulumi.Output[str | None]
    """What it logs in with, secret; None for an account that was imported."""
    created: pulumi.Output[str]
    """When it was made (ISO 8601, UTC)."""
    expires_at: pulumi.Output[str | None]
    """From when on it is refused (ISO 8601, UTC); None for never."""
    retiring: pulumi.Output[list[dict[str, Any]] | None]
    """The accounts that it has replaced and that are still there: `account_id`, `login`, and `until`."""
    rotates: pulumi.Output[str | None]
    """When another account takes its place (ISO 8601, UTC); None for never."""
    last_used: pulumi.Output[str | None]
    """When it was last used (ISO 8601, UTC); None where it is unknown."""
    organization_role: pulumi.Output[str | None]
    """The organization role that Mixpanel shows; None where it does not."""
    status: pulumi.Output[str]
    """`active` or `expired`; `deleted` for one that is gone from Mixpanel before what it has replaced."""

    def __init__(
        self,
        resource_name: str,
        *,
        username: pulumi.Input[str],
        role: pulumi.Input[ServiceAccountRole] = roles.CONSUMER,
        expires: pulumi.Input[str | None] = None,
        rotate_after: pulumi.Input[int | None] = None,
        overlap: pulumi.Input[int | None] = None,
        opts: pulumi.ResourceOptions | None = None,
        **metadata: Unpack[Metadata],
    ) -> None:
        props: dict[str, Any] = {
            "username": username,
            "role": role,
            "expires": expires,
            "rotate_after": rotate_after,
            "overlap": overlap,
            **metadata,
            **dict.fromkeys(OUTPUTS),
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=[TOKEN])
        super().__init__(ServiceAccountProvider(), resource_name, props, pulumi.ResourceOptions.merge(opts, secret))
