"""`ServiceAccount`: one service account of the organization, with its token as a secret output."""

from __future__ import annotations

from typing import Any, Required, Unpack

import pulumi

from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.resource import AccessResource, Metadata, ServiceAccountRole
from mixpanel_access.provider.service_account_handler import TOKEN, ServiceAccountHandler


class ServiceAccountProvider(AccessProvider):
    """The SDK's provider of `ServiceAccount`, which states name."""

    HANDLER = ServiceAccountHandler


class ServiceAccountInputs(Metadata, total=False):
    """The inputs of a `ServiceAccount`."""

    username: Required[pulumi.Input[str]]
    """The name wanted, without what Mixpanel adds."""
    role: pulumi.Input[ServiceAccountRole]
    """`admin`, `analyst` or `consumer` (the default): the account's organization role, in Mixpanel's words."""
    expires: pulumi.Input[str | None]
    """The last day on which it is good (an ISO 8601 date, UTC), or the instant from which on it is refused; None for
    never."""
    rotate_after: pulumi.Input[int | None]
    """Days after which another account takes its place; None for never."""
    overlap: pulumi.Input[int | None]
    """Days for which an account that is rotated, or whose `expires` has moved, keeps its grants next to the new one;
    fewer than `rotate_after`. None deletes it at once, as another name or role always does."""


class ServiceAccount(AccessResource, module="mixpanel", name="ServiceAccount"):
    """One service account of the organization, for a program that works with Mixpanel.

    Mixpanel makes the name longer (`deploy-bot` becomes the login `deploy-bot.1a2b3c.mp-service-account`), and tells
    the token once, when the account is made: it is kept as a secret output. There is no verb to change an account: for
    another name, role or expiry another one is made, before the old one is deleted, and so it is once `rotate_after`
    has come.
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
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[ServiceAccountInputs]
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=[TOKEN])
        super().__init__(ServiceAccountProvider(), resource_name, pulumi.ResourceOptions.merge(opts, secret), inputs)
