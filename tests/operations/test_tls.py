"""A host whose certificate nobody vouches for gets nothing: no credentials, no mail, no text."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from queue import SimpleQueue

import pytest

from mixpanel_access.api.transport import Transport
from mixpanel_access.model.errors import MixpanelError, Unreachable
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.operations.delivery import post_to_webhook, send_mail

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of localhost that is signed by nobody but itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    new = ["openssl", "req", "-x509", "-nodes", "-days", "2", *subject]
    new += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run([*new, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True, timeout=60)
    return made, key


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[tuple[int, SimpleQueue[bytes]]]:
    """A port that speaks TLS and hangs up after the first words, and what it was told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    heard: SimpleQueue[bytes] = SimpleQueue()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    plain, _ = listening.accept()
                    with plain, contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
                        secured.settimeout(0.5)
                        secured.sendall(b"220 there\r\n")
                        heard.put(secured.recv(1000))

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], heard
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def ask(port: int) -> None:
    """Read from the API."""
    transport = Transport(f"https://localhost:{port}", "bot", Secret("hush"), timeout_seconds=5)
    with contextlib.closing(transport):
        transport.write("/x", {}, "ask")


def mail(port: int) -> None:
    """Send a mail."""
    message = EmailMessage()
    message["From"], message["To"] = "ana@example.com", "bo@example.com"
    send_mail(message, f"smtps://bot:hush@localhost:{port}")


CLIENTS: dict[str, Callable[[int], None]] = {
    "API": ask,
    "mail": mail,
    "chat": lambda port: post_to_webhook("x", (), f"https://localhost:{port}/hush"),
}


@pytest.mark.parametrize("call", CLIENTS.values(), ids=CLIENTS.keys())
def test_a_host_that_nobody_vouches_for_hears_nothing(
    call: Callable[[int], None],
    server: tuple[int, SimpleQueue[bytes]],
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the system is told to trust the certificate, the same host is spoken to."""
    port, heard = server
    with pytest.raises(Unreachable, match=r"(?i)certificate[ _]verify[ _]failed"):
        call(port)
    assert heard.empty()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with pytest.raises(MixpanelError):  # it hangs up, or says what is no HTTP
        call(port)
    assert heard.get(timeout=10)
