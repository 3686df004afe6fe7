"""The shapes of the audit log's events (contract, section 11)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from mixpanel_access.api.shapes import Instant, RoleWord, Wire, checked, rows
from mixpanel_access.model.audit import SESSION_EVENTS, AuditEvent
from mixpanel_access.model.ids import number_in

_PROJECT, _TEAM = "project", "team"


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    """An id, which the audit log writes as a string; an empty one is none."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return number_in(text)


def _part(value: object) -> object:
    """A part that is absent, or is no object, tells nothing."""
    return value if isinstance(value, dict) else {}


Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[int | None, BeforeValidator(_number)]


class Payload(Wire):
    """What an event is about."""

    email: Text = Field("", validation_alias=AliasChoices("user_email", "email", "invitee_email"))
    role: RoleWord = Field(
        None, validation_alias=AliasChoices("new_role", "role", "project_role", "organization_role", "to_role")
    )
    source: Text = ""
    method: Text = Field("", validation_alias="login_method")
    project: Number = Field(None, validation_alias="project_id")
    team: Number = Field(None, validation_alias="team_id")
    team_name: Text = ""


PayloadPart = Annotated[Payload, BeforeValidator(_part)]


class Entity(Wire):
    """What was done to what."""

    type: Text = ""
    entity_type: Text = ""
    entity_id: Text = ""
    entity_name: Text = ""
    payload: PayloadPart = Field(default_factory=Payload)


EntityPart = Annotated[Entity, BeforeValidator(_part)]


class Event(Wire):
    """One event."""

    id: Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))] = ""
    created: Instant = None
    service: Text = ""
    user_email: Text = ""
    project_id: Number = None
    entity: EntityPart = Field(default_factory=Entity)

    def value(self) -> AuditEvent | None:
        """The event, or None where it tells neither when nor what."""
        entity, payload = self.entity, self.entity.payload
        if self.created is None or not entity.type:
            return None
        email = payload.email or (self.user_email if entity.type in SESSION_EVENTS else "")
        project = self.project_id or payload.project
        if project is None and entity.entity_type == _PROJECT:
            project = _number(entity.entity_id)
        team, team_name = payload.team, payload.team_name
        if entity.entity_type == _TEAM:
            team, team_name = team or _number(entity.entity_id), team_name or entity.entity_name
        return AuditEvent(
            self.id,
            self.created,
            entity.type,
            self.user_email,
            email,
            project,
            payload.role,
            payload.source,
            payload.method,
            team,
            team_name,
            self.service,
        )


def audit_events_from(results: Any, what: str) -> list[AuditEvent]:
    """Events from a page of the log; one that tells neither when nor what is left out."""
    if isinstance(results, dict) and isinstance(results.get("events"), list):
        results = results["events"]
    events = (checked(Event, row, what).value() for row in rows(results, what))
    return [event for event in events if event is not None]
