"""Edits of a roster's text that leave every other character as it is: comments, order, quotes, blank lines.

Each function takes the text and its source, and returns the new text. It reads the edit back, and raises RosterError if
the file cannot be used, or cannot be edited at that place.
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
MANY: Final = 200
"""With more people than that, `import` proposes `grouped`."""


@dataclass(frozen=True)
class EntryChange:
    """A change of an entry.

    Attributes:
        roles: project key -> its new role, or None to remove the project.
        organization_role: the new organization role, or None for no change.
        reviewed: the new day of the review, or None for no change.
        gone: whether to remove the whole entry.
    """

    roles: Mapping[str, str | None] = field(default_factory=dict)
    organization_role: str | None = None
    reviewed: date | None = None
    gone: bool = False

    def of(self, person: RosterPerson) -> RosterPerson:
        """The entry after the change, if it stays."""
        out = {key for key, role in self.roles.items() if role is None}
        update: dict[str, Any] = {
            "projects": {key: role for key, role in {**person.projects, **self.roles}.items() if key not in out}
        }
        if self.organization_role is not None:
            update["organization_role"] = self.organization_role
        if self.reviewed is not None:
            update["reviewed"] = self.reviewed.isoformat()
        return person.model_copy(update=update)


def new_roster(environment: str, *, organization_roles: bool, schema: str | None = None) -> str:
    """The text of a roster without projects and people.

    Args:
        environment: its environment.
        organization_roles: whether it declares organization roles.
        schema: the path of the JSON schema from the roster, for editors.
    """
    editors = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    owns = "organizationRoles: true # organization roles are declared in this roster and in no other\n"
    return (
        f"{editors}# Who has what in {environment}.\nenvironment: {scalar(environment)}\n"
        f"{owns if organization_roles else ''}\nprojects: {{}}\n\npeople: []\n"
    )


def with_groups(text: str) -> str:
    """The text of a new roster with `grouped: true` below its environment."""
    head, line, rest = text.partition("\nenvironment: ")
    environment, _, rest = rest.partition("\n")
    return f"{head}{line}{environment}\ngrouped: true # a few resources, however many people\n{rest}"


def add_projects(text: str, source: RosterSource, projects: Mapping[str, Mapping[str, Any]]) -> str:
    """Add projects, by their short keys."""
    if not projects:
        return text
    return _edited(
        text,
        source,
        lambda draft: draft.put(draft.top("projects"), "projects", {key: flow(row) for key, row in projects.items()}),
        lambda _, after: set(projects) <= set(after.projects),
    )


def add_engagement(text: str, source: RosterSource, key: str, values: Mapping[str, Any]) -> str:
    """Add an engagement under its key."""
    return _edited(
        text,
        source,
        lambda draft: draft.put(draft.top("engagements"), "engagements", {key: values}),
        lambda _, after: key in after.engagements,
    )


def add_people(text: str, source: RosterSource, people: Sequence[NewPerson]) -> str:
    """Add people at the end, in this order."""
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
    """Add grants to entries: position of the entry, from 0 -> project key -> role."""
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
    """Add memberships in teams to entries: position of the entry, from 0 -> keys of teams."""
    if not teams:
        return text

    def edit(draft: Draft) -> None:
        for index, (_, person) in enumerate(draft.entries("people")):
            if index in teams:
                draft.append_items(person, "teams", teams[index])

    def done(before: Roster, after: Roster) -> bool:
        return all([*before.people[at].teams, *more] == list(after.people[at].teams) for at, more in teams.items())

    return _edited(text, source, edit, done)


def set_engagement(text: str, source: RosterSource, key: str, positions: Collection[int], note: str) -> str:
    """Set the engagement of entries, by their positions from 0, and remove this comment below them."""

    def edit(draft: Draft) -> None:
        for at, (_, entry) in enumerate(draft.entries("people")):
            if at in positions:
                draft.set_value(entry, "engagement", scalar(key))
                draft.drop_comment(entry, note)

    def done(before: Roster, after: Roster) -> bool:
        update = {"engagement": key}
        want = [one.model_copy(update=update if at in positions else {}) for at, one in enumerate(before.people)]
        return _said(after.people) == _said(want)

    return _edited(text, source, edit, done) if positions else text


def set_ownership(text: str, source: RosterSource, words: Mapping[str, str]) -> str:
    """Set `ownership` in all entries of people: key of the address -> `ours` or `found`."""

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
    """Remove the entries and exceptions of people, by the keys of their addresses; a comment above an entry stays."""
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
    """Change entries: position of the entry, from 0 -> change. A person's exceptions go with their last entry."""
    staying = {at: change for at, change in changes.items() if not change.gone}
    text = _with(text, source, {at: replace(change, reviewed=None) for at, change in staying.items()})
    text = _with(text, source, {at: EntryChange(reviewed=change.reviewed) for at, change in staying.items()})
    return _without(text, source, changes.keys() - staying.keys())


def _with(text: str, source: RosterSource, changes: Mapping[int, EntryChange]) -> str:
    """The text with changed entries; `change_entries` sets and adds in two edits, since their places may touch."""
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
        if role is not None and isinstance(projects, MappingNode):  # if not, `done` refuses the edit
            draft.set_value(projects, key, role)
    if change.reviewed is not None:
        draft.set_value(entry, "reviewed", change.reviewed)


def _without(text: str, source: RosterSource, positions: Collection[int]) -> str:
    """The text without these entries, and without the exceptions of people who have no other entry."""
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
    """The text after an edit, if `done` accepts the roster before and after it."""
    before = parse(text, source)
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
