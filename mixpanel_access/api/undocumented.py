"""Writes whose shape Mixpanel does not document: sent to a real host only when the operator has named them.

The contract (section 0) asks for this. Against any other host (the emulator) they are always sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixpanel_access.model.errors import Refused
from mixpanel_access.model.settings import is_real
from mixpanel_access.model.undocumented import BY_HAND, Verb


@dataclass(frozen=True)
class Gate:
    """Decides whether an undocumented write may be sent.

    Attributes:
        host: the host's name that writes go to.
        allowed: the verbs that the operator has named.
    """

    host: str
    allowed: frozenset[str] = frozenset()

    def pass_through(self, verb: Verb, what: str, whom: str) -> None:
        """Return when the write may be sent.

        Raises:
            Refused: the host is a real Mixpanel and the operator has not named the verb.
        """
        if verb in self.allowed or not is_real(self.host):
            return
        raise Refused(
            f"cannot {what}",
            whom=whom,
            why="Mixpanel does not document this call, and it has not been switched on for a real organization",
            next_step=f"Either {BY_HAND[verb]} and run `pulumi refresh`, or add {verb.value} to "
            f"mixpanel:allowUndocumented after trying it on a throw-away address.",
        )
