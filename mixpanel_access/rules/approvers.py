"""Who may approve: one judgement for grants, service accounts and exceptions."""

from __future__ import annotations

from typing import Final

from mixpanel_access.model.address import domain_of, local_part, mailbox, problem_with
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.mailboxes import is_shared

HOW_TO_NAME: Final = "pulumi config set mixpanel:approvers"
"""The command that names all who may approve."""


def problem_with_approver(approver: str, person: str, context: Context) -> str | None:
    """Why somebody may not approve what a person has, in words; None where they may.

    Args:
        approver: the address of who approves.
        person: the address of who gets it, or "" where that is nobody.
        context: the company's domains, and who may approve.
    """
    if reason := problem_with(approver):
        return f"the approver {approver!r} is no e-mail address ({reason}), so that nobody can be asked"
    if mailbox(approver) == mailbox(person):
        return "the approver is the person themselves"
    if is_shared(local_part(approver)):
        return f"the approver {approver} is a shared mailbox, and one person has to answer for it"
    if context.company_domains and context.external(approver):
        domain = domain_of(approver)
        of_it = (
            "the name before the @ is that of an external"
            if domain in context.company_domains
            else (f"{domain} is none of its domains")
        )
        return f"the approver {approver} is not of the company: {of_it}"
    if context.approvers and mailbox(approver) not in map(mailbox, context.approvers):
        return f"the approver {approver} is none of those who may approve ({HOW_TO_NAME})"
    return None
