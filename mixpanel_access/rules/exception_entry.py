"""An exception from a rule, as resources and rosters carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

EXCEPTION_DAYS: Final = (90, 30)
"""For how many days an exception may hold, and one from a critical rule, unless the options say otherwise."""


@dataclass(frozen=True)
class ExceptionEntry:
    """Somebody's word that a rule does not hold for something, from one day to another.

    Attributes:
        rule: the rule's id.
        reason: why.
        approver: who says so.
        ends: the last day, as it is written.
        email: whom it concerns, or "" for the stack as a whole.
        project: the project's id, or None for all that the person has.
        starts: the first day, as it is written.
        ticket: the ticket that asked for it.
    """

    rule: str
    reason: str = ""
    approver: str = ""
    ends: str = ""
    email: str = ""
    project: int | None = None
    starts: str = ""
    ticket: str = ""

    @classmethod
    def of(cls, value: Any) -> ExceptionEntry:
        """Read one from a resource's property; what has another shape is none of a known rule."""
        if not isinstance(value, Mapping):
            return cls(str(value))
        names = ("rule", "reason", "approver", "ends", "email", "starts", "ticket")
        texts = {name: str(value.get(name) or "") for name in names}
        return cls(**texts, project=number_of(value.get("project")))

    @property
    def label(self) -> str:
        """What it is from, and for whom or what."""
        return f"{self.rule} for {self}"

    def __str__(self) -> str:
        whom = self.email or "the stack"
        return f"{whom} in project {self.project}" if self.project is not None else whom


def number_of(value: Any) -> int | None:
    """A whole number, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
