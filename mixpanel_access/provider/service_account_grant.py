"""`ServiceAccountGrant`: one service account's role in one project."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, Required, Unpack

import pulumi

from mixpanel_access.directory.service_accounts import ServiceAccounts
from mixpanel_access.model.dates import written
from mixpanel_access.model.resource_ids import ServiceAccountGrantId
from mixpanel_access.model.resources import SERVICE_ACCOUNT_TYPE
from mixpanel_access.provider.account_runs import Retiring
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.handler import Properties
from mixpanel_access.provider.holder_grant import HolderGrantHandler
from mixpanel_access.provider.identities import AccountGrantIdentity, StayingAccount
from mixpanel_access.provider.resource import AccessResource, InProject, ProjectRole
from mixpanel_access.provider.states import of_organization


class ServiceAccountGrantHandler(HolderGrantHandler[ServiceAccountGrantId]):
    """What Pulumi's verbs do with a `ServiceAccountGrant`; see there."""

    HOLDER: ClassVar[str] = "service account"
    FIELD: ClassVar[str] = "service_account_id"
    PAGE: ClassVar[str] = "Project Settings > Service Accounts"
    INPUTS: ClassVar[tuple[str, ...]] = ("service_account_id", "project_id", "role", "environment")
    REPLACES: ClassVar[tuple[str, ...]] = ("service_account_id", "project_id")
    OUTPUTS: ClassVar[tuple[str, ...]] = ("login",)

    @property
    def holders(self) -> ServiceAccounts:
        return self.session.directory.accounts

    def identity(self, props: Properties) -> Hashable:
        return AccountGrantIdentity(props.get("service_account_id"), props.get("project_id"))

    def update(self, ref: ServiceAccountGrantId, olds: Properties, news: Properties) -> Properties:
        """Change the role in place; of the accounts that this one has replaced and that are still there, too."""
        outputs = super().update(ref, olds, news)
        holder, project = ref.holder, ref.project
        for one in self._replaced_by(holder):
            if self.held(one.account, project) not in (None, news["role"]):
                self.holders.grant(one.account, project, news["role"])
        return outputs

    def delete(self, ref: ServiceAccountGrantId, props: Properties) -> None:
        """Take the role away; of the accounts that this one has replaced and that are still there, too.

        An account that a new one has replaced keeps what is declared for that one, until its overlap has ended.
        """
        holder, project = ref.holder, ref.project
        if self.session.others.declares([StayingAccount(holder)]):
            self.session.say(f"{self.label(props)}: it stays until the overlap of the account has ended")
            return
        kept = self.session.rotations.kept(holder)
        role = self.session.roles.get(AccountGrantIdentity(kept[1], project)) if kept else None
        if kept is None or role is None:
            super().delete(ref, props)
            for one in self._replaced_by(holder):
                super().delete(self.grant_id(project, one.account), props)
            return
        if self.held(holder, project) not in (None, role):
            self.holders.grant(holder, project, role)
        until = written(kept[0].until)
        self.session.say(f"{kept[0].login} keeps the role {role} in project {project} until {until}")

    def _replaced_by(self, holder: int) -> list[Retiring]:
        """The accounts that this one has replaced and that are still there.

        A run that leaves the account itself alone, with `--target` or in `revoke`, knows them by the state only.
        """
        session, rotations, found = self.session, self.session.rotations, list[Retiring]()
        held = session.scope.resources if (own := session.states.own()) is None else own
        for one in of_organization(held or (), session.organization):
            if one.type == SERVICE_ACCOUNT_TYPE and one.outputs.get("account_id") == holder:
                found = [row for row in Retiring.all_of(one.outputs) if rotations.kept(row.account) is None]
        return [*found, *rotations.replaced_by(holder)]

    def held(self, holder: int, project: int) -> str | None:
        """By the project's own list."""
        grant = self.holders.roles(project).get(holder)
        return grant.role if grant else None

    def seen(self, holder: int, project: int) -> str | None:
        """By the project's list alone: the list of accounts may lack one that has just been made."""
        return None if self.session.directory.project_is_gone(project) else self.held(holder, project)

    def outputs(self, inputs: Properties) -> Properties:
        outputs = super().outputs(inputs)
        if account := self.holders.get(inputs["service_account_id"]):
            outputs["login"] = account.username
        return outputs


class ServiceAccountGrantProvider(AccessProvider):
    """The SDK's provider of `ServiceAccountGrant`, which states name."""

    HANDLER = ServiceAccountGrantHandler


class AccountGrantInputs(InProject, total=False):
    """The inputs of a `ServiceAccountGrant`."""

    service_account_id: Required[pulumi.Input[int]]
    """The account's id: `account_id` of a `ServiceAccount`."""
    role: Required[pulumi.Input[ProjectRole]]
    """`owner`, `admin`, `analyst`, `consumer`, or a custom role's id."""


class ServiceAccountGrant(AccessResource, module="mixpanel", name="ServiceAccountGrant"):
    """One service account's role in one project.

    A role that is there already is adopted, and another one is changed in place. Deleting the resource takes this role
    away and nothing else.
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
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[AccountGrantInputs],
    ) -> None:
        super().__init__(ServiceAccountGrantProvider(), resource_name, opts, inputs)
