"""Production and staging, people and programs, one stack and another: kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.rules.facts import Context, Entry, Kind, NotApplicable, Stack
from mixpanel_access.rules.rule import Family, Finding, Level, Rule, Severity, cis, iso27001, soc2, texts
from mixpanel_access.rules.unknown import UNKNOWN, NotJudged, NotThereYet, all_hold, each


def _own_environment(entry: Entry, context: Context) -> Iterator[str]:
    environment = entry.text("environment")
    if not environment:
        yield "the project's environment is not declared, so that nothing tells production from staging"
    elif context.environment and environment != context.environment:
        yield f"the project is {environment}, and this stack holds {context.environment}"


class _Reach:
    """Who reaches which environments, with a grant of each."""

    def __init__(self) -> None:
        self._by_key: dict[Any, dict[str, Entry]] = {}

    def add(self, key: Any, environment: str, entry: Entry) -> None:
        self._by_key.setdefault(key, {}).setdefault(environment, entry)

    def several(self) -> Iterator[tuple[Any, str, Entry]]:
        """Who reaches more than one: the environments in words, and the grant of the one that came last."""
        for key, environments in self._by_key.items():
            if len(environments) > 1:
                yield key, " and ".join(sorted(environments)), list(environments.values())[-1]


def _one_environment(stack: Stack, context: Context) -> Iterator[Finding | NotJudged]:
    reach, grants = _Reach(), list(stack.of(Kind.GRANT))

    def judge(entry: Entry) -> Iterator[Finding]:
        if all_hold(lambda: entry.text("environment"), lambda: context.external(entry)):
            reach.add((same_key(entry.email), entry.text("engagement")), entry.text("environment"), entry)
        yield from ()

    unknown = list(each(grants, judge))
    if _several(grants):
        yield from unknown
    allowed = set(context.options["engagements"])
    for (_, engagement), environments, last in reach.several():
        if engagement not in allowed:
            through = f"through the engagement {engagement!r}" if engagement else "without an engagement"
            yield Finding(f"{last}: reaches {environments} {through}", last)


def _several(grants: Iterable[Entry]) -> bool:
    """Whether grants reach more than one environment, as far as that is known."""
    environments = [entry.values.get("environment") for entry in grants]
    return UNKNOWN in environments or len({str(one or "").strip() for one in environments}) > 1


def _account_environments(stack: Stack, _context: Context) -> Iterator[Finding | NotJudged]:
    reach, grants = _Reach(), list(stack.of(Kind.SERVICE_ACCOUNT_GRANT))

    def judge(entry: Entry) -> Iterator[Finding]:
        reach.add(_account(entry, stack), entry.text("environment") or "an undeclared environment", entry)
        yield from ()

    unknown = list(each(grants, judge))
    if _several(grants):
        yield from unknown
    for account, environments, last in reach.several():
        yield Finding(f"service account {account}: reaches {environments}", last)


def _account(entry: Entry, stack: Stack) -> str:
    """What a grant's service account is known by: its name, its resource, or its id."""
    if name := entry.get("service_account"):
        return str(name)
    reference = stack.reference(entry, "service_account_id")
    if reference.urn:
        return reference.urn.rpartition("::")[2]
    return str(entry.get("service_account_id") or entry.name)


def _all_users(stack: Stack, context: Context) -> Iterator[Finding | NotJudged]:
    seen: dict[int, list[frozenset[str] | None]] = {}

    def judge(entry: Entry) -> Iterator[Finding]:
        if context.is_production(entry):
            seen.setdefault(entry.project, []).append(entry.ways)
        yield from ()

    yield from each(stack.of(Kind.GRANT), judge)
    for project, ways in seen.items():
        if any(GrantType.ALL_USERS in one for one in ways if one is not None):
            yield Finding(
                f"project {project}: everybody in the organization has access to it through a grant to all users"
            )
    new = [str(project) for project, ways in seen.items() if all(one is None for one in ways)]
    if new:
        raise NotThereYet(
            f"no grant is there yet in {', '.join(new)}: what else gives access is known after the update"
        )


def _paperwork(entry: Entry, context: Context) -> Iterator[str]:
    """What is missing, of everybody and of externals; while nobody knows who is external, everybody is."""
    missing: list[str] = []
    unknown = None
    for names, concerned in (
        (context.options["fields"], lambda: True),
        (context.options["externalFields"], lambda: not context.company_domains or context.external(entry)),
    ):
        try:
            if all_hold(lambda: context.is_production(entry), partial(entry.missing, names), concerned):
                missing += entry.missing(names)
        except NotJudged as error:
            unknown = unknown or error
    if missing:
        yield f"access to production needs more than it has: there is no {', no '.join(dict.fromkeys(missing))}"
    elif unknown:
        raise unknown


def _owning_stack(stack: Stack, _context: Context) -> Iterator[Finding | NotJudged]:
    owns = stack.owns_organization_roles()
    if owns is None:
        raise NotApplicable("the stack has no roster, which says whether it declares organization roles")
    if owns:
        return

    def judge(entry: Entry) -> Iterator[Finding]:
        if entry.role not in ("", roles.MEMBER):
            yield Finding(f"{entry}: this stack does not declare organization roles", entry)

    yield from each(stack.of(Kind.MEMBER), judge)
    for entry in stack.of(Kind.ORGANIZATION_SECURITY):
        yield Finding(f"{entry.name}: this stack does not own the organization's settings", entry)


def _rosters_apart(stack: Stack, _context: Context) -> Iterator[Finding]:
    if stack.organization_roles is None:
        raise NotApplicable("the stack has no roster")
    for words in stack.claimed_twice:
        yield Finding(words)


SEPARATION_RULES: Final = (
    Rule(
        "own-environment",
        Family.SEPARATION,
        "A stack holds only its own environment's projects.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Declare it in the stack of the project's environment.",
        _own_environment,
        kinds=(Kind.GRANT, Kind.TEAM_GRANT, Kind.CUSTOM_ROLE),
        controls=(soc2("CC6.1"), iso27001("A.8.31")),
    ),
    Rule(
        "external-in-one-environment",
        Family.SEPARATION,
        "Nobody outside the company reaches production and staging through one engagement, unless it is said.",
        Level.MANDATORY,
        Severity.HIGH,
        "Split the engagement, or list it in the rule's configuration.",
        _one_environment,
        options=(texts("engagements", (), "Engagements that may span environments."),),
        controls=(soc2("CC6.1"), iso27001("A.8.31"), iso27001("A.5.19")),
    ),
    Rule(
        "service-account-in-one-environment",
        Family.SEPARATION,
        "A service account reaches one environment only.",
        Level.MANDATORY,
        Severity.HIGH,
        "Make one service account an environment.",
        _account_environments,
        controls=(soc2("CC6.1"), iso27001("A.8.31"), cis("5.5")),
    ),
    Rule(
        "no-all-users-in-production",
        Family.SEPARATION,
        "No production project is open to everybody in the organization.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Take the grant to all users away in Project Settings > Users & Teams.",
        _all_users,
        controls=(soc2("CC6.3"), iso27001("A.8.3"), cis("6.8")),
    ),
    Rule(
        "production-has-paperwork",
        Family.SEPARATION,
        "Access to production has ticket and approver, and for people outside the company a statement of work.",
        Level.MANDATORY,
        Severity.HIGH,
        "Fill in what is missing.",
        _paperwork,
        kinds=(Kind.GRANT, Kind.TEAM_MEMBER),
        options=(
            texts("fields", ("ticket", "approver"), "The fields that must be filled in."),
            texts("externalFields", ("sow",), "Those that must be filled in for people outside the company as well."),
        ),
        controls=(soc2("CC6.2"), iso27001("A.5.18"), cis("6.1")),
    ),
    Rule(
        "organization-roles-in-one-stack",
        Family.SEPARATION,
        "Organization roles above member, and security settings, are declared in the stack that owns them.",
        Level.MANDATORY,
        Severity.HIGH,
        "Declare it in the stack whose roster has organizationRoles: true.",
        _owning_stack,
        controls=(soc2("CC6.3"), iso27001("A.5.15")),
    ),
    Rule(
        "rosters-apart",
        Family.SEPARATION,
        "No two rosters beside each other have one project, or declare the organization roles.",
        Level.MANDATORY,
        Severity.HIGH,
        "Decide which stack has it, and delete it in the other roster.",
        _rosters_apart,
        controls=(soc2("CC6.3"), iso27001("A.8.31")),
    ),
)
