"""What a rule sees: resources with their values, and the few things around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.dates import day_or_none
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.grants import REASON_FIELDS, single_grants
from mixpanel_access.model.list_settings import domains_in
from mixpanel_access.model.roles import declared_role, is_custom, normalized
from mixpanel_access.model.similarity import is_empty
from mixpanel_access.rules.addresses import EXTERNAL_NAMES, is_external, is_external_kind
from mixpanel_access.rules.exceptions import EXCEPTION_DAYS, number_of
from mixpanel_access.rules.exceptions import ExceptionEntry as ExceptionEntry
from mixpanel_access.rules.unknown import UNKNOWN, NotJudged, NotThereYet, Unknown, any_holds


class Kind(StrEnum):
    """The kinds that rules ask for by name, by their type in the engine."""

    MEMBER = kinds.MEMBER_TYPE
    GRANT = kinds.GRANT_TYPE
    TEAM = kinds.TEAM_TYPE
    TEAM_MEMBER = kinds.TEAM_MEMBER_TYPE
    TEAM_GRANT = kinds.TEAM_GRANT_TYPE
    SERVICE_ACCOUNT = kinds.SERVICE_ACCOUNT_TYPE
    SERVICE_ACCOUNT_GRANT = kinds.SERVICE_ACCOUNT_GRANT_TYPE
    CUSTOM_ROLE = kinds.CUSTOM_ROLE_TYPE
    ORGANIZATION_SECURITY = kinds.ORGANIZATION_SECURITY_TYPE


PEOPLE: Final = (Kind.MEMBER, Kind.GRANT, Kind.TEAM_MEMBER)


class NotApplicable(Exception):
    """A rule does not concern this stack; the text says why."""


@dataclass(frozen=True)
class Entry:
    """One resource.

    Attributes:
        kind: its type in the engine: one of the kinds that rules judge.
        name: its name in the program.
        urn: its name in the engine.
        values: its properties; `UNKNOWN` for what is not known before the update.
        secret_outputs: the names of outputs that the engine keeps secret.
        sources: property -> the URNs of the resources whose outputs it is made of.
        encrypted: whether what is not known is a secret in a state, and not a value before the update.
        custom_roles: the custom roles of the stack of which its role is one; see `Stack.resolved`.
    """

    kind: str
    name: str
    urn: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    secret_outputs: frozenset[str] = frozenset()
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)
    encrypted: bool = False
    custom_roles: Sequence[Entry] = ()

    def get(self, name: str) -> Any:
        """A property, or None where it is not set.

        Raises:
            NotJudged: it is not known before the update.
        """
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
        """Those of some properties that are not set, or say nothing.

        Raises:
            NotJudged: none of those that are known is missing, and not all are known.
        """
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
        """A property as text without blanks around it; "" where it is not set."""
        value = self.get(name)
        return "" if value is None else str(value).strip()

    def day(self, name: str) -> date | None:
        """A property as a date; None where it is not set or not a date (which the provider reports)."""
        return day_or_none(self.text(name))

    def output(self, name: str) -> str:
        """What Mixpanel shows of it; "" where that is not known, which is not the same as never."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    @property
    def email(self) -> str:
        """The person's address, as it is declared."""
        return self.text("email")

    @property
    def role(self) -> str:
        """The declared role, in the form that roles are compared in; "" where none is."""
        role = self.text("role")
        return role if is_custom(role) else normalized(role)

    @property
    def project(self) -> int:
        """The project's id; 0 where it is not set."""
        return number_of(self.get("project_id")) or 0

    @property
    def ways(self) -> frozenset[str] | None:
        """How the person comes by the project; None before the grant is there."""
        value = self.get("grant_types")
        return frozenset(map(str, value)) if isinstance(value, list) else None

    @property
    def exceptions(self) -> list[ExceptionEntry]:
        """The exceptions that the roster has for it."""
        value = self.get("exceptions")
        return [ExceptionEntry.of(one) for one in value] if isinstance(value, list) else []

    def __str__(self) -> str:
        """Whom or what it concerns, for a message."""
        return kinds.KINDS[self.kind].label(self.shown, self.name)


def entries_of(kind: str, name: str, urn: str, values: Mapping[str, Any], **more: Any) -> list[Entry]:
    """A resource as rules see it: none that they do not know, and a `ProjectAccess` as its single grants.

    Args:
        kind: its type in the engine.
        name: its name in the program.
        urn: its name in the engine.
        values: its properties.
        more: further attributes of `Entry`.
    """
    if kind != kinds.PROJECT_ACCESS_TYPE:
        judged = kind in kinds.KINDS and kinds.KINDS[kind].plural
        return [Entry(kind, name, urn, values, **more)] if judged else []
    grants, reasons = (more.get("sources", {}).get(part, ()) for part in ("grants", "reasons"))
    sources = {"email": grants, "role": grants, **dict.fromkeys(REASON_FIELDS, reasons)}
    unknown = dict.fromkeys(REASON_FIELDS, UNKNOWN) if values.get("reasons") is UNKNOWN else {}
    if values.get("grants") is UNKNOWN:
        hidden = dict.fromkeys(("email", "role", *REASON_FIELDS), UNKNOWN)
        return [Entry(Kind.GRANT, name, urn, {**values, **hidden}, sources=sources)]
    known = single_grants({key: value for key, value in values.items() if value is not UNKNOWN})
    hidden = {key: UNKNOWN for key in ("project_id", "environment") if values.get(key) is UNKNOWN} | unknown
    return [Entry(Kind.GRANT, f"{name}:{one['email']}", urn, {**one, **hidden}, sources=sources) for one in known]


@dataclass(frozen=True)
class Context:
    """What is around the resources.

    Attributes:
        today: the day, UTC.
        environment: the stack's environment (`mixpanel:environment`), or None.
        company_domains: the company's e-mail domains (`mixpanel:companyDomains`), as `domain_of` gives them.
        options: the rule's configuration, defaults included.
        rules: rule id -> its severity, or None where the rule has no exceptions.
        approvers: the keys of the addresses of those who may approve (`mixpanel:approvers`); none means everybody of
            the company.
        external_names: patterns of what stands before the @ of somebody who is external at a company domain.
        exception_days: for how long an exception may hold, and one from a critical rule.
        settings: the stack's configuration that `guards-not-loosened` judges, by key without the namespace; None where
            nobody knows it.
        stack: the stack's name, or "".
        off: the rules that the policies' configuration switches off.
    """

    today: date
    environment: str | None = None
    company_domains: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, str | None] = field(default_factory=dict)
    approvers: frozenset[str] = frozenset()
    external_names: Sequence[str] = EXTERNAL_NAMES
    exception_days: tuple[int, int] = EXCEPTION_DAYS
    settings: Mapping[str, Any] | None = None
    stack: str = ""
    off: Sequence[str] = ()

    def external(self, who: Entry | str, kind: str | None = None) -> bool:
        """Whether somebody is not of the company: by their kind, their name before the @, or their domain.

        A subdomain of a company domain is outside, unless it is listed too.

        Args:
            who: a resource, or an address.
            kind: with an address, what the roster says the person is to the company, if it does.

        Raises:
            NotApplicable: nobody told which domains are the company's.
            NotJudged: it depends on what is not known before the update.
        """
        if isinstance(who, str):
            return is_external_kind(kind) or self._external_address(who)
        return any_holds(lambda: is_external_kind(who.text("kind")), lambda: self._external_address(who.email))

    def known_external(self, entry: Entry) -> bool:
        """The same, as far as anybody knows: by the kind alone while the company's domains are not set."""
        return self.external(entry) if self.company_domains else is_external_kind(entry.text("kind"))

    def _external_address(self, email: str) -> bool:
        if not self.company_domains:
            raise NotApplicable("the company's domains are not set (mixpanel:companyDomains)")
        return is_external(email, self.company_domains, self.external_names)

    @property
    def domains(self) -> frozenset[str]:
        """The rule's option `domains`, each as `domain_of` gives them."""
        return domains_in(self.options["domains"])

    def is_production(self, entry: Entry) -> bool:
        """Whether a resource is of production: by its own environment, else the stack's."""
        return (entry.text("environment") or self.environment) == PRODUCTION


def _id_of(value: Any) -> str | None:
    return None if value is None or value is UNKNOWN else str(value)


@dataclass(frozen=True)
class Reference:
    """Which team or service account a resource is about.

    Attributes:
        id: its id, or None where that is not known before the update.
        urn: the resource of the stack that makes it, or "".
    """

    id: str | None
    urn: str

    def same(self, other: Reference) -> bool | None:
        """Whether both are about the same one; None where that is not known before the update.

        A team that is yet to be made may turn out to be one that is there, and so have an id that is written somewhere.
        """
        if self.id is not None and other.id is not None:
            return self.id == other.id
        return self.urn == other.urn if self.urn and other.urn else None


@dataclass(frozen=True)
class Stack:
    """All resources of a stack.

    Attributes:
        entries: the resources that rules know.
        organization_roles: whether the roster declares organization roles; None where there is no roster.
        exceptions: the exceptions that concern no single person.
        roster: all that the component says of the roster, as plain data; `UNKNOWN` for what is not known.
    """

    entries: Sequence[Entry] = ()
    organization_roles: bool | Unknown | None = None
    exceptions: Sequence[ExceptionEntry] = ()
    roster: Mapping[str, Any] = field(default_factory=dict)

    def owns_organization_roles(self) -> bool | None:
        """Whether the roster declares organization roles; None where there is no roster.

        Raises:
            NotJudged: it is not known before the update.
        """
        if isinstance(self.organization_roles, Unknown):
            raise NotJudged("whether the roster declares organization roles is not known before the update")
        return self.organization_roles

    def roster_texts(self, name: str) -> list[str]:
        """A list of texts that the component says of the roster; empty where it says nothing."""
        found = self.roster.get(name)
        return [str(part) for part in found] if isinstance(found, list) else []

    def of(self, *types: str) -> Iterator[Entry]:
        """The resources of some kinds, by their types in the engine."""
        return (entry for entry in self.entries if entry.kind in types)

    def grants_there(self) -> Iterator[tuple[Entry, frozenset[str]]]:
        """The grants that Mixpanel has already, with how else their people come by the projects.

        Raises:
            NotThereYet: at the end, where grants are declared and none is there yet.
        """
        grants = [(entry, entry.ways) for entry in self.of(Kind.GRANT)]
        there = [(entry, ways) for entry, ways in grants if ways is not None]
        yield from there
        if grants and not there:
            raise NotThereYet("no grant is there yet: what else gives access is known after the update")

    def resolved(self) -> Stack:
        """The same, where it is known of each role which of the stack's custom roles it is."""
        return replace(self, entries=[self.with_custom_roles(entry) for entry in self.entries])

    def with_custom_roles(self, entry: Entry) -> Entry:
        """A resource whose role is a custom role of the stack, or comes from nothing but those, with them."""
        role, urns = entry.values.get("role"), entry.sources.get("role", ())
        if isinstance(role, str):
            return replace(entry, custom_roles=[self._by_word[role]]) if role in self._by_word else entry
        made = [one for one in self.of(Kind.CUSTOM_ROLE) if one.urn in urns] if role is UNKNOWN else []
        if not made or len(made) < len(urns):
            return entry
        word = declared_role(" or ".join(one.shown("name") or one.name for one in made))
        return replace(entry, values={**entry.values, "role": word}, custom_roles=made)

    @cached_property
    def _by_word(self) -> Mapping[str, Entry]:
        """The custom roles of the stack by their ids, and by their keys in the roster."""
        made = list(self.of(Kind.CUSTOM_ROLE))
        by_id = {id_: one for one in made if (id_ := _id_of(one.values.get("role_id")))}
        return by_id | {declared_role(one.name.rpartition("/")[2]): one for one in made}

    def reference(self, entry: Entry, name: str) -> Reference:
        """Which team or service account an entry is about: by id, and by the resource that the id comes from."""
        value, made = entry.values.get(name), entry.sources.get(name, ())
        ids_by_urn = self._made[name]
        urn = made[0] if len(made) == 1 and made[0] in ids_by_urn else ""
        if value is UNKNOWN:
            return Reference(ids_by_urn[urn] if urn else None, urn)
        return Reference(str(value), urn or next((urn for urn, id_ in ids_by_urn.items() if id_ == str(value)), ""))

    @cached_property
    def _made(self) -> Mapping[str, Mapping[str, str | None]]:
        """Of each field that is about another resource: those resources, by URN, with the ids that are known."""
        return {
            name: {one.urn: _id_of(one.values.get(output)) for one in self.of(kinds.BY_NAME[kind].type)}
            for name, (kind, output) in kinds.REFERENCES.items()
        }
