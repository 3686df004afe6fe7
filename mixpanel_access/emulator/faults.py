"""Faults on demand: the next so many requests of a kind get a status, a delay, or a broken connection.

A fault of the kind `stale` stays until the faults are deleted: from the next write on, lists answer late.
"""

from __future__ import annotations

import threading
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

HeaderText = Annotated[str, Field(pattern=r"^[ -~]*$")]
"""What may stand in a header: printable ASCII."""


class Fault(BaseModel):
    """One fault.

    Attributes:
        method: the HTTP method it is for, or "*".
        path_prefix: what the path begins with.
        count: how many requests get it; of `stale`, how many reads of a list after a write still show what was before
            it.
        kind: `status` answers so; `delay` waits first; `drop_before` breaks the connection and applies nothing;
            `drop_after` applies the request and then breaks the connection; `stale` has GETs answer what was before the
            writes that follow, for `count` reads or, where they are given, `seconds` of the emulator's clock.
        status: the status of kind `status`.
        retry_after: the Retry-After header: seconds, or any text sent as it is (an HTTP date).
        seconds: the delay of kind `delay`; how long a write is hidden, of kind `stale`.
        body: the body of kind `status`; the error envelope if it is not given.
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
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        """Add faults after those that wait."""
        with self._lock:
            self._waiting += faults

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """Those that are left."""
        with self._lock:
            return list(self._waiting)

    def stale(self) -> list[Fault]:
        """Those that have lists be late."""
        return [fault for fault in self.waiting() if fault.kind == "stale"]

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault for such a request, counted down."""
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
