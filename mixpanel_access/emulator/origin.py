"""Whom the emulator answers: programs, and no web page that a browser on this machine has open."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from mixpanel_access.emulator.answer import Refusal


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def must_be_local(request: Request, *, loopback: bool) -> None:
    """Refuse what a page of another site sends, or has sent to a name that leads here.

    Args:
        request: the request.
        loopback: whether the emulator is bound to this machine alone; elsewhere any name may lead to it.

    Raises:
        Refusal: it is refused.
    """
    host = request.headers.get("host", "")
    if loopback and not is_loopback(_name(host)):
        raise Refusal(403, "the emulator answers on the names of this machine alone")
    origin = request.headers.get("origin")
    if origin is not None and _of_origin(origin) != host:
        raise Refusal(403, "the emulator answers no page of another origin")


def must_be_json(request: Request, body: bytes) -> None:
    """Refuse a body of another type: what a page can send without asking first is none.

    Raises:
        Refusal: it is refused.
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
