"""Answers: the envelope, refusals as exceptions, and how a dialect changes both (contract, section 1)."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import HTMLResponse, JSONResponse, Response

from mixpanel_access.emulator.dialect import Dialect


class Refusal(Exception):
    """A request that the emulator refuses.

    Args:
        status: the HTTP status.
        words: the text for people.
        headers: more headers, such as Retry-After.
        scim_type: SCIM's keyword, for an answer in SCIM's shape.
    """

    def __init__(
        self, status: int, words: str, headers: dict[str, str] | None = None, scim_type: str | None = None
    ) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = headers
        self.scim_type = scim_type

    def response(self, *, escaped: bool = False) -> JSONResponse:
        """The error envelope; `escaped` escapes the words for HTML."""
        words = html.escape(self.words) if escaped else self.words
        return JSONResponse({"status": "error", "error": words}, self.status, self.headers)


class NotInPlan(Refusal):
    """A feature that the organization's plan lacks (contract, section 13).

    Args:
        feature: its name, as it follows "does not support".
    """

    def __init__(self, feature: str) -> None:
        super().__init__(403, f"Your plan does not support {feature}")


class NoAccess(Refusal):
    """A project in which the caller has no role (contract, section 1)."""

    def __init__(self, project: int) -> None:
        super().__init__(403, f"no access to project {project}")


def ok(results: Any) -> JSONResponse:
    """The success envelope around `results`."""
    return JSONResponse({"status": "ok", "results": results})


ACCESS_REQUESTS: Final = "/request_access/"
_REDIRECTED: Final = "/api/app/projects/"
_WRONG_SHAPE: Final = 422
_OF_THE_UPDATE: Final = (400, 403, 404)
"""The refusals because of what a request asks for, and not because of who sends it or how often."""
_UPDATES: Final = (
    "/organizations/{o}/users/{email}/update/",
    "/organizations/{o}/users/{email}/delete-projects/",
    "/organizations/{o}/teams/{t}/update/",
)
"""The verbs whose answer says whether they updated something."""


def in_dialect(refusal: Refusal, template: str, path: str, dialect: Dialect) -> Refusal | Response:
    """A refusal as the dialect words it: an update verb may answer 200, and a project without access may redirect."""
    if isinstance(refusal, NoAccess) and dialect.no_access == "redirect" and path.startswith(_REDIRECTED):
        return Response(status_code=302, headers={"Location": f"{ACCESS_REQUESTS}?next={quote(path, safe='')}"})
    if isinstance(refusal, NotInPlan):
        return Refusal(dialect.plan_refusal, refusal.words, refusal.headers)
    says_updated = dialect.refused_update == "updated_false" and template in _UPDATES
    if says_updated and refusal.status in _OF_THE_UPDATE:
        return ok({"updated": False, "fail_reason": refusal.words})
    if refusal.status == _WRONG_SHAPE:
        return Refusal(dialect.wrong_body, refusal.words, refusal.headers, refusal.scim_type)
    return refusal


def access_request_page(path: str, dialect: Dialect) -> Response | None:
    """The page on which people ask for access, if the dialect redirects to it."""
    if dialect.no_access == "redirect" and path == ACCESS_REQUESTS:
        return HTMLResponse("<!DOCTYPE html><title>Request access</title>")
    return None


def paged(response: Response, method: str, query: Mapping[str, str], dialect: Dialect) -> Response:
    """The page of a list that the request's cursor asks for, with the cursor of the next page."""
    if dialect.page_size is None or method != "GET" or not isinstance(response, JSONResponse):
        return response
    answer = json.loads(bytes(response.body))
    rows, inside = _rows(answer.get("results"))
    if rows is None or "pagination" in answer:
        return response
    text = query.get("cursor", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= len(rows)):
        return Refusal(400, "cursor is not one that the emulator gave").response()
    end = int(text) + dialect.page_size
    page = rows[int(text) : end]
    cursor = str(end) if end < len(rows) else None
    results = page if inside is None else {inside: page}
    return JSONResponse({**answer, "results": results, "pagination": {"next_cursor": cursor}}, response.status_code)


def _rows(results: Any) -> tuple[list[Any] | None, str | None]:
    """The rows of a list and the key that holds them; None if the results are not a list of objects."""
    inside = next(iter(results)) if isinstance(results, dict) and len(results) == 1 else None
    rows = results if inside is None else results[inside]
    return (rows, inside) if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else (None, None)
