"""The shapes of the audit log's events (contract, sections 11 and 16)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field

from mixpanel_access.api.shapes import Instant, OrganizationRow, RoleWord, Wire, checked, rows, unintelligible
from mixpanel_access.model import roles
from mixpanel_access.model.audit import SESSION_EVENTS, AuditEvent
from mixpanel_access.model.resources import number_in

_PROJECT, _TEAM, _USER = "project", "team", "user"


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
Factor = Annotated[str, BeforeValidator(lambda value: _text(value).lower().replace("-", "_").replace(" ", "_"))]
Number = Annotated[int | None, BeforeValidator(_number)]


class CurrentRole(OrganizationRow):
    """What somebody has after a change: a project role, or else an organization role."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("role", "project_role", "organization_role")

    role: RoleWord = None


CurrentPart = Annotated[CurrentRole, BeforeValidator(_part)]


class Payload(OrganizationRow):
    """What an event is about."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("new_role", "role", "project_role", "organization_role", "to_role")

    email: Text = Field("", validation_alias=AliasChoices("user_email", "email", "invitee_email"))
    role: RoleWord = None
    current: CurrentPart = Field(default_factory=CurrentRole)
    source: Text = ""
    failed_auth_factor: Factor = ""
    login_method: Factor = ""
    project: Number = Field(None, validation_alias="project_id")
    team: Number = Field(None, validation_alias="team_id")
    team_name: Text = ""
    setting: Text = ""


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
    was_impersonated_by_staff: Annotated[bool, BeforeValidator(lambda value: value is True)] = False
    project_id: Number = None
    entity: EntityPart = Field(default_factory=Entity)

    def value(self) -> AuditEvent | None:
        """The event, or None where it tells neither when nor what."""
        entity, payload = self.entity, self.entity.payload
        if self.created is None or not entity.type:
            return None
        email = payload.email or (self.user_email if entity.type in SESSION_EVENTS else "")
        if not email and entity.entity_type == _USER and "@" in entity.entity_name:
            email = entity.entity_name
        project = self.project_id or payload.project
        if project is None and entity.entity_type == _PROJECT:
            project = _number(entity.entity_id)
        team, team_name = payload.team, payload.team_name
        if entity.entity_type == _TEAM:
            team, team_name = team or _number(entity.entity_id), team_name or entity.entity_name
        role = payload.current.role or payload.role
        told = "role" in payload.current.model_fields_set | payload.model_fields_set
        if role is None and told and project is None and entity.entity_type != _TEAM:
            role = roles.MEMBER  # no role in the organization
        return AuditEvent(
            id=self.id,
            at=self.created,
            type=entity.type,
            actor=self.user_email,
            email=email,
            project=project,
            role=role,
            source=payload.source,
            method=payload.failed_auth_factor or payload.login_method,
            team=team,
            team_name=team_name,
            service=self.service,
            by_staff=self.was_impersonated_by_staff,
            about=payload.setting or entity.entity_name or entity.entity_id,
        )


def audit_events_from(results: Any, what: str) -> list[AuditEvent]:
    """Events from a page of the log; one that tells neither when nor what is left out."""
    if isinstance(results, dict) and isinstance(results.get("events"), list):
        results = results["events"]
    if not isinstance(results, list):
        raise unintelligible(what, f"{type(results).__name__} where rows were expected")
    events = (checked(Event, row, what).value() for row in rows(results, what))
    return [event for event in events if event is not None]
