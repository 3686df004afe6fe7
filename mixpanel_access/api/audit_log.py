"""The organization's audit log: by the Platform API, else by the older route (contract, sections 11 and 16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from mixpanel_access.api import wire_audit
from mixpanel_access.api.envelope import Json
from mixpanel_access.api.transport import MOST_PAGES, PLATFORM_ROOT, Transport
from mixpanel_access.model import errors
from mixpanel_access.model.audit import PAGE_SIZE, AuditEvent
from mixpanel_access.model.dates import written
from mixpanel_access.model.rights import Permission

_REFUSALS: Final = (errors.NotFound, errors.Forbidden, errors.Unauthorized, errors.Invalid)
"""Answers of the Platform API after which the older route is asked; a passing fault is none of them."""
_SECOND: Final = timedelta(seconds=1)
_NEXT_STEP: Final = (
    f"The service account needs the permission {Permission.VIEW_AUDIT_LOGS}, which organization owners and admins "
    "have, and the plan must have the audit log."
)


class AuditLogEndpoint:
    """Reads the audit log; nothing is changed.

    Args:
        transport: to the organization's host.
        organization: its id.
        platform: to the host of the Platform API.
    """

    def __init__(self, transport: Transport, organization: int, platform: Transport) -> None:
        self._transport = transport
        self._organization = organization
        self._platform = platform
        self._refusal: errors.MixpanelError | None = None

    @property
    def fallback(self) -> str:
        """Why the older route is asked instead of the Platform API, or "" where it is not."""
        return self._refusal.why if self._refusal else ""

    def events(
        self, types: Sequence[str], since: datetime, until: datetime, pages: int | None = None
    ) -> list[AuditEvent]:
        """The events of some types within a span, both ends included, the newest first.

        Args:
            types: such as `organization.user_added`.
            since: the first instant (UTC); it counts from the beginning of its second.
            until: the last.
            pages: the pages that are enough: older events than those on them are left out; None for all.

        Raises:
            Forbidden: our account may not read it, or the plan has none; both routes say so.
            Unintelligible: it does not come to an end, repeats itself or is cut.
        """
        what = f"read the audit log of organization {self._organization}"
        first = since.replace(microsecond=0)
        read = self._pages(types, first, until, what, pages or MOST_PAGES)
        found = [event for page in read for event in wire_audit.audit_events_from(page, what)]
        within = (event for event in found if first <= event.at <= until)
        return sorted(within, key=lambda event: event.at, reverse=True)

    def _pages(self, types: Sequence[str], since: datetime, until: datetime, what: str, most: int) -> list[Json]:
        if self._refusal is None:
            try:
                return self._by_platform(types, since, until, what, most)
            except _REFUSALS as error:
                self._refusal = error
            except errors.Unreachable as error:
                if self._platform is self._transport:
                    raise
                self._refusal = error  # a network may let us out to mixpanel.com alone
        try:
            return self._by_older_route(types, since, until, what, most)
        except _REFUSALS as error:
            raise _of_both(self._refusal, error, what) from None

    def _by_platform(self, types: Sequence[str], since: datetime, until: datetime, what: str, most: int) -> list[Json]:
        """Nobody says whether the ends of the span are in it, so it is asked for with a second more at both."""
        path = f"{PLATFORM_ROOT}organizations/{self._organization}/audit-logs/query"
        span = {"created_after": written(since - _SECOND), "created_before": written(until + _SECOND)}
        parameters = {"page_size": str(PAGE_SIZE), "order": "desc"}
        return self._platform.query(path, parameters, {"types": list(types), **span}, what, most)

    def _by_older_route(
        self, types: Sequence[str], since: datetime, until: datetime, what: str, most: int
    ) -> list[Json]:
        path = f"/api/app/organizations/{self._organization}/audit-logs"
        body = {"types": list(types), "created_gte": written(since), "created_lte": written(until)}
        return self._transport.query(path, {}, body, what, most)


def _of_both(first: errors.MixpanelError, second: errors.MixpanelError, what: str) -> errors.MixpanelError:
    """One error for two refusals: what is forbidden by one route and not there by the other is forbidden."""
    telling = first if isinstance(first, errors.Forbidden) and isinstance(second, errors.NotFound) else second
    error = type(telling)(
        f"cannot {what}",
        why=f"the Platform API: {first.why}; the older route: {second.why}",
        next_step=_NEXT_STEP if isinstance(telling, (errors.Forbidden, errors.NotFound)) else second.next_step,
    )
    error.status = telling.status
    return error
