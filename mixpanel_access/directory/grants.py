"""The individual grants of projects: how they are read together, given many at once, and taken away one by one.

The only verb that takes grants away is one person's (contract, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mixpanel_access.directory.shown import has_grant, is_listed
from mixpanel_access.directory.snapshot import IN_PROJECT, PEOPLE, Part, grants_of, not_shown
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors
from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.grants import believed, by_key, individual_roles, spelled
from mixpanel_access.model.roles import is_higher
from mixpanel_access.model.similarity import in_words

if TYPE_CHECKING:
    from mixpanel_access.directory.people import Inviting
    from mixpanel_access.directory.reads import Reads

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

    def __init__(self, directory: Reads) -> None:
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

    def __init__(self, directory: Reads, inviting: Inviting, emails: Iterable[str]) -> None:
        self._directory, self._inviting = directory, inviting
        self._joining = frozenset(map(same_key, emails))
        self._tried: set[str] = set()
        self.kept: dict[str, str] = {}

    def send(self, items: Sequence[GrantItem]) -> None:
        directory, project = self._directory, items[0].project
        emails = [item.email for item in items]
        with self._inviting.inviting(emails, self._tried):
            if any(directory.person(email) for email in emails):
                directory.snapshot.drop(grants_of(project))
                held = {item: directory.access(project, item.email).individual for item in items}
                self.kept |= {one.email: role for one, role in held.items() if role and is_higher(role, one.role)}
            roles = {(project, directory.spelled(one.email)): one.role for one in items if one.email not in self.kept}
            new = {same_key(email) for email in emails if directory.person(email) is None}
            self._tried |= new
            if roles:
                with self._inviting.unseen.sending(new):
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
    """Takes individual grants away, and nothing else: those of one person in one request."""

    apart = True
    takes = True

    def __init__(self, directory: Reads) -> None:
        self._directory = directory

    def send(self, items: Sequence[Holding]) -> None:
        self._directory.api.users.remove_grants(items[0].email, [item.project for item in items])

    def request_of(self, item: Holding) -> Hashable:
        return same_key(item.email)

    def effects(self, item: Holding) -> Iterable[Effect[Any]]:
        key = same_key(item.email)
        yield Effect(grants_of(item.project), key, has_grant(key, None, self._directory.hideable()))

    def explain_missing(self, error: errors.NotFound) -> None:
        error.next_step = NO_SUCH_CALL


class ProjectGrants:
    """The grants of a project at one moment.

    Args:
        directory: the organization.
        project: the project's id.
        before: the grants by address as they were last seen: Mixpanel may hide those of invited people.
        declared: further addresses by which the program knows people.

    Attributes:
        have: the roles by the key of the address, as far as Mixpanel shows them.
    """

    def __init__(self, directory: Reads, project: int, before: Mapping[str, str], declared: Iterable[str] = ()) -> None:
        self.project = project
        self._directory = directory
        self._before = before
        rows = _as_known(directory, directory.grants(project), [*before, *declared])
        self._spellings = [grants[0].email for grants in rows.values()]
        self._seen = individual_roles(rows)
        hidden = {key for key in by_key(before) if key not in self._seen and directory.hides_grant(project, key)}
        self.have = believed(self._seen, by_key(before), hidden)

    def spelled(self, keys: Collection[str], *spellings: Iterable[str]) -> dict[str, str]:
        """The roles of some people by address: as it is spelled there, else in the state, else by Mixpanel."""
        roles = {key: role for key, role in self.have.items() if key in keys}
        return spelled(roles, *spellings, self._before, self._spellings)

    def undone(self, given: Mapping[str, str], taken: Iterable[str], failures: Failures) -> Failures:
        """Whose write failed, whatever its answer was: address -> why."""
        found: Failures = {}
        for email, role in given.items():
            actual = self._seen.get(same_key(email))
            unseen = actual is None and email not in failures and self._directory.hides_grant(self.project, email)
            if actual != role and not unseen:
                shows = f"the role {actual}" if actual else "no individual grant"
                found[email] = failures.get(email) or self._not_shown(f"shows {shows}")
        for email in taken:
            actual = self._seen.get(same_key(email))
            if actual is not None:
                found[email] = failures.get(email) or self._not_shown(f"still shows the role {actual}")
            elif email in failures and self._directory.hides_grant(self.project, email):
                found[email] = failures[email]
        return found

    def _not_shown(self, shows: str) -> AccessError:
        return not_shown("cannot change the grant", "", shows, self._directory.writer.seconds, IN_PROJECT)

    def other_sources(self, email: str) -> dict[str, Any]:
        """The other sources of a person's access to the project, and the highest role from any of them; or empty."""
        access = self._directory.access(self.project, email)
        sources = [source.value for source in access.grant_types if source is not GrantType.INDIVIDUAL]
        return {"ways": sources, "role": access.effective} if sources else {}

    def remains(self, emails: Iterable[str]) -> str | None:
        """In words, who of those whose grant is gone has access all the same; None for nobody."""
        left = [email for email in emails if self.other_sources(email)]
        if not left:
            return None
        sources = {source.replace("_", " ") for email in left for source in self.other_sources(email)["ways"]}
        return f"project {self.project}: access remains for {few(left)}, through {in_words(sorted(sources))}"


def _as_known(
    directory: Reads, rows: Mapping[str, tuple[Grant, ...]], emails: Iterable[str]
) -> Mapping[str, tuple[Grant, ...]]:
    """The grants by the addresses that the program knows: somebody may have another one by now in the product.

    If somebody else has the old address since, and a grant, that one is left out.
    """
    known = set(map(same_key, emails))
    former = {now: key for key in known if (now := directory.key_of(key)) != key and now not in known}
    moved = {former[key]: held for key, held in rows.items() if key in former}
    return {**{key: held for key, held in rows.items() if key not in former}, **moved}
