"""The writes of individual grants: given many at once, taken away a person at a time (contract, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mixpanel_access.directory.shown import has_grant, is_listed
from mixpanel_access.directory.snapshot import PEOPLE, Part, grants_of
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors
from mixpanel_access.model.access import Grant
from mixpanel_access.model.address import same_key
from mixpanel_access.model.roles import is_higher

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory

NO_SUCH_CALL: Final = (
    "This Mixpanel does not offer the call: take the grant away in Project Settings > Users & Teams, then run `pulumi "
    "refresh`. The person was not removed."
)
"""What to do where the verb that takes grants away is missing; nothing ever falls back to removing a person."""

Failures = dict[str, errors.AccessError]
"""Address -> why it was not done; who is not in it was written."""


class GrantItem(NamedTuple):
    """One grant to give or change."""

    project: int
    email: str
    role: str


class Holding(NamedTuple):
    """One grant to take away."""

    project: int
    email: str


class GiveGrants(Write[GrantItem]):
    """Gives people of the organization roles in projects, or changes them."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def send(self, items: Sequence[GrantItem]) -> None:
        self._directory.api.users.grant({(item.project, item.email): item.role for item in items})

    def effects(self, item: GrantItem) -> Iterable[Effect[Any]]:
        key = same_key(item.email)
        yield Effect(grants_of(item.project), key, has_grant(key, item.role, self._directory.hideable()))

    def touches(self, item: GrantItem) -> Iterable[Part[Any]]:
        if same_key(item.email) not in self._directory.people():
            yield PEOPLE  # a grant to a new address invites it


class InvitingGrants(Write[GrantItem]):
    """Gives roles in a project to people who are not in the organization, which invites them as members.

    People and the project's grants are read afresh right before, for somebody else may have been faster.

    Attributes:
        kept: address -> the higher role that somebody else has given them, which is kept.
    """

    once = True

    def __init__(self, directory: Directory, emails: Iterable[str]) -> None:
        self._directory = directory
        self._joining = frozenset(map(same_key, emails))
        self._tried: set[str] = set()
        self.kept: dict[str, str] = {}

    def send(self, items: Sequence[GrantItem]) -> None:
        directory, project = self._directory, items[0].project
        emails = [item.email for item in items]
        with directory.inviting(emails, self._tried):
            if any(directory.person(email) for email in emails):
                directory.snapshot.drop(grants_of(project))
                held = {item: directory.access(project, item.email).individual for item in items}
                self.kept |= {one.email: role for one, role in held.items() if role and is_higher(role, one.role)}
            roles = {(project, directory.spelled(one.email)): one.role for one in items if one.email not in self.kept}
            new = {same_key(email) for email in emails if directory.person(email) is None}
            self._tried |= new
            if roles:
                with directory.unseen.sending(new):
                    directory.api.users.grant(roles)

    def effects(self, item: GrantItem) -> Iterable[Effect[Any]]:
        key = same_key(self._directory.spelled(item.email))
        yield Effect(PEOPLE, key, is_listed(key))
        hidden = self._directory.hideable(self._joining)
        yield Effect(grants_of(item.project), key, partial(self._has_grant, item, has_grant(key, item.role, hidden)))

    def _has_grant(
        self, item: GrantItem, shown: Callable[[Any], bool | None], grants: Mapping[str, Sequence[Grant]]
    ) -> bool | None:
        """Whether a project shows a grant; it need not where a higher role is kept."""
        return None if item.email in self.kept else shown(grants)

    def may_repeat(self, error: errors.MixpanelError) -> bool:
        return self._directory.writer.fate_is_known(error)


class RemoveGrants(Write[Holding]):
    """Takes individual grants away, and nothing else."""

    at_once = 1
    takes = True

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def send(self, items: Sequence[Holding]) -> None:
        for item in items:
            self._directory.api.users.remove_grants(item.email, [item.project])

    def effects(self, item: Holding) -> Iterable[Effect[Any]]:
        key = same_key(item.email)
        yield Effect(grants_of(item.project), key, has_grant(key, None, self._directory.hideable()))

    def explain_missing(self, error: errors.NotFound) -> None:
        error.next_step = NO_SUCH_CALL
