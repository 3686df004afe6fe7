"""Writes whose shape Mixpanel does not document: sent to a real host only when the operator has named them.

The contract asks (contract, section 0) for this. Against any other host (the emulator) they are always sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mixpanel_access.api.answers import Json
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.address import few
from mixpanel_access.model.errors import NotFound, Refused
from mixpanel_access.model.hosts import is_real
from mixpanel_access.model.settings import BY_HAND, TAKING, Verb


@dataclass(frozen=True)
class Gate:
    """Sends undocumented writes, if they may be sent.

    Attributes:
        transport: to the host that writes go to.
        allowed: the verbs that the operator has named.
        fresh: whether they are named in today's configuration. If only the state has them, those that take away count:
            else a plain `pulumi destroy` could take nobody out.
    """

    transport: Transport
    allowed: frozenset[str] = frozenset()
    fresh: Callable[[], bool] = lambda: True

    def write(self, verb: Verb, what: str, emails: Iterable[str], path: str, body: Json) -> None:
        """POST an undocumented write.

        Raises:
            Refused: it may not be sent.
            MixpanelError: what went wrong; where the path is not there, the line says how it is done by hand.
        """
        people = named(emails)
        self.pass_through(verb, what, people)
        try:
            self.transport.write(path, body, f"{what} ({people})")
        except NotFound as error:
            error.next_step += f" This Mixpanel may not offer the call: {BY_HAND[verb]}, then run `pulumi refresh`."
            raise

    def pass_through(self, verb: Verb, what: str, people: str) -> None:
        """Return when the write may be sent.

        Raises:
            Refused: the host is a real Mixpanel and the operator has not named the verb.
        """
        if not is_real(self.transport.host) or (verb in self.allowed and (verb in TAKING or self.fresh())):
            return
        if verb in self.allowed:
            raise Refused(
                f"cannot {what}",
                subject=people,
                why="Mixpanel does not document this call, and only the last `pulumi up` had it switched on",
                next_step="Run `pulumi up`, or add --run-program to the command.",
            )
        raise Refused(
            f"cannot {what}",
            subject=people,
            why="Mixpanel does not document this call, and it has not been switched on for a real organization",
            next_step=f"Either {BY_HAND[verb]} and run `pulumi refresh`, or add {verb.value} to "
            f"mixpanel:allowUndocumented after trying it with `mixpanel-access doctor --writes`.",
        )


def named(emails: Iterable[str]) -> str:
    """Some of the people concerned by a request; each of a batch has an error of their own."""
    return few(dict.fromkeys(emails))
