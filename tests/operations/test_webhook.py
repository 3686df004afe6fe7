"""Posting to a chat: over https, without the URL in an error."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mixpanel_access.model.errors import ConfigurationError, Refused, Unreachable
from mixpanel_access.operations.delivery import post_to_webhook


class Chat(BaseHTTPRequestHandler):
    """Takes texts at /good; elsewhere it refuses, or sends on."""

    taken: list[Any]

    def do_POST(self) -> None:  # the library's name
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = {"/good?token=1": 200, "/moved": 307}.get(self.path, 404)
        if status == 200:
            self.taken.append(body)
        self.send_response(status)
        self.send_header("Location", "/good?token=1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def chat() -> Iterator[tuple[str, list[Any]]]:
    """A chat on a free port, and what it has taken."""
    Chat.taken = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", Chat.taken
        server.shutdown()
        thread.join()


def test_a_text_is_posted(chat: tuple[str, list[Any]]) -> None:
    """As the chats take it."""
    post_to_webhook("Zoë's access ends.", f"{chat[0]}/good?token=1")
    assert chat[1] == [{"text": "Zoë's access ends."}]


def test_a_text_goes_through_the_proxy(chat: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the environment names is asked for the tunnel, and a proxy that nobody reaches is named."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", chat[0])
    with pytest.raises(Unreachable, match=r"cannot post for chat.example.com: .*501.* Check HTTPS_PROXY, then"):
        post_to_webhook("x", "https://chat.example.com/good")
    monkeypatch.setenv("HTTPS_PROXY", "ftp://127.0.0.1")
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY names a proxy of the kind ftp"):
        post_to_webhook("x", "https://chat.example.com/good")


@pytest.mark.parametrize(("path", "status"), [("/gone-hush", 404), ("/moved", 307)])
def test_what_the_chat_refuses_is_told(chat: tuple[str, list[Any]], path: str, status: int) -> None:
    """A redirect is not followed, and the URL stays out of the error."""
    with pytest.raises(Refused, match=f"it answers {status}") as raised:
        post_to_webhook("x", f"{chat[0]}{path}")
    assert (chat[1], "hush" in str(raised.value)) == ([], False)


def test_nobody_there() -> None:
    """The host is named, the rest of the URL is not."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=r"cannot post for 127.0.0.1: ") as raised:
        post_to_webhook("x", f"http://127.0.0.1:{port}/hush")
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    "url", [None, "", "http://chat.example.com/hush", "ftp://x", "chat", "https://", "https://h:x"]
)
def test_only_https_beyond_this_host(url: str | None) -> None:
    """A matter of configuration."""
    with pytest.raises(ConfigurationError, match="MIXPANEL_ACCESS_WEBHOOK is ") as raised:
        post_to_webhook("x", url)
    assert "hush" not in str(raised.value)
