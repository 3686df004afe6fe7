"""SCIM of the fake organization."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mixpanel_access.model.access import ScimUser
from mixpanel_access.model.address import same_key

if TYPE_CHECKING:
    from tests.fakes import FakeApi


@dataclass
class FakeScim:
    """Knows who has joined the organization, and whom it keeps out."""

    api: FakeApi
    kept_out: set[str]

    def list_users(self) -> list[ScimUser]:
        self.api.calls["scim_users"] += 1
        self.api.fail("scim_users")
        people = [person for person in self.api.people.values() if not person.invited]
        return [ScimUser(str(one.user_id), one.email, one.key not in self.kept_out) for one in people]

    def create(self, email: str) -> None:
        with self.api.writing("scim_create", email) as writing:
            if writing:
                known = self.api.people.get(same_key(email))
                self.api.put(email)
                if known is not None:
                    own = self.api.people[same_key(email)]
                    self.api.people[same_key(email)] = replace(own, role=known.role)

    def set_active(self, user: ScimUser, *, active: bool) -> None:
        with self.api.writing("scim_active", (user.email, active)) as writing:
            if writing:
                (self.kept_out.discard if active else self.kept_out.add)(same_key(user.email))


def with_scim(api: FakeApi) -> FakeApi:
    """The organization with a SCIM token."""
    api.scim = FakeScim(api, set())
    return api
