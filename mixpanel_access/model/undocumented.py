"""Writes whose shape Mixpanel does not document, by the names that `mixpanel:allowUndocumented` takes."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Verb(StrEnum):
    """One undocumented write, by its name in `mixpanel:allowUndocumented`."""

    INVITE = "inviteMembers"
    CHANGE_ROLE = "changeOrganizationRole"
    REMOVE_GRANTS = "removeProjectGrants"
    REMOVE_MEMBERS = "removeMembers"
    RESEND = "resendInvitations"
    ADD_TO_TEAMS = "addTeamMembers"
    REMOVE_FROM_TEAMS = "removeTeamMembers"


TAKING: Final = frozenset({Verb.CHANGE_ROLE, Verb.REMOVE_GRANTS, Verb.REMOVE_MEMBERS, Verb.REMOVE_FROM_TEAMS})
"""Those that take access away. Of the roles, a run without a program lowers some and raises none."""

BY_HAND: dict[Verb, str] = {
    Verb.INVITE: "invite them in Organization Settings > Users & Teams",
    Verb.CHANGE_ROLE: "change the role in Organization Settings > Users & Teams",
    Verb.REMOVE_GRANTS: "remove the person from the project in Project Settings > Users & Teams",
    Verb.REMOVE_MEMBERS: "remove the person in Organization Settings > Users & Teams",
    Verb.RESEND: "resend the invitation in Organization Settings > Users & Teams",
    Verb.ADD_TO_TEAMS: "add the person to the team in Organization Settings > Users & Teams",
    Verb.REMOVE_FROM_TEAMS: "take the person out of the team in Organization Settings > Users & Teams",
}
"""What to do in the product instead."""
