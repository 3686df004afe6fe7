"""One exchange with Mixpanel: redirects, credentials, errors, retry."""

from __future__ import annotations

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mixpanel_access.api.me import MeEndpoint
from mixpanel_access.api.transport import MAX_PARALLEL, READ_ATTEMPTS, Transport
from mixpanel_access.model import errors
from mixpanel_access.model.setting_values import Secret
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


def test_an_answer_that_is_not_packed_as_it_says_is_told() -> None:
    """Its fate is open, as after any answer that cannot be read."""
    packed = httpx.ByteStream(b"no gzip")
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=packed)
    with pytest.raises(errors.Unintelligible, match="is not packed as it says"):
        transport(lambda _: answer).write("/x", BODY, "x")


@pytest.mark.parametrize(
    ("date", "ahead"),
    [("Mon, 04 May 2026 12:05:00 GMT", 300), ("Mon, 04 May 2026 11:59:30 GMT", -30), ("soon", None), (None, None)],
)
def test_the_clock_of_the_host_is_compared_with_ours(date: str | None, ahead: float | None) -> None:
    """By the date of its last answer; one that does not say it is unknown."""
    there = transport(lambda _: httpx.Response(200, json={"results": []}, headers={"Date": date} if date else {}))
    assert there.ahead is None
    there.read("/x", "x")
    assert there.ahead == ahead


STATUSES = {
    400: errors.Invalid,
    401: errors.Unauthorized,
    402: errors.PlanRefusal,
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


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 422])
def test_a_refused_read_is_not_repeated(status: int) -> None:
    """A clear no is final."""
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(status)

    with pytest.raises(errors.MixpanelError):
        transport(handler).read("/x", "x")
    assert len(calls) == 1


def test_a_refusal_says_what_is_needed_by_mixpanels_own_words() -> None:
    """The permission that it names."""
    words = b'{"status":"error","error":"You need the permission edit_userroles"}'
    with pytest.raises(errors.Forbidden, match="edit_userroles: use one with a higher role that has it"):
        transport(lambda _: httpx.Response(403, content=words)).write("/x", {}, "x")


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


WRONG_REGION = {
    "https://mixpanel.com": "not in the region us: `mixpanel-access doctor` finds out whether .* to eu or in",
    "https://eu.mixpanel.com": "not in the region eu: .* to us or in",
    "https://api.example.com": "in another region: check mixpanel:apiUrl",
}


@pytest.mark.parametrize(("url", "advice"), WRONG_REGION.items())
@pytest.mark.parametrize("status", [401, 500, 502, 503, 520])
def test_what_a_wrong_region_answers_names_the_region(url: str, advice: str, status: int) -> None:
    """401 and faults of the server, on `me`: the organization may be elsewhere (contract, section 1)."""
    handler = httpx.MockTransport(lambda _: httpx.Response(status))
    with pytest.raises(errors.MixpanelError, match=advice):
        MeEndpoint(Transport(url, "bot", Secret(SECRET), transport=handler)).read()


@pytest.mark.parametrize("status", [400, 402, 403, 404, 429])
def test_a_refusal_of_a_known_login_names_no_other_region(status: int) -> None:
    """It would lead astray."""
    with pytest.raises(errors.MixpanelError) as raised:
        MeEndpoint(transport(lambda _: httpx.Response(status))).read()
    assert "region us" not in str(raised.value)


def test_a_refusal_by_the_plan_says_so() -> None:
    """With its own advice (contract, section 1)."""
    with pytest.raises(
        errors.PlanRefusal, match=r"402 \(no explanation\)\. The plan of the organization does not allow"
    ):
        transport(lambda _: httpx.Response(402)).write("/x", {}, "x")
