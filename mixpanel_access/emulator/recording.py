"""Writes what happens to people and teams into the audit log (contract, section 11; other payloads are assumed).

A grant to an invited person is recorded when it is given. Of an invitation, only sending and accepting have an event.
"""

from __future__ import annotations

from typing import Any

from mixpanel_access.emulator.account_store import Account
from mixpanel_access.emulator.audit_store import Actor, NewEvent
from mixpanel_access.emulator.store import MemberRow, Store
from mixpanel_access.emulator.team_store import StoredTeam
from mixpanel_access.model import roles


def role_object(role: str, name: str | None = None) -> dict[str, Any]:
    """A role as the audit log writes it; `name` is the name of a custom role."""
    return {
        "id": role,
        "name": name or role.replace("_", " ").title(),
        "is_custom_role": roles.is_custom(role),
    }


def actor_of(account: Account, client_ip: str | None) -> Actor:
    """A service account as an actor."""
    return Actor(str(account.user_id), account.username, client_ip)


def person(member: MemberRow, client_ip: str | None = None) -> Actor:
    """A person as an actor."""
    return Actor(_id(member), member.email, client_ip)


class Audit:
    """Writes what one actor does into the log.

    Args:
        store: the organization.
        actor: the person or service account that acts.
        service: the part of Mixpanel in which they act.
    """

    def __init__(self, store: Store, actor: Actor, service: str = "webapp") -> None:
        self._store = store
        self.actor = actor
        self._service = service

    def event(
        self,
        type_: str,
        payload: dict[str, Any],
        *,
        project: int | None = None,
        entity: tuple[object, str | None] | None = None,
    ) -> None:
        """Record any event; for the arguments, see `NewEvent`."""
        event = NewEvent(
            type=type_, actor=self.actor, payload=payload, project=project, entity=entity, service=self._service
        )
        self._store.record(event)

    def invitation_sent(self, email: str, role: str) -> None:
        """Record that an invitation e-mail was sent."""
        payload = {"user_email": email, "organization_role": role_object(role)}
        self.event("invitation.sent", payload, entity=("", email))

    def invitation_accepted(self, member: MemberRow) -> None:
        """Record that an invited person joined."""
        self.event("invitation.accepted", _who(member), entity=("", member.email))

    def user_added(self, member: MemberRow, source: str) -> None:
        """Record that a person is now in the organization."""
        payload = {**_who(member), "source": source, "organization_role": role_object(member.role)}
        self.event("organization.user_added", payload)

    def user_removed(self, member: MemberRow, source: str) -> None:
        """Record that a person has left the organization."""
        self.event("organization.user_removed", {**_who(member), "source": source})

    def role_changed(self, member: MemberRow, new: str, source: str) -> None:
        """Record a changed organization role, unless it is the same."""
        if member.role != new:
            change = _change(role_object(member.role), role_object(new))
            payload = {**_who(member), "source": source, **change}
            self.event("user.role_changed", payload, entity=(_id(member), member.email))

    def grant_changed(self, project: int, member: MemberRow, old: str | None, new: str | None, source: str) -> None:
        """Record that an individual grant was given, changed or taken away, unless it is the same."""
        who = {**_who(member), "source": source}
        if old == new:
            return
        if old is None and new is not None:
            added = {**who, "project_role": self.project_role(project, new)}
            self.event("project.user_added", added, project=project)
        elif new is None and old is not None:
            removed = {**who, "project_role": self.project_role(project, old)}
            self.event("project.user_removed", removed, project=project)
        elif new is not None and old is not None:
            change = _change(self.project_role(project, old), self.project_role(project, new))
            self.event("user.role_changed", {**who, **change}, project=project, entity=(_id(member), member.email))

    def team(self, verb: str, team: StoredTeam, **more: Any) -> None:
        """Record an event of a team: `created`, `user_added`, ..."""
        payload = {"team_id": str(team.id), "team_name": team.name, **more}
        self.event(f"team.{verb}", payload, entity=(team.id, team.name))

    def team_member(self, verb: str, team: StoredTeam, member: MemberRow) -> None:
        """Record that a person is `user_added` to a team, or `user_removed` from it."""
        self.team(verb, team, **_who(member))

    def logged_in(self, member: MemberRow, method: str) -> None:
        """Record a login that succeeds."""
        payload = {"login_method": method, "twofactor_method": None}
        self.event("session.logged_in", payload, entity=(_id(member), member.email))

    def login_failed(self, member: MemberRow, factor: str, reason: str) -> None:
        """Record a login that fails."""
        payload = {"failed_auth_factor": factor, "reason": reason}
        self.event("session.login_failed", payload, entity=(_id(member), member.email))

    def role(self, role: str) -> dict[str, Any]:
        """An organization role as the log writes it."""
        return role_object(role)

    def project_role(self, project: int, role: str) -> dict[str, Any]:
        """A project role as the log writes it, a custom one with its name."""
        return role_object(role, self._store.custom_role_name(project, role))


def _change(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {"previous": {"role": old}, "current": {"role": new}}


def _id(member: MemberRow) -> str:
    return "" if member.id is None else str(member.id)


def _who(member: MemberRow) -> dict[str, Any]:
    return {"user_id": _id(member), "user_email": member.email}
