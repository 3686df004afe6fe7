"""One snapshot of the organization, and the writes that change it; `connect` and `connected` join the layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from mixpanel_access.model.settings import Settings

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


def connect(
    settings: Settings, fresh: Callable[[], bool] = lambda: True, report: Callable[[str], None] = lambda _: None
) -> Directory:
    """The organization that the settings name; nothing is sent yet.

    Args:
        settings: the stack's configuration.
        fresh: whether it is today's, and not what the state remembers; asked when something depends on it.
        report: shows a line about an answer of Mixpanel that cannot be used in full.
    """
    # HTTP, the shapes of the wire, and the snapshot made of it: a third of a start, which few need at once.
    from mixpanel_access.api.client import Api
    from mixpanel_access.directory.directory import Directory, Machine, Times
    from mixpanel_access.directory.this_machine import Sendings, Unseen, one_at_a_time

    place = settings.api_url, settings.organization_id
    return Directory(
        Api.connect(settings, fresh),
        settings.organization_id,
        claimed=settings.claimed_domains,
        report=report,
        times=Times(read_back_seconds=settings.read_back_seconds),
        machine=Machine(
            alone=partial(one_at_a_time, *place),
            sendings=Sendings(*place),
            unseen=Unseen(*(Sendings(*place, what=what) for what in ("unseen", "inviting"))),
        ),
    )


def get_ready() -> None:
    """Load what `connect` loads, which takes longer than a request; what is wrong with it, `connect` reports."""
    from mixpanel_access.api import client, transport  # noqa: F401
    from mixpanel_access.directory import directory, this_machine  # noqa: F401

    transport.get_ready()


@contextmanager
def connected(settings: Settings, report: Callable[[str], None] = lambda _: None) -> Iterator[Directory]:
    """The organization, for as long as a command needs it; its connections are closed in the end."""
    directory = connect(settings, report=report)
    try:
        yield directory
    finally:
        directory.api.close()
