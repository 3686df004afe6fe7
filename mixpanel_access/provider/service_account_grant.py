"""`ServiceAccountGrant`: one service account's role in one project."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar, Final, Unpack

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource

from mixpanel_access.model import roles
from mixpanel_access.model.errors import NotApplied
from mixpanel_access.model.ids import ServiceAccountGrantId
from mixpanel_access.provider.base import (
    GONE,
    AccessProvider,
    Metadata,
    Problems,
    Properties,
    changed,
    inspect_environment,
    inspect_id,
    inspect_project_role,
    inspect_reach,
    known,
    select,
)

_OUTPUTS: Final = ("login",)
_PLACE: Final = ("service_account_id", "project_id")
"""Inputs whose change means another grant."""


class ServiceAccountGrantProvider(AccessProvider):
    """Gives `ServiceAccountGrant` its life; see there."""

    INPUTS: ClassVar[tuple[str, ...]] = (*_PLACE, "role", "environment")
    ACCESS_INPUTS: ClassVar[tuple[str, ...]] = INPUTS

    def whom(self, props: Properties) -> str:
        """The account and the project."""
        return f"service account {props.get('service_account_id')} in project {props.get('project_id')}"

    def subject(self, props: Properties) -> Hashable:
        """The account's individual role in the project."""
        return "service account", props.get("service_account_id"), props.get("project_id")

    def inspect(self, inputs: Properties, problems: Problems) -> None:
        """Judge both ids, the role word, and that the project's environment is the stack's."""
        inspect_id("service_account_id", "service account", inputs, problems)
        inspect_id("project_id", "project", inputs, problems)
        inspect_project_role(inputs, problems)
        whom = f"service account {inputs.get('service_account_id')}"
        inspect_environment(self.session.settings.environment, whom, inputs, problems)

    def inspect_online(self, inputs: Properties, problems: Problems, olds: Properties) -> None:  # noqa: ARG002
        """Judge account, project and role against the organization and our own role."""
        directory, project, account = self.session.directory, inputs["project_id"], inputs["service_account_id"]
        if project not in directory.projects():
            problems.add(
                "project_id",
                f"organization {self.session.organization} has no project {project} that the service account sees; "
                f"check the id for the grant to service account {account}",
            )
        if directory.accounts.of(account) is None:
            problems.add("service_account_id", f"organization {self.session.organization} has no such service account")
        own = directory.own_role()
        if own in roles.MANAGING_ROLES and not roles.may_assign_in_project(own, inputs["role"]):
            inspect_reach(f"service account {account}", inputs["role"], own, problems)

    def compare(self, olds: Properties, news: Properties) -> DiffResult:
        """Another account or project is another grant; another role is a change in place."""
        replaces = [field for field in _PLACE if known(news.get(field)) and olds.get(field) != news.get(field)]
        return DiffResult(changes=changed(self.INPUTS, olds, news), replaces=replaces)

    def make(self, inputs: Properties) -> CreateResult:
        """Give the role, or adopt the one that is there already."""
        project, account = inputs["project_id"], inputs["service_account_id"]
        id_ = ServiceAccountGrantId(self.session.organization, project, account)
        return CreateResult(str(id_), self._ensure(inputs))

    def look(self, id_: str, props: Properties) -> ReadResult:
        """Read the role; a project that the organization no longer has takes it along."""
        ref = ServiceAccountGrantId.parse(id_)
        self.own_organization(ref.organization, self.whom(props))
        directory = self.session.directory
        if directory.project_is_gone(ref.project) or directory.accounts.of(ref.account) is None:
            return GONE
        held = directory.accounts.roles(ref.project).get(ref.account)
        if held is None:
            return GONE
        inputs = {**props, "project_id": ref.project, "service_account_id": ref.account, "role": held.role}
        return ReadResult(id_, self._outputs(inputs), select(inputs, self.all_inputs))

    def change(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Change the role in place."""
        self.own_organization(ServiceAccountGrantId.parse(id_).organization, self.whom(news))
        if olds.get("role") == news["role"]:
            return {**select(olds, _OUTPUTS), **news}
        return self._ensure(news)

    def unmake(self, id_: str, props: Properties) -> None:
        """Take the role away; the account stays, with all that it holds otherwise."""
        ref = ServiceAccountGrantId.parse(id_)
        self.own_organization(ref.organization, self.whom(props))
        directory = self.session.directory
        if directory.project_is_gone(ref.project) or directory.accounts.of(ref.account) is None:
            return
        if ref.account in directory.accounts.roles(ref.project):
            directory.accounts.remove_grant(ref.account, ref.project)
        if held := directory.accounts.roles(ref.project).get(ref.account):
            raise NotApplied(
                f"cannot take the role in project {ref.project} away",
                whom=f"service account {ref.account}",
                why=f"Mixpanel took the request and still shows the role {held.role}",
                next_step="Run again; if it stays so, do it in Project Settings > Service Accounts.",
            )

    def _ensure(self, inputs: Properties) -> Properties:
        """Bring the role to the declared one and return the outputs."""
        accounts = self.session.directory.accounts
        project, account, role = inputs["project_id"], inputs["service_account_id"], inputs["role"]
        held = accounts.roles(project).get(account)
        if held is None or held.role != role:
            accounts.grant(account, project, role)
        held = accounts.roles(project).get(account)
        if held is None or held.role != role:
            raise NotApplied(
                f"cannot grant {role} in project {project}",
                whom=f"service account {account}",
                why=f"Mixpanel took the request and shows {held.role if held else 'no role'}",
                next_step="Run again; if it stays so, look at the account in Project Settings > Service Accounts.",
            )
        return self._outputs(inputs)

    def _outputs(self, inputs: Properties) -> Properties:
        outputs = select(inputs, self.all_inputs)
        if account := self.session.directory.accounts.of(inputs["service_account_id"]):
            outputs["login"] = account.username
        return outputs


class ServiceAccountGrant(Resource, module="mixpanel", name="ServiceAccountGrant"):
    """One service account's role in one project.

    A role that is there already is adopted, and another one is changed in place. Deleting the resource takes this role
    away and nothing else.

    Args:
        resource_name: the resource's name in the stack.
        service_account_id: the account's id: `account_id` of a `ServiceAccount`.
        project_id: the project's id.
        role: `owner`, `admin`, `analyst`, `consumer`, or a custom role's id.
        environment: the project's environment; must be the stack's (`mixpanel:environment`), which is the default.
        opts: Pulumi's options.
        metadata: why the access is there; see `Metadata`.
    """

    service_account_id: pulumi.Output[int]
    project_id: pulumi.Output[int]
    role: pulumi.Output[str]
    environment: pulumi.Output[str | None]
    login: pulumi.Output[str | None]
    """The account's login name."""

    def __init__(
        self,
        resource_name: str,
        *,
        service_account_id: pulumi.Input[int],
        project_id: pulumi.Input[int],
        role: pulumi.Input[str],
        environment: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **metadata: Unpack[Metadata],
    ) -> None:
        props: dict[str, Any] = {
            "service_account_id": service_account_id,
            "project_id": project_id,
            "role": role,
            "environment": environment,
            **metadata,
            **dict.fromkeys(_OUTPUTS),
        }
        super().__init__(ServiceAccountGrantProvider(), resource_name, props, opts)
