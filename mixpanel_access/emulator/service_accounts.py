"""The service accounts list (contract, section 6)."""

from __future__ import annotations

from starlette.responses import Response

from mixpanel_access.emulator.answer import ok
from mixpanel_access.emulator.common import managing
from mixpanel_access.emulator.routing import Call, Endpoint
from mixpanel_access.emulator.tables import as_text


def _list(call: Call) -> Response:
    """Neither token nor role nor projects: those who want a grant read the project's list."""
    managing(call)
    return ok(
        [
            {
                "id": account.id,
                "username": account.username,
                "created": None,
                "creator": None,
                "expires": as_text(account.expires),
                "last_used": None,
                "user": account.user_id,
            }
            for account in call.store.accounts()
        ]
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/api/app/organizations/{o}/service-accounts", _list, 6, "documented"),
)
