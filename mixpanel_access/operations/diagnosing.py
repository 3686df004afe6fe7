"""Find out why somebody cannot get in: each known failure with evidence and the fix, the most likely first.

Pure. One link of the chain hangs on the one before: who is not invited has no role either, so the first link that is
broken is the most likely cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from mixpanel_access.directory.security import UNKNOWN
from mixpanel_access.model import audit, roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.audit import LOOK_BACK, AuditEvent
from mixpanel_access.model.similarity import alike, same_name
from mixpanel_access.operations.failures import Case, Diagnosis, KnownFailure, Likelihood, up
from mixpanel_access.operations.login import (
    ASK,
    advice,
    factors_of,
    identity_provider,
    is_unknown,
    second_factor_required,
    since_the_last_login,
    sso_required,
)
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.status import RoleHere, status_of

SENDER: Final = "mixpanel.com"
"""The domain that invitations come from, for a mail server's allow-list."""


def case_of(overview: Overview, email: str) -> Case:
    """Everything that the diagnosis reads for one address, which need not be known anywhere.

    Raises:
        MixpanelError: Mixpanel cannot be read.
    """
    events: Sequence[AuditEvent] = ()
    refused = ""
    try:
        types = (*audit.ACCESS_EVENTS, *audit.SESSION_EVENTS)
        events = overview.directory.audit_events(types, overview.now - LOOK_BACK, overview.now)
    except UNKNOWN as error:
        refused = error.why or error.what
    key = same_key(email)
    return Case(overview.anybody(email), overview, [event for event in events if event.concerns(key)], refused)


def diagnose(case: Case) -> list[Diagnosis]:
    """Every known failure, the most likely cause first."""
    found = [check(case) for check in _CHECKS]
    order = list(Likelihood)  # the sort is stable: what hangs on another failure comes after it
    return sorted(found, key=lambda finding: order.index(finding.verdict))


def _not_declared(case: Case) -> Diagnosis:
    someone, today = case.someone, case.overview.today
    if someone.effective:
        return Diagnosis(KnownFailure.NOT_DECLARED, Likelihood.RULED_OUT, [f"declared by {_names(someone.effective)}"])
    evidence, fix = [], []
    for stack, own in someone.entries.items():
        for entry in own:
            if entry.over(today):
                evidence.append(f"the entry in {stack} ended on {entry.ends}")
                fix.append(f"prolong `ends` in the roster of {stack}, then pulumi up --stack {stack}")
            else:
                evidence.append(f"the entry in {stack} begins on {entry.starts}")
                fix.append(f"wait, or move `starts` in the roster of {stack}")
    if evidence:
        return Diagnosis(KnownFailure.NOT_DECLARED, Likelihood.CAUSE, evidence, fix)
    verdict = Likelihood.CAUSE if someone.person is None else Likelihood.POSSIBLE
    evidence = [f"no roster of {_names(case.overview.stacks)} has the address"]
    return Diagnosis(KnownFailure.NOT_DECLARED, verdict, evidence, [f"mixpanel-access invite {someone.email}"])


def _not_invited(case: Case) -> Diagnosis:
    person = case.someone.person
    if person is not None:
        role = f" as {person.role}" if person.role else ""
        return Diagnosis(KnownFailure.NOT_INVITED, Likelihood.RULED_OUT, [f"in the organization{role}"])
    evidence = [f"none of the organization's {len(case.overview.directory.people())} people has the address"]
    if gone := case.last(audit.USER_REMOVED):
        evidence.append(f"removed {_when(gone)}")
    if sent := case.last(audit.INVITATION_SENT):
        evidence.append(f"an invitation was sent {_when(sent)}")
    if case.someone.members:
        evidence.append(f"the state of {_names(case.someone.members)} has them: they were removed by other means")
    fix = [case.up] if case.someone.effective else [f"mixpanel-access invite {case.someone.email}"]
    return Diagnosis(KnownFailure.NOT_INVITED, Likelihood.CAUSE, evidence, fix)


_NOBODY: Final = "no roster gives them anything today, and so none sends an invitation"


def _not_accepted(case: Case) -> Diagnosis:
    someone, failure = case.someone, KnownFailure.NOT_ACCEPTED
    if case.invitation is None:
        return Diagnosis(failure, Likelihood.RULED_OUT, ["there is no invitation"])
    if case.invitation is Invitation.ACCEPTED:
        accepted = case.last(audit.INVITATION_ACCEPTED)
        return Diagnosis(failure, Likelihood.RULED_OUT, [f"accepted {_when(accepted)}" if accepted else "accepted"])
    sent = case.last(audit.INVITATION_SENT)
    known = [when for when in (someone.invited_at, sent.at if sent else None) if when]
    at = max(known, default=None)  # sent again by hand, the log has the newer
    evidence = [f"sent {_day(at)}, {_hours(case.overview.now - at)} ago" if at else "nobody knows when it was sent"]
    if case.invitation is Invitation.EXPIRED:
        evidence.append(f"expired {_day(someone.expires_at)}")
        again = f"{case.up} sends it again" if someone.effective else _NOBODY
        return Diagnosis(failure, Likelihood.CAUSE, evidence, [again])
    if someone.expires_at:
        evidence.append(f"good until {_at(someone.expires_at)}")
    by_hand = "delete the pending invitation in Organization Settings > Users & Teams"
    fix = [
        f"ask whether it arrived: look in spam, and have {SENDER} on the mail server's allow-list",
        f"mixpanel-access resend {someone.email}",
        f"if it still does not arrive: {by_hand}, then {case.up} sends a new one" if someone.effective else _NOBODY,
    ]
    return Diagnosis(failure, Likelihood.CAUSE, evidence, fix)


def _other_address(case: Case) -> Diagnosis:
    someone, people = case.someone, case.overview.directory.people()
    own = someone.key
    found = [people[key] for key in sorted(people) if key != own and (alike(own, key) or same_name(own, key))]
    if not found:
        return Diagnosis(
            KnownFailure.OTHER_ADDRESS, Likelihood.RULED_OUT, ["nobody in the organization has a similar address"]
        )
    evidence = [
        f"{person.email} is {'invited' if person.invited else 'a member'}"
        + (f", last active {_day(person.last_login)}" if person.last_login else "")
        for person in found
    ]
    names = " or ".join(person.email for person in found)
    fix = [f"ask with which address they log in: {someone.email}, or {names}"]
    if someone.entries:
        fix.append(f"if it is not {someone.email}: correct the address in the roster")
    unheard = someone.person is None and not someone.entries  # then it is most likely a slip of the pen
    return Diagnosis(KnownFailure.OTHER_ADDRESS, Likelihood.CAUSE if unheard else Likelihood.POSSIBLE, evidence, fix)


def _domain_not_claimed(case: Case) -> Diagnosis:
    failure, someone, security = KnownFailure.DOMAIN_NOT_CLAIMED, case.someone, case.overview.directory.security()
    sso, domain, required = security.sso, domain_of(case.someone.email), sso_required(security, case.facts)
    if required is False:
        return Diagnosis(failure, Likelihood.RULED_OUT, ["single sign-on is not required"])
    claimed = sso.claims(someone.email)
    if claimed:
        return Diagnosis(failure, Likelihood.RULED_OUT, [f"{domain} is claimed"])
    if role := someone.managing_role:
        return Diagnosis(failure, Likelihood.RULED_OUT, [f"an organization {role} may log in with a password"])
    fix = [
        f"claim {domain} (TXT record mixpanel-domain-verify, up to 24 hours) if it is the company's",
        "or invite an address of a claimed domain",
        "or no longer require single sign-on",
    ]
    if required is None:
        return Diagnosis(failure, Likelihood.UNKNOWN, ["nobody tells whether single sign-on is required"], fix)
    by = "" if sso.required else ", by the roster"
    if claimed is None:
        evidence = [f"single sign-on is required{by}, and Mixpanel does not tell the claimed domains"]
        return Diagnosis(failure, Likelihood.POSSIBLE, evidence, fix)
    named = ", ".join(sorted(sso.domains or ())) or "none"
    evidence = [f"single sign-on is required of everybody{by}, and {domain} is not claimed (claimed: {named})"]
    return Diagnosis(failure, Likelihood.CAUSE, evidence, fix)


def _identity_provider(case: Case) -> Diagnosis:
    failure, security = KnownFailure.IDENTITY_PROVIDER, case.overview.directory.security()
    provider, required = identity_provider(security, case.facts), sso_required(security, case.facts)
    fix = [
        f"have {provider} assign the Mixpanel application to them, or to a group of theirs",
        f"compare the e-mail that {provider} sends (the SAML attribute and the NameID) with {case.someone.email}",
        "then have them log in again from the Mixpanel login page",
    ]
    if failed := since_the_last_login(case.events, by=lambda factor: factor == audit.SSO):
        return Diagnosis(failure, Likelihood.CAUSE, [_failures(failed)], fix)
    if security.sso.enabled is False and not required:
        return Diagnosis(failure, Likelihood.RULED_OUT, ["single sign-on is not set up"])
    if failed := since_the_last_login(case.events, by=is_unknown):
        return Diagnosis(failure, Likelihood.POSSIBLE, [_failures(failed)], [ASK, *fix])
    if case.invitation is not Invitation.ACCEPTED or required is False:
        return Diagnosis(failure, Likelihood.RULED_OUT, ["no login by single sign-on was tried"])
    invited = case.last(audit.INVITATION_SENT)
    came = next((e for e in case.events if e.type == audit.LOGGED_IN and e.method == audit.SSO), None)
    if came and not (invited and invited.at > came.at):
        return Diagnosis(failure, Likelihood.RULED_OUT, [f"logged in {_day(came.at)} by sso"])
    if case.someone.managing_role:
        return Diagnosis(failure, Likelihood.RULED_OUT, ["they may log in with a password"])
    last = case.someone.person.last_login if case.someone.person else None
    if case.log_refused:
        evidence = [f"last active {_day(last)}, {_no_log(case)}" if last else f"never seen to log in, {_no_log(case)}"]
        return Diagnosis(failure, Likelihood.UNKNOWN if last else Likelihood.POSSIBLE, evidence, fix)
    evidence = [
        f"no login by single sign-on in {LOOK_BACK.days} days" + (f", last active {_day(last)}" if last else "")
    ]
    return Diagnosis(failure, Likelihood.POSSIBLE if required else Likelihood.UNKNOWN, evidence, fix)


def _password(case: Case) -> Diagnosis:
    failure, security = KnownFailure.PASSWORD, case.overview.directory.security()
    sso_alone = bool(sso_required(security, case.facts)) and not case.someone.managing_role
    second_factor = bool(second_factor_required(security, case.facts))
    if failed := since_the_last_login(case.events, by=lambda factor: factor != audit.SSO):
        fix = advice(failed, case.someone.email, sso_alone=sso_alone, second_factor=second_factor)
        unknown = all(is_unknown(event.method) for event in failed)
        return Diagnosis(failure, Likelihood.POSSIBLE if unknown else Likelihood.CAUSE, [_failures(failed)], fix)
    if case.log_refused:
        reset = "have them reset the password on the login page"
        return Diagnosis(
            failure, Likelihood.UNKNOWN, [_no_log(case)], [reset if security.sso.enabled is False else ASK]
        )
    before = [event for event in case.events if event.type == audit.LOGIN_FAILED and event.method != audit.SSO]
    if before and (came := case.last(audit.LOGGED_IN)):
        words = f"{_times(before)}, the last {_day(before[0].at)}, and logged in since, {_day(came.at)}"
        return Diagnosis(failure, Likelihood.RULED_OUT, [words])
    return Diagnosis(failure, Likelihood.RULED_OUT, [f"no failed login in {LOOK_BACK.days} days"])


def _project_not_there(case: Case) -> Diagnosis:
    failure, there = KnownFailure.PROJECT_NOT_THERE, case.overview.directory.projects()
    declared = {
        roster.projects[key].id: f"{key} ({roster.projects[key].id}) of stack {stack}"
        for stack, person in case.someone.effective.items()
        if (roster := case.overview.stacks[stack].roster)
        for key in person.projects
    }
    if not declared:
        return Diagnosis(failure, Likelihood.RULED_OUT, ["no project is declared"])
    missing = [name for id_, name in declared.items() if id_ not in there]
    if not missing:
        return Diagnosis(failure, Likelihood.RULED_OUT, [f"all declared projects ({len(declared)}) are there"])
    organization = case.overview.directory.organization
    evidence = [f"{name} is not among the projects of organization {organization}" for name in missing]
    fix = [
        "look in Mixpanel whether it was archived, deleted, or moved to another organization",
        "correct its id in the roster, or take it out",
    ]
    return Diagnosis(failure, Likelihood.CAUSE, evidence, fix)


def _role_too_low(case: Case) -> Diagnosis:
    failure = KnownFailure.ROLE_TOO_LOW
    low = _too_low(case)
    if not low:
        known = case.invitation is Invitation.ACCEPTED and bool(case.someone.effective)
        reason = "no role is lower than declared" if known else "there is nothing to compare yet"
        return Diagnosis(failure, Likelihood.RULED_OUT, [reason])
    evidence = [f"{role.effective or 'nothing'} in {role.name}, and {role.declared} is declared" for role in low]
    projects = {role.project for role in low}
    kinds = (audit.ROLE_CHANGED, audit.PROJECT_USER_REMOVED, audit.TEAM_USER_REMOVED)
    changes = (event for event in case.events if event.type in kinds)
    if changed := next((event for event in changes if event.project is None or event.project in projects), None):
        where = f" of project {changed.project}" if changed.project else ""
        taken = "taken out" + (where or " of a team")
        what = f"made {changed.role or 'something else'}" if changed.type == audit.ROLE_CHANGED else taken
        evidence.append(f"{what} {_when(changed)}")
    stacks = list(dict.fromkeys(case.overview.projects[project][1] for project in sorted(projects)))
    return Diagnosis(failure, Likelihood.CAUSE, evidence, [f"{up(stacks)} puts it back"])


def _scim(case: Case) -> Diagnosis:
    failure, provider = KnownFailure.SCIM, identity_provider(case.overview.directory.security(), case.facts)
    events = [event for event in case.events if event.source in audit.BY_SCIM]
    fix = [
        f"change the group in {provider}, and have it synchronized again",
        "SCIM keeps this role, so the roster must not declare it: take it out of the roster, or the person out of SCIM",
    ]
    if case.someone.person and case.someone.person.deactivated:
        back = [f"have {provider} assign Mixpanel to them again", f"or, in SCIM mode, {case.up}"]
        return Diagnosis(failure, Likelihood.CAUSE, ["they are deactivated, and cannot log in"], back)
    if events:
        evidence = [f"{event.type} {_when(event)}" for event in events[:3]]
        return Diagnosis(failure, Likelihood.CAUSE if _too_low(case) else Likelihood.POSSIBLE, evidence, fix)
    if case.log_refused:
        return Diagnosis(failure, Likelihood.UNKNOWN, [_no_log(case)], fix)
    return Diagnosis(failure, Likelihood.RULED_OUT, [f"SCIM did nothing to them in {LOOK_BACK.days} days"])


_CHECKS: Final[Sequence[Callable[[Case], Diagnosis]]] = (
    _other_address, _not_declared, _not_invited, _not_accepted, _domain_not_claimed, _identity_provider, _password,
    _project_not_there, _role_too_low, _scim,
)  # fmt: skip
"""One for each failure, in the failures' order."""


def _too_low(case: Case) -> list[RoleHere]:
    """The declared roles that somebody who has joined does not have, by any way."""
    if case.invitation is not Invitation.ACCEPTED:
        return []
    there = case.overview.directory.projects()
    return [
        role
        for role in status_of(case.someone, case.overview).roles
        if role.declared is not None and role.project in there and not _reaches(role)
    ]


def _reaches(role: RoleHere) -> bool:
    if role.declared is None or roles.is_custom(role.declared):
        return role.declared == role.actual
    return roles.project_rank(role.effective) >= roles.project_rank(role.declared)


def _failures(failed: Sequence[AuditEvent]) -> str:
    return f"{_times(failed)} by {factors_of(failed)}, the last {_day(failed[0].at)}, and none that succeeded since"


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


def _hours(span: timedelta) -> str:
    return f"{int(span.total_seconds() // 3600)} h"


def _names(stacks: Iterable[str]) -> str:
    return ", ".join(stacks)
