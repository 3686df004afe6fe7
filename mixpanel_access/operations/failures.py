"""The known failures of access, and the case of one person that they are checked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mixpanel_access.model.access import Invitation
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.roster.schema import OrganizationFacts
from mixpanel_access.operations.overview import Overview, PersonOverview


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
        someone: how they stand.
        overview: rosters, states and the organization.
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
        return up([*self.someone.effective, *self.someone.stacks][:1])

    @property
    def facts(self) -> OrganizationFacts:
        """What the person reads about the organization."""
        return self.overview.facts_for(self.someone)

    @property
    def invitation(self) -> Invitation | None:
        """How far the person has come into the organization."""
        return self.someone.invitation(self.overview.now)


def up(stacks: Sequence[str]) -> str:
    """The command, or commands, that apply what some stacks declare."""
    return ", then ".join(f"pulumi up --stack {stack} --refresh" for stack in stacks) or "pulumi up --refresh"
