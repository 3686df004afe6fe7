"""Lives in which somebody changes their address in Mixpanel, with the lines that the access log must have.

No event says so. Mixpanel's id of the person proves it. The log has that from an update before, or a state has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixpanel_access.operations.state import StateResource
from tests.emulator.conftest import ORG, P, Q
from tests.operations.tracking import ANA, BO, BOT, World, grant, member, place, put_in_team

Row = tuple[str, str, str, str, str]
NEW, LATEST = "bo.new@example.com", "bo.latest@example.com"
MERGER, SAM, LEE = "merger@example.com", "sam@example.com", "lee@example.com"
MEMBER, GRANT = "bo: organization role member", f"bo: analyst in project {P}"
OTHER, PLACE = f"bo: analyst in project {Q}", "bo: member of team 77"


def moved(new: str, old: str) -> Row:
    """The line that says so."""
    return "readdressed", "unknown", f"{new.lower().split('@')[0]}: before: {old}", "", ""


def held(world: World, stack: str, email: str, *, known: bool = True) -> list[StateResource]:
    """What the state of a stack has of a person from now on; `known`: with Mixpanel's id."""
    row = world.server.store.member(email) or world.server.store.member(world.addresses[email])
    outputs: dict[str, Any] = {"adopted": stack == "staging", "ticket": "OPS-1"}
    if known and row and row.id:
        outputs["user_id"] = row.id
    project, born = (P if stack == "production" else Q), world.times()
    found = [member(email, outputs=outputs, **born), grant(email, "analyst", project, outputs=outputs, **born)]
    return [*found, place(email, outputs=outputs, **born)] if stack == "production" else found


def has(world: World, stack: str, email: str, *, known: bool = True) -> None:
    """A run in which a stack gets a person, by another address than before or for the first time."""
    with world.run(stack, author=MERGER if stack == "production" else SAM):
        world.has(stack, *held(world, stack, email, known=known))


def refreshed(world: World, stack: str = "production") -> None:
    """The state gets to know Mixpanel's id of a person."""
    before = world.states[stack].members[BO]
    found = held(world, stack, BO)
    known = [member(BO, outputs=found[0].outputs, created=before.created, modified=before.modified)]
    rest = [*world.states[stack].grants.values(), *world.states[stack].team_members.values()]
    world.has(stack, *known, *rest)


def begin(world: World, *, two: bool = False) -> list[Row]:
    """Production invites Bo and gives a grant and a place, Bo accepts; another stack adopts them."""
    with world.run("production"):
        world.client.invite(BO)
        world.client.grant(BO, "analyst")
        put_in_team(world, BO, member=True, service="scim")
        world.has("production", *held(world, "production", BO, known=False))
    world.later()
    world.client.control("POST", "invitations/accept", {"email": BO})
    world.later()
    rows = [("granted", MERGER, what, "production", "OPS-1") for what in (MEMBER, GRANT, PLACE)]
    rows += [("accepted", BO, MEMBER, "production", "OPS-1")]
    if two:
        with world.run("staging", author=SAM):
            world.client.grant(BO, "analyst", Q)
            world.has("staging", *held(world, "staging", BO))
        rows += [("imported", SAM, MEMBER, "staging", "OPS-1"), ("granted", SAM, OTHER, "staging", "OPS-1")]
    return rows


def begin_and_move(world: World) -> list[Row]:
    """The same, and after an update by which the log and the state know the id, Bo changes the address."""
    rows = begin(world)
    refreshed(world)
    world.update()
    world.later(hours=1)
    world.move(BO, NEW)
    return rows


def swap(world: World) -> None:
    """Bo and Lee swap their addresses."""
    world.move(LEE, "x@example.com")
    world.move(BO, LEE)
    world.move("x@example.com", BO)
    world.addresses = {BO: LEE, LEE: BO}
    world.reused = {BO: world.clock.at, LEE: world.clock.at}


def revoked_from_new(by: str) -> list[Row]:
    """The lines for the end of what Bo had, under the new address."""
    return [("revoked", by, what.replace("bo:", "bo.new:"), "production", "OPS-1") for what in (MEMBER, GRANT, PLACE)]


def seen_before_the_roster_follows(world: World) -> list[Row]:
    """The state has the old address, and the id."""
    rows = begin_and_move(world)
    world.update()
    world.later(hours=1)
    has(world, "production", NEW)
    return [*rows, moved(NEW, BO)]


def after_the_roster_has_followed(world: World) -> list[Row]:
    """No state has the old address any more: the log knows the id."""
    rows = begin(world)
    world.update()
    world.later(hours=1)
    world.move(BO, NEW)
    has(world, "production", NEW)
    return [*rows, moved(NEW, BO)]


def before_the_log_began(world: World) -> list[Row]:
    """The audit log knows the old address."""
    rows = begin(world)
    refreshed(world)
    world.later(hours=1)
    world.move(BO, NEW)
    return [*rows, moved(NEW, BO)]


def in_no_stack(world: World) -> list[Row]:
    """The update that found the person wrote the id down."""
    world.update()
    world.later(hours=1)
    world.move("Lee@Example.com", "lee.new@example.com")
    return [moved("lee.new@example.com", "Lee@Example.com")]


def in_two_stacks(world: World) -> list[Row]:
    """Whose rosters follow one after the other."""
    rows = begin(world, two=True)
    world.update()
    world.later(hours=1)
    world.move(BO, NEW)
    for stack in ("staging", "production"):
        world.update()
        world.later(hours=1)
        has(world, stack, NEW)
    return [*rows, moved(NEW, BO)]


def in_two_stacks_of_which_one_knows_the_person(world: World) -> list[Row]:
    """The other state has no id, and follows last."""
    rows = begin(world, two=True)
    world.update()
    world.later(hours=1)
    world.move(BO, NEW)
    has(world, "staging", NEW)
    world.update()
    world.later(hours=1)
    has(world, "production", NEW, known=False)
    return [*rows, moved(NEW, BO)]


def events_afterwards(world: World) -> list[Row]:
    """They name the new address, while the state has the old one; who did them, and for which stack, is as before."""
    rows = begin_and_move(world)
    world.later(hours=1)
    world.give(NEW, "admin")
    world.later(hours=1)
    put_in_team(world, NEW, member=False)
    world.update()
    world.later(hours=1)
    world.give(NEW, None)
    raised = f"bo.new: admin in project {P}"
    return [
        *rows,
        moved(NEW, BO),
        ("changed", ANA, raised, "production", "OPS-1"),
        ("revoked", ANA, PLACE.replace("bo:", "bo.new:"), "production", "OPS-1"),
        ("revoked", ANA, raised, "production", "OPS-1"),
    ]


def ended_by_the_stack(world: World) -> list[Row]:
    """Under the new address, while the roster had the old one."""
    rows = begin_and_move(world)
    world.update()
    with world.run("production"):
        world.client.post(f"/organizations/{ORG}/delete-users/", json={"emails": [NEW]})
        world.has("production")
    return [*rows, moved(NEW, BO), *revoked_from_new(MERGER)]


def twice(world: World) -> list[Row]:
    """Each time has its line, and so has the way back."""
    rows = begin(world)
    refreshed(world)
    for old, new in ((BO, NEW), (NEW, LATEST), (LATEST, BO)):
        world.update()
        world.later(hours=1)
        world.move(old, new)
    return [*rows, moved(NEW, BO), moved(LATEST, NEW), moved(BO, LATEST)]


def two_people_who_swap_addresses(world: World) -> list[Row]:
    """Between two updates; each keeps what they have."""
    rows = begin(world)
    world.update()
    world.later(hours=1)
    swap(world)
    has(world, "production", LEE)
    return [*rows, moved(LEE, BO), moved(BO, "Lee@Example.com")]


def two_people_of_one_stack_who_swap_addresses(world: World) -> list[Row]:
    """The state has the old address of each, and the ids."""
    rows = begin(world)
    refreshed(world)
    world.update()
    world.later(hours=1)
    state = world.states["production"]
    with world.run("production", author=MERGER):
        mine = [*state.members.values(), *state.grants.values(), *state.team_members.values()]
        world.has("production", *mine, *held(world, "production", LEE))
    world.update()
    world.later(hours=1)
    swap(world)
    taken = [
        ("imported", MERGER, what.replace("bo:", "lee:"), "production", "OPS-1") for what in (MEMBER, GRANT, PLACE)
    ]
    return [*rows, *taken, moved(LEE, BO), moved(BO, "Lee@Example.com")]


def two_people_who_swap_before_the_log_knows_one(world: World) -> list[Row]:
    """The event by which Bo joined is that of Bo, and not of Lee, who has the address now."""
    world.update()
    world.later(hours=1)
    rows = begin(world)
    refreshed(world)
    world.later(hours=1)
    swap(world)
    return [*rows, moved(LEE, BO), moved(BO, "Lee@Example.com")]


def one_gets_the_address_that_another_leaves(world: World) -> list[Row]:
    """Between two updates; Lee does not become whoever had the address."""
    rows = begin(world)
    world.update()
    world.later(hours=1)
    world.move(BO, NEW)
    world.move(LEE, BO)
    world.addresses, world.reused = {BO: NEW, LEE: BO}, {BO: world.clock.at}
    has(world, "production", NEW)
    world.update()
    return [*rows, moved(BO, "Lee@Example.com"), moved(NEW, BO)]


def changed_under_an_address_that_no_update_saw(world: World) -> list[Row]:
    """The event has the id of the person; the log knows an address before and one afterwards."""
    rows = begin_and_move(world)
    world.later(hours=1)
    world.give(NEW, "admin")
    world.later(hours=1)
    world.move(NEW, LATEST)
    return [*rows, ("changed", ANA, f"bo: admin in project {P}", "production", "OPS-1"), moved(LATEST, BO)]


def removed_under_an_address_that_no_update_saw(world: World) -> list[Row]:
    """It is the person of the log who left, and nobody else."""
    rows = begin_and_move(world)
    world.later(hours=1)
    world.remove(NEW)
    world.addresses = {BO: NEW} if world.eager else {NEW: BO}
    return [*rows, *(("revoked", ANA, what, "production", "OPS-1") for what in (MEMBER, GRANT, PLACE))]


def changed_between_a_swap_and_the_update(world: World) -> list[Row]:
    """Whose grant it is says the id in the event, and not the address, which is that of another one in the log."""
    rows = begin(world)
    refreshed(world)
    world.update()
    world.later(hours=1)
    swap(world)
    world.later(hours=1)
    world.give(LEE, "admin")
    raised = f"bo: admin in project {P}"
    return [*rows, ("changed", ANA, raised, "production", "OPS-1"), moved(LEE, BO), moved(BO, "Lee@Example.com")]


def somebody_else_gets_the_address(world: World) -> list[Row]:
    """Before the next update: a person of their own, with lines of their own."""
    rows = begin_and_move(world)
    world.later(hours=1)
    world.write_down()
    world.reused[BO] = world.clock.at
    world.client.invite(BO)
    world.later(hours=1)
    world.client.control("POST", "invitations/accept", {"email": BO})
    return [*rows, moved(NEW, BO), ("granted", BOT, MEMBER, "", ""), ("accepted", BO, MEMBER, "", "")]


def removed_and_invited_again_by_the_old_address(world: World) -> list[Row]:
    """The roster has not followed: the new invitation is that of somebody else, and the state was behind until then."""
    rows = begin_and_move(world)
    world.update()
    world.later(hours=1)
    world.remove(NEW)
    world.update()
    world.later(hours=1)
    world.write_down()
    world.reused[BO] = world.clock.at
    with world.run("production"):
        world.client.invite(BO)
        world.has("production", member(BO, outputs={"adopted": False, "ticket": "OPS-2"}, **world.times()))
    return [
        *rows,
        moved(NEW, BO),
        *revoked_from_new(ANA),
        ("granted", MERGER, MEMBER, "production", "OPS-2"),
    ]


def behind_when_the_person_is_invited_again(world: World) -> list[Row]:
    """The state still has the member and a grant of whoever had the address; the new person has no grant."""
    rows = begin_and_move(world)
    world.update()
    world.later(hours=1)
    world.remove(NEW)
    world.later(hours=1)
    world.write_down()
    world.reused[BO] = world.clock.at
    with world.run("production"):
        world.client.invite(BO)
    return [
        *rows,
        moved(NEW, BO),
        *revoked_from_new(ANA),
        ("granted", MERGER, MEMBER, "production", "OPS-1"),
    ]


READDRESSED: Sequence[Any] = [
    seen_before_the_roster_follows, after_the_roster_has_followed, before_the_log_began, in_no_stack, in_two_stacks,
    in_two_stacks_of_which_one_knows_the_person, events_afterwards, ended_by_the_stack, twice,
    two_people_who_swap_addresses, two_people_who_swap_before_the_log_knows_one,
    two_people_of_one_stack_who_swap_addresses,
    one_gets_the_address_that_another_leaves, somebody_else_gets_the_address,
    changed_under_an_address_that_no_update_saw, removed_under_an_address_that_no_update_saw,
    changed_between_a_swap_and_the_update, removed_and_invited_again_by_the_old_address,
    behind_when_the_person_is_invited_again,
]  # fmt: skip
AT_ONCE: Sequence[Any] = [
    after_the_roster_has_followed, in_two_stacks_of_which_one_knows_the_person, two_people_who_swap_addresses,
    two_people_who_swap_before_the_log_knows_one, two_people_of_one_stack_who_swap_addresses,
    one_gets_the_address_that_another_leaves, changed_between_a_swap_and_the_update,
]  # fmt: skip
"""Lives that a log tells only if it has the id from before: one that begins at their end cannot know it."""
