"""What goes over the wire, kept as it came: by a transport that sends, and by one that sends nothing."""

from __future__ import annotations

import httpx
import pytest

from mixpanel_access.api.observed import Exchange, Observer, Rehearsal
from mixpanel_access.model import errors
from mixpanel_access.model.setting_values import Secret
from tests.api.conftest import HOST, SECRET, ok

SENT = {"users": [{"email": "bo@example.com"}]}
ANSWERS = {
    "a success": (ok({"success": True}), Exchange("POST", "/a%40b/", SENT, 200, "", ok({"success": True}).json())),
    "a refusal": (
        httpx.Response(403, json={"error": "no"}),
        Exchange("POST", "/a%40b/", SENT, 403, "", {"error": "no"}),
    ),
    "no JSON": (httpx.Response(502, text="<html>"), Exchange("POST", "/a%40b/", SENT, 502)),
    "a redirect": (
        httpx.Response(302, headers={"location": "/request_access/?next=/a"}),
        Exchange("POST", "/a%40b/", SENT, 302, "/request_access/"),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_is_kept_as_it_came(name: str) -> None:
    """A refusal and a redirect too, whatever the client makes of it."""
    answer, expected = ANSWERS[name]
    observer = Observer()
    made = observer.transport(HOST, "bot", Secret(SECRET), transport=httpx.MockTransport(lambda _: answer))
    try:
        made.write("/a%40b/?x=1", SENT, "try")
    except errors.MixpanelError:
        assert answer.status_code != 200
    assert observer.exchanges[0] == expected


def test_a_rehearsal_sends_nothing() -> None:
    """It keeps what would have been sent."""

    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    observer = Rehearsal()
    made = observer.transport(HOST, "bot", Secret(SECRET), transport=httpx.MockTransport(never))
    made.write("/add/", SENT, "try")
    made.write("/it", None, "try", "DELETE")
    made.read("/list?all=1", "try")
    assert observer.exchanges == [
        Exchange("POST", "/add/", SENT),
        Exchange("DELETE", "/it"),
        Exchange("GET", "/list"),
    ]
    assert observer.main is made
