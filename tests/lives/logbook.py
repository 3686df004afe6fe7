"""The access log of a life: replayed from its first line, it gives exactly who had what after each event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from mixpanel_access.files.lines import read_lines
from mixpanel_access.model.dates import instant
from mixpanel_access.operations.tracker.lines import UNKNOWN, Access, LogEvent, LogLine
from mixpanel_access.operations.tracker.replay import Interval, replay
from mixpanel_access.operations.tracker.update import update, verify
from tests.lives.checks import Disagreement
from tests.lives.draft import HANDS, OWNERS, RUNS, STACKS, Event
from tests.lives.organization import Organization
from tests.lives.world import AUTHOR, World

Key = tuple[int | None, str, int | None]
"""An access: project, address and team's id."""
Held = Mapping[Key, str]
"""Access -> its role; "" for a place in a team."""
SCIM = "scim"
"""Who did what the identity provider did, which names nobody."""
_BY_API = (
    "hand_invites", "hand_changes_team", "hand_takes_out", "hand_puts_in", "hand_renames_team", "hand_deletes_role",
    "hand_changes_role",
)  # fmt: skip
"""What people do by the API, as the account of `HANDS`; all else is done by the first owner."""
_SETTLED = timedelta(seconds=90)
"""How long after an event it is over."""


def access_in(organization: Organization, ids: Mapping[str, int], *, all_people: bool = False) -> dict[Key, str]:
    """All access that there is; who is deactivated has none.

    Args:
        organization: the organization.
        ids: Mixpanel's ids of the teams, by their names.
        all_people: whether to count what people would have if they were active.
    """
    found: dict[Key, str] = {}
    active = {email for email, person in organization.people.items() if person.active or all_people}
    found |= {(None, email, None): organization.people[email].role for email in active}
    found |= {(id_, email, None): role for (id_, email), role in organization.grants.items() if email in active}
    for team in organization.teams:
        found |= {(None, email, ids[team.name]): "" for email in team.members & active}
        found |= {(project, "", ids[team.name]): role for project, role in team.projects.items()}
    return found


class Logbook:
    """The access log of a life, and what it must say.

    Args:
        world: the world.
        organization: the organization in the beginning.
    """

    def __init__(self, world: World, organization: Organization) -> None:
        self._world = world
        self._file = world.stacks.parent / "access-log.jsonl"
        self._organization = organization
        self._before = access_in(organization, world.teams)
        self._after: list[tuple[Event, Held]] = []
        self._hidden: set[str] = set()
        self._addresses: dict[str, str] = {}
        self._invited: set[str] = set()
        self._inactive: set[str] = set()
        self._would_have = access_in(organization, world.teams, all_people=True)
        self._asleep: dict[Key, Event] = {}
        self._woken: dict[datetime, set[str]] = {}
        self._checked = 0

    def note(self, event: Event, organization: Organization) -> None:
        """Note what there is after an event."""
        self._addresses |= {now: first for first, now in organization.addresses.items()}
        self._after.append((event, access_in(organization, self._world.teams)))
        # No audit log shows that an invitation was taken back, or that somebody was deactivated or activated, so nobody
        # knows when it was before the next update.
        self._hidden |= self._invited - organization.people.keys()
        self._invited = {email for email, one in organization.people.items() if one.invited_at is not None}
        inactive = {email for email, one in organization.people.items() if not one.active}
        self._hidden |= self._inactive ^ inactive
        self._woken[event.at] = self._inactive - inactive
        self._inactive = inactive
        before, self._would_have = self._would_have, access_in(organization, self._world.teams, all_people=True)
        changed = {access for access, role in self._would_have.items() if before.get(access) != role}
        self._asleep |= {access: event for access in changed if access[1] in inactive}

    def disagreements(self, now: datetime) -> Iterator[Disagreement]:
        """Update the log, and compare what it says of each instant since the last update with what there was."""
        new = update(self._world.project, self._file, list(STACKS), now, lambda line: None)
        lines = read_lines(self._file, LogLine, lambda line: None)
        log = replay(lines)
        for event, held in self._after[self._checked :]:
            yield from self._compared(log.at(event.at + _SETTLED), event, held)
        hidden = self._hidden.copy()
        self._hidden.clear()
        event, held = self._after[-1]
        yield from self._compared(log.at(now), event, held)
        self._checked = len(self._after)
        yield from self._signed(new, hidden)
        for problem in verify(self._world.project, self._file, list(STACKS)).problems:
            yield Disagreement("tracker verify", "problem", problem, said=True)

    def _key(self, access: Access) -> Key:
        """An access of the log, by the person's first address."""
        return access.project, self._addresses.get(access.person, access.person), access.team

    def _compared(self, replayed: Mapping[Access, Interval], event: Event, held: Held) -> Iterator[Disagreement]:
        """What the log says of an instant, and what there was.

        Of what ended before the first update, it need neither have the access nor name the role.
        """
        log = {self._key(access): self._world.word(one.role) for access, one in replayed.items()}
        for access in held.keys() | log.keys():
            there, said = held.get(access), log.get(access)
            if there == said or access[1] in self._hidden:
                continue
            if not self._checked and not said and there is not None and there == self._before.get(access):
                continue
            fact = access, said, there, f"after {str(event)[:70]}"
            yield Disagreement("tracker", "access", fact, said=said is not None)

    def _signed(self, new: list[LogLine], hidden: AbstractSet[str]) -> Iterator[Disagreement]:
        """Who did what the new lines say; `hidden`: the people of whom no event says when or how something ended."""
        for line in new:
            at = instant(line.date)
            event = next((one for one, _ in self._after if timedelta() <= at - one.at < _SETTLED), None)
            doers = _doers(event) | ({SCIM} if self._may_be_the_providers(line) else set())
            key = self._key(line.access)
            # What was given to somebody who was deactivated takes effect with the activation: that of a run, or one of
            # which no event says when it was.
            if (event is None or key[1] in self._woken[event.at]) and (asleep := self._asleep.get(key)):
                doers |= _doers(asleep)
            if line.event == LogEvent.REVOKED and not line.audit_id and key[1] in hidden:
                doers |= {UNKNOWN}
            if line.admin not in doers:
                what = line.event, line.label, line.what, line.date
                yield Disagreement("tracker", "who did it", (str(event), *what, line.admin), said=True)

    def _may_be_the_providers(self, line: LogLine) -> bool:
        """Whether a run did by SCIM what no stack has any more, so that nobody can tell it from the provider's own."""
        email = self._addresses.get(line.email, line.email)
        return self._organization.comes_by_scim(email) and (line.project, email, line.team_id) not in self._after[-1][1]


def _doers(event: Event | None) -> set[str]:
    """Who did something."""
    if event is None:
        return {UNKNOWN}
    if event.what in RUNS:
        return {AUTHOR}
    if event.what == "accept":
        return {str(event.arguments[0])}
    if event.what.startswith("idp_"):
        return {SCIM}
    return {HANDS if event.what in _BY_API else OWNERS[0]}
