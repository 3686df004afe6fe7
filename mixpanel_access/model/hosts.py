"""Mixpanel's hosts, by region, and what can be the address of an API."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

REGIONS: Final = {"us": "https://mixpanel.com", "eu": "https://eu.mixpanel.com", "in": "https://in.mixpanel.com"}
"""Region -> host (contract, section 1)."""
PLATFORM_HOSTS: Final = {host: f"https://platform-{region}.mixpanel.com" for region, host in REGIONS.items()}
"""A region's host -> its host of the Platform API (contract, section 16)."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""The hosts of this machine, the only ones that need no TLS."""


def region_of(url: str) -> str | None:
    """The region of a URL's host, or None for any other host."""
    host = urlsplit(url).hostname
    return next((region for region, known in REGIONS.items() if urlsplit(known).hostname == host), None)


def is_real(host: str) -> bool:
    """Whether a host is Mixpanel's own."""
    return host == "mixpanel.com" or host.endswith(".mixpanel.com")


def may_have_credentials(url: str, named: str) -> bool:
    """Whether an address may get the credentials: a change of the stack's file alone cannot send them elsewhere.

    Args:
        url: the address.
        named: the address that the environment of the run names; "" for none.
    """
    host = urlsplit(url).hostname or ""
    return is_real(host) or host in LOOPBACK or named.strip().rstrip("/").lower() == url.rstrip("/").lower()


def without_credentials(url: str) -> str:
    """An address without credentials in it."""
    return re.sub(r"//[^/]*@", "//...@", url)


def problem_with_url(url: str) -> str | None:
    """Why this cannot be the address of an API, as a clause, or None if it can."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        return f"which is not a URL ({error})"
    if parts.scheme not in ("http", "https") or not host:
        return "which is not an http(s) URL"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "which has more than scheme and host (give the bare host, without /api/app)"
    if parts.username or parts.password:
        return "which holds credentials (they have keys of their own)"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "which would send the credentials unencrypted (use https for any host but this machine)"
    return None
