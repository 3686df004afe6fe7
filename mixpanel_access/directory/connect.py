"""From settings to a directory over the real API: the place where the layers are joined."""

from __future__ import annotations

from mixpanel_access.directory.directory import Directory
from mixpanel_access.model.settings import Settings


def connect(settings: Settings) -> Directory:
    """The organization that the settings name; nothing is sent yet."""
    from mixpanel_access.api.client import Api  # HTTP and the shapes of the wire: a fifth of a start, which few need

    return Directory(Api.connect(settings), settings.organization_id, claimed=settings.claimed_domains)
