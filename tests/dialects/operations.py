"""The life of access: invite, expire, grant, accept, change, drift, teams, offboard, import; SCIM; the hourly limit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar, Final

from mixpanel_access.emulator.dialect import DEFAULT, Dialect
from mixpanel_access.emulator.faults import LISTS
from mixpanel_access.model.errors import MixpanelError
from mixpanel_access.model.resource_ids import GrantId, MemberId
from mixpanel_access.provider.session import Session
from tests.dialects.walk import ASKED, Came, Operation, Outcome, Walk, Wrong, note_requests
from tests.faults.conftest import ORG, SHOP, World
from tests.faults.mini_engine import Program
from tests.faults.sampling import MANY as MANY_ARE_ASKED_FOR

BO: Final = "bo@example.com"
MEMBER: Final = {"email": BO, "role": "member", "removal": "always"}
INVITED: Final[Program] = {("member", BO): MEMBER}
ADMIN: Final[Program] = {("member", BO): {**MEMBER, "role": "admin"}}
GRANT: Final = {"project_id": SHOP, "email": BO, "role": "analyst"}
GRANTED: Final[Program] = {**INVITED, ("grant", BO): GRANT}
CHANGED: Final[Program] = {**INVITED, ("grant", BO): {**GRANT, "role": "consumer"}}
CREW: Final = ("team", "crew")
TEAM: Final[Program] = {**INVITED, CREW: {"name": "Crew", "removal": "always"}}
IN_TEAM: Final[Program] = {**TEAM, ("team member", BO): {"team_id": CREW, "email": BO}}
MANY: Final[Program] = {
    ("member", email): {"email": email, "role": "member", "removal": "always"}
    for email in (f"new{number}@big.example.org" for number in range(12))
}


NOWHERE: Final = 999
"""A project that the organization does not have."""
_DAY: Final = timedelta(days=1)


def _accepts(world: World) -> None:
    world.control("POST", "invitations/accept", {"email": BO})


def _role_by_hand(world: World) -> None:
    world.control("POST", "members", {"email": BO, "role": "billing_admin"})


def _grant_by_hand(world: World) -> None:
    world.control("POST", "grants", {"project": SHOP, "email": BO, "role": "admin"})


def _grant_gone_by_hand(world: World) -> None:
    world.control("POST", "grants", {"project": SHOP, "email": BO, "role": None})


def _joins(world: World) -> None:
    world.control("POST", "members", {"email": BO, "role": "member"})


def _there_already(world: World) -> None:
    _joins(world)
    world.control("POST", "grants", {"project": SHOP, "email": BO, "role": "analyst"})


_BY_ID: Final = {("member", BO): str(MemberId(ORG, BO)), ("grant", BO): str(GrantId(ORG, SHOP, BO))}
_OF_ROLE, _OF_GRANT = (("member", BO),), (("grant", BO),)

PEOPLE: Final[Mapping[str, Operation]] = {
    "invite": Operation(INVITED),
    "send an expired invitation again": Operation(INVITED, lambda world: world.pass_days(8), _OF_ROLE),
    "grant to somebody invited": Operation(GRANTED),
    "take a grant from somebody invited": Operation(INVITED),
    "accept": Operation(INVITED, _accepts, silent=True),
    "grant": Operation(GRANTED),
    "change a grant": Operation(CHANGED),
    "find a grant changed by hand": Operation(CHANGED, _grant_by_hand, _OF_GRANT),
    "find a grant removed by hand": Operation(CHANGED, _grant_gone_by_hand, _OF_GRANT),
    "take a grant away": Operation(INVITED),
    "raise the organization role": Operation(ADMIN),
    "find the role changed by hand": Operation(ADMIN, _role_by_hand, _OF_ROLE),
    "lower the organization role": Operation(INVITED),
}
"""What happens to Bo, in this order, from the invitation on."""

OTHERS: Final[Mapping[str, Operation]] = {
    "import": Operation(GRANTED, _there_already, silent=True, imported=_BY_ID),
    "offboard with a grant": Operation({}),
    "make a team": Operation(TEAM, _joins),
    "join a team": Operation(IN_TEAM),
    "leave a team": Operation(TEAM),
    "offboard": Operation({CREW: TEAM[CREW]}),
    "delete a team": Operation({}),
    "invite an admin": Operation(ADMIN),
    "cancel an invitation": Operation({}),
}
"""What happens to Bo, who is there already."""

SCIM: Final[Mapping[str, Operation]] = {
    "SCIM: let in": Operation(INVITED),
    "SCIM: keep out": Operation({}),
    "SCIM: let in again": Operation(INVITED),
}
"""What happens to Bo where the claimed domain comes by SCIM."""

LIMIT: Final = "beyond the hourly limit"


def _audit_log(session: Session) -> object:
    return session.directory.audit_events(["organization.user_added"], session.now() - _DAY, session.now())


READS: Final[Mapping[str, Callable[[Session], object]]] = {
    "read the audit log": _audit_log,
    "read discoverability": lambda session: session.directory.discoverability(),
}
"""What is only read."""
REFUSALS: Final[Mapping[str, tuple[Callable[[Session], object], str]]] = {
    "say what the plan lacks": (lambda session: session.directory.custom_roles.in_project(SHOP), "plan"),
    "say that a project is out of reach": (
        lambda session: session.directory.grants(NOWHERE),
        "project 999.*answered 404|no access",
    ),
}
"""What must be refused in one line, and what the line says; nothing that was not read is taken for empty."""
NAMES: Final = (*PEOPLE, *OTHERS, *SCIM, LIMIT, *READS, *REFUSALS)
"""Every operation."""


Part = Callable[[World, Dialect], Iterator[tuple[str, Came]]]


def _people(world: World, dialect: Dialect) -> Iterator[tuple[str, Came]]:
    yield from Walk(world, dialect).live(PEOPLE)


def _others(world: World, dialect: Dialect) -> Iterator[tuple[str, Came]]:
    yield from Walk(world, dialect).live(OTHERS)


def _scim_and_limit(world: World, dialect: Dialect) -> Iterator[tuple[str, Came]]:
    for name, came in Walk(world, dialect, scim=True).live(SCIM):
        if world.mails(BO):
            raise Wrong(f"{name}: an invitation was sent")
        yield name, came
    world.scim_token = None
    yield LIMIT, _beyond_the_limit(Walk(world, dialect))


def _reads(world: World, dialect: Dialect) -> Iterator[tuple[str, Came]]:
    Walk(world, dialect, plan="growth")
    world.server.app.speak(dialect)
    for name, read in READS.items():
        try:
            read(world.session())
        except MixpanelError as error:
            yield name, (Outcome.STOPPED, str(error))
        else:
            yield name, (Outcome.OK, "")
    for name, (read, words) in REFUSALS.items():
        try:
            found = read(world.session())
        except MixpanelError as error:
            if not re.search(words, str(error)) or "\n" in str(error):
                raise Wrong(f"{name}: {error}") from None
            yield name, (Outcome.OK, "")
        else:
            raise Wrong(f"{name}: {found}")


PARTS: Final[Sequence[Part]] = (_people, _others, _scim_and_limit, _reads)
"""The parts of a life, each from the beginning."""


class Heard(Dialect):
    """The default, which notes the fields that the emulator looks at for an answer."""

    seen: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        if name in Dialect.model_fields:
            Heard.seen.add(name)
        return super().__getattribute__(name)


@cache
def _heard(world: World, part: Part) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that the answers in a part depend on, and the verbs that it asks for."""
    note_requests(world)
    for noted in (Heard.seen, ASKED):
        noted.clear()
    for _ in part(world, Heard()):
        pass
    note_requests(world)
    world.server.app.speak(DEFAULT)
    world.scim_token = None
    return frozenset(Heard.seen), frozenset(ASKED)


def parts_for(world: World, fields: Mapping[str, Any]) -> Sequence[Part]:
    """The parts in which one field can be heard, of which there is one at least; the others go as by the default."""
    if MANY_ARE_ASKED_FOR or not fields:
        return PARTS
    ((field_, value),) = fields.items()

    def can_be_heard(part: Part) -> bool:
        seen, asked = _heard(world, part)
        if field_ == "missing":
            return not asked.isdisjoint(value)
        if field_ == "stale_reads":
            lists = {f"GET {LISTS[name]}".rstrip("/") for name in value}
            return not lists.isdisjoint(verb.rstrip("/") for verb in asked)
        return any("audit" in verb for verb in asked) if field_ == "audit" else field_ in seen

    return [part for part in PARTS if can_be_heard(part)] or PARTS[:1]


def lives(world: World, fields: Mapping[str, Any], parts: Sequence[Part] = PARTS) -> Iterator[tuple[str, Came]]:
    """What happens under a dialect, operation by operation."""
    try:
        for part in parts:
            yield from part(world, Dialect.model_validate(fields))
    finally:
        world.server.app.speak(DEFAULT)
        world.scim_token = None


def _beyond_the_limit(walk: Walk) -> Came:
    """More than Mixpanel invites in an hour: some now, a line on the rest, and the rest an hour later, nobody twice."""
    walk.world.server.app.speak(walk.dialect)
    if walk.engine.up(MANY):
        raise Wrong("nothing was limited")
    lines = [str(failure) for failure in walk.engine.failures]
    if not walk.access()["mails"]:
        return Outcome.REFUSED, lines[0]
    if not any("Run again from" in line and "limit" in line for line in lines):
        raise Wrong(f"limited without a word: {lines}")
    walk.world.pass_days(1 / 23)
    if not walk.engine.up(MANY):
        raise Wrong(f"an hour later: {walk.engine.failures[0]}")
    mailed = sorted(email for email, _ in walk.access()["mails"])
    if mailed != sorted(inputs["email"] for inputs in MANY.values()):
        raise Wrong(f"invited {mailed}")
    return Outcome.OK, ""
