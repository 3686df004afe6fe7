"""The provider's settings, read once for the provider and the commands, with every problem reported at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from mixpanel_access.model.brakes import DEFAULT_REMOVAL_MINIMUM, DEFAULT_REMOVAL_PERCENT, Brake, Limits
from mixpanel_access.model.dates import INVITATION_LIFE_DAYS, instant
from mixpanel_access.model.errors import ConfigurationError
from mixpanel_access.model.hosts import (
    PLATFORM_HOSTS,
    REGIONS,
    is_real,
    may_have_credentials,
    problem_with_url,
    without_credentials,
)
from mixpanel_access.model.resource_ids import number_in
from mixpanel_access.model.setting_values import (
    Secret,
    addresses_in,
    chosen_in,
    company_domains_in,
    domains_in,
    organization_in,
)
from mixpanel_access.model.similarity import same_but_for_slips

NAMESPACE: Final = "mixpanel"
KEPT_VARIABLE: Final = "MIXPANEL_ACCESS_KEPT"
"""The environment variable with the file of a run of `mixpanel-access revoke`: what its stack keeps."""
LEAVING_VARIABLE: Final = "MIXPANEL_ACCESS_LEAVING"
"""The environment variable of a run of `mixpanel-access offboard` with the address of the person who leaves."""

ENVIRONMENT_VARIABLES: Final = {
    "organizationId": "MIXPANEL_ORGANIZATION_ID",
    "apiUrl": "MIXPANEL_BASE_URL",
    "platformUrl": "MIXPANEL_PLATFORM_URL",
    "serviceAccountUsername": "MIXPANEL_SERVICE_ACCOUNT",
    "serviceAccountSecret": "MIXPANEL_SERVICE_ACCOUNT_SECRET",
    "scimToken": "MIXPANEL_SCIM_TOKEN",
}
"""The environment variables for missing keys: the official Terraform provider's, and two of our own."""

SECRETS: Final = ("serviceAccountSecret", "scimToken")
"""The keys whose values are secret."""
SETTINGS: Final = (
    *ENVIRONMENT_VARIABLES, "region", "environment", "companyDomains", "approvers", "claimedDomains",
    "allowUndocumented", "removalPercent", "removalMinimum", "releaseBrakes", "invitationLifeDays",
    "invitationWaitSeconds", "readBackSeconds", "timeoutSeconds", "now",
)  # fmt: skip
"""Every key of stack configuration, without the namespace."""
OF_THE_STACK: Final = ("environment", "companyDomains", "approvers", "now")
"""The keys that hold for the whole stack, unless an `Organization` says otherwise."""
PROVIDER: Final = "provider"
"""The key with the name of an `Organization`, whose settings are in the program: no configuration of a stack has it."""

READ_BACK_SECONDS: Final = 10.0
"""How long we look for an accepted write, unless the setting says otherwise."""
_LONGEST_READ_BACK: Final = 60.0
UNUSABLE: Final = "cannot use the Mixpanel configuration"
"""What failed, in the error about the configuration."""
_MAXIMUM_LIFE_DAYS: Final = 14
_DEFAULT_TIMEOUT_SECONDS: Final = 60.0


class Verb(StrEnum):
    """One undocumented write, by its name in `mixpanel:allowUndocumented`."""

    INVITE = "inviteMembers"
    CHANGE_ROLE = "changeOrganizationRole"
    REMOVE_GRANTS = "removeProjectGrants"
    REMOVE_MEMBERS = "removeMembers"
    RESEND = "resendInvitations"
    ADD_TO_TEAMS = "addTeamMembers"
    REMOVE_FROM_TEAMS = "removeTeamMembers"


TAKING: Final = frozenset({Verb.CHANGE_ROLE, Verb.REMOVE_GRANTS, Verb.REMOVE_MEMBERS, Verb.REMOVE_FROM_TEAMS})
"""The verbs that take access away. A run without a program lowers roles and raises none."""

BY_HAND: dict[Verb, str] = {
    Verb.INVITE: "invite them in Organization Settings > Users & Teams",
    Verb.CHANGE_ROLE: "change the role in Organization Settings > Users & Teams",
    Verb.REMOVE_GRANTS: "remove the person from the project in Project Settings > Users & Teams",
    Verb.REMOVE_MEMBERS: "remove the person in Organization Settings > Users & Teams",
    Verb.RESEND: "resend the invitation in Organization Settings > Users & Teams",
    Verb.ADD_TO_TEAMS: "add the person to the team in Organization Settings > Users & Teams",
    Verb.REMOVE_FROM_TEAMS: "take the person out of the team in Organization Settings > Users & Teams",
}
"""What to do in the product instead."""


@dataclass(frozen=True)
class Settings:
    """The settings of a stack.

    Attributes:
        organization_id: the organization's id.
        api_url: scheme and host, without a path and a trailing slash.
        username: the service account's login name.
        secret: the service account's secret.
        environment: the environment of this stack's projects, or None.
        now: the instant to use as "now" (for tests), or None for the clock.
        timeout_seconds: how long one request may take.
        invitation_life_days: the days until an invitation expires, 7 to 14.
        allow_undocumented: the undocumented writes that may go to a real Mixpanel host.
        limits: how far one operation may go.
        invitation_wait_seconds: how long one operation may wait for the limit on invitations.
        read_back_seconds: how long we look for an accepted write before it counts as not done, 0 to 60.
        scim_token: the token to provision people of claimed domains, or None.
        claimed_domains: the claimed domains, if Mixpanel does not show them; as `domain_of` gives them.
        region: the region of the host; None if `apiUrl` names the host.
        platform_url: scheme and host of the Platform API; "" if it is at `api_url`.
        provider: the name of the `Organization` that has these settings; "" for the stack's own.
    """

    organization_id: int
    api_url: str
    username: str
    secret: Secret
    environment: str | None = None
    now: datetime | None = None
    timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS
    invitation_life_days: int = INVITATION_LIFE_DAYS
    allow_undocumented: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    invitation_wait_seconds: float = 0.0
    read_back_seconds: float = READ_BACK_SECONDS
    scim_token: Secret | None = None
    claimed_domains: frozenset[str] = frozenset()
    region: str | None = None
    platform_url: str = ""
    provider: str = ""

    @property
    def real(self) -> bool:
        """Whether the host is Mixpanel's own."""
        return is_real(urlsplit(self.api_url).hostname or "")

    def clock(self) -> datetime:
        """The instant to take as "now", in UTC."""
        return self.now or datetime.now(UTC)


def load_settings(get: Callable[[str], str | None], environ: Mapping[str, str], keys: Iterable[str] = ()) -> Settings:
    """Read the settings from stack configuration, falling back to the environment.

    Args:
        get: gives the value of a configuration key ("organizationId", without its namespace), or None.
        environ: the environment variables.
        keys: those that are set, without the namespace, to find mistyped ones.

    Raises:
        ConfigurationError: something is missing or malformed; the text lists everything, and how to set it.
    """
    return _SettingsReader(get, environ).settings(keys)


def configured_organization(get: Callable[[str], str | None], environ: Mapping[str, str]) -> int | None:
    """The organization of a stack, from the same places as `load_settings`; None if it has none."""
    key = "organizationId"
    return organization_in(get(key) or environ.get(ENVIRONMENT_VARIABLES[key]))


def limits_in(get: Callable[[str], str | None]) -> Limits:
    """The limits of the removal brake in a stack's configuration; a malformed value counts as the default."""
    return _SettingsReader(get, {}).limits()


class _SettingsReader:
    """Reads the settings, and collects every problem before it raises."""

    def __init__(self, get: Callable[[str], str | None], environ: Mapping[str, str]) -> None:
        self._get = get
        self._environ = environ
        self._provider = get(PROVIDER) or ""
        self._problems: list[str] = []

    def _how(self, key: str) -> str:
        """How to set a key, as a clause."""
        if self._provider:
            return f"set {input_name(key)} of the Organization {self._provider}"
        return how_to_set(key)

    def settings(self, keys: Iterable[str]) -> Settings:
        settings = Settings(
            organization_id=self._organization(),
            api_url=(api_url := self._api_url()),
            platform_url=self._url("platformUrl", "the Platform API's address")
            or PLATFORM_HOSTS.get(api_url.lower(), api_url),
            username=self._text("serviceAccountUsername", "the service account's login name"),
            secret=Secret(self._text("serviceAccountSecret", "the service account's secret")),
            environment=self._value("environment"),
            now=self._now(),
            timeout_seconds=self._timeout(),
            invitation_life_days=self._life(),
            allow_undocumented=self._list("allowUndocumented", partial(chosen_in, known=list(Verb))),
            limits=self.limits(),
            invitation_wait_seconds=self._number("invitationWaitSeconds", 0, 0, math.inf),
            read_back_seconds=self._number("readBackSeconds", READ_BACK_SECONDS, 0, _LONGEST_READ_BACK),
            scim_token=Secret(token) if (token := self._value("scimToken")) else None,
            claimed_domains=self._list("claimedDomains", domains_in),
            region=None if self._value("apiUrl") else self._region(),
            provider=self._provider,
        )
        self._problems += filter(None, map(_mistyped, sorted(set(keys) - {*SETTINGS, PROVIDER})))
        if self._problems:
            numbered = [f"({number}) {problem}" for number, problem in enumerate(self._problems, 1)]
            raise ConfigurationError(UNUSABLE, why="; ".join(numbered if self._problems[1:] else self._problems))
        return settings

    def _value(self, key: str) -> str | None:
        value = self._get(key) or ""
        if not value.strip() and not self._provider:  # whose credentials are not those of the environment
            value = self._environ.get(ENVIRONMENT_VARIABLES.get(key, ""), "")
        return value.strip() or None

    def _text(self, key: str, meaning: str) -> str:
        value = self._value(key)
        if value is None:
            self._problems.append(f"{meaning} is missing: {self._how(key)}")
        elif key == "serviceAccountUsername" and ":" in value:
            self._problems.append(f"{meaning} holds a colon, which no login name can: {self._how(key)}")
        return value or ""

    def _organization(self) -> int:
        value = self._text("organizationId", "the organization's id")
        number = number_in(value) or 0
        if value and not number:
            self._problems.append(
                f"the organization's id is {value!r}, which is not a positive whole number: "
                f"{self._how('organizationId')}"
            )
        return number

    def _api_url(self) -> str:
        region = self._region()
        if region not in REGIONS:
            self._problems.append(f"the region is {region!r}, not one of us, eu, in: {self._how('region')}")
        return self._url("apiUrl", "the API's address") or REGIONS.get(region, "")

    def _url(self, key: str, meaning: str) -> str:
        """An address that gets the credentials, or ""."""
        url = self._value(key)
        if url is None:
            return ""
        if problem := problem_with_url(url):
            self._problems.append(f"{meaning} is {without_credentials(url)!r}, {problem}: {self._how(key)}")
        elif not may_have_credentials(url, self._environ.get(variable := ENVIRONMENT_VARIABLES[key], "")):
            self._problems.append(
                f"{meaning} is {url!r}, which is neither Mixpanel's nor this machine's: to send the "
                f"credentials there, name it in the environment of the run too, {variable}={url.rstrip('/')}, or "
                f"pulumi config rm {NAMESPACE}:{key}"
            )
        return url.rstrip("/")

    def _region(self) -> str:
        return (self._value("region") or "us").lower()

    def _now(self) -> datetime | None:
        value = self._value("now")
        try:
            return instant(value) if value else None
        except ValueError:
            self._problems.append(f"mixpanel:now is {value!r}, which is not an ISO 8601 instant: {self._how('now')}")
            return None

    def _timeout(self) -> float:
        value = self._value("timeoutSeconds")
        try:
            seconds = float(value) if value else _DEFAULT_TIMEOUT_SECONDS
        except ValueError:
            seconds = -1
        if not (math.isfinite(seconds) and seconds > 0):
            self._problems.append(
                f"the time-out is {value!r}, which is not a positive number of seconds: {self._how('timeoutSeconds')}"
            )
        return seconds

    def _life(self) -> int:
        value = self._value("invitationLifeDays") or str(INVITATION_LIFE_DAYS)
        days = number_in(value)
        if days is not None and INVITATION_LIFE_DAYS <= days <= _MAXIMUM_LIFE_DAYS:
            return days
        self._problems.append(
            f"the life of an invitation is {value!r}, not {INVITATION_LIFE_DAYS} to {_MAXIMUM_LIFE_DAYS} whole days: "
            f"{self._how('invitationLifeDays')}"
        )
        return INVITATION_LIFE_DAYS

    def _list(self, key: str, read: Callable[[object], frozenset[str]]) -> frozenset[str]:
        try:
            return read(self._value(key))
        except ValueError as error:
            self._problems.append(_problem_with_list(key, error, self._how(key)))
            return frozenset()

    def limits(self) -> Limits:
        return Limits(
            self._number("removalPercent", DEFAULT_REMOVAL_PERCENT, 0, 100),
            int(self._number("removalMinimum", DEFAULT_REMOVAL_MINIMUM, 0, math.inf)),
            self._list("releaseBrakes", partial(chosen_in, known=list(Brake))),
        )

    def _number(self, key: str, default: float, low: float, high: float) -> float:
        value = self._value(key)
        try:
            number = float(value) if value else default
        except ValueError:
            number = math.nan
        if not low <= number <= high or math.isinf(number):
            upper = "" if math.isinf(high) else f" to {high:g}"
            self._problems.append(
                f"mixpanel:{key} is {value!r}, which is not a number from {low:g}{upper}: {self._how(key)}"
            )
            return default
        return number


def company_domains(value: object) -> frozenset[str]:
    """The company's e-mail domains from the setting `companyDomains`.

    The provider does not read it, so that a mistake in it never keeps access from ending.

    Raises:
        ConfigurationError: it cannot be used.
    """
    return _list_of("companyDomains", company_domains_in, value)


def approvers(value: object) -> frozenset[str]:
    """The keys of the addresses that may approve, from the setting `approvers`, which only the policies read.

    Raises:
        ConfigurationError: it cannot be used.
    """
    return _list_of("approvers", addresses_in, value)


def _list_of(key: str, read: Callable[[object], frozenset[str]], value: object) -> frozenset[str]:
    try:
        return read(value)
    except ValueError as error:
        raise ConfigurationError(UNUSABLE, why=_problem_with_list(key, error, how_to_set(key))) from None


def _problem_with_list(key: str, error: ValueError, how: str) -> str:
    return f"mixpanel:{key} cannot be used, {error}: {how}"


def warning_of_now(now: str, stack: str = "", provider: str = "") -> str:
    """The warning of every run with `mixpanel:now`: left over from a test, it would keep ended access for ever."""
    of = f" of the stack {stack}" if stack else ""
    option = f" --stack {stack}" if stack else ""
    what, remove = f"{NAMESPACE}:now{of}", f"`pulumi config rm {NAMESPACE}:now{option}`"
    if provider:
        what, remove = f"now of the Organization {provider}", f"remove it from the program, or run {remove}"
    return (
        f"warning: {what} is {now}: access begins and ends by that day, not by today's. It is for tests; to go by the "
        f"clock, {remove}, then `pulumi up{option}`: import, refresh and destroy run with the configuration of the "
        "last `up`"
    )


def how_to_set(key: str) -> str:
    """The command that sets a configuration key, as a clause."""
    flag = "--secret " if key in SECRETS else ""
    variable = ENVIRONMENT_VARIABLES.get(key)
    return f"pulumi config set {flag}{NAMESPACE}:{key} VALUE" + (f", or {variable}" if variable else "")


def input_name(key: str) -> str:
    """A key of the configuration, as the input of an `Organization` has it."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _mistyped(key: str) -> str | None:
    """What to do about an unknown key that resembles a known one."""
    for known in SETTINGS:
        if same_but_for_slips(key.casefold(), known.casefold(), len(known) - 1):  # "now" bears none
            return (
                f"there is no setting {NAMESPACE}:{key}: if {known} is meant, pulumi config rm {NAMESPACE}:{key}, then "
                f"{how_to_set(known)}"
            )
    return None
