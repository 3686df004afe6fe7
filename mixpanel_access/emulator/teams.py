"""Teams: their names, people, projects and service accounts (contract, section 4).

For the official provider, the path may have a team's name instead of its id, and delete accepts the body of create
(contract, section 12).
"""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator import service_accounts
from mixpanel_access.emulator.answer import Refusal, ok
from mixpanel_access.emulator.routing import Body, Call, Endpoint
from mixpanel_access.emulator.rules import (
    join_team,
    joinable_team,
    known_member,
    known_project,
    managed_project,
    must_be_assignable,
    must_be_in_organization,
    must_manage_organization,
)
from mixpanel_access.emulator.team_store import StoredTeam
from mixpanel_access.model.address import same_key


class _ProjectRole(Body):
    id: int
    role: str


class _TeamProjects(Body):
    id: int
    projects: list[_ProjectRole]


class _AddedProjects(Body):
    teams: list[_TeamProjects]
    add_default_projects: bool = False


class _User(Body):
    email: str


class _TeamUsers(Body):
    id: int
    users: list[_User]


def _list(call: Call) -> Response:
    must_be_in_organization(call)
    return ok(
        [
            {
                "id": team.id,
                "name": team.name,
                "projects": call.store.team_projects(team.id),
                "users": call.store.team_members(team.id),
                "org_role": call.dialect.role(team.org_role),
                "scim_managed": team.scim_managed,
            }
            for team in call.store.teams()
        ]
    )


def _create(call: Call) -> Response:
    """A name that exists is not an error. The answer has no ids: clients find them in the list."""
    must_manage_organization(call)
    names = call.read_key("teamNames", list[str], _renamed(call, "teams", "teamNames"))
    results = []
    for name in names:
        _must_be_name(name)
        new = call.store.team_by_name(name) is None
        if new:
            call.audit.team("created", call.store.add_team(name))
        results.append({"name": name, "created": new})
    return ok(results)


def _rename(call: Call) -> Response:
    must_manage_organization(call)
    team = _team_by_id_or_name(call)
    body = call.json()
    if call.provider_compat and isinstance(body, dict) and "name" not in body:
        return ok({"updated": True})
    name = call.read_key("name", str, body)
    _must_be_name(name)
    other = call.store.team_by_name(name)
    if other is not None and other.id != team.id:
        raise Refusal(400, f"there is a team {other.name}")
    if name != team.name:
        call.store.rename_team(team.id, name)
        call.audit.team("updated", StoredTeam(team.id, name), old_name=team.name)
    return ok({"updated": True})


def _delete(call: Call) -> Response:
    must_manage_organization(call)
    body = _renamed(call, "teams", "teamNames")
    if call.provider_compat and isinstance(body, dict) and "teamNames" in body:
        found = map(call.store.team_by_name, call.read_key("teamNames", list[str], body))
        teams = [team for team in found if team is not None]
    else:
        teams = [_team(call, id_) for id_ in call.read_key("teamIds", list[int], body)]
    for team in dict.fromkeys(teams):
        call.store.remove_team(team.id)
        call.audit.team("deleted", team)
    return ok({})


def _add_projects(call: Call) -> Response:
    """A project that the team has already gets the new role in place."""
    must_manage_organization(call)
    wanted = call.read(_AddedProjects).teams
    for order in wanted:
        _team(call, order.id)
        for held in order.projects:
            must_be_assignable(call, held.id, held.role)
    for order in wanted:
        for held in order.projects:
            _put_grant(call, _team(call, order.id), held.id, held.role)
    return ok({"success": True})


def _remove_projects(call: Call) -> Response:
    must_manage_organization(call)
    team = _team_of_path(call)
    ids = call.read_key("projectIds", list[int])
    for id_ in ids:
        known_project(call, id_)
    for id_ in ids:
        _put_grant(call, team, id_, None)
    return ok({})


def _put_grant(call: Call, team: StoredTeam, project_id: int, role: str | None) -> None:
    """Put a role. No event is documented for a changed role, so the log adds the team again."""
    old = call.store.put_team_grant(team.id, project_id, role)
    held = role or old
    if old != role and held is not None:
        named = {"project_role": call.audit.project_role(project_id, held)}
        payload = {"team_id": str(team.id), "team_name": team.name, **named}
        call.audit.event(f"project.team_{'added' if role else 'removed'}", payload, project=project_id)


def _add_members(call: Call) -> Response:
    must_manage_organization(call)
    wanted = call.read_key("teams", list[_TeamUsers])
    orders = [(joinable_team(call, o.id), known_member(call.store, user.email)) for o in wanted for user in o.users]
    for team, member in orders:
        join_team(call, team.id, member)
    return ok({"success": True})


def _remove_members(call: Call) -> Response:
    must_manage_organization(call)
    team = _team_of_path(call)
    inside = {same_key(row["email"]) for row in call.store.team_members(team.id)}
    emails = call.read_key("emails", list[str])
    for email in emails:
        if same_key(email) not in inside:
            raise Refusal(404, f"{email} is not in the team {team.name}")
    for member in {same_key(email): known_member(call.store, email) for email in emails}.values():
        call.store.leave_team(team.id, member.email)
        call.audit.team_member("user_removed", team, member)
    return ok({"success": True})


def _of_project(call: Call) -> Response:
    return ok({"teams": call.store.teams_of(managed_project(call)["id"])})


def _accounts(call: Call) -> Response:
    must_manage_organization(call)
    team = _team_of_path(call)
    return ok([service_accounts.row(service_accounts.known(call, id_)) for id_ in call.store.team_account_ids(team.id)])


def _add_accounts(call: Call) -> Response:
    _put_accounts(call, member=True)
    return JSONResponse({"status": "ok", "results": {}}, 201)


def _remove_accounts(call: Call) -> Response:
    _put_accounts(call, member=False)
    return ok({})


def _put_accounts(call: Call, *, member: bool) -> None:
    must_manage_organization(call)
    team = joinable_team(call, _team_of_path(call).id)
    for account in [service_accounts.known(call, id_) for id_ in call.read_key("service_account_ids", list[int])]:
        if call.store.put_team_account(team.id, account.id, member=member):
            who = {"service_account_id": str(account.id), "service_account_name": account.username}
            call.audit.team(f"service_account_{'added' if member else 'removed'}", team, **who)
        elif not member:
            raise Refusal(404, f"the service account {account.id} is not in the team {team.name}")


def _renamed(call: Call, lenient: str, word: str) -> Any:
    """The body, with the official provider's word for the names of teams replaced by the known one."""
    body = call.json()
    if call.provider_compat and isinstance(body, dict) and lenient in body:
        return {**{key: value for key, value in body.items() if key != lenient}, word: body[lenient]}
    return body


def _team(call: Call, id_: int) -> StoredTeam:
    team = call.store.team(id_)
    if team is None:
        raise Refusal(404, f"no team {id_}")
    return team


def _team_of_path(call: Call) -> StoredTeam:
    return _team(call, call.number("t"))


def _team_by_id_or_name(call: Call) -> StoredTeam:
    """The team of the path, for the official provider also by its name."""
    found = call.store.team_by_name(call.path_params["t"]) if call.provider_compat else None
    return found or _team_of_path(call)


def _must_be_name(name: str) -> None:
    if not name.strip():
        raise Refusal(400, "the name of a team is empty")


_O: Final = "/organizations/{o}"
_ACCOUNTS: Final = f"/api/app{_O}/teams/{{t}}/service-accounts"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", f"{_O}/teams", _list),
    Endpoint("GET", f"{_O}/teams/", _list),
    Endpoint("POST", f"{_O}/add-teams/", _create),
    Endpoint("POST", f"{_O}/teams/{{t}}/update/", _rename),
    Endpoint("POST", f"{_O}/delete-teams/", _delete),
    Endpoint("POST", f"{_O}/add-projects-to-teams/", _add_projects),
    Endpoint("POST", f"{_O}/teams/{{t}}/delete-projects/", _remove_projects),
    Endpoint("POST", f"{_O}/add-users-to-teams/", _add_members),
    Endpoint("POST", f"{_O}/teams/{{t}}/delete-users/", _remove_members),
    Endpoint("GET", "/api/app/projects/{p}/granted-teams", _of_project),
    Endpoint("GET", _ACCOUNTS, _accounts),
    Endpoint("POST", f"{_ACCOUNTS}/add-to-team", _add_accounts),
    Endpoint("POST", f"{_ACCOUNTS}/remove-from-team", _remove_accounts),
)
