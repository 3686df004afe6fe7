"""SCIM's groups: teams of the same name, marked as fed by it (contract, section 10).

People of domains that are not claimed are none of its business: it neither adds nor removes them.
"""

from __future__ import annotations

from functools import partial

from scim2_models import Context, Group
from starlette.responses import Response

from mixpanel_access.emulator import scim_bodies
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.routing import Call
from mixpanel_access.emulator.scim import ROOT
from mixpanel_access.emulator.store import Member
from mixpanel_access.emulator.team_store import Team


def find(call: Call) -> Response:
    """Every team, or the one of that name."""
    teams = call.store.teams()
    return scim_bodies.found(
        call, Group, "displayName", [(team.name, partial(_resource, call, team)) for team in teams]
    )


def create(call: Call) -> Response:
    """A new team."""
    group = scim_bodies.read(call, Group, Context.RESOURCE_CREATION_REQUEST)
    name = _free_name(call, group)
    team = call.store.add_team(name, scim_managed=True, external_id=group.external_id)
    call.audit.team("created", team)
    return _kept(call, team, group, 201)


def read(call: Call) -> Response:
    """One group."""
    return scim_bodies.shown(_resource(call, _of_path(call)))


def replace(call: Call) -> Response:
    """Name and people anew."""
    team = _of_path(call)
    return _kept(call, team, scim_bodies.read(call, Group, Context.RESOURCE_REPLACEMENT_REQUEST))


def patch(call: Call) -> Response:
    """Another name, some people more or less."""
    team = _of_path(call)
    group = _resource(call, team)
    scim_bodies.patched(call, group)
    return _kept(call, team, group)


def delete(call: Call) -> Response:
    """The team goes, with what it gave."""
    team = _of_path(call)
    call.store.remove_team(team.id)
    call.audit.team("deleted", team)
    return Response(status_code=204)


def _kept(call: Call, team: Team, group: Group, status: int = 200) -> Response:
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
    now = Team(team.id, name, team.org_role, scim_managed=True, external_id=group.external_id)
    if name != team.name:
        call.audit.team("updated", now, old_name=team.name)
    return scim_bodies.shown(_resource(call, now), status)


def _free_name(call: Call, group: Group, besides: int | None = None) -> str:
    name = group.display_name or ""
    if not name.strip():
        raise Refusal(400, "displayName is empty", scim_type="invalidValue")
    other = call.store.team_named(name)
    if other is not None and other.id != besides:
        raise Refusal(409, f"there is a team {other.name}", scim_type="uniqueness")
    return name


def _members(call: Call, group: Group) -> list[Member]:
    found = []
    for reference in group.members or []:
        member = call.store.member_of_id(scim_bodies.number(reference.value or ""))
        if member is None or member.invited:
            raise Refusal(400, f"members: no user {reference.value}", scim_type="invalidValue")
        found.append(member)
    return found


def _present(call: Call, team: Team) -> list[Member]:
    people = [call.store.member(row["email"]) for row in call.store.team_members(team.id)]
    return [member for member in people if member is not None and not member.invited]


def _resource(call: Call, team: Team) -> Group:
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


def _of_path(call: Call) -> Team:
    team = call.store.team(scim_bodies.number(call.places["group"]))
    if team is None:
        raise Refusal(404, f"no group {call.places['group']}")
    return team
