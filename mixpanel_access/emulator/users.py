"""The organization's users: list, invite, grant, change roles, take grants away, remove, resend (contract, section 3).

Assumed, since the contract does not say: the list shows an expired invitation like a pending one. Inviting again
sends the e-mail again and restarts the life of the invitation. Changing the role or grant of an invited person sends
no e-mail.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import Field
from starlette.responses import Response

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.answer import Refusal, ok
from mixpanel_access.emulator.routing import Body, Call, Endpoint
from mixpanel_access.emulator.rules import (
    join_team,
    joinable_team,
    known_member,
    known_project,
    must_be_assignable,
    must_be_in_organization,
    must_leave_an_owner,
    must_manage_organization,
    project_number,
)
from mixpanel_access.emulator.store import MemberRow
from mixpanel_access.model import roles
from mixpanel_access.model.address import domain_of, problem_with, same_key


class _InvitedProject(Body):
    id: int
    role: str


class _Invited(Body):
    email: str
    role: str
    projects: list[_InvitedProject] = Field(default_factory=list)
    teams: list[int] = Field(default_factory=list)


class _GrantedUser(Body):
    email: str
    role: str


class _GrantedProject(Body):
    id: int | str
    users: list[_GrantedUser]


class _FlatGrants(Body):
    users: list[str]
    projects: list[int | str]
    role: str


def _list(call: Call) -> Response:
    must_be_in_organization(call)
    return ok(
        [
            {
                "id": member.id,
                "email": member.email,
                "name": member.name,
                "role": call.dialect.role(member.role),
                "invited": member.invited,
                "last_login": member.last_login.strftime("%Y-%m-%dT%H:%M:%SZ") if member.last_login else None,
                **({} if member.active else {"active": False}),
                **({"projects": call.store.projects_of(member.key)} if call.dialect.user_projects else {}),
            }
            for member in call.store.members()
        ]
    )


def _invite(call: Call) -> Response:
    must_manage_organization(call)
    users = call.read_key("users", list[_Invited])
    plan = call.store.setting("organization")["plan"]
    for user in users:
        _must_be_address(user.email)
        rules.must_assign(call.account.role, user.role, plan)
        known = call.store.member(user.email)
        if known and known.invited:
            rules.must_change(call.account.role, known.role, user.email)
        for held in user.projects:
            must_be_assignable(call, held.id, held.role)
        for team in user.teams:
            joinable_team(call, team)
    joined = {member.key: member for member in call.store.members() if not member.invited}
    for user in users:
        if call.dialect.invite_existing == "raise" and (member := joined.get(same_key(user.email))):
            _put_role(call, member, user.role)
    _send_mails(call, [user.email for user in users if same_key(user.email) not in joined], "invitation")
    for user in users:
        if same_key(user.email) not in joined:
            _put_invitation(call, user.email, user.role)
        for held in user.projects:
            _put_grant(call, held.id, user.email, held.role)
        for team in user.teams:
            join_team(call, team, known_member(call.store, user.email))
    return ok(
        {
            "invited": [user.email for user in users if same_key(user.email) not in joined],
            "added": [user.email for user in users if same_key(user.email) in joined],
            "failed": [],
        }
    )


def _grant(call: Call) -> Response:
    must_manage_organization(call)
    body = call.json()
    if call.provider_compat and isinstance(body, dict) and "users" in body:
        flat = call.read(_FlatGrants, body)
        wanted = [(id_, email, flat.role) for id_ in flat.projects for email in flat.users]
    else:
        nested = call.read_key("projects", list[_GrantedProject], body)
        wanted = [(held.id, user.email, user.role) for held in nested for user in held.users]
    orders: list[tuple[int, str, str]] = []
    for id_, email, role in wanted:
        if isinstance(id_, str) and not call.provider_compat:
            raise Refusal(500, "internal server error")  # as Mixpanel does (contract, section 1)
        _must_be_address(email)
        number = project_number(id_)
        orders.append((number, email, role))
        must_be_assignable(call, number, role)
    strangers = {same_key(email): email for _, email, _ in orders if call.store.member(email) is None}
    if strangers:
        rules.must_assign(call.account.role, roles.MEMBER, call.store.setting("organization")["plan"])
    _send_mails(call, list(strangers.values()), "invitation")
    for email in strangers.values():
        _put_invitation(call, email, roles.MEMBER)
    for id_, email, role in orders:
        _put_grant(call, id_, email, role)
    return ok({"success": True})


def _change_role(call: Call) -> Response:
    must_manage_organization(call)
    role, email = call.read_key("role", str), call.path_params["email"]
    member = known_member(call.store, email)
    rules.must_assign(call.account.role, role, call.store.setting("organization")["plan"])
    _put_role(call, member, role)
    return ok({"updated": True, "fail_reason": None})


def _take_grants(call: Call) -> Response:
    must_manage_organization(call)
    ids, email = call.read_key("projectIds", list[int]), call.path_params["email"]
    known_member(call.store, email)
    for id_ in ids:
        known_project(call, id_)
    for id_ in ids:
        _put_grant(call, id_, email, None)
    return ok({"updated": True})


def _remove(call: Call) -> Response:
    must_manage_organization(call)
    body = call.json()
    if call.provider_compat and not (isinstance(body, dict) and "emails" in body):
        emails = sorted(_addresses_in(body))
    else:
        if not (isinstance(body, dict) and "emails" in body):
            raise Refusal(400, "emails is missing")
        emails = call.read_key("emails", list[str], body)
    known = [member for member in map(call.store.member, emails) if member]
    found = list({member.key: member for member in known}.values())
    for member in found:
        if not member.invited:
            rules.must_be_below(call.account.role, member.role, member.email)
    must_leave_an_owner(call, {member.key for member in found})
    for member in found:
        call.store.remove_member(member.email)
        if not member.invited:
            call.audit.user_removed(member, "admin")
    return ok({"deleted": [member.email for member in found]})


def _resend(call: Call) -> Response:
    return _again(call, "resend")


def _new_link(call: Call) -> Response:
    return _again(call, "link")


def _again(call: Call, kind: str) -> Response:
    must_manage_organization(call)
    emails = call.read_key("emails", list[str])
    pending = []
    for email in emails:
        member = call.store.member(email)
        if member is None or not member.invited or call.store.expired(member):
            raise Refusal(404, f"no invitation to {email} is pending")
        pending.append(member)
    _send_mails(call, [member.email for member in pending], kind)
    for member in pending:
        call.store.put_member(member.email, member.role, invited=True)
    return ok({"success": True})


def _send_mails(call: Call, emails: list[str], kind: str) -> None:
    emails = list({same_key(email): email for email in emails}.values())
    now = call.store.clock.now()
    if call.limit_invitations:
        for domain, more in Counter(domain_of(email) for email in emails).items():
            sent = call.store.mails_to(domain, rules.hour_before(now), now)
            try:
                rules.must_be_within_limit(sent, more, now, domain)
            except Refusal as refusal:
                raise _in_dialect(call, refusal) from None
    for email in emails:
        call.store.send_mail(email, kind)


def _in_dialect(call: Call, refusal: Refusal) -> Refusal:
    """The limit as the dialect answers it: only the status 429 has Retry-After."""
    other = {"400": 400, "error_200": 200}.get(call.dialect.invitation_limit)
    return refusal if other is None else Refusal(other, refusal.words)


def _put_role(call: Call, member: MemberRow, role: str) -> None:
    rules.must_change(call.account.role, member.role, member.email)
    if role != roles.OWNER:
        must_leave_an_owner(call, {member.key})
    call.store.change_role(member.email, role)
    call.audit.role_changed(member, role, "admin")


def _put_invitation(call: Call, email: str, role: str) -> None:
    call.store.put_member(email, role, invited=True)
    call.audit.invitation_sent(email, role)


def _put_grant(call: Call, project_id: int, email: str, role: str | None) -> None:
    old = call.store.grant(project_id, email)
    call.store.put_grant(project_id, email, role)
    call.audit.grant_changed(project_id, known_member(call.store, email), old, role, "admin")


def _must_be_address(email: str) -> None:
    if problem_with(email):
        raise Refusal(400, f"{email} is not an e-mail address")


def _addresses_in(body: Any) -> set[str]:
    """Every e-mail address in a body, since the official provider posts the body of its create to delete."""
    if isinstance(body, str):
        return {body} if "@" in body else set()
    values = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return {email for value in values for email in _addresses_in(value)}


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/organizations/{o}/users/", _list),
    Endpoint("POST", "/organizations/{o}/add-users/", _invite),
    Endpoint("POST", "/organizations/{o}/add-users-to-projects/", _grant),
    Endpoint("POST", "/organizations/{o}/users/{email}/update/", _change_role),
    Endpoint("POST", "/organizations/{o}/users/{email}/delete-projects/", _take_grants),
    Endpoint("POST", "/organizations/{o}/delete-users/", _remove),
    Endpoint("POST", "/organizations/{o}/resend-invites/", _resend),
    Endpoint("POST", "/organizations/{o}/regenerate-invite-url/", _new_link),
)
