"""Redirects: the same path of the same host, or nothing is sent (contract, section 1)."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.api.transport import MAX_REDIRECTS
from mixpanel_access.model import errors
from mixpanel_access.model.hosts import REGIONS
from tests.api.conftest import HOST, SECRET, ok, transport

BODY = {"users": [{"email": "bo@example.com"}]}
ASKED = "/organizations/1/users/bo%40example.com?cursor=a%20b"
SLASHED = "/organizations/1/users/bo%40example.com/?cursor=a%20b"
STATUSES = [301, 302, 307, 308]

FOLLOWED = {
    "with a slash": "/organizations/1/users/bo%40example.com/?cursor=a%20b",
    "without the query": "/organizations/1/users/bo%40example.com/",
    "with the host": f"{HOST}/organizations/1/users/bo%40example.com/",
    "with the host in capitals": "HTTPS://MIXPANEL.COM/organizations/1/users/bo%40example.com/",
    "with the usual port": "https://mixpanel.com:443/organizations/1/users/bo%40example.com/",
    "without the scheme": "//mixpanel.com/organizations/1/users/bo%40example.com/",
    "relative": "bo%40example.com/",
    "relative, upwards": "../users/bo%40example.com/",
    "the address decoded": "/organizations/1/users/bo@example.com/",
    "a letter encoded": "/organizations/1/user%73/bo%40example.com/",
    "with a fragment": "/organizations/1/users/bo%40example.com/#top",
}


@pytest.mark.parametrize("location", FOLLOWED.values(), ids=FOLLOWED.keys())
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("verb", ["read", "write"])
def test_the_same_path_with_its_slash_is_asked(location: str, status: int, verb: str) -> None:
    """With method, body, query and our own spelling: a redirected write must not become a read of a list."""
    seen: list[tuple[str, str, bytes]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.raw_path.decode(), request.content))
        return ok([7]) if len(seen) > 1 else httpx.Response(status, headers={"Location": location})

    assert ask(handler, verb) == [7]
    assert [path for _, path, _ in seen] == [ASKED, SLASHED]
    assert len({(method, content) for method, _, content in seen}) == 1
    assert (seen[0][2] == b"") is (verb == "read")


def test_a_slash_may_also_be_dropped() -> None:
    """And the circle that this can become ends."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(301, headers={"Location": "/x" if request.url.path == "/x/" else "/x/"})

    with pytest.raises(errors.Unintelligible, match="in a circle"):
        transport(handler).write("/x/", BODY, "x")
    assert seen == ["/x/", "/x"] * (MAX_REDIRECTS // 2) + ["/x/"]


ANOTHER_HOST = {
    "another": "https://evil.example.com{path}/",
    "another, without the scheme": "//evil.example.com{path}/",
    "another, by backslashes": "https:\\\\evil.example.com{path}/",
    "another, with ours as its user": "https://mixpanel.com@evil.example.com{path}/",
    "another, with ours as its beginning": "https://mixpanel.com.example.com{path}/",
    "another, with ours as its end": "https://notmixpanel.com{path}/",
    "ours with a dot": "https://mixpanel.com.{path}/",
    "ours with a user": "https://bo:pw@mixpanel.com{path}/",
    "ours with nobody as a user": "https://@mixpanel.com{path}/",
    "ours in plain": "http://mixpanel.com{path}/",
    "ours at another port": "https://mixpanel.com:8443{path}/",
    "a look-alike": "https://mixpane\u217c.com{path}/",
    "another scheme": "ftp://mixpanel.com{path}/",
    "a file": "file:///etc/passwd",
    "a script": "javascript:alert(1)",
    "this machine": "http://127.0.0.1{path}/",
}


@pytest.mark.parametrize("location", ANOTHER_HOST.values(), ids=ANOTHER_HOST.keys())
@pytest.mark.parametrize("status", [*STATUSES, 303])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_another_host_gets_nothing(location: str, status: int, verb: str) -> None:
    """Neither credentials nor people's addresses go to another host, port or scheme."""
    assert refused(location.format(path="/organizations/1/users/bo%40example.com"), status, verb)[0] == (
        errors.Unintelligible
    )


@pytest.mark.parametrize("region", ["eu", "in"])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_another_regions_host_is_named_and_not_asked(region: str, verb: str) -> None:
    """Where the credentials go is said by the configuration, not by an answer."""
    kind, text = refused(f"{REGIONS[region]}/organizations/1/users/bo%40example.com", 307, verb)
    assert kind is errors.Unintelligible
    assert f"set mixpanel:region to {region}" in text


ANOTHER_PATH = {
    "another": "/organizations/1/teams/",
    "the root": "/",
    "log in": "/login/?next=%2Forganizations%2F1%2Fusers",
    "above": "..",
    "below": "/organizations/1/users/bo%40example.com/more",
    "dots": "/organizations/1/users/bo%40example.com/../../teams/",
    "dots at the end": "/organizations/1/users/bo%40example.com/..",
    "encoded dots": "/organizations/1/users/x/%2e%2e/bo%40example.com/",
    "an encoded slash at the end": "/organizations/1/users/bo%40example.com%2F",
    "an encoded slash between": "/organizations%2F1/users/bo%40example.com/",
    "encoded twice": "/organizations/1/users/bo%2540example.com/",
    "two slashes at the end": "/organizations/1/users/bo%40example.com//",
    "two slashes between": "/organizations//1/users/bo%40example.com/",
    "in capitals": "/Organizations/1/users/bo%40example.com/",
    "backslashes": "\\organizations\\1\\users\\bo%40example.com/",
    "parameters": "/organizations/1/users/bo%40example.com;a=1",
    "a null": "/organizations/1/users/bo%40example.com%00/",
    "another query": "/organizations/1/users/bo%40example.com/?cursor=z",
    "more query": "/organizations/1/users/bo%40example.com/?cursor=a%20b&all=1",
    "a query alone": "?cursor=z",
}


@pytest.mark.parametrize("location", ANOTHER_PATH.values(), ids=ANOTHER_PATH.keys())
@pytest.mark.parametrize("status", [*STATUSES, 303])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_another_path_is_not_asked(location: str, status: int, verb: str) -> None:
    """What it would answer is no answer to what was asked, and a body goes nowhere else."""
    kind, text = refused(location, status, verb)
    assert kind is errors.Unintelligible
    assert "redirects to another path" in text


NO_ACCESS = {
    "relative": "/request_access/?next=%2Forganizations%2F1",
    "without its slash": "/request_access?next=x",
    "without anything": "/request_access/",
    "with the host": f"{HOST}/request_access/?next=x",
    "on the host of a region": "https://eu.mixpanel.com/request_access/?next=x",
    "below": "/request_access/1234567/",
    "encoded": "/request%5Faccess/",
}


@pytest.mark.parametrize("location", NO_ACCESS.values(), ids=NO_ACCESS.keys())
@pytest.mark.parametrize("status", [*STATUSES, 303])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_the_page_for_access_requests_is_a_refusal(location: str, status: int, verb: str) -> None:
    """Not absence, and not the page of HTML that would follow with 200."""
    kind, text = refused(location, status, verb)
    assert kind is errors.Forbidden
    assert "Give the service account a role in the project" in text


@pytest.mark.parametrize("location", ["/my_request_access/", "https://evil.example.com/request_access/"])
def test_no_other_page_says_that_we_have_no_access(location: str) -> None:
    """Only Mixpanel's own."""
    assert refused(location, 302, "read")[0] is errors.Unintelligible


@pytest.mark.parametrize("location", ["http://[", "//[", "https://mixpanel.com:x/", "https://mixpanel.com:99999/"])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_redirect_to_no_url_is_told(location: str, verb: str) -> None:
    """Nothing is sent there."""
    kind, text = refused(location, 307, verb)
    assert kind is errors.Unintelligible
    assert "redirects to something that is not a URL" in text


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308, 399])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_redirect_to_nowhere_is_no_success(status: int, verb: str) -> None:
    """Whatever its body says."""
    answer = httpx.Response(status, json={"status": "ok", "results": [1]})
    with pytest.raises(errors.Unintelligible, match=f"status {status} without an address"):
        ask(lambda _: answer, verb)


def test_a_write_is_not_repeated_where_its_result_is_elsewhere() -> None:
    """303 says where to read, also at the same path; a read goes on there."""
    assert refused("/organizations/1/users/bo%40example.com/", 303, "write")[0] is errors.Unintelligible
    answers = iter([httpx.Response(303, headers={"Location": "/x/"}), ok([7])])
    assert transport(lambda _: next(answers)).read("/x", "x") == [7]


_PIECES = st.sampled_from([
    "/", "\\", ".", "..", "%2e", "%2F", "%5c", "@", ":", "#", "?", ";", "//", "https:", "http:", "mixpanel.com", "eu.",
    "evil.example.com", "organizations", "1", "users", "bo%40example.com", "cursor=a%20b", "request_access", " ", "\t",
])  # fmt: skip


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_whatever_a_redirect_says_only_the_same_path_is_asked(location: str) -> None:
    """On the same host, with the same query."""
    seen: list[httpx.URL] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return ok([7]) if len(seen) > 2 else httpx.Response(307, headers={b"Location": location.encode()})

    try:
        ask(handler, "write")
    except errors.MixpanelError as error:
        kind, text = type(error), str(error)
    else:
        kind, text = errors.Unintelligible, ""
    assert kind in (errors.Unintelligible, errors.Forbidden)
    assert SECRET not in text
    assert {url.host for url in seen} == {"mixpanel.com"}
    assert {url.raw_path.decode() for url in seen} <= {ASKED, SLASHED}


def ask(handler: object, verb: str) -> object:
    """Read or write what is redirected."""
    asked = transport(handler)  # type: ignore[arg-type]
    return asked.read(ASKED, "x") if verb == "read" else asked.write(ASKED, BODY, "x")


def refused(location: str, status: int, verb: str) -> tuple[type[errors.MixpanelError], str]:
    """The error of a redirect that is not followed: nothing more is sent, though a page would be there."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        if len(seen) > 1:
            return httpx.Response(200, html="<p>Request access</p>")
        return httpx.Response(status, headers={b"Location": location.encode()})

    with pytest.raises(errors.MixpanelError) as raised:
        ask(handler, verb)
    assert seen == [f"{HOST}{ASKED}"]
    assert raised.value.status == status or raised.value.status is None
    return type(raised.value), str(raised.value)
