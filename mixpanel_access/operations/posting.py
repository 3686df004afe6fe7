"""Post a text to a chat's incoming webhook (Slack, Teams, Mattermost: JSON with `text`). The URL is a secret."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Final
from urllib.parse import urlsplit

from mixpanel_access.model.errors import ConfigurationError, Refused, Unreachable
from mixpanel_access.model.settings import LOOPBACK

WEBHOOK_VARIABLE: Final = "MIXPANEL_ACCESS_WEBHOOK"
"""The environment variable with the webhook's URL, which is all that one needs to post there."""

_SECONDS: Final = 30.0


def post_to_webhook(text: str, url: str | None) -> None:
    """Post a text. Redirects are not followed: they would take the text elsewhere.

    Raises:
        ConfigurationError: the URL is not set, or is none of https.
        Unreachable: nobody answers there.
        Refused: the chat does not take it.
    """
    if not url:
        raise ConfigurationError("cannot post", why=f"{WEBHOOK_VARIABLE} is not set", next_step="Set it to the URL.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise ConfigurationError("cannot post", why=f"{WEBHOOK_VARIABLE} is no https URL", next_step="Correct it.")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        connection.request("POST", path, json.dumps({"text": text}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        status = answer.status
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise Unreachable("cannot post", whom=host, why=why, next_step="Run it again.") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise Refused("cannot post", whom=host, why=f"it answers {status}", next_step="Check the webhook's URL.")
