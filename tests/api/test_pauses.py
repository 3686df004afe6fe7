"""How long a server asks to wait, in every spelling."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mixpanel_access.api.pauses import LONGEST, pause_of
from mixpanel_access.api.transport import READ_ATTEMPTS
from mixpanel_access.model import errors
from tests.api.conftest import NOW, ok, transport

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


LIMITS: dict[str, tuple[dict[str, str], float | None]] = {
    "used up": ({"RateLimit": '"default";r=0;t=30'}, 30),
    "a token for a name": ({"RateLimit": "default;r=0;t=30"}, 30),
    "spaces": ({"RateLimit": ' "default" ; r = 0 ; t = 30 '}, 30),
    "in capitals": ({"RATELIMIT": '"default";R=0;T=30'}, 30),
    "the one that is used up": ({"RateLimit": '"burst";r=0;t=5, "daily";r=900;t=40000'}, 5),
    "the longer of two": ({"RateLimit": '"burst";r=0;t=5, "daily";r=0;t=50'}, 50),
    "what is left is not told": ({"RateLimit": '"default";t=30'}, 30),
    "a name with commas and semicolons": ({"RateLimit": '"a, b;r=9;t=1";r=0;t=9'}, 9),
    "something is left": ({"RateLimit": '"default";r=5;t=30'}, None),
    "something is left, with its policy": ({"RateLimit": '"d";r=5;t=30', "RateLimit-Policy": '"d";q=9;w=60'}, None),
    "older": ({"RateLimit": "limit=100, remaining=0, reset=30"}, 30),
    "older, with a window": ({"RateLimit": "limit=100;w=60, remaining=0, reset=7"}, 7),
    "older, something left": ({"RateLimit": "limit=100, remaining=3, reset=30"}, None),
    "a policy alone": ({"RateLimit-Policy": '"default";q=100;w=60'}, 60),
    "the shortest of the policies": ({"RateLimit-Policy": '"day";q=9;w=86400, "minute";q=1;w=60'}, 60),
    "a policy for what has no reset": ({"RateLimit": '"d";r=0', "RateLimit-Policy": '"d";q=9;w=20'}, 20),
    "the policy's older spelling": ({"RateLimit-Policy": "100;w=60"}, 60),
    "Retry-After comes first": ({"Retry-After": "3", "RateLimit": '"d";r=0;t=30'}, 3),
    "a Retry-After that nobody can read": ({"Retry-After": "soon", "RateLimit": '"d";r=0;t=30'}, 30),
    "now": ({"RateLimit": '"d";r=0;t=0'}, 0),
    "for ever": ({"RateLimit": f'"d";r=0;t={"9" * 5000}'}, LONGEST),
    "negative": ({"RateLimit": '"d";r=0;t=-5'}, None),
    "a fraction": ({"RateLimit": '"d";r=0;t=0.5'}, None),
    "no number": ({"RateLimit": '"d";r=none;t=soon'}, None),
    "no value": ({"RateLimit": '"d";r;t'}, None),
    "an open quote": ({"RateLimit": '"d;r=0;t=30'}, 30),
    "nothing": ({"RateLimit": "", "RateLimit-Policy": ""}, None),
    "commas": ({"RateLimit": ",;,=;", "RateLimit-Policy": ";;;w=,"}, None),
}


@pytest.mark.parametrize(("headers", "seconds"), LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("status", [429, 503])
def test_rate_limit_counts_where_retry_after_is_missing(
    headers: dict[str, str], seconds: float | None, status: int
) -> None:
    """In the draft's syntax and in its older ones; what cannot be read is as if it were not there."""
    assert pause_of(status, httpx.Headers(headers), NOW) == seconds


@pytest.mark.parametrize("status", [400, 403, 408, 500, 502, 504])
def test_elsewhere_rate_limit_only_says_what_is_left(status: int) -> None:
    """Another refusal has nothing to do with it."""
    assert pause_of(status, httpx.Headers({"RateLimit": '"d";r=0;t=30'}), NOW) is None


_PIECES = st.lists(
    st.sampled_from(['"', ";", ",", "=", "r", "t", "w", "reset", "remaining", "0", "9", " ", "-", "\xb2"])
)


@given(_PIECES.map("".join) | st.text(), _PIECES.map("".join) | st.text(), st.text())
@example('"' * 50_000, ";t=" * 50_000, "")
def test_odd_headers_give_a_bounded_pause_or_none(limit: str, policy: str, retry_after: str) -> None:
    """Whatever a header says, nothing is raised, and nobody is told to wait for more than a day."""
    seconds = pause_of(429, {"ratelimit": limit, "ratelimit-policy": policy, "retry-after": retry_after}, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST


@pytest.mark.parametrize(("seconds", "calls"), [(errors.LONGEST_WAIT, READ_ATTEMPTS), (errors.LONGEST_WAIT + 1, 1)])
def test_a_read_waits_for_rate_limit_at_most_a_minute(seconds: float, calls: int) -> None:
    """As for Retry-After: more is told, not waited for."""
    seen: list[int] = []

    def handler(_: httpx.Request) -> httpx.Response:
        seen.append(1)
        return ok([1]) if len(seen) == 7 else httpx.Response(429, headers={"RateLimit": f'"d";r=0;t={seconds:.0f}'})

    with pytest.raises(errors.RateLimited, match=f"in {seconds:.0f} seconds"):
        transport(handler).read("/x", "x")
    assert len(seen) == calls
