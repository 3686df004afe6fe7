"""How one gets into the organization, as far as Mixpanel tells it; None is unknown, and never "no"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mixpanel_access.model.address import domain_of


class Topic(StrEnum):
    """What is asked for on its own, and may be refused on its own."""

    SSO = "single sign-on"
    TWO_FACTOR = "second factor"
    REQUEST_ACCESS = "access requests"


class Feature(StrEnum):
    """What not every plan has (contract, section 13)."""

    CUSTOM_ROLES = "custom roles"
    AUDIT_LOG = "audit log"
    SSO = "single sign-on"


@dataclass(frozen=True)
class SingleSignOn:
    """Single sign-on of the organization.

    Attributes:
        enabled: whether it is set up.
        required: whether everybody but organization owners and admins must use it.
        idp_managed: whether who comes by it first joins the organization ("IdP managed access").
        idp_name: the identity provider, for people.
        domains: the verified claimed domains; None where they are not told.
    """

    enabled: bool | None = None
    required: bool | None = None
    idp_managed: bool | None = None
    idp_name: str | None = None
    domains: frozenset[str] | None = None

    def claims(self, email: str) -> bool | None:
        """Whether the address is of a claimed domain; a subdomain is a domain of its own (contract, section 13)."""
        return None if self.domains is None else domain_of(email) in self.domains


@dataclass(frozen=True)
class Security:
    """The organization's security settings.

    Attributes:
        sso: single sign-on.
        two_factor_required: whether a second factor is required of who logs in with a password.
        request_access: the settings on requests for access, as Mixpanel has them.
        unknown: what could not be read -> why.
        two_factor: the settings on the second factor, as Mixpanel has them.
    """

    sso: SingleSignOn = SingleSignOn()
    two_factor_required: bool | None = None
    request_access: Mapping[str, object] = field(default_factory=dict)
    unknown: Mapping[Topic, str] = field(default_factory=dict)
    two_factor: Mapping[str, object] = field(default_factory=dict)
