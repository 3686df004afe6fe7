"""The emulator answers programs, but no web page that a browser on this machine has open."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from mixpanel_access.emulator.answer import Refusal


def is_loopback(host: str) -> bool:
    """Whether a name or an address belongs to this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def must_be_local(request: Request, *, loopback: bool) -> None:
    """Refuse a request from a page of another site, or to a foreign name that leads to this machine.

    Args:
        request: the request.
        loopback: whether the emulator listens only on this machine; otherwise any name may lead to it.

    Raises:
        Refusal: a page of another site may have sent the request.
    """
    host = request.headers.get("host", "")
    if loopback and not is_loopback(_name(host)):
        raise Refusal(403, "the emulator answers only on names of this machine")
    origin = request.headers.get("origin")
    if origin is not None and _of_origin(origin) != host:
        raise Refusal(403, "the emulator answers no page of another origin")


def must_be_json(request: Request, body: bytes) -> None:
    """Refuse a body that is not JSON: a page can send only other types without asking first.

    Raises:
        Refusal: the body has another type.
    """
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "a body must be application/json")


def _of_origin(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
