"""SCIM's resources: users are members, groups are teams of the same name (contract, section 10).

A group write neither adds nor removes people of domains that are not claimed.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from scim2_models import Context, Group, User
from starlette.responses import Response

from mixpanel_access.emulator import scim_bodies
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.routing import Call
from mixpanel_access.emulator.rules import must_leave_an_owner
from mixpanel_access.emulator.scim import ROOT, SERVICE
from mixpanel_access.emulator.store import MemberRow
from mixpanel_access.emulator.team_store import StoredTeam
from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with, same_key

_OURS: Final = {"schemas", "id", "meta", "groups", "userName", "active"}
"""The attributes that come from the organization, and are not kept as they were sent."""


def find_users(call: Call) -> Response:
    """Everybody who has joined, or the person with the address that the filter names."""
    joined = [member for member in call.store.members() if not member.invited]
    return scim_bodies.found(
        call, User, "userName", [(member.email, partial(_user_resource, call, member)) for member in joined]
    )


def create_user(call: Call) -> Response:
    """Add a member. An invited person joins, and a person who left comes back with the same user id."""
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
    return _put_user(call, member, user, 201)


def read_user(call: Call) -> Response:
    """Show the user of the path."""
    return scim_bodies.shown(_user_resource(call, _user_of_path(call)))


def replace_user(call: Call) -> Response:
    """Replace all attributes of a user."""
    member = _user_of_path(call)
    user = scim_bodies.read(call, User, Context.RESOURCE_REPLACEMENT_REQUEST)
    return _put_user(call, member, user)


def patch_user(call: Call) -> Response:
    """Change some attributes of a user."""
    member = _user_of_path(call)
    user = _user_resource(call, member)
    scim_bodies.patched(call, user)
    return _put_user(call, member, user)


def delete_user(call: Call) -> Response:
    """Remove a user with all their access."""
    member = _user_of_path(call)
    scim_bodies.must_be_claimed(call, member.email)
    must_leave_an_owner(call, {member.key})
    call.store.remove_member(member.email)
    call.audit.user_removed(member, SERVICE)
    return Response(status_code=204)


def _put_user(call: Call, member: MemberRow, user: User[Any], status: int = 200) -> Response:
    scim_bodies.must_be_claimed(call, member.email)
    if same_key(user.user_name or "") != member.key:
        raise Refusal(400, "userName cannot be changed", scim_type="mutability")
    active = user.active is not False
    if not active:
        must_leave_an_owner(call, {member.key})
    sent = user.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    attributes = {name: value for name, value in sent.items() if name not in _OURS}
    call.store.set_profile(member.email, name=_name(user), active=active, scim=attributes)
    return scim_bodies.shown(_user_resource(call, _of_address(call, member.email)), status)


def _name(user: User[Any]) -> str | None:
    name = user.name
    parts = [part for part in (name.given_name, name.family_name) if part] if name else []
    return (name.formatted if name else None) or " ".join(parts) or user.display_name


def _user_resource(call: Call, member: MemberRow) -> User[Any]:
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


def _user_of_path(call: Call) -> MemberRow:
    text = call.path_params["user"]
    member = call.store.member_of_id(scim_bodies.number(text))
    if member is None or member.invited:
        raise Refusal(404, f"no user {text}")
    return member


def _of_address(call: Call, email: str) -> MemberRow:
    member = call.store.member(email)
    if member is None:  # pragma: no cover  # it was there a statement ago
        raise AssertionError(email)
    return member


def find_groups(call: Call) -> Response:
    """Every team, or the team with the name that the filter names."""
    teams = call.store.teams()
    return scim_bodies.found(
        call, Group, "displayName", [(team.name, partial(_group_resource, call, team)) for team in teams]
    )


def create_group(call: Call) -> Response:
    """Create a team; the identity provider feeds it from now on."""
    group = scim_bodies.read(call, Group, Context.RESOURCE_CREATION_REQUEST)
    name = _free_name(call, group)
    team = call.store.add_team(name, scim_managed=True, external_id=group.external_id)
    call.audit.team("created", team)
    return _put_group(call, team, group, 201)


def read_group(call: Call) -> Response:
    """Show the group of the path."""
    return scim_bodies.shown(_group_resource(call, _group_of_path(call)))


def replace_group(call: Call) -> Response:
    """Replace the name and the members of a group."""
    team = _group_of_path(call)
    return _put_group(call, team, scim_bodies.read(call, Group, Context.RESOURCE_REPLACEMENT_REQUEST))


def patch_group(call: Call) -> Response:
    """Change the name of a group, or add and remove members."""
    team = _group_of_path(call)
    group = _group_resource(call, team)
    scim_bodies.patched(call, group)
    return _put_group(call, team, group)


def delete_group(call: Call) -> Response:
    """Delete a team with its grants."""
    team = _group_of_path(call)
    call.store.remove_team(team.id)
    call.audit.team("deleted", team)
    return Response(status_code=204)


def _put_group(call: Call, team: StoredTeam, group: Group, status: int = 200) -> Response:
    name = _free_name(call, group, besides=team.id)
    wanted = {member.key: member for member in _members(call, group)}
    present = {member.key: member for member in _present(call, team)}
    for member in [member for key, member in wanted.items() if key not in present]:
        scim_bodies.must_be_claimed(call, member.email)
        call.store.join_team(team.id, member.email)
        call.audit.team_member("user_added", team, member)
    for member in [member for key, member in present.items() if key not in wanted]:
        if scim_bodies.is_claimed(call, member.email):
            call.store.leave_team(team.id, member.email)
            call.audit.team_member("user_removed", team, member)
    call.store.feed_team(team.id, name, group.external_id)
    now = StoredTeam(team.id, name, team.org_role, scim_managed=True, external_id=group.external_id)
    if name != team.name:
        call.audit.team("updated", now, old_name=team.name)
    return scim_bodies.shown(_group_resource(call, now), status)


def _free_name(call: Call, group: Group, besides: int | None = None) -> str:
    name = group.display_name or ""
    if not name.strip():
        raise Refusal(400, "displayName is empty", scim_type="invalidValue")
    other = call.store.team_by_name(name)
    if other is not None and other.id != besides:
        raise Refusal(409, f"there is a team {other.name}", scim_type="uniqueness")
    return name


def _members(call: Call, group: Group) -> list[MemberRow]:
    found = []
    for reference in group.members or []:
        member = call.store.member_of_id(scim_bodies.number(reference.value or ""))
        if member is None or member.invited:
            raise Refusal(400, f"members: no user {reference.value}", scim_type="invalidValue")
        found.append(member)
    return found


def _present(call: Call, team: StoredTeam) -> list[MemberRow]:
    people = [call.store.member(row["email"]) for row in call.store.team_members(team.id)]
    return [member for member in people if member is not None and not member.invited]


def _group_resource(call: Call, team: StoredTeam) -> Group:
    return Group.model_validate(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "id": str(team.id),
            "externalId": team.external_id,
            "displayName": team.name,
            "members": [
                {"value": str(member.id), "display": member.email, "type": "User"} for member in _present(call, team)
            ],
            "meta": {"resourceType": "Group", "location": f"{ROOT}/Groups/{team.id}"},
        }
    )


def _group_of_path(call: Call) -> StoredTeam:
    team = call.store.team(scim_bodies.number(call.path_params["group"]))
    if team is None:
        raise Refusal(404, f"no group {call.path_params['group']}")
    return team
