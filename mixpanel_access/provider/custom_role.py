"""`CustomRole`: one role of a project's own, on the plan Enterprise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import pulumi

from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.custom_role_handler import OUTPUTS, CustomRoleHandler
from mixpanel_access.provider.handler import PROJECT_NAME
from mixpanel_access.provider.renames import BESIDE
from mixpanel_access.provider.resource import AccessResource, Metadata


class CustomRoleProvider(AccessProvider):
    """The SDK's provider of `CustomRole`, which states name."""

    HANDLER: ClassVar[type[CustomRoleHandler]] = CustomRoleHandler


class CustomRole(AccessResource, module="mixpanel", name="CustomRole"):
    """One role of a project's own: a name and the permissions that it gives, on the plan Enterprise.

    A role of that name which is there already is adopted, and said. Permissions are a set, and their codes are
    Mixpanel's: their order means nothing, what Mixpanel adds of its own stands in `base_permissions`, and any other
    difference is drift. The four roles that every project has are never touched. Deleting the resource deletes the
    role, and Mixpanel then makes everybody who holds it a consumer: it says who that is, and is refused while somebody
    whom this stack declares in the project holds it, or may: where Mixpanel does not let such holders be seen.

    Args:
        resource_name: the resource's name in the stack.
        project_id: the project's id.
        name: the role's name; in a project no two are the same, whatever the case.
        permissions: the codes of what the role may; at most five roles a project.
        description: what the role is for.
        environment: the project's environment; must be the stack's (`mixpanel:environment`), which is the default.
        project_name: the project's name: an id is refused if the name is that of another project in Mixpanel. It is not
            kept in the state.
        beside: the names of the program's other `CustomRole` resources: a new role that is to have the name of one of
            them, which is renamed in the same run, waits for it. It is not kept in the state.
        opts: Pulumi's options.
        metadata: why the role is there; see `Metadata`.
    """

    project_id: pulumi.Output[int]
    name: pulumi.Output[str]
    description: pulumi.Output[str]
    permissions: pulumi.Output[list[str]]
    environment: pulumi.Output[str | None]
    role_id: pulumi.Output[str]
    """Mixpanel's id of the role (a UUID), which a grant takes as its `role`."""
    base_permissions: pulumi.Output[list[str]]
    """What Mixpanel has added to the permissions."""

    def __init__(
        self,
        resource_name: str,
        *,
        project_id: pulumi.Input[int],
        name: pulumi.Input[str],
        permissions: pulumi.Input[Sequence[pulumi.Input[str]]],
        description: pulumi.Input[str] = "",
        environment: pulumi.Input[str] | None = None,
        project_name: pulumi.Input[str] | None = None,
        beside: Sequence[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **metadata: Unpack[Metadata],
    ) -> None:
        props: dict[str, Any] = {
            "project_id": project_id,
            "name": name,
            "permissions": permissions,
            "description": description,
            "environment": environment,
            PROJECT_NAME: project_name,
            BESIDE: None if beside is None else list(beside),
            **metadata,
            **dict.fromkeys(OUTPUTS),
        }
        super().__init__(CustomRoleProvider(), resource_name, props, opts)
