"""Endpoints as a table: method, path template, handler. Paths are matched as they were sent, still percent-encoded.

So an address that contains a "/" stays one segment. On the legacy root, a path without its slash answers 301 to the
path with it, if that exists; under /api/app an extra slash makes another path (contract, section 1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import Response

from mixpanel_access.emulator.account_store import Account
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.recording import Audit
from mixpanel_access.emulator.store import Store

LARGEST_BODY: Final = 10_000_000
"""The most bytes of a request's body that the emulator reads."""

DIGITS: Final = 20
"""An id in a text must have fewer digits, since more do not fit into an integer of SQLite."""

_PARAM: Final = re.compile(r"\{(\w+)\}")
_Body = TypeVar("_Body", bound=BaseModel)
_Value = TypeVar("_Value")


def parsed(body: bytes) -> Any:
    """A body as JSON in UTF-8.

    Raises:
        ValueError: it is not JSON, is nested too deep, or has half of a surrogate pair, which is not text.
    """
    text = body.decode()
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


class Body(BaseModel):
    """The body of a request: unknown keys are ignored, and no value is converted to another type."""

    model_config = ConfigDict(extra="ignore", strict=True)


@cache
def _body_with(key: str, kind: Any) -> type[Body]:
    """The model of a body of which only one key counts."""
    made: type[Body] = type("Body", (Body,), {"__module__": __name__, "__annotations__": {key: kind}})
    return made


@dataclass(frozen=True)
class Call:
    """One request as a handler sees it.

    Attributes:
        store: the organization.
        account: the service account that sent the request.
        audit: writes what the account does into the audit log.
        path_params: the values of the template's parameters, decoded.
        query: the parameters of the query.
        headers: the request's headers, by names in lower case.
        body: the request's body.
        provider_compat: whether the emulator accepts what only the official Terraform provider sends.
        limit_invitations: whether the invitation limit is on.
        dialect: how the emulator answers where the contract leaves it open.
    """

    store: Store
    account: Account
    audit: Audit
    path_params: dict[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    provider_compat: bool
    limit_invitations: bool
    dialect: Dialect

    def number(self, param: str) -> int:
        """A parameter of the path that is an id; 404 if it is not a number."""
        text = self.path_params[param]
        if not (text.isascii() and text.isdigit() and len(text) < DIGITS):
            raise Refusal(404, f"{text} is not an id")
        return int(text)

    def json(self) -> Any:
        """The body as JSON; 422 if it is not JSON."""
        try:
            return parsed(self.body)
        except ValueError:
            raise Refusal(422, "the body is not JSON") from None

    def read(self, model: type[_Body], value: Any = None) -> _Body:
        """The body as a model; 422 if it has another shape."""
        try:
            return model.model_validate(self.json() if value is None else value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise Refusal(422, f"{'.'.join(map(str, first['loc'])) or 'the body'}: {first['msg']}") from None

    def read_key(self, key: str, kind: type[_Value], value: Any = None) -> _Value:
        """The one key of the body that counts; 422 if it has another shape."""
        found: _Value = getattr(self.read(_body_with(key, kind), value), key)  # type: ignore[arg-type]  # any type has a hash
        return found


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Endpoint:
    """One verb of the API; docs/contract.md says what it does and how well it is known.

    Attributes:
        method: the HTTP method.
        template: the path, with parameters in braces.
        handler: the function that answers a request.
    """

    method: str
    template: str
    handler: Handler
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(_PARAM.sub(r"(?P<\1>[^/]+)", self.template)))

    @property
    def verb(self) -> str:
        """How a dialect names it."""
        return f"{self.method} {self.template}"

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the parameters, if the path matches the template."""
        found = self.pattern.fullmatch(path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


@dataclass(frozen=True)
class RouteMatch:
    """Where a request goes: to an endpoint, to the path with a slash, or nowhere; and the methods of the path."""

    endpoint: Endpoint | None = None
    path_params: dict[str, str] = field(default_factory=dict)
    redirect: str | None = None
    template: str = "(unknown)"
    known_path: bool = False
    allowed: tuple[str, ...] = ()


def find(endpoints: tuple[Endpoint, ...], method: str, path: str) -> RouteMatch:
    """The endpoint of a request, a redirect to it, or what is known of the path.

    If a path matches several templates, the one with the fewest parameters counts: ".../add-to-project" is not an id.
    """
    for candidate, redirect in ((path, None), (f"{path}/", f"{path}/")):
        if redirect and (path.startswith("/api/") or path.endswith("/")):
            break
        matching = [(endpoint, params) for endpoint in endpoints if (params := endpoint.match(candidate)) is not None]
        if not matching:
            continue
        fewest = min(len(params) for _, params in matching)
        exact = [(endpoint, params) for endpoint, params in matching if len(params) == fewest]
        template = exact[0][0].template
        if redirect:
            return RouteMatch(redirect=redirect, template=template, known_path=True)
        for endpoint, params in exact:
            if endpoint.method == method or (method == "HEAD" and endpoint.method == "GET"):
                return RouteMatch(endpoint, params, template=template, known_path=True)
        methods = {endpoint.method for endpoint, _ in exact}
        allowed = tuple(sorted({*methods, "HEAD"} if "GET" in methods else methods))
        return RouteMatch(template=template, known_path=True, allowed=allowed)
    return RouteMatch()
