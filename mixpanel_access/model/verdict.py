"""What is most likely wrong, and what to do about it: one table, from what a command has found to one cause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mixpanel_access.model import errors


class Cause(StrEnum):
    """What is most likely wrong."""

    NOTHING = "nothing"
    UNKNOWN = "unknown"
    PACKAGES = "packages"
    PROJECT = "project folder"
    ENGINE = "engine"
    BACKEND = "backend"
    STACK = "stack"
    PASSPHRASE = "passphrase"  # noqa: S105  # a word for it
    CONFIGURATION = "configuration"
    NETWORK = "network"
    PROXY = "proxy"
    CLOCK = "clock"
    REGION = "region"
    CREDENTIALS = "credentials"
    ORGANIZATION = "organization id"
    ROLE = "role of the service account"
    PLAN = "plan or seats"
    MIXPANEL = "Mixpanel"
    ROSTER = "roster"
    POLICY_PACK = "policy pack"
    LOGIN = "login"


class Sign(StrEnum):
    """What a command can find wrong; several of them can have one cause."""

    PACKAGES = "the project's packages are missing or of another version"
    NO_PROJECT = "no Pulumi project was found"
    NO_ENGINE = "no Pulumi engine was found"
    BACKEND = "the backend cannot be read"
    NO_STACK = "the stack does not exist"
    PASSPHRASE = "the passphrase does not open the stack's secrets"  # noqa: S105  # words about it
    CONFIGURATION = "the stack's configuration cannot be used"
    VARIABLES = "the environment names a proxy or authorities that cannot be used"
    UNREACHABLE = "Mixpanel cannot be reached"
    PROXY_SET = "a proxy is set"
    CERTIFICATE_DATES = "the certificate is not valid today"
    CERTIFICATE_ISSUER = "the certificate is from an authority that this machine does not know"
    UNAUTHORIZED = "Mixpanel refuses the login"
    KNOWN_ELSEWHERE = "another region knows the login"
    OTHER_ORGANIZATION = "the account does not see the organization"
    ROLE = "the service account may not manage people"
    PLAN = "the plan does not allow it"
    BUSY = "Mixpanel refuses so many requests"
    FAULT = "Mixpanel fails"
    ODD = "the answer is not Mixpanel's"
    REFUSED = "Mixpanel refuses a call that is needed"
    MISSING = "Mixpanel does not have a call that is needed"
    NO_PROJECTS = "the service account sees no project"
    CLOCK = "the clock of this machine differs from Mixpanel's"
    NO_ROSTER = "a stack has no roster"
    ROSTER = "a roster cannot be used"
    ROSTER_PROJECT = "a project of a roster is another one, or out of sight"
    ROSTER_LOGIN = "a roster does not say what people need for their login"
    POLICIES = "the configuration of the policies cannot be used"
    LOGIN = "this person cannot log in"
    UNKNOWN = "something else fails"


@dataclass(frozen=True)
class Symptom:
    """Something that was found wrong.

    Attributes:
        sign: what it is.
        detail: what was found, in words; "" if the sign says all.
        next_step: what to do, where the table does not know better.
    """

    sign: Sign
    detail: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class Verdict:
    """What is most likely wrong.

    Attributes:
        cause: what is most likely wrong.
        text: that, in words.
        next_step: what to do first; "" for nothing.
    """

    cause: Cause
    text: str
    next_step: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences with which a command ends."""
        likely = self.cause not in (Cause.NOTHING, Cause.UNKNOWN)
        text = f"Most likely: {self.text}" if likely else f"{self.text[:1].upper()}{self.text[1:]}"
        return (f"{text}.", *([f"Do: {self.next_step}."] if self.next_step else []))


_ASK_PROXY: Final = "correct the proxy's variables, or except the host with NO_PROXY: docs/proxy.md"
_READ: Final = "correct what the error line says"
_LOG_IN: Final = (
    "check both in Organization Settings > Service Accounts, or make a new account there, then "
    "`pulumi config set --secret mixpanel:serviceAccountSecret{stack}`"
)
_REPORT: Final = "if it stays, attach this output to a bug report"

TABLE: Final[tuple[tuple[frozenset[Sign], Cause, str, str], ...]] = tuple(
    (frozenset(signs), cause, text, step)
    for signs, cause, text, step in (
        ([Sign.PACKAGES], Cause.PACKAGES, "packages that do not fit; {detail}", "{step}"),
        ([Sign.NO_PROJECT], Cause.PROJECT, "this is not the project's folder", "{step}"),
        ([Sign.NO_ENGINE], Cause.ENGINE, "there is no Pulumi engine", "{step}"),
        (
            [Sign.PASSPHRASE],
            Cause.PASSPHRASE,
            "wrong passphrase",
            "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the one that the stack was made with",
        ),
        ([Sign.NO_STACK], Cause.STACK, "wrong stack, or wrong backend", "{step}"),
        (
            [Sign.BACKEND],
            Cause.BACKEND,
            "the backend with the stacks is not logged in to, or cannot be read",
            "check `pulumi whoami -v`, then `pulumi login`",
        ),
        ([Sign.CONFIGURATION], Cause.CONFIGURATION, "wrong configuration of the stack", "{step}"),
        ([Sign.VARIABLES], Cause.PROXY, "wrong variables of the proxy or of the authorities", "{step}"),
        (
            [Sign.UNREACHABLE, Sign.CERTIFICATE_DATES],
            Cause.CLOCK,
            "wrong clock of this machine, since a certificate is not valid today",
            "set the clock, for example by NTP, then run this again",
        ),
        (
            [Sign.UNREACHABLE, Sign.CERTIFICATE_ISSUER],
            Cause.PROXY,
            "a proxy opens the connection with a certificate of its own",
            "set SSL_CERT_FILE to the file with your company's authorities: docs/proxy.md",
        ),
        (
            [Sign.UNREACHABLE, Sign.PROXY_SET],
            Cause.PROXY,
            "wrong proxy, since Mixpanel cannot be reached through it",
            _ASK_PROXY,
        ),
        ([Sign.UNREACHABLE], Cause.NETWORK, "no network, or a firewall without an opening for Mixpanel", "{step}"),
        ([Sign.UNAUTHORIZED, Sign.KNOWN_ELSEWHERE], Cause.REGION, "wrong region; {detail}", "{step}"),
        ([Sign.FAULT, Sign.KNOWN_ELSEWHERE], Cause.REGION, "wrong region; {detail}", "{step}"),
        (
            [Sign.UNAUTHORIZED],
            Cause.CREDENTIALS,
            "wrong credentials: the service account's name or secret is wrong, or the account has expired",
            _LOG_IN,
        ),
        ([Sign.OTHER_ORGANIZATION], Cause.ORGANIZATION, "wrong organization id; {detail}", "{step}"),
        (
            [Sign.ROLE],
            Cause.ROLE,
            "the role of the service account is too low; {detail}",
            "have an owner make it organization admin in Organization Settings, or use one that is",
        ),
        (
            [Sign.PLAN],
            Cause.PLAN,
            "the plan, or its number of seats, does not allow it; {detail}",
            "free a seat or change the plan in Organization Settings, or do without it in the roster",
        ),
        ([Sign.BUSY], Cause.MIXPANEL, "Mixpanel refuses so many requests at this time", "run this again in an hour"),
        ([Sign.ODD, Sign.PROXY_SET], Cause.PROXY, "a proxy answers in Mixpanel's place", _ASK_PROXY),
        (
            [Sign.ODD],
            Cause.MIXPANEL,
            "Mixpanel answers otherwise than this version knows, or something else answers; {detail}",
            f"check mixpanel:apiUrl, then run this again; {_REPORT}",
        ),
        ([Sign.FAULT], Cause.MIXPANEL, "Mixpanel fails at this time; {detail}", f"run this again later; {_REPORT}"),
        (
            [Sign.NO_PROJECTS],
            Cause.ROLE,
            "the service account has no project",
            "give it the projects of the rosters in Project Settings > Service Accounts",
        ),
        (
            [Sign.REFUSED],
            Cause.ROLE,
            "the role of the service account is too low, or the plan lacks it; {detail}",
            "make it organization admin in Organization Settings, then run this again",
        ),
        (
            [Sign.MISSING],
            Cause.MIXPANEL,
            "Mixpanel does not have a call of this version; {detail}",
            f"install the newest version of mixpanel-access; {_REPORT}",
        ),
        (
            [Sign.CLOCK],
            Cause.CLOCK,
            "wrong clock of this machine; {detail}",
            "set the clock, since access begins and ends by it",
        ),
        (
            [Sign.NO_ROSTER],
            Cause.ROSTER,
            "a roster is missing; {detail}",
            "write it, or name other stacks with --stack",
        ),
        ([Sign.ROSTER], Cause.ROSTER, "a mistake in a roster; {detail}", "{step}"),
        (
            [Sign.ROSTER_PROJECT],
            Cause.ROSTER,
            "wrong id of a project in a roster, or the service account is not in it; {detail}",
            "correct the id in the roster, or give the service account the project",
        ),
        (
            [Sign.ROSTER_LOGIN],
            Cause.ROSTER,
            "the roster does not say what people need to log in, or says it otherwise than Mixpanel; {detail}",
            "correct `organization` in the roster: url, login and contacts",
        ),
        ([Sign.POLICIES], Cause.POLICY_PACK, "a mistake in the configuration of the policies; {detail}", "{step}"),
        ([Sign.LOGIN], Cause.LOGIN, "{detail}", "{step}"),
        ([Sign.UNKNOWN], Cause.UNKNOWN, "the cause is not known; {detail}", "{step}"),
    )
)
"""What was found, its cause, that in words, and what to do: the first row of which everything was found counts.

The order is that of the work: what is above keeps what is below from being read. In the texts, `{detail}` and
`{step}` are the last sign's, and `{stack}` is the option that names the stack.
"""


def verdict_of(found: Iterable[Symptom], stack: str = "", nothing: str = "nothing is wrong") -> Verdict:
    """The one cause that is most likely, and the next step.

    Args:
        found: all that was found wrong, the first of a kind counts.
        stack: the stack that a command in the next step names, or "".
        nothing: the words for when nothing was found.
    """
    by_sign: dict[Sign, Symptom] = {}
    for symptom in found:
        by_sign.setdefault(symptom.sign, symptom)
    if by_sign.keys() <= {Sign.PROXY_SET}:  # which is nothing wrong by itself
        return Verdict(Cause.NOTHING, nothing)
    signs, cause, text, step = next((row for row in TABLE if row[0] <= by_sign.keys()), TABLE[-1])
    first = next(by_sign[sign] for sign in Sign if sign in by_sign)
    telling = next((by_sign[sign] for sign in reversed(Sign) if sign in signs & by_sign.keys()), first)
    option = f" --stack {stack}" if stack else ""

    def filled(template: str) -> str:
        words = {"detail": telling.detail or telling.sign.value, "step": telling.next_step or _READ, "stack": option}
        return template.format_map(words).strip().rstrip(".")

    return Verdict(cause, filled(text), filled(step))


_CLASSES: Final[Mapping[type[errors.AccessError], Sign]] = {
    errors.Unreachable: Sign.UNREACHABLE,
    errors.Unauthorized: Sign.UNAUTHORIZED,
    errors.PlanRefusal: Sign.PLAN,
    errors.Forbidden: Sign.REFUSED,
    errors.NotFound: Sign.MISSING,
    errors.RateLimited: Sign.BUSY,
    errors.ServerFault: Sign.FAULT,
    errors.Unintelligible: Sign.ODD,
    errors.RosterError: Sign.ROSTER,
    errors.ConfigurationError: Sign.CONFIGURATION,
    errors.EngineError: Sign.BACKEND,
}
"""The class of an error -> what it is a sign of, unless its words say more."""

_WORDS: Final[tuple[tuple[type[errors.AccessError], str, Sign], ...]] = (
    (errors.EngineError, r"cannot find or make the Pulumi engine|^cannot run pulumi", Sign.NO_ENGINE),
    (
        errors.EngineError,
        r"passphrase|PULUMI_CONFIG_PASSPHRASE|failed to decrypt|message authentication",
        Sign.PASSPHRASE,
    ),
    (errors.EngineError, r"no stack named|stack '.*' not found", Sign.NO_STACK),
    (errors.UsageError, r"^cannot (find|choose) (the|a) stack", Sign.NO_STACK),
    (errors.UsageError, r"^cannot (find|read) the project", Sign.NO_PROJECT),
    (errors.UsageError, r"^cannot read the policies' configuration", Sign.POLICIES),
    (errors.ConfigurationError, r"^cannot use the network", Sign.VARIABLES),
    (errors.Forbidden, r"^cannot work on (the )?organization", Sign.OTHER_ORGANIZATION),
    (errors.Forbidden, r"^cannot manage", Sign.ROLE),
    (errors.MixpanelError, r"\bseats?\b", Sign.PLAN),
    (errors.NotFound, r"^cannot see a project", Sign.NO_PROJECTS),
)
"""The words of an error that say more than its class."""

_CERTIFICATES: Final = {
    Sign.CERTIFICATE_DATES: r"certificate is not yet valid|certificate has expired",
    Sign.CERTIFICATE_ISSUER: r"self[- ]signed certificate|unable to get local issuer|unable to get issuer",
}


def symptoms_of(error: errors.AccessError, *, proxy: bool = False, detail: str = "") -> list[Symptom]:
    """What an error is a sign of.

    Args:
        error: the error.
        proxy: whether the environment names a proxy.
        detail: what to say of it instead of its reason.
    """
    said = str(error)
    by_words = (sign for class_, words, sign in _WORDS if isinstance(error, class_) and re.search(words, said))
    by_class = (sign for class_, sign in _CLASSES.items() if isinstance(error, class_))
    sign = next(by_words, next(by_class, Sign.UNKNOWN))
    found = [Symptom(sign, detail or error.why or error.what, error.next_step)]
    if sign is Sign.UNREACHABLE:
        found += [Symptom(one) for one, words in _CERTIFICATES.items() if re.search(words, said)]
    if proxy and sign in (Sign.UNREACHABLE, Sign.ODD):
        found.append(Symptom(Sign.PROXY_SET))
    return found
