"""Two resources of one thing in Mixpanel, with two roles: each `up` would have them overwrite each other."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.model.service_accounts import ServiceAccountInfo
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.service_account import ServiceAccountProvider
from mixpanel_access.provider.service_account_grant import ServiceAccountGrantProvider
from mixpanel_access.provider.team_grant import TeamGrantProvider
from mixpanel_access.provider.team_member import TeamMemberProvider
from tests.fakes import NOW, PRODUCTION, WAREHOUSE, FakeApi, make_session

Inputs = dict[str, Any]

KINDS: dict[str, tuple[type[AccessProvider], Inputs, tuple[str, str], Inputs, str]] = {
    "member": (
        MemberProvider,
        {"email": "cy@example.com"},
        ("member", "admin"),
        {"email": "di@example.com"},
        "cy@example.com",
    ),
    "grant": (
        ProjectGrantProvider,
        {"email": "cy@example.com", "project_id": PRODUCTION},
        ("analyst", "admin"),
        {"project_id": WAREHOUSE},
        f"cy@example.com in project {PRODUCTION}",
    ),
    "service account's grant": (
        ServiceAccountGrantProvider,
        {"service_account_id": 77, "project_id": PRODUCTION},
        ("analyst", "admin"),
        {"project_id": WAREHOUSE},
        f"service account 77 in project {PRODUCTION}",
    ),
    "team's grant": (
        TeamGrantProvider,
        {"team_id": 77, "project_id": PRODUCTION},
        ("analyst", "admin"),
        {"project_id": WAREHOUSE},
        f"team 77 in project {PRODUCTION}",
    ),
}
"""Kind -> provider, one subject, two of its roles, what makes it another subject, and how it is called."""

every_kind = pytest.mark.parametrize(("kind", "place", "words", "elsewhere", "name"), KINDS.values(), ids=KINDS.keys())


def provider_of(kind: type[AccessProvider]) -> AccessProvider:
    """A provider in a session of its own, over an organization that has a person, a team and an account."""
    api = FakeApi()
    for email in ("ana@example.com", "cy@example.com", "di@example.com"):
        api.put(email)
    api.teams.put("Data")
    api.accounts.append(ServiceAccountInfo(77, "etl.1a2b3c.mp-service-account", NOW))
    provider = kind()
    provider.use(make_session(api)[0])
    return provider


def reasons(provider: AccessProvider, olds: Inputs, news: Inputs) -> list[str]:
    """What its check finds."""
    return [f"{failure.property}: {failure.reason}" for failure in provider.check(olds, news).failures]


@every_kind
@pytest.mark.parametrize("held", [True, False], ids=["in the state", "new"])
def test_a_second_role_for_one_thing_is_refused(
    kind: type[AccessProvider], place: Inputs, words: tuple[str, str], elsewhere: Inputs, name: str, held: bool
) -> None:
    """The later one is told, whether the stack has them already or not; another subject is another one's."""
    provider, (first, second) = provider_of(kind), [{**place, "role": role} for role in words]
    assert reasons(provider, first if held else {}, first) == []
    assert reasons(provider, second if held else {}, second) == [
        f"role: the program declares {name} twice, as {words[0]} and as {words[1]}; make them one"
    ]
    assert reasons(provider, {}, {**second, **elsewhere}) == []


@every_kind
def test_one_resource_is_never_taken_for_two(
    kind: type[AccessProvider], place: Inputs, words: tuple[str, str], elsewhere: Inputs, name: str
) -> None:
    """Its old role, its second check where it is replaced, another name or spelling, and an unknown role."""
    provider, (before, now) = provider_of(kind), [{**place, "role": role} for role in words]
    for olds in (before, now, {}, before):
        assert reasons(provider, dict(olds), dict(now)) == []
    assert reasons(provider, {}, {**now, "role": words[1].upper()}) == []
    assert reasons(provider, {}, {**now, "role": rpc.UNKNOWN}) == []


@every_kind
def test_what_is_replaced_is_judged_as_what_it_will_be(
    kind: type[AccessProvider], place: Inputs, words: tuple[str, str], elsewhere: Inputs, name: str
) -> None:
    """With its role ignored, the engine checks it with the old one first, and then as new with the declared one."""
    provider, (ignored, declared) = provider_of(kind), [{**place, "role": role} for role in words]
    assert reasons(provider, {**ignored, **elsewhere}, ignored) == []
    assert reasons(provider, {}, declared) == []
    assert len(reasons(provider, {}, ignored)) == 1


@every_kind
def test_places_may_be_exchanged(
    kind: type[AccessProvider], place: Inputs, words: tuple[str, str], elsewhere: Inputs, name: str
) -> None:
    """Each of two resources becomes the other's subject, with its own role."""
    provider, (one, two) = provider_of(kind), [{**place, "role": role} for role in words]
    other, another = {**one, **elsewhere}, {**two, **elsewhere}
    for olds, news in ((one, other), ({}, other), (another, two), ({}, two)):
        assert reasons(provider, dict(olds), dict(news)) == []


def test_a_member_without_a_role_goes_with_any() -> None:
    """It leaves the role to the other one."""
    provider = provider_of(MemberProvider)
    for role in ({}, {"role": "admin"}, {}):
        assert reasons(provider, {}, {"email": "cy@example.com", **role}) == []


def test_two_service_accounts_of_one_name_are_two() -> None:
    """Each is an account of its own."""
    provider = provider_of(ServiceAccountProvider)
    for role in ("consumer", "analyst"):
        assert reasons(provider, {}, {"username": "bot", "role": role, "expires": "2027-01-01T00:00:00Z"}) == []


TWO_SPELLINGS = {
    "case": ("cy@example.com", "Cy@Example.com"),
    "punycode": ("kim@m\u00fcnchen.example", "kim@xn--mnchen-3ya.example"),
    "decomposed": ("zo\u00eb@example.com", "zoe\u0308@example.com"),
}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (MemberProvider, {}),
        (ProjectGrantProvider, {"project_id": PRODUCTION, "role": "analyst"}),
        (TeamMemberProvider, {"team_id": 77}),
    ],
)
@pytest.mark.parametrize("spellings", TWO_SPELLINGS.values(), ids=TWO_SPELLINGS.keys())
def test_one_mailbox_in_two_spellings_is_one_person(
    kind: type[AccessProvider], more: Inputs, spellings: tuple[str, str]
) -> None:
    """A program that declares both is refused before anything is sent, in whichever order and for every kind."""
    for first, second in (spellings, spellings[::-1]):
        provider = provider_of(kind)
        assert reasons(provider, {}, {"email": first, **more}) == []
        assert reasons(provider, {"email": first, **more}, {"email": first, **more}) == []
        (reason,) = reasons(provider, {}, {"email": second, **more})
        assert reason.startswith(f"email: {second} and {first} are one mailbox, and the program declares both")


def test_another_kind_may_spell_it_another_way() -> None:
    """A grant finds its person in any spelling, so that a program need not write them alike."""
    member = provider_of(MemberProvider)
    grant = ProjectGrantProvider()
    grant.use(member.session)
    assert reasons(member, {}, {"email": "Cy@Example.com"}) == []
    assert reasons(grant, {}, {"email": "cy@example.com", "project_id": PRODUCTION, "role": "analyst"}) == []
