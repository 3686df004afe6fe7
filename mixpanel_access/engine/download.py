"""The official download of the engine, in a child process: its output stays ours, and its time is bounded."""

from __future__ import annotations

from collections.abc import Callable

from mixpanel_access.engine.cache import home, publish, staging
from mixpanel_access.engine.found import Engine, StepFailed, check_folder, last_lines
from mixpanel_access.engine.process import run_child
from mixpanel_access.engine.release import RELEASES
from mixpanel_access.engine.settings import ENGINE_VERSION, Settings, platform_name


def download_engine(settings: Settings, progress: Callable[[str], None]) -> Engine:
    """Download the release archive into the cache. The caller holds the lock.

    Raises:
        StepFailed: no connection, no release for this machine, a digest that differs, or what came does not work.
    """
    release = RELEASES.get(platform_name())
    if release is None:
        raise StepFailed(f"no release for {platform_name()} has a checksum here")
    progress(f"downloading the Pulumi engine {ENGINE_VERSION}")
    with staging(settings) as staged:
        outcome = run_child(
            [settings.python, "-m", "mixpanel_access.engine.fetch", str(staged), release.url, release.sha256],
            env=settings.environ,
            timeout=settings.download_timeout,
            on_wait=lambda seconds: progress(f"  downloading the engine ... {seconds:.0f} s"),
        )
        if outcome.timed_out:
            raise StepFailed(f"the download was not done within {settings.download_timeout:g} s")
        if outcome.returncode != 0:
            raise StepFailed(f"the download failed: {last_lines(outcome.stderr, outcome.returncode)}")
        engine = check_folder(staged / "bin", settings, "download")
        publish(staged, home(settings))
    return Engine(home(settings) / "bin", engine.version, "download")
