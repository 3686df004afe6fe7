"""Why somebody counts as external, in words, so that a finding about a colleague says what to correct."""

from __future__ import annotations

from mixpanel_access.model.address import domain_of
from mixpanel_access.rules.externals import is_external_kind
from mixpanel_access.rules.facts import Context, Entry


def outsider(entry: Entry, context: Context) -> str:
    """An external as a finding calls them: with why, where their address looks like the company's."""
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
