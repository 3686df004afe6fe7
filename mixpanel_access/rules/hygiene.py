"""Names, expiries and papers are in order, and the settings that limit one run are as strict as by default."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from mixpanel_access.model.brakes import DEFAULT_REMOVAL_MINIMUM, DEFAULT_REMOVAL_PERCENT
from mixpanel_access.model.dates import day_or_none
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.hosts import LOOPBACK, is_real, problem_with_url
from mixpanel_access.model.service_accounts import service_account_name
from mixpanel_access.model.setting_values import REDACTED, words_in
from mixpanel_access.model.settings import NAMESPACE
from mixpanel_access.rules.entry import PEOPLE, UNKNOWN, Entry, NotJudged, Type, each
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.rule import Family, Level, Rule, RuleFinding, Severity, controls, option, pattern, texts


def _matches(form: str, text: str) -> bool:
    return re.fullmatch(form, text) is not None


def _named(entry: Entry, context: Context) -> Iterator[str]:
    if entry.type in PEOPLE:
        form, name, what = context.options["resources"], entry.name, "the name of the resource"
    elif entry.type == Type.TEAM:
        form, name, what = context.options["teams"], entry.text("name") or entry.name, "the name of the team"
    else:
        form, what = context.options["serviceAccounts"], "the name of the service account"
        name = service_account_name(entry.text("username") or entry.name)
    if not _matches(form, name):
        yield f"{what}, {name!r}, is not of the form {form}"


def _account_expires(entry: Entry, context: Context) -> Iterator[str]:
    most, text = context.options["days"], entry.text("expires")
    if not text:
        yield f"it never expires; it may live {most} days"
        return
    last = day_or_none(text[:10])
    if last is None:
        yield f"its expiry {text!r} is not a date"
    elif (last - context.today).days > most:
        yield f"it expires on {last}, in {(last - context.today).days} days; it may live {most} days"


def _secret(entry: Entry, context: Context) -> Iterator[str]:
    for name in context.options["properties"]:
        value = entry.values.get(name)
        if value in (None, "", REDACTED):
            continue
        if name not in entry.secret_outputs:
            yield f"its {name} is in the state in plain text"


def _well_formed(entry: Entry, context: Context) -> Iterator[str]:
    for name in ("ticket", "sow"):
        text = entry.text(name)
        if text and not _matches(context.options[name], text):
            form = context.options[name]
            yield f"{name} {text!r} is not of the form {form}, which the option `{name}` of metadata-well-formed sets"


HYGIENE_RULES: Final = Family.HYGIENE.rules(
    Rule(
        "naming",
        "Resources, teams and service accounts are named by the standard.",
        Level.ADVISORY,
        Severity.LOW,
        "Rename it; renaming a resource in the program takes nothing away.",
        _named,
        types=(*PEOPLE, Type.TEAM, Type.SERVICE_ACCOUNT),
        options=(
            pattern("resources", r"[^\sA-Z]+", "The form of members' and grants' logical names."),
            pattern("teams", r"\S(.{0,62}\S)?", "The form of teams' names."),
            pattern("serviceAccounts", "[a-z0-9]+(-[a-z0-9]+)*", "The form of service accounts' names."),
        ),
        controls=controls("cis 5.1"),
    ),
    Rule(
        "service-account-expires",
        "A service account expires, and soon enough.",
        Level.MANDATORY,
        Severity.HIGH,
        "Set expires, and rotate the account before that day.",
        _account_expires,
        types=(Type.SERVICE_ACCOUNT,),
        options=(option("days", "integer", 365, "Days that an account may live from today.", minimum=1),),
        controls=controls("soc2 CC6.1", "iso27001 A.5.17", "cis 5.5"),
    ),
    Rule(
        "secrets-are-secret",
        "No secret is in the state in plain text.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Declare the output secret (additional_secret_outputs), and rotate what was exposed.",
        _secret,
        types=(Type.SERVICE_ACCOUNT,),
        options=(texts("properties", ("token", "secret", "password"), "Properties that are secrets."),),
        controls=controls("soc2 CC6.1", "iso27001 A.5.17"),
        exceptable=False,
    ),
    Rule(
        "metadata-well-formed",
        "Tickets and statements of work are written so that they can be found.",
        Level.ADVISORY,
        Severity.LOW,
        "Write it as the other system has it, or set the option to that form in the policies' configuration.",
        _well_formed,
        types=PEOPLE,
        options=(
            pattern("ticket", "[A-Z][A-Z0-9]+-[0-9]+", "The form of a ticket."),
            pattern("sow", "SOW-[0-9]{4}-[0-9]{3,}", "The form of a statement of work."),
        ),
        controls=controls("iso27001 A.5.18"),
    ),
)


GUARDS: Final = "guards-not-loosened"
"""The rule that the policies' configuration cannot disable."""
URLS: Final = ("apiUrl", "platformUrl")
"""The settings with a host that gets the credentials."""
GUARDED: Final = ("now", *URLS, "releaseBrakes", "removalPercent", "removalMinimum")
"""The settings that the rule judges, without the namespace."""


def _guards(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    missed = [rule for rule in context.off if rule == GUARDS or _is_needed(rule, context)]
    if missed:
        yield RuleFinding(
            f"the file of --policy-pack-config disables {', '.join(missed)}, by `all` or by the rule's own key: these "
            f"have no exceptions. Set them to mandatory, or to advisory to try them"
        )
    found = [*_of_another_environment(stack, context), *_switched_off(stack)]
    yield from found
    if context.settings is None:
        if missed or found:
            return
        raise NotApplicable("the stack's configuration is not known here")
    file = _file(context)
    for key in GUARDED:
        value = context.settings.get(key)
        where = f"{file}, {NAMESPACE}:{key}"
        if value is UNKNOWN or not isinstance(value, str | int | float | list | None):
            yield NotJudged(f"{where}: the value is encrypted, or not known before the update", None, _IN_PLAIN)
        elif value is not None and str(value).strip() and (words := _loosened(key, value, context)):
            yield RuleFinding(f"{where}: {words}")
    plain = stack.roster.get("plain_secrets")
    for key in plain if isinstance(plain, Sequence) else ():
        yield RuleFinding(
            f"{file}, {NAMESPACE}:{key}: a secret in plain text. Make a new one in Mixpanel, then pulumi config set "
            f"--secret {NAMESPACE}:{key}"
        )


def _of_another_environment(stack: Stack, context: Context) -> Iterator[RuleFinding]:
    """With another name of the environment, the rules about production would judge nothing."""
    wanted = context.options["environment"]
    if not wanted:
        return
    if context.environment != wanted:
        holds = f"is {context.environment}" if context.environment else "is not set"
        yield RuleFinding(
            f"{_file(context)}, {NAMESPACE}:environment {holds}, and this policy configuration is for {wanted}; run "
            f"pulumi config set {NAMESPACE}:environment {wanted}, or use the configuration of the stack's environment"
        )
    declared = stack.roster.get("environment")
    if isinstance(declared, str) and declared not in (wanted, context.environment):
        yield RuleFinding(f"the roster's environment is {declared}, and this policy configuration is for {wanted}")


def _switched_off(stack: Stack) -> Iterator[RuleFinding | NotJudged]:
    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if entry.get("two_factor_required") is False:
            yield RuleFinding(
                "twoFactorRequired: false (two_factor_required in a program) switches the second factor off for "
                "everybody; delete the line, which changes nothing in Mixpanel",
                entry,
            )

    return each(stack.of(Type.ORGANIZATION_SECURITY), judge)


def _file(context: Context) -> str:
    return f"Pulumi.{context.stack or 'STACK'}.yaml"


_IN_PLAIN: Final = "Set it in plain text, so that everybody who reviews it sees it."


def _is_needed(rule: str, context: Context) -> bool:
    """Whether a rule cannot be disabled: it allows no exceptions, and this is, or may be, production."""
    return context.rules.get(rule, "") is None and context.environment in (None, PRODUCTION)


def _loosened(key: str, value: Any, context: Context) -> str:
    """The problem of one setting, or ""."""
    if key == "now":
        return "" if _is_loopback(context.settings or {}) else f"{value} replaces today's date; remove it"
    if key in URLS:
        host = _host(str(value))
        known = host in LOOPBACK or is_real(host) or host in context.options["hosts"]
        return "" if known else f"{host or 'this'} is not a host of Mixpanel, and gets the credentials; remove it"
    if key == "releaseBrakes":
        try:
            released = words_in(value)
        except ValueError:
            released = [str(value)]
        return f"releases {', '.join(released)} in every run; remove it" if released else ""
    most = context.options[key]
    return "" if _number(value) <= most else f"{value} is more than {most}; remove it, or lower it"


def _is_loopback(settings: Mapping[str, Any]) -> bool:
    url = settings.get("apiUrl")
    return isinstance(url, str) and _host(url) in LOOPBACK


def _host(url: str) -> str:
    """The host of an address, or "" if we refuse the address."""
    text = url.strip()
    return "" if problem_with_url(text) else urlsplit(text).hostname or ""


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.inf
    return math.inf if math.isnan(number) else number


GUARD_RULES: Final = Family.HYGIENE.rules(
    Rule(
        GUARDS,
        "No guard is loosened in the stack's configuration, and no secret is there in plain text.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Undo it; to take much access away, release the brake for a run of mixpanel-access revoke.",
        _guards,
        options=(
            option(
                "environment",
                "string",
                "",
                "The environment that every stack judged by this configuration must have; empty for any.",
            ),
            texts("hosts", (), "Hosts that may take the place of Mixpanel's, such as the company's proxy."),
            option("removalPercent", "integer", int(DEFAULT_REMOVAL_PERCENT), "The highest `mixpanel:removalPercent`."),
            option("removalMinimum", "integer", DEFAULT_REMOVAL_MINIMUM, "The highest `mixpanel:removalMinimum`."),
        ),
        controls=controls("soc2 CC8.1", "iso27001 A.8.9", "cis 4.1"),
        exceptable=False,
    ),
)
