"""The organization's audit log: by the Platform API, else by the older route (contract, sections 11 and 16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import AliasChoices, BeforeValidator, Field

from mixpanel_access.api.answers import Instant, Json, OrganizationRow, RoleWord, Wire, checked, rows, unintelligible
from mixpanel_access.api.transport import MOST_PAGES, PLATFORM_ROOT, Transport
from mixpanel_access.model import errors, roles
from mixpanel_access.model.audit import CUSTOM_ROLE_DELETED, PAGE_SIZE, SESSION_EVENTS, AuditEvent
from mixpanel_access.model.dates import written
from mixpanel_access.model.resource_ids import number_in
from mixpanel_access.model.rights import Permission

_PROJECT, _TEAM, _USER = "project", "team", "user"


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    """An id, which the audit log writes as a string; None for an empty one."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return number_in(text)


def _part(value: object) -> object:
    """A part that is absent, or is not an object, is empty."""
    return value if isinstance(value, dict) else {}


Text = Annotated[str, BeforeValidator(_text)]
Factor = Annotated[str, BeforeValidator(lambda value: _text(value).lower().replace("-", "_").replace(" ", "_"))]
Number = Annotated[int | None, BeforeValidator(_number)]


class CurrentRole(OrganizationRow):
    """What somebody has after a change, or had before it: a project role, or else an organization role."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("role", "project_role", "organization_role")

    role: RoleWord = None


CurrentPart = Annotated[CurrentRole, BeforeValidator(_part)]


class Payload(OrganizationRow):
    """What an event is about."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("new_role", "role", "project_role", "organization_role", "to_role")

    email: Text = Field("", validation_alias=AliasChoices("user_email", "email", "invitee_email"))
    user_id: Number = None
    role: RoleWord = None
    current: CurrentPart = Field(default_factory=CurrentRole)
    previous: CurrentPart = Field(default_factory=CurrentRole)
    source: Text = ""
    failed_auth_factor: Factor = ""
    login_method: Factor = ""
    project: Number = Field(None, validation_alias="project_id")
    team: Number = Field(None, validation_alias="team_id")
    team_name: Text = ""
    setting: Text = ""
    role_id: Text = ""


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
    """One event of the audit log, as the API of the platform sends it."""

    id: Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))] = ""
    created: Instant = None
    service: Text = ""
    user_email: Text = ""
    was_impersonated_by_staff: Annotated[bool, BeforeValidator(lambda value: value is True)] = False
    project_id: Number = None
    entity: EntityPart = Field(default_factory=Entity)

    def value(self) -> AuditEvent | None:
        """The event, or None if it says neither when nor what."""
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
        if entity.type == CUSTOM_ROLE_DELETED:
            role = payload.role_id or entity.entity_id or None
        before = payload.previous.role
        if before is None and "role" in payload.previous.model_fields_set and project is None:
            before = roles.MEMBER
        return AuditEvent(
            id=self.id,
            at=self.created,
            type=entity.type,
            actor=self.user_email,
            email=email,
            user_id=payload.user_id if payload.email else None,
            project=project,
            role=role,
            source=payload.source,
            method=payload.failed_auth_factor or payload.login_method,
            team=team,
            team_name=team_name,
            service=self.service,
            by_staff=self.was_impersonated_by_staff,
            about=payload.setting or entity.entity_name or entity.entity_id,
            previous_role=before,
        )


def audit_events_from(results: Any, what: str) -> list[AuditEvent]:
    """Events from a page of the log; one that says neither when nor what is left out."""
    if isinstance(results, dict) and isinstance(results.get("events"), list):
        results = results["events"]
    if not isinstance(results, list):
        raise unintelligible(what, f"{type(results).__name__} where rows were expected")
    events = (checked(Event, row, what).value() for row in rows(results, what))
    return [event for event in events if event is not None]


_REFUSALS: Final = (errors.NotFound, errors.Forbidden, errors.Unauthorized, errors.Invalid)
"""Answers of the Platform API after which the older route is asked; a passing fault is not one of them."""
_SECOND: Final = timedelta(seconds=1)
_NEXT_STEP: Final = (
    f"The service account needs the permission {Permission.VIEW_AUDIT_LOGS}, which organization owners and admins "
    "have, and the plan must have the audit log."
)


class AuditLogEndpoint:
    """Reads the audit log; nothing is changed."""

    def __init__(self, transport: Transport, organization: int, platform: Transport) -> None:
        self._transport = transport
        self._organization = organization
        self._platform = platform
        self._refusal: errors.MixpanelError | None = None

    @property
    def fallback(self) -> str:
        """Why the older route is asked instead of the Platform API, or "" where it is not."""
        return self._refusal.why if self._refusal else ""

    def events(
        self, types: Sequence[str], since: datetime, until: datetime, pages: int | None = None
    ) -> list[AuditEvent]:
        """The events of some types within a span, both ends included, the newest first.

        Args:
            types: such as `organization.user_added`.
            since: the first instant (UTC); it counts from the beginning of its second.
            until: the last.
            pages: the pages that are enough: older events than those on them are left out; None for all.

        Raises:
            Forbidden: our account may not read it, or the plan has none; both routes say so.
            Unintelligible: it does not come to an end, repeats itself or is cut.
        """
        what = f"read the audit log of organization {self._organization}"
        first = since.replace(microsecond=0)
        read = self._pages(types, first, until, what, pages or MOST_PAGES)
        found = [event for page in read for event in audit_events_from(page, what)]
        within = (event for event in found if first <= event.at <= until)
        return sorted(within, key=lambda event: event.at, reverse=True)

    def _pages(self, types: Sequence[str], since: datetime, until: datetime, what: str, most: int) -> list[Json]:
        if self._refusal is None:
            try:
                return self._by_platform(types, since, until, what, most)
            except _REFUSALS as error:
                self._refusal = error
            except errors.Unreachable as error:
                if self._platform is self._transport:
                    raise
                self._refusal = error  # a network may let us out to mixpanel.com alone
        try:
            return self._by_older_route(types, since, until, what, most)
        except _REFUSALS as error:
            raise _of_both(self._refusal, error, what) from None

    def _by_platform(self, types: Sequence[str], since: datetime, until: datetime, what: str, most: int) -> list[Json]:
        """Nobody says whether the ends of the span are in it, so it is asked for with a second more at both."""
        path = f"{PLATFORM_ROOT}organizations/{self._organization}/audit-logs/query"
        span = {"created_after": written(since - _SECOND), "created_before": written(until + _SECOND)}
        parameters = {"page_size": str(PAGE_SIZE), "order": "desc"}
        return self._platform.query(path, parameters, {"types": list(types), **span}, what, most)

    def _by_older_route(
        self, types: Sequence[str], since: datetime, until: datetime, what: str, most: int
    ) -> list[Json]:
        path = f"/api/app/organizations/{self._organization}/audit-logs"
        body = {"types": list(types), "created_gte": written(since), "created_lte": written(until)}
        return self._transport.query(path, {}, body, what, most)


def _of_both(first: errors.MixpanelError, second: errors.MixpanelError, what: str) -> errors.MixpanelError:
    """One error for two refusals: what is forbidden by one route and not there by the other is forbidden."""
    telling = first if isinstance(first, errors.Forbidden) and isinstance(second, errors.NotFound) else second
    error = type(telling)(
        f"cannot {what}",
        why=f"the Platform API: {first.why}; the older route: {second.why}",
        next_step=_NEXT_STEP if isinstance(telling, (errors.Forbidden, errors.NotFound)) else second.next_step,
    )
    error.status = telling.status
    return error
