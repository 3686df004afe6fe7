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
    """The address, kept as written; every spelling of one mailbox is the same (case, the encoding of accents, a domain
    in Unicode or punycode)."""
    role: pulumi.Input[OrganizationRole | None]
    """`owner`, `admin`, `billing_admin` or `member`; left out, the stack leaves the organization role alone: new people
    are invited as `member`, and nobody's role changes."""
    removal: pulumi.Input[str]
    """What happens to the person when the resource is deleted. `when_unused` (the default) removes them only if a stack
    of the project brought them, they have no individual or team grant left, and they have no organization role above
    member that this resource does not declare (a declared role is this stack's, even if it was changed by hand).
    `always` removes them in any case, `never` keeps them."""
    ownership: pulumi.Input[str | None]
    """`ours`: the person leaves with the last stack that declares them; `found`: they stay as a plain member; left out,
    `origin` decides."""
    since: pulumi.Input[str | None]
    """Do not set it: the first day of the access in the state, kept if `starts` names a later day or none, so that
    policies see how long the access lasts in all."""


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
    """The role that Mixpanel shows."""
    status: pulumi.Output[str]
    """`pending`, `expired`, `accepted`, or `deactivated` by SCIM."""
    invited_at: pulumi.Output[str | None]
    """When this stack sent the invitation; absent if it found the invitation pending, and once it is accepted."""
    first_invited_at: pulumi.Output[str | None]
    """When this stack sent the first invitation, if it has sent another since; absent once one is accepted."""
    expires_at: pulumi.Output[str | None]
    """The latest time at which the invitation expires; absent once it is accepted."""
    last_login: pulumi.Output[str | None]
    """The last login, if Mixpanel shows it."""
    user_id: pulumi.Output[int | None]
    """Mixpanel's id of the user, once Mixpanel has given one."""
    current_email: pulumi.Output[str | None]
    """The address that the person has now, if they changed it in Mixpanel."""
    adopted: pulumi.Output[bool]
    """Whether the person was in the organization before the resource."""
    ownership: pulumi.Output[str | None]
    since: pulumi.Output[str | None]
    """The first day of the access that the state has, where `starts` says a later one or none; for policies."""
    origin: pulumi.Output[str | None]
    """How the person came in: `invited` by this stack, `shared` (another stack of the project invited or imported
    them), `imported` by `mixpanel-access import`, or `found`."""
    previous_role: pulumi.Output[str | None]
    """The organization role that the person had before this stack gave them one."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[MemberInputs]
    ) -> None:
        super().__init__(MemberProvider(), resource_name, opts, inputs)
