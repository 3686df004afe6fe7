"""Who may approve, or answer for a service account: one judgement for all rules."""

from __future__ import annotations

from typing import Final

from mixpanel_access.model.address import domain_of, local_part, mailbox, problem_with
from mixpanel_access.rules.addresses import is_shared
from mixpanel_access.rules.facts import Context

HOW_TO_NAME: Final = "pulumi config set mixpanel:approvers"
"""The command that names all who may approve."""


def problem_with_approver(approver: str, person: str, context: Context) -> str | None:
    """Why somebody may not approve what a person has, in words; None where they may.

    Args:
        approver: the address of who approves.
        person: the address of who gets it, or "" where that is nobody.
        context: the company's domains, and who may approve.
    """
    if mailbox(approver) == mailbox(person):
        return "the approver is the person themselves"
    if problem := problem_with_colleague(approver, context):
        return f"the approver {problem}"
    if context.approvers and mailbox(approver) not in map(mailbox, context.approvers):
        return f"the approver {approver} is none of those who may approve ({HOW_TO_NAME})"
    return None


def problem_with_colleague(address: str, context: Context) -> str | None:
    """Why an address is not that of one person of the company, in words that begin with it; None where it is."""
    if reason := problem_with(address):
        return f"{address!r} is not an e-mail address ({reason})"
    if is_shared(local_part(address)):
        return f"{address} is a shared mailbox, and one person has to answer for it"
    if context.company_domains and context.external(address):
        domain = domain_of(address)
        why = (
            "the name before the @ is that of an external"
            if domain in context.company_domains
            else f"{domain} is none of its domains"
        )
        return f"{address} is not of the company: {why}"
    return None
