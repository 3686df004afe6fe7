"""The environment variables that say how the network is reached, refused by their names where they cannot be used."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mixpanel_access.model.errors import ConfigurationError

AUTHORITIES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that name other authorities than those that come with httpx; the first one counts."""
_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def check_network(environ: Mapping[str, str] = os.environ) -> None:
    """Refuse proxies and authorities that cannot be used. Nobody gets to see a proxy's address: it may hold a password.

    Raises:
        ConfigurationError: one of the variables cannot be used; all problems are listed.
    """
    problems = [*_proxies(environ), *_authorities(environ)]
    if problems:
        raise _unusable("; ".join(problems))


def proxies_set(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The variables that name a proxy, as they are spelled."""
    spellings = (spelling for name in _PROXIES for spelling in (name.lower(), name))
    return [spelling for spelling in spellings if environ.get(spelling, "").strip()]


def bad_exclusions(error: Exception) -> ConfigurationError:
    """The error for what httpx does not take, though every proxy can be used."""
    name = "no_proxy" if os.environ.get("no_proxy") else "NO_PROXY"
    return _unusable(f"{name} has an entry that is not a host ({error})")


def bad_authorities(error: OSError) -> ConfigurationError:
    """The error for a file of authorities that cannot be read."""
    name = next((name for name in AUTHORITIES if os.environ.get(name)), AUTHORITIES[0])
    why = "has no certificates" if isinstance(error, ssl.SSLError) else f"cannot be read: {error.strerror or error}"
    return _unusable(f"{name} names {os.environ.get(name, '')}, which {why}")


def _unusable(why: str) -> ConfigurationError:
    return ConfigurationError(
        "cannot use the network as the environment says", why=why, next_step="Correct the variable, or unset it."
    )


def _proxies(environ: Mapping[str, str]) -> Iterator[str]:
    for name in proxies_set(environ):
        if problem := _problem_with(environ[name].strip()):
            yield f"{name} {problem}"


def _problem_with(proxy: str) -> str | None:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL like http://proxy.example.com:8080"
    if parts.scheme.startswith("socks"):
        if parts.scheme in ("socks5", "socks5h") and find_spec("socksio"):
            return None
        return "names a SOCKS proxy; name an HTTP proxy, or for socks5:// run pip install 'httpx[socks]'"
    if parts.scheme not in ("http", "https"):
        return f"names a proxy of the kind {parts.scheme or 'none'}; only http:// and https:// can be used"
    if not host or any(part.isspace() for part in host) or parts.path not in ("", "/"):
        return "is not a URL like http://proxy.example.com:8080"
    return None


def _authorities(environ: Mapping[str, str]) -> Iterator[str]:
    file, folder = (environ.get(name, "") for name in AUTHORITIES)
    if file:
        if not Path(file).is_file():
            yield f"SSL_CERT_FILE names {file}, which is not a file"
    elif folder and not Path(folder).is_dir():
        yield f"SSL_CERT_DIR names {folder}, which is not a folder"
