"""Grouped resources taken apart: one part for each person, which is what the single resource of that person would be.

A reader of states, declarations and policies goes through the parts, and does not know whether a member, a grant or a
membership is a resource of its own.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from mixpanel_access.model.address import same_key
from mixpanel_access.model.grants import REASON_FIELDS, own_reasons, single_grants
from mixpanel_access.model.resource_ids import ResourceId
from mixpanel_access.model.resources import (
    MEMBER,
    MEMBERS,
    PROJECT_ACCESS,
    PROJECT_GRANT,
    SIGNATURE,
    TEAM_MEMBER,
    TEAM_MEMBERS,
    ResourceKind,
)

GROUPS: Final[Mapping[str, ResourceKind]] = {kind.type: kind for kind in (MEMBERS, PROJECT_ACCESS, TEAM_MEMBERS)}
"""Type in the engine -> kind, of the grouped resources."""
_SINGLE: Final = {kind.name: kind for kind in (MEMBER, PROJECT_GRANT, TEAM_MEMBER)}
OUTPUTS: Final = "members"
"""The output of a group with the outputs of each person's part, by address; a `ProjectAccess` has others."""
_OF_PEOPLE: Final = (OUTPUTS, "beside", "lost", "undeclared")
"""The outputs that are about people by address."""
Properties = Mapping[str, Any]


class Held(Protocol):
    """One resource of a state."""

    @property
    def type(self) -> str:
        """Its type in the engine."""

    @property
    def id(self) -> str:
        """Its id in the engine."""

    @property
    def outputs(self) -> Properties:
        """What the state holds of it; a secret is encrypted, or left out."""


class Part(NamedTuple):
    """One person's part of a group, as the single resource that it stands for.

    Attributes:
        kind: the kind of the single resource.
        ref: its id.
        props: its inputs, and its outputs where the group has them.
    """

    kind: ResourceKind
    ref: ResourceId
    props: dict[str, Any]

    @property
    def key(self) -> str:
        """The key of the person's address."""
        return same_key(str(self.props["email"]))


def single_kind(kind: ResourceKind) -> ResourceKind | None:
    """The kind of the parts of a group; None for any other kind."""
    return _SINGLE[kind.parts.kind] if kind.parts else None


def parts(kind: ResourceKind, ref: ResourceId, props: Properties) -> Iterator[Part]:
    """The parts of a group, by its inputs or outputs; none of any other kind, or where a secret hides the people."""
    single = single_kind(kind)
    if single is None:
        return
    for values in part_properties(kind, props):
        yield Part(single, part_id(kind, ref, values["email"]), values)


def part_id(kind: ResourceKind, ref: ResourceId, email: str) -> Any:
    """The id of the single resource that one person of a group would be."""
    where = [part for part in ref.parts if isinstance(part, int)]
    single: Any = single_kind(kind)
    return single.id(*where, email)


def part_properties(kind: ResourceKind, props: Properties) -> Iterator[dict[str, Any]]:
    """The properties of each part of a group; see `parts`."""
    if kind.parts is None or hides_people(kind, props):
        return
    if kind is PROJECT_ACCESS:
        yield from single_grants(props)
        return
    people, outputs = props.get(kind.parts.people), props.get(OUTPUTS)
    outputs = outputs if isinstance(outputs, Mapping) else {}
    own = own_reasons(props.get("reasons"))
    common = {name: props[name] for name in (*kind.parts.common, *REASON_FIELDS) if name in props}
    for email, inputs in _people(people):
        shown = outputs.get(email)
        shown = shown if isinstance(shown, Mapping) else {}
        yield {**common, **own.get(same_key(email), {}), "email": email, **inputs, **shown}


def _people(people: Any) -> list[tuple[str, Properties]]:
    """Each address with its own inputs: a mapping has some, and a list has none."""
    if isinstance(people, Mapping):
        return [(email, inputs if isinstance(inputs, Mapping) else {}) for email, inputs in people.items()]
    return [(email, {}) for email in people if isinstance(email, str)] if isinstance(people, list) else []


def without(kind: ResourceKind, props: Properties, keys: Container[str]) -> dict[str, Any]:
    """The inputs or outputs of a group without some people, by the keys of their addresses."""
    named = (kind.parts.people if kind.parts else "", *_OF_PEOPLE)

    def kept(people: Any) -> Any:
        if isinstance(people, Mapping):
            return {email: value for email, value in people.items() if same_key(email) not in keys}
        return [email for email in people if same_key(email) not in keys] if isinstance(people, list) else people

    found = {name: kept(value) if name in named else value for name, value in props.items()}
    if isinstance(reasons := props.get("reasons"), list):
        theirs = [{**reason, "people": kept(reason.get("people") or [])} for reason in reasons]
        found["reasons"] = [reason for reason in theirs if reason["people"]]
    return found


def merged(kind: ResourceKind, props: Properties, more: Properties) -> dict[str, Any]:
    """The inputs or outputs of a group with those of the same group for other people, as far as both have them."""
    people = kind.parts.people if kind.parts else ""
    found = {**more, **props}
    for name in (people, *_OF_PEOPLE, "reasons"):
        here, there = props.get(name), more.get(name)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found[name] = {**here, **there}
        elif isinstance(here, list) and isinstance(there, list):
            found[name] = [*here, *there]
    if isinstance(undeclared := found.get("undeclared"), list):
        known = people_in(kind, found)
        found["undeclared"] = [email for email in dict.fromkeys(undeclared) if same_key(email) not in known]
    return found


def hides_people(kind: ResourceKind, props: Properties) -> bool:
    """Whether a secret of an exported state hides whose parts a group has: no id has them, as those of single ones."""
    people = props.get(kind.parts.people) if kind.parts else None
    return isinstance(people, Mapping) and SIGNATURE in people


def people_in(kind: ResourceKind, props: Properties) -> set[str]:
    """The keys of the addresses that a group has, of those too whom the program does not declare."""
    if kind.parts is None or hides_people(kind, props):
        return set()
    return {same_key(email) for email, _ in _people(props.get(kind.parts.people))}


def unfold(
    resources: Iterable[Held], kind: ResourceKind, organization: int | None = None
) -> Iterator[tuple[ResourceId, Properties]]:
    """The id and the outputs of all that a state has of a single kind, by itself or in a group.

    With an organization, only what belongs to that.
    """
    for one in resources:
        if organization is not None and not one.id.startswith(f"{organization}:"):
            continue
        if one.type == kind.type:
            yield kind.id.parse(one.id), one.outputs
        elif (group := GROUPS.get(one.type)) is not None and single_kind(group) is kind:
            yield from ((part.ref, part.props) for part in parts(group, group.id.parse(one.id), one.outputs))
