"""The ASGI application: credentials, routing, faults, the request log, and one transaction for each request."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from mixpanel_access.emulator import (
    audit,
    custom_roles,
    effective_access,
    platform_api,
    projects,
    scim,
    service_accounts,
    settings,
    teams,
    users,
)
from mixpanel_access.emulator.account_store import Account
from mixpanel_access.emulator.answer import Refusal, access_request_page, in_dialect, paged
from mixpanel_access.emulator.audit_store import Actor
from mixpanel_access.emulator.control import PREFIX, Control, RequestLog, must_be_local
from mixpanel_access.emulator.dialect import DEFAULT, Dialect
from mixpanel_access.emulator.faults import Fault, Faults, Stale
from mixpanel_access.emulator.recording import Audit, actor_of
from mixpanel_access.emulator.routing import LARGEST_BODY, Call, Endpoint, RouteMatch, find
from mixpanel_access.emulator.store import Store

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *effective_access.ENDPOINTS,
    *users.ENDPOINTS,
    *projects.ENDPOINTS,
    *service_accounts.ENDPOINTS,
    *teams.ENDPOINTS,
    *custom_roles.ENDPOINTS,
    *settings.ENDPOINTS,
    *audit.ENDPOINTS,
    *platform_api.ENDPOINTS,
    *scim.ENDPOINTS,
)
"""The API, family by family."""

_WITHOUT_AUDIT: Final = {
    "both": (),
    "platform": (audit.ENDPOINTS,),
    "old": (platform_api.ENDPOINTS,),
    "none": (audit.ENDPOINTS, platform_api.ENDPOINTS),
}
"""The dialect's `audit` -> the routes of the audit log that it leaves out."""
_MINUTE: Final = timedelta(minutes=1)
_WITHOUT_BODY: Final = (204, 205, 304)
_EMPTY_WHERE_NOT_ALLOWED: Final = ("GET", "HEAD", "OPTIONS")
"""The methods whose 405 has no body (contract, section 1)."""


class Emulator:
    """The application over one store.

    Args:
        store: the organization.
        provider_compat: whether to accept what only the official Terraform provider sends (contract, section 12).
        limit_invitations: whether to enforce the invitation limit.
        loopback: whether the emulator listens only on this machine.
        dialect: how it answers where the contract leaves it open.

    Raises:
        ValueError: the dialect names an unknown verb.
    """

    def __init__(
        self,
        store: Store,
        *,
        provider_compat: bool = False,
        limit_invitations: bool = True,
        loopback: bool = True,
        dialect: Dialect = DEFAULT,
    ) -> None:
        self.store = store
        self.faults = Faults()
        self._stale = Stale(store, self.faults)
        self.speak(dialect)
        self.log = RequestLog()
        self._recent: deque[datetime] = deque()
        self._control = Control(self, store, self.faults, self.log, self._begin_anew)
        self._provider_compat = provider_compat
        self._limit_invitations = limit_invitations
        self._loopback = loopback

    def _begin_anew(self) -> None:
        """Forget everything that belongs to the old organization."""
        self._recent.clear()
        self._stale.forget()

    def speak(self, dialect: Dialect) -> None:
        """Answer by a dialect from now on.

        Raises:
            ValueError: the dialect names an unknown verb or list.
        """
        must_be_verbs(dialect.missing)
        self._stale.speak(dialect)
        self.dialect = dialect
        left_out = {*dialect.missing}
        left_out |= {endpoint.verb for route in _WITHOUT_AUDIT[dialect.audit] for endpoint in route}
        self._endpoints = tuple(endpoint for endpoint in ENDPOINTS if endpoint.verb not in left_out)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = _path(request)
        try:
            must_be_local(request, loopback=self._loopback)
        except Refusal as refusal:
            await refusal.response()(scope, receive, send)
            return
        if path.startswith(PREFIX):
            await (await self._control.answer(request))(scope, receive, send)
            return
        found = find(self._endpoints, request.method, path)
        fault = self.faults.take(request.method, path)
        try:
            if fault is not None and fault.kind == "delay":
                await asyncio.sleep(fault.seconds or 0)
            response = await self._respond(request, found, fault)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # the server stops, and uvicorn would answer 500 without an envelope
            await _break(send)
            raise
        sent = response if fault is None or not fault.kind.startswith("drop") else None
        size = len(response.body) if sent and request.method != "HEAD" else 0
        self.log.add(request.method, found.template, path, response.status_code if sent else None, size)
        if sent is None:
            await _break(send)
        else:
            await sent(scope, receive, send)

    async def _respond(self, request: Request, found: RouteMatch, fault: Fault | None) -> Response:
        if fault is not None and fault.kind == "drop_before":
            return Response()
        if fault is not None and fault.kind == "status":
            in_shape = partial(scim.refused, dialect=self.dialect) if scim.serves(_path(request)) else Refusal.response
            return _faulty(fault, in_shape)
        body = await _body(request)
        try:
            return self._answer(request, found, body)
        except Refusal as refusal:
            refused = refusal
        except Exception:  # noqa: BLE001  # our own fault (a full disk, a bug): the answer and stderr say so
            traceback.print_exc()
            refused = Refusal(500, "internal error of the emulator")
        return self._refused(request, found, refused)

    def _refused(self, request: Request, found: RouteMatch, refusal: Refusal) -> Response:
        """The response to a refused request, by the root of the path, the method and the dialect."""
        path = _path(request)
        if platform_api.serves(path):
            return platform_api.refused(refusal, path)
        spoken = in_dialect(refusal, found.template, path, self.dialect)
        if isinstance(spoken, Response):
            return spoken
        if scim.serves(path):
            return scim.refused(spoken, self.dialect)
        if spoken.status == HTTPStatus.METHOD_NOT_ALLOWED and request.method in _EMPTY_WHERE_NOT_ALLOWED:
            return Response(status_code=spoken.status, headers=spoken.headers)
        return spoken.response(escaped=self.dialect.escaped_errors)

    def _answer(self, request: Request, found: RouteMatch, body: bytes) -> Response:
        self._limit_rate()
        if found.redirect:
            query = f"?{request.url.query}" if request.url.query else ""
            return Response(status_code=301, headers={"Location": found.redirect + query})
        if not found.known_path:
            if page := access_request_page(_path(request), self.dialect):
                return page
            raise Refusal(404, f"Not found: {_path(request)}")
        account, audit = self._caller(request)
        if found.endpoint is None:
            raise Refusal(405, f"{request.method} is not allowed here", {"Allow": ", ".join(found.allowed)})
        if len(body) > LARGEST_BODY:
            raise Refusal(413, f"the body is longer than {LARGEST_BODY} bytes")
        if scim.serves(_path(request)):
            scim.must_speak(request.headers, body, self.dialect)
        seen = self._stale.serving(found.endpoint, _path(request), request.query_params)
        with seen as store, self.store.transaction():
            if account.id:
                self.store.use_account(account)
            response = found.endpoint.handler(
                Call(
                    store=store,
                    account=account,
                    audit=audit,
                    path_params=found.path_params,
                    query=request.query_params,
                    headers=request.headers,
                    body=body,
                    provider_compat=self._provider_compat,
                    limit_invitations=self._limit_invitations,
                    dialect=self.dialect,
                )
            )
            return paged(response, found.endpoint.method, request.query_params, self.dialect)

    def _caller(self, request: Request) -> tuple[Account, Audit]:
        """The calling account, and the audit log as it writes it."""
        header, ip = request.headers.get("authorization"), request.client.host if request.client else None
        if scim.serves(_path(request)):
            return scim.caller(self.store, _path(request), header), Audit(self.store, Actor(client_ip=ip), scim.SERVICE)
        account = self._account(header)
        return account, Audit(self.store, actor_of(account, ip))

    def _account(self, header: str | None) -> Account:
        """The account of the Basic credentials, in base64 or plain (contract, section 1)."""
        scheme, _, value = (header or "").partition(" ")
        if scheme.lower() == "basic":
            for text in _credentials(value.strip()):
                username, _, secret = text.partition(":")
                account = self.store.account(username)
                if account is not None and account.secret == secret and self._is_valid(account):
                    return account
        raise Refusal(401, "missing or invalid credentials", {"WWW-Authenticate": 'Basic realm="mixpanel"'})

    def _is_valid(self, account: Account) -> bool:
        return account.expires is None or self.store.clock.now() < account.expires

    def _limit_rate(self) -> None:
        """The optional limit on all requests, over a sliding minute of the emulator's clock."""
        limit = self.store.setting("rate_limit_per_minute")
        if limit is None:
            return
        now = self.store.clock.now()
        while self._recent and self._recent[0] <= now - _MINUTE:
            self._recent.popleft()
        while self._recent and self._recent[-1] > now:  # the clock was set back
            self._recent.pop()
        if len(self._recent) >= limit:
            seconds = (self._recent[0] + _MINUTE - now).total_seconds()
            raise Refusal(429, "rate limit exceeded", {"Retry-After": str(max(1, math.ceil(seconds)))})
        self._recent.append(now)


def must_be_verbs(verbs: Iterable[str]) -> None:
    """Check that these are verbs of the API.

    Raises:
        ValueError: one is not; docs/contract.md lists them.
    """
    known = {endpoint.verb for endpoint in ENDPOINTS}
    for verb in verbs:
        if verb not in known:
            raise ValueError(f"missing: unknown verb {verb}; docs/contract.md lists the verbs")


def _path(request: Request) -> str:
    """The path as it was sent, still percent-encoded."""
    raw: bytes = request.scope["raw_path"]
    return raw.decode("ascii", "replace").split("?")[0]


def _credentials(value: str) -> list[str]:
    """The texts that the value of an Authorization header may encode."""
    texts = [value]
    with contextlib.suppress(ValueError):  # neither base64 nor UTF-8, nor even ASCII
        texts.append(base64.b64decode(value, validate=True).decode())
    return texts


async def _body(request: Request) -> bytes:
    """The body, of which no more is kept than shows that it is too large."""
    chunks, size = [], 0
    async for chunk in request.stream():
        if size <= LARGEST_BODY:
            chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _faulty(fault: Fault, in_shape: Callable[[Refusal], Response]) -> Response:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    status = fault.status or 500
    if status in _WITHOUT_BODY:
        return Response(status_code=status, headers=headers)
    if fault.body is None:
        return in_shape(Refusal(status, "fault injected", headers))
    response = HTMLResponse(fault.body, status, headers)
    response.headers["content-type"] = fault.content_type
    return response


async def _break(send: Any) -> None:
    """Break the connection without an answer; it belongs to the object whose method `send` is."""
    send.__self__.transport.abort()
    for _ in range(3):  # without these turns of the loop, uvicorn would try to answer 500
        await asyncio.sleep(0)
