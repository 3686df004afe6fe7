"""What Mixpanel took before a verb failed: the error says so, and the state keeps what is known of the resource.

After a write, what fails is mostly a read, and its error alone would look as if nothing had been sent. Without the
state it is worse: if the entry leaves the program before the next run, nobody takes the access away.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Final

from mixpanel_access.model.errors import AccessError, NotApplied
from mixpanel_access.model.resource_ids import ResourceId

UNREAD: Final = "unread"
"""The output of a resource that was not read after a write: the next `up` updates it, whatever else it compares."""


class Taken:
    """The requests of one verb that Mixpanel has taken so far.

    Args:
        ref: the id of the resource.
        deletes: whether the verb takes the resource away: the state keeps it then as it is.

    Attributes:
        ref: that id; None while Mixpanel alone knows it.
        outputs: the outputs of the resource, as far as they are known; None for those that the state has.
    """

    def __init__(self, ref: ResourceId | None = None, *, deletes: bool = False) -> None:
        self.ref = ref
        self._deletes = deletes
        self.outputs: Mapping[str, Any] | None = None
        self._requests: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._requests) or self.outputs is not None

    def add(self, request: str, outputs: Mapping[str, Any] | None = None) -> None:
        """Note that Mixpanel took a request.

        Args:
            request: what was asked for, as a clause that follows "the request to".
            outputs: the outputs of the resource since then; None if they are the same.
        """
        self._requests.append(request)
        self.outputs = self.outputs if outputs is None else outputs

    def explain(self, error: AccessError, *, keeps: bool) -> AccessError:
        """An error that came after them, with the requests in its text and the outputs for the state.

        Args:
            error: what failed.
            keeps: whether the server of the resources can have the state keep it.
        """
        own_error = copy(error)  # other resources of a batch may have got the same one
        alone = isinstance(error, NotApplied) and len(self._requests) == 1
        told = not self._requests or alone or error.tells_for_whom
        if own_error.kept is None and self.ref is not None and self.outputs is not None:
            own_error.kept = str(self.ref), {**self.outputs, UNREAD: True}
        if self._deletes:
            then = "" if told else "Run again: nothing is done twice."
        elif error.tells_for_whom and keeps:  # it has its own next step
            then = ""
        elif own_error.kept is not None and keeps:
            then = "The state has it, and the next `pulumi up` reads what came of it."
        else:
            then = "The next `pulumi up` adopts what it finds of it. Leave it in the program: a state may lack it."
        took = "" if told else f"Mixpanel took the request to {' and to '.join(self._requests)} before."
        own_error.next_step = " ".join(part for part in (error.next_step, took, then) if part)
        return own_error


def is_unread(outputs: Mapping[str, Any]) -> bool:
    """Whether the resource was not read after its last write."""
    return bool(outputs.get(UNREAD))
