"""An answer that says nothing is no empty list."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.errors import Unintelligible
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings

NOW = datetime(2026, 5, 4, tzinfo=UTC)
LISTS: dict[str, Callable[[Api], Any]] = {
    "people": lambda api: api.users.list_users(),
    "grants": lambda api: api.projects.granted_users(1),
    "teams": lambda api: api.teams.list_teams(),
    "service accounts": lambda api: api.service_accounts.list_accounts(),
    "projects": lambda api: api.projects.list_projects(),
    "custom roles": lambda api: api.custom_roles.list_roles(1),
    "audit log": lambda api: api.audit_log.events(["session.logged_in"], NOW, NOW),
}


@pytest.mark.parametrize("answer", [{}, {"status": "ok"}, {"pagination": {}}, {"results": {"pagination": {}}}, None])
@pytest.mark.parametrize("name", LISTS)
def test_an_answer_without_results_is_no_empty_list(name: str, answer: Any) -> None:
    """Whoever asks who is there is not told that nobody is."""
    settings = Settings(7654321, "http://127.0.0.1:1", "user", Secret("s:ecret"), now=NOW)
    content = json.dumps(answer).encode()

    def make(*args: Any, **options: Any) -> Transport:
        return Transport(
            *args, **options, transport=httpx.MockTransport(lambda _: httpx.Response(200, content=content))
        )

    with pytest.raises(Unintelligible):
        LISTS[name](Api.connect(settings, make=make))
