"""How one gets in, by what Mixpanel tells and else by what the roster says: one word for all commands. Pure."""

from __future__ import annotations

from mixpanel_access.model import roles
from mixpanel_access.model.roster import OrganizationFacts
from mixpanel_access.model.security import Security
from mixpanel_access.operations.overview import PersonOverview


def sso_required(security: Security, facts: OrganizationFacts) -> bool | None:
    """Whether single sign-on is required; None where nobody says."""
    told = security.sso.required
    return facts.login.sso_required if told is None else told


def second_factor_required(security: Security, facts: OrganizationFacts) -> bool | None:
    """Whether a second factor is required of who logs in with a password; None where nobody says."""
    told = security.two_factor_required
    return facts.login.mfa_required if told is None else told


def identity_provider(security: Security, facts: OrganizationFacts) -> str:
    """The identity provider's name, for a message."""
    return facts.login.identity_provider or security.sso.idp_name or "the identity provider"


def managing_role(someone: PersonOverview) -> str | None:
    """The organization role that lets somebody in with a password all the same: the one they have, else declared."""
    declared = next((one.organization_role for one in someone.effective.values() if one.organization_role), None)
    role = (someone.person.role if someone.person else None) or declared
    return role if role in roles.MANAGING_ROLES else None
