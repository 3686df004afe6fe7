"""A `ProjectGrant`, and one person among others of a `ProjectAccess` that shares its project, as one provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from mixpanel_access.model.address import same_key
from mixpanel_access.model.grants import REASON_FIELDS
from mixpanel_access.provider.base import GONE
from mixpanel_access.provider.lifecycle import Lifecycle
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_access_state import singles
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.session import Session
from tests.fakes import ORGANIZATION

OTHER = "zoe@example.com"
"""Somebody else in the group, and by hand where there is none: nobody touches their grant."""
OTHERS_ROLE = "consumer"


class Outputs(dict[str, Any]):
    """The outputs of one person's grant, and of the group that it is a part of."""

    group: dict[str, Any]


class GroupedGrant:
    """The verbs of a `ProjectGrant` by those of a group: its delete is an update without the person."""

    def __init__(self) -> None:
        self.group = ProjectAccessProvider()
        self.group.handler.keeps = True

    def use(self, session: Session) -> None:
        self.group.use(session)

    @property
    def session(self) -> Session:
        return self.group.session

    @property
    def lifecycle(self) -> Lifecycle:
        return self.group.lifecycle

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        result = self.group.check(grouped(olds), grouped(news))
        return CheckResult(dict(_part(result.inputs, news["email"]) or news), result.failures)

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return self.group.diff(_group_id(id_), grouped(olds), grouped(news))

    def create(self, inputs: dict[str, Any]) -> CreateResult:
        result = self.group.create(grouped(inputs))
        return CreateResult(f"{result.id}:{inputs['email']}", _outputs(result.outs, inputs["email"]))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        result = self.group.read(_group_id(id_), grouped(props))
        found = _outputs(result.outs, props["email"]) if result.id else None
        if not found:
            return GONE
        inputs = {key: value for key, value in found.items() if key not in _SHOWN}
        return ReadResult(id_, found, None if result.inputs is None else inputs)

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        result = self.group.update(_group_id(id_), grouped(olds), grouped(news))
        return UpdateResult(_outputs(result.outs, news["email"]))

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        held = grouped(props)
        ours = id_.startswith(f"{ORGANIZATION}:")
        if ours and self.session.directory.project_is_gone(props["project_id"]):
            return self.group.delete(_group_id(id_), held)
        left = {email: role for email, role in held["grants"].items() if same_key(email) != same_key(props["email"])}
        self.group.update(_group_id(id_), held, {**held, "grants": left, "reasons": None})
        return None


_SHOWN = ("effective_role", "grant_types")
AnyGrant = ProjectGrantProvider | GroupedGrant
FORMS: dict[str, Callable[[], AnyGrant]] = {"by itself": ProjectGrantProvider, "in a group": GroupedGrant}


def grouped(props: dict[str, Any]) -> dict[str, Any]:
    """The properties of the group of which this grant is a part."""
    if isinstance(props, Outputs):
        return props.group
    if not props:
        return {}
    own = {name: props[name] for name in REASON_FIELDS if name in props}
    grants = {props["email"]: props["role"], OTHER: OTHERS_ROLE}
    more: dict[str, Any] = {"reasons": [{"people": [props["email"]], **own}]} if own else {}
    rest = {key: value for key, value in props.items() if key in ("project_id", "environment")}
    return {**rest, "grants": grants, "exclusive": False, **more}


def _group_id(id_: str) -> str:
    return id_.rpartition(":")[0]


def _part(group: dict[str, Any] | None, email: str) -> dict[str, Any] | None:
    part: dict[str, Any] | None = singles(group or {}).get(same_key(email))
    return part if part and part["role"] else None


def _outputs(group: dict[str, Any] | None, email: str) -> Outputs:
    """One person's part of the outputs; empty if they have no grant."""
    found = Outputs(_part(group, email) or ())
    found.group = group or {}
    return found
