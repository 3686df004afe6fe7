"""What each alternative does not allow; every other operation is done under it. The page is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.dialects.alternatives import MISSING
from tests.dialects.walk import Outcome

INVITE, ROLE, TAKE, JOIN, LEAVE, GRANTED = (f"missing {verb}" for verb in MISSING)
_BY_HAND: Final = "This Mixpanel may not offer the call: {}, then run `pulumi refresh`."
_UNREAD: Final = "cannot read who has access to project"

Cells = Mapping[str, tuple[Outcome, str]]
"""Operation -> what becomes of it, and a part of the line that says so."""


def _cells(outcome: Outcome, line: str, *operations: str) -> Cells:
    return dict.fromkeys(operations, (outcome, line))


_SETTINGS: Final = "in Organization Settings > Users & Teams"
EXPECTED: Final[Mapping[str, Cells]] = {
    "audit none": _cells(
        Outcome.STOPPED, "The service account needs the permission view_audit_logs", "read the audit log"
    ),
    "discoverability none": _cells(
        Outcome.STOPPED, "cannot read the discoverability of organization", "read discoverability"
    ),
    INVITE: _cells(
        Outcome.REFUSED,
        _BY_HAND.format(f"invite them {_SETTINGS}"),
        "invite", "send an expired invitation again", "invite an admin", "beyond the hourly limit",
    ),
    ROLE: _cells(
        Outcome.REFUSED,
        _BY_HAND.format(f"change the role {_SETTINGS}"),
        "raise the organization role", "find the role changed by hand", "lower the organization role",
    ),
    TAKE: _cells(
        Outcome.REFUSED,
        "This Mixpanel does not offer the call: take the grant away in Project Settings > Users & Teams, then run "
        "`pulumi refresh`. The person was not removed.",
        "take a grant from somebody invited", "take a grant away", "offboard with a grant",
    ),
    JOIN: _cells(Outcome.REFUSED, _BY_HAND.format(f"add the person to the team {_SETTINGS}"), "join a team"),
    LEAVE: _cells(
        Outcome.REFUSED, f"This Mixpanel may not offer the call: take the person out {_SETTINGS}", "leave a team"
    ),
    GRANTED: {
        **_cells(
            Outcome.STOPPED,
            _UNREAD,
            "grant to somebody invited", "take a grant from somebody invited", "grant", "change a grant",
            "find a grant changed by hand", "find a grant removed by hand", "take a grant away", "import",
            "offboard with a grant", "SCIM: let in again",
        ),
        "SCIM: keep out": (Outcome.ENDED, "is deactivated; run again to take the rest away"),
    },
}  # fmt: skip
"""Alternative -> the operations that are not simply done."""


def expected(name: str, operation: str) -> tuple[Outcome, str]:
    """What becomes of an operation under one alternative."""
    return EXPECTED.get(name, {}).get(operation, (Outcome.OK, ""))
