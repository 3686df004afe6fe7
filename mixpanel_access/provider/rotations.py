"""Service accounts that another one replaces and that stay for a while: what the resources of one run tell each other.

The engine replaces a resource with a `create` and a `delete` that do not know of each other. `diff` sees both sides and
runs before them in the same process, so it notes here what `create` takes over and `delete` leaves.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mixpanel_access.model.dates import instant, written

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Retiring:
    """An account that another one has replaced, and that is deleted later.

    Attributes:
        account: Mixpanel's id of it.
        login: its login name.
        until: when it is deleted.
    """

    account: int
    login: str
    until: datetime

    @classmethod
    def all_of(cls, outputs: Properties) -> list[Retiring]:
        """Those that the outputs of a `ServiceAccount` have; none where they are a secret."""
        rows = outputs.get("retiring")
        if not isinstance(rows, list):
            return []
        return [cls(int(row["account_id"]), str(row["login"]), instant(str(row["until"]))) for row in rows]

    def row(self) -> dict[str, Any]:
        """As the outputs have it."""
        return {"account_id": self.account, "login": self.login, "until": written(self.until)}


class Rotations:
    """What one run knows of rotations."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, list[tuple[Properties, bool]]] = {}
        self._kept: dict[int, tuple[Retiring, int]] = {}

    def note_due(self, inputs: Properties, outputs: Properties, *, may_stay: bool) -> None:
        """Note that one with these inputs is to replace the account with these outputs, and whether that may stay."""
        with self._lock:
            due = self._due.setdefault(_key(inputs), [])
            if all(one.get("account_id") != outputs.get("account_id") for one, _ in due):
                due.append((outputs, may_stay))

    def take_due(self, inputs: Properties) -> tuple[Properties, bool] | None:
        """The outputs of the account that one with these inputs replaces, and whether it may stay; each is taken once.

        Two resources with equal inputs that are replaced in one run may take each other's: they stand for the same.
        """
        with self._lock:
            due = self._due.get(_key(inputs))
            return due.pop(0) if due else None

    def keep(self, retiring: Iterable[Retiring], successor: int) -> None:
        """Note that these accounts stay for now, and which account has replaced them."""
        with self._lock:
            self._kept.update((one.account, (one, successor)) for one in retiring)

    def kept(self, account: int) -> tuple[Retiring, int] | None:
        """An account that stays for now, with the id of the one that has replaced it; None if it is no such account."""
        with self._lock:
            return self._kept.get(account)

    def replaced_by(self, account: int) -> list[Retiring]:
        """The accounts that this one has replaced and that are still there."""
        with self._lock:
            return [one for one, successor in self._kept.values() if successor == account]


def _key(inputs: Properties) -> str:
    return json.dumps(dict(inputs), sort_keys=True, default=str)
