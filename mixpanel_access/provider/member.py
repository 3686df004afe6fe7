"""`Member`: one person in the organization, with one organization role."""

from __future__ import annotations

from typing import Required, Unpack

import pulumi

from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.member_handler import MemberHandler
from mixpanel_access.provider.resource import AccessResource, Metadata, OrganizationRole


class MemberProvider(AccessProvider):
    """The SDK's provider of `Member`, which states name."""

    HANDLER = MemberHandler


class MemberInputs(Metadata, total=False):
    """The inputs of a `Member`."""

    email: Required[pulumi.Input[str]]
    """The address, kept as written; every spelling of one mailbox is the same."""
    role: pulumi.Input[OrganizationRole | None]
    """`owner`, `admin`, `billing_admin` or `member`. None leaves the organization role to another stack or the product:
    people who are not in the organization are invited as `member`, and nobody's role is changed."""
    removal: pulumi.Input[str]
    """`when_unused` (the default), `always` or `never`."""
    ownership: pulumi.Input[str | None]
    """`ours` or `found`, whatever `origin` says; None for what that says."""
    since: pulumi.Input[str | None]
    """Do not set it: the provider fills in the first day of the access in the state, and drops what a program gives."""


class Member(AccessResource, module="mixpanel", name="Member"):
    """One person in the organization, with one organization role.

    It adopts a person who is in the organization already, and invites anybody else. A pending invitation is not drift.
    The next `pulumi up` of the stack that declares the organization role, or that sent the invitation, sends an expired
    one again. Deleting the resource removes the person as `removal` says:
    `when_unused` (the default) only if a stack of the project brought them, no individual or team grant is left, and no
    organization role above member that another stack or the product gave; `always`; or `never`. Somebody who stays
    gets the organization role back that they had before the resource gave them one.
    """

    email: pulumi.Output[str]
    role: pulumi.Output[str | None]
    removal: pulumi.Output[str]
    organization_role: pulumi.Output[str | None]
    """The organization role that Mixpanel shows, declared here or not; None where the list does not show it."""
    status: pulumi.Output[str]
    """`pending`, `expired`, `accepted`; `deactivated` if the identity provider keeps the person out."""
    invited_at: pulumi.Output[str | None]
    """When we sent the invitation (ISO 8601, UTC); None for one that was found waiting, and once it is accepted."""
    first_invited_at: pulumi.Output[str | None]
    """When we sent the first invitation, where we have sent more than one since; None once one is accepted."""
    expires_at: pulumi.Output[str | None]
    """When the invitation ends, at the latest (ISO 8601, UTC); None once it is accepted."""
    last_login: pulumi.Output[str | None]
    """The last login (ISO 8601, UTC); None where it is unknown."""
    user_id: pulumi.Output[int | None]
    """Mixpanel's id of the user; None before the invitation is accepted."""
    current_email: pulumi.Output[str | None]
    """The other address that the person has by now, after a change in the product; None while they have this one."""
    adopted: pulumi.Output[bool]
    """Whether the person was in the organization before the resource was."""
    ownership: pulumi.Output[str | None]
    since: pulumi.Output[str | None]
    """The first day of the access that the state has, where `starts` says a later one or none; for policies."""
    origin: pulumi.Output[str | None]
    """How the person came in: `invited`, `found`, `imported` or `shared`; see `Origin`. None in a state of version
    0.1.0."""
    previous_role: pulumi.Output[str | None]
    """The organization role that the person had before this stack gave them one."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[MemberInputs]
    ) -> None:
        super().__init__(MemberProvider(), resource_name, opts, inputs)
