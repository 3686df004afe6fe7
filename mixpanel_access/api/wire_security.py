"""The shapes of the organization's security settings (contract, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from mixpanel_access.api.shapes import Wire, checked, unintelligible
from mixpanel_access.model.security import SingleSignOn

_VERIFIED = {"verified", "claimed", "active"}


def _flag(value: object) -> bool | None:
    """A switch; anything that is none is unknown."""
    return value if isinstance(value, bool) else None


def _name(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _domains(value: object) -> frozenset[str] | None:
    """Verified domains from names, or from objects with a name and a state; None where there is no list."""
    if not isinstance(value, list):
        return None
    return frozenset(domain for entry in value if (domain := _domain(entry)))


def _domain(entry: object) -> str | None:
    if isinstance(entry, dict):
        verified = entry.get("verified", str(entry.get("state", entry.get("status", ""))).lower() in _VERIFIED)
        entry = (entry.get("name") or entry.get("domain")) if verified is True else None
    return entry.strip().lower() or None if isinstance(entry, str) else None


class Sso(Wire):
    """Single sign-on; nobody documents its words, so each has the likely ones."""

    enabled: Annotated[bool | None, BeforeValidator(_flag)] = Field(
        None, validation_alias=AliasChoices("enabled", "sso_enabled", "is_enabled")
    )
    required: Annotated[bool | None, BeforeValidator(_flag)] = Field(
        None, validation_alias=AliasChoices("required", "sso_required", "require_sso")
    )
    idp_managed: Annotated[bool | None, BeforeValidator(_flag)] = Field(
        None, validation_alias=AliasChoices("idp_managed", "idp_managed_access")
    )
    idp_name: Annotated[str | None, BeforeValidator(_name)] = Field(
        None, validation_alias=AliasChoices("idp_name", "identity_provider", "idp")
    )
    domains: Annotated[frozenset[str] | None, BeforeValidator(_domains)] = Field(
        None, validation_alias=AliasChoices("domains", "claimed_domains")
    )


def single_sign_on_from(results: Any, what: str) -> SingleSignOn:
    """Single sign-on from its settings."""
    return SingleSignOn(**checked(Sso, results, what).model_dump())


def settings_from(results: Any, what: str) -> Mapping[str, object]:
    """Settings as they are, wrapped in `settings` or bare."""
    if isinstance(results, dict) and isinstance(results.get("settings"), dict):
        results = results["settings"]
    if not isinstance(results, dict):
        raise unintelligible(what, f"{type(results).__name__} where settings were expected")
    return dict(results)
