"""Only the release that was published is unpacked, and only its programs."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mixpanel_access.engine import settings as engine_settings
from mixpanel_access.engine.download import RELEASES
from mixpanel_access.engine.fetch import main

from .engine_fakes import World


@dataclass
class Served:
    """What a server on this machine answers, by its path."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)


@pytest.fixture
def served() -> Iterator[Served]:
    """A server with nothing yet."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = found.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Served(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def archive(files: dict[str, bytes], link: str = "") -> bytes:
    """A release with these files, and maybe a link to another place."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("pulumi/linked")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    return made.getvalue()


GOOD = archive({"pulumi/pulumi": b"engine", "pulumi/pulumi-language-python": b"host"})
SPOILED = {
    "another program": archive({"pulumi/pulumi": b"evil", "pulumi/pulumi-language-python": b"host"}),
    "one byte more": GOOD + b"\0",
    "one bit": GOOD[:-1] + bytes([GOOD[-1] ^ 1]),
    "cut off": GOOD[:-9],
    "nothing": b"",
    "a page": b"<html>blocked by a proxy</html>",
}


def test_the_published_release_is_installed(served: Served, tmp_path: Path) -> None:
    """Its programs can be run."""
    served.files["/r.tar.gz"] = GOOD
    assert main([str(tmp_path), f"{served.url}/r.tar.gz", hashlib.sha256(GOOD).hexdigest()]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "bin").iterdir()} == {
        "pulumi": b"engine",
        "pulumi-language-python": b"host",
    }
    assert all(path.stat().st_mode & 0o111 for path in (tmp_path / "bin").iterdir())


@pytest.mark.parametrize("content", SPOILED.values(), ids=SPOILED.keys())
def test_a_wrong_archive_is_refused(
    served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes
) -> None:
    """Nothing of it is unpacked, and one line has both digests."""
    served.files["/r.tar.gz"] = content
    wanted = hashlib.sha256(GOOD).hexdigest()
    assert main([str(tmp_path), f"{served.url}/r.tar.gz", wanted]) == 1
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert f"has the SHA-256 {hashlib.sha256(content).hexdigest()}, not {wanted}" in said
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_have_it_is_the_reason(
    served: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line says so."""
    assert main([str(tmp_path), f"{served.url}/r.tar.gz", "0" * 64]) == 1
    assert "404" in capfd.readouterr().err


def test_nothing_is_written_elsewhere(served: Served, tmp_path: Path) -> None:
    """Whatever an archive has beside its programs: another folder, a way up, a link."""
    root = tmp_path / "root"
    root.mkdir()
    odd = {
        "pulumi/pulumi": b"engine",
        "../up": b"x",
        "pulumi/../../up": b"x",
        "/tmp/up": b"x",
        "other/x": b"x",
        "y": b"x",
    }
    content = archive(odd, link=str(tmp_path / "elsewhere"))
    served.files["/r.tar.gz"] = content
    assert main([str(root), f"{served.url}/r.tar.gz", hashlib.sha256(content).hexdigest()]) == 0
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == [
        "root",
        "root/bin",
        "root/bin/pulumi",
    ]


def test_the_download_asks_for_the_digest_of_this_platform(world: World) -> None:
    """The child process gets the address and the published value."""
    world.python(download='echo "$*" > "$ROOT/../asked"; exit 1')
    world.go()
    world.ensure(world.settings("download", "build"))
    release = RELEASES[engine_settings.platform_name()]
    assert (world.engines / "asked").read_text().split()[-2:] == [release.url, release.sha256]


def test_a_platform_without_a_value_is_built_from_source(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded for it."""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    world.python(download='touch "$ROOT/../asked"; exit 1')
    world.go()
    engine = world.ensure(world.settings())
    assert engine.source == "build"
    assert any("-riscv64 has a checksum here; building it from source" in line for line in world.told)
    assert not (world.engines / "asked").exists()
