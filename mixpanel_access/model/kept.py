"""What a stack keeps in a run of `mixpanel-access revoke`: a document that the command writes and the program reads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.errors import InputError

_PAIRS: Final = ("grants", "account_grants", "team_grants", "team_members")
"""The fields of a declaration whose keys are pairs."""
_NUMBERED: Final = ("keys", "names", "project_access")
"""Those whose keys are project ids."""


@dataclass(frozen=True)
class Kept:
    """The resources that a run declares in place of what the roster says.

    Attributes:
        stack: the stack.
        roster: the name of its roster's file.
        declaration: the resources, with the inputs that the state has.
    """

    stack: str
    roster: str
    declaration: Declaration


def kept_text(kept: Kept) -> str:
    """The document as JSON text, which the program of `revoke` reads back."""
    fields = asdict(kept.declaration)
    fields |= {name: [[*key, value] for key, value in fields[name].items()] for name in _PAIRS}
    fields |= {name: [[key, value] for key, value in fields[name].items()] for name in _NUMBERED}
    return json.dumps({"stack": kept.stack, "roster": kept.roster, "declaration": fields})


def read_kept(text: str, stack: str, roster: str) -> Declaration:
    """The resources of a document.

    Args:
        text: the document.
        stack: the stack that runs.
        roster: the name of the roster's file that its program reads.

    Raises:
        InputError: the document is of another stack or roster, or is not one.
    """
    try:
        document = json.loads(text)
        found = document["stack"], document["roster"]
        fields: dict[str, Any] = dict(document["declaration"])
        fields |= {name: {(first, second): value for first, second, value in fields[name]} for name in _PAIRS}
        fields |= {name: {int(key): value for key, value in fields[name]} for name in _NUMBERED}
        declaration = Declaration(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            "cannot read what the stack keeps",
            why=f"the file is not one of `mixpanel-access revoke` ({error})",
            next_step="Unset MIXPANEL_ACCESS_KEPT: only that command sets it.",
        ) from None
    if found != (stack, roster):
        raise InputError(
            "cannot revoke with this program",
            why=f"the run is for the stack {found[0]} and its roster {found[1]}, and the program reads {roster} for "
            f"{stack}",
            next_step="Name the roster of a stack as the stack is named, beside the program.",
        )
    return declaration
