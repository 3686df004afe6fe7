"""What several endpoint families ask first: is it our organization, our project, may the caller manage?"""

from __future__ import annotations

from typing import Any

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.answer import NoAccess, Refusal
from mixpanel_access.emulator.routing import DIGITS, Call
from mixpanel_access.emulator.store import Member
from mixpanel_access.emulator.team_store import Team
from mixpanel_access.model import roles


def in_organization(call: Call) -> None:
    """404 for any organization but the caller's."""
    if call.number("o") != call.store.setting("organization")["id"]:
        raise Refusal(404, f"no organization {call.places['o']}")


def managing(call: Call) -> None:
    """404 for another organization, 403 for a caller who manages nobody."""
    in_organization(call)
    rules.must_manage(call.account.role)


def project_number(id_: int | str) -> int:
    """A project id as the official provider may send it; 404 for text that is none."""
    if isinstance(id_, int) or (id_.isascii() and id_.isdigit() and len(id_) < DIGITS):
        return int(id_)
    raise Refusal(404, f"no project {id_}")


def project(call: Call, id_: int) -> dict[str, Any]:
    """A project of the organization, or 404."""
    row = call.store.project(id_)
    if row is None:
        raise Refusal(404, f"no project {id_}")
    return row


def project_managing(call: Call) -> dict[str, Any]:
    """The project of the path; 404 where there is none, 403 for a caller who is neither its owner nor its admin.

    Where no access is a redirect, so is a project that is not the organization's: nobody could tell them apart.
    """
    number = call.number("p")
    if call.dialect.no_access == "redirect" and call.store.project(number) is None:
        raise NoAccess(number)
    row = project(call, number)
    own = own_roles(call, row["id"])
    if not own:
        raise NoAccess(row["id"])
    if roles.highest(own) not in roles.MANAGING_ROLES:
        raise Refusal(403, f"the role {call.account.role} may not manage the users of the project")
    return row


def own_roles(call: Call, project_id: int) -> list[str]:
    """What the caller is in a project, by organization role, team or grant."""
    return [grant.role for grant in call.store.account_grants(project_id) if grant.account.id == call.account.id]


def may_grant(call: Call, project_id: int, role: str) -> None:
    """404 for no project of ours, 400 for no role of it, 403 for one that the caller may not give."""
    custom = [held["role_id"] for held in project(call, project_id)["custom_roles"]]
    rules.must_assign_in_project(call.account.role, role, custom)


def known_member(call: Call, email: str) -> Member:
    """A person of the organization, invited ones included, or 404."""
    member = call.store.member(email)
    if member is None:
        raise Refusal(404, f"{email} is not in the organization")
    return member


def joinable_team(call: Call, id_: int) -> Team:
    """A team, or 404; 403 where its organization role is above what the caller may give."""
    team = call.store.team(id_)
    if team is None:
        raise Refusal(404, f"no team {id_}")
    if team.org_role is not None and not roles.may_assign(call.account.role, team.org_role):
        raise Refusal(403, f"the team {team.name} has the organization role {team.org_role}, above {call.account.role}")
    return team


def join(call: Call, id_: int, member: Member) -> None:
    """Make somebody a member of a team; nothing where they are."""
    if call.store.join_team(id_, member.email):
        call.audit.team_member("user_added", joinable_team(call, id_), member)


def must_leave_an_owner(call: Call, leaving: set[str]) -> None:
    """400 where no owner is left who has joined and is active; `leaving` are the keys of those who go."""
    owners = {m.key for m in call.store.members() if m.role == roles.OWNER and not m.invited and m.active}
    if owners & leaving:
        rules.must_leave_an_owner(len(owners - leaving))
