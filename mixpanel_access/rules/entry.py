"""One resource as a rule sees it, how much its role gives, and what happens if a value is not known before the update.

A rule judges all that it can judge without that value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Final, TypeVar

from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.access import gives_classified
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import day_or_none
from mixpanel_access.model.grants import REASON_FIELDS
from mixpanel_access.model.groups import GROUPS, part_properties, single_kind
from mixpanel_access.model.resources import ResourceKind
from mixpanel_access.model.roles import is_custom, normalized
from mixpanel_access.model.similarity import is_empty

_ADMIN: Final = re.compile(
    r"admin|manage|delete|reset|settings|invite|user_roles|access|service_account|token|secret|integration|pipeline"
    r"|import|billing|transfer|security|audit|classif|approve|owner|permission"
)
"""Parts of the codes of permissions that project admins have and analysts do not."""
_PEOPLE: Final = re.compile(
    r"(add|assign|change|create|edit|grant|impersonate|promote|purge|remove|share|update)_(\w+_)?"
    r"(user|member|group|team|role|people|project|organization|sso|scim|public)s?(_.*)?|impersonate.*|purge.*|.*_sso|.*_scim"
)
"""The same for permissions to change people's access; analysts can see people."""
_CONSUMER: Final = re.compile(r"(view|read|see|list)_.*")
"""The codes of permissions that consumers have. All other codes count as an analyst's; Mixpanel publishes none."""


class Unknown:
    """A value that is not known before the update."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()
_AT_PREVIEW: Final = "Write the value into the program, or create what it comes from in an earlier run."


class NotJudged(Exception):
    """A rule cannot judge, because an input (of `entry`) is not known before the update; a violation of that rule."""

    def __init__(self, text: str, entry: Entry | None = None, next_step: str = _AT_PREVIEW) -> None:
        self.entry = entry
        self.next_step = next_step
        super().__init__(text)


class NotThereYet(Exception):
    """A rule cannot judge something that only Mixpanel shows, and not yet. This is advice: no input is hidden."""


EXCEPTION_DAYS: Final = (90, 30)
"""The default longest days of an exception, and of one from a critical rule."""


@dataclass(frozen=True)
class ExceptionEntry:
    """An exception from a rule, with its values as they are written.

    Attributes:
        rule: the rule's id.
        reason: the reason.
        approver: the approver's address.
        ends: the last day.
        email: the person's address, or "" for the stack as a whole.
        project: the project's id, or None for all access of the person.
        starts: the first day.
        ticket: the ticket that asked for it.
    """

    rule: str
    reason: str = ""
    approver: str = ""
    ends: str = ""
    email: str = ""
    project: int | None = None
    starts: str = ""
    ticket: str = ""

    @classmethod
    def of(cls, value: Any) -> ExceptionEntry:
        """Read one from a resource's property; a value of another shape is an exception from an unknown rule."""
        if not isinstance(value, Mapping):
            return cls(str(value))
        names = ("rule", "reason", "approver", "ends", "email", "starts", "ticket")
        texts = {name: str(value.get(name) or "") for name in names}
        return cls(**texts, project=number_of(value.get("project")))

    @property
    def label(self) -> str:
        """Its rule, with the person or stack."""
        return f"{self.rule} for {self}"

    def __str__(self) -> str:
        who = self.email or "the stack"
        return f"{who} in project {self.project}" if self.project is not None else who


def number_of(value: Any) -> int | None:
    """A whole number, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class Type(StrEnum):
    """The types in the engine that rules ask for by name."""

    MEMBER = kinds.MEMBER_TYPE
    GRANT = kinds.GRANT_TYPE
    TEAM = kinds.TEAM_TYPE
    TEAM_MEMBER = kinds.TEAM_MEMBER_TYPE
    TEAM_GRANT = kinds.TEAM_GRANT_TYPE
    SERVICE_ACCOUNT = kinds.SERVICE_ACCOUNT_TYPE
    SERVICE_ACCOUNT_GRANT = kinds.SERVICE_ACCOUNT_GRANT_TYPE
    CUSTOM_ROLE = kinds.CUSTOM_ROLE_TYPE
    ORGANIZATION_SECURITY = kinds.ORGANIZATION_SECURITY_TYPE


PEOPLE: Final = (Type.MEMBER, Type.GRANT, Type.TEAM_MEMBER)


@dataclass(frozen=True)
class Entry:
    """One resource.

    Attributes:
        type: its type in the engine, of a kind that rules judge.
        name: its name in the program.
        urn: its name in the engine.
        values: its properties; `UNKNOWN` for what is not known before the update.
        secret_outputs: the names of outputs that the engine keeps secret.
        sources: property -> the URNs of the resources whose outputs it is made of.
        encrypted: whether what is not known is a secret in a state, and not a value before the update.
        custom_roles: the custom roles of the stack of which its role is one; see `Stack.resolved`.
    """

    type: str
    name: str
    urn: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    secret_outputs: frozenset[str] = frozenset()
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)
    encrypted: bool = False
    custom_roles: Sequence[Entry] = ()

    def get(self, name: str) -> Any:
        """A property, or None; raises NotJudged if it is not known before the update."""
        value = self.values.get(name)
        if value is UNKNOWN and self.encrypted:
            next_step = "A preview with the policy pack judges it."
            raise NotJudged(f"{name} of {self.name} is a secret, which no command decrypts", self, next_step)
        if value is UNKNOWN:
            made = ", ".join(urn.rpartition("::")[2] for urn in self.sources.get(name, ()))
            raise NotJudged(
                f"{name} of {self.name} is not known before the update{f' (it comes from {made})' if made else ''}",
                self,
            )
        return value

    def missing(self, names: Iterable[str]) -> list[str]:
        """The properties that are not set, or empty; raises NotJudged if only an unknown one can be missing."""
        found: list[str] = []
        unknown = None
        for name in names:
            try:
                found += [name] if is_empty(self.text(name)) else []
            except NotJudged as error:
                unknown = unknown or error
        if unknown and not found:
            raise unknown
        return found

    def shown(self, name: str) -> str:
        """A property for a message, known or not."""
        value = self.values.get(name)
        return f"({name} not known yet)" if value is UNKNOWN else "" if value is None else str(value).strip()

    def text(self, name: str) -> str:
        """A property as text without blanks around it, or ""."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value.strip()
        value = self.get(name)
        return "" if value is None else str(value).strip()

    def day(self, name: str) -> date | None:
        """A property as a date, or None. The provider reports a value that is not a date."""
        value = self.values.get(name)
        if value is None:
            return None
        return _day_or_none(value.strip() if isinstance(value, str) else self.text(name))

    def output(self, name: str) -> str:
        """An output that is a text, or "", which means unknown and not "never"."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    @cached_property
    def email(self) -> str:
        """The person's address, as it is declared."""
        return self.text("email")

    @cached_property
    def role(self) -> str:
        """The declared role, normalized, or ""."""
        role = self.text("role")
        return role if is_custom(role) else normalized(role)

    @property
    def project(self) -> int:
        """The project's id, or 0."""
        return number_of(self.get("project_id")) or 0

    @property
    def access_sources(self) -> frozenset[str] | None:
        """The sources of the person's access to the project; None before the grant exists."""
        value = self.get("grant_types")
        return frozenset(map(str, value)) if isinstance(value, list) else None

    @property
    def exceptions(self) -> list[ExceptionEntry]:
        """The roster's exceptions for it."""
        value = self.get("exceptions")
        return [ExceptionEntry.of(one) for one in value] if isinstance(value, list) else []

    def height(self) -> int:
        """The rank of its project role (`roles.project_rank`); raises NotJudged for an unknown custom role."""
        role = self.role
        if not roles.is_custom(role):
            return roles.project_rank(role)
        return max(_height_of(self._permissions(custom)) for custom in self._declared_custom_roles())

    def is_privileged(self) -> bool:
        """Whether its role manages; a custom role that the stack does not declare may."""
        role = self.role
        if not roles.is_custom(role):
            return role in roles.PRIVILEGED_ROLES
        return not self.custom_roles or self.height() >= roles.project_rank(roles.ADMIN)

    def sees_classified_data(self) -> bool:
        """Whether its role lets people see classified data, as only custom roles can; raises as `height` does."""
        return roles.is_custom(self.role) and any(
            gives_classified(self._permissions(custom)) for custom in self._declared_custom_roles()
        )

    def _declared_custom_roles(self) -> Sequence[Entry]:
        if not self.custom_roles:
            raise NotJudged(
                f"{self}: this stack does not declare the custom role, so what it gives is not known",
                self,
                "Declare the custom role in this stack (customRoles in the roster), or give one of the four roles.",
            )
        return self.custom_roles

    def _permissions(self, custom_role: Entry) -> list[str]:
        """The permissions of a custom role: those that are declared, and those that Mixpanel adds."""
        declared, added = (custom_role.values.get(name) for name in ("permissions", "base_permissions"))
        if declared is UNKNOWN:
            raise NotJudged(f"{self}: the permissions of {custom_role.name} are not known before the update", self)
        return [str(code).lower() for part in (declared, added) if isinstance(part, list) for code in part]

    def __str__(self) -> str:
        """Its label in a message."""
        return kinds.KINDS[self.type].label(self.shown, self.name)


_day_or_none: Final = lru_cache(maxsize=1024)(day_or_none)
"""Rules ask for the same few days thousands of times."""


def _height_of(permissions: Sequence[str]) -> int:
    if any(_ADMIN.search(code) or _PEOPLE.fullmatch(code) for code in permissions):
        return roles.project_rank(roles.ADMIN)
    reads = all(_CONSUMER.fullmatch(code) for code in permissions)
    return roles.project_rank(roles.CONSUMER if reads else roles.ANALYST)


_BY_PERSON: Final[Mapping[str, Sequence[str]]] = {
    kinds.MEMBER_TYPE: ("email", "role", "removal", "ownership", "since"),
    kinds.GRANT_TYPE: ("email", "role"),
    kinds.TEAM_MEMBER_TYPE: ("email",),
}
"""Type of a single resource -> its properties that a group says with the people."""
_FROM_OUTPUT: Final[Mapping[str, Sequence[str]]] = {"beside": ("grant_types", "effective_role")}
"""Output of a group -> the outputs of the single resources that it stands for, where their names differ."""


def part_names(group: ResourceKind, whole: str) -> Sequence[str]:
    """The properties of the parts of a group that one property of the group says."""
    single = single_kind(group)
    if single is not None and group.parts is not None and whole == group.parts.people:
        return _BY_PERSON[single.type]
    return REASON_FIELDS if whole == "reasons" else _FROM_OUTPUT.get(whole, ())


def entries_of(type_: str, name: str, urn: str, values: Mapping[str, Any], **more: Any) -> list[Entry]:
    """A resource as rules see it: a group as the single resources of its people, and nothing where no rule judges.

    Args: see `Entry`; `type_` is the type in the engine.
    """
    group = GROUPS.get(type_)
    single = single_kind(group) if group else None
    if group is None or group.parts is None or single is None:
        judged = type_ in kinds.KINDS and kinds.KINDS[type_].plural
        return [Entry(type_, name, urn, values, **more)] if judged else []
    given, made = group.parts.people, more.get("sources", {})
    of_person = _BY_PERSON[single.type]
    sources = made | {part: urns for whole, urns in made.items() for part in part_names(group, whole)}
    unknown = [whole for whole, value in values.items() if value is UNKNOWN]
    hidden = {part: UNKNOWN for whole in unknown for part in part_names(group, whole)}
    common = dict.fromkeys(unknown, UNKNOWN)
    known = {whole: value for whole, value in values.items() if value is not UNKNOWN}
    people, nameless = known.get(given), given in values and given not in known
    if isinstance(people, Mapping) and single.type == kinds.MEMBER_TYPE:
        of_each = dict.fromkeys(of_person[1:], UNKNOWN)
        known[given] = {email: of_each if own is UNKNOWN else own for email, own in people.items()}
    elif isinstance(people, list):
        nameless = nameless or UNKNOWN in people
        known[given] = [email for email in people if email is not UNKNOWN]
    more = {**more, "sources": sources}
    found = [
        Entry(single.type, f"{name}:{same_key(one['email'])}", urn, {**common, **one, **hidden}, **more)
        for one in part_properties(group, known)
    ]
    if nameless:
        anybody = {**values, **dict.fromkeys((*of_person, *REASON_FIELDS), UNKNOWN)}
        found.append(Entry(single.type, name, urn, anybody, **more))
    return found


def all_hold(*conditions: Callable[[], object]) -> bool:
    """Whether all conditions hold; raises NotJudged only if that depends on one that is not known."""
    return not _one_is(conditions, wanted=False)


def any_holds(*conditions: Callable[[], object]) -> bool:
    """Whether one of the conditions holds; raises NotJudged only if that depends on one that is not known."""
    return _one_is(conditions, wanted=True)


def _one_is(conditions: Iterable[Callable[[], object]], *, wanted: bool) -> bool:
    unknown = None
    for condition in conditions:
        try:
            if bool(condition()) is wanted:
                return True
        except NotJudged as error:
            unknown = unknown or error
    if unknown:
        raise unknown
    return False


_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def each(items: Iterable[_Item], judge: Callable[[_Item], Iterator[_Found]]) -> Iterator[_Found | NotJudged]:
    """The findings in each item; an item that cannot be judged does not hide those of the others."""
    for item in items:
        try:
            yield from judge(item)
        except NotJudged as unknown:
            yield unknown
