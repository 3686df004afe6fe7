"""Answers as a dialect has them: what is the same for every verb, and so is done once, after the handler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import HTMLResponse, JSONResponse, Response

from mixpanel_access.emulator.answer import NoAccess, PlanRefusal, Refusal, ok
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.routing import Endpoint

ACCESS_REQUESTS: Final = "/request_access/"
_REDIRECTED: Final = "/api/app/projects/"
_WRONG_SHAPE: Final = 422
_OF_THE_UPDATE: Final = (400, 403, 404)
"""The refusals that are of what is asked, and not of who asks or how often."""
_UPDATES: Final = (
    "/organizations/{o}/users/{email}/update/",
    "/organizations/{o}/users/{email}/delete-projects/",
    "/organizations/{o}/teams/{t}/update/",
)
"""The verbs whose answer says whether something was updated."""


def refused(refusal: Refusal, endpoint: Endpoint | None, path: str, dialect: Dialect) -> Refusal | Response:
    """A refusal in the dialect; for an update verb it may be an answer with 200, for no access a redirect."""
    if isinstance(refusal, NoAccess) and dialect.no_access == "redirect" and path.startswith(_REDIRECTED):
        return Response(status_code=302, headers={"Location": f"{ACCESS_REQUESTS}?next={quote(path, safe='')}"})
    if isinstance(refusal, PlanRefusal):
        return Refusal(dialect.plan_refusal, refusal.words, refusal.headers)
    says_updated = endpoint is not None and endpoint.template in _UPDATES
    if dialect.refused_update == "updated_false" and says_updated and refusal.status in _OF_THE_UPDATE:
        return ok({"updated": False, "fail_reason": refusal.words})
    if refusal.status == _WRONG_SHAPE:
        return Refusal(dialect.wrong_body, refusal.words, refusal.headers, refusal.scim_type)
    return refusal


def page(path: str, dialect: Dialect) -> Response | None:
    """The page on which people ask for access, where the dialect leads to it."""
    if dialect.no_access == "redirect" and path == ACCESS_REQUESTS:
        return HTMLResponse("<!DOCTYPE html><title>Request access</title>")
    return None


def paged(response: Response, endpoint: Endpoint, query: Mapping[str, str], dialect: Dialect) -> Response:
    """A list in pages: the one that the cursor asks for, with the cursor of the next one."""
    if dialect.page_size is None or endpoint.method != "GET" or not isinstance(response, JSONResponse):
        return response
    answer = json.loads(bytes(response.body))
    rows, inside = _rows(answer.get("results"))
    if rows is None or "pagination" in answer:
        return response
    text = query.get("cursor", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= len(rows)):
        return Refusal(400, "cursor is not one of ours").response()
    end = int(text) + dialect.page_size
    page = rows[int(text) : end]
    cursor = str(end) if end < len(rows) else None
    results = page if inside is None else {inside: page}
    return JSONResponse({**answer, "results": results, "pagination": {"next_cursor": cursor}}, response.status_code)


def _rows(results: Any) -> tuple[list[Any] | None, str | None]:
    """The rows of a list, and under which key they are; None for what is no list of objects."""
    inside = next(iter(results)) if isinstance(results, dict) and len(results) == 1 else None
    rows = results if inside is None else results[inside]
    return (rows, inside) if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else (None, None)
