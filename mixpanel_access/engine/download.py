"""Download an official release of the engine, in a child process: its output stays ours, and its time is bounded.

The digests are those that Pulumi publishes in its own package recipe for this version:
https://github.com/pulumi/homebrew-tap/blob/51fb494f9549f08978388a9994547e46509279af/Formula/pulumi.rb
Another version of the engine needs the digests of its own recipe. Without them it can only be built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mixpanel_access.engine.cache import home, publish, staging
from mixpanel_access.engine.found import Engine, StepFailed, check_folder, last_lines
from mixpanel_access.engine.process import Watch, run_child
from mixpanel_access.engine.settings import RELEASES_VERSION, EngineSettings, platform_name

_FOLDER: Final = f"https://github.com/pulumi/pulumi/releases/download/v{RELEASES_VERSION}"


@dataclass(frozen=True)
class Release:
    """The archive of a release for one platform.

    Attributes:
        url: its address.
        sha256: its digest, in hexadecimal.
    """

    url: str
    sha256: str


RELEASES: Final[Mapping[str, Release]] = {
    "darwin-amd64": Release(
        f"{_FOLDER}/pulumi-v{RELEASES_VERSION}-darwin-x64.tar.gz",
        "eaca4c3b8277bfa3ab061fa3b270d1c66358a0b2e613da8c5587a04b7226c534",
    ),
    "darwin-arm64": Release(
        f"{_FOLDER}/pulumi-v{RELEASES_VERSION}-darwin-arm64.tar.gz",
        "57c27f179e527e2cf9f62b841a448af72a020e44b2fb4ee0d9bd85556c00c864",
    ),
    "linux-amd64": Release(
        f"{_FOLDER}/pulumi-v{RELEASES_VERSION}-linux-x64.tar.gz",
        "94ba357acac23d01474084c4b00098dc0f7bc70ce13f34c777459254a5f718e5",
    ),
    "linux-arm64": Release(
        f"{_FOLDER}/pulumi-v{RELEASES_VERSION}-linux-arm64.tar.gz",
        "edc8327463a72160bb36cf82cf5062da9c8a244290a706d9980988e7bf486853",
    ),
}
"""Platform, as `platform_name` spells it -> archive. For any other, `make engine` builds the engine from source."""


def download_engine(settings: EngineSettings, progress: Callable[[str], None]) -> Engine:
    """Download the release archive into the cache. The caller holds the lock.

    Raises:
        StepFailed: no connection, no release for this machine, another digest, or the download does not work.
    """
    release = RELEASES.get(platform_name())
    if release is None:
        raise StepFailed(f"no release for {platform_name()} has a checksum here")
    progress(f"downloading the Pulumi engine {RELEASES_VERSION}")
    with staging(settings) as staged:
        outcome = run_child(
            [settings.python, "-m", "mixpanel_access.engine.fetch", str(staged), release.url, release.sha256],
            env=settings.environ,
            timeout=settings.download_timeout,
            watch=Watch(on_wait=lambda seconds: progress(f"  downloading the engine ... {seconds:.0f} s")),
        )
        if outcome.timed_out:
            raise StepFailed(f"the download was not done within {settings.download_timeout:g} s")
        if outcome.returncode != 0:
            raise StepFailed(f"the download failed: {last_lines(outcome.stderr, outcome.returncode)}")
        engine = check_folder(staged / "bin", settings, "download")
        place = home(settings, RELEASES_VERSION)
        publish(staged, place)
    return Engine(place / "bin", engine.version, "download")
