"""The permissions of custom roles, and the organization's security settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mixpanel_access.model.access import Discoverability
from mixpanel_access.rules.entry import UNKNOWN, Entry, NotJudged, NotThereYet, Type, all_hold, each
from mixpanel_access.rules.facts import Context, Stack
from mixpanel_access.rules.rule import PATTERN, Family, Level, Rule, RuleFinding, Severity, controls, option, texts
from mixpanel_access.rules.teams import TeamRoles, Through

_TWO_FACTOR_KEY: Final = "twofactor_auth_required"
"""The one known key of Mixpanel's two-factor settings (contract, section 8)."""


def _denied_permissions(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """By the declared permissions, and those that Mixpanel adds when it creates the role."""
    patterns = [str(pattern) for pattern in context.options["denied"]]
    new: list[str] = []

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        added = entry.values.get("base_permissions")
        if not isinstance(added, list):
            new.append(entry.name)
        parts = (entry.get("permissions"), added)
        codes = dict.fromkeys(str(code) for part in parts if isinstance(part, list) for code in part)
        denied = [code for code in codes if any(re.fullmatch(pattern, code) for pattern in patterns)]
        if denied:
            yield RuleFinding(f"{entry}: it gives {', '.join(denied)}")

    yield from each(stack.of(Type.CUSTOM_ROLE), judge)
    if patterns and new:
        raise NotThereYet(f"what Mixpanel adds to {', '.join(new)} is known after the update")


def _second_factor(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """By the declared or present settings, which the roster's login must agree with."""
    login = stack.roster.get("login")
    told: Mapping[str, Any] = login if isinstance(login, Mapping) else {}
    settings = list(stack.of(Type.ORGANIZATION_SECURITY))
    if context.options["declared"] and not settings and stack.owns_organization_roles():
        yield RuleFinding(
            "no security settings are declared, so nothing shows whether a second factor or single sign-on is required;"
            " `security: {}` in the roster shows what Mixpanel has, and changes nothing"
        )

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        required: Any = entry.get("two_factor_required")
        if required is None:
            required = _of(_said(entry, "two_factor_settings"), _TWO_FACTOR_KEY)
        sso = entry.values.get("sso")
        if required is False and _of(_said(entry, "sso"), "required") is not True:
            yield RuleFinding(
                "a second factor is not required, and neither is single sign-on: a password alone lets people in"
            )
        for key, what, actual in (
            ("mfa_required", "a second factor", required),
            ("sso_required", "single sign-on", _of(sso, "required")),
        ):
            if isinstance(actual, bool) and isinstance(told.get(key), bool) and told[key] is not actual:
                says, so = (" " if told[key] else " not "), ("it is" if actual else "it is not")
                yield RuleFinding(f"the roster's login says that {what} is{says}required, and {so}")
        if "sso_required" in told and not isinstance(sso, Mapping):
            raise NotThereYet("whether single sign-on is required is known after the update")

    yield from each(settings, judge)


def _classified(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    """For people with their own role or through a team, and for the teams and service accounts themselves."""
    teams = TeamRoles(stack)

    def missing(entry: Entry) -> bool:
        return all_hold(lambda: entry.missing(["justification"]), entry.sees_classified_data)

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if missing(entry):
            yield RuleFinding(
                f"{entry}: the role lets people see classified data, and there is no justification", entry
            )

    def judge_through(through: Through) -> Iterator[RuleFinding]:
        if through.gets.type == Type.GRANT and missing(through.gets):
            through.must_be_certain()
            words = "the role lets them see classified data, and there is no justification of their place"
            yield RuleFinding(f"{through}: {words}", through.membership)

    yield from each(stack.of(Type.GRANT, Type.TEAM_GRANT, Type.SERVICE_ACCOUNT_GRANT), judge)
    for membership in stack.of(Type.TEAM_MEMBER):
        yield from each(teams.roles(membership), judge_through)


def _discoverability(stack: Stack, _context: Context) -> Iterator[RuleFinding | NotJudged]:
    """By the last refresh; Mixpanel may not show it."""

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        word = entry.values.get("discoverability")
        if not isinstance(word, str):
            raise NotThereYet("who can join the organization by themselves is known after a refresh, if Mixpanel tells")
        if word == Discoverability.OPEN:
            yield RuleFinding(
                "the organization's discoverability is Open: anybody with an address of the company's domains joins it "
                "without being invited"
            )

    yield from each(stack.of(Type.ORGANIZATION_SECURITY), judge)


def _said(entry: Entry, name: str) -> Any:
    """An output of the organization's security; raises NotThereYet if it is not known yet."""
    value = entry.values.get(name)
    if value is UNKNOWN:
        raise NotThereYet(f"{name} is known after the update")
    return value


def _of(settings: Any, key: str) -> Any:
    return settings.get(key) if isinstance(settings, Mapping) else None


ROLE_RULES: Final = Family.LEAST_PRIVILEGE.rules(
    Rule(
        "custom-role-permissions",
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
        controls=controls("soc2 CC6.3", "iso27001 A.8.3", "cis 6.8"),
    ),
    Rule(
        "classified-data-justified",
        "Everybody who sees classified data, by a custom role of their own or of a team, has a justification.",
        Level.MANDATORY,
        Severity.HIGH,
        "Add `justification:`, what the data is needed for, or give a role without the permission.",
        _classified,
        controls=controls("soc2 CC6.3", "iso27001 A.5.12", "iso27001 A.8.3", "cis 3.3"),
    ),
)
SECURITY_RULES: Final = Family.HYGIENE.rules(
    Rule(
        "second-factor-required",
        "A second factor or single sign-on is required, and the roster's login says the same.",
        Level.ADVISORY,
        Severity.HIGH,
        "Set two_factor_required (twoFactorRequired in the roster), or require single sign-on.",
        _second_factor,
        options=(
            option(
                "declared",
                "boolean",
                default=True,
                description="Whether a stack with organization roles must declare `security:`.",
            ),
        ),
        controls=controls("soc2 CC6.1", "iso27001 A.8.5", "cis 6.5"),
    ),
    Rule(
        "no-open-discoverability",
        "Nobody joins the organization without being invited, whatever their address.",
        Level.ADVISORY,
        Severity.HIGH,
        "Set the discoverability to Request or Closed in Organization Settings, then run `pulumi refresh`.",
        _discoverability,
        controls=controls("soc2 CC6.2", "iso27001 A.5.16", "iso27001 A.5.18", "cis 6.1"),
    ),
)
