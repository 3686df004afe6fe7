"""The company's settings in the policies' configuration, and why a person counts as external."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mixpanel_access.model.address import domain_of
from mixpanel_access.model.setting_values import addresses_in, company_domains_in
from mixpanel_access.rules.addresses import EXTERNAL_NAMES, is_external_kind
from mixpanel_access.rules.entry import Entry
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.rule import ADDRESS, COMPANY_DOMAIN, texts

COMPANY_RULE: Final = "company-domains-known"
"""The rule whose options these are."""
COMPANY_OPTIONS: Final = (
    texts(
        "domains",
        (),
        "The company's e-mail domains for all rules and stacks; with any, mixpanel:companyDomains does not count.",
        format=COMPANY_DOMAIN,
    ),
    texts(
        "approvers",
        (),
        "The addresses of all who may approve, for all rules and stacks; with any, mixpanel:approvers does not count.",
        format=ADDRESS,
    ),
    texts(
        "externalNames",
        EXTERNAL_NAMES,
        "What stands before the @ of people from outside at a company domain, for all rules; * stands for anything.",
    ),
)


@dataclass(frozen=True)
class Company:
    """The company's settings in the pack's configuration; the stack's settings count for an empty one.

    Attributes:
        domains: the company's e-mail domains.
        approvers: the keys of the addresses that may approve.
        external_names: patterns of external people's names before the @.
    """

    domains: frozenset[str] = frozenset()
    approvers: frozenset[str] = frozenset()
    external_names: tuple[str, ...] = EXTERNAL_NAMES

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Company:
        """Read the options of the rule, at any level; raises ValueError if they cannot be used."""
        return cls(
            company_domains_in(options.get("domains")),
            addresses_in(options.get("approvers")),
            tuple(options.get("externalNames", EXTERNAL_NAMES)),
        )

    def around(
        self, context: Context, domains: Callable[[], frozenset[str]], approvers: Callable[[], frozenset[str]]
    ) -> Context:
        """A context with these settings, or else those of the stack, which the two functions give."""
        return replace(
            context,
            company_domains=self.domains or domains(),
            approvers=self.approvers or approvers(),
            external_names=self.external_names,
        )


def outsider(entry: Entry, context: Context) -> str:
    """The words for an external in a finding, with the reason if the address looks like the company's."""
    kind, domain = entry.shown("kind"), domain_of(entry.shown("email"))
    if is_external_kind(kind):
        return f"somebody outside the company (kind: {kind})"
    if domain in context.company_domains:
        return "somebody outside the company (by the name before the @, see externalNames of company-domains-known)"
    if any(domain.endswith(f".{own}") for own in context.company_domains):
        listed = ",".join(sorted({*context.company_domains, domain}))
        return (
            f"somebody outside the company (as {domain} is not listed; if employees have it: pulumi config set "
            f"mixpanel:companyDomains {listed})"
        )
    own = f" ({', '.join(sorted(context.company_domains))})" if context.company_domains else ""
    return f"somebody outside the company{own}"
