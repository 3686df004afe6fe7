"""What an endpoint answers: the envelope, and refusals as exceptions (contract, section 1)."""

from __future__ import annotations

import html
from typing import Any

from starlette.responses import JSONResponse


class Refusal(Exception):
    """A request that is not served.

    Args:
        status: the HTTP status.
        words: the text for people.
        headers: more headers, Retry-After for one.
        scim_type: SCIM's keyword, for an answer in its shape.
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
        """The error envelope, with the words escaped for HTML or as they are."""
        words = html.escape(self.words) if escaped else self.words
        return JSONResponse({"status": "error", "error": words}, self.status, self.headers)


class PlanRefusal(Refusal):
    """What the organization's plan does not have (contract, section 13).

    Args:
        feature: what, as it follows "does not support".
    """

    def __init__(self, feature: str) -> None:
        super().__init__(403, f"Your plan does not support {feature}")


class NoAccess(Refusal):
    """A project that the caller has no role in (contract, section 1)."""

    def __init__(self, project: int) -> None:
        super().__init__(403, f"no access to project {project}")


def ok(results: Any) -> JSONResponse:
    """The success envelope around `results`."""
    return JSONResponse({"status": "ok", "results": results})
