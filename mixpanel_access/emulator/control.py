"""The control surface under /_emulator/: what only an emulator can do, without credentials, and not for web pages."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Protocol
from urllib.parse import unquote, urlsplit

from pydantic import Field, TypeAdapter, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator import dialect as dialects
from mixpanel_access.emulator import logins
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.audit_store import Actor, NewEvent
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.document import (
    AuditPart,
    Document,
    DocumentPart,
    Email,
    Instant,
    LoginMethod,
    OrganizationRole,
    ProjectRole,
)
from mixpanel_access.emulator.faults import Fault, Faults
from mixpanel_access.emulator.recording import Audit, person
from mixpanel_access.emulator.routing import parsed
from mixpanel_access.emulator.rules import known_member
from mixpanel_access.emulator.store import Store
from mixpanel_access.model import roles
from mixpanel_access.model.dates import written

_KEPT = 10_000


@dataclass
class RequestLog:
    """The request log: counts since the last reset, and the last requests one by one."""

    by_endpoint: Counter[str] = field(default_factory=Counter)
    bytes_out: int = 0
    last: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, method: str, template: str, path: str, status: int | None, size: int) -> None:
        """Count one request; the status is None if the connection was broken."""
        self.by_endpoint[f"{method} {template}"] += 1
        self.bytes_out += size
        self.last.append({"method": method, "path": path, "status": status, "bytes_out": size})

    def reset(self) -> None:
        """Start counting from zero again."""
        self.by_endpoint.clear()
        self.bytes_out = 0
        self.last.clear()

    def summary(self, *, detail: bool = False) -> dict[str, Any]:
        """The log as `GET /_emulator/requests` shows it."""
        counts = {
            "total": sum(self.by_endpoint.values()),
            "bytes_out": self.bytes_out,
            "by_endpoint": dict(sorted(self.by_endpoint.items())),
        }
        return {**counts, "requests": list(self.last)} if detail else counts


PREFIX = "/_emulator/"


class _ClockChange(DocumentPart):
    now: Instant | None = None
    advance_seconds: Annotated[float, Field(allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _one(self) -> _ClockChange:
        if (self.now is None) == (self.advance_seconds is None):
            raise ValueError("give either now or advance_seconds")
        return self


class _SignIn(DocumentPart):
    email: Email
    method: LoginMethod | None = None


class _Login(_SignIn):
    """A login; `factor` names what fails in it (such as `totp`), if that is not the method itself."""

    fails: bool = False
    factor: str | None = None


class _Change(DocumentPart):
    """A change that no client makes; `actor` and `source` are for the audit log."""

    email: Email
    actor: Email | None = None
    source: str = "admin"


class _Member(_Change):
    role: OrganizationRole
    active: bool | None = None


class _AddressChange(DocumentPart):
    email: Email
    address: Email


class _GrantChange(_Change):
    project: int
    role: ProjectRole | None


class _Event(AuditPart):
    created: Instant | None = None  # type: ignore[assignment]  # the emulator's present


class Speaker(Protocol):
    """The part of the emulator that answers by a dialect."""

    dialect: Dialect

    def speak(self, dialect: Dialect) -> None:
        """Answer by this dialect from now on."""


class Control:
    """The control surface over one emulator.

    Args:
        speaker: the part whose dialect is shown and changed.
        store: the organization.
        faults: the faults that are still to come.
        log: the request log.
        begin_anew: forgets the count of the rate limit and the late lists, for a new organization.
    """

    def __init__(
        self, speaker: Speaker, store: Store, faults: Faults, log: RequestLog, begin_anew: Callable[[], None]
    ) -> None:
        self._speaker = speaker
        self._store = store
        self._begin_anew = begin_anew
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
            ("POST", "login"): self._log_in,
            ("POST", "audit"): self._add_event,
            ("GET", "mails"): lambda _request, _body: store.mails(),
            ("POST", "members"): self._put_member,
            ("DELETE", "members/{email}"): self._remove_member,
            ("POST", "addresses"): self._change_address,
            ("POST", "grants"): self._put_grant,
            ("GET", "dialect"): lambda _request, _body: speaker.dialect.model_dump(),
            ("POST", "dialect"): self._speak,
        }

    async def answer(self, request: Request) -> Response:
        """Answer one control request with plain JSON; only errors have the envelope."""
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
            must_be_json(request, content)
            body = parsed(content) if content else None
            with nullcontext() if path == "seed" else self._store.transaction():
                answer = verb(request, body)
                return answer if isinstance(answer, Response) else JSONResponse(answer)
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
        self._begin_anew()
        return self._store.dump()

    def _speak(self, _request: Request, body: Any) -> Any:
        try:
            self._speaker.speak(dialects.read(body))
        except ValueError as error:
            raise Refusal(422, str(error)) from None
        return self._speaker.dialect.model_dump()

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

    def _accept(self, request: Request, body: Any) -> Any:
        asked = _SignIn.model_validate(body)
        member = logins.accept(self._store, asked.email, asked.method, _ip(request))
        return {"email": member.email, "accepted": True}

    def _log_in(self, request: Request, body: Any) -> Any:
        asked = _Login.model_validate(body)
        failed = "wrong credentials" if asked.fails else None
        refused = logins.log_in(self._store, asked.email, asked.method, _ip(request), failed, asked.factor)
        if refused is not None and not asked.fails:
            return Refusal(409, refused).response()
        return {"email": asked.email, "logged_in": not asked.fails}

    def _add_event(self, _request: Request, body: Any) -> Any:
        event = _Event.model_validate(body)
        recorded = NewEvent(
            type=event.type,
            actor=Actor(event.user_id, event.user_email, event.client_ip),
            payload=event.payload,
            project=event.project,
            entity=None if event.entity_id is None else (event.entity_id, event.entity_name),
            created=event.created,
            service=event.service,
            by_staff=event.was_impersonated_by_staff,
        )
        id_ = self._store.record(recorded)
        return self._store.audit_event(id_)

    def _put_member(self, request: Request, body: Any) -> Any:
        change = _Member.model_validate(body)
        before = self._store.member(change.email)
        self._store.put_member(change.email, change.role, invited=False)
        audit, member = self._audit(request, change), known_member(self._store, change.email)
        if before is None or before.invited:
            audit.user_added(member, change.source)
        else:
            audit.role_changed(before, change.role, change.source)
        if change.active is not None:
            self._store.set_profile(member.email, name=member.name, active=change.active, scim=member.scim)
        return {"email": change.email, "role": change.role}

    def _change_address(self, _request: Request, body: Any) -> Any:
        change = _AddressChange.model_validate(body)
        member, other = known_member(self._store, change.email), self._store.member(change.address)
        if other is not None and other.key != member.key:
            raise Refusal(409, f"{change.address} is in the organization")
        self._store.change_address(change.email, change.address)
        return {"email": change.address}

    def _remove_member(self, request: Request, _body: Any) -> Any:
        member = known_member(self._store, request.state.email)
        self._store.remove_member(member.email)
        if not member.invited:
            self._audit(request, None).user_removed(member, "admin")
        return {"deleted": [request.state.email]}

    def _put_grant(self, request: Request, body: Any) -> Any:
        change = _GrantChange.model_validate(body)
        member = known_member(self._store, change.email)
        if self._store.project(change.project) is None:
            raise Refusal(404, f"no project {change.project}")
        before = self._store.grant(change.project, change.email)
        self._store.put_grant(change.project, change.email, change.role)
        self._audit(request, change).grant_changed(change.project, member, before, change.role, change.source)
        return {"email": change.email, "project": change.project, "role": change.role}

    def _audit(self, request: Request, change: _Change | None) -> Audit:
        """The audit log as the named actor writes it, or else the organization's first owner."""
        if change is not None and change.actor is not None:
            actor = self._store.member(change.actor)
            return Audit(self._store, person(actor, _ip(request)) if actor else Actor("", change.actor, _ip(request)))
        owners = [member for member in self._store.members() if member.role == roles.OWNER and not member.invited]
        return Audit(self._store, person(owners[0], _ip(request)) if owners else Actor(client_ip=_ip(request)))


def _ip(request: Request) -> str | None:
    return request.client.host if request.client else None


def is_loopback(host: str) -> bool:
    """Whether a name or an address belongs to this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def must_be_local(request: Request, *, loopback: bool) -> None:
    """Refuse a request from a page of another site, or to a foreign name that leads to this machine.

    Args:
        request: the request.
        loopback: whether the emulator listens only on this machine; otherwise any name may lead to it.

    Raises:
        Refusal: a page of another site may have sent the request.
    """
    host = request.headers.get("host", "")
    if loopback and not is_loopback(_name(host)):
        raise Refusal(403, "the emulator answers only on names of this machine")
    origin = request.headers.get("origin")
    if origin is not None and _of_origin(origin) != host:
        raise Refusal(403, "the emulator answers no page of another origin")


def must_be_json(request: Request, body: bytes) -> None:
    """Refuse a body that is not JSON: a page can send only other types without asking first.

    Raises:
        Refusal: the body has another type.
    """
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "a body must be application/json")


def _of_origin(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
