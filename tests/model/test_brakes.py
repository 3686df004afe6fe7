"""The brakes: judged on everything that an operation would do, at their very boundaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.model import roles
from mixpanel_access.model.access import Person
from mixpanel_access.model.brakes import Brake, BrakeFinding, Limits, PlannedChanges, judge

OWN = "bot@example.com"


def organization(owners: int = 2, members: int = 8, more: dict[str, str] | None = None) -> dict[str, Person]:
    """So many owners and members, and some more by key."""
    people = {f"o{n}@example.com": "owner" for n in range(owners)} | {
        f"m{n}@example.com": "member" for n in range(members)
    }
    return {key: Person(key, role, invited=False) for key, role in (people | (more or {})).items()}


def held(
    people: dict[str, Person], plan: PlannedChanges, own_role: str | None = "owner", **limits: object
) -> list[BrakeFinding]:
    """The findings on a plan."""
    return judge(people, plan, own_address=OWN, own_role=own_role, limits=Limits(**limits))  # type: ignore[arg-type]


def leaving(*keys: str) -> PlannedChanges:
    """A plan that removes people."""
    return PlannedChanges(removals=frozenset(keys))


@pytest.mark.parametrize(
    ("owners", "removed", "expected"),
    [(1, 1, [True]), (2, 2, [True]), (2, 1, [False]), (3, 1, []), (3, 2, [False]), (3, 3, [True]), (3, 0, [])],
    ids=str,
)
def test_the_last_owner_stays_and_the_last_but_one_is_warned_about(
    owners: int, removed: int, expected: list[bool]
) -> None:
    """Every number of owners left: none is held, one is warned about, two and more are fine."""
    findings = held(organization(owners), leaving(*[f"o{n}@example.com" for n in range(removed)]))
    assert [(finding.brake, finding.holds) for finding in findings] == [(Brake.LAST_OWNER, holds) for holds in expected]


def test_removal_and_demotion_are_added_up() -> None:
    """One owner removed and the other demoted leaves none."""
    plan = PlannedChanges(frozenset({"o0@example.com"}), {"o1@example.com": "admin"})
    (finding,) = held(organization(2), plan)
    assert (finding.holds, finding.people) == (True, ("o0@example.com", "o1@example.com"))


def test_a_new_owner_takes_the_place_of_the_old() -> None:
    """Handing ownership over in one operation is no loss, if the new owner has joined."""
    plan = PlannedChanges(frozenset({"o0@example.com"}), {"m0@example.com": "owner"})
    assert [finding.holds for finding in held(organization(1), plan)] == [False]
    people = organization(1)
    people["m0@example.com"] = Person("m0@example.com", "member", invited=True)
    assert [finding.holds for finding in held(people, plan)] == [True]


def test_an_owner_who_has_not_joined_is_none() -> None:
    """An invitation does not run an organization."""
    people = organization(1)
    people["o9@example.com"] = Person("o9@example.com", "owner", invited=True)
    assert [finding.holds for finding in held(people, leaving("o0@example.com"))] == [True]
    assert held(people, leaving("o9@example.com")) == []


@pytest.mark.parametrize(
    ("people", "allowed"), [(1, 3), (10, 3), (30, 3), (39, 3), (40, 4), (49, 4), (50, 5), (1000, 100)]
)
def test_the_share_of_the_organization_at_its_boundary(people: int, allowed: int) -> None:
    """10 %, rounded down, but three in any case: exactly so many may go and not one more."""
    everyone = organization(0, people)
    keys = sorted(everyone)
    if people > 1:  # whoever is alone may be the last owner
        assert held(everyone, leaving(*keys[:allowed])) == []
    if people > allowed:
        (finding,) = held(everyone, leaving(*keys[: allowed + 1]))
        assert (finding.brake, finding.holds) == (Brake.REMOVAL_SHARE, True)
        assert finding.people == tuple(keys[: allowed + 1])
        assert f"may remove {allowed} of the {people} people" in finding.words


@pytest.mark.parametrize(
    ("percent", "minimum", "allowed"), [(0, 0, 0), (50, 0, 5), (0, 4, 4), (100, 0, 10), (29.9, 1, 2)]
)
def test_the_share_can_be_set(percent: float, minimum: int, allowed: int) -> None:
    """Percent and minimum are settings; the higher counts."""
    assert Limits(percent, minimum).removable(10) == allowed


def test_who_is_not_in_the_organization_is_not_counted() -> None:
    """Removing those who left already removes nobody."""
    assert held(organization(2, 8), leaving(*[f"gone{n}@example.com" for n in range(50)])) == []


@pytest.mark.parametrize("spelling", [OWN, OWN.upper()])
def test_the_providers_own_identity_stays(spelling: str) -> None:
    """It is neither removed nor demoted, in whatever spelling it is told."""
    people = organization(more={OWN: "admin"})
    findings = judge(people, leaving(OWN), own_address=spelling, own_role="admin", limits=Limits())
    assert [(finding.brake, finding.holds) for finding in findings] == [(Brake.OWN_IDENTITY, True)]


@pytest.mark.parametrize("old", roles.ORGANIZATION_ROLES)
@pytest.mark.parametrize("new", roles.ORGANIZATION_ROLES)
def test_the_providers_own_identity_is_not_demoted(old: str, new: str) -> None:
    """Every pair of roles: only a lower rank is a demotion."""
    findings = held(organization(more={OWN: old}), PlannedChanges(roles={OWN: new}))
    lower = roles.organization_rank(new) < roles.organization_rank(old)
    assert any(finding.brake is Brake.OWN_IDENTITY for finding in findings) is lower


@pytest.mark.parametrize("own", [*roles.ORGANIZATION_ROLES, None])
@pytest.mark.parametrize("role", roles.ORGANIZATION_ROLES)
def test_nobody_is_raised_above_our_own_role(own: str | None, role: str) -> None:
    """Every pair of roles; an untold own role is left to the server."""
    findings = held(organization(), PlannedChanges(roles={"m0@example.com": role}), own_role=own)
    above = own is not None and not roles.may_assign(own, role)
    assert any(finding.brake is Brake.ABOVE_OWN_ROLE for finding in findings) is above


@pytest.mark.parametrize("own", [*roles.ORGANIZATION_ROLES, None])
@pytest.mark.parametrize(
    ("plan", "lowers"),
    [
        (PlannedChanges(frozenset({"o0@example.com"})), True),
        (PlannedChanges(frozenset({"m0@example.com"})), False),
        (PlannedChanges(roles={"o0@example.com": "admin"}), True),
        (PlannedChanges(roles={"o0@example.com": "owner"}), False),
        (PlannedChanges(frozenset({"strange@example.com"})), False),
    ],
    ids=["an owner goes", "a member goes", "an owner becomes admin", "an owner stays one", "nobody who is there"],
)
def test_only_an_owner_removes_or_demotes_an_owner(own: str | None, plan: PlannedChanges, lowers: bool) -> None:
    """Contract, section 13: it is held before it is refused; an untold own role is left to the server."""
    found = [f for f in held(organization(2), plan, own_role=own) if "only an owner" in f.words]
    assert bool(found) is (lowers and own not in (None, "owner"))
    assert all(f.holds and f.advice for f in found)


WORST = PlannedChanges(
    frozenset({"o0@example.com", OWN, *[f"m{n}@example.com" for n in range(5)]}), {"m6@example.com": "owner"}
)


ELSEWHERE = {Brake.GRANT_SHARE, Brake.UNKNOWN_PEOPLE}
"""Brakes that are not judged by a plan: of a project's grants, and of a list that has rows without an address."""
OF_PEOPLE = [brake for brake in Brake if brake not in ELSEWHERE]


@pytest.mark.parametrize("released", OF_PEOPLE)
def test_each_brake_can_be_released_and_then_warns(released: Brake) -> None:
    """Released by name, it no longer holds, and still says what it found; the others hold."""
    people = organization(1, more={OWN: "admin"})
    people["m6@example.com"] = Person("m6@example.com", "member", invited=True)
    findings = {
        finding.brake: finding.holds for finding in held(people, WORST, "admin", released=frozenset({released}))
    }
    assert findings == {brake: brake is not released for brake in OF_PEOPLE}


@given(st.sets(st.integers(0, 30), min_size=1), st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_an_operation_that_is_let_through_always_leaves_an_owner(
    owners: set[int], removed: set[int], demoted: set[int]
) -> None:
    """Whatever is removed and demoted together: if no brake holds, there is an owner."""
    people = {f"p{n}": Person(f"p{n}", "owner" if n in owners else "member", invited=False) for n in range(31)}
    plan = PlannedChanges(frozenset(f"p{n}" for n in removed), {f"p{n}": "admin" for n in demoted})
    holds = any(f.holds for f in held(people, plan) if f.brake is Brake.LAST_OWNER)
    assert holds == (not owners - removed - demoted)


ANA, BO, CY = "ana@example.com", "bo@example.com", "cy@example.com"
NOBODY_IS_CALLED_OWNER = {
    # the roles that are shown, who ends, whether our own account's permissions are an owner's, who is held
    "one admin of several": ({ANA: "admin", BO: "admin", CY: "member"}, {ANA}, "", ()),
    "two of three": ({ANA: "admin", BO: "admin", CY: "admin"}, {ANA, BO}, "", ()),
    "the only admin": ({ANA: "admin", BO: "member"}, {ANA}, "", (ANA,)),
    "the only admin, among billing admins": ({ANA: "admin", BO: "billing_admin"}, {ANA}, "", (ANA,)),
    "all admins": ({ANA: "admin", BO: "admin", CY: "member"}, {ANA, BO}, "", (ANA, BO)),
    "a member beside an admin": ({ANA: "admin", BO: "member"}, {BO}, "", ()),
    "an unknown word beside an admin": ({ANA: "admin", BO: "superuser"}, {BO}, "", ()),
    "the only admin beside an unknown word": ({ANA: "admin", BO: "superuser"}, {ANA}, "", (ANA,)),
    "the only unknown word": ({ANA: "superuser", BO: "member"}, {ANA}, "", (ANA,)),
    "one unknown word of two": ({ANA: "superuser", BO: "boss"}, {ANA}, "", ()),
    "a member of members": ({ANA: "member", BO: "member"}, {ANA}, "", ()),
    "a role that is not told": ({ANA: None, BO: None}, {ANA}, "", ()),
    "everybody": ({ANA: "member", BO: None}, {ANA, BO}, "", (ANA, BO)),
    "an admin while the owner of permissions stays": ({ANA: "admin", OWN: "admin"}, {ANA}, OWN, ()),
    "the owner of permissions, beside an admin": ({ANA: "admin", OWN: "admin"}, {OWN}, OWN, (OWN,)),
    "a service account of permissions, which is in no list": ({ANA: "admin", BO: "admin"}, {ANA}, OWN, ()),
    "the only admin beside that service account": ({ANA: "admin", BO: "member"}, {ANA}, OWN, (ANA,)),
}


@pytest.mark.parametrize("way", ["removed", "made a member"])
@pytest.mark.parametrize(
    ("shown", "ends", "own", "held_"), NOBODY_IS_CALLED_OWNER.values(), ids=NOBODY_IS_CALLED_OWNER.keys()
)
def test_where_nobody_is_called_owner_the_last_who_may_be_one_stays(
    shown: dict[str, str | None], ends: set[str], own: str, held_: tuple[str, ...], way: str
) -> None:
    """Access that has ended goes, unless nobody of the highest role or no known owner would be left."""
    people = {key: Person(key, role, invited=False) for key, role in shown.items()}
    if way == "made a member" and all(shown[key] in ("member", None) for key in ends):
        held_ = ()  # they are no more than that
    plan = PlannedChanges(frozenset(ends)) if way == "removed" else PlannedChanges(roles=dict.fromkeys(ends, "member"))
    findings = judge(people, plan, own_address=OWN, own_role="owner" if own else "admin", limits=Limits())
    found = [one for one in findings if one.brake is Brake.LAST_OWNER]
    assert [(one.people, one.holds) for one in found] == ([(held_, True)] if held_ else [])
    assert all("releaseBrakes: lastOwner" in one.words and not one.advice for one in found)
    released = Limits(released=frozenset({Brake.LAST_OWNER}))
    again = judge(people, plan, own_address=OWN, own_role="owner" if own else "admin", limits=released)
    assert not any(one.holds for one in again if one.brake is Brake.LAST_OWNER)


def test_our_own_account_is_no_owner_who_is_left_where_owners_are_called_so() -> None:
    """Whatever its permissions say: the list calls it something else."""
    people = {**organization(1), OWN: Person(OWN, "admin", invited=False)}
    assert [one.holds for one in held(people, leaving("o0@example.com"))] == [True]


def test_whoever_cannot_log_in_is_not_left() -> None:
    """Neither an invited admin nor one whom the identity provider keeps out."""
    people = {
        ANA: Person(ANA, "admin", invited=False),
        BO: Person(BO, "admin", invited=True),
        CY: Person(CY, "admin", invited=False, deactivated=True),
    }
    assert [one.people for one in held(people, leaving(ANA), own_role="admin")] == [(ANA,)]


@pytest.mark.parametrize(("invited", "deactivated"), [(True, False), (False, True)])
def test_an_owner_who_cannot_log_in_does_not_tell_who_the_others_are(invited: bool, deactivated: bool) -> None:
    """Called owner, and only invited or kept out, they are no owner who is left; the others may be called admin."""
    people = {key: Person(key, "admin", invited=False) for key in (ANA, BO)}
    people[CY] = Person(CY, "owner", invited=invited, deactivated=deactivated)
    assert held(people, leaving(ANA), own_role="admin") == []
    for plan in (
        leaving(ANA, BO),
        PlannedChanges(roles={ANA: "member", BO: "member"}),
        PlannedChanges(frozenset({ANA}), {BO: "member"}),
    ):
        found = held(people, plan, own_role="admin")
        assert [(one.people, one.holds) for one in found if one.brake is Brake.LAST_OWNER] == [((ANA, BO), True)]


def test_a_new_owner_takes_the_place_of_one_who_is_called_admin() -> None:
    """In the same plan."""
    people = {ANA: Person(ANA, "admin", invited=False), BO: Person(BO, "member", invited=False)}
    assert held(people, PlannedChanges(frozenset({ANA}), {BO: "owner"})) == []


@pytest.mark.parametrize("own", ["superuser", "member"])
def test_an_unknown_role_of_ours_gives_nothing_and_takes_away(own: str) -> None:
    """Whether it may is left to Mixpanel; one that is known to manage nobody changes no role."""
    people = {**organization(1), ANA: Person(ANA, "admin", invited=False)}
    for role, gives in (("admin", True), ("member", False)):
        found = held(people, PlannedChanges(roles={ANA: role}), own_role=own)
        assert bool([one for one in found if one.brake is Brake.ABOVE_OWN_ROLE]) is (gives or own == "member")
