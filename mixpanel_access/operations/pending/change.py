"""One pending change of access: what the next `pulumi up` or `revoke` changes, or what its day will change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

A_DAY: Final = timedelta(days=1)


class PendingEvent(StrEnum):
    """What happens to access."""

    OVERDUE = "overdue"
    REMOVED = "removed"
    LATE = "late"
    ENDS = "ends"
    BEGINS = "begins"


@dataclass(frozen=True)
class PendingChange:
    """One change.

    Attributes:
        event: what happens. `overdue` has ended and is still in the state; `removed` is no longer in the roster and
            still in the state; `late` is in the roster and not in the state; `ends` and `begins` are to come.
        email: the address of the person; "" for a team as a whole.
        on: the first day (UTC) on which `pulumi up` applies it; today, if nothing says since when.
        days: days until then; negative for what is overdue or late.
        projects: project key -> role that is taken away or given, or `admin -> analyst` if another entry gives a lower
            role or gave a higher one.
        engagement: the key of the engagement that begins or ends, or None.
        teams: keys of teams that the person leaves or joins, or the team itself.
        account: the login name of the service account, or its name in the roster; "" for none.
        organization_role: the organization role that is taken away or given, or `admin -> member`; None for none.
        membership: whether the stack no longer has, or gets, the person altogether.
    """

    event: PendingEvent
    email: str
    on: date
    days: int = 0
    projects: Mapping[str, str] = field(default_factory=dict)
    engagement: str | None = None
    teams: Sequence[str] = ()
    account: str = ""
    organization_role: str | None = None
    membership: bool = False

    @property
    def takes(self) -> bool:
        """Whether access is taken away."""
        return self.event in (PendingEvent.OVERDUE, PendingEvent.REMOVED, PendingEvent.ENDS)

    @property
    def to_come(self) -> bool:
        """Whether it is a later day's; otherwise `revoke` or `pulumi up` applies it now."""
        return self.event in (PendingEvent.ENDS, PendingEvent.BEGINS)

    @property
    def last(self) -> date:
        """Of access that is taken away, the last day on which it was meant."""
        return self.on - A_DAY

    @property
    def parts(self) -> list[str]:
        """What goes or comes, in words: `organization admin`, `admin in shop`, `the team data`."""
        role = [f"organization {self.organization_role}"] if self.organization_role else []
        roles = [f"{role} in {key}" for key, role in self.projects.items()]
        teams = [f"the team {key}" for key in self.teams]
        account = [f"the service account {self.account}"] if self.account else []
        return [*role, *roles, *teams, *account] or ["the membership in the organization"]

    @property
    def what(self) -> str:
        """In words: `the access`, `the engagement audit (admin in shop)`, `the place in the team data`."""
        engagement = f"the engagement {self.engagement}"
        return self.access.replace("the access", engagement, 1) if self.engagement else self.access

    @property
    def access(self) -> str:
        """The same, without the name of the engagement."""
        roles = [f"organization {self.organization_role}"] if self.organization_role else []
        roles += [f"{role} in {key}" for key, role in self.projects.items()]
        if self.account:
            return _with(f"the service account {self.account}", roles)
        if not self.email:
            return _with(f"the team {', '.join(self.teams)}", roles) if self.teams else _with("the access", roles)
        places = [f"the place in the team {key}" for key in self.teams]
        if places and not roles and not self.membership:
            return " and ".join(places)
        return "the access" if self.membership else _with("the access", [*roles, *places])


def _with(what: str, parts: Sequence[str]) -> str:
    return f"{what} ({', '.join(parts)})" if parts else what


def joined(parts: Iterable[PendingChange], today: date) -> list[PendingChange]:
    """The changes of which these are parts: one for what happens to one person, team or account on a day."""
    by_cause: dict[object, list[PendingChange]] = {}
    for part in parts:
        team = () if part.email else tuple(part.teams)
        by_cause.setdefault((part.event, part.email, part.on, part.engagement, part.account, team), []).append(part)
    return [
        replace(
            some[0],
            days=(some[0].on - today).days,
            projects={key: role for part in some for key, role in part.projects.items()},
            teams=list(dict.fromkeys(team for part in some for team in part.teams)),
            organization_role=next((part.organization_role for part in some if part.organization_role), None),
            membership=any(part.membership for part in some),
        )
        for some in by_cause.values()
    ]
