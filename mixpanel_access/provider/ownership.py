"""What a `Member` takes over when it is created for somebody who is there, and who else declares a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import has_ended
from mixpanel_access.model.dates import instant
from mixpanel_access.model.ownership import WHEN_UNUSED, Origin, is_ours, lowered, role_before
from mixpanel_access.model.similarity import in_words
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.states import Properties, StackMembers, StackStates, members

FRESH_SECONDS: Final = 2.0
"""How old the other stacks' states may be from which somebody who waits for an invitation is called found."""
REMOVAL_SECONDS: Final = 30.0
"""How old they may be for the end of a person: a run that waited for Mixpanel's limit has read them long before."""


def handed_over(session: Session, key: str, person: Person) -> dict[str, Any]:
    """What the stack has of a person under another name; empty for somebody who is new to it.

    A resource that gets another name is created again, before or after the old one is deleted. So is one whose address
    follows a change in the product: Mixpanel's id of the person is still the same.
    """
    kept = session.handed_over.get(key) or session.states.own_member(session.organization, key)
    if not kept and person.user_id is not None:
        kept = session.states.own_member_with(session.organization, person.user_id)
    return {name: value for name, value in (kept or {}).items() if name != "current_email"}


def whose(session: Session, member: Properties, key: str) -> bool | None:
    """Whether a person leaves with the last stack that declares them; None if the state does not say."""
    return True if key == session.leaving else is_ours(member)


def first_seen(session: Session, person: Person) -> dict[str, Any]:
    """How somebody came in that the stack declares for the first time, and finds there; says what it cannot know."""
    history: dict[str, Any] = {"adopted": True}
    if person.invited and (session.begun.get(person.key) or session.directory.unseen.sent(person.key)):
        return {"adopted": False, "origin": Origin.INVITED.value}
    states = session.states.others()
    theirs = _of_others(session, states, person)
    if not theirs and person.invited:
        states = session.states.others(older_than=FRESH_SECONDS)
        theirs = _of_others(session, states, person)
    whose = [is_ours(member) for member in theirs.values()]
    if True in whose or (not theirs and person.invited and _awaited(session, states, person)):
        history["origin"] = Origin.SHARED.value
    elif None not in whose:  # a state of version 0.1.0 does not say, and then nor does this one
        history["origin"] = Origin.FOUND.value
    if states.why and True not in whose:
        history["origin"] = Origin.FOUND.value
        session.say_once(
            "ownership",
            f"warning: people who are in the organization already ({person.email} is the first of them) are taken as "
            f"found, and stay when their entries end, as not all states of the project's stacks can be read "
            f"({states.why}); if a stack invited one of them, set ownership: ours",
        )
    return history


def note_begun(session: Session, key: str) -> None:
    """Note whether a run of this stack was killed while it made somebody's member: the invitation is then ours.

    It is asked before the member is made: from then on, the state has that as begun.
    """
    session.begun[key] = key in session.states.begun_members()


def why_kept_out(session: Session, person: Person) -> str:
    """Why somebody who is deactivated stays so though a stack declares them again; "" if they come back.

    A stack deactivates nobody that another stack holds. So if one holds them, the identity provider has done it.
    """
    states = session.states.others()
    if holding := sorted(_of_others(session, states, person)):
        return f"stack {', '.join(holding)} has them, so the identity provider has deactivated them"
    return f"not all states of the project's stacks can be read ({states.why})" if states.why else ""


def previous_role(session: Session, person: Person) -> str | None:
    """The organization role that somebody had before any stack of the project gave them one; None if unknown."""
    if person.role in (None, roles.MEMBER):
        return person.role
    for member in _of_others(session, session.states.others(), person).values():
        if member.get("role") == person.role:
            return role_before(member)
    return person.role


def own_members(session: Session) -> Mapping[str, Properties] | None:
    """The outputs of each `Member` in the stack's own state, by the key of the address; None if it is unknown."""
    own = session.states.own_members(session.organization)
    if own is None and session.scope.resources is not None:  # no program has named the stack
        return members(session.scope.resources, session.organization)
    return own


def given_back(session: Session, member: Properties) -> str | None:
    """The lower organization role of a person once the stack declares none for them; None if it does not change."""
    key = same_key(str(member["email"]))
    person = session.directory.person(key)
    if person is None or member.get("role") is None:
        return None
    known = roles.is_organization_role(person.role)  # an unknown word may be Mixpanel's for what the stack gave
    if not known and person.role is not None and person.role == member.get("previous_role"):
        return None  # it was there before, and is kept
    current, before = str(person.role if known else member["role"]), role_before(member)
    if lowered(current, before) is None:
        return None
    others = declared_elsewhere(session, member, key).values()
    return lowered(current, before, [str(other["role"]) for other in others if other.get("role")])


def _is_undetermined(member: Properties) -> bool:
    """Whether it matters whose the person is, and the state does not say it."""
    return is_ours(member) is None and (member.get("removal") or WHEN_UNUSED) == WHEN_UNUSED


def say_undetermined(session: Session, member: Properties) -> None:
    """Say once who is in the stack since version 0.1.0, which does not say who was found and who was imported."""
    own = own_members(session) or {}
    people = {str(one.get("email", key)) for key, one in own.items() if _is_undetermined(one)} or {str(member["email"])}
    session.say_once(
        "undetermined",
        f"warning: whether these people were found in the organization or imported is not in the state of version "
        f"0.1.0. Until `mixpanel-access ownership` settles it, people without other access leave the organization when "
        f"their entry ends (removal: when_unused): {', '.join(sorted(people))}",
    )


def declared_elsewhere(session: Session, props: Properties, key: str) -> Mapping[str, Properties]:
    """The other stacks that have a person in their state and declare them today.

    Their rosters say so: if two stacks end at once, each still sees the person in the state of the other. Where that
    is unknown, as a program of one's own has no roster, the state counts until the day that it gives is past.
    """
    others = session.states.others(own=props, older_than=REMOVAL_SECONDS).stacks
    found: dict[str, Properties] = {}
    for stack, resources in others.items():
        own = members_of_person(session, members(resources, session.organization), key, props.get("user_id"))
        for address, member in own.items():
            if declares_person(session, stack, {key, address}, member.get("ends")):
                found[stack] = member
    return found


def declares_person(session: Session, stack: str, keys: Iterable[str], ends: Any) -> bool:
    """Whether a stack declares somebody today by one of the addresses that the states have of them, or the present one.

    The last day that the stack's state gives counts where no roster can be read.
    """
    today, known = session.today(), set(keys)
    said = {session.states.declares(stack, key, today) for key in known | set(map(session.directory.key_of, known))}
    return True in said or (None in said and not has_ended(ends, today))


def members_of_person(
    session: Session, people: StackMembers, key: str, user_id: object = None
) -> dict[str, Properties]:
    """The members of a stack that are one person, by the keys of their addresses: each stack may have another one.

    Mixpanel's id decides where both sides have it: somebody else may have got the address since.
    """
    person = session.directory.person(key)
    id_ = person.user_id if person is not None and person.user_id is not None else user_id
    keys = {key} if person is None else {key, person.key}

    def is_same(address: str, member: Properties) -> bool:
        theirs = member.get("user_id")
        return address in keys if id_ is None or theirs is None else theirs == id_

    found = dict.fromkeys((*people.by_id.get(id_, ()), *(address for address in keys if address in people)))
    return {address: people[address] for address in found if is_same(address, people[address])}


def why_held_elsewhere(session: Session, props: Properties, key: str) -> str:
    """Why a person stays in the organization because of the other stacks; "" if these hold nobody.

    Whom a stack that cannot be read holds is unknown, and somebody who is removed cannot be put back.
    """
    if stacks := sorted(declared_elsewhere(session, props, key)):
        return f"declared by the stack {in_words(stacks)} too"
    if why := session.states.others(own=props).why:
        return f"not all states of the project's stacks can be read ({why})"
    return ""


def sends(outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether a stack sends somebody's expired invitation again: it gives the role, or has sent it before."""
    return inputs.get("role") is not None or not outputs.get("adopted", False)


def has_to_send(session: Session, props: Properties) -> bool:
    """Whether no other stack is left to send somebody's expired invitation again; of several, the first by name does.

    If not all states can be read, it is left to the others.
    """
    key, own = same_key(str(props["email"])), session.states.own_stack()
    others = session.states.others(props)
    if own is None or others.why:
        return False
    held = {stack: members(resources, session.organization) for stack, resources in others.stacks.items()}
    return not any(key in people and (stack < own or sends(people[key], people[key])) for stack, people in held.items())


def sent_later(session: Session, props: Properties, older_than: float | None = None) -> dict[str, Any]:
    """When another stack has sent somebody's invitation again, and until when it holds; empty if none has.

    Mixpanel does not show when an invitation went out, so each stack knows only of its own.
    """
    key, ours, now = same_key(str(props["email"])), props.get("invited_at"), session.now()
    found: list[tuple[datetime, Properties]] = []
    for resources in session.states.others(props, older_than).stacks.values():
        member = members(resources, session.organization).get(key, {})
        sent, ends = member.get("invited_at"), member.get("expires_at")
        if sent and ends and instant(ends) > now and (not ours or instant(sent) > instant(ours)):
            found.append((instant(sent), member))
    latest = max(found, key=lambda one: one[0], default=(now, {}))[1]
    return {name: latest[name] for name in ("invited_at", "expires_at") if name in latest}


def _of_others(session: Session, states: StackStates, person: Person) -> dict[str, Properties]:
    held = {stack: members(resources, session.organization) for stack, resources in states.stacks.items()}
    found = {stack: members_of_person(session, people, person.key, person.user_id) for stack, people in held.items()}
    return {stack: next(iter(own.values())) for stack, own in found.items() if own}


def _awaited(session: Session, states: StackStates, person: Person) -> bool:
    """Whether another stack's roster declares somebody who waits for an invitation: its run is not done yet."""
    today = session.today()
    return any(session.states.declares(stack, person.key, today) for stack in states.stacks)
