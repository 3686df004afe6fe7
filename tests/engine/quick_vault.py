"""A vault that keeps the key to the secrets of the stacks of these tests.

Each run of the engine makes a key of the passphrase, which takes a fifth of a second of a core. From a vault it gets
one, and then encrypts with it as ever. `Workspace.as_a_user` gives a stack its passphrase back.
"""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

URL = "hashivault://tests"
ENCRYPTED_KEY = b64encode(b"vault:v1:key").decode()


class _Vault(BaseHTTPRequestHandler):
    """Decrypts any key, to the same one."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"data": {"plaintext": b64encode(b"k" * 32).decode()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing: pytest shows what a test prints."""


@contextmanager
def vault() -> Iterator[dict[str, str]]:
    """A vault that runs, as the variables with which the engine finds it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Vault) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"VAULT_ADDR": f"http://127.0.0.1:{server.server_port}", "VAULT_TOKEN": "tests"}
        server.shutdown()


def with_key_from_vault(files: Mapping[Path, bytes]) -> dict[Path, bytes]:
    """The files of a new stack, which has a key from the vault and no passphrase."""
    changed = {}
    for file, content in files.items():
        text = content.decode()
        if file.suffix == ".json":
            state = json.loads(text)
            manager = {"type": "cloud", "state": {"url": URL, "encryptedkey": ENCRYPTED_KEY}}
            state["checkpoint"]["latest"]["secrets_providers"] = manager
            text = json.dumps(state)
        elif file.suffix == ".yaml":
            text, _, salt = text.partition("encryptionsalt: ")
            text += f"secretsprovider: {URL}\nencryptedkey: {ENCRYPTED_KEY}\n" if salt else ""
        changed[file] = text.encode()
    return changed
