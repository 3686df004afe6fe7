"""Ways round the rules about who may be in the organization."""

from __future__ import annotations

from typing import Final

from tests.rules.ways_round.table import ROBIN, Way, roster

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
}
