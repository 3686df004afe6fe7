"""The emulator's SCIM under an independent tester: every check passes, or is listed with the reason why it cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Group, ScimProvider, User
from scim2_tester import CheckResult, Status, check_server

from mixpanel_access.emulator.server import EmulatorServer

TOKEN: Final = "scim-token"
DOMAIN: Final = "example.com"
DOCUMENT: Final = {
    "organization": {"id": 7654321, "name": "Example"},
    "members": [{"email": f"owner{n}@{DOMAIN}", "role": "owner"} for n in range(2)],
    "security": {
        "scim_token": TOKEN,
        "sso": {"enabled": True, "required": False, "domains": [{"name": DOMAIN, "state": "verified"}]},
    },
}

NOT_SERVED = "Mixpanel's SCIM is a subset of RFC 7644, and the contract knows no such endpoint (contract, section 10)"
NOT_TAKEN = "of the query parameters, the contract knows filter, startIndex and count only (contract, section 10)"
USER_NAME = "userName is the address in a claimed domain that the user is known by: it does not change"
EMAILS = "a user has one address, their userName, and is active or not: neither can be taken away"
NAMES = "a user's name is the organization's too, which keeps what it was told"
MEMBERS = "the group shows its members as the organization knows them, with their addresses"
EXCEPTIONS: Final[dict[tuple[str, str], str]] = {
    ("search_with_attributes", "Not found"): NOT_SERVED,
    ("object_query_with_attributes", "excluded attribute"): NOT_TAKEN,
    ("object_list_with_attributes", "excluded attribute"): NOT_TAKEN,
    ("object_replacement", "userName cannot be changed"): USER_NAME,
    ("check_replace_attribute", "userName cannot be changed"): USER_NAME,
    ("check_add_attribute", "unexpected value for 'emails'"): EMAILS,
    ("check_remove_attribute", "did not remove attribute 'emails'"): EMAILS,
    ("check_remove_attribute", "did not remove attribute 'active'"): EMAILS,
    ("check_remove_attribute", "did not remove attribute 'name'"): NAMES,
    ("check_add_attribute", "unexpected value for 'members'"): MEMBERS,
    ("check_replace_attribute", "unexpected value for 'members'"): MEMBERS,
}
"""What the tester asks for and does not get: check, words of its finding -> why."""


class _Addressed(httpx2.BaseTransport):
    """Makes the tester's user names addresses on the way there, and names again on the way back.

    The contract asks for an address in a claimed domain, and the tester sends any text.
    """

    _BACK = re.compile(rb'("userName"\s*:\s*"[0-9a-f-]{36})@example\.com"')

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if sent := request.read():
            request = httpx2.Request(
                request.method,
                request.url,
                headers=_without_length(request.headers),
                content=json.dumps(_addressed(json.loads(sent))).encode(),
            )
        answer = self._inner.handle_request(request)
        content = self._BACK.sub(rb'\1"', answer.read())
        return httpx2.Response(answer.status_code, headers=_without_length(answer.headers), content=content)

    def close(self) -> None:
        self._inner.close()


def _without_length(headers: Any) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers.raw if name.lower() != b"content-length"]


def _addressed(value: Any) -> Any:
    """The body with addresses for user names; a PATCH names the attribute by its path."""
    if isinstance(value, list):
        return [_addressed(part) for part in value]
    if not isinstance(value, dict):
        return value
    named = str(value.get("path", "")).lower() == "username"
    return {
        key: f"{part}@{DOMAIN}"
        if isinstance(part, str) and "@" not in part and (key.lower() == "username" or (named and key == "value"))
        else _addressed(part)
        for key, part in value.items()
    }


@pytest.fixture(scope="module")
def results() -> Iterator[list[CheckResult]]:
    """What the tester finds."""
    with EmulatorServer(DOCUMENT) as server:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{server.url}/api/app/scim/v2"
        with httpx2.Client(base_url=url, headers=headers, transport=_Addressed()) as client:
            scim = SyncSCIMClient(client, provider=ScimProvider(models=[User, Group]))
            yield check_server(scim)


def _reason(result: CheckResult) -> str | None:
    """Why a finding is no fault, or None where it is one."""
    said = result.reason or ""
    return next((why for (check, words), why in EXCEPTIONS.items() if check == result.title and words in said), None)


def test_every_check_passes_or_is_an_exception(results: list[CheckResult]) -> None:
    """No finding is without its reason."""
    failed = [result for result in results if result.status is not Status.SUCCESS]
    assert [f"{one.title}: {one.reason}" for one in failed if _reason(one) is None] == []


def test_every_exception_is_needed(results: list[CheckResult]) -> None:
    """One that nothing falls under any more is to be taken out; and most checks pass."""
    failed = [result for result in results if result.status is not Status.SUCCESS]
    for check, words in EXCEPTIONS:
        assert any(one.title == check and words in (one.reason or "") for one in failed), (check, words)
    passed = {result.title for result in results if result.status is Status.SUCCESS}
    assert {"object_creation", "object_query", "object_deletion", "service_provider_config_endpoint"} <= passed
    assert {"query_all_schemas", "query_all_resource_types"} <= passed
