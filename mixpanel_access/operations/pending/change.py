"""One pending change of access: what the next `pulumi up` or `revoke` changes, or what its day will change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.similarity import in_words

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
        edited: whether it waits for the next update only because somebody has edited the roster: no day has come.
        refused: why `pulumi up` refuses the roster as it is, and changes nothing at all; "" if it does not.
        replaced_by: the name in the roster of the service account that has replaced this one, or "".
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
    edited: bool = False
    refused: str = ""
    replaced_by: str = ""

    @property
    def to_come(self) -> bool:
        """Whether it is a later day's; otherwise `revoke` or `pulumi up` applies it now."""
        return self.event in (PendingEvent.ENDS, PendingEvent.BEGINS)

    @property
    def day(self) -> date:
        """The day that people name: the last one of access that ends, else the first one."""
        return self.on - A_DAY if self.event in (PendingEvent.OVERDUE, PendingEvent.ENDS) else self.on

    @property
    def team(self) -> str | None:
        """The key of the team, if it is all that changes: the team itself, or a place in it."""
        alone = not (self.email and (self.projects or self.membership))
        return self.teams[0] if self.teams and alone else None

    @property
    def lowers(self) -> bool:
        """Whether a lower role takes the place of everything that goes."""
        kept = [*self.projects.values(), *([self.organization_role] if self.organization_role else [])]
        goes = self.membership or (self.email and self.teams) or not all(" -> " in role for role in kept)
        return self.event in (PendingEvent.OVERDUE, PendingEvent.REMOVED) and bool(kept) and not goes

    @property
    def parts(self) -> list[str]:
        """What goes or comes, in words: `organization admin`, `admin in shop`, `the team data`."""
        teams = [f"the team {key}" for key in self.teams]
        account = [self._account] if self.account else []
        return [*self._roles, *teams, *account] or ["the membership in the organization"]

    @property
    def _account(self) -> str:
        return f"the service account {self.account}{f' (replaced by {self.replaced_by})' if self.replaced_by else ''}"

    @property
    def _roles(self) -> list[str]:
        organization = [f"organization {self.organization_role}"] if self.organization_role else []
        return [*organization, *(f"{role} in {key}" for key, role in self.projects.items())]

    @property
    def what(self) -> str:
        """The same as one: `the access (admin in shop)`, `the membership in the team data`, `the team data`."""
        if self.email and self.membership:
            return "the access"
        if self.email and self.teams and not self._roles:
            return in_words(f"the membership in the team {key}" for key in self.teams)
        if self.email:
            return f"the access ({', '.join(self.parts)})"
        whole = f"the team {', '.join(self.teams)}" if self.teams else "the access"
        whole = self._account if self.account else whole
        return f"{whole} ({', '.join(self._roles)})" if self._roles else whole

    def sentence(self, stack: str, *, whose: bool = True) -> str:
        """What happens in a stack, in words; without `whose`, for a line that has the address."""
        owner = f" of {self.email}" if whose and self.email else ""
        why = f" ({self.engagement})" if self.engagement else ""
        gone, done = ("is lower", "lowered") if self.lowers else ("is no longer", "taken away")
        happens = {
            PendingEvent.OVERDUE: f"ended on {self.day} and is not yet {done}",
            PendingEvent.REMOVED: f"{gone} in the roster and not yet {done}",
            PendingEvent.LATE: "is in the roster and not yet given",
            PendingEvent.ENDS: f"ends on {self.day}",
            PendingEvent.BEGINS: f"begins on {self.day}",
        }
        since = f"; it should have begun on {self.day}" if self.event is PendingEvent.LATE and self.days < 0 else ""
        refused = f", and cannot be: {self.refused}" if self.refused else ""
        return f"{self.what}{owner} in stack {stack}{why} {happens[self.event]}{since}{refused}"

    def next_step(self, stack: str) -> str:
        """What to do about it; "" for nothing."""
        last = "`expires`" if self.account else "`ends`" if self.email else "`ends` of the team"
        up = f"`pulumi up --stack {stack}`"
        match self.event:
            case PendingEvent.LATE if self.refused:
                return f"set a later {last} in the roster, or delete the account: until then, {up} fails"
            case PendingEvent.LATE:
                return f"{up} gives it"
            case PendingEvent.ENDS if self.replaced_by:
                return f"use the new token before that day: `mixpanel-access token {self.replaced_by}`"
            case PendingEvent.ENDS:
                return f"extend {last} in the roster, or let it end"
            case PendingEvent.BEGINS:
                return ""
            case _:
                does = "lowers it" if self.lowers else "takes it away"
                return f"`mixpanel-access revoke --stack {stack} --yes` {does}"


def joined(parts: Iterable[PendingChange], today: date) -> list[PendingChange]:
    """The changes of which these are parts: one for what happens to one person, team or account on a day.

    What is lowered is a change of its own.
    """

    def cause(part: PendingChange) -> tuple[object, ...]:
        team = () if part.email else tuple(part.teams)
        return part.event, part.email, part.on, part.engagement, part.account, team, part.lowers

    return [
        replace(
            some[0],
            days=(some[0].on - today).days,
            projects={key: role for part in some for key, role in part.projects.items()},
            teams=list(dict.fromkeys(team for part in some for team in part.teams)),
            organization_role=next((part.organization_role for part in some if part.organization_role), None),
            membership=any(part.membership for part in some),
            edited=all(part.edited for part in some),
        )
        for some in grouped((cause(part), part) for part in parts).values()
    ]
