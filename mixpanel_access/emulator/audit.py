"""The two queries of the audit log by the older route (contract, section 11)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.audit_store import AuditFilter, is_event
from mixpanel_access.emulator.custom_roles import READS_AUDIT_LOG
from mixpanel_access.emulator.routing import DIGITS, Body, Call, Endpoint
from mixpanel_access.emulator.rules import known_project, managed_project, must_manage_organization, own_roles
from mixpanel_access.model.dates import FIRST_YEAR, LAST_YEAR, instant

_PAGE: Final = 100
_LARGEST_PAGE: Final = 1000


class _Query(Body):
    types: list[str] | None = None
    created_gte: str | None = None
    created_lte: str | None = None
    user_ids: list[str] | None = None
    project_ids: list[str] | None = None
    search: str | None = None


def _of_organization(call: Call) -> Response:
    must_manage_organization(call)
    return _page(call, None)


def _of_project(call: Call) -> Response:
    """The log of a project, also for callers whose custom role allows it."""
    id_ = known_project(call, call.number("p"))["id"]
    held = [call.store.custom_role(id_, role) for role in own_roles(call, id_)]
    if not any(role and READS_AUDIT_LOG in role["permissions"] for role in held):
        managed_project(call)
    return _page(call, id_)


def _page(call: Call, project_id: int | None) -> Response:
    body = call.json()
    unknown = sorted(set(body) - set(_Query.model_fields)) if isinstance(body, dict) else []
    if unknown:
        raise Refusal(400, f"unknown: {', '.join(unknown)}")
    query = call.read(_Query, body)
    for name in query.types or []:
        if not is_event(name):
            raise Refusal(400, f"{name} is not an event type")
    wanted = AuditFilter(
        types=query.types,
        created_gte=read_instant("created_gte", query.created_gte),
        created_lte=read_instant("created_lte", query.created_lte),
        user_ids=query.user_ids,
        project_ids=query.project_ids,
        search=query.search,
        project=project_id,
        after=call.query.get("cursor"),
    )
    try:
        events, more = call.store.audit_page(wanted, _page_size(call))
    except KeyError:
        raise Refusal(400, "cursor: the log does not have it") from None
    following = events[-1]["id"] if more else None
    pagination = {"next_cursor": following, "previous_cursor": None}
    return JSONResponse({"status": "ok", "results": events, "pagination": pagination})


def read_instant(name: str, text: str | None, status: int = 400) -> datetime | None:
    """A time in a query; a refusal with this status if it is not a time."""
    try:
        value = None if text is None else instant(text)
    except (ValueError, OverflowError):
        raise Refusal(status, f"{name}: {text} is not a time") from None
    if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise Refusal(status, f"{name}: the year is not between {FIRST_YEAR} and {LAST_YEAR}")
    return value


def _page_size(call: Call) -> int:
    text = call.query.get("page_size", str(_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < DIGITS and 1 <= int(text) <= _LARGEST_PAGE):
        raise Refusal(400, f"page_size: not between 1 and {_LARGEST_PAGE}")
    return int(text)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/api/app/organizations/{o}/audit-logs", _of_organization),
    Endpoint("POST", "/api/app/projects/{p}/audit-logs", _of_project),
)
