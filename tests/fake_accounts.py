"""Service accounts of the fake organization."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from mixpanel_access.model.access import AccountFlag, GrantType
from mixpanel_access.model.errors import NotFound
from mixpanel_access.model.service_accounts import NewServiceAccount, ServiceAccountInfo, ServiceAccountRole
from mixpanel_access.model.setting_values import Secret

if TYPE_CHECKING:
    from tests.fakes import FakeApi


@dataclass
class FakeAccounts:
    """Keeps accounts and their roles; counts and fails as the organization's fake is told."""

    api: FakeApi
    rows: list[ServiceAccountRole] = field(default_factory=list)
    flags: dict[int, list[AccountFlag]] = field(default_factory=dict)

    def list_accounts(self) -> list[ServiceAccountInfo]:
        self.api.calls["list_accounts"] += 1
        self.api.fail("list_accounts")
        return list(self.api.accounts)

    def list_of_project(self, project: int) -> list[ServiceAccountRole]:
        self.api.calls["list_of_project"] += 1
        self.api.fail("list_of_project")
        if project not in self.api.projects_:
            raise NotFound(f"cannot list the service accounts of project {project}", why="404")
        return [row for row in self.rows if row.project == project]

    def flags_of_project(self, project: int) -> list[AccountFlag]:
        self.api.calls["flags_of_project"] += 1
        self.api.fail("flags_of_project")
        return self.flags.get(project, [])

    def create(self, name: str, role: str, expires: datetime | None) -> NewServiceAccount:
        id_ = 1000 + len(self.api.sent)
        account = ServiceAccountInfo(
            id_, f"{name}.{id_}.mp-service-account", self.api.now, expires, role=role, creator="bot"
        )
        with self.api.writing("create_account", (name, role, expires)) as writing:
            if writing:
                self.api.accounts.append(account)
        return NewServiceAccount(account, Secret(f"token-{id_}"))

    def delete(self, id_: int) -> None:
        with self.api.writing("delete_account", id_) as writing:
            if writing:
                if all(account.id != id_ for account in self.api.accounts):
                    raise NotFound("cannot delete", subject=str(id_))
                self.api.accounts[:] = [account for account in self.api.accounts if account.id != id_]
                self.rows = [row for row in self.rows if row.account != id_]

    def add_to_project(self, id_: int, project: int, role: str) -> None:
        with self.api.writing("add_to_project", (id_, project, role)) as writing:
            if writing:
                self._drop(id_, project)
                self.rows.append(ServiceAccountRole(id_, project, role))

    def remove_from_project(self, id_: int, project: int) -> None:
        with self.api.writing("remove_from_project", (id_, project)) as writing:
            if writing:
                self._drop(id_, project)

    def _drop(self, id_: int, project: int) -> None:
        own = (id_, project, GrantType.INDIVIDUAL)
        self.rows = [row for row in self.rows if (row.account, row.project, row.grant_type) != own]
