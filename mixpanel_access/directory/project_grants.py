"""All individual grants of one project, as they are read from the operation's one picture."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.grants import Failures
from mixpanel_access.directory.read_back import IN_PROJECT, not_shown
from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.grants import believed, by_key, individual_roles, spelled


class ProjectGrants:
    """The grants of a project at one moment.

    Args:
        directory: the organization.
        project: the project's id.
        before: the grants by address as they were last seen: Mixpanel may hide those of invited people.
        declared: further addresses by which the program knows people.

    Attributes:
        have: the roles by the key of the address, as far as anybody can tell.
    """

    def __init__(
        self, directory: Directory, project: int, before: Mapping[str, str], declared: Iterable[str] = ()
    ) -> None:
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
        """For whom a write was not done, whatever its answer was.

        Args:
            given: address -> the role that was to be given.
            taken: the addresses whose grant was to go.
            failures: what the answers said.
        """
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
        return not_shown("cannot change the grant", "", shows, self._directory.read_back_seconds, IN_PROJECT)

    def other_sources(self, email: str) -> dict[str, Any]:
        """How else a person comes by the project, and the highest role by any source; empty for no other source."""
        access = self._directory.access(self.project, email)
        sources = [source.value for source in access.grant_types if source is not GrantType.INDIVIDUAL]
        return {"ways": sources, "role": access.effective} if sources else {}

    def remains(self, emails: Iterable[str]) -> str | None:
        """In words, who of those whose grant is gone has access all the same; None for nobody."""
        left = [email for email in emails if self.other_sources(email)]
        if not left:
            return None
        sources = {source.replace("_", " ") for email in left for source in self.other_sources(email)["ways"]}
        return f"project {self.project}: access remains for {few(left)}, through {' and '.join(sorted(sources))}"


def _as_known(
    directory: Directory, rows: Mapping[str, tuple[Grant, ...]], emails: Iterable[str]
) -> Mapping[str, tuple[Grant, ...]]:
    """The grants by the addresses that the program knows: somebody may have another one by now in the product.

    If somebody else has the old address since, and a grant, that one is left out.
    """
    known = set(map(same_key, emails))
    former = {now: key for key in known if (now := directory.key_of(key)) != key and now not in known}
    moved = {former[key]: held for key, held in rows.items() if key in former}
    return {**{key: held for key, held in rows.items() if key not in former}, **moved}
