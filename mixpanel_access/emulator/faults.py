"""Faults on demand: a status, a delay, a broken connection, and lists that answer late."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.routing import Endpoint
from mixpanel_access.emulator.store import Store

HeaderText = Annotated[str, Field(pattern=r"^[ -~]*$")]
"""A text that a header can have: printable ASCII."""


class Fault(BaseModel):
    """A fault for some of the next requests.

    Attributes:
        method: the HTTP method of the requests, or "*".
        path_prefix: the beginning of their paths.
        count: the number of requests that get it; for `stale`, the number of reads that do not show a write.
        kind: `status` answers with a status; `delay` waits first; `drop_before` breaks the connection and applies
            nothing; `drop_after` applies the request and then breaks the connection; `stale` hides the writes that
            follow from GETs, for `count` reads or, if given, `seconds` of the emulator's clock.
        status: the status, for `status`.
        retry_after: the Retry-After header: seconds, or any text, such as an HTTP date.
        seconds: the delay, for `delay`; how long a write is hidden, for `stale`.
        body: the body, for `status`; left out, the error envelope.
        content_type: the type of that body.
    """

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    path_prefix: str = "/"
    count: Annotated[int, Field(gt=0)] = 1
    kind: Literal["status", "delay", "drop_before", "drop_after", "stale"]
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: int | float | HeaderText | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    body: str | None = None
    content_type: HeaderText = "text/html; charset=utf-8"

    @model_validator(mode="after")
    def _complete(self) -> Fault:
        if self.kind == "status" and self.status is None:
            raise ValueError("a fault of kind status needs a status")
        if self.kind == "delay" and self.seconds is None:
            raise ValueError("a fault of kind delay needs seconds")
        return self


class Faults:
    """The faults that wait for requests. Those of the kind `stale` stay until they are deleted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        """Add faults after the waiting ones."""
        with self._lock:
            self._waiting += faults

    def clear(self) -> None:
        """Delete all waiting faults."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """The faults that still wait."""
        with self._lock:
            return list(self._waiting)

    def stale(self) -> list[Fault]:
        """The faults that make lists late."""
        return [fault for fault in self.waiting() if fault.kind == "stale"]

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault for a request, with its count reduced."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                met = fault.method.upper() in ("*", method) and path.startswith(fault.path_prefix)
                if met and fault.kind != "stale":
                    if fault.count == 1:
                        del self._waiting[index]
                    else:
                        self._waiting[index] = fault.model_copy(update={"count": fault.count - 1})
                    return fault
        return None


LISTS: Final[Mapping[str, str]] = {
    "users": "/organizations/{o}/users/",
    "granted-users": "/api/app/projects/{p}/granted-users",
    "teams": "/organizations/{o}/teams/",
    "service-accounts": "/api/app/organizations/{o}/service-accounts",
    "project-service-accounts": "/api/app/projects/{p}/service-accounts",
    "custom-roles": "/api/app/projects/{p}/custom-roles",
    "twofactor": "/organizations/{o}/twofactor",
    "org-request-access-settings": "/organizations/{o}/org-request-access-settings",
    "scim-users": "/api/app/scim/v2/Users",
    "scim-groups": "/api/app/scim/v2/Groups",
}
"""Name of a list in a dialect -> the template of its path."""
MOST: Final = 50
"""The number of writes that can be hidden; older ones are visible everywhere."""
_PAGES: Final = {"cursor", "startIndex", "count"}
"""The query parameters that ask for a part of a list."""


def must_be_lists(names: Iterable[str]) -> None:
    """Check that the names in `stale_reads` are lists that can be late.

    Raises:
        ValueError: a name is not one of them; the message lists them.
    """
    for name in names:
        if name not in LISTS:
            raise ValueError(f"stale_reads: unknown list {name}; the lists are {', '.join(LISTS)}")


@dataclass
class _Write:
    before: Store
    at: datetime
    late: Mapping[str, int]
    faults: list[Fault]
    reads: Counter[tuple[str, ...]] = field(default_factory=Counter)


class Stale:
    """Answers lists late: each write becomes visible in a list after some reads, or seconds of the emulator's clock.

    The dialect and faults at the time of the write decide how late, so a list never goes back to something older.

    Args:
        store: the current organization.
        faults: the faults, of which only the kind `stale` matters here.
    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._late: dict[str, int] = {}
        self._writes: deque[_Write] = deque()

    def speak(self, dialect: Dialect) -> None:
        """Make the lists late that a dialect names.

        Raises:
            ValueError: the dialect names an unknown list.
        """
        must_be_lists(dialect.stale_reads)
        late = ((LISTS[name], reads) for name, reads in dialect.stale_reads.items())
        self._late = {template.rstrip("/"): reads for template, reads in late if reads}

    @contextmanager
    def serving(self, endpoint: Endpoint, path: str, query: Mapping[str, str]) -> Iterator[Store]:
        """The organization as a request sees it; a write that succeeds is remembered."""
        if endpoint.method == "GET":
            yield self._seen(endpoint, path, query)
            return
        if not self._late and not self._faults.stale():
            self.forget()
            yield self._store
            return
        before = self._store.copy()
        try:
            yield self._store
        except BaseException:
            before.close()
            raise
        self._writes.append(_Write(before, self._store.clock.now(), self._late, self._faults.stale()))
        self._forget(len(self._writes) - MOST)

    def _seen(self, endpoint: Endpoint, path: str, query: Mapping[str, str]) -> Store:
        there, now = set(map(id, self._faults.stale())), self._store.clock.now()
        list_ = (path, *sorted(f"{key}={value}" for key, value in query.items() if key not in _PAGES))
        continues = "cursor" in query or query.get("startIndex", "1") != "1"
        answer: Store | None = None
        for write in self._writes:
            past = write.reads[list_] - continues
            faults = [fault for fault in write.faults if id(fault) in there and path.startswith(fault.path_prefix)]
            late = self._late and past < write.late.get(endpoint.template.rstrip("/"), 0)
            if answer is None and (late or any(_hides(fault, past, now - write.at) for fault in faults)):
                answer = write.before
            write.reads[list_] += not continues
        return answer or self._store

    def forget(self) -> None:
        """Make all writes visible."""
        self._forget(len(self._writes))

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._writes.popleft().before.close()


def _hides(fault: Fault, reads: int, age: timedelta) -> bool:
    """Whether a fault still hides a write of this age, after so many reads of the list."""
    return reads < fault.count if fault.seconds is None else timedelta() <= age < timedelta(seconds=fault.seconds)
