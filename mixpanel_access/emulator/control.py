"""The control surface under /_emulator/: what only an emulator can do. No credentials, loopback."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.document import Document, Email, Instant, OrganizationRole, ProjectRole
from mixpanel_access.emulator.faults import Fault, Faults
from mixpanel_access.emulator.requestlog import RequestLog
from mixpanel_access.emulator.routing import parsed
from mixpanel_access.emulator.store import Store
from mixpanel_access.model.dates import written

PREFIX = "/_emulator/"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ClockChange(_Part):
    now: Instant | None = None
    advance_seconds: Annotated[float, Field(allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _one(self) -> _ClockChange:
        if (self.now is None) == (self.advance_seconds is None):
            raise ValueError("give either now or advance_seconds")
        return self


class _Person(_Part):
    email: Email


class _Member(_Person):
    role: OrganizationRole


class _GrantChange(_Person):
    project: int
    role: ProjectRole | None


class Control:
    """The control surface over one emulator.

    Args:
        store: the organization.
        faults: the faults to come.
        log: the request log.
        forget_rate: begins the count of the rate limit anew, for a new organization.
    """

    def __init__(
        self, store: Store, faults: Faults, log: RequestLog, forget_rate: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._forget_rate = forget_rate
        self._faults = faults
        self._log = log
        self.verbs: dict[tuple[str, str], Callable[[Request, Any], Any]] = {
            ("POST", "seed"): self._seed,
            ("GET", "dump"): lambda _request, _body: store.dump(),
            ("GET", "clock"): lambda _request, _body: self._now(),
            ("POST", "clock"): self._set_clock,
            ("POST", "faults"): self._add_faults,
            ("GET", "faults"): lambda _request, _body: self._list_faults(),
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "requests"): lambda request, _body: log.summary(detail="detail" in request.query_params),
            ("DELETE", "requests"): self._reset_log,
            ("POST", "invitations/accept"): self._accept,
            ("GET", "mails"): lambda _request, _body: store.mails(),
            ("POST", "members"): self._put_member,
            ("DELETE", "members/{email}"): self._remove_member,
            ("POST", "grants"): self._put_grant,
        }

    async def answer(self, request: Request) -> Response:
        """Answer one control request: plain JSON, no envelope but for errors."""
        raw: bytes = request.scope["raw_path"]
        path = raw.decode("ascii", "replace").split("?")[0].removeprefix(PREFIX)
        if path.startswith("members/"):
            request.state.email = unquote(path.removeprefix("members/"))
            path = "members/{email}"
        verb = self.verbs.get((request.method, path))
        try:
            if verb is None:
                raise Refusal(404, f"no {request.method} {PREFIX}{path}")
            content = await request.body()
            body = parsed(content) if content else None
            with nullcontext() if path == "seed" else self._store.transaction():
                return JSONResponse(verb(request, body))
        except Refusal as refusal:
            return refusal.response()
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            return Refusal(422, f"{where}: {first['msg']}").response()
        except ValueError as error:
            return Refusal(422, f"the body is not JSON ({error})").response()

    def _seed(self, _request: Request, body: Any) -> Any:
        self._store.seed(Document.model_validate(body))
        self._forget_rate()
        return self._store.dump()

    def _now(self) -> Any:
        return {"now": written(self._store.clock.now())}

    def _set_clock(self, _request: Request, body: Any) -> Any:
        change = _ClockChange.model_validate(body)
        if change.now is not None:
            self._store.clock.set(change.now)
        else:
            seconds = change.advance_seconds or 0
            try:
                then = self._store.clock.now() + timedelta(seconds=seconds)
            except OverflowError:
                raise Refusal(422, "advance_seconds: beyond the calendar") from None
            _ClockChange(now=then)
            self._store.clock.advance(seconds)
        return self._now()

    def _add_faults(self, _request: Request, body: Any) -> Any:
        self._faults.add(TypeAdapter(list[Fault]).validate_python(body))
        return self._list_faults()

    def _list_faults(self) -> Any:
        return [fault.model_dump() for fault in self._faults.waiting()]

    def _clear_faults(self, _request: Request, _body: Any) -> Any:
        self._faults.clear()
        return []

    def _reset_log(self, _request: Request, _body: Any) -> Any:
        self._log.reset()
        return self._log.summary()

    def _accept(self, _request: Request, body: Any) -> Any:
        email = _Person.model_validate(body).email
        member = self._store.member(email)
        if member is None or not member.invited:
            raise Refusal(404, f"no invitation to {email}")
        if self._store.expired(member):
            raise Refusal(409, f"the invitation to {email} has expired")
        self._store.accept(email)
        return {"email": member.email, "accepted": True}

    def _put_member(self, _request: Request, body: Any) -> Any:
        member = _Member.model_validate(body)
        self._store.put_member(member.email, member.role, invited=False)
        return member.model_dump()

    def _remove_member(self, request: Request, _body: Any) -> Any:
        if self._store.member(request.state.email) is None:
            raise Refusal(404, f"{request.state.email} is not in the organization")
        self._store.remove_member(request.state.email)
        return {"deleted": [request.state.email]}

    def _put_grant(self, _request: Request, body: Any) -> Any:
        change = _GrantChange.model_validate(body)
        if self._store.member(change.email) is None:
            raise Refusal(404, f"{change.email} is not in the organization")
        if change.project not in [project["id"] for project in self._store.projects()]:
            raise Refusal(404, f"no project {change.project}")
        self._store.put_grant(change.project, change.email, change.role)
        return change.model_dump()
