"""Sending: through a real mail server, refused in one line, never with the password in it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from mixpanel_access.model.errors import ConfigurationError, Refused, Unreachable
from mixpanel_access.operations.delivery import send_mail

SECRET = "hush-hush/&@"  # percent-encoded in the URL
ENCODED = "hush-hush%2F%26%40"


class Inbox:
    """What a mail server has taken, and whom it refuses."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802  # the library's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if b"refuse this" in (envelope.content or b""):
            return "554 looks like spam"
        self.taken.append(envelope)
        return "250 OK"


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"bot", SECRET.encode()), handled=False)


@pytest.fixture
def inbox() -> Inbox:
    """An empty one."""
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[str]:
    """A mail server on a free port of this host."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        inbox, hostname="127.0.0.1", port=port, authenticator=_login, auth_require_tls=False, auth_required=False
    )
    controller.start()
    yield f"127.0.0.1:{port}"
    controller.stop()


def mail(to: str = "bo@example.com", text: str = "Hello") -> EmailMessage:
    """A message."""
    message = EmailMessage()
    message["From"], message["To"], message["Cc"], message["Subject"] = "ana@example.com", to, "mia@example.com", "Hi"
    message.set_content(text)
    return message


def test_a_message_goes_to_all_whom_it_names(inbox: Inbox, server: str) -> None:
    """With and without a login."""
    send_mail(mail(), f"smtp://{server}")
    send_mail(mail(), f"smtp://bot:{ENCODED}@{server}")
    assert [one.rcpt_tos for one in inbox.taken] == [["bo@example.com", "mia@example.com"]] * 2
    assert b"Subject: Hi" in (inbox.taken[0].content or b"")


REFUSED = {
    "login": ("bot:wrong-one@", mail(), "does not take the login"),
    "recipient": ("", mail("nobody@example.com"), "refuses nobody@example.com: 550 no such mailbox"),
    "content": ("", mail(text="refuse this"), "says 554 looks like spam"),
}


@pytest.mark.parametrize(("user", "message", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_server_refuses_is_told(server: str, user: str, message: EmailMessage, words: str) -> None:
    """With its own words, and without the password."""
    with pytest.raises(Refused) as raised:
        send_mail(message, f"smtp://{user}{server}")
    assert words in str(raised.value)
    assert "wrong-one" not in str(raised.value)


def test_a_server_that_does_not_answer_is_told() -> None:
    """It names host and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}: ") as raised:
        send_mail(mail(), f"smtp://bot:{ENCODED}@127.0.0.1:{port}")
    assert "hush" not in str(raised.value)


def test_tls_is_required_beyond_this_host(server: str) -> None:
    """A certificate that nobody vouches for is refused before the login."""
    port = server.rpartition(":")[2]
    with pytest.raises(Unreachable):  # no TLS is spoken there
        send_mail(mail(), f"smtps://bot:{ENCODED}@127.0.0.1:{port}")
    other = f"127.1:{port}"  # this host too, by a name that is not taken for it
    with pytest.raises(Refused, match="STARTTLS extension not supported by server"):
        send_mail(mail(), f"smtp://bot:{ENCODED}@{other}")


@pytest.mark.parametrize(
    "server", [None, "", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://h:port"]
)
def test_no_server_is_a_matter_of_configuration(server: str | None) -> None:
    """It says how to write one."""
    with pytest.raises(ConfigurationError, match="MIXPANEL_ACCESS_SMTP is "):
        send_mail(mail(), server)
