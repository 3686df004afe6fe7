"""The outputs of a state as they are exported: what of them can be read, and what is a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mixpanel_access.model.groups import hides_people
from mixpanel_access.model.resources import KINDS, PROJECT_ACCESS, PROVIDER_KEY, SIGNATURE, ResourceKind, rows_in

_SECRET: Final = object()


class Outputs(dict[str, Any]):
    """Outputs that can be read; a secret, and a part that is secret, is left out.

    Attributes:
        secrets: the names of the outputs that the state holds encrypted, in whole or in part.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.pop(PROVIDER_KEY, None)
        nested = [name for name, value in self.items() if isinstance(value, (dict, list))]
        self.secrets = frozenset(name for name in nested if has_secret(self[name]))
        for name in self.secrets:
            if (plain := _plain(self[name])) is _SECRET:
                del self[name]
            else:
                self[name] = plain


def without_provider(values: dict[str, Any]) -> dict[str, Any]:
    """An object of an exported state, without a dynamic resource's pickled provider."""
    values.pop(PROVIDER_KEY, None)
    return values


def has_secret(value: Any) -> bool:
    """Whether a value of an exported state is a secret, or has one in it."""
    if isinstance(value, dict):
        return SIGNATURE in value or any(map(has_secret, value.values()))
    return isinstance(value, list) and any(map(has_secret, value))


def with_people(kind: ResourceKind, outputs: Mapping[str, Any], exported: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a group with everybody in it: a secret role leaves the address out, and a secret map all of them.

    Args:
        kind: the group's kind.
        outputs: the outputs without what is secret.
        exported: the same as the engine exports them.
    """
    field = kind.parts.people if kind.parts else ""
    people: Any = exported.get(field)
    if isinstance(people, Mapping):
        if SIGNATURE in people:
            people = json.loads(people.get("plaintext") or "{}")
            people = dict.fromkeys(people) if isinstance(people, Mapping) else people
        if isinstance(people, Mapping):
            known = outputs.get(field) or {}
            empty: Any = "" if kind is PROJECT_ACCESS else {}
            people = {email: known.get(email, empty) for email in people}
    return {**outputs, field: people, "lost": None}


def has_hidden_people(export: Mapping[str, Any]) -> bool:
    """Whether the addresses in a group are a secret: no id has them, as those of other resources have."""
    ours = ((KINDS.get(str(row.get("type"))), row) for row in rows_in(export))
    return any(hides_people(kind, row.get("outputs") or {}) for kind, row in ours if kind)


def _plain(value: Any) -> Any:
    """The value without what is secret in it; `_SECRET` where all of it is."""
    if isinstance(value, dict):
        if SIGNATURE in value:
            return _SECRET
        parts = {key: _plain(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part is not _SECRET}
    if isinstance(value, list):
        return [part for part in map(_plain, value) if part is not _SECRET]
    return value
