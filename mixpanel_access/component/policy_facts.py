"""What policies cannot see in the resources: where exceptions stand, and which secrets are in plain text."""

from __future__ import annotations

from typing import Any, Final

from pulumi.runtime import config

from mixpanel_access.model.declared_inputs import exception_inputs
from mixpanel_access.model.roster.reading import lines_of_entries
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.settings import NAMESPACE
from mixpanel_access.rules.entry import ExceptionEntry

_SECRETS: Final = ("serviceAccountSecret", "scimToken")


def policy_facts(roster: Roster, name: str, text: str) -> dict[str, Any]:
    """What the component has among its outputs for policies; nothing where there is nothing to say.

    Args:
        roster: the roster.
        name: its file's name.
        text: its text.
    """
    entries = [ExceptionEntry.of(exception_inputs(roster, one)) for one in roster.exceptions]
    lines = lines_of_entries(text, "exceptions", len(entries))
    places = {entry.label: f"{name}:{line}" for entry, line in zip(entries, lines, strict=True)}
    plain = [key for key in _SECRETS if _is_plain(f"{NAMESPACE}:{key}")]
    return {name: value for name, value in (("exception_places", places), ("plain_secrets", plain)) if value}


def _is_plain(key: str) -> bool:
    """Whether a setting stands in the stack's configuration, and not encrypted."""
    return bool(config.get_config(key)) and not config.is_config_secret(key)
