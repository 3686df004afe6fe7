"""Service accounts: who answers for them, who approved them, and what they can reach.

A roster's `purpose` is the account's justification, and its `contact` the sponsor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import few, mailbox
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.neighbours import CONTACTS_BESIDE
from mixpanel_access.model.service_accounts import service_account_name
from mixpanel_access.rules.entry import UNKNOWN, Entry, NotJudged, NotThereYet, Type, all_hold, each
from mixpanel_access.rules.facts import Context, Stack
from mixpanel_access.rules.rule import Family, Level, Rule, RuleFinding, Severity, controls, option, texts
from mixpanel_access.rules.separation import own_environment

_IN_A_ROSTER: Final = {"justification": "purpose", "sponsor": "contact"}
"""The names of two fields in a roster."""
_NOT_IN: Final = {
    "deactivated": "the identity provider keeps them out",
    "expired": "they never accepted the invitation",
}
"""The statuses of members who cannot log in, with the reason."""


def _words(fields: list[str]) -> str:
    return " and no ".join(_IN_A_ROSTER.get(field, field) for field in fields)


def _owned(entry: Entry, context: Context) -> Iterator[str]:
    if missing := entry.missing(_IN_A_ROSTER):
        yield f"it has no {_words(missing)}"
    contact = entry.text("sponsor")
    if contact and (problem := context.problem_with_colleague(contact)):
        yield f"its contact {problem}"


def _contact_known(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """For accounts that this run creates or changes."""
    return _contacts(stack, context, there=False)


def _contact_left(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """For accounts that do not change: a contact can leave the company, and no run must wait for that."""
    return _contacts(stack, context, there=True)


def _contacts(stack: Stack, context: Context, *, there: bool) -> Iterator[RuleFinding | NotJudged]:
    """Whether each contact is a member of the company: of this roster, of another one, or an approver."""
    members = {mailbox(str(one.values.get("email"))): one for one in stack.of(Type.MEMBER)}
    elsewhere = set(map(mailbox, (*stack.roster_texts(CONTACTS_BESIDE), *context.approvers)))
    hidden = any(one.values.get("email") is UNKNOWN for one in stack.of(Type.MEMBER))
    new: list[str] = []

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        contact = entry.text("sponsor")
        member = members.get(mailbox(contact))
        if not contact or (member is None and mailbox(contact) in elsewhere):
            return
        if member is not None:
            if context.known_external(member):
                yield RuleFinding(
                    f"{entry}: its contact {contact} is {member.text('kind') or 'outside the company'}", entry
                )
            elif member.values.get("status") is UNKNOWN:
                new.append(contact)
            elif reason := _NOT_IN.get(str(member.values.get("status"))):
                yield RuleFinding(f"{entry}: its contact {contact} is not in the organization: {reason}", entry)
        elif hidden:
            raise NotJudged(f"{entry}: a member whose address is not known before the update may be {contact}", entry)
        else:
            yield RuleFinding(
                f"{entry}: its contact {contact} is not a member in this stack or in another roster of its folder, "
                f"nor one of mixpanel:approvers",
                entry,
            )

    accounts = [one for one in stack.of(Type.SERVICE_ACCOUNT) if (type(one.values.get("account_id")) is int) is there]
    yield from each(accounts, judge)
    if new:
        raise NotThereYet(f"whether {few(new)} is in the organization is known after the update")


def _manages_people(entry: Entry) -> bool:
    """Whether an account's role manages people, or may, as a custom role."""
    return entry.role in roles.MANAGING_ROLES or roles.is_custom(entry.role)


def _approved(entry: Entry, context: Context) -> Iterator[str]:
    reasons = ("justification", "approver")
    if all_hold(lambda: _manages_people(entry), lambda: entry.missing(reasons)):
        missing = entry.missing(reasons)
        yield f"{entry.role} needs a purpose and an approver; there is no {_words(missing)}"
    approver, contact = entry.text("approver"), entry.text("sponsor")
    if not approver or (entry.type == Type.SERVICE_ACCOUNT_GRANT and not _manages_people(entry)):
        return
    if contact and mailbox(approver) == mailbox(contact):
        yield f"its contact {contact} is its approver too, and another person must approve it"
    elif problem := context.problem_with_approver(approver, ""):
        yield problem


def _paperwork(entry: Entry, context: Context) -> Iterator[str]:
    fields = context.options["fields"]
    if all_hold(lambda: context.is_production(entry), lambda: entry.missing(fields)):
        yield f"an account in production needs {', '.join(fields)}; there is no {_words(entry.missing(fields))}"


def _own_environment(entry: Entry, context: Context) -> Iterator[str]:
    if entry.type == Type.SERVICE_ACCOUNT:
        if context.environment != PRODUCTION and entry.role in roles.MANAGING_ROLES:
            holds = f"holds {context.environment}" if context.environment else "has no mixpanel:environment"
            yield f"an organization {entry.role} reaches every project, production too, and this stack {holds}"
        return
    yield from own_environment(entry, context)


def _few_privileged(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """By the declared role, by the role that Mixpanel shows, and by the projects that the account owns."""
    high, owns = context.options["maximum"], stack.owns_organization_roles()
    found: dict[str, str] = {}

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        role = next(
            (role for role in (entry.output("organization_role"), entry.role) if role in roles.MANAGING_ROLES), None
        )
        if role:
            found[entry.name] = _name(entry)
            if owns is False:
                words = f"is organization {role}, and this stack does not declare organization roles"
                yield RuleFinding(f"{_name(entry)} {words}", entry)

    def judge_grant(grant: Entry) -> Iterator[RuleFinding]:
        if grant.role == roles.OWNER:
            account = _account_of(grant, stack)
            found[account.name if account else grant.name] = _name(account) if account else grant.name
        yield from ()

    unknown: list[NotJudged] = []
    for item in (
        *each(stack.of(Type.SERVICE_ACCOUNT), judge),
        *each(stack.of(Type.SERVICE_ACCOUNT_GRANT), judge_grant),
    ):
        if isinstance(item, NotJudged):
            unknown.append(item)
        else:
            yield item
    if len(found) > high:
        yield RuleFinding(
            f"there are {len(found)} service accounts that manage the organization or own a project "
            f"({', '.join(sorted(found.values()))}), and there should be at most {high}"
        )
    elif unknown and (owns is False or len(found) + len(unknown) > high):
        yield from unknown
    elif new := [one.name for one in stack.of(Type.SERVICE_ACCOUNT) if one.values.get("organization_role") is UNKNOWN]:
        raise NotThereYet(f"the organization role that Mixpanel shows for {', '.join(new)} is known after the update")


def _name(entry: Entry) -> str:
    """An account's name, without Mixpanel's part."""
    name = entry.values.get("username")
    return service_account_name(name) if isinstance(name, str) and name else entry.name


def _account_of(grant: Entry, stack: Stack) -> Entry | None:
    """The account of the stack that has a grant, or None; raises NotJudged if the id is not known yet."""
    accounts = list(stack.of(Type.SERVICE_ACCOUNT))
    if named := grant.get("service_account"):
        return next((one for one in accounts if str(named) in (_name(one), one.name)), None)
    reference = stack.reference(grant, "service_account_id")
    if not reference.urn and reference.id is None:
        grant.get("service_account_id")
    return next((one for one in accounts if reference.urn and one.urn == reference.urn), None)


def _declared(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if _account_of(entry, stack) is None:
            yield RuleFinding(f"{entry.name}: the stack does not declare the account, so no rule checks its end", entry)

    return each(stack.of(Type.SERVICE_ACCOUNT_GRANT), judge)


_GIVE_REASONS: Final = (
    "In the roster, add `purpose:`, `contact:`, `ticket:` or `approver:` to the account below serviceAccounts; in a "
    "program, set justification, sponsor, ticket or approver."
)
_GIVE_CONTACT: Final = (
    "Name a contact who is a member, declare the contact in a roster, or add them to mixpanel:approvers."
)

ACCOUNT_RULES: Final = Family.SERVICE_ACCOUNTS.rules(
    Rule(
        "service-account-owned",
        "A service account has a purpose, and one person of the company answers for it.",
        Level.MANDATORY,
        Severity.HIGH,
        _GIVE_REASONS,
        _owned,
        types=(Type.SERVICE_ACCOUNT,),
        controls=controls("cis 5.5", "soc2 CC6.1", "iso27001 A.5.16"),
    ),
    Rule(
        "service-account-contact-known",
        "The contact of a new service account, or a new contact of another one, is a member or an approver.",
        Level.MANDATORY,
        Severity.MEDIUM,
        _GIVE_CONTACT,
        _contact_known,
        controls=controls("cis 5.5", "iso27001 A.5.16"),
    ),
    Rule(
        "service-account-contact-left",
        "The contact of a service account is still a member or an approver.",
        Level.ADVISORY,
        Severity.MEDIUM,
        _GIVE_CONTACT,
        _contact_left,
        controls=controls("cis 5.5", "iso27001 A.5.16"),
    ),
    Rule(
        "service-account-approved",
        "A service account that manages people has a purpose and an approver, who is not its contact.",
        Level.MANDATORY,
        Severity.HIGH,
        _GIVE_REASONS,
        _approved,
        types=(Type.SERVICE_ACCOUNT, Type.SERVICE_ACCOUNT_GRANT),
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "cis 5.5"),
    ),
    Rule(
        "service-account-has-paperwork",
        "A service account in production has its ticket and approver.",
        Level.MANDATORY,
        Severity.MEDIUM,
        _GIVE_REASONS,
        _paperwork,
        types=(Type.SERVICE_ACCOUNT,),
        options=(texts("fields", ("ticket", "approver"), "The fields that must be filled in."),),
        controls=controls("soc2 CC6.2", "iso27001 A.5.18", "cis 6.1"),
    ),
    Rule(
        "service-accounts-privileged",
        "At most one service account manages the organization or owns a project, in the stack of organization roles.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Lower the role: give the account roles in the projects that it works with.",
        _few_privileged,
        options=(option("maximum", "integer", 1, "The most of such accounts.", minimum=0),),
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "cis 5.4"),
    ),
    Rule(
        "service-account-own-environment",
        "A service account reaches the environment of its stack and no other.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Declare it in the stack of the project's environment; give it project roles in place of an organization role.",
        _own_environment,
        types=(Type.SERVICE_ACCOUNT, Type.SERVICE_ACCOUNT_GRANT),
        controls=controls("iso27001 A.8.31", "soc2 CC6.1", "cis 5.5"),
        exceptable=False,
    ),
    Rule(
        "service-account-declared",
        "A service account with a role in a project is declared in the same stack.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Declare a ServiceAccount, or import it, and take its account_id.",
        _declared,
        controls=controls("cis 5.5", "soc2 CC6.1", "iso27001 A.5.16"),
    ),
)
