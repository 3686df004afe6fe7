"""What a decision is about: the facts of a role, as the roster, a packet or the evidence has them. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic.alias_generators import to_camel

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declared_inputs import standard_role
from mixpanel_access.model.effective_access import RosterEntry, days_of, entry_of
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.review.packet import EntryKey, Item, ItemKey, ReviewLine
from mixpanel_access.operations.review.suggesting import is_lower

Facts = Mapping[str, str]
"""Name of a fact -> its value as text, "" for none. A fact that is not in it is unknown."""

NAMES: Final = (
    "role", "organization_role", "ends", "approver", "ticket", "sow", "justification", "sponsor", "teams",
    "permissions", "project_id",
)  # fmt: skip
"""The facts, in the order of a message. The engagement and the first day are what an entry is found by."""
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


def role_in(roster: Roster, entry: RosterEntry, project: str | None) -> str | None:
    """The role that an entry gives in a project or (None) in the organization, as it stands there; None for nothing."""
    if project is not None:
        return roster.role_word(project, entry.projects[project]) if project in entry.projects else None
    return entry.person.organization_role or roles.MEMBER


def values_in(roster: Roster, entry: RosterEntry, project: str | None) -> dict[str, Any]:
    """The facts of a role in the roster, as an item of a packet has them."""
    reasons = ("sow", "ticket", "justification", "approver", "sponsor")
    key = roster.own_roles(project).get(entry.projects.get(project, "")) if project else None
    return {
        **{name: entry.metadata.get(name) for name in reasons},
        "role": role_in(roster, entry, project) or "",
        "organization_role": entry.person.organization_role or roles.MEMBER,
        "ends": entry.ends.isoformat() if entry.ends else None,
        "teams": [_place(roster, team) for team in sorted(entry.memberships)],
        "permissions": roles.as_set(roster.custom_roles[key].permissions) if key else [],
        "project_id": roster.projects[project].id if project else None,
    }


def has_organization_item(entry: RosterEntry) -> bool:
    """Whether the organization role of an entry is reviewed on its own: if it is above member, or all there is."""
    return entry.person.organization_role not in (None, roles.MEMBER) or not entry.projects


def reviewed_parts(entry: RosterEntry) -> list[str | None]:
    """What a review decides of an entry: each project, and the organization role (None) if that is an item."""
    return [*([None] if has_organization_item(entry) else []), *entry.projects]


def is_listed_on(entry: RosterEntry, today: date) -> bool:
    """Whether a review lists an entry: it has begun, and may have ended."""
    return entry.current(today) or entry.over(today)


def entry_key(stack: str, entry: RosterEntry) -> EntryKey:
    """What an entry is found by."""
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
        return facts_in(self.roster, entry, key.project)

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
    """A place in a team, with what it gives."""
    team, days = roster.teams[key], days_of(roster.teams[key])
    given = {
        project: roster.role_word(project, role or standard_role(roster, team) or "")
        for project, role in sorted(team.projects.items())
    }
    what = ", ".join(f"{role} in {project}" for project, role in given.items())
    until = f"until {days.ends}" if days.ends else ""
    return ": ".join(filter(None, (key, ", ".join(filter(None, (what, until))))))


def facts_in(roster: Roster, entry: RosterEntry, project: str | None) -> Facts:
    """The facts of a role in the roster."""
    return _in_words(values_in(roster, entry, project), project)


def facts_of(listed: Item | ReviewLine) -> Facts:
    """The facts that a packet's item or a line of the evidence has; of an earlier version's line, only the role."""
    values = {name: getattr(listed, name) for name in NAMES}
    if not listed.organization_role:
        known = NAMES if isinstance(listed, Item) else ("role",)
        values = {name: values[name] for name in known if name not in _NEW}
    return _in_words(values, listed.project or None)


def _in_words(values: Mapping[str, Any], project: str | None) -> Facts:
    """The facts as text; an organization role that is itself reviewed is the role."""
    named = (name for name in NAMES if name in values and (project or name != "organization_role"))
    return {name: _text(values[name]) for name in named}


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return _BETWEEN.join(value)
    return " ".join(str(value).split()) if value is not None else ""


def columns_of(item: Item) -> dict[str, str]:
    """The facts of an item for a line of the evidence; none where the packet is of an earlier version."""
    if not item.organization_role:
        return {}
    return {name: _text(getattr(item, name)) for name in NAMES if name != "role"}


def changes(was: Facts, now: Facts) -> Iterator[FactChange]:
    """What differs between the facts that both have."""
    for name in NAMES:
        both = name in was and name in now and (name != "permissions" or was["role"] == now["role"])
        if both and _plain(name, was[name]) != _plain(name, now[name]):
            yield FactChange(name, was[name], now[name])


def _plain(name: str, value: str) -> str:
    return same_key(value) if name in _PEOPLE else value


def more(was: Facts, now: Facts, *, in_project: bool) -> list[FactChange]:
    """The changes after which a role gives more than before, or is for another reason."""
    return [change for change in changes(was, now) if not _less(change, in_project=in_project)]


def _less(change: FactChange, *, in_project: bool) -> bool:
    """Whether a change only takes away."""
    if change.name == "ends":
        return bool(change.now) and (not change.was or change.now < change.was)
    if change.name in ("role", "organization_role"):
        return is_lower(change.now, change.was, in_project=in_project and change.name == "role")
    if change.name in ("teams", "permissions"):
        return set(change.now.split(_BETWEEN)) <= {*change.was.split(_BETWEEN), ""}
    return False
