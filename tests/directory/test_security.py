"""Security settings: each is asked for on its own, and what is not told is unknown."""

from __future__ import annotations

import pytest

from mixpanel_access.directory.security import UNKNOWN, read_security
from mixpanel_access.model import errors
from mixpanel_access.model.access import Security, SingleSignOn, Topic
from tests.fakes import FakeApi, as_api, make_directory

SSO = SingleSignOn(enabled=True, required=True, domains=frozenset({"example.com"}))


def test_what_is_told() -> None:
    """All of it, with one request each, once an operation."""
    api = FakeApi(security=SSO, two_factor_={"twofactor_auth_required": True}, request_access_={"a": 1})
    directory = make_directory(api)
    assert (
        directory.security()
        == directory.security()
        == Security(SSO, True, {"a": 1}, two_factor={"twofactor_auth_required": True})
    )
    assert [api.calls[verb] for verb in ("sso", "two_factor", "request_access")] == [1, 1, 1]


REFUSED = UNKNOWN
VERBS = {"sso": Topic.SSO, "two_factor": Topic.TWO_FACTOR, "request_access": Topic.REQUEST_ACCESS}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize(("verb", "topic"), VERBS.items())
def test_what_is_refused_is_unknown(kind: type[errors.MixpanelError], verb: str, topic: Topic) -> None:
    """With Mixpanel's reason; the others are known."""
    api = FakeApi(security=SSO, request_access_={"a": 1}, faults={verb: [kind("cannot", why="not in your plan")]})
    found = read_security(as_api(api))
    assert found.unknown == {topic: "not in your plan"}
    assert (found.sso == SSO, found.two_factor_required is False, bool(found.request_access)) == (
        verb != "sso", verb != "two_factor", verb != "request_access",
    )  # fmt: skip


@pytest.mark.parametrize("kind", [errors.Unreachable, errors.Unauthorized])
def test_nothing_is_unknown_without_mixpanel(kind: type[errors.MixpanelError]) -> None:
    """No network and wrong credentials are told as what they are."""
    with pytest.raises(kind):
        read_security(as_api(FakeApi(faults={"two_factor": [kind("cannot")]})))


@pytest.mark.parametrize("value", [None, "yes", 1])
def test_a_second_factor_in_other_words_is_unknown(value: object) -> None:
    """Only true and false tell."""
    found = read_security(as_api(FakeApi(two_factor_={"twofactor_auth_required": value})))
    assert (found.two_factor_required, Topic.TWO_FACTOR in found.unknown) == (None, True)


CLAIMS = {
    "its domain": ("bo@Example.com", True),
    "a subdomain": ("bo@eu.example.com", False),
    "another": ("bo@example.org", False),
}


@pytest.mark.parametrize(("email", "claimed"), CLAIMS.values(), ids=CLAIMS.keys())
def test_who_is_of_a_claimed_domain(email: str, claimed: bool) -> None:
    """A subdomain is a domain of its own; without a list nobody knows."""
    assert SSO.claims(email) is claimed
    assert SingleSignOn().claims(email) is None
