"""The request log: how many requests of each endpoint came, and how many bytes went out."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

_KEPT = 10_000


@dataclass
class RequestLog:
    """Counts since the last reset; the last requests one by one."""

    by_endpoint: Counter[str] = field(default_factory=Counter)
    bytes_out: int = 0
    last: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, method: str, template: str, path: str, status: int | None, size: int) -> None:
        """Count one request; the status is None for a connection that was broken."""
        self.by_endpoint[f"{method} {template}"] += 1
        self.bytes_out += size
        self.last.append({"method": method, "path": path, "status": status, "bytes_out": size})

    def reset(self) -> None:
        """Count from zero."""
        self.by_endpoint.clear()
        self.bytes_out = 0
        self.last.clear()

    def summary(self, *, detail: bool = False) -> dict[str, Any]:
        """The log as the control surface shows it."""
        counts = {
            "total": sum(self.by_endpoint.values()),
            "bytes_out": self.bytes_out,
            "by_endpoint": dict(sorted(self.by_endpoint.items())),
        }
        return {**counts, "requests": list(self.last)} if detail else counts
