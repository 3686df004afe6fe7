"""The audit log: by the Platform API, by the older route where that refuses, and never a part taken for the whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import MOST_PAGES, READ_ATTEMPTS
from mixpanel_access.model import errors
from mixpanel_access.model.audit import PAGE_SIZE
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings
from tests.api.conftest import ok, transport

ORG = 7654321
SINCE, UNTIL = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 4, 12, tzinfo=UTC)
PLATFORM = f"/v1/organizations/{ORG}/audit-logs/query"
OLD = f"/api/app/organizations/{ORG}/audit-logs"
Answer = Callable[[httpx.Request], httpx.Response]


def event(id_: str, created: str = "2026-05-02T09:00:00Z") -> dict[str, Any]:
    """An event as the log has it."""
    return {"id": id_, "created": created, "entity": {"type": "invitation.sent"}}


def page(*rows: dict[str, Any], **pagination: object) -> httpx.Response:
    """A bare answer, as the Platform API gives it."""
    return httpx.Response(200, json={"results": list(rows), "pagination": pagination})


def problem(status: int, detail: str, **more: object) -> httpx.Response:
    """Problem details (RFC 9457)."""
    content = {"type": "about:blank", "title": "A title", "status": status, "detail": detail, "error_id": "1", **more}
    return httpx.Response(status, json=content, headers={"content-type": "application/problem+json"})


@dataclass
class Server:
    """Answers each route with its answers, one after the other, the last one for ever."""

    platform: list[httpx.Response | Exception] = field(default_factory=list)
    old: list[httpx.Response | Exception] = field(default_factory=list)
    seen: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answers = {PLATFORM: self.platform, OLD: self.old}[request.url.path]
        answer = answers[min(self.asked[request.url.path], len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def asked(self) -> dict[str, int]:
        """How often each route was asked."""
        return {path: sum(r.url.path == path for r in self.seen) for path in (PLATFORM, OLD)}

    def api(self, *, elsewhere: bool = False) -> Api:
        """A client; with the Platform API at a host of its own, or at the same one."""
        return Api(transport(self), ORG, platform=transport(self) if elsewhere else None)


def read(api: Api) -> list[str]:
    """The ids of the events that are read."""
    return [event.id for event in api.audit_log.events(["invitation.sent"], SINCE, UNTIL)]


def test_the_platform_api_is_asked_for_pages() -> None:
    """By its version, type and span; the next page by its cursor, quoted, with the same question."""
    server = Server([page(event("a2"), next_cursor="a b/c"), page(event("a1"), next_cursor=None)])
    assert read(server.api()) == ["a2", "a1"]
    whole = "page_size=100&order=desc"
    assert [(r.method, r.url.raw_path.decode()) for r in server.seen] == [
        ("POST", f"{PLATFORM}?{whole}"),
        ("POST", f"{PLATFORM}?{whole}&cursor=a%20b%2Fc"),
    ]
    assert {request.headers["mixpanel-version"] for request in server.seen} == {"2026-08-13"}
    question = {
        "types": ["invitation.sent"],
        "created_after": "2026-04-30T23:59:59Z",
        "created_before": "2026-05-04T12:00:01Z",
    }
    assert [json.loads(request.content) for request in server.seen] == [question, question]


REFUSALS = {
    "not there": problem(404, "Not found"),
    "not there, in words of another": httpx.Response(404, text="<html>"),
    "no such verb": problem(405, "Method not allowed"),
    "not allowed": problem(403, "view_audit_logs is missing"),
    "another region": problem(401, "unknown credentials"),
    "another version": problem(400, "unknown version; known: 2027-01-01"),
    "another shape": problem(422, "extra keys"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_the_older_route_is_asked_where_the_platform_api_refuses(refusal: httpx.Response) -> None:
    """Whatever the refusal's number; from then on it alone is asked, and `fallback` has the reason."""
    server = Server([refusal], [ok([event("a1")])])
    api = server.api()
    assert [read(api), read(api)] == [["a1"], ["a1"]]
    assert server.asked == {PLATFORM: 1, OLD: 2}
    question = {
        "types": ["invitation.sent"], "created_gte": "2026-05-01T00:00:00Z", "created_lte": "2026-05-04T12:00:00Z",
    }  # fmt: skip
    assert json.loads(server.seen[1].content) == question
    assert "mixpanel-version" not in server.seen[1].headers
    assert f"Mixpanel answered {refusal.status_code}" in api.audit_log.fallback


def test_the_platform_api_alone_is_asked_where_it_answers() -> None:
    """Requests do not double."""
    server = Server([page(event("a1"), next_cursor=None)])
    api = server.api()
    assert [read(api), read(api)] == [["a1"], ["a1"]]
    assert (server.asked, api.audit_log.fallback) == ({PLATFORM: 2, OLD: 0}, "")


def test_a_platform_host_out_of_reach_leaves_the_older_route() -> None:
    """A network may let us out to mixpanel.com alone; where both are at one host, the other would not answer either."""
    server = Server([httpx.ConnectError("refused")], [ok([event("a1")])])
    assert read(server.api(elsewhere=True)) == ["a1"]
    with pytest.raises(errors.Unreachable):
        read(server.api())


PASSING: Mapping[str, tuple[httpx.Response, type[errors.MixpanelError]]] = {
    "a fault": (httpx.Response(503), errors.ServerFault),
    "a limit": (problem(429, "slow down"), errors.RateLimited),
    "a limit with a time": (httpx.Response(429, headers={"Retry-After": "0"}), errors.RateLimited),
}


@pytest.mark.parametrize(("answer", "error"), PASSING.values(), ids=PASSING.keys())
def test_a_passing_fault_is_repeated_and_is_no_refusal(answer: httpx.Response, error: type[Exception]) -> None:
    """As every read is; the older route is not asked for what the Platform API will tell in a moment."""
    server = Server([answer, page(event("a1"), next_cursor=None)])
    assert read(server.api()) == ["a1"]
    server = Server([answer], [ok([event("a1")])])
    with pytest.raises(error):
        read(server.api())
    assert server.asked == {PLATFORM: READ_ATTEMPTS, OLD: 0}


BOTH: dict[str, tuple[int, int, type[errors.MixpanelError]]] = {
    "neither is there": (404, 404, errors.NotFound),
    "neither is allowed": (403, 403, errors.Forbidden),
    "one is not there, and the other not allowed": (404, 403, errors.Forbidden),
    "one is not allowed, and the other not there": (403, 404, errors.Forbidden),
    "a limit of the plan": (404, 402, errors.PlanRefusal),
    "a limit of the plan, and no other route": (402, 404, errors.PlanRefusal),
    "the credentials are wrong": (401, 401, errors.Unauthorized),
}


@pytest.mark.parametrize(("first", "second", "error"), BOTH.values(), ids=BOTH.keys())
def test_one_line_where_both_refuse(first: int, second: int, error: type[errors.MixpanelError]) -> None:
    """It has both answers and what is needed; a second question asks only the older route, and says the same."""
    old = httpx.Response(second, json={"status": "error", "error": "not by the old one"})
    server = Server([problem(first, "not by the new one")], [old])
    api = server.api()
    lines = []
    for _ in range(2):
        with pytest.raises(error) as raised:
            read(api)
        lines.append(str(raised.value))
    assert lines[0] == lines[1]
    assert lines[0].startswith(
        f"cannot read the audit log of organization {ORG}: the Platform API: Mixpanel answered {first} (not by the new "
        f"one); the older route: Mixpanel answered {second} (not by the old one). "
    )
    assert ("needs the permission view_audit_logs" in lines[0]) is (error is not errors.Unauthorized)
    assert "\n" not in lines[0]
    assert server.asked == {PLATFORM: 1, OLD: 2}


ROUTES: dict[str, Callable[..., Server]] = {
    "platform": lambda *pages: Server(list(pages)),
    "old": lambda *pages: Server([problem(404, "Not found")], list(pages)),
}
CUT: dict[str, tuple[tuple[httpx.Response, ...], str]] = {
    "a cursor that comes again": (
        (page(event("a2"), next_cursor="x"), page(event("a1"), next_cursor="x")),
        "page 2 names a page read before as the next one",
    ),
    "a circle of cursors": (
        tuple(page(event(f"a{n}"), next_cursor=word) for n, word in enumerate("xyx")),
        "page 3 names a page read before as the next one",
    ),
    "a page that comes again": (
        (page(event("a1"), next_cursor="x"), page(event("a1"), next_cursor="y")),
        "page 2 is the same as a page before it",
    ),
    "a last page that comes again": (
        (page(event("a1"), next_cursor="x"), page(event("a1"), next_cursor=None)),
        "page 2 is the same as a page before it",
    ),
    "an event of a page before": (
        (page(event("a3"), event("a2"), next_cursor="x"), page(event("a2"), event("a1"), next_cursor=None)),
        "page 2 repeats a row of the list",
    ),
    "another number than it says": ((page(event("a1"), next_cursor=None, total=2),), "total says 2"),
    "more, and no cursor": ((page(event("a1"), has_more=True),), "one of several pages"),
    "no end": (
        tuple(page(event(f"a{n}"), next_cursor=str(n)) for n in range(MOST_PAGES + 1)),
        f"it has more than {MOST_PAGES} pages",
    ),
    "no list": ((httpx.Response(200, json={"results": "none", "pagination": {}}),), "where rows were expected"),
    "no object in it": ((httpx.Response(200, json={"results": [7], "pagination": {}}),), "unknown shape"),
}


@pytest.mark.parametrize(("pages", "words"), CUT.values(), ids=CUT.keys())
@pytest.mark.parametrize("route", ROUTES)
def test_a_part_is_not_taken_for_the_whole(route: str, pages: tuple[httpx.Response, ...], words: str) -> None:
    """By either route; an answer of the Platform API that cannot be read is no refusal of it."""
    server = ROUTES[route](*pages)
    with pytest.raises(errors.Unintelligible, match=words):
        read(server.api())
    assert server.asked[OLD] == (len(server.seen) - 1 if route == "old" else 0)


FULL = [event(f"a{n}") for n in range(PAGE_SIZE)]
ENDS: dict[str, tuple[httpx.Response, bool]] = {
    "a full page that says that it is the last": (page(*FULL, next_cursor=None), True),
    "a full page that says so by an empty cursor": (page(*FULL, next_cursor=""), True),
    "a full page that says nothing": (page(*FULL), False),
    "a full page without pagination": (httpx.Response(200, json={"results": FULL}), False),
    "a short page that says nothing": (page(*FULL[1:]), True),
    "a short page without pagination": (httpx.Response(200, json={"results": FULL[1:]}), True),
    "nothing at all": (page(), True),
}


@pytest.mark.parametrize(("answer", "whole"), ENDS.values(), ids=ENDS.keys())
def test_a_full_page_must_say_that_it_is_the_last(answer: httpx.Response, whole: bool) -> None:
    """A cursor that is missing ends a page that is not full, and no other."""
    api = Server([answer]).api()
    if whole:
        assert len(read(api)) == len(answer.json()["results"])
    else:
        with pytest.raises(errors.Unintelligible, match="page 1 is full, and does not say whether another follows"):
            read(api)


@pytest.mark.parametrize("route", ROUTES)
def test_the_span_is_the_same_by_either_route(route: str) -> None:
    """Both ends are in it, whatever the server takes the words for."""
    created = ["2026-05-04T12:00:01Z", "2026-05-04T12:00:00Z", "2026-05-01T00:00:00Z", "2026-04-30T23:59:59Z"]
    server = ROUTES[route](page(*(event(f"a{n}", at) for n, at in enumerate(created)), next_cursor=None))
    assert read(server.api()) == ["a1", "a2"]


PROBLEMS = {
    "with what is wrong": (
        problem(422, "not valid", errors=[{"pointer": "#/types", "detail": "no list"}, "another"]),
        "not valid; #/types: no list; another",
    ),
    "with a place in parts": (
        problem(422, "not valid", errors=[{"loc": "types", "msg": "no list"}, {"code": 7}, 7, None]),
        "not valid; types: no list; 7",
    ),
    "without a detail": (problem(403, " "), "A title"),
    "with errors that are no list": (problem(400, "no", errors={"a": 1}), "no"),
}


@pytest.mark.parametrize(("answer", "words"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_the_words_of_problem_details(answer: httpx.Response, words: str) -> None:
    """Detail first, then each of `errors`; else the title."""
    api = Server([answer], [ok([])]).api()
    assert read(api) == []
    assert api.audit_log.fallback == f"Mixpanel answered {answer.status_code} ({words})"


def test_the_platform_api_is_at_the_address_of_the_settings() -> None:
    """At a host of its own with the same account, at the API's own where no other is named."""
    for url, host in (("http://127.0.0.1:8", "127.0.0.1:8"), ("", "127.0.0.1:9")):
        api = Api.connect(Settings(ORG, "http://127.0.0.1:9", "bot", Secret("x"), platform_url=url, timeout_seconds=1))
        with pytest.raises(errors.Unreachable, match="cannot be reached"):
            read(api)
        assert (host in api.audit_log.fallback) is bool(url)
        api.close()
