"""`ProjectAccess`: all individual grants of one project, as one resource that alone says who has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Unpack

import pulumi

from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.handler import PROJECT_NAME
from mixpanel_access.provider.project_access_handler import OUTPUTS, ProjectAccessHandler
from mixpanel_access.provider.resource import AccessResource, Metadata, ProjectRole


class ProjectAccessProvider(AccessProvider):
    """The SDK's provider of `ProjectAccess`, which states name."""

    HANDLER: ClassVar[type[ProjectAccessHandler]] = ProjectAccessHandler


class ProjectAccess(AccessResource, module="mixpanel", name="ProjectAccess"):
    """All individual grants of one project: who is not named here has none.

    Grants that are there already are adopted; those of people who are not named are taken away, at the next `pulumi up`
    after they show. Nobody leaves the organization, and a role through a team, the organization role or a grant to all
    users is not touched. An address that is not in the organization is invited as a member, within Mixpanel's hourly
    limit. The grant of the identity that this runs as is never taken away.

    A project's grants are declared with this or with `ProjectGrant`, in one stack; both in one program are refused.
    Deleting the resource takes the declared grants away, and nothing else; the brake on shares holds that too.

    Args:
        resource_name: the resource's name in the stack.
        project_id: the project's id.
        grants: address -> `owner`, `admin`, `analyst`, `consumer`, or a custom role's id; addresses are kept
            as written, and every spelling of one mailbox is the same.
        environment: the project's environment; must be the stack's (`mixpanel:environment`), which is the default.
        project_name: the project's name: an id is refused if the name is that of another project in Mixpanel. It is not
            kept in the state.
        reasons: why some of the people have the access, where it is not as for all: `people`, a list of addresses, and
            any of the metadata.
        opts: Pulumi's options; it should depend on each `Member`, so that it goes first on destroy.
        metadata: why the access is there, for all of them; see `Metadata`.
    """

    project_id: pulumi.Output[int]
    grants: pulumi.Output[dict[str, str]]
    """The individual grants as Mixpanel has them, by address."""
    environment: pulumi.Output[str | None]
    reasons: pulumi.Output[list[dict[str, Any]] | None]
    undeclared: pulumi.Output[list[str]]
    """Whose grant was added by hand and is not declared, when it was last read."""
    lost: pulumi.Output[list[str] | None]
    """Whose declared grant was not there when it was last read: `pulumi up` gives it again."""
    beside: pulumi.Output[dict[str, Any]]
    """Address -> how else the person comes by the project (`ways`), and the highest role by any way (`role`)."""
    open_to_all_users: pulumi.Output[bool | None]
    """Whether everybody in the organization has the production project, by a grant to all users; as last read."""

    def __init__(
        self,
        resource_name: str,
        *,
        project_id: pulumi.Input[int],
        grants: pulumi.Input[Mapping[str, pulumi.Input[ProjectRole]]],
        environment: pulumi.Input[str] | None = None,
        project_name: pulumi.Input[str] | None = None,
        reasons: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **metadata: Unpack[Metadata],
    ) -> None:
        props: dict[str, Any] = {
            "project_id": project_id,
            "grants": grants,
            "environment": environment,
            PROJECT_NAME: project_name,
            "reasons": reasons,
            **metadata,
            **dict.fromkeys(OUTPUTS),
        }
        super().__init__(ProjectAccessProvider(), resource_name, props, opts)
