"""Every error that a user can see.

    AccessError
    ├── UsageError               exit code 2: the command, the configuration or the roster is wrong
    │   ├── ConfigurationError   stack configuration or environment
    │   ├── RosterError          a roster file, with file and line
    │   ├── InputError           a resource's input
    │   └── EngineError          the Pulumi engine is missing, could not be made, or failed
    ├── Refused                  exit code 1: a brake or a rule held the operation
    ├── Cancelled                exit code 3: somebody stopped the operation before it reached Mixpanel
    └── MixpanelError            exit code 3: Mixpanel or the network
        ├── Unreachable          no answer: the name, the connection or the time-out
        ├── Unauthorized         401: missing, wrong, deleted or expired credentials
        ├── Forbidden            403: the role is too low, or the plan lacks the feature
        │   └── PlanRefusal      402: a limit of the plan
        ├── NotFound             404: the object does not exist; the only answer that means "gone"
        ├── Invalid              400, 422: a bad value
        ├── RateLimited          429
        │   └── InvitationLimit  the hourly limit on invitations to a domain
        ├── ServerFault          5xx, or a status that nobody expects
        ├── NotApplied           an answer that says, in a success, that nothing was done
        └── Unintelligible       an answer that is not what the API promises

An error is one line: what failed, for which person or object, why, and what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from mixpanel_access.model.address import few
from mixpanel_access.model.grouping import grouped

DEBUG_VARIABLE: Final = "MIXPANEL_ACCESS_DEBUG"
"""The environment variable that, set to 1, shows an error's traceback."""

LONGEST_WAIT: Final = 60.0
"""The longest pause, in seconds, that we wait if a server asks for one; a longer one is an error."""
_ENDINGS: Final = ". \t\n"
"""What a reason in another program's words can end with, and what we remove before our full stop."""


class AccessError(Exception):
    """The root of the tree.

    Args:
        what: what failed, as a clause ("cannot grant analyst in project 1234567").
        subject: the person or object concerned (an e-mail address, a project, a file), or "".
        why: the reason, with the server's own words and status.
        next_step: what the reader can do about it.

    Attributes:
        kept: what a resource that could not be finished has all the same: its id and its outputs. The engine keeps it,
            where its server can say so.
        tells_for_whom: whether it says for whom of many people it failed, and so for whom it was done.
    """

    exit_code: ClassVar[int] = 3
    kept: tuple[str, Mapping[str, Any]] | None = None
    tells_for_whom: bool = False

    def __init__(self, what: str, *, subject: str = "", why: str = "", next_step: str = "") -> None:
        self.what = what
        self.subject = subject
        self.why = why
        self.next_step = next_step
        super().__init__(what)

    def __str__(self) -> str:
        line = f"{self.what} for {self.subject}" if self.subject else self.what
        if self.why:
            line = f"{line}: {self.why}"
        if self.next_step:
            line = f"{line.rstrip(_ENDINGS)}. {self.next_step}"
        return " ".join(line.split())

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(class_: type[AccessError], fields: dict[str, object]) -> AccessError:
    error = class_(
        str(fields.get("what", "")),
        subject=str(fields.get("subject", "")),
        why=str(fields.get("why", "")),
        next_step=str(fields.get("next_step", "")),
    )
    error.__dict__.update(fields)
    return error


class UsageError(AccessError):
    """The command, the configuration or the roster is wrong."""

    exit_code = 2


class ConfigurationError(UsageError):
    """Stack configuration or environment: something is missing or malformed."""


class RosterError(UsageError):
    """A roster file cannot be used; the text carries file and line."""


class InputError(UsageError):
    """A resource's input cannot be used."""


class EngineError(UsageError):
    """The Pulumi engine is missing, could not be made, or failed."""


class Refused(AccessError):
    """A brake or a rule held the operation; nothing was written."""

    exit_code = 1


class Cancelled(AccessError):
    """Somebody stopped the operation before this was sent."""


class MixpanelError(AccessError):
    """Mixpanel answered with a refusal, or did not answer.

    Attributes:
        status: the HTTP status of the answer, if there was one.
        retry_after: the seconds that the server asked us to wait, if it did.
        unsettled: whether nobody knows if Mixpanel applied the write: the list cannot be read, or does not show it yet.
        unsent: whether nothing was sent, because there was no connection.
    """

    status: int | None = None
    retry_after: float | None = None
    unsettled: bool = False
    unsent: bool = False


class Unreachable(MixpanelError):
    """No answer: the name, the connection or the time-out. A write may have been applied all the same."""


class Unauthorized(MixpanelError):
    """401: missing, wrong, deleted or expired credentials."""


class Forbidden(MixpanelError):
    """403: the role is too low, or the plan lacks the feature."""


class PlanRefusal(Forbidden):
    """402: the plan does not allow it, whoever asks and however often."""


class NotFound(MixpanelError):
    """404: the object does not exist. The only answer that means "gone"."""


class Invalid(MixpanelError):
    """400 or 422: a bad value."""


class RateLimited(MixpanelError):
    """429: the request rate or the invitation limit is reached."""


class InvitationLimit(RateLimited):
    """Mixpanel's hourly limit on invitations to one domain is reached, and the operation does not wait for its end.

    Attributes:
        domain: the domain.
        opens: from when to run again, in words.
    """

    domain: str = ""
    opens: str = ""


class ServerFault(MixpanelError):
    """5xx, or a status that nobody expects. A write may have been applied all the same."""


class NotApplied(MixpanelError):
    """An answer that says, in a success, that nothing was done."""


class Unintelligible(MixpanelError):
    """An answer that is not what the API promises."""


_REASONS: Final = 3
"""The different reasons that one line names; it counts the others."""


def told_together(what: str, failures: Mapping[str, AccessError], done: int) -> AccessError:
    """The failures of single people (address -> error) as one error of the first one's class.

    Args:
        what: what failed, as a clause.
        failures: at least one.
        done: for how many people it succeeded.
    """
    reasons = grouped((error.why or error.what, email) for email, error in failures.items())
    told = [f"{few(emails)}: {why}" for why, emails in reasons.items()]
    more = len(told) - _REASONS
    if more > 0:
        told[_REASONS:] = [f"and {more} more reason{'s' * (more > 1)}"]
    first = next(iter(failures.values()))
    again = "Run again: what is done is not done twice." if done else ""
    together = type(first)(
        what,
        why=f"not for {len(failures)} of {len(failures) + done} people: {'; '.join(told)}",
        next_step=next((error.next_step for error in failures.values() if error.next_step), again),
    )
    together.tells_for_whom = True
    return together
