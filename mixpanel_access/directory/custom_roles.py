"""The custom roles of projects: reads from the snapshot, and the writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.directory.service_accounts import roles_in
from mixpanel_access.directory.snapshot import TEAMS, Part, grants_of
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model.address import same_key
from mixpanel_access.model.roles import CustomRoleInfo

if TYPE_CHECKING:
    from mixpanel_access.api.custom_roles import CustomRolesEndpoint
    from mixpanel_access.directory.reads import Reads

_Roles = Mapping[str, CustomRoleInfo]


@dataclass(frozen=True)
class RoleContent:
    """What a custom role is declared as: its name, its description and its permissions."""

    name: str
    description: str
    permissions: Collection[str]


class _Create(Write[RoleContent]):
    def __init__(self, api: CustomRolesEndpoint, project: int) -> None:
        self._api, self._project = api, project

    def send(self, items: Sequence[RoleContent]) -> None:
        for item in items:
            self._api.create(self._project, item.name, item.description, item.permissions)

    def effects(self, item: RoleContent) -> Iterable[Effect[Any]]:
        yield Effect(_roles_of(self._project), item.name, lambda roles: _by_name(roles, item.name) is not None)


class _Change(Write[RoleContent]):
    """To send it once more does no harm."""

    def __init__(self, api: CustomRolesEndpoint, project: int, id_: str, before: CustomRoleInfo | None) -> None:
        self._api, self._project, self._id, self._before = api, project, id_, before

    def send(self, items: Sequence[RoleContent]) -> None:
        for item in items:
            self._api.change(self._project, self._id, item.name, item.description, item.permissions)

    def effects(self, item: RoleContent) -> Iterable[Effect[Any]]:  # noqa: ARG002
        yield Effect(_roles_of(self._project), self._id, lambda roles: roles.get(self._id) != self._before)


class _Delete(Write[str]):
    """Deletes a role.

    Attributes:
        migrated: how many grants of it are now of a consumer, where the answer says so.
    """

    takes = True

    def __init__(self, api: CustomRolesEndpoint, project: int) -> None:
        self._api, self._project = api, project
        self.migrated: int | None = None

    def send(self, items: Sequence[str]) -> None:
        for id_ in items:
            self.migrated = self._api.delete(self._project, id_)

    def effects(self, item: str) -> Iterable[Effect[Any]]:
        yield Effect(_roles_of(self._project), item, lambda roles: item not in roles)

    def touches(self, item: str) -> Iterable[Part[Any]]:  # noqa: ARG002
        return grants_of(self._project), roles_in(self._project), TEAMS


class CustomRoles:
    """The custom roles of one organization's projects."""

    def __init__(self, directory: Reads) -> None:
        self._directory = directory
        self._api = directory.api.custom_roles
        directory.snapshot.read_by(_roles_of(0).kind, self.in_project)

    def in_project(self, project: int) -> Mapping[str, CustomRoleInfo]:
        """The custom roles of a project, by id.

        Raises:
            Forbidden: the plan has none, or our role in the project is too low.
        """
        return self._directory.snapshot.get(
            _roles_of(project), lambda: {role.id: role for role in self._api.list_roles(project)}
        )

    def by_name(self, project: int, name: str) -> CustomRoleInfo | None:
        """The role of a name, which no two of a project share, whatever the case."""
        return _by_name(self.in_project(project), name)

    def permissions(self, project: int) -> frozenset[str] | None:
        """The permissions that can be switched; None if Mixpanel does not list them."""

        def fetch() -> frozenset[str] | None:
            try:
                return self._api.permissions(project)
            except UNTOLD:
                return None

        return self._directory.snapshot.get(Part("permissions", project), fetch)

    def create(self, project: int, name: str, description: str, permissions: Collection[str]) -> None:
        """Make a role in a project."""
        self._directory.writer.settle(_Create(self._api, project), [RoleContent(name, description, permissions)])

    def change(self, project: int, id_: str, name: str, description: str, permissions: Collection[str]) -> None:
        """Change name, description and permissions of a role."""
        before = self.in_project(project).get(id_)
        write = _Change(self._api, project, id_, before)
        self._directory.writer.settle(write, [RoleContent(name, description, permissions)])

    def delete(self, project: int, id_: str) -> int | None:
        """Delete a role; its holders become consumers. Returns how many, if Mixpanel says so."""
        write = _Delete(self._api, project)
        self._directory.writer.settle(write, [id_])
        return write.migrated


def _by_name(roles: _Roles, name: str) -> CustomRoleInfo | None:
    return next((role for role in roles.values() if same_key(role.name) == same_key(name)), None)


def _roles_of(project: int) -> Part[_Roles]:
    return Part("custom roles", project)
