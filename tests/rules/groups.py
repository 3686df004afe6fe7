"""Single resources as the groups that stand for them, so that one table of cases is judged in both forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mixpanel_access.model.grants import REASON_FIELDS
from mixpanel_access.model.groups import GROUPS, single_kind
from mixpanel_access.model.resources import KINDS, PROJECT_ACCESS, ResourceKind
from mixpanel_access.rules.entry import UNKNOWN, Entry, entries_of

GROUP_OF: Final = {single.type: group for group in GROUPS.values() if (single := single_kind(group)) is not None}
"""Type of a single resource -> the kind of the groups that stand for it."""
OF_EACH: Final = ("role", "removal", "ownership", "since")
"""What a group says of each person by itself, of a `Members`."""
_OTHER_SOURCES: Final = ("grant_types", "effective_role")


@dataclass
class Group:
    """A group with the properties of its people.

    Attributes:
        kind: its kind.
        common: what all its people have in common.
        singles: the single resources, in their order.
    """

    kind: ResourceKind
    common: Mapping[str, Any]
    singles: list[Entry] = field(default_factory=list)

    def takes(self, entry: Entry) -> bool:
        """Whether a single resource can be a part of it: with another address than the others, and no less known."""
        emails = [one.values.get("email") for one in self.singles]
        return (
            self.common == common_of(entry)
            and entry.values.get("email") not in emails
            and UNKNOWN not in (entry.values.get("email"), *emails)
            and shape_of(entry) == shape_of(self.singles[0])
        )

    @property
    def name(self) -> str:
        """Its name in the program."""
        return f"{self.kind.prefix or self.kind.name}-{self.singles[0].name}"

    def properties(self) -> dict[str, Any]:
        """Its inputs and outputs."""
        email = self.singles[0].values.get("email")
        found = dict(self.common)
        if email is UNKNOWN or not isinstance(email, str):
            return {**found, self.kind.parts.people: UNKNOWN, "reasons": UNKNOWN} if self.kind.parts else found
        found["reasons"] = [
            {"people": [one.values["email"]], **reason}
            for one in self.singles
            if (reason := _picked(one, REASON_FIELDS))
        ]
        return found | (self._grants() if self.kind is PROJECT_ACCESS else self._people())

    def _grants(self) -> dict[str, Any]:
        grants = {one.values["email"]: one.values["role"] for one in self.singles}
        if "grant_types" not in self.singles[0].values:
            return {"grants": grants}
        if any(UNKNOWN in (one.values.get("grant_types"), one.values.get("effective_role")) for one in self.singles):
            return {"grants": grants, "beside": UNKNOWN}
        beside = {
            one.values["email"]: {"ways": one.values["grant_types"][1:], "role": one.values.get("effective_role")}
            for one in self.singles
        }
        return {"grants": grants, "beside": beside}

    def _people(self) -> dict[str, Any]:
        has_inputs = self.kind.parts is not None and self.kind.parts.kind == "Member"
        known = ("email", *self.common, *REASON_FIELDS, *(OF_EACH if has_inputs else ()))
        people = {one.values["email"]: _picked(one, OF_EACH) for one in self.singles}
        members = {
            one.values["email"]: {name: value for name, value in one.values.items() if name not in known}
            for one in self.singles
        }
        return {"people": people if has_inputs else list(people), "members": members}

    def sources(self) -> dict[str, Sequence[str]]:
        """Property -> the resources that it comes from."""
        assert self.kind.parts is not None
        found: dict[str, list[str]] = {}
        for one in self.singles:
            for name, urns in one.sources.items():
                whole = "reasons" if name in REASON_FIELDS else name if name in self.common else self.kind.parts.people
                found.setdefault(whole, []).extend(urns)
        return dict(found)


def common_of(entry: Entry) -> dict[str, Any]:
    """What a single resource has in common with others of its group."""
    return _picked(entry, _common_names(GROUP_OF[entry.type]))


def _common_names(kind: ResourceKind) -> Sequence[str]:
    return kind.parts.common if kind.parts else ()


def shape_of(entry: Entry) -> tuple[bool, bool, Mapping[str, Sequence[str]]]:
    """What the single resources of one group are alike in: whether outputs are there and known, and their sources."""
    outputs = [entry.values.get(name) for name in _OTHER_SOURCES]
    return "grant_types" in entry.values, UNKNOWN in outputs, entry.sources


def _picked(entry: Entry, names: Iterable[str]) -> dict[str, Any]:
    return {name: entry.values[name] for name in names if name in entry.values}


def grouped(entries: Sequence[Entry]) -> list[Group | Entry]:
    """The entries with groups in place of members, grants and memberships, each where its first one was."""
    found: list[Group | Entry] = []
    for entry in entries:
        kind = GROUP_OF.get(entry.type)
        if kind is None or not can_be_grouped(entry):
            found.append(entry)
            continue
        group = next((one for one in found if isinstance(one, Group) and one.kind is kind and one.takes(entry)), None)
        if group is None:
            group = Group(kind, common_of(entry))
            found.append(group)
        group.singles.append(entry)
    return found


def can_be_grouped(entry: Entry) -> bool:
    """Whether a group can say the same: a grant has a role, and what Mixpanel shows has Mixpanel's form."""
    if not isinstance(entry.values.get("email"), str) and entry.values.get("email") is not UNKNOWN:
        return False
    if KINDS[entry.type].name != "ProjectGrant":
        return True
    types = entry.values.get("grant_types", ["individual"])
    return "role" in entry.values and (types is UNKNOWN or types[:1] == ["individual"])


def as_judged(entries: Sequence[Entry]) -> list[Entry]:
    """The same entries as rules see them where groups stand for them."""
    found: list[Entry] = []
    for one in grouped(entries):
        found += [one] if isinstance(one, Entry) else _parts(one)
    return found


def names(entries: Sequence[Entry]) -> dict[str, str]:
    """The name of each person's part of a group -> the name of the single resource that it stands for."""
    groups = [one for one in grouped(entries) if isinstance(one, Group)]
    return {part.name: single.name for one in groups for part, single in zip(_parts(one), one.singles, strict=True)}


def _parts(group: Group) -> list[Entry]:
    parts = entries_of(group.kind.type, group.name, f"group:{group.name}", group.properties(), sources=group.sources())
    return [
        replace(part, custom_roles=single.custom_roles, encrypted=single.encrypted)
        for part, single in zip(parts, group.singles, strict=True)
    ]
