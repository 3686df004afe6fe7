"""Security settings of the organization. Paths are in use, keys and shapes mostly assumed (contract, section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from mixpanel_access.api.answers import Wire, checked, unintelligible
from mixpanel_access.api.transport import CallFamily
from mixpanel_access.model.access import Discoverability, SingleSignOn
from mixpanel_access.model.address import canonical_domain

_VERIFIED = {"verified", "claimed", "active"}


def _flag(value: object) -> bool | None:
    """A switch; anything but true and false is unknown."""
    return value if isinstance(value, bool) else None


def _name(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _domains(value: object) -> frozenset[str] | None:
    """Verified domains from names, or from objects with a name and a state; None if one is unclear."""
    if not isinstance(value, list):
        return None
    found = [_domain(entry) for entry in value]
    if any(entry is None for entry in found):
        return None  # a domain without a state may be verified: what is claimed is unknown
    return frozenset(domain for domain in found if domain)


def _domain(entry: object) -> str | None:
    """The name of a verified domain, "" for one that is not verified, None if that is unclear."""
    if isinstance(entry, dict):
        name, state = entry.get("name") or entry.get("domain"), _verified(entry)
        return None if state is None or not isinstance(name, str) else canonical_domain(name) if state else ""
    return canonical_domain(entry) if isinstance(entry, str) else None


def _verified(entry: Mapping[str, object]) -> bool | None:
    for name in ("verified", "is_verified"):
        if isinstance(entry.get(name), bool):
            return bool(entry[name])
    state = entry.get("state", entry.get("status"))
    return state.strip().lower() in _VERIFIED if isinstance(state, str) and state.strip() else None


_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "enabled": ("enabled", "sso_enabled", "is_enabled"),
    "required": ("required", "sso_required", "require_sso"),
    "idp_managed": ("idp_managed", "idp_managed_access"),
    "idp_name": ("idp_name", "identity_provider", "idp"),
    "domains": ("domains", "claimed_domains"),
}
"""Nobody documents these words, so each thing has the likely ones; the first that says anything counts."""


class Sso(Wire):
    """Single sign-on, in the first of those words."""

    enabled: Annotated[bool | None, BeforeValidator(_flag)] = None
    required: Annotated[bool | None, BeforeValidator(_flag)] = None
    idp_managed: Annotated[bool | None, BeforeValidator(_flag)] = None
    idp_name: Annotated[str | None, BeforeValidator(_name)] = None
    domains: Annotated[frozenset[str] | None, BeforeValidator(_domains)] = None


def single_sign_on_from(results: Any, what: str) -> SingleSignOn:
    """Single sign-on from its settings."""
    if not isinstance(results, dict):
        raise unintelligible(what, f"{type(results).__name__} where settings were expected")
    said = {
        field: next((results[word] for word in words if results.get(word) not in (None, [], "")), None)
        for field, words in _WORDS.items()
    }
    if said["domains"] is None and any(results.get(word) == [] for word in _WORDS["domains"]):
        said["domains"] = []
    return SingleSignOn(**checked(Sso, said, what).model_dump())


def discoverability_from(results: Any, what: str) -> Discoverability:
    """Discoverability, from the bare word or from an object that has it, in any case.

    Raises:
        Unintelligible: it is not a known word.
    """
    word = results
    for key in ("discoverability", "name"):
        word = word.get(key, word) if isinstance(word, dict) else word
    known = {one.lower(): one for one in Discoverability}
    if not isinstance(word, str) or word.strip().lower() not in known:
        shown = repr(word) if isinstance(word, str) else type(word).__name__
        raise unintelligible(what, f"{shown} where one of {', '.join(Discoverability)} was expected")
    return known[word.strip().lower()]


def settings_from(results: Any, what: str) -> Mapping[str, object]:
    """Settings as they are, wrapped in `settings` or bare."""
    if isinstance(results, dict) and isinstance(results.get("settings"), dict):
        results = results["settings"]
    if not isinstance(results, dict):
        raise unintelligible(what, f"{type(results).__name__} where settings were expected")
    return dict(results)


class OrganizationSettingsEndpoint(CallFamily):
    """Two-factor, access requests and single sign-on of one organization.

    The paths of the two writes are in use, and so is that they post the settings bare; so they pass no gate. Single
    sign-on is only read.
    """

    def two_factor(self) -> Mapping[str, object]:
        """The settings on the second factor, as they are; the one known key is `twofactor_auth_required`."""
        return self._settings("twofactor", "two-factor settings")

    def request_access(self) -> Mapping[str, object]:
        """The settings on requests for access, as they are; no key is known."""
        return self._settings("org-request-access-settings", "access request settings")

    def put_two_factor(self, settings: Mapping[str, object]) -> None:
        """Put the settings on the second factor, all of them.

        Raises:
            Forbidden: our role is too low, or single sign-on is on, which replaces the second factor.
        """
        self._put("twofactor", "two-factor settings", settings)

    def put_request_access(self, settings: Mapping[str, object]) -> None:
        """Put the settings on requests for access, all of them."""
        self._put("org-request-access-settings", "access request settings", settings)

    def sso(self) -> SingleSignOn:
        """Single sign-on and the claimed domains, as far as the answer has them in words that we know.

        The path was once published and withdrawn, its shape is assumed.
        """
        what = f"read the single sign-on of organization {self._organization}"
        return single_sign_on_from(self._transport.read(self._path("sso"), what), what)

    def discoverability(self) -> Discoverability:
        """How people of the company's domains come into the organization by themselves.

        The path was once published and withdrawn, its shape is assumed.
        """
        what = f"read the discoverability of organization {self._organization}"
        path = f"/api/app/organizations/{self._organization}/domains/get-discoverability"
        return discoverability_from(self._transport.read(path, what), what)

    def _settings(self, path: str, name: str) -> Mapping[str, object]:
        what = f"read the {name} of organization {self._organization}"
        return settings_from(self._transport.read(self._path(path), what), what)

    def _put(self, path: str, name: str, settings: Mapping[str, object]) -> None:
        what = f"change the {name} of organization {self._organization}"
        self._transport.write(self._path(f"{path}/update"), dict(settings), what)
