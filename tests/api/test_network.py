"""Proxies and authorities that the environment names and nobody can use: one line, with the variable's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixpanel_access.api.network import AUTHORITIES, check_network, proxies_set
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.errors import ConfigurationError, Unreachable
from mixpanel_access.model.setting_values import Secret

NOT_A_URL = "is not a URL like http://proxy.example.com:8080"
BAD: dict[str, tuple[dict[str, str], str]] = {
    "SOCKS 5": ({"ALL_PROXY": "socks5://proxy.example.com:1080"}, "ALL_PROXY names a SOCKS proxy"),
    "SOCKS 5 with names": ({"HTTPS_PROXY": "socks5h://proxy.example.com"}, "HTTPS_PROXY names a SOCKS proxy"),
    "SOCKS 4, in lower case": ({"all_proxy": "socks4://proxy.example.com"}, "all_proxy names a SOCKS proxy"),
    "another kind": ({"https_proxy": "ftp://proxy.example.com"}, "https_proxy names a proxy of the kind ftp"),
    "a port that is a word": ({"HTTP_PROXY": "http://proxy.example.com:port"}, f"HTTP_PROXY {NOT_A_URL}"),
    "a port too high": ({"HTTP_PROXY": "proxy.example.com:99999"}, f"HTTP_PROXY {NOT_A_URL}"),
    "no host": ({"HTTPS_PROXY": "http://:8080"}, f"HTTPS_PROXY {NOT_A_URL}"),
    "no colon": ({"HTTPS_PROXY": "http//proxy.example.com:8080"}, f"HTTPS_PROXY {NOT_A_URL}"),
    "half an address": ({"HTTPS_PROXY": "http://[::1"}, f"HTTPS_PROXY {NOT_A_URL}"),
    "a blank": ({"HTTPS_PROXY": "http://proxy example"}, f"HTTPS_PROXY {NOT_A_URL}"),
    "an exclusion": ({"NO_PROXY": "localhost:abc"}, "NO_PROXY has an entry that is not a host"),
    "an exclusion, in lower case": ({"no_proxy": "[::1"}, "no_proxy has an entry that is not a host"),
    "a missing file": ({"SSL_CERT_FILE": "/there/is/none.pem"}, "SSL_CERT_FILE names /there/is/none.pem, which is not"),
    "a folder for a file": ({"SSL_CERT_FILE": "/"}, "SSL_CERT_FILE names /, which is not a file"),
    "a file without certificates": ({"SSL_CERT_FILE": __file__}, f"SSL_CERT_FILE names {__file__}, which has no cert"),
    "a missing folder": (
        {"SSL_CERT_DIR": "/there/is/none"},
        "SSL_CERT_DIR names /there/is/none, which is not a folder",
    ),
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*proxies_set(), *AUTHORITIES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("variables", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_one_line(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the configuration's errors are: before anything is sent, with the variable and what to do."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as told:
        Transport("https://mixpanel.com", "bot", Secret("hush"))
    assert words in str(told.value)
    assert str(told.value).endswith("Correct the variable, or unset it.")


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"HTTPS_PROXY": "", "SSL_CERT_FILE": "", "SSL_CERT_DIR": ""},
        {"HTTPS_PROXY": "http://user:word@proxy.example.com:8080/", "NO_PROXY": "localhost,127.0.0.1,.example.com"},
        {"all_proxy": "proxy.example.com:8080", "no_proxy": "*"},
        {"SSL_CERT_DIR": "/"},
    ],
)
def test_what_can_be_used_is_used(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Blank ones are not set."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    Transport("https://mixpanel.com", "bot", Secret("hush")).close()


def test_every_problem_is_told_and_no_password() -> None:
    """A proxy's address may hold one."""
    environ = {"HTTPS_PROXY": "ftp://user:hush@proxy", "HTTP_PROXY": "http://user:hush@:x", "SSL_CERT_FILE": "/none"}
    with pytest.raises(ConfigurationError) as told:
        check_network(environ)
    for name in environ:
        assert name in str(told.value)
    assert "hush" not in str(told.value)


def test_the_file_counts_before_the_folder(tmp_path: Path) -> None:
    """As OpenSSL's clients have it."""
    (tmp_path / "ca.pem").touch()
    check_network({"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "SSL_CERT_DIR": "/there/is/none"})


def test_a_proxy_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names Mixpanel's host; the reader learns that a proxy is between."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    transport = Transport("https://mixpanel.com", "bot", Secret("hush"), timeout_seconds=5)
    with pytest.raises(Unreachable, match=r"Check the network, HTTPS_PROXY, mixpanel:apiUrl"):
        transport.write("/x", {}, "ask")
    transport.close()
