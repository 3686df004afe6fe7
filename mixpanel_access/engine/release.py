"""The releases of the engine that may be downloaded: where each lies, and the SHA-256 of its archive.

The values are those that Pulumi publishes in its own package recipe for this version:
https://github.com/pulumi/homebrew-tap/blob/51fb494f9549f08978388a9994547e46509279af/Formula/pulumi.rb
Another version of the engine needs the values of its own recipe: a test compares the versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

VERSION: Final = "3.259.0"
"""The version that the values below are of."""

_FOLDER: Final = f"https://github.com/pulumi/pulumi/releases/download/v{VERSION}"


@dataclass(frozen=True)
class Release:
    """One archive.

    Attributes:
        url: where it lies.
        sha256: its digest, in hexadecimal.
    """

    url: str
    sha256: str


RELEASES: Final[Mapping[str, Release]] = {
    "darwin-amd64": Release(
        f"{_FOLDER}/pulumi-v{VERSION}-darwin-x64.tar.gz",
        "eaca4c3b8277bfa3ab061fa3b270d1c66358a0b2e613da8c5587a04b7226c534",
    ),
    "darwin-arm64": Release(
        f"{_FOLDER}/pulumi-v{VERSION}-darwin-arm64.tar.gz",
        "57c27f179e527e2cf9f62b841a448af72a020e44b2fb4ee0d9bd85556c00c864",
    ),
    "linux-amd64": Release(
        f"{_FOLDER}/pulumi-v{VERSION}-linux-x64.tar.gz",
        "94ba357acac23d01474084c4b00098dc0f7bc70ce13f34c777459254a5f718e5",
    ),
    "linux-arm64": Release(
        f"{_FOLDER}/pulumi-v{VERSION}-linux-arm64.tar.gz",
        "edc8327463a72160bb36cf82cf5062da9c8a244290a706d9980988e7bf486853",
    ),
}
"""The platform, as `platform_name` has it, -> its archive. The engine is built from source for any other."""
