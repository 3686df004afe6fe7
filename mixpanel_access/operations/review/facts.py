"""What a decision is about: the facts of a role, as the roster, a packet or the review's evidence has them. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic.alias_generators import to_camel

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declared_inputs import roles_of_team
from mixpanel_access.model.effective_access import RosterEntry, days_of, entry_of
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.review.packet import EntryKey, Item, ItemKey, ReviewLine
from mixpanel_access.operations.review.suggesting import is_lower

NAMES: Final = (
    "role", "organization_role", "ends", "approver", "ticket", "sow", "justification", "sponsor", "teams",
    "permissions", "project_id",
)  # fmt: skip
"""The facts, in the order of a message. The engagement and the first day identify the entry."""
_NEW: Final = frozenset({"organization_role", "teams", "permissions", "project_id"})
"""The facts that packets of earlier versions do not have."""
_PEOPLE: Final = ("approver", "sponsor")
_BETWEEN: Final = "; "


@dataclass(frozen=True)
class FactChange:
    """One fact that is no longer as it was."""

    name: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{to_camel(self.name)} changed from {self.was or 'nothing'} to {self.now or 'nothing'}"


@dataclass(frozen=True)
class Facts:
    """The facts of a role.

    Attributes:
        values: the name of a fact -> its value as text, "" for none. A fact that is not in it is unknown.
        in_project: whether it is a project role.
    """

    values: Mapping[str, str]
    in_project: bool

    @classmethod
    def of(cls, values: Mapping[str, Any], project: str | None) -> Facts:
        """The facts of a role in a project or (None) in the organization, as `roster_values` or a file has them."""
        return cls({name: _text(values[name]) for name in NAMES if name in values}, project is not None)

    @classmethod
    def of_listed(cls, listed: Item | ReviewLine) -> Facts:
        """The facts that a packet's item or a line of the evidence has; of an earlier version's line, only the role."""
        known: Iterable[str] = NAMES
        if not listed.organization_role:
            known = [name for name in NAMES if name not in _NEW] if isinstance(listed, Item) else ("role",)
        return cls.of({name: getattr(listed, name) for name in known}, listed.project or None)

    def but(self, more: Mapping[str, str]) -> Facts:
        """These facts, but for some."""
        return Facts({**self.values, **more}, self.in_project)

    def changes(self, now: Facts) -> list[FactChange]:
        """What differs between the facts that are known of both."""
        was, there = self.values, now.values
        left_out = set() if self.in_project else {"organization_role"}  # which is the role
        if was["role"] != there["role"]:
            left_out.add("permissions")  # of another role
        names = [name for name in NAMES if name in was and name in there and name not in left_out]
        return [FactChange(name, was[name], there[name]) for name in names if _differ(name, was[name], there[name])]

    def more(self, now: Facts) -> list[FactChange]:
        """The changes after which the role gives more than before, or is for another reason."""
        return [change for change in self.changes(now) if not _is_less(change, in_project=self.in_project)]


def _differ(name: str, was: str, now: str) -> bool:
    return same_key(was) != same_key(now) if name in _PEOPLE else was != now


def _is_less(change: FactChange, *, in_project: bool) -> bool:
    """Whether a change only takes away."""
    if change.name == "ends":
        return bool(change.now) and (not change.was or change.now < change.was)
    if change.name in ("role", "organization_role"):
        return is_lower(change.now, change.was, in_project=in_project and change.name == "role")
    if change.name in ("teams", "permissions"):
        return set(change.now.split(_BETWEEN)) <= {*change.was.split(_BETWEEN), ""}
    return False


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return _BETWEEN.join(value)
    return " ".join(str(value).split()) if value is not None else ""


def roster_values(roster: Roster, entry: RosterEntry, project: str | None) -> dict[str, Any]:
    """The facts of a role that an entry of the roster gives, as an item of a packet has them."""
    reasons = ("sow", "ticket", "justification", "approver", "sponsor")
    key = roster.own_roles(project).get(entry.projects[project]) if project else None
    organization_role = entry.person.organization_role or roles.MEMBER
    return {
        **{name: entry.metadata.get(name) for name in reasons},
        "role": roster.role_word(project, entry.projects[project]) if project else organization_role,
        "organization_role": organization_role,
        "ends": entry.ends.isoformat() if entry.ends else None,
        "teams": [_place(roster, team) for team in sorted(entry.memberships)],
        "permissions": roles.as_set(roster.custom_roles[key].permissions) if key else [],
        "project_id": roster.projects[project].id if project else None,
    }


def reviewed_parts(entry: RosterEntry) -> list[str | None]:
    """What a review decides of an entry: each project, and the organization role (None) if above member or alone."""
    of_organization = entry.person.organization_role not in (None, roles.MEMBER) or not entry.projects
    return [*([None] if of_organization else []), *entry.projects]


def is_listed_on(entry: RosterEntry, today: date) -> bool:
    """Whether a review lists an entry: it has begun, and may have ended."""
    return entry.current(today) or entry.over(today)


def entry_key(stack: str, entry: RosterEntry) -> EntryKey:
    """What identifies an entry."""
    starts = entry.starts.isoformat() if entry.starts else None
    return EntryKey(stack, entry.person.key, entry.engagement, starts)


@dataclass(frozen=True)
class RosterRoles:
    """The roles of one stack's roster.

    Attributes:
        entries: the entries of people, in the roster's order.
    """

    stack: str
    roster: Roster
    entries: Mapping[EntryKey, RosterEntry]

    @classmethod
    def of(cls, stack: str, roster: Roster) -> RosterRoles:
        """Those of a roster."""
        found = (entry_of(roster, person) for person in roster.people)
        return cls(stack, roster, {entry_key(stack, entry): entry for entry in found})

    def facts(self, key: ItemKey) -> Facts | None:
        """The facts of a role, or None if the roster does not give it."""
        entry = self.entries.get(key.entry)
        if entry is None or (key.project is not None and key.project not in entry.projects):
            return None
        return Facts.of(roster_values(self.roster, entry, key.project), key.project)

    def listed(self, today: date) -> Iterator[ItemKey]:
        """What a review lists on a day."""
        for key, entry in self.entries.items():
            if is_listed_on(entry, today):
                yield from (ItemKey(key, project) for project in reviewed_parts(entry))

    def moved(self, item: Item, known: Container[ItemKey], today: date) -> ItemKey | None:
        """The role that the roster gives now in place of an item's; `known` are the roles that are listed."""
        for other, entry in self.entries.items():
            if other.key != item.key or not is_listed_on(entry, today):
                continue
            parts = [part for part in reviewed_parts(entry) if self._is_same(item, part)]
            keys = [ItemKey(other, part) for part in parts]
            if keys and not any(key in known for key in keys):
                return keys[0]._replace(project=keys[0].project if item.project else None)
        return None

    def _is_same(self, item: Item, project: str | None) -> bool:
        """Whether a project is that of an item, perhaps under another key; an organization role goes with any part."""
        if item.project is None or project == item.project:
            return True
        return project is not None and self.roster.projects[project].id == item.project_id


def _place(roster: Roster, key: str) -> str:
    """A membership in a team, with what it gives."""
    team, days = roster.teams[key], days_of(roster.teams[key])
    given = sorted(roles_of_team(roster, team).items())
    what = ", ".join(f"{roster.role_word(project, role)} in {project}" for project, role in given)
    until = f"until {days.ends}" if days.ends else ""
    return ": ".join(filter(None, (key, ", ".join(filter(None, (what, until))))))
