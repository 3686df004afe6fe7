"""What all resources of one operation share: the settings, the directory, and a voice. One a process, built lazily."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from mixpanel_access.model.settings import Settings, load_settings

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory

DEBUG_VARIABLE = "MIXPANEL_ACCESS_DEBUG"


class Session:
    """One operation of the engine against one organization.

    Args:
        settings: the stack's configuration.
        directory: the organization.
        say: shows a line to the user, under the operation's diagnostics.
    """

    def __init__(self, settings: Settings, directory: Directory, say: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self.directory = directory
        self.say = say or _say

    @property
    def organization(self) -> int:
        """The organization's id."""
        return self.settings.organization_id

    def now(self) -> datetime:
        """The instant to take as "now"."""
        return self.settings.clock()


_sessions: dict[Settings, Session] = {}
_lock = threading.Lock()


def shared_session(get: Callable[[str], str | None]) -> Session:
    """The process's session for this configuration; made at the first call, nothing is sent yet.

    Args:
        get: gives the value of a configuration key, without its namespace, or None.

    Raises:
        ConfigurationError: something is missing or malformed.
    """
    # Imported here: a program declares resources without ever calling Mixpanel, and starts the faster for it.
    from mixpanel_access.directory.connect import connect

    settings = load_settings(get, os.environ)
    with _lock:
        if settings not in _sessions:
            _sessions[settings] = Session(settings, connect(settings))
        return _sessions[settings]


def quiet_errors() -> None:
    """Have the engine show an error's message without a traceback, unless debugging is asked for."""
    if os.environ.get(DEBUG_VARIABLE) != "1":
        sys.tracebacklimit = 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # what a provider prints is shown under the operation's diagnostics
