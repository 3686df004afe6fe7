"""The folder of the cache where engines are kept: one lock, staging folders, and whole folders moved into place.

::

    engine/.lock                                    held while something is made
    engine/.staging-XXXXXXXX/                       work in progress; can be deleted once nobody holds the lock
    engine/3.276.0-linux-amd64-0123456789ab/bin/    an engine
    engine/go-1.26.6-linux-amd64/                   a Go toolchain, if there was none on PATH
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mixpanel_access.engine.found import Engine, StepFailed, check_folder
from mixpanel_access.engine.process import FIRST_TICK, TICK
from mixpanel_access.engine.settings import (
    CACHE_VARIABLE,
    ENGINE_VERSION,
    RELEASES_VERSION,
    SOURCE_DIGEST,
    EngineSettings,
    platform_name,
)
from mixpanel_access.model.errors import EngineError

if TYPE_CHECKING:
    from filelock import BaseFileLock

_STAGING = ".staging-"


def engines(settings: EngineSettings) -> Path:
    """The folder of all engines."""
    return settings.cache / "engine"


def home(settings: EngineSettings, version: str) -> Path:
    """The folder of an engine; another version of the package may build another language host."""
    return engines(settings) / f"{version}-{platform_name()}-{SOURCE_DIGEST}"


def find_in_cache(settings: EngineSettings) -> Engine:
    """The engine that an earlier run built or downloaded.

    Raises:
        StepFailed: there is none yet, or it does not work.
    """
    for version in (ENGINE_VERSION, RELEASES_VERSION):
        folder = home(settings, version)
        if folder.is_dir():
            return check_folder(folder / "bin", settings, "cache")
    raise StepFailed(f"none in the cache {engines(settings)}", absent=True)


@contextlib.contextmanager
def locked(settings: EngineSettings, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of the cache, and delete what killed runs left behind.

    The operating system releases the lock when its holder ends, however it ends.

    Raises:
        EngineError: the cache cannot be written to, or another run holds the lock for too long.
    """
    from filelock import FileLock  # brings asyncio, and few runs have anything to lock

    folder = engines(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        _acquire(lock, settings, progress)
    except OSError as error:
        raise EngineError(
            "cannot keep a Pulumi engine in the cache",
            subject=str(folder),
            why=error.strerror or str(error),
            next_step=f"Set {CACHE_VARIABLE} to a folder that you can write to.",
        ) from error
    try:
        for rubbish in folder.glob(f"{_STAGING}*"):
            shutil.rmtree(rubbish, ignore_errors=True)
        yield
    finally:
        lock.release()


def _acquire(lock: BaseFileLock, settings: EngineSettings, progress: Callable[[str], None]) -> None:
    from filelock import Timeout

    started, next_tick = time.monotonic(), FIRST_TICK
    with contextlib.suppress(Timeout):
        lock.acquire(timeout=0)
        return
    progress("another run is making the engine: waiting for it")
    while True:
        elapsed = time.monotonic() - started
        if elapsed > settings.wait_timeout:
            raise EngineError(
                "cannot make the Pulumi engine",
                why=f"another run has been working on it for {elapsed:.0f} s",
                next_step="Stop that run or wait for it, then try again.",
            )
        if elapsed >= next_tick:
            progress(f"  waiting for the other run ... {elapsed:.0f} s")
            next_tick = elapsed - elapsed % TICK + TICK
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0.5, poll_interval=0.1)
            return


@contextlib.contextmanager
def staging(settings: EngineSettings) -> Iterator[Path]:
    """An empty folder next to the finished ones; deleted afterwards unless `publish` has moved it."""
    folder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=engines(settings)))
    folder.chmod(0o755)  # mkdtemp makes it private, and the finished folder is this one
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(staged: Path, place: Path) -> None:
    """Move a finished folder to its place in one step, replacing what was there."""
    if place.exists():
        old = Path(tempfile.mkdtemp(prefix=_STAGING, dir=place.parent))
        place.replace(old / place.name)
        staged.replace(place)
        shutil.rmtree(old, ignore_errors=True)
    else:
        staged.replace(place)
