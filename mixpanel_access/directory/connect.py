"""From settings to a directory over the real API: the place where the layers are joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mixpanel_access.model.settings import Settings

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


def connect(settings: Settings, fresh: Callable[[], bool] = lambda: True) -> Directory:
    """The organization that the settings name; nothing is sent yet.

    Args:
        settings: the stack's configuration.
        fresh: whether it is today's, and not what the state remembers; asked when something depends on it.
    """
    # HTTP, the shapes of the wire, and the picture made of it: a third of a start, which few need at once.
    from mixpanel_access.api.client import Api
    from mixpanel_access.directory.directory import Directory

    return Directory(Api.connect(settings, fresh), settings.organization_id, claimed=settings.claimed_domains)
