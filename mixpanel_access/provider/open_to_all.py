"""Whether everybody in the organization has a project: shown for the policies, before anything is given there."""

from __future__ import annotations

from typing import Final

from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.errors import MixpanelError
from mixpanel_access.provider.properties import Properties
from mixpanel_access.provider.session import Session

OPEN_TO_ALL: Final = "open_to_all_users"
"""Whether a production project has a grant to all users; left out where that is not known."""


def shown_to_all(session: Session, inputs: Properties) -> Properties:
    """What is to be shown of a production project, by the list of who has it: one reading a project and operation."""
    if inputs.get("environment") != PRODUCTION:
        return {}
    try:
        return {OPEN_TO_ALL: session.directory.open_to_all(inputs["project_id"])}
    except MixpanelError:  # who may not see it is told elsewhere
        return {}


def keep_shown_to_all(olds: Properties, inputs: Properties) -> None:
    """Keep what was shown before where a check has not read it: at a preview, an update has nothing but inputs."""
    if olds.get(OPEN_TO_ALL) is not None and olds.get("project_id") == inputs.get("project_id"):
        inputs.setdefault(OPEN_TO_ALL, olds[OPEN_TO_ALL])
