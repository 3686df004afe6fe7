"""The organization's audit log. The names of events are documented; the query was once published and withdrawn.

How a further page is asked for is assumed (contract, section 11).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

from mixpanel_access.api import wire_audit
from mixpanel_access.api.shapes import unintelligible
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.dates import written

MOST_PAGES: Final = 200
"""Pages that are read at most: a cursor that never ends must not keep a command for ever."""


class AuditLogEndpoint:
    """`POST /api/app/organizations/{o}/audit-logs`: a query, which changes nothing."""

    def __init__(self, transport: Transport, organization: int) -> None:
        self._transport = transport
        self._organization = organization

    def events(self, types: Sequence[str], since: datetime, until: datetime) -> list[AuditEvent]:
        """The events of some types within a span, both ends included, the newest first.

        Args:
            types: such as `organization.user_added`.
            since: the first instant (UTC).
            until: the last.

        Raises:
            Forbidden: our account may not read it, or the plan has none.
            Unintelligible: it does not come to an end.
        """
        what = f"read the audit log of organization {self._organization}"
        path = f"/api/app/organizations/{self._organization}/audit-logs"
        body = {"types": list(types), "created_gte": written(since), "created_lte": written(until)}
        found: list[AuditEvent] = []
        seen: set[str] = set()
        query = ""
        for _ in range(MOST_PAGES):
            results, cursor = self._transport.query(f"{path}{query}", body, what)
            found += wire_audit.audit_events_from(results, what)
            if cursor is None or cursor in seen:
                break
            seen.add(cursor)
            query = f"?cursor={quote(cursor, safe='')}"
        else:
            raise unintelligible(what, f"it has more than {MOST_PAGES} pages")
        return sorted(found, key=lambda event: event.at, reverse=True)
