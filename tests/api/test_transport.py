"""One exchange with Mixpanel: redirects, credentials, errors, retry."""

from __future__ import annotations

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mixpanel_access.api.transport import MAX_PARALLEL, MAX_REDIRECTS, READ_ATTEMPTS, Transport
from mixpanel_access.model import errors
from mixpanel_access.model.secret import Secret
from tests.api.conftest import HOST, SECRET, ok, transport

BODY = {"users": [{"email": "bo@example.com"}]}


def test_credentials_go_out_as_basic() -> None:
    """In base64, on reads and writes."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return ok([])

    transport(handler).read("/x", "x")
    transport(handler).write("/x", {}, "x")
    assert seen == ["Basic " + base64.b64encode(f"bot:{SECRET}".encode()).decode()] * 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("location", ["/there/", f"{HOST}/there/", "there/"], ids=["path", "absolute", "relative"])
def test_a_redirect_keeps_method_and_body(status: int, location: str) -> None:
    """A 301 on a write must not become a read of a list."""
    seen: list[tuple[str, str, bytes]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path, request.content))
        if len(seen) == 1:
            return httpx.Response(status, headers={"Location": location})
        return ok({"success": True})

    transport(handler).write("/here", BODY, "x")
    assert [(method, path) for method, path, _ in seen] == [("POST", "/here"), ("POST", "/there/")]
    assert seen[0][2] == seen[1][2] != b""


ELSEWHERE = [
    "https://evil.example.com/x",
    "https://eu.mixpanel.com/x",
    "http://mixpanel.com/x",
    "https://mixpanel.com:8443/x",
    "//evil.example.com/x",
]


@pytest.mark.parametrize("location", ELSEWHERE)
@pytest.mark.parametrize("verb", ["read", "write"])
def test_another_origin_gets_nothing(location: str, verb: str) -> None:
    """Neither credentials nor people's addresses go to another host, port or scheme."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(307, headers={"Location": location})

    with pytest.raises(errors.Unintelligible, match="redirects to another host"):
        transport(handler).read("/x", "x") if verb == "read" else transport(handler).write("/x", BODY, "x")
    assert seen == [f"{HOST}/x"]


@pytest.mark.parametrize("location", ["http://[", "//["])
def test_a_redirect_to_no_url_is_told(location: str) -> None:
    """Nothing is sent there."""
    with pytest.raises(errors.Unintelligible, match="redirects to what is no URL"):
        transport(lambda _: httpx.Response(307, headers={"Location": location})).write("/x", BODY, "x")


def test_an_answer_that_is_not_packed_as_it_says_is_told() -> None:
    """Its fate is open, as after any answer that cannot be read."""
    packed = httpx.ByteStream(b"no gzip")
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=packed)
    with pytest.raises(errors.Unintelligible, match="is not packed as it says"):
        transport(lambda _: answer).write("/x", BODY, "x")


def test_a_circle_of_redirects_ends() -> None:
    """After ten it is told."""
    seen: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(1)
        return httpx.Response(301, headers={"Location": "/x"})

    with pytest.raises(errors.Unintelligible, match="in a circle"):
        transport(handler).read("/x", "x")
    assert len(seen) == MAX_REDIRECTS + 1


STATUSES = {
    400: errors.Invalid,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.NotFound,
    408: errors.ServerFault,
    418: errors.ServerFault,
    422: errors.Invalid,
    429: errors.RateLimited,
    500: errors.ServerFault,
    503: errors.ServerFault,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_each_status_is_its_own_error(status: int, kind: type[errors.MixpanelError]) -> None:
    """With the server's words, the status, what was tried, and what to do next."""
    with pytest.raises(kind) as raised:
        transport(lambda _: httpx.Response(status, json={"error": "no such luck"})).write("/x", {}, "invite bo")
    assert type(raised.value) is kind
    assert raised.value.status == status
    assert str(raised.value).startswith(f"cannot invite bo: Mixpanel answered {status} (no such luck). ")


PASSING = [408, 429, 500, 502, 503, 504]


@pytest.mark.parametrize("fault", [*PASSING, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")], ids=str)
def test_a_read_is_repeated_on_a_passing_fault(fault: int | Exception) -> None:
    """Four times if need be."""
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        if len(calls) < READ_ATTEMPTS:
            if isinstance(fault, Exception):
                raise fault
            return httpx.Response(fault)
        return ok([1])

    assert transport(handler).read("/x", "x") == [1]
    assert len(calls) == READ_ATTEMPTS


@pytest.mark.parametrize("fault", [*PASSING, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")], ids=str)
def test_a_write_goes_out_once(fault: int | Exception) -> None:
    """Whoever wants it again reads back first."""
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        if isinstance(fault, Exception):
            raise fault
        return httpx.Response(fault)

    with pytest.raises(errors.MixpanelError):
        transport(handler).write("/x", {}, "x")
    assert len(calls) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
def test_a_refused_read_is_not_repeated(status: int) -> None:
    """A clear no is final."""
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(status)

    with pytest.raises(errors.MixpanelError):
        transport(handler).read("/x", "x")
    assert len(calls) == 1


RETRY_AFTER = {
    "seconds": ("7", 7.0),
    "zero": ("0", 0.0),
    "date": ("Mon, 04 May 2026 12:00:30 GMT", 30.0),
    "twenty digits": ("9" * 20, 86_400.0),
    "more digits than a number has": ("9" * 5000, 86_400.0),
    "a date far off": ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
    "past date": ("Mon, 04 May 2026 11:00:00 GMT", 0.0),
    "garbage": ("soon", None),
    "no digit": ("\N{SUPERSCRIPT TWO}", None),
    "no date": ("Mon, 99 Foo 0000 25:61:61", None),
    "none": (None, None),
}


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER.keys())
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """Whole seconds or an HTTP date; anything else is as if it were not there."""
    headers = {} if header is None else {b"Retry-After": header.encode("latin-1")}
    with pytest.raises(errors.RateLimited) as raised:
        transport(lambda _: httpx.Response(429, headers=headers)).write("/x", {}, "x")
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(("seconds", "calls"), [(errors.LONGEST_WAIT, READ_ATTEMPTS), (errors.LONGEST_WAIT + 1, 1)])
def test_nobody_waits_for_an_hour(seconds: float, calls: int) -> None:
    """A server that asks for more than a minute is not waited for; the user is told when to come back."""
    seen: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(1)
        return httpx.Response(429, headers={"Retry-After": f"{seconds:.0f}"})

    with pytest.raises(errors.RateLimited, match=f"in {seconds:.0f} seconds"):
        transport(handler).read("/x", "x")
    assert len(seen) == calls


def test_an_unreachable_host_is_told_with_what_to_check() -> None:
    """The address, the reason, the settings."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused")

    with pytest.raises(errors.Unreachable, match=r"https://mixpanel\.com cannot be reached .*refused.*mixpanel:apiUrl"):
        transport(handler).write("/x", {}, "x")


PAGES = {
    "page with 200": (200, b"<!DOCTYPE html><p>login", errors.Unintelligible, "an HTML page"),
    "page with 502": (502, b"<html>bad gateway", errors.ServerFault, "an HTML page"),
    "text with 200": (200, b"hello", errors.Unintelligible, "hello"),
    "nothing with 200": (200, b"", errors.Unintelligible, "no explanation"),
    "nothing with 403": (403, b"", errors.Forbidden, "no explanation"),
}


@pytest.mark.parametrize(("status", "content", "kind", "words"), PAGES.values(), ids=PAGES.keys())
def test_what_is_no_json(status: int, content: bytes, kind: type[Exception], words: str) -> None:
    """A proxy's page is called what it is."""
    with pytest.raises(kind, match=words):
        transport(lambda _: httpx.Response(status, content=content)).write("/x", {}, "x")


def test_no_more_than_three_requests_at_once() -> None:
    """Eight threads share three slots."""
    lock, now, most = threading.Lock(), [0], [0]

    def handler(request: httpx.Request) -> httpx.Response:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)  # long enough for others to come in, were they let
        with lock:
            now[0] -= 1
        return ok([])

    shared = transport(handler)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: shared.read("/x", "x"), range(16)))
    assert most[0] == MAX_PARALLEL


@pytest.mark.parametrize("secret", ["ünïcode", "with:colon", "with space"])
def test_odd_secrets(secret: str) -> None:
    """They are sent as UTF-8."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(base64.b64decode(request.headers["authorization"].split()[1]).decode())
        return ok([])

    Transport(HOST, "bot", Secret(secret), transport=httpx.MockTransport(handler)).read("/x", "x")
    assert seen == [f"bot:{secret}"]
