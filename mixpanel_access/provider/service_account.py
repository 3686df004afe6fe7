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
    """The name that you want; Mixpanel adds a suffix."""
    role: pulumi.Input[ServiceAccountRole]
    """`admin`, `analyst` or `consumer` (the default): the account's organization role, in Mixpanel's words."""
    expires: pulumi.Input[str | None]
    """The last day on which the account is valid, or the time (UTC) from which Mixpanel refuses it; left out, never."""
    rotate_after: pulumi.Input[int | None]
    """The number of days after which a new account replaces it; left out, never."""
    overlap: pulumi.Input[int | None]
    """The number of days for which the replaced account stays; left out, none."""


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
    """Mixpanel's id, which a `ServiceAccountGrant` takes."""
    login: pulumi.Output[str]
    """The login name, such as `etl.1a2b3c.mp-service-account`."""
    token: pulumi.Output[str | None]
    """The secret that it logs in with; Mixpanel shows it once; absent for an imported account."""
    created: pulumi.Output[str]
    """When it was made (ISO 8601, UTC)."""
    expires_at: pulumi.Output[str | None]
    """The time from which Mixpanel refuses it (ISO 8601, UTC); absent for never."""
    retiring: pulumi.Output[list[dict[str, Any]] | None]
    """The accounts that it has replaced and that still exist: `account_id`, `login`, and `until`."""
    rotates: pulumi.Output[str | None]
    """When a new account replaces it (ISO 8601, UTC); absent for never."""
    last_used: pulumi.Output[str | None]
    """The last use (ISO 8601, UTC), if Mixpanel shows it."""
    organization_role: pulumi.Output[str | None]
    """The role that Mixpanel shows, if any."""
    status: pulumi.Output[str]
    """`active` or `expired`, as of the last refresh; `deleted` while only an account that it has replaced is left."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[ServiceAccountInputs]
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=[TOKEN])
        super().__init__(ServiceAccountProvider(), resource_name, pulumi.ResourceOptions.merge(opts, secret), inputs)
