"""Find out why somebody cannot get in: each known failure with evidence and the fix, the most likely first.

Pure. One link of the chain hangs on the one before: who is not invited has no role either, so the first link that is
broken is the most likely cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from mixpanel_access.directory.security import UNKNOWN
from mixpanel_access.model import audit
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.audit import LOOK_BACK, AuditEvent
from mixpanel_access.model.roster.schema import OrganizationFacts
from mixpanel_access.model.similarity import in_words, similar_addresses
from mixpanel_access.operations import login
from mixpanel_access.operations.next_steps import hours, up_of
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.roles_there import lost_roles

_NOBODY: Final = "no roster gives them anything today, and so none sends an invitation"
SENDER: Final = "mixpanel.com"
"""The domain that invitations come from, for a mail server's allow-list."""


class KnownFailure(StrEnum):
    """The known failures, each before those that depend on it."""

    OTHER_ADDRESS = "another address"
    NOT_DECLARED = "not declared"
    NOT_INVITED = "not invited"
    NOT_ACCEPTED = "invitation not accepted"
    DOMAIN_NOT_CLAIMED = "single sign-on, domain not claimed"
    IDENTITY_PROVIDER = "single sign-on, identity provider"
    PASSWORD = "password or second factor"  # noqa: S105  # what fails, and no password
    PROJECT_NOT_THERE = "project not there"
    ROLE_TOO_LOW = "role lower than declared"
    SCIM = "overwritten by SCIM"


class Likelihood(StrEnum):
    """How likely a failure is, the most likely first."""

    CAUSE = "cause"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    RULED_OUT = "ruled out"


@dataclass(frozen=True)
class Diagnosis:
    """One known failure, checked for one person.

    Attributes:
        failure: the failure.
        verdict: how likely it is, by the evidence.
        evidence: what shows it.
        fix: the steps that fix it, in the order in which to try them; empty if it is ruled out.
    """

    failure: KnownFailure
    verdict: Likelihood
    evidence: Sequence[str]
    fix: Sequence[str] = ()


@dataclass(frozen=True)
class Case:
    """One person, with everything that the diagnosis reads.

    Attributes:
        events: what the audit log has of them, the newest first.
        log_refused: why the audit log cannot be read, or "".
    """

    someone: PersonOverview
    overview: Overview
    events: Sequence[AuditEvent]
    log_refused: str = ""

    def last(self, *types: str) -> AuditEvent | None:
        """The newest event of some types."""
        return next((event for event in self.events if event.type in types), None)

    @property
    def up(self) -> str:
        """The command that applies what the roster declares."""
        stack = next(iter([*self.someone.effective, *self.someone.stacks]), "")
        return f"`pulumi up {f'--stack {stack} ' if stack else ''}--refresh`"

    @property
    def facts(self) -> OrganizationFacts:
        """What the person reads about the organization."""
        return self.overview.facts_for(self.someone)

    @property
    def invitation(self) -> Invitation | None:
        """How far the person has come into the organization."""
        return self.someone.invitation(self.overview.now)


class _Found(NamedTuple):
    """What a check finds: verdict, evidence and fix of a diagnosis."""

    verdict: Likelihood
    evidence: Sequence[str]
    fix: Sequence[str] = ()


def _ruled_out(evidence: str) -> _Found:
    return _Found(Likelihood.RULED_OUT, [evidence])


def case_of(overview: Overview, email: str) -> Case:
    """Everything that the diagnosis reads for one address, which need not be known anywhere."""
    types = (*audit.ACCESS_EVENTS, *audit.SESSION_EVENTS)
    events, refused, key = list[AuditEvent](), "", same_key(email)
    try:
        events = overview.directory.audit_events(types, overview.now - LOOK_BACK, overview.now)
    except UNKNOWN as error:
        refused = error.why or error.what
    return Case(overview.anybody(email), overview, [event for event in events if event.concerns(key)], refused)


def diagnose(case: Case) -> list[Diagnosis]:
    """Every known failure, the most likely cause first."""
    found = [Diagnosis(failure, *check(case)) for failure, check in zip(KnownFailure, _CHECKS, strict=True)]
    order = list(Likelihood)  # the sort is stable: what hangs on another failure comes after it
    return sorted(found, key=lambda finding: order.index(finding.verdict))


def _not_declared(case: Case) -> _Found:
    someone, today = case.someone, case.overview.today
    if someone.effective:
        declared, ended = f"declared by {in_words(someone.effective)}", _ended_places(someone, today)
        if not ended or any(one.projects or one.teams for one in someone.effective.values()):
            return _ruled_out("; ".join([declared, *ended.values()]))
        extend = "extend `ends` of the team in the roster of"
        fix = [f"{extend} {stack}, then `pulumi up --stack {stack}`" for stack in ended]
        return _Found(Likelihood.CAUSE, [f"{declared}, which gives nothing today", *ended.values()], fix)
    evidence, fix = [], []
    for stack, own in someone.entries.items():
        for entry in own:
            if entry.over(today):
                evidence.append(f"the entry in {stack} ended on {entry.ends}")
                fix.append(f"extend `ends` in the roster of {stack}, then `pulumi up --stack {stack}`")
            else:
                evidence.append(f"the entry in {stack} begins on {entry.starts}")
                fix.append(f"wait, or move `starts` in the roster of {stack}")
    if evidence:
        return _Found(Likelihood.CAUSE, evidence, fix)
    verdict = Likelihood.CAUSE if someone.person is None else Likelihood.POSSIBLE
    evidence = [f"no roster of {in_words(case.overview.stacks)} has the address"]
    return _Found(verdict, evidence, [f"`mixpanel-access invite {someone.email}`"])


def _ended_places(someone: PersonOverview, today: date) -> dict[str, str]:
    """The stacks in which a membership in a team has ended before the entry that gives it, each with the last one."""
    return {
        stack: f"the membership in the team {key} in {stack} ended on {place.ends}"
        for stack, entry in someone.current(today)
        for key, place in entry.memberships.items()
        if place.over(today) and key not in someone.effective[stack].teams
    }


def _not_invited(case: Case) -> _Found:
    person = case.someone.person
    if person is not None:
        role = f" as {person.role}" if person.role else ""
        return _ruled_out(f"in the organization{role}")
    evidence = [f"none of the organization's {len(case.overview.directory.people())} people has the address"]
    if gone := case.last(audit.USER_REMOVED):
        evidence.append(f"removed {_when(gone)}")
    if sent := case.last(audit.INVITATION_SENT):
        evidence.append(f"an invitation was sent {_when(sent)}")
    if case.someone.members:
        evidence.append(f"the state of {in_words(case.someone.members)} has them: they were removed by other means")
    fix = [case.up] if case.someone.effective else [f"`mixpanel-access invite {case.someone.email}`"]
    return _Found(Likelihood.CAUSE, evidence, fix)


def _not_accepted(case: Case) -> _Found:
    someone = case.someone
    if case.invitation is None:
        return _ruled_out("there is no invitation")
    if case.invitation is Invitation.ACCEPTED:
        accepted = case.last(audit.INVITATION_ACCEPTED)
        return _ruled_out(f"accepted {_when(accepted)}" if accepted else "accepted")
    sent = case.last(audit.INVITATION_SENT)
    known = [when for when in (someone.invited_at, sent.at if sent else None) if when]
    at = max(known, default=None)  # sent again by hand, the log has the newer
    evidence = [f"sent {_day(at)}, {hours(case.overview.now - at)} ago" if at else "nobody knows when it was sent"]
    if case.invitation is Invitation.EXPIRED:
        evidence.append(f"expired {_day(someone.expires_at)}")
        again = f"{case.up} sends it again" if someone.effective else _NOBODY
        return _Found(Likelihood.CAUSE, evidence, [again])
    if someone.expires_at:
        evidence.append(f"good until {_at(someone.expires_at)}")
    by_hand = "delete the pending invitation in Organization Settings > Users & Teams"
    fix = [
        f"ask whether it arrived: look in spam, and have {SENDER} on the mail server's allow-list",
        f"`mixpanel-access resend {someone.email}`",
        f"if it still does not arrive: {by_hand}, then {case.up} sends a new one" if someone.effective else _NOBODY,
    ]
    return _Found(Likelihood.CAUSE, evidence, fix)


def _other_address(case: Case) -> _Found:
    someone, people, own = case.someone, case.overview.directory.people(), case.someone.key
    found = [people[key] for key in similar_addresses(own, people)]
    if not found:
        return _ruled_out("nobody in the organization has a similar address")
    seen = {person.key: f", last login {_day(person.last_login)}" if person.last_login else "" for person in found}
    evidence = [f"{one.email} is {'invited' if one.invited else 'a member'}{seen[one.key]}" for one in found]
    names = " or ".join(person.email for person in found)
    fix = [f"ask with which address they log in: {someone.email}, or {names}"]
    if someone.entries:
        fix.append(f"if it is not {someone.email}: correct the address in the roster")
    unheard = someone.person is None and not someone.entries  # then it is most likely a slip of the pen
    return _Found(Likelihood.CAUSE if unheard else Likelihood.POSSIBLE, evidence, fix)


def _domain_not_claimed(case: Case) -> _Found:
    someone, security = case.someone, case.overview.directory.security()
    sso, domain, required = security.sso, domain_of(case.someone.email), login.sso_required(security, case.facts)
    if required is False:
        return _ruled_out("single sign-on is not required")
    if claimed := sso.claims(someone.email):
        return _ruled_out(f"{domain} is claimed")
    if role := someone.managing_role:
        return _ruled_out(f"an organization {role} may log in with a password")
    fix = [
        f"claim {domain} (TXT record mixpanel-domain-verify, up to 24 hours) if it is the company's",
        "or invite an address of a claimed domain",
        "or no longer require single sign-on",
    ]
    if required is None:
        return _Found(Likelihood.UNKNOWN, ["it is not known whether single sign-on is required"], fix)
    by = "" if sso.required else ", by the roster"
    if claimed is None:
        why = f"single sign-on is required{by}, and Mixpanel does not list the claimed domains"
        return _Found(Likelihood.POSSIBLE, [why], fix)
    named = ", ".join(sorted(sso.domains or ())) or "none"
    why = f"single sign-on is required of everybody{by}, and {domain} is not claimed (claimed: {named})"
    return _Found(Likelihood.CAUSE, [why], fix)


def _identity_provider(case: Case) -> _Found:
    security = case.overview.directory.security()
    provider, required = login.identity_provider(security, case.facts), login.sso_required(security, case.facts)
    fix = [
        f"have {provider} assign the Mixpanel application to them, or to a group of theirs",
        f"compare the e-mail that {provider} sends (the SAML attribute and the NameID) with {case.someone.email}",
        "then have them log in again from the Mixpanel login page",
    ]
    if failed := login.since_the_last_login(case.events, by=lambda factor: factor == audit.SSO):
        return _Found(Likelihood.CAUSE, [_failures(failed)], fix)
    if security.sso.enabled is False and not required:
        return _ruled_out("single sign-on is not set up")
    if failed := login.since_the_last_login(case.events, by=login.is_unknown):
        return _Found(Likelihood.POSSIBLE, [_failures(failed)], [login.ASK, *fix])
    if case.invitation is not Invitation.ACCEPTED or required is False:
        return _ruled_out("no login by single sign-on was tried")
    invited = case.last(audit.INVITATION_SENT)
    came = next((e for e in case.events if e.type == audit.LOGGED_IN and e.method == audit.SSO), None)
    if came and not (invited and invited.at > came.at):
        return _ruled_out(f"logged in {_day(came.at)} by sso")
    if case.someone.managing_role:
        return _ruled_out("they may log in with a password")
    last = case.someone.person.last_login if case.someone.person else None
    if case.log_refused:
        evidence = [f"last login {_day(last)}, {_no_log(case)}" if last else f"never seen to log in, {_no_log(case)}"]
        return _Found(Likelihood.UNKNOWN if last else Likelihood.POSSIBLE, evidence, fix)
    seen = f", last login {_day(last)}" if last else ""
    evidence = [f"no login by single sign-on in {LOOK_BACK.days} days{seen}"]
    return _Found(Likelihood.POSSIBLE if required else Likelihood.UNKNOWN, evidence, fix)


def _password(case: Case) -> _Found:
    security = case.overview.directory.security()
    sso_alone = bool(login.sso_required(security, case.facts)) and not case.someone.managing_role
    second_factor = bool(login.second_factor_required(security, case.facts))
    if failed := login.since_the_last_login(case.events, by=lambda factor: factor != audit.SSO):
        fix = login.advice(failed, case.someone.email, sso_alone=sso_alone, second_factor=second_factor)
        unknown = all(login.is_unknown(event.method) for event in failed)
        return _Found(Likelihood.POSSIBLE if unknown else Likelihood.CAUSE, [_failures(failed)], fix)
    if case.log_refused:
        reset = "have them reset the password on the login page"
        return _Found(Likelihood.UNKNOWN, [_no_log(case)], [reset if security.sso.enabled is False else login.ASK])
    before = [event for event in case.events if event.type == audit.LOGIN_FAILED and event.method != audit.SSO]
    if before and (came := case.last(audit.LOGGED_IN)):
        return _ruled_out(f"{_times(before)}, the last {_day(before[0].at)}, and logged in since, {_day(came.at)}")
    return _ruled_out(f"no failed login in {LOOK_BACK.days} days")


def _project_not_there(case: Case) -> _Found:
    directory = case.overview.directory
    declared = {
        roster.projects[key].id: f"{key} ({roster.projects[key].id}) of stack {stack}"
        for stack, person in case.someone.effective.items()
        if (roster := case.overview.stacks[stack].roster)
        for key in person.projects
    }
    if not declared:
        return _ruled_out("no project is declared today")
    missing = {id_: name for id_, name in declared.items() if id_ not in directory.projects()}
    if not missing:
        return _ruled_out(f"all declared projects ({len(declared)}) are there")
    hidden = [name for id_, name in missing.items() if directory.is_out_of_sight(id_)]
    gone = [name for name in missing.values() if name not in hidden]
    evidence = [f"{name} is not among the projects of organization {directory.organization}" for name in gone]
    evidence += [f"{name} is there, and Mixpanel does not list it for the stack's account" for name in hidden]
    if not gone:
        fix = ["give the stack's service account access to the project, and run it again"]
        return _Found(Likelihood.UNKNOWN, evidence, fix)
    fix = [
        "look in Mixpanel whether it was archived, deleted, or moved to another organization",
        "correct its id in the roster, or take it out",
    ]
    return _Found(Likelihood.CAUSE, evidence, fix)


def _role_too_low(case: Case) -> _Found:
    lost = lost_roles(case.someone, case.overview)
    if not lost:
        known = case.invitation is Invitation.ACCEPTED and bool(case.someone.effective)
        return _ruled_out("no role is lower than declared" if known else "there is nothing to compare yet")
    evidence, projects = [role.text for role in lost], {role.project for role in lost}
    kinds = (audit.ROLE_CHANGED, audit.PROJECT_USER_REMOVED, audit.TEAM_USER_REMOVED)
    changes = (event for event in case.events if event.type in kinds)
    if changed := next((event for event in changes if event.project is None or event.project in projects), None):
        where = f"project {changed.project}" if changed.project else "a team"
        made = changed.type == audit.ROLE_CHANGED
        what = f"made {changed.role or 'something else'}" if made else f"taken out of {where}"
        evidence.append(f"{what} {_when(changed)}")
    stacks = dict.fromkeys(role.stack for role in lost)
    fix = [up_of(stack, case.overview, refresh=True, after=" puts it back") for stack in stacks]
    return _Found(Likelihood.CAUSE, evidence, list(dict.fromkeys(fix)))


def _scim(case: Case) -> _Found:
    provider = login.identity_provider(case.overview.directory.security(), case.facts)
    events = [event for event in case.events if event.source in audit.BY_SCIM]
    fix = [
        f"change the group in {provider}, and have it synchronized again",
        "SCIM keeps this role, so the roster must not declare it: take it out of the roster, or the person out of SCIM",
    ]
    if case.someone.person and case.someone.person.deactivated:
        back = [f"have {provider} assign Mixpanel to them again", f"or, in SCIM mode, {case.up}"]
        return _Found(Likelihood.CAUSE, ["they are deactivated, and cannot log in"], back)
    if events:
        evidence = [f"{event.type} {_when(event)}" for event in events[:3]]
        lost = lost_roles(case.someone, case.overview)
        return _Found(Likelihood.CAUSE if lost else Likelihood.POSSIBLE, evidence, fix)
    if case.log_refused:
        return _Found(Likelihood.UNKNOWN, [_no_log(case)], fix)
    return _ruled_out(f"SCIM did nothing to them in {LOOK_BACK.days} days")


_CHECKS: Final[Sequence[Callable[[Case], _Found]]] = (
    _other_address, _not_declared, _not_invited, _not_accepted, _domain_not_claimed, _identity_provider, _password,
    _project_not_there, _role_too_low, _scim,
)  # fmt: skip
"""One for each failure, in the failures' order."""


def _failures(failed: Sequence[AuditEvent]) -> str:
    factors, last = login.factors_of(failed), _day(failed[0].at)
    return f"{_times(failed)} by {factors}, the last {last}, and none that succeeded since"


def _times(failed: Sequence[AuditEvent]) -> str:
    return f"{len(failed)} failed login{'s' * (len(failed) != 1)}"


def _no_log(case: Case) -> str:
    return f"the audit log cannot be read ({case.log_refused})"


def _when(event: AuditEvent) -> str:
    by = f" by {event.who}" if event.actor or event.by_staff else ""
    return f"{_day(event.at)}{by}" + (f" ({event.source})" if event.source else "")


def _day(when: datetime | None) -> str:
    return f"on {_at(when)}" if when else "on an unknown day"


def _at(when: datetime) -> str:
    return f"{when:%Y-%m-%d at %H:%M} UTC"
