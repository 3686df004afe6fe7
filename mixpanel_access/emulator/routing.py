"""Endpoints as a table: method, path template, handler. Paths are matched as they were sent, still percent-encoded.

So an address with a "/" in it stays one segment. Slashes: on the legacy root a slash-less path answers 301 to the
slashed one where that exists; under /api/app an extra slash is another path (contract, section 1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from mixpanel_access.emulator.account_store import Account
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.recording import Audit
from mixpanel_access.emulator.store import Store

LARGEST_BODY: Final = 10_000_000
"""Bytes of a request's body that are read."""

DIGITS: Final = 20
"""An id in a text has fewer digits: more fit into no integer of SQLite's."""

_PLACE: Final = re.compile(r"\{(\w+)\}")
_Body = TypeVar("_Body", bound=BaseModel)


def parsed(body: bytes) -> Any:
    """A body as JSON in UTF-8.

    Raises:
        ValueError: it is none, is nested beyond reason, or has half of a surrogate pair, which is no text.
    """
    text = body.decode()
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


@dataclass(frozen=True)
class Call:
    """One request as a handler sees it.

    Attributes:
        store: the organization.
        account: who is calling.
        audit: writes what the caller does into the audit log.
        places: the values of the template's places, decoded.
        query: the query's parameters.
        headers: the request's headers, by names in lower case.
        body: the request's body.
        provider_compat: whether the leniencies for the official Terraform provider are on.
        limit_invitations: whether the invitation limit is on.
        dialect: how the server speaks where the contract leaves it open.
    """

    store: Store
    account: Account
    audit: Audit
    places: dict[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    provider_compat: bool
    limit_invitations: bool
    dialect: Dialect

    def number(self, place: str) -> int:
        """A place of the path that is an id."""
        text = self.places[place]
        if not (text.isascii() and text.isdigit() and len(text) < DIGITS):
            raise Refusal(404, f"{text} is no id")
        return int(text)

    def json(self) -> Any:
        """The body as JSON; 422 where it is none."""
        try:
            return parsed(self.body)
        except ValueError:
            raise Refusal(422, "the body is not JSON") from None

    def read(self, model: type[_Body], value: Any = None) -> _Body:
        """The body in its shape; 422 where it has another."""
        try:
            return model.model_validate(self.json() if value is None else value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise Refusal(422, f"{'.'.join(map(str, first['loc'])) or 'the body'}: {first['msg']}") from None


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Endpoint:
    """One verb of the API.

    Attributes:
        method: the HTTP method.
        template: the path, with places in braces.
        handler: answers it.
    """

    method: str
    template: str
    handler: Handler
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(_PLACE.sub(r"(?P<\1>[^/]+)", self.template)))

    @property
    def verb(self) -> str:
        """How a dialect names it."""
        return f"{self.method} {self.template}"

    def match(self, path: str) -> dict[str, str] | None:
        """The places' values if the path is of this template."""
        found = self.pattern.fullmatch(path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


@dataclass(frozen=True)
class Found:
    """Where a request goes: to an endpoint, to the slashed path, or nowhere; and the methods that the path takes."""

    endpoint: Endpoint | None = None
    places: dict[str, str] = field(default_factory=dict)
    redirect: str | None = None
    template: str = "(unknown)"
    known_path: bool = False
    allowed: tuple[str, ...] = ()


def find(endpoints: tuple[Endpoint, ...], method: str, path: str) -> Found:
    """The endpoint of a request, a redirect to it, or what is known of the path.

    Of the templates that a path is of, the one with the fewest places counts: ".../add-to-project" is no id.
    """
    for candidate, redirect in ((path, None), (f"{path}/", f"{path}/")):
        if redirect and (path.startswith("/api/") or path.endswith("/")):
            break
        matching = [(endpoint, places) for endpoint in endpoints if (places := endpoint.match(candidate)) is not None]
        if not matching:
            continue
        fewest = min(len(places) for _, places in matching)
        exact = [(endpoint, places) for endpoint, places in matching if len(places) == fewest]
        template = exact[0][0].template
        if redirect:
            return Found(redirect=redirect, template=template, known_path=True)
        for endpoint, places in exact:
            if endpoint.method == method or (method == "HEAD" and endpoint.method == "GET"):
                return Found(endpoint, places, template=template, known_path=True)
        methods = {endpoint.method for endpoint, _ in exact}
        allowed = tuple(sorted({*methods, "HEAD"} if "GET" in methods else methods))
        return Found(template=template, known_path=True, allowed=allowed)
    return Found()
