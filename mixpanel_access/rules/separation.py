"""The separation of production and staging, of people and programs, and of stacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.neighbours import CLAIMED_TWICE
from mixpanel_access.rules.entry import UNKNOWN, Entry, NotJudged, NotThereYet, Type, all_hold, each
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.rule import Family, Level, Rule, RuleFinding, Severity, controls, texts
from mixpanel_access.rules.teams import TeamRoles, Through, reaches_production


def own_environment(entry: Entry, context: Context) -> Iterator[str]:
    """Whether a resource's project is in the environment of the stack."""
    environment = entry.text("environment")
    if not environment:
        yield "the project's environment is not declared, so that nothing tells production from staging"
    elif context.environment and environment != context.environment:
        yield f"the project is {environment}, and this stack holds {context.environment}"


class _Reach:
    """The environments that each person or account can reach, with a grant of this stack or another roster's file."""

    def __init__(self) -> None:
        self._by_key: dict[Any, dict[str, Entry | str]] = {}

    def add(self, key: Any, environment: str, giving: Entry | str) -> None:
        self._by_key.setdefault(key, {}).setdefault(environment, giving)

    def __contains__(self, key: Any) -> bool:
        return key in self._by_key

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def several(self) -> Iterator[tuple[Any, str, Entry]]:
        """Those with more than one: the environments in words, and the last grant of this stack."""
        for key, environments in self._by_key.items():
            if len(environments) > 1:
                words = [
                    f"{name} ({giving})" if isinstance(giving, str) else name
                    for name, giving in sorted(environments.items())
                ]
                yield key, " and ".join(words), [one for one in environments.values() if isinstance(one, Entry)][-1]


def _one_environment(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """By this stack's grants and memberships in teams, and by what other rosters give to the same people."""
    reach, grants, teams = _Reach(), list(stack.of(Type.GRANT)), TeamRoles(stack)
    through = [
        one
        for membership in stack.of(Type.TEAM_MEMBER)
        for one in teams.roles(membership)
        if one.gets.type == Type.GRANT
    ]

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if all_hold(lambda: entry.text("environment"), lambda: context.external(entry)):
            reach.add((same_key(entry.email), entry.text("engagement")), entry.text("environment"), entry)
        yield from ()

    def judge_team(one: Through) -> Iterator[RuleFinding]:
        if all_hold(lambda: one.gets.text("environment"), lambda: context.external(one.gets)):
            one.must_be_certain()
        yield from judge(one.gets)

    unknown = [*each(grants, judge), *each(through, judge_team)]
    for fact in teams.neighbours.reach:
        for email in fact["people"]:
            if (key := (email, fact["engagement"])) in reach:
                reach.add(key, fact["environment"], fact["file"])
    others = [fact["environment"] for fact in teams.neighbours.reach]
    if _several([*grants, *(one.gets for one in through)], others):
        yield from unknown
    allowed = set(context.options["engagements"])
    for (_, engagement), environments, last in reach.several():
        if engagement not in allowed:
            with_one = f"through the engagement {engagement!r}" if engagement else "without an engagement"
            yield RuleFinding(f"{last}: reaches {environments} {with_one}", last)
    if reach:
        yield from teams.neighbours.unread()
    teams.must_be_shown()


def _several(grants: Iterable[Entry], others: Iterable[str] = ()) -> bool:
    """Whether grants may reach more than one environment."""
    environments = [*(entry.values.get("environment") for entry in grants), *others]
    return UNKNOWN in environments or len({str(one or "").strip() for one in environments}) > 1


def _team_environment(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """A membership in a team from another environment's stack would avoid production's rules."""
    teams = TeamRoles(stack)

    def judge(through: Through) -> Iterator[RuleFinding]:
        if reaches_production(through, context):
            through.must_be_certain()
            yield RuleFinding(f"{through}: {whose}", through.membership)

    if context.environment == PRODUCTION:
        whose = "that stack is of another environment, and this is production"
        elsewhere = [
            one for one in teams.memberships_elsewhere() if one.membership.values.get("environment") != PRODUCTION
        ]
        yield from each(elsewhere, judge)
    else:
        whose = f"this is production, and this stack holds {context.environment or 'no environment'}"
        for membership in stack.of(Type.TEAM_MEMBER):
            yield from each(teams.roles(membership), judge)
    yield from teams.not_judged()


def _account_environments(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    """One stack creates an account and grants it roles, and so knows everything that the account can reach."""
    reach = _Reach()

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if not entry.get("service_account") and not stack.reference(entry, "service_account_id").urn:
            yield RuleFinding(
                f"{entry.name}: this stack does not make service account {entry.get('service_account_id')}, so nothing "
                f"shows which other environments it reaches",
                entry,
            )
        reach.add(_account(entry, stack), entry.text("environment") or "an undeclared environment", entry)

    yield from each(stack.of(Type.SERVICE_ACCOUNT_GRANT), judge)
    for account, environments, last in reach.several():
        yield RuleFinding(f"service account {account}: reaches {environments}", last)


def _account(entry: Entry, stack: Stack) -> str:
    """The name of a grant's service account, or else its resource or its id."""
    if name := entry.get("service_account"):
        return str(name)
    reference = stack.reference(entry, "service_account_id")
    if reference.urn:
        return reference.urn.rpartition("::")[2]
    return str(entry.get("service_account_id") or entry.name)


def _all_users(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """By the sources of people's access; for a new grant, and for a team's, by what its check has seen."""
    seen: dict[int, list[bool | None]] = {}

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if context.is_production(entry):
            seen.setdefault(entry.project, []).append(_open_to_all(entry))
        yield from ()

    yield from each(stack.of(Type.GRANT, Type.TEAM_GRANT), judge)
    for project, told in seen.items():
        if any(told):
            yield RuleFinding(
                f"project {project}: everybody in the organization has access to it through a grant to all users"
            )
    new = [str(project) for project, told in seen.items() if all(one is None for one in told)]
    if new:
        raise NotThereYet(f"what else gives access in {', '.join(new)} is known after the update, or a refresh")


def _open_to_all(entry: Entry) -> bool | None:
    """Whether a grant's project is open to all users, if known."""
    shown, sources = entry.values.get("open_to_all_users"), entry.access_sources
    if sources is not None and GrantType.ALL_USERS in sources:
        return True
    if shown is None and sources is not None:
        return False  # a state of an earlier version, which only has the sources of each person
    return shown if isinstance(shown, bool) else None


def _paperwork(entry: Entry, context: Context) -> Iterator[str]:
    """What is missing for everybody, and for external people; without company domains, everybody is external."""
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


def _owning_stack(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    owns = stack.owns_organization_roles()
    if owns is None:
        raise NotApplicable("the stack has no roster, which says whether it declares organization roles")
    if owns:
        return

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if entry.role not in ("", roles.MEMBER):
            yield RuleFinding(f"{entry}: this stack does not declare organization roles", entry)

    yield from each(stack.of(Type.MEMBER), judge)
    for entry in stack.of(Type.ORGANIZATION_SECURITY):
        yield RuleFinding(f"{entry.name}: this stack does not own the organization's settings", entry)


def _rosters_apart(stack: Stack, _context: Context) -> Iterator[RuleFinding]:
    if stack.organization_roles is None:
        raise NotApplicable("the stack has no roster")
    for words in stack.roster_texts(CLAIMED_TWICE):
        yield RuleFinding(words)


SEPARATION_RULES: Final = Family.SEPARATION.rules(
    Rule(
        "own-environment",
        "A stack holds only its own environment's projects.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Declare it in the stack of the project's environment.",
        own_environment,
        types=(Type.GRANT, Type.TEAM_GRANT, Type.CUSTOM_ROLE),
        controls=controls("soc2 CC6.1", "iso27001 A.8.31"),
        exceptable=False,
    ),
    Rule(
        "external-in-one-environment",
        "Nobody outside the company reaches production and staging through one engagement, unless the option lists it.",
        Level.MANDATORY,
        Severity.HIGH,
        "Split the engagement, or list it in the rule's option `engagements`.",
        _one_environment,
        options=(texts("engagements", (), "Engagements that may span environments."),),
        controls=controls("soc2 CC6.1", "iso27001 A.8.31", "iso27001 A.5.19"),
    ),
    Rule(
        "team-in-own-environment",
        "Nobody joins a team that reaches production in the stack of another environment.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Declare the membership in the team in production's stack, or make a team for each environment.",
        _team_environment,
        controls=controls("soc2 CC6.1", "iso27001 A.8.31"),
    ),
    Rule(
        "service-account-in-one-environment",
        "A service account reaches one environment only, and is granted in the stack that makes it.",
        Level.MANDATORY,
        Severity.HIGH,
        "Make one service account an environment, each in the stack of its grants.",
        _account_environments,
        controls=controls("soc2 CC6.1", "iso27001 A.8.31", "cis 5.5"),
    ),
    Rule(
        "no-all-users-in-production",
        "No production project is open to everybody in the organization.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Take the grant to all users away in Project Settings > Users & Teams.",
        _all_users,
        controls=controls("soc2 CC6.3", "iso27001 A.8.3", "cis 6.8"),
        exceptable=False,
    ),
    Rule(
        "production-has-paperwork",
        "Access to production has ticket and approver, and for people outside the company a statement of work.",
        Level.MANDATORY,
        Severity.HIGH,
        "Add what is missing to the person's engagement in the roster, such as `ticket:`; in a program, set the input.",
        _paperwork,
        types=(Type.GRANT, Type.TEAM_MEMBER),
        options=(
            texts("fields", ("ticket", "approver"), "The fields that must be filled in."),
            texts("externalFields", ("sow",), "Those that must be filled in for people outside the company as well."),
        ),
        controls=controls("soc2 CC6.2", "iso27001 A.5.18", "cis 6.1"),
    ),
    Rule(
        "organization-roles-in-one-stack",
        "Organization roles above member, and security settings, are declared in the stack that owns them.",
        Level.MANDATORY,
        Severity.HIGH,
        "Declare it in the stack whose roster has organizationRoles: true.",
        _owning_stack,
        controls=controls("soc2 CC6.3", "iso27001 A.5.15"),
    ),
    Rule(
        "rosters-apart",
        "No two rosters in one folder have the same project, or declare the organization roles.",
        Level.MANDATORY,
        Severity.HIGH,
        "Decide which stack has it, and delete it in the other roster.",
        _rosters_apart,
        controls=controls("soc2 CC6.3", "iso27001 A.8.31"),
    ),
)
