"""The people who may be in the organization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import (
    CONSUMER_DOMAINS,
    domain_of,
    is_consumer,
    is_disposable,
    local_part,
    mailbox,
    same_key,
)
from mixpanel_access.model.similarity import slips_between
from mixpanel_access.rules.addresses import is_external_kind, is_shared, may_be_shared
from mixpanel_access.rules.company import COMPANY_OPTIONS, COMPANY_RULE, outsider
from mixpanel_access.rules.entry import PEOPLE, UNKNOWN, Entry, NotJudged, NotThereYet, Type, all_hold, each
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.rule import (
    DOMAIN,
    Family,
    Level,
    Rule,
    RuleFinding,
    Severity,
    Suggestion,
    controls,
    option,
    texts,
)
from mixpanel_access.rules.teams import TeamRoles

_TELLING: Final = 9
"""The length from which a domain can look like a misspelled consumer domain: mail.com is too similar to others."""
_LONG: Final = 13
"""The length from which a domain with two differences still looks like a misspelling."""


def _domain_allowed(entry: Entry, context: Context) -> Iterator[str]:
    allowed = context.domains
    if not allowed:
        raise NotApplicable("no domains are set")
    domain = domain_of(entry.email)
    if domain not in allowed | context.company_domains:
        yield f"{domain} is not an allowed domain; allowed are {', '.join(sorted(allowed | context.company_domains))}"


def _consumer_mail(entry: Entry, context: Context) -> Iterator[str]:
    domain = domain_of(entry.email)
    if is_disposable(domain):
        yield f"{domain} has throw-away mailboxes, which others may read"
    elif is_consumer(domain) or domain in context.domains:
        yield f"{domain} is a consumer mail provider, where the person keeps the address after the engagement"


def _misspelt(entry: Entry, context: Context) -> Iterator[str]:
    domain = domain_of(entry.email)
    known = context.company_domains | context.domains
    if not domain or domain in known or is_consumer(domain):
        return
    for name in sorted(known | {name for name in CONSUMER_DOMAINS if len(name) >= _TELLING}):
        most = 2 if len(name) >= _LONG else 1
        if slips_between(domain, name, most) <= most:
            yield f"{domain} looks like {name} misspelt; an invitation to a stranger's domain gives a stranger access"
            return


def _shared_mailbox(entry: Entry, context: Context) -> Iterator[str]:
    name = local_part(entry.email)
    if is_shared(name, {word.lower() for word in context.options["names"]}):
        yield f"{name}@ is a shared or robot mailbox, and a member is one person"


def _perhaps_shared(entry: Entry, _context: Context) -> Iterator[str]:
    name = local_part(entry.email)
    if may_be_shared(name):
        yield f"{name}@ may be a shared or robot mailbox; check that it is one person's"


def _external_privileged(entry: Entry, context: Context) -> Iterator[str]:
    def high() -> bool:
        return (entry.role or shown) in context.options["roles"]

    shown = entry.values.get("organization_role")  # a role that nobody declares stays as Mixpanel has it
    if all_hold(high, lambda: context.external(entry)):
        seen = "" if entry.role else f"{shown}, which Mixpanel shows and no role here changes"
        yield f"{outsider(entry, context)} may not be organization {entry.role or seen}"


def _with_role(stack: Stack, role: str) -> tuple[list[Entry], list[NotJudged]]:
    """The members with an organization role, and those who may have it, if the stack declares such roles."""
    if stack.owns_organization_roles() is False:
        raise NotApplicable("this stack does not declare organization roles")
    found: list[Entry] = []
    unknown: list[NotJudged] = []
    for entry in stack.of(Type.MEMBER):
        try:
            found += [entry] if entry.role == role else []
        except NotJudged as error:
            unknown.append(error)
    return found, unknown


def _names(entries: list[Entry]) -> str:
    return ", ".join(sorted(entry.shown("email") for entry in entries))


def _owners(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """The declared owners, and those in Mixpanel whose role the stack does not declare."""
    owners, unknown = _with_role(stack, roles.OWNER)
    shown = stack.roster.get("owners")
    if not owners and not unknown and not isinstance(shown, list):
        raise NotApplicable("no organization owner is declared: they are kept outside this stack")
    declared = {
        same_key(entry.shown("email")) for entry in stack.of(Type.MEMBER) if entry.values.get("role") is not None
    }
    others = [email for email in map(str, shown) if same_key(email) not in declared] if isinstance(shown, list) else []
    if not owners and not unknown and not others:
        raise NotApplicable(
            "Mixpanel calls nobody an owner, and there always is one: nobody can tell how many there are"
        )
    count, low, high = len(owners) + len(others), context.options["minimum"], context.options["maximum"]
    if stack.owns_organization_roles() is None:
        low = 0  # a program without a roster may declare some of the owners
    if unknown and count <= high and (count < low or count + len(unknown) > high):
        yield from unknown
    elif not low <= count <= high:
        names = ", ".join([_names(owners)] * bool(owners) + [f"{email}, not declared here" for email in others])
        yield RuleFinding(f"there are {count} organization owners ({names}), and there should be {low} to {high}")
    elif not isinstance(shown, list):
        raise NotThereYet("which other owners Mixpanel has is known after a refresh")


def _admins(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    (admins, unknown), high = _with_role(stack, roles.ADMIN), context.options["maximum"]
    if len(admins) <= high < len(admins) + len(unknown):
        yield from unknown
    elif len(admins) > high:
        yield RuleFinding(
            f"there are {len(admins)} organization admins ({_names(admins)}), and there should be at most {high}"
        )


def _duplicates(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    seen: dict[str, Entry] = {}

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        first = seen.setdefault(mailbox(entry.email), entry)
        if first is not entry:
            yield RuleFinding(f"{entry}: is the same person as {first.email}, who is declared already", entry)

    return each(stack.of(Type.MEMBER), judge)


def _one_kind(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """By all resources of a person, and by the other rosters."""
    told: dict[str, str] = {}

    def note(entry: Entry) -> Iterator[RuleFinding]:
        if is_external_kind(entry.text("kind")):
            told.setdefault(mailbox(entry.email), f"{entry.text('kind')} in {entry.name}")
        yield from ()

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        other = told.get(mailbox(entry.email))
        if other and not context.known_external(entry):
            kind = other.partition(" ")[0]
            yield RuleFinding(
                f"{entry}: {other}, and {entry.text('kind') or 'without a kind'} here; write `kind: {kind}` here too, "
                f"or correct it there",
                entry,
            )

    unknown = list(each(stack.of(*PEOPLE), note))
    for fact in TeamRoles(stack).neighbours.kinds:
        if is_external_kind(fact["kind"]):
            told.setdefault(mailbox(fact["email"]), f"{fact['kind']} in {fact['file']}")
    if told or unknown:
        yield from unknown
        yield from each(stack.of(*PEOPLE), judge)


def _without_member(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    emails = [entry.values.get("email") for entry in stack.of(Type.MEMBER)]
    members, hidden = {same_key(str(email)) for email in emails if email is not UNKNOWN}, UNKNOWN in emails

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if same_key(entry.email) in members:
            return
        if hidden:
            raise NotJudged(f"{entry}: a member whose address is not known before the update may be this person", entry)
        yield RuleFinding(f"{entry}: the stack declares no member for this person, so no rule checks them", entry)

    return each(stack.of(Type.GRANT, Type.TEAM_MEMBER), judge)


def _company_known(_stack: Stack, context: Context) -> Iterator[RuleFinding]:
    if not context.company_domains:
        yield RuleFinding(
            "mixpanel:companyDomains is not set, so that nobody can tell who is outside the company; the rules about "
            "external people are not judged"
        )


PEOPLE_RULES: Final = Family.PEOPLE.rules(
    Rule(
        COMPANY_RULE,
        "The company's e-mail domains are set, so that rules can tell who is external.",
        Level.ADVISORY,
        Severity.MEDIUM,
        "pulumi config set mixpanel:companyDomains example.com,example.org; or, for all stacks, the option domains",
        _company_known,
        options=COMPANY_OPTIONS,
        controls=controls("iso27001 A.5.16"),
    ),
    Rule(
        "domain-allowed",
        "Addresses are of allowed domains: the company's and those that are listed.",
        Level.MANDATORY,
        Severity.HIGH,
        "Use the person's address at an allowed domain, or add the domain to the rule's option `domains`.",
        _domain_allowed,
        types=(Type.MEMBER,),
        options=(
            texts(
                "domains", (), "Domains besides the company's; with none the rule allows every domain.", format=DOMAIN
            ),
        ),
        controls=controls("soc2 CC6.2", "iso27001 A.5.16"),
    ),
    Rule(
        "no-consumer-mail",
        "Nobody has access through a consumer mail provider.",
        Level.MANDATORY,
        Severity.HIGH,
        "Ask for the person's address at their company.",
        _consumer_mail,
        types=(Type.MEMBER,),
        options=(texts("domains", (), "Consumer mail providers in addition to the built-in ones.", format=DOMAIN),),
        controls=controls("soc2 CC6.2", "iso27001 A.5.16"),
    ),
    Rule(
        "domain-misspelt",
        "An address's domain does not look like a misspelling of a known one.",
        Level.MANDATORY,
        Severity.HIGH,
        "Correct the address; if it is right, add its domain to the rule's option `domains`.",
        _misspelt,
        types=(Type.MEMBER,),
        options=(texts("domains", (), "Further domains that are known and right.", format=DOMAIN),),
        controls=controls("soc2 CC6.2", "iso27001 A.5.16"),
    ),
    Rule(
        "no-shared-mailbox",
        "A member is one person, not a shared mailbox or a robot's.",
        Level.MANDATORY,
        Severity.HIGH,
        "Put the address of one person in its place; for a program, declare a service account.",
        _shared_mailbox,
        types=(Type.MEMBER,),
        options=(texts("names", (), "Words for such mailboxes in addition to the built-in ones."),),
        controls=controls("soc2 CC6.1", "iso27001 A.5.16", "cis 5.1"),
    ),
    Rule(
        "perhaps-shared-mailbox",
        "A member is a person, even if the name before the @ could be a program's.",
        Level.ADVISORY,
        Severity.LOW,
        "Check whose mailbox it is; for a program, make a service account.",
        _perhaps_shared,
        types=(Type.MEMBER,),
        controls=controls("soc2 CC6.1", "iso27001 A.5.16", "cis 5.1"),
    ),
    Rule(
        "external-not-privileged",
        "Nobody outside the company manages the organization.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Declare organizationRole: member and give project roles.",
        _external_privileged,
        types=(Type.MEMBER,),
        options=(texts("roles", roles.PRIVILEGED_ROLES, "Roles that no external person has."),),
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "iso27001 A.5.19", "cis 5.4"),
        exceptable=False,
        suggestion=Suggestion.CHECK,
        highest=lambda _entry, _context: roles.MEMBER,
    ),
    Rule(
        "organization-owners",
        "There are enough organization owners, declared or not, and not too many.",
        Level.MANDATORY,
        Severity.HIGH,
        "Have two owners at least, so that one can replace the other, and make the others admins or members.",
        _owners,
        options=(
            option("minimum", "integer", 2, "The fewest owners.", minimum=1),
            option("maximum", "integer", 4, "The most owners.", minimum=1),
        ),
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "cis 5.4"),
    ),
    Rule(
        "organization-admins",
        "There are not too many organization admins.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Make those members who do not manage people, and give them project roles.",
        _admins,
        options=(option("maximum", "integer", 5, "The most admins.", minimum=0),),
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "cis 5.4"),
    ),
    Rule(
        "no-duplicate-person",
        "Each person is declared once, whatever the spelling.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Keep one of the two entries, with the grants of both.",
        _duplicates,
        controls=controls("iso27001 A.5.16", "cis 5.1"),
    ),
    Rule(
        "one-kind",
        "A person who is external in one resource or roster is external in all of them.",
        Level.MANDATORY,
        Severity.HIGH,
        "Write the same kind in each.",
        _one_kind,
        controls=controls("iso27001 A.5.16", "iso27001 A.5.19", "cis 15.7"),
        grouped=True,
    ),
    Rule(
        "grant-has-member",
        "Everybody with a grant is declared as a member in the same stack.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Declare a Member for the address; a roster does.",
        _without_member,
        controls=controls("soc2 CC6.2", "iso27001 A.5.16", "cis 5.1"),
    ),
)
