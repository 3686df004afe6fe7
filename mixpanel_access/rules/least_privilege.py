"""Nobody has more access than they need, and all access has a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.engagements import with_changes
from mixpanel_access.model.similarity import in_words
from mixpanel_access.rules.addresses import is_external_kind
from mixpanel_access.rules.company import outsider
from mixpanel_access.rules.entry import PEOPLE, UNKNOWN, Entry, NotJudged, Type, all_hold, any_holds, each
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.rule import Family, Level, Option, Rule, RuleFinding, Severity, Suggestion, controls, option
from mixpanel_access.rules.teams import TeamRoles, Through

STANDARDS: Final = Option(
    "standards",
    {
        "type": "object",
        "default": {},
        "description": "Standard roles by engagement type, over those that are built in: organization, production, "
        "elsewhere, longest_days, onboarding.",
        "additionalProperties": {
            "type": "object",
            "properties": {
                "organization": {"type": "string", "enum": list(roles.ORGANIZATION_ROLES)},
                "production": {"type": "string", "enum": list(roles.PROJECT_ROLES)},
                "elsewhere": {"type": "string", "enum": list(roles.PROJECT_ROLES)},
                "longest_days": {"type": "integer", "minimum": 1},
                "onboarding": {"type": "string"},
            },
            "additionalProperties": False,
        },
    },
)
LIMITS: Final = tuple(
    option(name, "string", role, f"The highest project role of anybody outside the company {where}.", enum=all_)
    for all_ in ([*roles.PROJECT_ROLES],)
    for name, role, where in (
        ("externalInProduction", roles.ANALYST, "in production"),
        ("externalElsewhere", roles.ADMIN, "in any other environment"),
    )
)
"""The highest roles of external people, for any type of engagement."""


def _typed(entry: Entry, context: Context) -> Iterator[str]:
    """Engagements of external people have a type, by which the rules judge their roles and days."""
    if all_hold(
        lambda: entry.type in PEOPLE, lambda: not entry.text("engagement_type"), lambda: context.known_external(entry)
    ):
        engagement = entry.shown("engagement")
        what = f"the engagement {engagement} has no type" if engagement else "there is no engagement with a type"
        words = ", ".join(with_changes(context.options["standards"]))
        yield f"{what}, which {outsider(entry, context)} needs; write one (type: ...): {words}"
    yield from _within_standard(entry, context)


def _standard(entry: Entry, context: Context) -> str | None:
    """The highest role of the engagement's type."""
    standard = with_changes(context.options["standards"]).get(entry.text("engagement_type"))
    if standard is None:
        return None
    if entry.type == Type.MEMBER:
        return standard.organization
    return standard.project_role(entry.text("environment") or context.environment)


def _within_standard(entry: Entry, context: Context) -> Iterator[str]:
    engagement_type = entry.text("engagement_type")
    if not engagement_type:
        return
    known = with_changes(context.options["standards"])
    standard = known.get(engagement_type)
    if standard is None:
        yield f"{engagement_type!r} is not an engagement type; there are {', '.join(known)}"
    elif entry.type == Type.MEMBER:
        if roles.organization_rank(entry.role) > roles.organization_rank(standard.organization):
            yield f"an engagement of type {engagement_type} needs organization {standard.organization} at most"
    else:
        allowed = standard.project_role(entry.text("environment") or context.environment)
        if all_hold(lambda: entry.type != Type.TEAM_MEMBER, lambda: entry.height() > roles.project_rank(allowed)):
            yield f"an engagement of type {engagement_type} needs {allowed} at most in this environment"


def _collaborator(entry: Entry, context: Context) -> bool:
    """Whether a person is external; if the company's domains are not set, everybody with an engagement is."""
    if context.company_domains:
        return context.external(entry)
    if entry.text("kind"):
        return is_external_kind(entry.text("kind"))
    return any_holds(lambda: entry.text("engagement"), lambda: entry.text("engagement_type"))


def _limit(entry: Entry, context: Context) -> str:
    """The highest project role of an external person here."""
    return str(context.options["externalInProduction" if context.is_production(entry) else "externalElsewhere"])


def _external_limit(entry: Entry, context: Context) -> Iterator[str]:
    limit = _limit(entry, context)
    if all_hold(
        lambda: roles.is_custom(entry.role) or entry.height() > roles.project_rank(limit),
        lambda: context.known_external(entry),
        lambda: entry.height() > roles.project_rank(limit),
    ):
        yield f"{outsider(entry, context)} has {limit} at most here, whatever the engagement"


def _project_owner(entry: Entry, context: Context) -> Iterator[str]:
    if all_hold(lambda: entry.role == roles.OWNER, lambda: _collaborator(entry, context)):
        yield "a collaborator may not own a project: an owner can delete it and its data; admin is the highest"


def _too_much(entry: Entry, context: Context) -> Iterator[str]:
    """The first reason why a person may not have a role in a project."""
    unknown = None
    for judge_one in (_project_owner, _within_standard, _external_limit):
        try:
            for words in judge_one(entry, context):
                yield words
                return
        except NotJudged as error:
            unknown = unknown or error
    if unknown:
        raise unknown


def _through_teams(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """The roles of people through teams, as if each were granted to them.

    If it is not known whether a grant belongs to the team, a finding becomes one that cannot be judged.
    """
    teams = TeamRoles(stack)

    def judge(through: Through) -> Iterator[RuleFinding]:
        too_much = _too_much if through.gets.type == Type.GRANT else _manages_too_much
        for words in too_much(through.gets, context):
            through.must_be_certain()
            yield RuleFinding(f"{through}: {words}", through.membership)

    for membership in stack.of(Type.TEAM_MEMBER):
        yield from each(teams.roles(membership), judge)
    yield from each(teams.memberships_elsewhere(), judge)
    yield from teams.not_judged()


def _manages_too_much(entry: Entry, context: Context) -> Iterator[str]:
    """Why a person may not have an organization role."""
    if all_hold(lambda: entry.role in roles.PRIVILEGED_ROLES, lambda: context.known_external(entry)):
        yield f"{outsider(entry, context)} may not be organization {entry.role}"
    else:
        yield from _within_standard(entry, context)


def _manages(entry: Entry) -> bool:
    """Whether a role needs a reason; raises as `Entry.height` does."""
    return entry.role in roles.PRIVILEGED_ROLES or (
        entry.type != Type.MEMBER and entry.height() >= roles.project_rank(roles.ADMIN)
    )


def _admin_reason(entry: Entry, _context: Context) -> Iterator[str]:
    reasons = ("justification", "approver")
    if all_hold(lambda: _manages(entry), lambda: entry.missing(reasons)):
        missing = " and no ".join(entry.missing(reasons))
        role = "a custom role that manages" if roles.is_custom(entry.role) else entry.role
        yield f"{role} needs a reason and a named approver; there is no {missing}"


def _justified(entry: Entry, context: Context) -> Iterator[str]:
    lowest = context.options["lowest"]

    def is_high() -> bool:
        return roles.is_custom(entry.role) or roles.project_rank(entry.role) >= roles.project_rank(lowest)

    if all_hold(is_high, lambda: entry.missing(["justification"])):
        yield f"{lowest} and above need a justification, and there is none"


def _approver(entry: Entry, context: Context) -> Iterator[str]:
    approver = entry.text("approver")
    if not approver:
        return
    unknown = None
    try:
        person = entry.email
    except NotJudged as error:
        person, unknown = "", error
    if words := context.problem_with_approver(approver, person):
        yield words
    elif unknown:
        raise unknown


def _redundant(stack: Stack, _context: Context) -> Iterator[RuleFinding]:
    for entry, sources in stack.grants_there():
        others = [source for source in (GrantType.ORGANIZATION_ROLE, GrantType.TEAM) if source in sources]
        lower = roles.project_rank(entry.role) < roles.project_rank(entry.text("effective_role"))
        if others and lower and not roles.is_custom(entry.role):
            yield RuleFinding(
                f"{entry}: gives nothing; {entry.text('effective_role')} comes through "
                f"{in_words(source.replace('_', ' ') for source in others)} already",
                entry,
            )


def _admin_as_member(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    if not stack.owns_organization_roles():
        raise NotApplicable("this stack does not declare organization roles")
    grants: dict[str, list[Entry]] = {}
    hidden: list[NotJudged] = []
    for grant in stack.of(Type.GRANT):
        try:
            grants.setdefault(same_key(grant.email), []).append(grant)
        except NotJudged as unknown:
            hidden.append(unknown)

    def judge(member: Entry) -> Iterator[RuleFinding]:
        own = grants.get(same_key(member.email), ()) if member.role == roles.ADMIN else ()
        if not own:
            return
        highest = max(own, key=lambda grant: roles.project_rank(grant.role))
        if roles.project_rank(highest.role) < roles.project_rank(roles.ADMIN):
            yield RuleFinding(
                f"{member}: is admin of every project by the organization role, and the declared grants ask for "
                f"{highest.role} at most",
                member,
            )

    yield from each(stack.of(Type.MEMBER), judge)
    if any(member.values.get("role") in (UNKNOWN, roles.ADMIN) for member in stack.of(Type.MEMBER)):
        yield from hidden


LEAST_PRIVILEGE_RULES: Final = Family.LEAST_PRIVILEGE.rules(
    Rule(
        "role-within-standard",
        "Everybody outside the company has an engagement type, and a role within its standard.",
        Level.MANDATORY,
        Severity.HIGH,
        "Lower the role, or correct the engagement's type; a true need is an exception with an end.",
        _typed,
        types=(*PEOPLE, Type.TEAM_GRANT),
        options=(STANDARDS,),
        controls=controls("soc2 CC6.3", "iso27001 A.8.3", "cis 6.8"),
        suggestion=Suggestion.CHECK,
        highest=_standard,
    ),
    Rule(
        "external-within-limit",
        "Nobody outside the company has a higher role in a project than externals may have.",
        Level.MANDATORY,
        Severity.HIGH,
        "Lower the role; for a custom role, take permissions out of it.",
        _external_limit,
        types=(Type.GRANT,),
        options=LIMITS,
        controls=controls("soc2 CC6.3", "iso27001 A.5.19", "iso27001 A.8.3", "cis 15.7"),
        suggestion=Suggestion.CHECK,
        highest=_limit,
    ),
    Rule(
        "collaborator-not-project-owner",
        "A collaborator never owns a project.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Give admin or less.",
        _project_owner,
        types=(Type.GRANT,),
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "iso27001 A.5.19", "cis 5.4"),
        exceptable=False,
        suggestion=Suggestion.CHECK,
        highest=lambda _entry, _context: roles.ADMIN,
    ),
    Rule(
        "team-within-standard",
        "Nobody gets more through a team than their engagement needs, nor a project to own.",
        Level.MANDATORY,
        Severity.HIGH,
        "Lower the team's role, or put the person into another team.",
        _through_teams,
        options=(STANDARDS, *LIMITS),
        controls=controls("soc2 CC6.3", "iso27001 A.8.3", "cis 6.8"),
    ),
    Rule(
        "admin-has-reason",
        "Owner and admin roles have a reason and a named approver.",
        Level.MANDATORY,
        Severity.HIGH,
        "Add `justification:` and `approver:`, or lower the role.",
        _admin_reason,
        types=(*PEOPLE, Type.TEAM_GRANT),
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "cis 5.4"),
    ),
    Rule(
        "justified",
        "Roles from analyst up have a justification.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Add `justification:`, what the person does with the access.",
        _justified,
        types=(Type.GRANT, Type.TEAM_GRANT),
        options=(
            option(
                "lowest",
                "string",
                roles.ANALYST,
                "The lowest project role that needs one.",
                enum=list(roles.PROJECT_ROLES),
            ),
        ),
        controls=controls("soc2 CC6.2", "iso27001 A.5.18", "cis 6.1"),
    ),
    Rule(
        "approver-is-another",
        "The approver is somebody of the company, and not the person themselves.",
        Level.MANDATORY,
        Severity.HIGH,
        "Set `approver:` to the address of the person at the company who approved it.",
        _approver,
        types=(*PEOPLE, Type.TEAM_GRANT),
        controls=controls("soc2 CC6.2", "iso27001 A.5.3", "cis 6.1"),
        exceptable=False,
    ),
    Rule(
        "no-redundant-grant",
        "No grant repeats what the organization role or a team gives already.",
        Level.ADVISORY,
        Severity.LOW,
        "Delete the grant, or take the person out of the team if the grant is what was meant.",
        _redundant,
        controls=controls("soc2 CC6.3", "iso27001 A.8.3", "cis 6.8"),
    ),
    Rule(
        "admin-needed",
        "An organization admin needs that role: membership with the declared grants would not be enough.",
        Level.ADVISORY,
        Severity.MEDIUM,
        "Declare organizationRole: member and keep the grants, or delete the grants.",
        _admin_as_member,
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "cis 5.4"),
    ),
)
