"""Ways round the rules about who may be in the organization."""

from __future__ import annotations

from typing import Final

from mixpanel_access.rules.entry import Entry, Type
from mixpanel_access.rules.facts import Stack
from tests.rules.ways_round.table import ROBIN, Way, roster


def program(role: str, many: int) -> Stack:
    """A program without a roster that declares some people with an organization role."""
    emails = [f"p{number}@example.com" for number in range(many)]
    return Stack([Entry(Type.MEMBER, email, f"urn:{email}", {"email": email, "role": role}) for email in emails])


WAYS: Final[dict[str, Way]] = {
    "a consumer mailbox": Way(
        "no-consumer-mail",
        roster(people=[{**ROBIN, "email": "robin.agency@gmail.com"}]),
        roster(),
    ),
    "an organization admin from outside": Way(
        "external-not-privileged",
        roster(people=[{**ROBIN, "organizationRole": "admin"}]),
        roster(),
    ),
    "many owners in a program without a roster": Way("organization-owners", program("owner", 5), program("owner", 4)),
    "many admins in a program without a roster": Way("organization-admins", program("admin", 6), program("admin", 5)),
}
