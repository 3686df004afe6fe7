"""What a rule sees: the resources of a stack, and their context."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import domain_of, local_part, mailbox, problem_with
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.roles import declared_role
from mixpanel_access.model.setting_values import domains_in
from mixpanel_access.rules.addresses import EXTERNAL_NAMES, is_external, is_external_kind, is_shared
from mixpanel_access.rules.entry import (
    EXCEPTION_DAYS,
    UNKNOWN,
    Entry,
    ExceptionEntry,
    NotJudged,
    Type,
    Unknown,
    any_holds,
)

HOW_TO_NAME: Final = "pulumi config set mixpanel:approvers"
"""The command that names all who may approve."""


class NotApplicable(Exception):
    """A rule does not concern this stack; the text says why."""


@dataclass(frozen=True)
class Context:
    """The context of the resources.

    Attributes:
        today: the day, UTC.
        environment: the stack's environment (`mixpanel:environment`), or None.
        company_domains: the company's e-mail domains (`mixpanel:companyDomains`), as `domain_of` gives them.
        options: the rule's configuration, with defaults.
        rules: rule id -> its severity, or None if the rule allows no exceptions.
        approvers: the keys of the addresses that may approve (`mixpanel:approvers`); none means the whole company.
        external_names: patterns of external people's names before the @.
        exception_days: the longest days of an exception, and of one from a critical rule.
        settings: the settings that `guards-not-loosened` judges, by key without the namespace, if known.
        stack: the stack's name, or "".
        off: the rules that the policies' configuration disables.
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
        """Whether a person is external: by their kind, their name before the @, or their domain.

        Args:
            who: a resource, or an address.
            kind: with an address, the person's kind in the roster.

        Raises:
            NotApplicable: the company's domains are not set.
            NotJudged: it depends on a value that is not known before the update.
        """
        if isinstance(who, str):
            return is_external_kind(kind) or self._external_address(who)
        return any_holds(lambda: is_external_kind(who.text("kind")), lambda: self._external_address(who.email))

    def known_external(self, entry: Entry) -> bool:
        """The same, but only by the kind if the company's domains are not set."""
        return self.external(entry) if self.company_domains else is_external_kind(entry.text("kind"))

    def _external_address(self, email: str) -> bool:
        if not self.company_domains:
            raise NotApplicable("the company's domains are not set (mixpanel:companyDomains)")
        return is_external(email, self.company_domains, self.external_names)

    def problem_with_approver(self, approver: str, person: str) -> str | None:
        """Why an address may not approve what a person has, in words; None if it may. `person` can be ""."""
        if mailbox(approver) == mailbox(person):
            return "the approver is the person themselves"
        if approver not in self._approver_problems:  # one of few, who approve what thousands have
            self._approver_problems[approver] = self._problem_with_any_approver(approver)
        return self._approver_problems[approver]

    @cached_property
    def _approver_problems(self) -> dict[str, str | None]:
        return {}

    def _problem_with_any_approver(self, approver: str) -> str | None:
        if problem := self.problem_with_colleague(approver):
            return f"the approver {problem}"
        if self.approvers and mailbox(approver) not in map(mailbox, self.approvers):
            return f"the approver {approver} is none of those who may approve ({HOW_TO_NAME})"
        return None

    def problem_with_colleague(self, address: str) -> str | None:
        """Why an address does not belong to one person of the company, in words that begin with it, or None."""
        if reason := problem_with(address):
            return f"{address!r} is not an e-mail address ({reason})"
        if is_shared(local_part(address)):
            return f"{address} is a shared mailbox, and one person has to answer for it"
        if not self.company_domains or not self.external(address):
            return None
        if (domain := domain_of(address)) in self.company_domains:
            return f"{address} is not of the company: the name before the @ is that of an external"
        return f"{address} is not of the company: {domain} is none of its domains"

    @property
    def domains(self) -> frozenset[str]:
        """The rule's option `domains`, each as `domain_of` gives them."""
        return domains_in(self.options["domains"])

    def is_production(self, entry: Entry) -> bool:
        """Whether a resource is in production: by its own environment, or else the stack's."""
        return (entry.text("environment") or self.environment) == PRODUCTION


def _id_of(value: Any) -> str | None:
    return None if value is None or value is UNKNOWN else str(value)


@dataclass(frozen=True)
class Reference:
    """The team or service account of a resource: its id if known, and its resource in the stack, or ""."""

    id: str | None
    urn: str

    def same(self, other: Reference) -> bool | None:
        """Whether both are the same, or None if that is not known before the update.

        A team that the stack creates can turn out to exist already, and so have an id that somebody wrote down.
        """
        if self.id is not None and other.id is not None:
            return self.id == other.id
        return self.urn == other.urn if self.urn and other.urn else None


@dataclass(frozen=True)
class Stack:
    """All resources of a stack.

    Attributes:
        entries: the resources that rules know.
        organization_roles: whether the roster declares organization roles; None without a roster.
        exceptions: the exceptions that do not concern a single person.
        roster: the component's facts about the roster, as plain data; `UNKNOWN` for unknown ones.
    """

    entries: Sequence[Entry] = ()
    organization_roles: bool | Unknown | None = None
    exceptions: Sequence[ExceptionEntry] = ()
    roster: Mapping[str, Any] = field(default_factory=dict)

    def owns_organization_roles(self) -> bool | None:
        """Whether the roster declares organization roles (None: no roster); raises NotJudged if it is not known."""
        if isinstance(self.organization_roles, Unknown):
            raise NotJudged("whether the roster declares organization roles is not known before the update")
        return self.organization_roles

    def roster_texts(self, name: str) -> list[str]:
        """A fact about the roster that is a list of texts, or an empty list."""
        found = self.roster.get(name)
        return [str(part) for part in found] if isinstance(found, list) else []

    def of(self, *types: str) -> Iterator[Entry]:
        """The resources of these types in the engine."""
        there = self._types.intersection(types)
        if there not in self._by_types:
            self._by_types[there] = [entry for entry in self.entries if entry.type in there]
        return iter(self._by_types[there])

    @cached_property
    def _types(self) -> frozenset[str]:
        return frozenset(entry.type for entry in self.entries)

    @cached_property
    def _by_types(self) -> dict[frozenset[str], Sequence[Entry]]:
        """What `of` has found: dozens of rules ask for the same of thousands of resources."""
        return {}

    def grants_there(self) -> Iterator[tuple[Entry, frozenset[str]]]:
        """The existing grants, with the sources of their people's access.

        Raises:
            NotApplicable: no grant exists yet. The update that creates them judges them.
        """
        grants = [(entry, entry.access_sources) for entry in self.of(Type.GRANT)]
        there = [(entry, sources) for entry, sources in grants if sources is not None]
        yield from there
        if grants and not there:
            raise NotApplicable("the grants do not exist yet: what else gives access is known after the update")

    def resolved(self) -> Stack:
        """The same stack, in which each role that is a custom role of the stack has that resource."""
        return self._resolved

    @cached_property
    def _resolved(self) -> Stack:
        return replace(self, entries=[self.with_custom_roles(entry) for entry in self.entries])

    def with_custom_roles(self, entry: Entry) -> Entry:
        """A resource with the custom roles of the stack that its role is, or comes from."""
        role, urns = entry.values.get("role"), entry.sources.get("role", ())
        if isinstance(role, str):
            return replace(entry, custom_roles=[self._by_word[role]]) if role in self._by_word else entry
        made = [one for one in self.of(Type.CUSTOM_ROLE) if one.urn in urns] if role is UNKNOWN else []
        if not made or len(made) < len(urns):
            return entry
        word = declared_role(" or ".join(one.shown("name") or one.name for one in made))
        return replace(entry, values={**entry.values, "role": word}, custom_roles=made)

    @cached_property
    def _by_word(self) -> Mapping[str, Entry]:
        """The custom roles of the stack, by id and by the word for their key in the roster."""
        made = list(self.of(Type.CUSTOM_ROLE))
        by_id = {id_: one for one in made if (id_ := _id_of(one.values.get("role_id")))}
        return by_id | {declared_role(one.name.rpartition("/")[2]): one for one in made}

    def reference(self, entry: Entry, name: str) -> Reference:
        """The team or service account of an entry, by its id and by the resource from which the id comes."""
        value, made = entry.values.get(name), entry.sources.get(name, ())
        ids_by_urn = self._made[name]
        urn = made[0] if len(made) == 1 and made[0] in ids_by_urn else ""
        if value is UNKNOWN:
            return Reference(ids_by_urn[urn] if urn else None, urn)
        return Reference(str(value), urn or next((urn for urn, id_ in ids_by_urn.items() if id_ == str(value)), ""))

    @cached_property
    def _made(self) -> Mapping[str, Mapping[str, str | None]]:
        """Field -> the resources to which it can refer, by URN, with the known ids."""
        return {
            name: {one.urn: _id_of(one.values.get(output)) for one in self.of(kinds.BY_NAME[kind].type)}
            for name, (kind, output) in kinds.REFERENCES.items()
        }
