"""People of whom SCIM says too little, or too much: not whether they are active, or under two ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixpanel_access.model import errors
from mixpanel_access.provider.member import MemberProvider
from tests.fake_scim import FakeScim, with_scim
from tests.fakes import ORGANIZATION, FakeApi, provider_over
from tests.provider.test_scim_mode import CLAIMED, CY, MEMBER


@pytest.fixture
def api() -> FakeApi:
    """An organization with two owners and somebody of a claimed domain, and a token."""
    api = with_scim(FakeApi(security=CLAIMED))
    for number in range(2):
        api.put(f"owner{number}@example.com", "owner")
    api.put(CY)
    return api


def fake(api: FakeApi) -> FakeScim:
    """SCIM of the organization."""
    assert isinstance(api.scim, FakeScim)
    return api.scim


def test_who_is_not_said_to_be_active_is_neither_kept_out_nor_let_in(api: FakeApi) -> None:
    """Unknown is no deactivation: they show as a member, and removing them is sent; nobody is activated by the way."""
    fake(api).untold.add(CY)
    made = provider_over(api, MemberProvider).create(MEMBER)
    outputs = made.outs or {}
    assert (outputs["status"], outputs["adopted"], api.writes) == ("accepted", True, [])
    assert (provider_over(api, MemberProvider).read(str(made.id), outputs).outs or {})["status"] == "accepted"
    provider_over(api, MemberProvider).delete(str(made.id), {**outputs, "removal": "always"})
    assert api.sent == [("scim_active", (CY, False))]


def test_who_is_listed_as_deactivated_is_activated_though_scim_does_not_say_it(api: FakeApi) -> None:
    """The list of people says that they are out, and the stack declares them anew."""
    api.people[CY] = replace(api.people[CY], deactivated=True)
    fake(api).untold.add(CY)
    provider_over(api, MemberProvider).create(MEMBER)
    assert api.sent == [("scim_active", (CY, True))]


def test_of_two_users_of_one_address_none_is_changed(api: FakeApi) -> None:
    """Which of them is theirs is not told; nobody else waits for it."""
    fake(api).doubled.add(CY)
    with pytest.raises(errors.Unintelligible, match="SCIM lists 2 users of the address"):
        provider_over(api, MemberProvider).delete(f"{ORGANIZATION}:{CY}", {**MEMBER, "role": None, "adopted": False})
    assert api.writes == []
    provider_over(api, MemberProvider).create({**MEMBER, "email": "new@example.com"})
    assert api.writes == ["scim_create"]


def test_who_ends_is_found_alone_where_the_list_cannot_be_read(api: FakeApi) -> None:
    """By their address: an access that ends does not wait for the pages of others. New people come in as well."""
    made = provider_over(api, MemberProvider).create(MEMBER)
    unclear: list[errors.AccessError] = [errors.Unintelligible("cannot list the users by SCIM")] * 99
    api.faults["scim_users"] = unclear
    provider_over(api, MemberProvider).delete(str(made.id), {**(made.outs or {}), "removal": "always"})
    assert api.sent == [("scim_active", (CY, False))]
    provider_over(api, MemberProvider).create({**MEMBER, "email": "new@example.com"})
    assert api.writes == ["scim_active", "scim_create"]


def test_who_is_not_found_alone_either_is_not_taken_for_absent(api: FakeApi) -> None:
    """Nobody is removed by another way instead, or provisioned a second time."""
    made = provider_over(api, MemberProvider).create(MEMBER)
    for verb in ("scim_users", "scim_user"):
        api.faults[verb] = [errors.Unintelligible("cannot read it")] * 99
    with pytest.raises(errors.Unintelligible):
        provider_over(api, MemberProvider).delete(str(made.id), {**(made.outs or {}), "removal": "always"})
    with pytest.raises(errors.Unintelligible):
        provider_over(api, MemberProvider).create({**MEMBER, "email": "new@example.com"})
    assert api.writes == []
