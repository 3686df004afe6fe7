"""The two forms of one promise: a single resource, and a group of one person, called as the single one is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from mixpanel_access.model.groups import OUTPUTS, part_properties
from mixpanel_access.model.resources import PROVIDER_KEY
from mixpanel_access.provider.base import GONE, AccessProvider
from mixpanel_access.provider.declaring import ProgramDeclaration
from mixpanel_access.provider.group_handler import ADDED, GroupHandler
from mixpanel_access.provider.handler import POLICY_FIELDS, select
from mixpanel_access.provider.members import MembersProvider
from mixpanel_access.provider.run import Scope
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.team_members import TeamMembersProvider

Properties = dict[str, Any]
_AT = re.compile(r'people\["[^"]*"\](?:\.(\w+))?: (.*)', re.DOTALL)


FORM: ContextVar[Callable[[], Any]] = ContextVar("form")
"""Makes the provider that a test is about."""


def both(single: Callable[[], Any], group: Callable[[], Any]) -> Any:
    """A fixture by which each test of a module runs over both forms."""

    @pytest.fixture(autouse=True, params=[single, group], ids=["single", "group"])
    def form(request: pytest.FixtureRequest) -> Iterator[None]:
        before = FORM.set(request.param)
        yield
        FORM.reset(before)

    return form


class GroupOfOne:
    """A group, called with the properties of one person's single resource.

    Args:
        provider: the group's provider.
    """

    def __init__(self, provider: AccessProvider) -> None:
        provider.handler.keeps = True
        self.provider = provider
        handler = provider.handler
        assert isinstance(handler, GroupHandler)
        self.group: GroupHandler[Any] = handler

    def use(self, session: Session) -> None:
        """Work in this session, of a program that has said all that it declares."""
        known = session.scope.declared() is not None
        session.scope = session.scope if known or session.scope.partial else Scope(declared=ProgramDeclaration)
        self.provider.use(session)

    @property
    def session(self) -> Session:
        return self.provider.session

    @property
    def handler(self) -> Any:
        return self.group.single

    def grouped(self, props: Properties) -> Properties:
        """The properties of the group with this person."""
        if not props:
            return {}
        kind, email = self.group.kind, props.get("email")
        assert kind.parts is not None
        known = (*self.group.OF_EACH, *self.group.single.OUTPUTS, "unread", *kind.parts.common, *POLICY_FIELDS)
        strange = {name: value for name, value in props.items() if name not in (*known, "email", PROVIDER_KEY)}
        own = {name: props[name] for name in self.group.OF_EACH if props.get(name) is not None}
        of_each = [name for name in (*self.group.single.OUTPUTS, "unread") if name not in self.group.SHOWN]
        return {
            **select(props, (*kind.parts.common, *POLICY_FIELDS, PROVIDER_KEY)),
            "people": self.group.packed({email: {**own, **strange}}),  # type: ignore[dict-item]
            OUTPUTS: {email: select(props, of_each)},
        }

    def single(self, props: Properties) -> Properties:
        """The properties of the person in the group."""
        (part,) = part_properties(self.group.kind, props)
        return {name: value for name, value in part.items() if name != ADDED}

    def inputs(self, props: Properties) -> Properties:
        return {name: value for name, value in self.grouped(props).items() if name != OUTPUTS}

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        result = self.provider.check(self.inputs(olds), self.inputs(news))
        found = [(_AT.fullmatch(one.reason), one) for one in result.failures]
        failures = [CheckFailure(at[1] or "email", at[2]) if at else one for at, one in found]
        parts = list(part_properties(self.group.kind, result.inputs))
        return CheckResult(parts[0] if parts else {}, failures)

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        return self.provider.diff(self.id(id_), self.grouped(olds), self.inputs(news))

    def create(self, props: Properties) -> CreateResult:
        result = self.provider.create(self.inputs(props))
        return CreateResult(f"{result.id.removesuffix(':members')}:{props['email']}", self.single(result.outs or {}))

    def read(self, id_: str, props: Properties) -> ReadResult:
        result = self.provider.read(self.id(id_), self.grouped(props))
        if not result.id or not (result.outs or {}).get("people"):
            return GONE
        inputs = None if result.inputs is None else self.single(result.inputs)
        return ReadResult(id_, self.single(result.outs or {}), inputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        result = self.provider.update(self.id(id_), self.grouped(olds), self.inputs(news))
        return UpdateResult(self.single(result.outs or {}))

    def delete(self, id_: str, props: Properties) -> None:
        """The person leaves the group, which stays."""
        olds = self.grouped({**props, "email": props.get("email", id_.rpartition(":")[2])})
        self.provider.update(self.id(id_), olds, {**self.inputs(olds), "people": self.group.packed({})})

    def id(self, id_: str) -> str:
        """The id of the group of what has this id alone."""
        organization, _, _rest = id_.partition(":")
        return f"{organization}:members" if isinstance(self.provider, MembersProvider) else id_.rpartition(":")[0]


class MemberInGroup(GroupOfOne):
    """A `Members` of one person."""

    def __init__(self) -> None:
        super().__init__(MembersProvider())


class TeamMemberInGroup(GroupOfOne):
    """A `TeamMembers` of one person."""

    def __init__(self) -> None:
        super().__init__(TeamMembersProvider())
