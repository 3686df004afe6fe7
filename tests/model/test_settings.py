"""The settings: every key, every fall-back, every problem at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mixpanel_access.model import settings as module
from mixpanel_access.model.brakes import Brake
from mixpanel_access.model.errors import ConfigurationError
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import ENVIRONMENT_VARIABLES, Settings, Verb, load_settings

COMPLIANT = {"organizationId": "7654321", "serviceAccountUsername": "bot", "serviceAccountSecret": "hush-hush"}
DOCS = Path(__file__).parents[2] / "docs"


def load(environ: Mapping[str, str] | None = None, /, **changes: str | None) -> Settings:
    """The compliant configuration with changes."""
    return load_settings({**COMPLIANT, **changes}.get, environ or {})


def test_the_defaults() -> None:
    """What is not set is the safe choice."""
    settings = load()
    assert (settings.organization_id, settings.api_url, settings.username) == (7654321, "https://mixpanel.com", "bot")
    assert settings.platform_url == "https://platform-us.mixpanel.com"
    assert settings.secret.reveal() == "hush-hush"
    assert (settings.environment, settings.now, settings.timeout_seconds) == (None, None, 60)
    assert (settings.invitation_life_days, settings.invitation_wait_seconds) == (7, 0)
    assert (settings.allow_undocumented, settings.limits.released) == (frozenset(), frozenset())
    assert (settings.limits.removal_percent, settings.limits.removal_minimum) == (10, 3)
    assert "hush-hush" not in repr(settings)


GOOD: dict[str, tuple[str, str, str, Any]] = {
    "region": ("region", "EU", "api_url", "https://eu.mixpanel.com"),
    "region's name": ("region", "EU", "region", "eu"),
    "no region's host": ("apiUrl", "https://eu.mixpanel.com/", "region", None),
    "address": ("apiUrl", "https://eu.mixpanel.com/", "api_url", "https://eu.mixpanel.com"),
    "loopback": ("apiUrl", "http://127.0.0.1:8080", "api_url", "http://127.0.0.1:8080"),
    "loopback by name": ("apiUrl", "http://localhost:8080", "api_url", "http://localhost:8080"),
    "loopback 6": ("apiUrl", "http://[::1]:8080", "api_url", "http://[::1]:8080"),
    "platform by region": ("region", "EU", "platform_url", "https://platform-eu.mixpanel.com"),
    "platform by the region's host": (
        "apiUrl",
        "https://IN.mixpanel.com/",
        "platform_url",
        "https://platform-in.mixpanel.com",
    ),
    "platform by another host": ("apiUrl", "http://127.0.0.1:8080", "platform_url", "http://127.0.0.1:8080"),
    "platform": (
        "platformUrl",
        "https://platform-us.mixpanel.com/",
        "platform_url",
        "https://platform-us.mixpanel.com",
    ),
    "platform here": ("platformUrl", "http://localhost:8080", "platform_url", "http://localhost:8080"),
    "environment": ("environment", "production", "environment", "production"),
    "now": ("now", "2026-05-04T12:00:00Z", "now", datetime(2026, 5, 4, 12, tzinfo=UTC)),
    "read back": ("readBackSeconds", "2.5", "read_back_seconds", 2.5),
    "no read back": ("readBackSeconds", "0", "read_back_seconds", 0.0),
    "time-out": ("timeoutSeconds", "2.5", "timeout_seconds", 2.5),
    "longest life": ("invitationLifeDays", "14", "invitation_life_days", 14),
    "claimed domains": (
        "claimedDomains",
        "Example.com, example.net",
        "claimed_domains",
        {"example.com", "example.net"},
    ),
    "claimed domains as a list": ("claimedDomains", '["@Example.com."]', "claimed_domains", {"example.com"}),
    "verbs as a list": ("allowUndocumented", '["invitemembers"]', "allow_undocumented", {"inviteMembers"}),
    "SCIM token": ("scimToken", " t0ken ", "scim_token", Secret("t0ken")),
    "wait": ("invitationWaitSeconds", "3600", "invitation_wait_seconds", 3600),
    "verbs": (
        "allowUndocumented",
        "inviteMembers, removeMembers",
        "allow_undocumented",
        {"inviteMembers", "removeMembers"},
    ),
}


@pytest.mark.parametrize(("key", "value", "field", "expected"), GOOD.values(), ids=GOOD.keys())
def test_what_can_be_set(key: str, value: str, field: str, expected: Any) -> None:
    """As documented."""
    assert getattr(load(**{key: value}), field) == expected


def test_the_brakes_can_be_set() -> None:
    """Share, minimum and released brakes."""
    limits = load(removalPercent="2.5", removalMinimum="0", releaseBrakes=";".join(Brake)).limits
    assert (limits.removal_percent, limits.removal_minimum, limits.released) == (2.5, 0, frozenset(Brake))


WRONG_ADDRESSES = {
    f"{name} of {key}": (key, url, words)
    for key in ("apiUrl", "platformUrl")
    for name, url, words in (
        ("no url", "mixpanel.com", "not an http(s) URL"),
        ("bad port", "https://mixpanel.com:x", "not a URL"),
        ("path", "https://mixpanel.com/api/app", "give the bare host"),
        ("query", "https://mixpanel.com?x=1", "give the bare host"),
        ("credentials", "https://bot:x@mixpanel.com", "holds credentials"),
        ("unencrypted", "http://mixpanel.com", "unencrypted"),
        ("looks like loopback", "http://127.0.0.1.example.com", "unencrypted"),
    )
}
BAD = {
    "no organization": ("organizationId", None, "organization's id is missing"),
    "blank organization": ("organizationId", " ", "organization's id is missing"),
    "organization is a word": ("organizationId", "example", "'example', which is not a positive whole number"),
    "organization is zero": ("organizationId", "0", "not a positive whole number"),
    "organization in other digits": ("organizationId", "١٢", "not a positive whole number"),
    "organization of many digits": ("organizationId", "9" * 5000, "not a positive whole number"),
    "no account": ("serviceAccountUsername", None, "login name is missing"),
    "colon": ("serviceAccountUsername", "bot:x", "holds a colon"),
    "no secret": ("serviceAccountSecret", None, "pulumi config set --secret mixpanel:serviceAccountSecret"),
    "region": ("region", "mars", "not one of us, eu, in"),
    **WRONG_ADDRESSES,
    "no instant": ("now", "soon", "not an ISO 8601 instant"),
    "no read back": ("readBackSeconds", "x", "mixpanel:readBackSeconds is 'x', which is not a number from 0 to 60"),
    "long read back": ("readBackSeconds", "61", "not a number from 0 to 60"),
    "no time-out": ("timeoutSeconds", "x", "not a positive number of seconds"),
    "zero time-out": ("timeoutSeconds", "0", "not a positive number of seconds"),
    "nan": ("timeoutSeconds", "nan", "not a positive number of seconds"),
    "infinite": ("timeoutSeconds", "inf", "not a positive number of seconds"),
    "short life": ("invitationLifeDays", "6", "not 7 to 14"),
    "long life": ("invitationLifeDays", "15", "not 7 to 14"),
    "endless life": ("invitationLifeDays", "9" * 5000, "not 7 to 14"),
    "half a day": ("invitationLifeDays", "7.5", "not 7 to 14"),
    "unknown verb": ("allowUndocumented", "inviteMembers,all", "cannot be used, it names all, not any of"),
    "unknown brake": ("releaseBrakes", "everything", "cannot be used, it names everything, not any of"),
    "claimed domain": ("claimedDomains", "example.com, kim@example.com", "'kim@example.com' is not an e-mail domain"),
    "a list of numbers": ("releaseBrakes", "[1]", "1 in the list is a number, not a word"),
    "percent below": ("removalPercent", "-1", "not a number from 0 to 100"),
    "percent above": ("removalPercent", "101", "not a number from 0 to 100"),
    "percent nan": ("removalPercent", "nan", "not a number from 0 to 100"),
    "minimum below": ("removalMinimum", "-1", "not a number from 0"),
    "wait infinite": ("invitationWaitSeconds", "inf", "not a number from 0"),
}


@pytest.mark.parametrize(("key", "value", "words"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_used(key: str, value: str | None, words: str) -> None:
    """One clear problem, with how to set the key."""
    with pytest.raises(ConfigurationError) as raised:
        load(**{key: value})
    assert words in str(raised.value)
    assert "(2)" not in str(raised.value)
    assert f"mixpanel:{key}" in str(raised.value)
    assert "hush-hush" not in str(raised.value)


PROXY = "https://proxy.example.com"
ADDRESSES = [
    ("apiUrl", "MIXPANEL_BASE_URL", "api_url"),
    ("platformUrl", "MIXPANEL_PLATFORM_URL", "platform_url"),
]


@pytest.mark.parametrize("url", [PROXY, "https://proxy.example.com:8443/", "https://mixpanel.com.example.org",
                                 "https://notmixpanel.com", "https://mixpanel.com./"])  # fmt: skip
@pytest.mark.parametrize("named", ["", "https://other.example.com", "https://mixpanel.com", "https://example.com"])
@pytest.mark.parametrize(("key", "variable", "field"), ADDRESSES)
def test_the_credentials_go_to_another_host_only_if_the_environment_names_it(
    key: str, variable: str, field: str, url: str, named: str
) -> None:
    """A changed line in a stack's file does not send the secret to a host that it chooses; the error has the edit."""
    environ = {variable: named}
    with pytest.raises(ConfigurationError) as raised:
        load(environ, **{key: url})
    assert "neither Mixpanel's nor this machine's: to send the credentials there, name it in" in str(raised.value)
    assert f"{variable}={url.rstrip('/')}, or pulumi config rm mixpanel:{key}" in str(raised.value)
    environ[variable] = url
    assert getattr(load(environ, **{key: url}), field) == getattr(load(environ), field) == url.rstrip("/")


def test_one_address_that_is_named_lets_no_other_in() -> None:
    """Each is named by its own variable."""
    for key, variable, _ in ADDRESSES:
        others = {other: PROXY for _, other, _ in ADDRESSES if other != variable}
        with pytest.raises(ConfigurationError, match=f"{variable}={PROXY}, or pulumi config rm mixpanel:{key}"):
            load(others, **{key: PROXY})


def test_every_problem_is_told_at_once() -> None:
    """Nothing configured and something wrong: all of it, numbered, with how to set each."""
    with pytest.raises(ConfigurationError) as raised:
        load_settings({"region": "mars", "now": "x"}.get, {})
    for number in range(1, 6):
        assert f"({number})" in str(raised.value)


@pytest.mark.parametrize("key", ENVIRONMENT_VARIABLES)
def test_the_environment_is_the_fall_back(key: str) -> None:
    """Used when the stack's configuration lacks the key, and only then."""
    url = "https://x.example.com"
    value = {"organizationId": "42", "apiUrl": url, "platformUrl": url}.get(key, "other")
    environ = {ENVIRONMENT_VARIABLES[key]: value}
    from_environment = load(environ, **{key: None})
    token = from_environment.scim_token
    assert value in (str(from_environment.organization_id), from_environment.api_url, from_environment.username,
                     from_environment.platform_url, from_environment.secret.reveal(),
                     token.reveal() if token else None)  # fmt: skip
    if key in COMPLIANT:
        assert load(environ) == load()


def test_the_clock_is_real_unless_it_is_set() -> None:
    """`mixpanel:now` is for tests."""
    assert abs((load().clock() - datetime.now(UTC)).total_seconds()) < 5
    assert load(now="2026-05-04T12:00:00").clock() == datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("organisationId", "organizationId"),
        ("enviroment", "environment"),
        ("companyDomain", "companyDomains"),
        ("removalPercnt", "removalPercent"),
        ("apiURL", "apiUrl"),
        ("scimtoken", "scimToken"),
    ],
)
def test_a_mistyped_key_is_told_with_the_one_that_is_meant(key: str, meant: str) -> None:
    """A guard that is misspelled must not be off without a word."""
    with pytest.raises(ConfigurationError, match=f"no setting mixpanel:{key}: if {meant} is meant, pulumi config rm"):
        load_settings(COMPLIANT.get, {}, [*COMPLIANT, key])


@pytest.mark.parametrize("key", ["serviceAccount", "workspace", "baseUrl", "no", *module.SETTINGS])
def test_other_keys_are_no_business_of_ours(key: str) -> None:
    """Another provider may share the namespace, as Mixpanel's own would."""
    assert load_settings(COMPLIANT.get, {}, [*COMPLIANT, key]) == load()


def test_the_company_domains_are_refused_by_name_where_they_are_read() -> None:
    """The provider does not read them, so that a mistake there never holds the end of somebody's access."""
    assert load(companyDomains="kim@example.com") == load()
    with pytest.raises(ConfigurationError, match=r"mixpanel:companyDomains cannot be used, 'kim@example\.com' is not"):
        module.company_domains("kim@example.com")


def test_every_key_is_documented() -> None:
    """The page has a row for each key, variable, brake and verb."""
    source = Path(module.__file__).read_text()
    keys = set(re.findall(r'self\._(?:value|text|url|words|number|list)\(\s*"(\w+)"', source))
    page = (DOCS / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `mixpanel:(\w+)`", page, re.MULTILINE))
    assert documented == set(module.SETTINGS) == keys | {"companyDomains", "approvers"}  # the policies alone read those
    for word in (*ENVIRONMENT_VARIABLES.values(), *Brake, *Verb):
        assert f"`{word}`" in page
