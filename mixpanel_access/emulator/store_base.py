"""What every part of the store stands on: the database, the clock, the settings, one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mixpanel_access.emulator.clock import Clock
from mixpanel_access.emulator.tables import rows


class StoreBase:
    """A part of the store. The database and the clock are set by `Store`."""

    clock: Clock
    _db: sqlite3.Connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def setting(self, name: str) -> Any:
        """One of the document's settings."""
        (row,) = self._rows("SELECT value FROM setting WHERE name = ?", name)
        return json.loads(row["value"])

    def put_setting(self, name: str, value: Any) -> None:
        """Change one of the document's settings."""
        self._db.execute("UPDATE setting SET value = ? WHERE name = ?", (json.dumps(value), name))

    def _next_id(self, table: str, first: int) -> int:
        """An id that no row of the table has or had."""
        found = self._rows("SELECT seq FROM sqlite_sequence WHERE name = ?", table)
        return max(found[0]["seq"] if found else 0, first - 1) + 1

    def _rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        return rows(self._db, statement, *values)
