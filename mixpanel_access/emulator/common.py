"""What several endpoint families ask first: is it our organization, our project, may the caller manage?"""

from __future__ import annotations

from typing import Any

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.routing import DIGITS, Call


def in_organization(call: Call) -> None:
    """404 for any organization but the caller's."""
    if call.number("o") != call.store.setting("organization")["id"]:
        raise Refusal(404, f"no organization {call.places['o']}")


def managing(call: Call) -> None:
    """404 for another organization, 403 for a caller who manages nobody."""
    in_organization(call)
    rules.must_manage(call.account.role)


def project_number(id_: int | str) -> int:
    """A project id as the official provider may send it; 404 for text that is none."""
    if isinstance(id_, int) or (id_.isascii() and id_.isdigit() and len(id_) < DIGITS):
        return int(id_)
    raise Refusal(404, f"no project {id_}")


def project(call: Call, id_: int) -> dict[str, Any]:
    """A project of the organization, or 404."""
    for row in call.store.projects():
        if row["id"] == id_:
            return row
    raise Refusal(404, f"no project {id_}")
