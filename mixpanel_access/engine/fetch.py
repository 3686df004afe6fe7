"""The child process of the download: `python -m mixpanel_access.engine.fetch ROOT URL SHA256`.

It downloads a release of Pulumi, compares its digest, and only then unpacks its programs to ROOT/bin.
"""
# ruff: noqa: T201 - the parent process reads what is printed

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path, PurePosixPath
from typing import IO, Final
from urllib.error import URLError

_TIMEOUT: Final = 30
"""Seconds without a byte. If packets are dropped, the operating system would wait for minutes."""
_PIECE: Final = 1 << 20
_FOLDER: Final = PurePosixPath("pulumi")
"""The folder with the programs in a release's archive."""


class WrongArchive(Exception):
    """The download is not the release that we asked for."""


def main(arguments: list[str]) -> int:
    """Install the release in ROOT/bin; if that fails, print the reason on stderr in one line."""
    root, url, sha256 = arguments
    try:
        with tempfile.TemporaryFile(dir=root) as archive:
            _download(url, sha256, archive)
            _unpack(archive, Path(root) / "bin")
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the reason to report
        name = "" if isinstance(error, WrongArchive | URLError) else f"{type(error).__name__}: "
        print(f"{name}{error}".removeprefix("<urlopen error ").removesuffix(">"), file=sys.stderr)
        return 1
    return 0


def _download(url: str, sha256: str, archive: IO[bytes]) -> None:
    """Download a file.

    Raises:
        WrongArchive: its digest differs.
    """
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:  # noqa: S310 - an address of ours
        while piece := response.read(_PIECE):
            digest.update(piece)
            archive.write(piece)
    if digest.hexdigest() != sha256:
        raise WrongArchive(
            f"{url} has the SHA-256 {digest.hexdigest()}, not {sha256} as published; it was not unpacked"
        )


def _unpack(archive: IO[bytes], folder: Path) -> None:
    """Unpack only the programs of the archive into a folder."""
    archive.seek(0)
    folder.mkdir()
    with tarfile.open(fileobj=archive, mode="r:gz") as release:
        for member in release:
            name = PurePosixPath(member.name)
            content = release.extractfile(member) if member.isfile() and name.parent == _FOLDER else None
            if content is not None:
                with (folder / name.name).open("wb") as program:
                    shutil.copyfileobj(content, program)
                (folder / name.name).chmod(0o755)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
