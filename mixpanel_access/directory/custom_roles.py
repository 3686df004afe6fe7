"""The custom roles of projects: reads from the snapshot, and the writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence

from mixpanel_access.directory.calls import Api
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.directory.snapshot import Snapshot
from mixpanel_access.directory.writing import Writing
from mixpanel_access.model import errors
from mixpanel_access.model.access import CustomRoleInfo
from mixpanel_access.model.address import same_key


class CustomRoles:
    """The custom roles of one organization's projects.

    Args:
        api: the calls to Mixpanel.
        snapshot: what was read.
        writing: sends writes.
        grants_of: what of the snapshot holds who has which role in a project: a deletion changes it.
    """

    def __init__(
        self, api: Api, snapshot: Snapshot, writing: Writing, grants_of: Callable[[int], Sequence[Hashable]]
    ) -> None:
        self._api = api
        self._snapshot = snapshot
        self._writing = writing
        self._grants_of = grants_of

    def in_project(self, project: int) -> Mapping[str, CustomRoleInfo]:
        """The custom roles of a project, by id.

        Raises:
            Forbidden: the plan has none, or our role in the project is too low.
        """

        def fetch() -> Mapping[str, CustomRoleInfo]:
            return {role.id: role for role in self._api.custom_roles.list_roles(project)}

        return self._snapshot.get(_roles_of(project), fetch)

    def by_name(self, project: int, name: str) -> CustomRoleInfo | None:
        """The role of a name, which no two of a project share, whatever the case."""
        return next((role for role in self.in_project(project).values() if same_key(role.name) == same_key(name)), None)

    def permissions(self, project: int) -> frozenset[str] | None:
        """The permissions that can be switched; None where Mixpanel does not tell."""

        def fetch() -> frozenset[str] | None:
            try:
                return self._api.custom_roles.permissions(project)
            except UNTOLD:
                return None

        return self._snapshot.get(("permissions", project), fetch)

    def create(self, project: int, name: str, description: str, permissions: Collection[str]) -> CustomRoleInfo | None:
        """Make a role, and return it as Mixpanel has it."""

        def write() -> None:
            self._api.custom_roles.create(project, name, description, permissions)

        part = _roles_of(project)
        self._writing.settle(
            write,
            lambda: self.by_name(project, name) is not None,
            [part],
            shows=lambda: [
                (part, name, lambda roles: any(same_key(one.name) == same_key(name) for one in roles.values()))
            ],
        )
        return self.by_name(project, name)

    def change(
        self, project: int, id_: str, name: str, description: str, permissions: Collection[str]
    ) -> CustomRoleInfo | None:
        """Change name, description and permissions of a role, and return it as Mixpanel has it."""
        before = self.in_project(project).get(id_)

        def write() -> None:
            self._api.custom_roles.change(project, id_, name, description, permissions)

        def applied() -> bool:  # to send it once more does no harm
            held = self.in_project(project).get(id_)
            return held != before

        part = _roles_of(project)
        self._writing.settle(
            write, applied, [part], shows=lambda: [(part, id_, lambda roles: roles.get(id_) != before)]
        )
        return self.in_project(project).get(id_)

    def delete(self, project: int, id_: str) -> int | None:
        """Delete a role; whoever holds it becomes a consumer. How many they are, where Mixpanel tells."""
        migrated: list[int | None] = []

        def write() -> None:
            migrated.append(self._api.custom_roles.delete(project, id_))

        def gone() -> bool:
            return id_ not in self.in_project(project)

        try:
            part = _roles_of(project)
            self._writing.settle(
                write,
                gone,
                [part, *self._grants_of(project)],
                shows=lambda: [(part, id_, lambda roles: id_ not in roles)],
            )
        except errors.NotFound:
            if not gone():
                raise
        return migrated[-1] if migrated else None


def _roles_of(project: int) -> tuple[str, int]:
    return ("custom roles", project)
