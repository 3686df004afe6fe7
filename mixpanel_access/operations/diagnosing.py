"""Why somebody does not get what they should: each known failure with evidence, the most likely first, and the fix.

Pure. One link of the chain hangs on the one before: who is not invited has no role either, so the first link that is
broken is the most likely cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from mixpanel_access.directory.security import UNKNOWN
from mixpanel_access.model import audit, roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.audit import LOOK_BACK, AuditEvent
from mixpanel_access.model.likeness import alike, same_name
from mixpanel_access.model.roster import OrganizationFacts
from mixpanel_access.operations.entrance import (
    identity_provider,
    managing_role,
    second_factor_required,
    sso_required,
)
from mixpanel_access.operations.failed_logins import ASK, advice, factors_of, is_unknown, since_the_last_login
from mixpanel_access.operations.picture import Picture, Standing
from mixpanel_access.operations.status import RoleHere, status_of

SENDER: Final = "mixpanel.com"
"""The domain that invitations come from, for a mail server's allow-list."""


class Failure(StrEnum):
    """What is known to go wrong, in the order in which one thing hangs on another."""

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


class Verdict(IntEnum):
    """What the evidence says, the weightiest first."""

    CAUSE = 0
    POSSIBLE = 1
    UNKNOWN = 2
    RULED_OUT = 3

    @property
    def words(self) -> str:
        """For people and in JSON."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class Finding:
    """One known failure, held against one person.

    Attributes:
        failure: which.
        verdict: what the evidence says.
        evidence: what was seen, a sentence each.
        fix: what to do, in the order in which to try it; none where it is ruled out.
    """

    failure: Failure
    verdict: Verdict
    evidence: Sequence[str]
    fix: Sequence[str] = ()


@dataclass(frozen=True)
class Case:
    """One person, with all that is looked at.

    Attributes:
        standing: how they stand.
        picture: rosters, states and the organization.
        events: what the audit log has of them, the newest first.
        log_refused: why the audit log cannot be read, or "".
    """

    standing: Standing
    picture: Picture
    events: Sequence[AuditEvent]
    log_refused: str = ""

    def last(self, *types: str) -> AuditEvent | None:
        """The newest event of some types."""
        return next((event for event in self.events if event.type in types), None)

    @property
    def up(self) -> str:
        """The command that brings about what is declared."""
        return up([*self.standing.given, *self.standing.stacks][:1])

    @property
    def facts(self) -> OrganizationFacts:
        """What the person is told of the organization."""
        return self.picture.facts_for(self.standing)

    @property
    def invitation(self) -> Invitation | None:
        """How far the person has come into the organization."""
        return self.standing.invitation(self.picture.now)


def up(stacks: Sequence[str]) -> str:
    """The command, or commands, that bring about what some stacks declare."""
    return ", then ".join(f"pulumi up --stack {stack} --refresh" for stack in stacks) or "pulumi up --refresh"


def case_of(picture: Picture, email: str) -> Case:
    """All that is looked at for one address, which need not be known anywhere.

    Raises:
        MixpanelError: Mixpanel cannot be read.
    """
    events: Sequence[AuditEvent] = ()
    refused = ""
    try:
        types = (*audit.ACCESS_EVENTS, *audit.SESSION_EVENTS)
        events = picture.directory.audit_events(types, picture.now - LOOK_BACK, picture.now)
    except UNKNOWN as error:
        refused = error.why or error.what
    key = same_key(email)
    return Case(picture.anybody(email), picture, [event for event in events if event.concerns(key)], refused)


def diagnose(case: Case) -> list[Finding]:
    """Every known failure, the most likely cause first."""
    found = [check(case) for check in _CHECKS]
    return sorted(found, key=lambda finding: finding.verdict)  # stable: what hangs on another comes after it


def _not_declared(case: Case) -> Finding:
    standing, today = case.standing, case.picture.today
    if standing.given:
        return Finding(Failure.NOT_DECLARED, Verdict.RULED_OUT, [f"declared by {_names(standing.given)}"])
    evidence, fix = [], []
    for stack, own in standing.entries.items():
        for entry in own:
            if entry.over(today):
                evidence.append(f"the entry in {stack} ended on {entry.ends}")
                fix.append(f"prolong `ends` in the roster of {stack}, then pulumi up --stack {stack}")
            else:
                evidence.append(f"the entry in {stack} begins on {entry.starts}")
                fix.append(f"wait, or move `starts` in the roster of {stack}")
    if evidence:
        return Finding(Failure.NOT_DECLARED, Verdict.CAUSE, evidence, fix)
    verdict = Verdict.CAUSE if standing.person is None else Verdict.POSSIBLE
    evidence = [f"no roster of {_names(case.picture.stacks)} has the address"]
    return Finding(Failure.NOT_DECLARED, verdict, evidence, [f"mixpanel-access invite {standing.email}"])


def _not_invited(case: Case) -> Finding:
    person = case.standing.person
    if person is not None:
        role = f" as {person.role}" if person.role else ""
        return Finding(Failure.NOT_INVITED, Verdict.RULED_OUT, [f"in the organization{role}"])
    evidence = [f"none of the organization's {len(case.picture.directory.people())} people has the address"]
    if gone := case.last(audit.USER_REMOVED):
        evidence.append(f"removed {_when(gone)}")
    if sent := case.last(audit.INVITATION_SENT):
        evidence.append(f"an invitation was sent {_when(sent)}")
    if case.standing.members:
        evidence.append(f"the state of {_names(case.standing.members)} has them: they were removed by other means")
    fix = [case.up] if case.standing.given else [f"mixpanel-access invite {case.standing.email}"]
    return Finding(Failure.NOT_INVITED, Verdict.CAUSE, evidence, fix)


_NOBODY: Final = "no roster gives them anything today, and so none sends an invitation"


def _not_accepted(case: Case) -> Finding:
    standing, failure = case.standing, Failure.NOT_ACCEPTED
    if case.invitation is None:
        return Finding(failure, Verdict.RULED_OUT, ["there is no invitation"])
    if case.invitation is Invitation.ACCEPTED:
        accepted = case.last(audit.INVITATION_ACCEPTED)
        return Finding(failure, Verdict.RULED_OUT, [f"accepted {_when(accepted)}" if accepted else "accepted"])
    sent = case.last(audit.INVITATION_SENT)
    known = [when for when in (standing.invited_at, sent.at if sent else None) if when]
    at = max(known, default=None)  # sent again by hand, the log has the newer
    evidence = [f"sent {_day(at)}, {_hours(case.picture.now - at)} ago" if at else "nobody knows when it was sent"]
    if case.invitation is Invitation.EXPIRED:
        evidence.append(f"expired {_day(standing.expires_at)}")
        again = f"{case.up} sends it again" if standing.given else _NOBODY
        return Finding(failure, Verdict.CAUSE, evidence, [again])
    if standing.expires_at:
        evidence.append(f"good until {_at(standing.expires_at)}")
    by_hand = "delete the pending invitation in Organization Settings > Users & Teams"
    fix = [
        f"ask whether it arrived: look in spam, and have {SENDER} on the mail server's allow-list",
        f"mixpanel-access resend {standing.email}",
        f"if it still does not arrive: {by_hand}, then {case.up} sends a new one" if standing.given else _NOBODY,
    ]
    return Finding(failure, Verdict.CAUSE, evidence, fix)


def _other_address(case: Case) -> Finding:
    standing, people = case.standing, case.picture.directory.people()
    own = standing.key
    found = [people[key] for key in sorted(people) if key != own and (alike(own, key) or same_name(own, key))]
    if not found:
        return Finding(Failure.OTHER_ADDRESS, Verdict.RULED_OUT, ["nobody in the organization has a similar address"])
    evidence = [
        f"{person.email} is {'invited' if person.invited else 'a member'}"
        + (f", last active {_day(person.last_login)}" if person.last_login else "")
        for person in found
    ]
    names = " or ".join(person.email for person in found)
    fix = [f"ask with which address they log in: {standing.email}, or {names}"]
    if standing.entries:
        fix.append(f"if it is not {standing.email}: correct the address in the roster")
    unheard = standing.person is None and not standing.entries  # then it is most likely a slip of the pen
    return Finding(Failure.OTHER_ADDRESS, Verdict.CAUSE if unheard else Verdict.POSSIBLE, evidence, fix)


def _domain_not_claimed(case: Case) -> Finding:
    failure, standing, security = Failure.DOMAIN_NOT_CLAIMED, case.standing, case.picture.directory.security()
    sso, domain, required = security.sso, domain_of(case.standing.email), sso_required(security, case.facts)
    if required is False:
        return Finding(failure, Verdict.RULED_OUT, ["single sign-on is not required"])
    claimed = sso.claims(standing.email)
    if claimed:
        return Finding(failure, Verdict.RULED_OUT, [f"{domain} is claimed"])
    if role := managing_role(standing):
        return Finding(failure, Verdict.RULED_OUT, [f"an organization {role} may log in with a password"])
    fix = [
        f"claim {domain} (TXT record mixpanel-domain-verify, up to 24 hours) if it is the company's",
        "or invite an address of a claimed domain",
        "or no longer require single sign-on",
    ]
    if required is None:
        return Finding(failure, Verdict.UNKNOWN, ["nobody tells whether single sign-on is required"], fix)
    by = "" if sso.required else ", by the roster"
    if claimed is None:
        evidence = [f"single sign-on is required{by}, and Mixpanel does not tell the claimed domains"]
        return Finding(failure, Verdict.POSSIBLE, evidence, fix)
    named = ", ".join(sorted(sso.domains or ())) or "none"
    evidence = [f"single sign-on is required of everybody{by}, and {domain} is not claimed (claimed: {named})"]
    return Finding(failure, Verdict.CAUSE, evidence, fix)


def _identity_provider(case: Case) -> Finding:
    failure, security = Failure.IDENTITY_PROVIDER, case.picture.directory.security()
    provider, required = identity_provider(security, case.facts), sso_required(security, case.facts)
    fix = [
        f"have {provider} assign the Mixpanel application to them, or to a group of theirs",
        f"compare the e-mail that {provider} sends (the SAML attribute and the NameID) with {case.standing.email}",
        "then have them log in again from the Mixpanel login page",
    ]
    if failed := since_the_last_login(case.events, by=lambda factor: factor == audit.SSO):
        return Finding(failure, Verdict.CAUSE, [_failures(failed)], fix)
    if security.sso.enabled is False and not required:
        return Finding(failure, Verdict.RULED_OUT, ["single sign-on is not set up"])
    if failed := since_the_last_login(case.events, by=is_unknown):
        return Finding(failure, Verdict.POSSIBLE, [_failures(failed)], [ASK, *fix])
    if case.invitation is not Invitation.ACCEPTED or required is False:
        return Finding(failure, Verdict.RULED_OUT, ["no login by single sign-on was tried"])
    invited = case.last(audit.INVITATION_SENT)
    came = next((e for e in case.events if e.type == audit.LOGGED_IN and e.method == audit.SSO), None)
    if came and not (invited and invited.at > came.at):
        return Finding(failure, Verdict.RULED_OUT, [f"logged in {_day(came.at)} by sso"])
    if managing_role(case.standing):
        return Finding(failure, Verdict.RULED_OUT, ["they may log in with a password"])
    last = case.standing.person.last_login if case.standing.person else None
    if case.log_refused:
        evidence = [f"last active {_day(last)}, {_no_log(case)}" if last else f"never seen to log in, {_no_log(case)}"]
        return Finding(failure, Verdict.UNKNOWN if last else Verdict.POSSIBLE, evidence, fix)
    evidence = [
        f"no login by single sign-on in {LOOK_BACK.days} days" + (f", last active {_day(last)}" if last else "")
    ]
    return Finding(failure, Verdict.POSSIBLE if required else Verdict.UNKNOWN, evidence, fix)


def _password(case: Case) -> Finding:
    failure, security = Failure.PASSWORD, case.picture.directory.security()
    sso_alone = bool(sso_required(security, case.facts)) and not managing_role(case.standing)
    second_factor = bool(second_factor_required(security, case.facts))
    if failed := since_the_last_login(case.events, by=lambda factor: factor != audit.SSO):
        fix = advice(failed, case.standing.email, sso_alone=sso_alone, second_factor=second_factor)
        unknown = all(is_unknown(event.method) for event in failed)
        return Finding(failure, Verdict.POSSIBLE if unknown else Verdict.CAUSE, [_failures(failed)], fix)
    if case.log_refused:
        reset = "have them reset the password on the login page"
        return Finding(failure, Verdict.UNKNOWN, [_no_log(case)], [reset if security.sso.enabled is False else ASK])
    before = [event for event in case.events if event.type == audit.LOGIN_FAILED and event.method != audit.SSO]
    if before and (came := case.last(audit.LOGGED_IN)):
        words = f"{_times(before)}, the last {_day(before[0].at)}, and logged in since, {_day(came.at)}"
        return Finding(failure, Verdict.RULED_OUT, [words])
    return Finding(failure, Verdict.RULED_OUT, [f"no failed login in {LOOK_BACK.days} days"])


def _project_not_there(case: Case) -> Finding:
    failure, there = Failure.PROJECT_NOT_THERE, case.picture.directory.projects()
    declared = {
        roster.projects[key].id: f"{key} ({roster.projects[key].id}) of stack {stack}"
        for stack, person in case.standing.given.items()
        if (roster := case.picture.stacks[stack].roster)
        for key in person.projects
    }
    if not declared:
        return Finding(failure, Verdict.RULED_OUT, ["no project is declared"])
    missing = [name for id_, name in declared.items() if id_ not in there]
    if not missing:
        return Finding(failure, Verdict.RULED_OUT, [f"all declared projects ({len(declared)}) are there"])
    organization = case.picture.directory.organization
    evidence = [f"{name} is not among the projects of organization {organization}" for name in missing]
    fix = [
        "look in Mixpanel whether it was archived, deleted, or moved to another organization",
        "correct its id in the roster, or take it out",
    ]
    return Finding(failure, Verdict.CAUSE, evidence, fix)


def _role_too_low(case: Case) -> Finding:
    failure = Failure.ROLE_TOO_LOW
    low = _too_low(case)
    if not low:
        known = case.invitation is Invitation.ACCEPTED and bool(case.standing.given)
        reason = "no role is lower than declared" if known else "there is nothing to compare yet"
        return Finding(failure, Verdict.RULED_OUT, [reason])
    evidence = [f"{role.effective or 'nothing'} in {role.name}, and {role.declared} is declared" for role in low]
    projects = {role.project for role in low}
    kinds = (audit.ROLE_CHANGED, audit.PROJECT_USER_REMOVED, audit.TEAM_USER_REMOVED)
    changes = (event for event in case.events if event.type in kinds)
    if changed := next((event for event in changes if event.project is None or event.project in projects), None):
        where = f" of project {changed.project}" if changed.project else ""
        taken = "taken out" + (where or " of a team")
        what = f"made {changed.role or 'something else'}" if changed.type == audit.ROLE_CHANGED else taken
        evidence.append(f"{what} {_when(changed)}")
    stacks = list(dict.fromkeys(case.picture.projects[project][1] for project in sorted(projects)))
    return Finding(failure, Verdict.CAUSE, evidence, [f"{up(stacks)} puts it back"])


def _scim(case: Case) -> Finding:
    failure, provider = Failure.SCIM, identity_provider(case.picture.directory.security(), case.facts)
    events = [event for event in case.events if event.source in audit.BY_SCIM]
    fix = [
        f"change the group in {provider}, and have it synchronized again",
        "what SCIM keeps is not to be declared beside it: take the role out of the roster, or the person out of SCIM",
    ]
    if case.standing.person and case.standing.person.deactivated:
        back = [f"have {provider} assign Mixpanel to them again", f"or, in SCIM mode, {case.up}"]
        return Finding(failure, Verdict.CAUSE, ["they are deactivated, and cannot log in"], back)
    if events:
        evidence = [f"{event.type} {_when(event)}" for event in events[:3]]
        return Finding(failure, Verdict.CAUSE if _too_low(case) else Verdict.POSSIBLE, evidence, fix)
    if case.log_refused:
        return Finding(failure, Verdict.UNKNOWN, [_no_log(case)], fix)
    return Finding(failure, Verdict.RULED_OUT, [f"SCIM did nothing to them in {LOOK_BACK.days} days"])


_CHECKS: Final[Sequence[Callable[[Case], Finding]]] = (
    _other_address, _not_declared, _not_invited, _not_accepted, _domain_not_claimed, _identity_provider, _password,
    _project_not_there, _role_too_low, _scim,
)  # fmt: skip
"""One for each failure, in the failures' order."""


def _too_low(case: Case) -> list[RoleHere]:
    """The declared roles that somebody who has joined does not have, by any way."""
    if case.invitation is not Invitation.ACCEPTED:
        return []
    there = case.picture.directory.projects()
    return [
        role
        for role in status_of(case.standing, case.picture).roles
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
