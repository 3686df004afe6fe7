"""Whether a review leaves the organization two owners, by all that it suggests and has decided together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.brakes import ENOUGH_OWNERS
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.similarity import counted
from mixpanel_access.operations.review.packet import Item, Packet
from mixpanel_access.rules.rule import Suggestion

_LESS: Final = (Suggestion.LOWER, Suggestion.REMOVE)
UNREAD: Final = "whether two owners remain is unknown, since Mixpanel cannot be read"
Outcome = Callable[[Item], str | None]
"""What comes of an item: what is decided, or what is suggested."""


def decided(item: Item) -> str | None:
    """What is decided on an item."""
    return item.decision


def followed(item: Item) -> str | None:
    """What comes of an item if every suggestion is followed."""
    return item.decision or item.suggestion


def losing(items: Iterable[Item], outcome: Outcome, key_of: Callable[[str], str] = same_key) -> dict[str, list[Item]]:
    """The people who lose their organization role, or leave, with the items by which they do.

    Args:
        items: all items of a review.
        outcome: what comes of each.
        key_of: the key of the person of an address.
    """
    found: dict[str, list[Item]] = {}
    for key, own in grouped((key_of(item.email), item) for item in items).items():
        by_role = [item for item in own if item.project is None and outcome(item) in _LESS]
        if by_role:
            found[key] = by_role
        elif all(outcome(item) == Suggestion.REMOVE for item in own):
            found[key] = own
    return found


@dataclass(frozen=True)
class OwnersLeft:
    """The owners of the organization without some people.

    Attributes:
        going: the addresses of those among these who are owners, or may be.
        left: how many owners remain for certain.
        unknown: why there may be more, in words; "" if there are not.
    """

    going: Sequence[str]
    left: int
    unknown: str = ""

    @property
    def enough(self) -> bool:
        """Whether two owners remain for certain, or no owner goes."""
        return not self.going or self.left >= ENOUGH_OWNERS

    @property
    def nobody(self) -> bool:
        """Whether no owner remains for certain."""
        return not self.enough and not self.left and not self.unknown

    def __str__(self) -> str:
        known = f" for certain ({self.unknown})" if self.unknown else ""
        return f"the organization would have {counted(self.left, 'owner')}{known}"

    @property
    def warning(self) -> str:
        """What to know before these decisions are applied; "" for nothing."""
        if self.enough:
            return ""
        step = "make somebody else an owner before `pulumi up`, which keeps the last one"
        return f"{self}, without {few(self.going)}: {step}"


def owners_without(people: Mapping[str, Person], gone: Collection[str]) -> OwnersLeft:
    """The owners that remain without some people, by their keys.

    Somebody who was only invited or is deactivated is no owner who could act. Somebody whose role Mixpanel does not
    show, or shows in a word that we do not know, may be one.
    """
    able = {key: person for key, person in people.items() if not (person.invited or person.deactivated)}
    owners = {key for key, person in able.items() if person.role == roles.OWNER}
    unknown = {key for key, person in able.items() if not roles.is_organization_role(person.role)}
    going = [able[key].email for key in sorted((owners | unknown) & set(gone))]
    others = unknown - set(gone)
    words = f"Mixpanel does not say the role of {counted(len(others), 'person', 'people')}" if others else ""
    return OwnersLeft(going, len(owners - set(gone)), words)


def with_two_owners(
    packets: Sequence[Packet], people: Mapping[str, Person], key_of: Callable[[str], str]
) -> list[Packet]:
    """The packets, without suggestions that together, and with what is decided, would leave fewer than two owners.

    Args:
        packets: all packets of the review.
        people: everybody in the organization, by key.
        key_of: the key of the person of an address that a roster has.
    """
    by_person = losing((item for packet in packets for item in packet.items), followed, key_of)
    left = owners_without(people, by_person.keys())
    if left.enough:
        return list(packets)
    going = {same_key(email) for email in left.going}
    asked = {id(item) for key in going for item in by_person[key] if item.decision is None}

    def checked(item: Item) -> Item:
        if id(item) not in asked:
            return item
        reason = f"{item.reason}; but then {left}"
        return item.model_copy(update={"suggestion": Suggestion.CHECK.value, "suggested_role": None, "reason": reason})

    return [packet.model_copy(update={"items": list(map(checked, packet.items))}) for packet in packets]
