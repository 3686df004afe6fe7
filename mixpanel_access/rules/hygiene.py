"""Names, numbers and papers in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mixpanel_access.model.dates import day_or_none
from mixpanel_access.model.list_settings import REDACTED
from mixpanel_access.model.service_accounts import service_account_name
from mixpanel_access.rules.entry import PEOPLE, Entry, Kind
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.rule import (
    Family,
    Level,
    Rule,
    Severity,
    cis,
    iso27001,
    option,
    pattern,
    soc2,
    texts,
)


def _matches(form: str, text: str) -> bool:
    return re.fullmatch(form, text) is not None


def _named(entry: Entry, context: Context) -> Iterator[str]:
    if entry.kind in PEOPLE:
        form, name, what = context.options["resources"], entry.name, "the name of the resource"
    elif entry.kind == Kind.TEAM:
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
            yield f"{name} {text!r} is not of the form {context.options[name]}"


HYGIENE_RULES: Final = (
    Rule(
        "naming",
        Family.HYGIENE,
        "Resources, teams and service accounts are named by the standard.",
        Level.ADVISORY,
        Severity.LOW,
        "Rename it; renaming a resource in the program takes nothing away.",
        _named,
        kinds=(*PEOPLE, Kind.TEAM, Kind.SERVICE_ACCOUNT),
        options=(
            pattern("resources", r"[^\sA-Z]+", "The form of members' and grants' logical names."),
            pattern("teams", r"\S(.{0,62}\S)?", "The form of teams' names."),
            pattern("serviceAccounts", "[a-z0-9]+(-[a-z0-9]+)*", "The form of service accounts' names."),
        ),
        controls=(cis("5.1"),),
    ),
    Rule(
        "service-account-expires",
        Family.HYGIENE,
        "A service account expires, and soon enough.",
        Level.MANDATORY,
        Severity.HIGH,
        "Set expires, and rotate the account before that day.",
        _account_expires,
        kinds=(Kind.SERVICE_ACCOUNT,),
        options=(option("days", "integer", 365, "Days that an account may live from today.", minimum=1),),
        controls=(soc2("CC6.1"), iso27001("A.5.17"), cis("5.5")),
    ),
    Rule(
        "secrets-are-secret",
        Family.HYGIENE,
        "No secret is in the state in plain text.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Declare the output secret (additional_secret_outputs), and rotate what was exposed.",
        _secret,
        kinds=(Kind.SERVICE_ACCOUNT,),
        options=(texts("properties", ("token", "secret", "password"), "Properties that are secrets."),),
        controls=(soc2("CC6.1"), iso27001("A.5.17")),
        exceptable=False,
    ),
    Rule(
        "metadata-well-formed",
        Family.HYGIENE,
        "Tickets and statements of work are written so that they can be found.",
        Level.ADVISORY,
        Severity.LOW,
        "Write it as the other system has it, or set the options to its forms; then the level may be mandatory.",
        _well_formed,
        kinds=PEOPLE,
        options=(
            pattern("ticket", "[A-Z][A-Z0-9]+-[0-9]+", "The form of a ticket."),
            pattern("sow", "SOW-[0-9]{4}-[0-9]{3,}", "The form of a statement of work."),
        ),
        controls=(iso27001("A.5.18"),),
    ),
)
