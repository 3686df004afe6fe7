"""Look for the Pulumi engine in each place in turn, and download or build one if there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from mixpanel_access.engine.cache import find_in_cache, locked
from mixpanel_access.engine.found import Engine, StepFailed, find_on_path
from mixpanel_access.engine.settings import MINIMUM, EngineSettings, read_settings
from mixpanel_access.model.errors import EngineError

Progress = Callable[[str], None]
"""Takes one line for each thing that begins, fails or takes long; lines about a wait are indented."""
Build = Callable[[EngineSettings, Progress], Engine]
"""Builds an engine into the cache, or raises `StepFailed`."""

_NEXT = {
    "cache": "looking in the cache",
    "download": "trying the download",
    "build": "building it from source",
}
"""What a step does, for the line that says why the one before it failed."""


def ensure_engine(progress: Progress, settings: EngineSettings | None = None, build: Build | None = None) -> Engine:
    """Find the Pulumi engine, or make it.

    In this order: `pulumi` on PATH, the user's cache, the official download, a build from source. Several runs at the
    same time make it once; a run that is killed leaves nothing half made.

    Args:
        progress: shows a line.
        settings: the surroundings; by default those of this process.
        build: builds the engine from source; a clone has what that takes (`tools.engine`), the package does not.

    Raises:
        EngineError: no step gave an engine; the text has the reason of each.
    """
    search = _Search(progress, settings or read_settings(), can_build=build is not None)
    if engine := search.take("path", find_on_path) or search.take("cache", find_in_cache):
        return engine
    if not any(step in ("download", "build") for step in search.steps):
        raise search.nothing()
    from mixpanel_access.engine.download import download_engine  # what only a machine without an engine waits for

    if missing := "; ".join(str(reason) for reason in search.reasons.values() if reason.absent):
        progress(f"no Pulumi engine yet ({missing})")
    with locked(search.settings, progress):
        if "cache" in search.settings.steps:
            with contextlib.suppress(StepFailed):  # another run may have made it while this one waited
                return find_in_cache(search.settings)
        for step, make in (("download", download_engine), ("build", build)):
            if make and (engine := search.take(step, make, progress)):
                return engine
    raise search.nothing()


class _Search:
    """One search for an engine, with the reason of each step that failed."""

    def __init__(self, progress: Progress, settings: EngineSettings, *, can_build: bool) -> None:
        self.settings = settings
        self.steps = tuple(step for step in settings.steps if can_build or step != "build")
        self.reasons: dict[str, StepFailed] = {}
        self._progress = progress
        self._can_build = can_build

    def take(self, step: str, find: Callable[..., Engine], *more: Progress) -> Engine | None:
        """Take one step if it is chosen; if it fails, keep the reason and say what comes next."""
        if step not in self.steps:
            return None
        try:
            return find(self.settings, *more)
        except StepFailed as failure:
            reason = failure
        except OSError as error:  # a full disk, a file without permission: a reason like any other
            reason = StepFailed(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        self.reasons[step] = reason
        if not reason.absent:
            later = self.steps[self.steps.index(step) + 1 :]
            self._progress(f"{reason}{f'; {_NEXT[later[0]]}' if later else ''}")
        return None

    def nothing(self) -> EngineError:
        """The error that no step gave an engine, with the reason of each."""
        install = f"Install Pulumi {'.'.join(map(str, MINIMUM))} or newer and put it on PATH"
        again = "run this again where the download"
        reasons = [f"{step}: {self.reasons[step]}" for step in self.steps if step in self.reasons]
        return EngineError(
            "cannot find or make the Pulumi engine",
            why="; ".join(reasons) or "the package does not have the sources to build it from",
            next_step=f"{install}, or {again} or a Go module proxy can be reached."
            if self._can_build
            else f"{install}, {again} can be reached, or build it with `make engine` in a clone of this project.",
        )
