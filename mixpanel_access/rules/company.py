"""Who is of the company, as the pack itself can be told: it wins over the settings of each stack, and for all rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mixpanel_access.model.list_settings import addresses_in, company_domains_in
from mixpanel_access.rules.externals import EXTERNAL_NAMES
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
    """What the pack is told; what it is not told is as the stack says.

    Attributes:
        domains: the company's e-mail domains, or none.
        approvers: the keys of the addresses of those who may approve, or none.
        external_names: patterns of what stands before the @ of people from outside at a company domain.
    """

    domains: frozenset[str] = frozenset()
    approvers: frozenset[str] = frozenset()
    external_names: tuple[str, ...] = EXTERNAL_NAMES

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Company:
        """Read the options of the rule, whatever its level is.

        Raises:
            ValueError: they cannot be used.
        """
        return cls(
            company_domains_in(options.get("domains")),
            addresses_in(options.get("approvers")),
            tuple(options.get("externalNames", EXTERNAL_NAMES)),
        )

    def around(
        self, context: Context, domains: Callable[[], frozenset[str]], approvers: Callable[[], frozenset[str]]
    ) -> Context:
        """What is around a rule.

        Args:
            context: all else.
            domains: gives the company's domains as the stack has them.
            approvers: gives those who may approve, as the stack has them.
        """
        return replace(
            context,
            company_domains=self.domains or domains(),
            approvers=self.approvers or approvers(),
            external_names=self.external_names,
        )
