"""The Platform API: its root, its version, its answers without an envelope, and the query of the audit log.

Contract, section 16. It is assumed which users a filter looks at, that both ends of a span are left out, and how the
`http_` keys are called.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.audit import read_instant
from mixpanel_access.emulator.audit_store import AuditFilter, is_event
from mixpanel_access.emulator.routing import Call, Endpoint
from mixpanel_access.emulator.rules import must_manage_organization

ROOT: Final = "/v1"
VERSIONS: Final = ("2026-08-13",)
"""The dates that `Mixpanel-Version` accepts; without the header, the newest counts."""
_LARGEST_PAGE: Final = 100
_Part = TypeVar("_Part", bound=BaseModel)


class _Problem(Refusal):
    """A request with wrong parts, each with its reason."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(422, "the request is not valid")
        self.errors = errors


class _Response(JSONResponse):
    media_type = "application/problem+json"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    project_ids: list[str] | None = None
    user_ids: list[str] | None = None
    user_emails: list[str] | None = None
    exclude_user_ids: list[str] | None = None
    exclude_user_emails: list[str] | None = None
    types: list[str] | None = None
    created_after: str | None = None
    created_before: str | None = None
    user_email_search: str | None = None


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    page_size: str = str(_LARGEST_PAGE)
    cursor: str | None = None
    order: Literal["asc", "desc"] = "desc"


def serves(path: str) -> bool:
    """Whether a path belongs to the Platform API."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def refused(refusal: Refusal, path: str) -> Response:
    """A refusal as problem details (RFC 9457)."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.words,
        "instance": path,
        "error_id": uuid.uuid4().hex,
    }
    if refusal.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        content["errors"] = refusal.errors if isinstance(refusal, _Problem) else [{"detail": refusal.words}]
    return _Response(content, refusal.status, refusal.headers)


def _query(call: Call) -> Response:
    version = call.headers.get("mixpanel-version", VERSIONS[-1])
    if version not in VERSIONS:
        raise Refusal(400, f"Mixpanel-Version {version} is unknown; known: {', '.join(VERSIONS)}")
    must_manage_organization(call)
    asked, page = _read(_Body, call.json(), "#/"), _read(_Parameters, dict(call.query), "?")
    if not (page.page_size.isascii() and page.page_size.isdigit() and 1 <= int(page.page_size[:9]) <= _LARGEST_PAGE):
        raise _Problem([{"pointer": "?page_size", "detail": f"not between 1 and {_LARGEST_PAGE}"}])
    if odd := [name for name in asked.types or () if not is_event(name)]:
        raise _Problem([{"pointer": "#/types", "detail": f"{name} is not an event type"} for name in odd])
    after, before = (
        read_instant(name, value, status=422)
        for name, value in (("created_after", asked.created_after), ("created_before", asked.created_before))
    )
    wanted = AuditFilter(
        types=asked.types,
        created_gte=after and after.replace(microsecond=0) + timedelta(seconds=1),
        created_lte=before and before - timedelta(microseconds=1),
        project_ids=asked.project_ids,
        actor_ids=asked.user_ids,
        actor_emails=asked.user_emails,
        not_actor_ids=asked.exclude_user_ids,
        not_actor_emails=asked.exclude_user_emails,
        email_search=asked.user_email_search,
        after=page.cursor,
        oldest_first=page.order == "asc",
        in_full=True,
    )
    try:
        events, more = call.store.audit_page(wanted, int(page.page_size))
    except KeyError:
        raise Refusal(400, "cursor: the log does not have it") from None
    pagination = {"next_cursor": events[-1]["id"] if more else None, "previous_cursor": None}
    return JSONResponse({"results": [_row(call, event) for event in events], "pagination": pagination})


def _read(model: type[_Part], value: Any, root: str) -> _Part:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise _Problem([{"pointer": root + "/".join(map(str, e["loc"])), "detail": e["msg"]} for e in found]) from None


def _row(call: Call, event: dict[str, Any]) -> dict[str, Any]:
    """An event with the fields that only this API shows; the roles are the actor's current ones."""
    actor = event["user_email"] or ""
    who = call.store.member(actor) or call.store.account(actor)
    return {**event, "user_roles": [who.role] if who else [], "http_method": None, "http_path": None}


ENDPOINTS: tuple[Endpoint, ...] = (Endpoint("POST", f"{ROOT}/organizations/{{o}}/audit-logs/query", _query),)
