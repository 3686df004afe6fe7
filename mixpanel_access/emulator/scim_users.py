"""SCIM's users: members of the organization, made, changed, disabled and removed (contract, section 10)."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from scim2_models import Context, User
from starlette.responses import Response

from mixpanel_access.emulator import scim_bodies
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.common import must_leave_an_owner
from mixpanel_access.emulator.routing import Call
from mixpanel_access.emulator.scim import ROOT, SERVICE
from mixpanel_access.emulator.store import Member
from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with, same_key

_OURS: Final = {"schemas", "id", "meta", "groups", "userName", "active"}
"""What is not kept as it was sent, for it is the organization's."""


def find(call: Call) -> Response:
    """Everybody who has joined, or the one of that address."""
    joined = [member for member in call.store.members() if not member.invited]
    return scim_bodies.found(
        call, User, "userName", [(member.email, partial(_resource, call, member)) for member in joined]
    )


def create(call: Call) -> Response:
    """A new member; one who was invited joins, and one who left comes back as the user they were."""
    user = scim_bodies.read(call, User, Context.RESOURCE_CREATION_REQUEST)
    email = user.user_name or ""
    if problem_with(email):
        raise Refusal(400, f"userName: {email} is not an e-mail address", scim_type="invalidValue")
    scim_bodies.must_be_claimed(call, email)
    known = call.store.member(email)
    elsewhere = map(same_key, call.store.setting("security")["accounts_elsewhere"])
    if (known is not None and not known.invited) or same_key(email) in elsewhere:
        raise Refusal(409, f"{email} has an account", scim_type="uniqueness")
    call.store.put_member(email, known.role if known else roles.MEMBER, invited=False)
    member = _of_address(call, email)
    call.audit.user_added(member, SERVICE)
    return _kept(call, member, user, 201)


def read(call: Call) -> Response:
    """One user."""
    return scim_bodies.shown(_resource(call, _of_path(call)))


def replace(call: Call) -> Response:
    """All attributes anew."""
    member = _of_path(call)
    user = scim_bodies.read(call, User, Context.RESOURCE_REPLACEMENT_REQUEST)
    return _kept(call, member, user)


def patch(call: Call) -> Response:
    """Some attributes."""
    member = _of_path(call)
    user = _resource(call, member)
    scim_bodies.patched(call, user)
    return _kept(call, member, user)


def delete(call: Call) -> Response:
    """The account goes, with all its access."""
    member = _of_path(call)
    scim_bodies.must_be_claimed(call, member.email)
    must_leave_an_owner(call, {member.key})
    call.store.remove_member(member.email)
    call.audit.user_removed(member, SERVICE)
    return Response(status_code=204)


def _kept(call: Call, member: Member, user: User[Any], status: int = 200) -> Response:
    scim_bodies.must_be_claimed(call, member.email)
    if same_key(user.user_name or "") != member.key:
        raise Refusal(400, "userName cannot be changed", scim_type="mutability")
    active = user.active is not False
    if not active:
        must_leave_an_owner(call, {member.key})
    sent = user.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    attributes = {name: value for name, value in sent.items() if name not in _OURS}
    call.store.set_profile(member.email, name=_name(user), active=active, scim=attributes)
    return scim_bodies.shown(_resource(call, _of_address(call, member.email)), status)


def _name(user: User[Any]) -> str | None:
    name = user.name
    parts = [part for part in (name.given_name, name.family_name) if part] if name else []
    return (name.formatted if name else None) or " ".join(parts) or user.display_name


def _resource(call: Call, member: Member) -> User[Any]:
    place = f"{ROOT}/Users/{member.id}"
    groups = [
        {"value": str(team.id), "display": team.name, "type": "direct"} for team in call.store.teams_with(member.email)
    ]
    named = {"name": {"formatted": member.name}} if member.name else {}
    return User.model_validate(
        {
            "emails": [{"value": member.email, "primary": True}],
            **named,
            **(member.scim or {}),
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": str(member.id),
            "userName": member.email,
            "active": member.active,
            "groups": groups,
            "meta": {"resourceType": "User", "location": place},
        }
    )


def _of_path(call: Call) -> Member:
    text = call.places["user"]
    member = call.store.member_of_id(scim_bodies.number(text))
    if member is None or member.invited:
        raise Refusal(404, f"no user {text}")
    return member


def _of_address(call: Call, email: str) -> Member:
    member = call.store.member(email)
    if member is None:  # pragma: no cover  # it was there a statement ago
        raise AssertionError(email)
    return member
