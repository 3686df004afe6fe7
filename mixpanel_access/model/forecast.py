"""What the brakes will hold on the day on which somebody's access ends: said while there is time to do something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Brake, BrakeFinding, DeclaredPerson, Limits, PlannedChanges, judge
from mixpanel_access.model.dates import day_or_none

NEAR_DAYS: Final = 30
"""An edit that moves an end to within so many days is judged as if it took the access away."""
_ALWAYS: Final = (Brake.LAST_OWNER, Brake.OWN_IDENTITY)
"""The brakes that hold planned endings too."""
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Forecast:
    """A brake that will hold an ending.

    Attributes:
        on: the first day (UTC) on which it holds.
        finding: which brake, whom it concerns, and why.
    """

    on: date
    finding: BrakeFinding

    @property
    def next_step(self) -> str:
        """What to do before that day."""
        if self.finding.brake is Brake.LAST_OWNER:
            return "Make somebody else an owner before, or move the end to a later day."
        return "Run this as another identity before, or move the end to a later day."

    def __str__(self) -> str:
        return f"on {self.on}, this will be held: {self.finding} [{self.finding.brake}]. {self.next_step}"


def forecasts(
    people: Mapping[str, Person],
    declared: Sequence[DeclaredPerson],
    role_ends: Mapping[str, str | None],
    leaves: Callable[[DeclaredPerson], bool],
    own_address: str,
) -> list[Forecast]:
    """What the brakes will hold of the endings that a stack declares today, if nothing else changes until then.

    Args:
        people: everybody in the organization, by the key of their address.
        declared: what the stack declares today.
        role_ends: key of the address -> the last day of the entry that gives the organization role, or None.
        leaves: whether somebody leaves the organization once the stack no longer declares them.
        own_address: the identity that the provider runs as.
    """
    steps: dict[date, list[tuple[str, bool]]] = {}
    for person in declared:
        key, ends = same_key(person["email"]), day_or_none(person.get("ends"))
        role_end = day_or_none(role_ends.get(key)) if person.get("role") else None
        if role_end is not None and (ends is None or role_end < ends):
            steps.setdefault(role_end + _A_DAY, []).append((key, False))
        if ends is not None:
            steps.setdefault(ends + _A_DAY, []).append((key, leaves(person)))
    found: list[Forecast] = []
    removals: set[str] = set()
    lowered: dict[str, str] = {}
    owned = {same_key(person["email"]) for person in declared if person.get("role")}
    for on in sorted(steps):
        for key, goes in steps[on]:
            if goes:
                removals.add(key)
            elif key in owned and key in people:
                lowered[key] = roles.MEMBER
        plan = PlannedChanges(frozenset(removals), lowered, frozenset(removals))
        for finding in judge(people, plan, own_address=own_address, own_role=None, limits=Limits()):
            if finding.holds and finding.brake in _ALWAYS and not any(one.finding == finding for one in found):
                found.append(Forecast(on, finding))
    return found


def brought_forward(before: str | None, now: str | None) -> bool:
    """Whether an edit moves an end to an earlier day; no end is later than any."""
    earlier, later = day_or_none(now), day_or_none(before)
    return earlier is not None and (later is None or earlier < later)


def is_near(ends: str | None, today: date) -> bool:
    """Whether a last day is at most 30 days away."""
    found = day_or_none(ends)
    return found is not None and (found - today).days <= NEAR_DAYS
