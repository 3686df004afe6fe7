"""What custom roles may give, and what the organization asks of who logs in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mixpanel_access.rules.facts import Context, Entry, Kind, Stack
from mixpanel_access.rules.rule import PATTERN, Family, Finding, Level, Rule, Severity, cis, iso27001, soc2, texts

_TWO_FACTOR_KEY: Final = "twofactor_auth_required"
"""The one known key of Mixpanel's two-factor settings (contract, section 8)."""


def _permissions(entry: Entry) -> list[str]:
    """What a role may, by its declaration and by what Mixpanel adds; the latter is not known before it is made."""
    declared = entry.get("permissions")
    added = entry.values.get("base_permissions")
    return [str(code) for part in (declared, added) if isinstance(part, list) for code in part]


def _denied_permissions(stack: Stack, context: Context) -> Iterator[Finding]:
    patterns = [str(pattern) for pattern in context.options["denied"]]
    for entry in stack.of(Kind.CUSTOM_ROLE):
        codes = dict.fromkeys(_permissions(entry))
        denied = [code for code in codes if any(re.fullmatch(pattern, code) for pattern in patterns)]
        if denied:
            yield Finding(f"{entry}: it gives {', '.join(denied)}")


def _second_factor(stack: Stack, _context: Context) -> Iterator[Finding]:
    for entry in stack.of(Kind.ORGANIZATION_SECURITY):
        required: Any = entry.get("two_factor_required")
        if required is None:
            required = _of(entry.get("two_factor_settings"), _TWO_FACTOR_KEY)
        if required is False and _of(entry.get("sso"), "required") is not True:
            yield Finding(
                "a second factor is not required, and neither is single sign-on: a password alone lets people in"
            )


def _of(settings: Any, key: str) -> Any:
    return settings.get(key) if isinstance(settings, Mapping) else None


ROLE_RULES: Final = (
    Rule(
        "custom-role-permissions",
        Family.LEAST_PRIVILEGE,
        "No custom role gives a permission that is denied.",
        Level.ADVISORY,
        Severity.HIGH,
        "Take the permission out of the role, or have an exception approved.",
        _denied_permissions,
        options=(
            texts(
                "denied",
                (".*classified.*",),
                "Patterns of permissions that no custom role gives; no other role gives classified data.",
                format=PATTERN,
            ),
        ),
        controls=(soc2("CC6.3"), iso27001("A.5.15"), cis("6.8")),
    ),
)
SECURITY_RULES: Final = (
    Rule(
        "second-factor-required",
        Family.HYGIENE,
        "A second factor is required, unless everybody must come through single sign-on.",
        Level.ADVISORY,
        Severity.HIGH,
        "Set two_factor_required (twoFactorRequired in the roster), or require single sign-on.",
        _second_factor,
        controls=(soc2("CC6.1"), iso27001("A.8.5"), cis("6.3")),
    ),
)
