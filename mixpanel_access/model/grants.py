"""The individual grants of one project: the present ones and the declared ones, together and one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.engagements import METADATA_FIELDS
from mixpanel_access.model.service_accounts import SERVICE_ACCOUNT_SUFFIX

Roles = Mapping[str, str]
"""The key of an address -> project role."""


@dataclass(frozen=True)
class GrantChanges:
    """The difference between the present grants and the declared ones, by the key of the address.

    Attributes:
        add: the roles of people who have none.
        change: the new roles of people who have another.
        remove: the people who lose their role.
    """

    add: Roles = field(default_factory=dict)
    change: Roles = field(default_factory=dict)
    remove: AbstractSet[str] = frozenset()

    @property
    def give(self) -> Roles:
        """The roles that people get."""
        return {**self.add, **self.change}

    def without(self, keys: AbstractSet[str]) -> GrantChanges:
        """These changes, but nobody of the `keys` gets another role."""
        add, change = ({key: role for key, role in some.items() if key not in keys} for some in (self.add, self.change))
        return GrantChanges(add, change, self.remove)

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)


def grant_changes(have: Roles, want: Roles, kept: AbstractSet[str] = frozenset()) -> GrantChanges:
    """The changes from the grants that people have to those that they should have; the `kept` stay in any case."""
    return GrantChanges(
        {key: role for key, role in want.items() if key not in have},
        {key: role for key, role in want.items() if have.get(key, role) != role},
        frozenset(have.keys() - want.keys() - kept),
    )


def taken(changes: GrantChanges, before: Roles, want: Roles) -> GrantChanges:
    """The part of the changes that takes away declared grants: nobody gets a role, and manual additions stay.

    Args:
        changes: all changes.
        before: the grants that were declared before.
        want: the grants that are declared now.
    """
    lower = {key: role for key, role in changes.change.items() if key in before and before[key] != want[key]}
    return GrantChanges({}, lower, changes.remove & before.keys())


def individual_roles(rows: Mapping[str, Iterable[Grant]]) -> dict[str, str]:
    """The individual role of each person in a project, without service accounts."""
    held = {
        key: roles.highest([grant.role for grant in grants if grant.grant_type is GrantType.INDIVIDUAL])
        for key, grants in rows.items()
        if not key.endswith(SERVICE_ACCOUNT_SUFFIX)
    }
    return {key: role for key, role in held.items() if role is not None}


def believed(seen: Roles, before: Roles, hidden: AbstractSet[str]) -> dict[str, str]:
    """The present grants: those that Mixpanel lists, and the last known ones of people whose grants it hides."""
    return {**{key: before[key] for key in before.keys() & hidden}, **seen}


def by_key(grants: Mapping[str, str]) -> dict[str, str]:
    """Roles by address, as roles by the key of the address."""
    return {same_key(email): role for email, role in grants.items()}


def spelled(have: Roles, *spellings: Iterable[str]) -> dict[str, str]:
    """Roles by key, as roles by address: each in its first known spelling, in alphabetical order of the keys."""
    names: dict[str, str] = {}
    for emails in spellings:
        for email in emails:
            names.setdefault(same_key(email), email)
    return {names.get(key, key): have[key] for key in sorted(have)}


def twice(emails: Iterable[str]) -> list[tuple[str, str]]:
    """The addresses that repeat another one in another spelling, each with the first spelling."""
    first: dict[str, str] = {}
    return [(email, kept) for email in emails if (kept := first.setdefault(same_key(email), email)) != email]


REASON_FIELDS: Final = (*METADATA_FIELDS, "exceptions")
"""The fields of a reason."""


def single_grants(props: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The grants of a `ProjectAccess`, from its inputs or outputs, each with the properties of a `ProjectGrant`.

    The role of a grant that the project has lost is "": the outputs do not have it.
    """
    grants = props.get("grants")
    if not isinstance(grants, Mapping):
        return
    common = {
        name: props[name]
        for name in ("project_id", "environment", "open_to_all_users", *REASON_FIELDS)
        if name in props
    }
    own = own_reasons(props.get("reasons"))
    beside = props.get("beside")
    added = frozenset(props.get("undeclared") or ())
    for email, role in {**dict.fromkeys(props.get("lost") or (), ""), **grants}.items():
        if email in added:
            continue
        values = {**common, **own.get(same_key(email), {}), "email": email, "role": role}
        if isinstance(beside, Mapping):
            other = beside.get(email) or {}
            values["grant_types"] = [GrantType.INDIVIDUAL.value, *other.get("ways", ())]
            values["effective_role"] = other.get("role") or role
        yield values


def is_exclusive(props: Mapping[str, Any]) -> bool:
    """Whether only the people that a `ProjectAccess` declares may have a grant: the default, which no state has."""
    return props.get("exclusive") is not False


def own_reasons(reasons: Any) -> dict[str, dict[str, Any]]:
    """The reasons of a `ProjectAccess`, by the key of the address: neither they nor their people have an order."""
    return {
        same_key(email): {name: value for name, value in reason.items() if name in REASON_FIELDS and value is not None}
        for reason in (reasons if isinstance(reasons, list) else ())
        for email in _people_of(reason)
    }


def _people_of(reason: Any) -> list[str]:
    people = reason.get("people") if isinstance(reason, Mapping) else None
    return [email for email in people if isinstance(email, str)] if isinstance(people, list) else []


def shared_reasons(grants: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The reasons of single grants (properties of a `ProjectGrant`), each once with all its people.

    Their order does not depend on the people: a preview shows who has changed by the places of both.
    """
    found: dict[str, dict[str, Any]] = {}
    for grant in grants:
        values = {name: grant[name] for name in REASON_FIELDS if grant.get(name) is not None}
        if values:
            reason = found.setdefault(json.dumps(values, sort_keys=True), {"people": [], **values})
            reason["people"].append(grant["email"])
    return [found[values] for values in sorted(found)]
