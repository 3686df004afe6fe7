"""The rules that the server enforces (contract, section 13): pure functions first, then the checks of a request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from mixpanel_access.emulator.answer import NoAccess, NotInPlan, Refusal
from mixpanel_access.emulator.document import SsoPart
from mixpanel_access.emulator.routing import DIGITS, Call
from mixpanel_access.emulator.store import MemberRow, Store
from mixpanel_access.emulator.team_store import StoredTeam
from mixpanel_access.model import roles
from mixpanel_access.model.address import domain_of

SSO: Final = "sso"
MAILS_PER_HOUR: Final = 10
_HOUR: Final = timedelta(hours=1)
_FREE_PLAN_ROLES: Final = (roles.OWNER, roles.BILLING_ADMIN)


def must_have(plan: str, feature: str) -> None:
    """Custom roles and SCIM need the plan Enterprise."""
    if plan != "enterprise":
        raise NotInPlan(feature)


def why_no_login(sso: SsoPart, role: str, email: str, method: str) -> str | None:
    """Why a person cannot log in because of SSO, or None if they can.

    If SSO is required, only organization owners and admins may use a password. People of an unclaimed domain have only
    a password, and cannot log in.

    Args:
        sso: the organization's settings.
        role: the person's organization role.
        email: their address.
        method: how they log in.
    """
    verified = sso.has_verified(domain_of(email))
    if method == SSO:
        if not sso.enabled:
            return "SSO is not enabled"
        return None if verified else f"{email} is not of a verified domain, and cannot log in by SSO"
    if not sso.required or role in roles.MANAGING_ROLES:
        return None
    if verified:
        return f"SSO is required, and {email} cannot log in by {method}"
    return f"SSO is required, and {email} is not of a verified domain"


def must_manage(own: str) -> None:
    """Only an organization's owners and admins manage people."""
    if own not in roles.MANAGING_ROLES:
        raise Refusal(403, f"the role {own} may not manage the users of the organization")


def must_assign(own: str, role: str, plan: str) -> None:
    """Nobody can give an organization role above their own; the plan Free has only two roles."""
    if role not in roles.ORGANIZATION_ROLES:
        raise Refusal(400, f"{role} is not an organization role")
    if not roles.may_assign(own, role):
        raise Refusal(403, f"the role {own} may not assign the organization role {role} (edit_userroles)")
    if plan == "free" and role not in _FREE_PLAN_ROLES:
        raise NotInPlan(f"the organization role {role}")


def must_assign_in_project(own: str, role: str, custom_roles: Sequence[str]) -> None:
    """Nobody can give a project role above the one that their organization role gives them."""
    if role not in roles.PROJECT_ROLES and role not in custom_roles:
        raise Refusal(400, f"{role} is not a role of the project")
    if not roles.may_assign_in_project(own, role):
        raise Refusal(403, f"the role {own} may not assign the project role {role}")


def must_be_below(own: str, role: str, email: str) -> None:
    """Only a person with a higher role can remove somebody; taken literally, nobody can remove an owner."""
    if roles.organization_rank(role) >= roles.organization_rank(own):
        raise Refusal(403, f"{email} has the role {role}, which is not below {own} (delete_members)")


def must_change(own: str, old: str, email: str) -> None:
    """An admin cannot change an owner's role."""
    if roles.organization_rank(old) > roles.organization_rank(own):
        raise Refusal(403, f"{email} has the role {old}, which is above {own} (edit_userroles)")


def must_be_within_limit(sent: Sequence[datetime], more: int, now: datetime, domain: str) -> None:
    """Allow about 10 invitation e-mails an hour to a domain, in a sliding hour of the emulator's clock.

    Args:
        sent: when e-mails went out to the domain within the last hour, in order.
        more: how many the request would send.
        now: the emulator's current time.
        domain: the domain.
    """
    if len(sent) + more <= MAILS_PER_HOUR:
        return
    if more > MAILS_PER_HOUR:
        seconds = _HOUR.total_seconds()  # such a request never passes
    else:
        frees = sent[len(sent) + more - MAILS_PER_HOUR - 1] + _HOUR
        seconds = (frees - now).total_seconds()
    words = f"the limit of {MAILS_PER_HOUR} invitation e-mails an hour to {domain} is reached"
    raise Refusal(429, words, {"Retry-After": str(max(1, math.ceil(seconds)))})


def hour_before(now: datetime) -> datetime:
    """The time since which e-mails count against the limit."""
    return now - _HOUR


def must_be_in_organization(call: Call) -> None:
    """404 for every organization except the caller's."""
    if call.number("o") != call.store.setting("organization")["id"]:
        raise Refusal(404, f"no organization {call.path_params['o']}")


def must_manage_organization(call: Call) -> None:
    """404 for another organization, 403 for a caller who may not manage people."""
    must_be_in_organization(call)
    must_manage(call.account.role)


def project_number(id_: int | str) -> int:
    """A project id as the official provider may send it; 404 for text that is not a number."""
    if isinstance(id_, int) or (id_.isascii() and id_.isdigit() and len(id_) < DIGITS):
        return int(id_)
    raise Refusal(404, f"no project {id_}")


def known_project(call: Call, id_: int) -> dict[str, Any]:
    """A project of the organization, or 404."""
    row = call.store.project(id_)
    if row is None:
        raise Refusal(404, f"no project {id_}")
    return row


def managed_project(call: Call) -> dict[str, Any]:
    """The project of the path; 404 if it does not exist, 403 for a caller who is neither its owner nor its admin.

    In a dialect that redirects for no access, a project of another organization redirects too, since nobody could tell
    the two apart.
    """
    number = call.number("p")
    if call.dialect.no_access == "redirect" and call.store.project(number) is None:
        raise NoAccess(number)
    row = known_project(call, number)
    own = own_roles(call, row["id"])
    if not own:
        raise NoAccess(row["id"])
    if roles.highest(own) not in roles.MANAGING_ROLES:
        raise Refusal(403, f"the role {call.account.role} may not manage the users of the project")
    return row


def own_roles(call: Call, project_id: int) -> list[str]:
    """The caller's roles in a project, by organization role, team or grant."""
    return [grant.role for grant in call.store.account_grants(project_id) if grant.account.id == call.account.id]


def must_be_assignable(call: Call, project_id: int, role: str) -> None:
    """404 for an unknown project, 400 for an unknown role, 403 for a role that the caller may not give."""
    custom = [held["role_id"] for held in known_project(call, project_id)["custom_roles"]]
    must_assign_in_project(call.account.role, role, custom)


def known_member(store: Store, email: str) -> MemberRow:
    """A person of the organization, also one who is only invited, or 404."""
    member = store.member(email)
    if member is None:
        raise Refusal(404, f"{email} is not in the organization")
    return member


def joinable_team(call: Call, id_: int) -> StoredTeam:
    """A team, or 404; 403 if its organization role is above the roles that the caller may give."""
    team = call.store.team(id_)
    if team is None:
        raise Refusal(404, f"no team {id_}")
    if team.org_role is not None and not roles.may_assign(call.account.role, team.org_role):
        raise Refusal(403, f"the team {team.name} has the organization role {team.org_role}, above {call.account.role}")
    return team


def join_team(call: Call, id_: int, member: MemberRow) -> None:
    """Add a person to a team, unless they are in it."""
    if call.store.join_team(id_, member.email):
        call.audit.team_member("user_added", joinable_team(call, id_), member)


def must_leave_an_owner(call: Call, leaving: set[str]) -> None:
    """400 if no owner would be left who has joined and is active; `leaving` has the keys of the people who leave."""
    owners = {m.key for m in call.store.members() if m.role == roles.OWNER and not m.invited and m.active}
    if owners and owners <= leaving:
        raise Refusal(400, "an organization must have at least one owner")
