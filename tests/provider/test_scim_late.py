"""SCIM shows late what is there: a user or a group that it refuses to make again is found, and adopted."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model import errors
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.team_member import TeamMemberProvider
from tests.fake_scim import FakeScim, with_scim
from tests.fakes import ORGANIZATION, FakeApi, provider_over
from tests.provider.test_scim_mode import CLAIMED

ANA, BO, TEAM = "ana@example.com", "bo@example.com", 77
MEMBER = {"organization_id": ORGANIZATION, "email": BO}
PLACE = {"team_id": TEAM, "email": BO}
GROUP = ("scim_group_create", ("Data", "501"))
Kind = type[AccessProvider]
FOUND: dict[str, tuple[Kind, dict[str, Any], str, bool, list[Any]]] = {
    "a user": (MemberProvider, MEMBER, BO, True, [("scim_create", BO)]),
    "a user who is deactivated": (
        MemberProvider, MEMBER, BO, False, [("scim_create", BO), ("scim_active", (BO, True))],
    ),
    "a group": (
        TeamMemberProvider, PLACE, "Data", True, [GROUP, ("scim_group_change", ("Data", ("501",), ()))],
    ),
}  # fmt: skip


def organization() -> FakeApi:
    """An organization whose identity provider has written Bo and the group Data."""
    api = with_scim(FakeApi(security=CLAIMED))
    for email in (ANA, BO):
        api.put(email)
    api.teams.put("Data", ANA, scim_managed=True)
    return api


def late(api: FakeApi, what: str, reads: int) -> None:
    """SCIM does not show somebody or a group for so many reads."""
    assert isinstance(api.scim, FakeScim)
    api.scim.late[what] = reads


@pytest.mark.parametrize("reads", [1, 2, 5])
@pytest.mark.parametrize(("kind", "inputs", "what", "active", "sent"), FOUND.values(), ids=FOUND.keys())
def test_what_is_there_already_is_adopted_once_it_shows(
    kind: Kind, inputs: dict[str, Any], what: str, active: bool, sent: list[Any], reads: int
) -> None:
    """One run does everything, and a write names nothing that is done already."""
    api = organization()
    assert isinstance(api.scim, FakeScim)
    if not active:
        api.scim.kept_out.add(BO)
    late(api, what, reads)
    made = provider_over(api, kind).create(dict(inputs))
    assert api.sent == sent
    assert (made.outs or {})["status"] == ("accepted" if kind is MemberProvider else "member")


def test_a_group_that_never_shows_is_an_error() -> None:
    """Nothing else is tried, and the message says where to look."""
    api = organization()
    late(api, "Data", 10_000)
    with pytest.raises(errors.Invalid, match="409"):
        provider_over(api, TeamMemberProvider).create(dict(PLACE))
    assert [name for name, _ in api.sent] == ["scim_group_create"]
