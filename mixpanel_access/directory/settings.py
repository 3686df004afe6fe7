"""The writes of the organization's security settings: known keys are changed, what else is there is kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from mixpanel_access.directory.calls import Api
from mixpanel_access.directory.security import TWO_FACTOR_KEY
from mixpanel_access.directory.writing import Writing
from mixpanel_access.model.security import Security, Topic


class SecuritySettings:
    """Changes the settings on the second factor and on requests for access.

    Each write reads first and sends all of what it read with the keys that it changes: what the server keeps is what
    is posted, and nobody documents the keys (contract, section 8).

    Args:
        api: the calls to Mixpanel.
        writing: sends writes.
        part: what of the snapshot they touch.
    """

    def __init__(self, api: Api, writing: Writing, part: Hashable) -> None:
        self._api = api
        self._writing = writing
        self._part = part

    def require_two_factor(self, required: bool) -> None:
        """Have a second factor be required of who logs in with a password, or not."""
        settings = self._api.organization_settings

        def shown(held: Security) -> bool:
            return held.two_factor_required in (required, None)

        self._change(settings.two_factor, settings.put_two_factor, {TWO_FACTOR_KEY: required}, shown)

    def change_request_access(self, keys: Mapping[str, object]) -> None:
        """Change some of the settings on requests for access."""
        settings = self._api.organization_settings

        def shown(held: Security) -> bool:
            return Topic.REQUEST_ACCESS in held.unknown or _holds(held.request_access, keys)

        self._change(settings.request_access, settings.put_request_access, keys, shown)

    def _change(
        self,
        read: Callable[[], Mapping[str, object]],
        put: Callable[[Mapping[str, object]], None],
        keys: Mapping[str, object],
        shown: Callable[[Security], bool],
    ) -> None:
        def write() -> None:  # after a lost answer it reads again: somebody else may have changed another key
            put({**read(), **keys})

        def applied() -> bool:
            return _holds(read(), keys)

        names = tuple(sorted(keys))
        self._writing.settle(write, applied, [self._part], shows=lambda: [(self._part, names, shown)])


def _holds(settings: Mapping[str, object], keys: Mapping[str, object]) -> bool:
    return all(key in settings and settings[key] == value for key, value in keys.items())
