"""A project's grants as a whole, and the same one by one: for whoever judges or lists the access of single people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.metadata import METADATA_FIELDS

REASON_FIELDS: Final = (*METADATA_FIELDS, "exceptions")
"""What a reason says of its people."""


def single_grants(props: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The grants that a `ProjectAccess` declares, each with the properties that a `ProjectGrant` has.

    Args:
        props: its inputs or outputs; where `grants` is not known, there is nothing.
    """
    grants = props.get("grants")
    if not isinstance(grants, Mapping):
        return
    common = {
        name: props[name]
        for name in ("project_id", "environment", "open_to_all_users", *REASON_FIELDS)
        if name in props
    }
    own = dict(_own_reasons(props.get("reasons")))
    beside = props.get("beside")
    added = props.get("undeclared") or ()
    for email, role in grants.items():
        if email in added:
            continue
        values = {**common, **own.get(same_key(email), {}), "email": email, "role": role}
        if isinstance(beside, Mapping):
            other = beside.get(email) or {}
            values["grant_types"] = [GrantType.INDIVIDUAL.value, *other.get("ways", ())]
            values["effective_role"] = other.get("role") or role
        yield values


def _own_reasons(reasons: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for reason in reasons if isinstance(reasons, list) else ():
        values = {name: value for name, value in reason.items() if name in REASON_FIELDS and value is not None}
        for email in reason.get("people") or ():
            yield same_key(email), values


def shared_reasons(grants: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The reasons of single grants, each once with all the people that it holds for.

    Args:
        grants: properties of a `ProjectGrant` each.
    """
    found: dict[str, dict[str, Any]] = {}
    for grant in grants:
        values = {name: grant[name] for name in REASON_FIELDS if grant.get(name) is not None}
        if values:
            reason = found.setdefault(json.dumps(values, sort_keys=True), {"people": [], **values})
            reason["people"].append(grant["email"])
    return list(found.values())
