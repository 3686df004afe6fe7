"""The outputs of a resource as an exported state has them, without what the state holds encrypted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mixpanel_access.model.resources import PROJECT_ACCESS_TYPE, PROVIDER_KEY, SIGNATURE

_SECRET: Final = object()


class Outputs(dict[str, Any]):
    """Outputs that can be read; a secret, and a part that is secret, is left out.

    Attributes:
        secrets: the names of the outputs that the state holds encrypted, in whole or in part.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        own = {name: value for name, value in values.items() if name != PROVIDER_KEY}
        plain = {name: _plain(value) for name, value in own.items()}
        super().__init__({name: value for name, value in plain.items() if value is not _SECRET})
        self.secrets = frozenset(name for name, value in own.items() if has_secret(value))


def has_secret(value: Any) -> bool:
    """Whether a value of an exported state is a secret, or has one in it."""
    if isinstance(value, Mapping):
        return SIGNATURE in value or any(map(has_secret, value.values()))
    return isinstance(value, list) and any(map(has_secret, value))


def granted(grants: Any) -> Mapping[str, str]:
    """The addresses that a `ProjectAccess` has, with their roles; "" for a role that is a secret.

    Args:
        grants: the output. As a secret in plain text (see `hides_people`) it gives the addresses alone.
    """
    if not isinstance(grants, Mapping):
        return {}
    if SIGNATURE in grants:
        shown = json.loads(grants.get("plaintext") or "{}")
        return dict.fromkeys(shown, "")
    return {email: role if isinstance(role, str) else "" for email, role in grants.items()}


def hides_people(export: Mapping[str, Any]) -> bool:
    """Whether the addresses of a `ProjectAccess` are a secret: no id has them, as those of other resources have."""
    resources = (export.get("deployment") or {}).get("resources") or []
    project_access = (one for one in resources if one.get("type") == PROJECT_ACCESS_TYPE)
    return any(SIGNATURE in ((one.get("outputs") or {}).get("grants") or ()) for one in project_access)


def _plain(value: Any) -> Any:
    """The value without what is secret in it; `_SECRET` where all of it is."""
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            return _SECRET
        parts = {key: _plain(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part is not _SECRET}
    if isinstance(value, list):
        return [part for part in map(_plain, value) if part is not _SECRET]
    return value
