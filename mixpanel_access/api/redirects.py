"""Where a redirect may lead: to the same path of the same host, with or without its slash (contract, section 1).

What is sent next is built from the path that was asked for; the answer only says whether to add or drop the slash.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from mixpanel_access.model import errors
from mixpanel_access.model.hosts import is_real, region_of

_ACCESS_REQUESTS: Final = "request_access"
"""The first part of the path of the page on which people ask for access to a project."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def next_path(base_url: str, asked: str, location: str, what: str, redact: Callable[[str], str]) -> str:
    """The path with query at which to ask again, on the same host.

    Args:
        base_url: scheme and host.
        asked: the path with query that was redirected.
        location: where to, as the answer has it.
        what: what is being done, as a clause that follows "cannot".
        redact: makes the server's words safe to print.

    Raises:
        Forbidden: the page for access requests, which is Mixpanel's way to say that we have no access.
        Unintelligible: another host, another path, or no URL; nothing is sent there.
    """
    try:
        here = urlsplit(urljoin(base_url, asked))
        there = urlsplit(urljoin(here.geturl(), location))
        same_host = _origin(there) == _origin(here) and there.username is None
    except ValueError:
        why = f"{base_url} redirects to something that is not a URL"
        raise errors.Unintelligible(f"cannot {what}", why=why, next_step="Run again later.") from None
    if (same_host or is_real(there.hostname or "")) and _parts(there.path)[:1] == [_ACCESS_REQUESTS]:
        raise errors.Forbidden(
            f"cannot {what}",
            why="Mixpanel redirects to its page for access requests: the service account has no access",
            next_step="Give the service account a role in the project, or a higher one in the organization.",
        )
    if not same_host:
        raise errors.Unintelligible(
            f"cannot {what}",
            why=f"{base_url} redirects to another host, {redact(_shown(there, here))}, which gets no credentials",
            next_step=_where_it_lives(there.geturl()),
        )
    if _parts(there.path) != _parts(here.path) or there.query not in ("", here.query):
        raise errors.Unintelligible(
            f"cannot {what}",
            why=f"{base_url} redirects to another path, {redact(there.path)}, which is not followed",
            next_step="Check mixpanel:apiUrl: a proxy or another service may answer there.",
        )
    path = here.path.rstrip("/") + ("/" if there.path.endswith("/") else "")
    return f"{path}?{here.query}" if here.query else path


def _parts(path: str) -> list[str]:
    """The decoded parts of a path, whether or not it ends in a slash; a slash within a part divides nothing."""
    return [unquote(part) for part in path.removesuffix("/").split("/")[1:]]


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _DEFAULT_PORTS.get(url.scheme)


def _shown(url: SplitResult, here: SplitResult) -> str:
    """The host, without what may be a password; with what differs where the host is the same."""
    host = url.netloc.rpartition("@")[2]
    return host if url.scheme == here.scheme else f"{host} ({url.scheme})"


def _where_it_lives(url: str) -> str:
    region = region_of(url)
    if region is None:
        return "Check mixpanel:apiUrl: a proxy or another service may answer there."
    return f"If the organization is in the region {region}, set mixpanel:region to {region} (or mixpanel:apiUrl to it)."
