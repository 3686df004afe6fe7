"""When people logged in last: by Mixpanel's list of people, else by the audit log (contract, sections 3 and 11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mixpanel_access.directory.security import UNKNOWN
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import LOGGED_IN, LOOK_BACK

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


@dataclass(frozen=True)
class Logins:
    """The last logins.

    Attributes:
        last: key of the address -> when; who is not in it has not logged in, or nobody knows.
        refused: why the audit log cannot be read, where the list of people shows no login; else "".
    """

    last: Mapping[str, datetime]
    refused: str = ""

    @property
    def warning(self) -> str:
        """What to say of what cannot be seen; "" for nothing."""
        if not self.refused:
            return ""
        return (
            "Mixpanel's list of people shows no last login, and the audit log cannot be read, so it is unknown who has "
            f"logged in: {self.refused}"
        )


def read_logins(directory: Directory, now: datetime) -> Logins:
    """The last logins; the audit log is read only where the list of people shows nobody's.

    Raises:
        MixpanelError: Mixpanel cannot be read at all.
    """
    shown = {key: person.last_login for key, person in directory.people().items() if person.last_login}
    if shown:
        return Logins(shown)
    last: dict[str, datetime] = {}
    try:
        for event in directory.audit_events((LOGGED_IN,), now - LOOK_BACK, now):  # the newest first
            last.setdefault(same_key(event.email), event.at)
    except UNKNOWN as error:
        return Logins({}, error.why or error.what)
    return Logins(last)
