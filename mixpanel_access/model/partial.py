"""One error for a write that concerned many people and was done for some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mixpanel_access.model.address import few
from mixpanel_access.model.errors import AccessError

_REASONS: Final = 3
"""Different reasons that one line tells before it counts."""


def told_together(what: str, failures: Mapping[str, AccessError], done: int) -> AccessError:
    """The failures of single people as one error, of the kind of the first.

    Args:
        what: what was not done, as a clause.
        failures: address -> why not; at least one.
        done: for how many people it was done.
    """
    reasons: dict[str, list[str]] = {}
    for email, error in failures.items():
        reasons.setdefault(error.why or error.what, []).append(email)
    told = [f"{few(emails)}: {why}" for why, emails in reasons.items()]
    more = len(told) - _REASONS
    if more > 0:
        told[_REASONS:] = [f"and {more} more reason{'s' * (more > 1)}"]
    first = next(iter(failures.values()))
    again = "Run again: what is done is not done twice." if done else ""
    return type(first)(
        what,
        why=f"not for {len(failures)} of {len(failures) + done} people: {'; '.join(told)}",
        next_step=" ".join(part for part in (first.next_step, again) if part),
    )
