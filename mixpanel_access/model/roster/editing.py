"""Edits of a roster's text that leave every other character as it is: comments, order, quotes, blank lines.

Every edit is read back before it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from ruamel.yaml.nodes import MappingNode

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.draft import Draft, NewPerson, by_hand, flow, scalar
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster, RosterPerson

_BOM: Final = "\ufeff"


@dataclass(frozen=True)
class EntryChange:
    """What becomes of an entry that stands there.

    Attributes:
        roles: project key -> its role from now on, or None where the project is taken out.
        organization_role: the organization role from now on, or None where it stays.
        reviewed: the day of the review, or None where that stays.
        gone: whether the whole entry is taken out, whatever else is said.
    """

    roles: Mapping[str, str | None] = field(default_factory=dict)
    organization_role: str | None = None
    reviewed: date | None = None
    gone: bool = False

    def of(self, person: RosterPerson) -> RosterPerson:
        """The entry as it is then, where it is not taken out."""
        out = {key for key, role in self.roles.items() if role is None}
        update: dict[str, Any] = {
            "projects": {key: role for key, role in {**person.projects, **self.roles}.items() if key not in out}
        }
        if self.organization_role is not None:
            update["organization_role"] = self.organization_role
        if self.reviewed is not None:
            update["reviewed"] = self.reviewed.isoformat()
        return person.model_copy(update=update)


def new_roster(environment: str, *, organization_roles: bool) -> str:
    """The text of a roster without projects and people."""
    owns = "organizationRoles: true # organization roles are declared in this roster and in no other\n"
    return (
        f"# Who has what in {environment}.\nenvironment: {scalar(environment)}\n"
        f"{owns if organization_roles else ''}\nprojects: {{}}\n\npeople: []\n"
    )


def add_projects(text: str, source: RosterSource, projects: Mapping[str, Mapping[str, Any]]) -> str:
    """Add projects, each under its short key.

    Raises:
        RosterError: the file cannot be used, or not be edited where it must be.
    """
    if not projects:
        return text
    return _edited(
        text,
        source,
        lambda draft: draft.put(draft.top("projects"), "projects", {key: flow(row) for key, row in projects.items()}),
        lambda _, after: set(projects) <= set(after.projects),
    )


def add_engagement(text: str, source: RosterSource, key: str, values: Mapping[str, Any]) -> str:
    """Add an engagement.

    Raises:
        RosterError: the file cannot be used, or not be edited where it must be.
    """
    return _edited(
        text,
        source,
        lambda draft: draft.put(draft.top("engagements"), "engagements", {key: dict(values)}),
        lambda _, after: key in after.engagements,
    )


def add_people(text: str, source: RosterSource, people: Sequence[NewPerson]) -> str:
    """Add people at the end, in the given order.

    Raises:
        RosterError: the file cannot be used, or not be edited where it must be.
    """
    if not people:
        return text
    keys = {same_key(str(person.values["email"])) for person in people}
    return _edited(
        text,
        source,
        lambda draft: draft.append_people(people),
        lambda before, after: (
            len(after.people) == len(before.people) + len(people) and keys <= {one.key for one in after.people}
        ),
    )


def add_grants(text: str, source: RosterSource, grants: Mapping[int, Mapping[str, str]]) -> str:
    """Add grants to entries that stand there.

    Args:
        text: the roster.
        source: where it is from.
        grants: position of the entry, from 0 -> project key -> role.

    Raises:
        RosterError: the file cannot be used, or not be edited where it must be.
    """
    if not grants:
        return text

    def edit(draft: Draft) -> None:
        for index, (_, person) in enumerate(draft.entries("people")):
            if index in grants:
                draft.put(draft.value(person, "projects"), "projects", grants[index], within=person)

    def done(_: Roster, after: Roster) -> bool:
        said = {
            index: {key: roles.normalized(role) for key, role in projects.items()} for index, projects in grants.items()
        }
        return all(projects.items() <= after.people[index].projects.items() for index, projects in said.items())

    return _edited(text, source, edit, done)


def add_teams(text: str, source: RosterSource, teams: Mapping[int, Sequence[str]]) -> str:
    """Add places in teams to entries that stand there.

    Args:
        text: the roster.
        source: where it is from.
        teams: position of the entry, from 0 -> keys of teams.

    Raises:
        RosterError: the file cannot be used, or not be edited where it must be.
    """
    if not teams:
        return text

    def edit(draft: Draft) -> None:
        for index, (_, person) in enumerate(draft.entries("people")):
            if index in teams:
                draft.append_items(person, "teams", teams[index])

    def done(before: Roster, after: Roster) -> bool:
        return all([*before.people[at].teams, *more] == list(after.people[at].teams) for at, more in teams.items())

    return _edited(text, source, edit, done)


def set_ownership(text: str, source: RosterSource, words: Mapping[str, str]) -> str:
    """Say of people whether they are the stack's own, in each of their entries.

    Args:
        text: the roster.
        source: where it is from.
        words: key of the address -> `ours` or `found`.

    Raises:
        RosterError: the file cannot be used, or not be edited where it must be.
    """

    def edit(draft: Draft) -> None:
        for key, entry in draft.entries("people"):
            if key in words:
                draft.set_value(entry, "ownership", words[key])

    def done(before: Roster, after: Roster) -> bool:
        want = [
            one.model_copy(update={"ownership": words[one.key]} if one.key in words else {}) for one in before.people
        ]
        return _said(after.people) == _said(want)

    return _edited(text, source, edit, done) if words else text


def remove_people(text: str, source: RosterSource, keys: Collection[str]) -> str:
    """Take people's entries out, and the exceptions that concern them; a comment above an entry stays.

    Args:
        text: the roster.
        source: where it is from.
        keys: keys of addresses.

    Raises:
        RosterError: the file cannot be used, or not be edited where it must be.
    """
    gone = set(keys)
    return _edited(
        text,
        source,
        lambda draft: draft.drop(gone),
        lambda before, after: (
            [one.key for one in after.people] == [one.key for one in before.people if one.key not in gone]
        ),
    )


def change_entries(text: str, source: RosterSource, changes: Mapping[int, EntryChange]) -> str:
    """Change entries that stand there; with a person's last entry go the exceptions that concern them.

    Args:
        text: the roster.
        source: where it is from.
        changes: position of the entry, from 0 -> what becomes of it.

    Raises:
        RosterError: the file cannot be used, or not be edited where it must be.
    """
    staying = {at: change for at, change in changes.items() if not change.gone}
    text = _with(text, source, {at: replace(change, reviewed=None) for at, change in staying.items()})
    text = _with(text, source, {at: EntryChange(reviewed=change.reviewed) for at, change in staying.items()})
    return _without(text, source, changes.keys() - staying.keys())


def _with(text: str, source: RosterSource, changes: Mapping[int, EntryChange]) -> str:
    """The text with entries changed that stay; what is set and what is added are two edits, as they may touch."""
    changes = {at: change for at, change in changes.items() if change != EntryChange()}
    if not changes:
        return text

    def edit(draft: Draft) -> None:
        for at, (_, entry) in enumerate(draft.entries("people")):
            if at in changes:
                _change(draft, entry, changes[at])

    def done(before: Roster, after: Roster) -> bool:
        want = [changes[at].of(one) if at in changes else one for at, one in enumerate(before.people)]
        return _said(after.people) == _said(want)

    return _edited(text, source, edit, done)


def _change(draft: Draft, entry: MappingNode, change: EntryChange) -> None:
    if change.organization_role is not None:
        draft.set_value(entry, "organizationRole", change.organization_role)
    if gone := [key for key, role in change.roles.items() if role is None]:
        draft.drop_keys(entry, "projects", gone)
    projects = draft.value(entry, "projects")
    for key, role in change.roles.items():
        if role is not None and isinstance(projects, MappingNode):  # else it does not read back as meant
            draft.set_value(projects, key, role)
    if change.reviewed is not None:
        draft.set_value(entry, "reviewed", change.reviewed)


def _without(text: str, source: RosterSource, positions: Collection[int]) -> str:
    """The text without some entries, and without the exceptions of who has none left."""
    if not positions:
        return text

    def edit(draft: Draft) -> None:
        keys = [key for key, _ in draft.entries("people")]
        left = {key for at, key in enumerate(keys) if at not in positions}
        draft.drop_entries(positions, {keys[at] for at in positions} - left)

    def done(before: Roster, after: Roster) -> bool:
        return _said(after.people) == _said([one for at, one in enumerate(before.people) if at not in positions])

    return _edited(text, source, edit, done)


def _said(people: Sequence[RosterPerson]) -> list[dict[str, Any]]:
    return [person.model_dump() for person in people]


def _edited(
    text: str, source: RosterSource, edit: Callable[[Draft], None], done: Callable[[Roster, Roster], bool]
) -> str:
    """The text after an edit, if what it says before and after is as `done` expects."""
    before = parse(text, source)  # what cannot be used is not edited either
    bom = _BOM if text.startswith(_BOM) else ""
    draft = Draft(text.removeprefix(_BOM), source.name)
    edit(draft)
    changed = bom + draft.text()
    try:
        good = done(before, parse(changed, source))
    except RosterError as error:
        raise by_hand(source.name, error.why) from None
    if not good:
        raise by_hand(source.name, "the edit would not read back as meant")
    return changed
