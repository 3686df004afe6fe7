"""The emulator answers programs on this machine, and no web page that a browser here has open."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.control import must_be_local
from tests.emulator.conftest import ORG, Client

PATHS = [("GET", f"/organizations/{ORG}/users/"), ("GET", "/_emulator/dump"), ("DELETE", "/_emulator/requests")]
HEADERS: dict[str, tuple[dict[str, str], bool]] = {
    "a program": ({}, True),
    "by another name of this machine": ({"Host": "localhost:1"}, True),
    "in IPv6": ({"Host": "[::1]:8080"}, True),
    "a name that leads here": ({"Host": "rebound.example.com"}, False),
    "a name that begins as this machine's": ({"Host": "127.0.0.1.example.com"}, False),
    "in capitals": ({"Host": "LOCALHOST:8080"}, True),
    "another address of this machine": ({"Host": "127.9.9.9"}, True),
    "every address": ({"Host": "0.0.0.0:8080"}, False),
    "an address of the network": ({"Host": "192.168.1.5:8080"}, False),
    "a number": ({"Host": "2130706433"}, False),
    "in hexadecimal": ({"Host": "0x7f000001"}, False),
    "this machine's as a user": ({"Host": "localhost@rebound.example.com"}, False),
    "this machine's with a suffix": ({"Host": "localhost.example.com"}, False),
    "no name": ({"Host": ""}, False),
    "a broken name": ({"Host": "[::1"}, False),
    "a page of another site": ({"Origin": "https://example.com"}, False),
    "a page of another port": ({"Origin": "http://127.0.0.1:1"}, False),
    "a page of another scheme at another name": ({"Origin": "https://localhost"}, False),
    "a page that nobody can read": ({"Origin": "http://[::1"}, False),
    "a page without a name": ({"Origin": ""}, False),
    "a page from a file or a sandbox": ({"Origin": "null"}, False),
}


@pytest.fixture
def transport() -> None:
    """A socket."""


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(("headers", "served"), HEADERS.values(), ids=HEADERS.keys())
def test_only_programs_on_this_machine_are_answered(
    client: Client, method: str, path: str, headers: dict[str, str], served: bool
) -> None:
    """By the names that lead to a request, and by the page that sends it; the API and the control surface alike."""
    answer = client.request(method, path, headers=headers)
    assert answer.status_code in ((200, 204) if served else (403,)), answer.text


TYPES: dict[str, tuple[str, int]] = {
    "JSON": ("application/json", 200),
    "JSON with its charset": ("Application/JSON; charset=utf-8", 200),
    "a form": ("application/x-www-form-urlencoded", 415),
    "plain text": ("text/plain", 415),
    "none": ("", 415),
    "like JSON": ("application/jsonp", 415),
}


@pytest.mark.parametrize(("type_", "status"), TYPES.values(), ids=TYPES.keys())
def test_the_control_surface_takes_json_alone(client: Client, type_: str, status: int) -> None:
    """What a page can send without asking the server first is none of it, and changes nothing."""
    before = client.control("GET", "clock")
    body = b'{"advance_seconds": 86400}'
    answer = client.post("/_emulator/clock", content=body, headers={"Content-Type": type_})
    assert answer.status_code == status
    assert (client.control("GET", "clock") == before) is (status != 200)


@pytest.mark.parametrize(
    ("origin", "refused"), [(None, False), ("http://emulator:8080", False), ("https://a.example", True)]
)
def test_one_that_others_reach_answers_on_any_name(origin: str | None, refused: bool) -> None:
    """Bound to more than this machine, as in a container, it cannot know its names; a foreign page gets nothing."""
    headers = [(b"host", b"emulator:8080"), *([(b"origin", origin.encode())] if origin else [])]
    request = Request({"type": "http", "headers": headers})
    if refused:
        with pytest.raises(Refusal, match="another origin"):
            must_be_local(request, loopback=False)
    else:
        must_be_local(request, loopback=False)
