"""Whether an organization is in another region than the configured one: `me`, asked of the other regions' hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from mixpanel_access.directory.probe import Finding, Probe
from mixpanel_access.model import errors
from mixpanel_access.model.settings import LOOPBACK, REGIONS, Settings, is_real

_LONGEST: Final = 15.0
"""Seconds that a host gets; `me` takes 2 to 5 (contract, section 9)."""


def other_regions(settings: Settings, hosts: Mapping[str, str] = REGIONS) -> Probe | None:
    """Which other region's host knows our login; None where the configuration names the host itself.

    Args:
        settings: the stack's configuration. The credentials go to hosts of Mixpanel or of this machine alone.
        hosts: the regions' hosts.
    """
    if settings.region is None:
        return None
    came, good, known = [], None, True
    for region, url in hosts.items():
        host = urlsplit(url).hostname or ""
        if region == settings.region or not (is_real(host) or host in LOOPBACK):
            continue
        try:
            _log_in(replace(settings, api_url=url, timeout_seconds=min(settings.timeout_seconds, _LONGEST)))
        except errors.MixpanelError as error:
            came.append(f"{region}: {f'answers {error.status}' if error.status else 'does not answer'}")
            known = known and isinstance(error, errors.Unauthorized)
        else:
            came.append(f"{region} answers: set mixpanel:region to {region}")
            good = region
    finding = Finding.FAILED if good else Finding.OK if came and known else Finding.SKIPPED
    return Probe("region", "that no other region knows our login", ", ".join(came), finding, needed=False)


def _log_in(settings: Settings) -> None:
    """Log in to another host; nothing but `me` is asked of it.

    Raises:
        MixpanelError: it does not know us, or does not answer.
    """
    from mixpanel_access.api.client import Api

    api = Api.connect(replace(settings, scim_token=None))
    try:
        api.me.read()
    finally:
        api.close()
