"""Send a text by mail or to a chat's incoming webhook; no secret stands in an error."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from functools import partial
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from mixpanel_access.model.chats import Chat, chat_of, message
from mixpanel_access.model.errors import ConfigurationError, Refused, Unreachable
from mixpanel_access.model.hosts import LOOPBACK

SERVER_VARIABLE: Final = "MIXPANEL_ACCESS_SMTP"
"""The environment variable with the mail server: smtp://host:587 (STARTTLS) or smtps://user:password@host:465."""
_PORTS: Final = {"smtp": 587, "smtps": 465}
_SECONDS: Final = 30.0


def send_mail(mail: EmailMessage, server: str | None) -> None:
    """Send a message to everybody in its headers.

    Args:
        mail: the message.
        server: the value of `SERVER_VARIABLE`, user and password percent-encoded.

    Raises:
        ConfigurationError: the server is not named, or not as a URL.
        Unreachable: it does not answer.
        Refused: it does not take the message, or the login.
    """
    to, (url, host, port) = str(mail["To"]), _mail_server(server)
    context = ssl.create_default_context()
    secured = partial(smtplib.SMTP_SSL, context=context) if url.scheme == "smtps" else smtplib.SMTP
    try:
        with secured(host, port, timeout=_SECONDS) as connection:
            if url.scheme == "smtp" and host not in LOOPBACK:
                connection.starttls(context=context)
            if url.username:
                connection.login(unquote(url.username), unquote(url.password or ""))
            refused = connection.send_message(mail)
    except smtplib.SMTPNotSupportedError as error:
        raise Refused("cannot send", subject=to, why=f"{host}: {error}", next_step="Take another server.") from None
    except smtplib.SMTPAuthenticationError:
        raise Refused(
            "cannot send", subject=to, why=f"{host} does not take the login", next_step="Check user and password."
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(to, host, error.recipients) from None
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        raise Refused("cannot send", subject=to, why=f"{host} says {error.smtp_code} {said}") from None
    except (OSError, smtplib.SMTPException) as error:
        why = str(error.strerror if isinstance(error, OSError) and error.strerror else error)
        raise Unreachable(
            "cannot send", subject=to, why=f"{host}:{port}: {why}", next_step="Check the server and run it again."
        ) from None
    if refused:
        raise _refused(", ".join(refused), host, refused)


def _mail_server(server: str | None) -> tuple[SplitResult, str, int]:
    """The URL of the mail server, with its host and port."""
    if not server:
        raise ConfigurationError(
            "cannot send", why=f"{SERVER_VARIABLE} is not set", next_step="Set it: smtps://user:password@host:465"
        )
    try:
        url = urlsplit(server)
        if url.hostname:
            return url, url.hostname, url.port or _PORTS[url.scheme]
    except (KeyError, ValueError):
        pass
    raise ConfigurationError(
        "cannot send",
        why=f"{SERVER_VARIABLE} is not a URL of a mail server",
        next_step="Write it as smtp://host:587 or smtps://user:password@host:465.",
    )


def _refused(to: str, host: str, recipients: dict[str, tuple[int, bytes]]) -> Refused:
    said = "; ".join(f"{email}: {code} {text.decode(errors='replace')}" for email, (code, text) in recipients.items())
    return Refused("cannot send", subject=to, why=f"{host} refuses {said}", next_step="Check the address.")


WEBHOOK_VARIABLE: Final = "MIXPANEL_ACCESS_WEBHOOK"
"""The environment variable with the webhook's URL, which is all that one needs to post there."""


def post_to_webhook(title: str, lines: Sequence[str], url: str | None, chat: Chat | None = None) -> None:
    """Post a message, through the proxy that the environment names. A redirect is not followed: it could lead anywhere.

    Args:
        title: its first line.
        lines: the other lines.
        url: the webhook's URL, a secret.
        chat: the kind of chat there; None to take it from the URL's host.

    Raises:
        ConfigurationError: the URL is not set, or is none of https; or the variables of the network cannot be used.
        Unreachable: nobody answers there.
        Refused: the chat does not take it.
    """
    import http.client  # what sends mail alone does not wait for them
    import urllib.request
    from urllib.error import HTTPError, URLError

    from mixpanel_access.api.network import check_network, proxies_set

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            """Follow none: the answer is an error then."""

    if not url:
        raise ConfigurationError("cannot post", why=f"{WEBHOOK_VARIABLE} is not set", next_step="Set it to the URL.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise ConfigurationError("cannot post", why=f"{WEBHOOK_VARIABLE} is not an https URL", next_step="Correct it.")
    check_network()
    secured = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url, json.dumps(message(title, lines, chat or chat_of(host))).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.build_opener(secured, NoRedirect).open(request, timeout=_SECONDS):
            return
    except HTTPError as error:
        error.close()
        why, step = f"it answers {error.code}", "Check the webhook's URL, and with --chat the kind of chat."
        raise Refused("cannot post", subject=host, why=why, next_step=step) from None
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        why = (reason.strerror if isinstance(reason, OSError) else None) or str(reason) or type(reason).__name__
        check = f"Check {' and '.join(proxies)}, then run it again." if (proxies := proxies_set()) else "Run it again."
        raise Unreachable("cannot post", subject=host, why=why, next_step=check) from None
