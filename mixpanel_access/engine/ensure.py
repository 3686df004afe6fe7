"""Look for the Pulumi engine in each place in turn, and make one where there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from mixpanel_access.engine.cache import engines, find_in_cache, locked
from mixpanel_access.engine.found import Engine, StepFailed, find_on_path
from mixpanel_access.engine.settings import ENGINE_VERSION, MINIMUM, Settings, read_settings
from mixpanel_access.model.errors import EngineError

_NEXT = {
    "cache": "looking in the cache",
    "download": "trying the download",
    "build": "building it from source",
}
"""What a step does, for the line that says why the one before it failed."""


def ensure_engine(progress: Callable[[str], None], settings: Settings | None = None) -> Engine:
    """Find the Pulumi engine, or make it.

    In this order: `pulumi` on PATH, the user's cache, the official download, a build from source. Runs at the same time
    make it once; a run that is killed leaves nothing half made.

    Args:
        progress: called with one line for each thing that begins, fails or takes long; lines about a wait are indented.
        settings: the surroundings; by default those of this process.

    Raises:
        EngineError: no step gave an engine; the text tells the reason of each.
    """
    settings = settings or read_settings()
    reasons: dict[str, StepFailed] = {}
    if engine := _try("path", partial(find_on_path, settings), settings, reasons, progress):
        return engine
    if engine := _try("cache", partial(find_in_cache, settings), settings, reasons, progress):
        return engine
    if not any(step in ("download", "build") for step in settings.steps):
        raise _nothing(settings, reasons)
    from mixpanel_access.engine.build import build_engine  # what only a machine without an engine has to wait for
    from mixpanel_access.engine.download import download_engine

    makers = {"download": download_engine, "build": build_engine}
    if missing := "; ".join(str(reason) for reason in reasons.values() if reason.absent):
        progress(f"no Pulumi engine yet ({missing})")
    with locked(settings, progress):
        if "cache" in settings.steps:
            with contextlib.suppress(StepFailed):  # another run may have made it while this one waited
                return find_in_cache(settings)
        for step, make in makers.items():
            if engine := _try(step, partial(make, settings, progress), settings, reasons, progress):
                return engine
    raise _nothing(settings, reasons)


def explain(settings: Settings | None = None) -> list[str]:
    """One line a step: what it would give, without making anything."""
    settings = settings or read_settings()
    lines = []
    for step, find in (("path", find_on_path), ("cache", find_in_cache)):
        try:
            engine = find(settings)
        except StepFailed as failure:
            lines.append(f"{step}: {failure}")
        else:
            lines.append(f"{step}: {engine.version} in {engine.folder}")
    lines.append(f"download: the release {ENGINE_VERSION}, into {engines(settings)}")
    lines.append(f"build: {ENGINE_VERSION} from its Go module, into {engines(settings)}")
    return [line if line.split(":")[0] in settings.steps else f"{line} (left out)" for line in lines]


def _try(
    step: str,
    take: Callable[[], Engine],
    settings: Settings,
    reasons: dict[str, StepFailed],
    progress: Callable[[str], None],
) -> Engine | None:
    """Take one step if it is chosen; a failure is kept, and told with what comes next."""
    if step not in settings.steps:
        return None
    try:
        return take()
    except StepFailed as failure:
        reasons[step] = failure
    except OSError as error:  # a full disk, a file without permission: a reason like any other
        reasons[step] = StepFailed(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    if not reasons[step].absent:
        later = settings.steps[settings.steps.index(step) + 1 :]
        progress(f"{reasons[step]}{f'; {_NEXT[later[0]]}' if later else ''}")
    return None


def _nothing(settings: Settings, reasons: dict[str, StepFailed]) -> EngineError:
    return EngineError(
        "cannot find or make the Pulumi engine",
        why="; ".join(f"{step}: {reasons[step]}" for step in settings.steps if step in reasons),
        next_step=f"Install Pulumi {'.'.join(map(str, MINIMUM))} or newer and put it on PATH, "
        f"or run this again where the download or a Go module proxy can be reached.",
    )
