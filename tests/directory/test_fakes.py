"""The organization in memory has the calls of the client, so that what works on it works on Mixpanel's."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.setting_values import Secret
from tests.fake_scim import FakeScim
from tests.fakes import FakeApi

FAMILIES = (
    *("me", "users", "projects", "custom_roles", "service_accounts", "teams", "organization_settings", "audit_log"),
    "scim",
)


@pytest.fixture
def api() -> Iterator[Api]:
    """The real client; nothing is sent."""
    transports = [Transport("https://mixpanel.com", "bot", Secret("hush-hush")) for _ in range(2)]
    made = Api(transports[0], 1, provisioning=transports[1])
    yield made
    made.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_fake_takes_what_the_client_takes(api: Api, family: str) -> None:
    """Every call of the family, with the same parameters in the same order."""
    fake = FakeApi()
    fake.scim = FakeScim(fake, set())
    real, faked = getattr(api, family), getattr(fake, family)
    calls = [name for name, call in inspect.getmembers(type(real), inspect.isfunction) if not name.startswith("_")]
    assert calls
    assert {name: _parameters(faked, name) for name in calls} == {name: _parameters(real, name) for name in calls}


def _parameters(owner: Any, name: str) -> list[tuple[str, Any]]:
    found = inspect.signature(getattr(owner, name)).parameters.values()
    return [(one.name, one.kind) for one in found]
