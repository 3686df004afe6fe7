"""Posting to a chat: in the form that it takes, over https, without the URL in an error."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mixpanel_access.cli.app import app
from mixpanel_access.model.chats import Chat, chat_of
from mixpanel_access.model.errors import ConfigurationError, Refused, Unreachable, UsageError
from mixpanel_access.operations.delivery import WEBHOOK_VARIABLE, post_to_webhook


def is_plain_text(value: Any, longest: int) -> bool:
    """Whether Slack takes it as a text of a block."""
    return value["type"] == "plain_text" and 0 < len(value["text"]) <= longest


def slack_takes(body: Any) -> bool:
    """At most 50 blocks, with texts that are not too long; nothing that it does not know."""
    longest = {"header": 150, "section": 3000}
    blocks = body.get("blocks", ())
    return (
        set(body) == {"text", "blocks"}
        and 0 < len(blocks) <= 50
        and all(is_plain_text(block["text"], longest[block["type"]]) for block in blocks)
    )


def teams_takes(body: Any) -> bool:
    """A message with one Adaptive Card, of at most 28 KB."""
    if set(body) != {"type", "attachments"} or len(json.dumps(body).encode()) > 28_000:
        return False
    [card] = body["attachments"]
    texts = card["content"]["body"]
    return (
        card["contentType"] == "application/vnd.microsoft.card.adaptive"
        and (card["content"]["type"], card["content"]["version"]) == ("AdaptiveCard", "1.4")
        and all(one["type"] == "TextBlock" and one["wrap"] for one in texts)
    )


def others_take(body: Any) -> bool:
    """A text alone."""
    return set(body) == {"text"}


TAKES = {"/slack": slack_takes, "/teams": teams_takes, "/good?token=1": others_take}


class Webhook(BaseHTTPRequestHandler):
    """Takes the form of its chat; elsewhere it refuses, or sends on."""

    taken: list[Any]

    def do_POST(self) -> None:  # the library's name
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        takes = TAKES.get(self.path)
        status = 307 if self.path == "/moved" else 404 if takes is None else 202 if takes(body) else 400
        if status == 202:
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
    Webhook.taken = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", Webhook.taken
        server.shutdown()
        thread.join()


def test_a_text_is_posted(chat: tuple[str, list[Any]]) -> None:
    """A host that nobody knows gets a text."""
    post_to_webhook("Due", ["Zoë's access ends."], f"{chat[0]}/good?token=1")
    assert chat[1] == [{"text": "Due\nZoë's access ends."}]


UP = "Updating (production):\n +  pulumi-python:dynamic/mixpanel:Member bo@example.com created (0.1s)\n"
LINK = "https://ci.example.com/1"
RUNS = {
    "what it changed": (UP, "success", f"Up\ncreate Member bo@example.com\n{LINK}"),
    "nothing changed": ("Updating (production):\n", "success", None),
    "it failed": (UP, "failure", f"Up: failure; some of this may not be done\ncreate Member bo@example.com\n{LINK}"),
    "it failed early": ("", "failure", f"Up: failure; some of this may not be done\nNo change is known.\n{LINK}"),
}


@pytest.mark.parametrize(("output", "outcome", "text"), RUNS.values(), ids=RUNS)
def test_a_run_says_what_it_changed(chat: tuple[str, list[Any]], output: str, outcome: str, text: str | None) -> None:
    """A failure is never silent, and success without a change is; the webhook's URL is printed in neither case."""
    words = ["post", "-", "--title", "Up", "--outcome", outcome, "--link", LINK]
    for url, taken in ((f"{chat[0]}/good?token=1", [{"text": text}] if text else []), ("", [])):
        chat[1].clear()
        done = CliRunner().invoke(app, words, input=output, env={WEBHOOK_VARIABLE: url})
        assert (done.exit_code, chat[1]) == (0, taken), done.output
        assert "token=1" not in done.output
    if text:
        done = CliRunner().invoke(app, words, input=output, env={WEBHOOK_VARIABLE: f"{chat[0]}/gone?token=1"})
        assert done.exit_code != 0
        assert "token=1" not in done.output + str(done.exception)


def test_an_output_that_is_not_there_or_not_text_hides_nothing(chat: tuple[str, list[Any]], tmp_path: Path) -> None:
    """Only a run that failed may have no output; bytes that are not UTF-8 keep no change from being posted."""
    environ, words = {WEBHOOK_VARIABLE: f"{chat[0]}/good?token=1"}, ["--title", "Up"]
    missing = CliRunner().invoke(app, ["post", str(tmp_path / "nosuch.txt"), *words], env=environ)
    assert isinstance(missing.exception, UsageError)
    assert not chat[1]
    failed = [str(tmp_path / "nosuch.txt"), "--outcome", "failure"]
    for file, text in ((failed, "No change is known."), (["-"], "create Member bo@example.com")):
        chat[1].clear()
        done = CliRunner().invoke(app, ["post", *file, *words], input=b"\xff\n" + UP.encode(), env=environ)
        assert (done.exit_code, text in str(chat[1])) == (0, True), (done.output, done.exception)
    assert CliRunner().invoke(app, ["policy", "findings", "-"], input=b"\xff\n").exit_code == 0


LINES = {
    "one": ["Zoë's access ends."],
    "hundreds": ["x"] * 400,
    "long ones": ["é" * 4000] * 3,
    "many long": ["x" * 900] * 60,
}


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES.keys())
@pytest.mark.parametrize("kind", Chat)
def test_each_chat_takes_its_form_and_refuses_the_others(
    chat: tuple[str, list[Any]], kind: Chat, lines: list[str]
) -> None:
    """However many reminders there are, and however long."""
    paths = dict(zip(Chat, TAKES, strict=True))
    for other, path in paths.items():
        if other is kind:
            post_to_webhook("Due", lines, f"{chat[0]}{path}", kind)
        else:
            with pytest.raises(Refused, match=r"it answers 400.*--chat"):
                post_to_webhook("Due", lines, f"{chat[0]}{path}", kind)
    assert len(chat[1]) == 1
    first = lines[0][:500]
    assert first in json.dumps(chat[1], ensure_ascii=False)


HOSTS = {
    "hooks.slack.com": Chat.SLACK,
    "prod-12.westeurope.logic.azure.com": Chat.TEAMS,
    "default1a.01.environment.api.powerplatform.com": Chat.TEAMS,
    "example.webhook.office.com": Chat.TEAMS,
    "chat.example.com": Chat.TEXT,
    "notslack.com": Chat.TEXT,
    "slack.com.example.com": Chat.TEXT,
}


@pytest.mark.parametrize(("host", "kind"), HOSTS.items())
def test_the_host_tells_the_chat(host: str, kind: Chat) -> None:
    """A domain counts with all hosts below it, and not a name that only looks like it."""
    assert chat_of(host) is kind


def test_a_text_goes_through_the_proxy(chat: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the environment names is asked for the tunnel, and a proxy that nobody reaches is named."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", chat[0])
    with pytest.raises(Unreachable, match=r"cannot post for chat.example.com: .*501.* Check HTTPS_PROXY, then"):
        post_to_webhook("x", (), "https://chat.example.com/good")
    monkeypatch.setenv("HTTPS_PROXY", "ftp://127.0.0.1")
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY names a proxy of the kind ftp"):
        post_to_webhook("x", (), "https://chat.example.com/good")


@pytest.mark.parametrize(("path", "status"), [("/gone-hush", 404), ("/moved", 307)])
def test_what_the_chat_refuses_is_told(chat: tuple[str, list[Any]], path: str, status: int) -> None:
    """A redirect is not followed, and the URL stays out of the error."""
    with pytest.raises(Refused, match=f"it answers {status}") as raised:
        post_to_webhook("x", (), f"{chat[0]}{path}")
    assert (chat[1], "hush" in str(raised.value)) == ([], False)


def test_nobody_there() -> None:
    """The host is named, the rest of the URL is not."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=r"cannot post for 127.0.0.1: ") as raised:
        post_to_webhook("x", (), f"http://127.0.0.1:{port}/hush")
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    "url", [None, "", "http://chat.example.com/hush", "ftp://x", "chat", "https://", "https://h:x"]
)
def test_only_https_beyond_this_host(url: str | None) -> None:
    """A matter of configuration."""
    with pytest.raises(ConfigurationError, match="MIXPANEL_ACCESS_WEBHOOK is ") as raised:
        post_to_webhook("x", (), url)
    assert "hush" not in str(raised.value)
