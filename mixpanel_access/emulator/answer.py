"""What an endpoint answers: the envelope, and refusals as exceptions (contract, section 1)."""

from __future__ import annotations

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

    def response(self) -> JSONResponse:
        """The error envelope."""
        return JSONResponse({"status": "error", "error": self.words}, self.status, self.headers)


def ok(results: Any) -> JSONResponse:
    """The success envelope around `results`."""
    return JSONResponse({"status": "ok", "results": results})
